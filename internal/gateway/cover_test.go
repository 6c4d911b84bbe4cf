package gateway

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	compute "google.golang.org/api/compute/v1"

	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

func natOf(t *testing.T, fields string) *compute.RouterNat {
	t.Helper()
	var n compute.RouterNat
	if err := json.Unmarshal([]byte("{"+fields+"}"), &n); err != nil {
		t.Fatal(err)
	}
	return &n
}

func TestWhichNATCoversASubnetwork(t *testing.T) {
	t.Parallel()
	subnet := subnetName{place{"acme-net", "europe-west1"}, "run"}
	const url = "https://www.googleapis.com/compute/v1/projects/acme-net/regions/europe-west1/subnetworks/"
	one := func(name, ranges string) string {
		return `"sourceSubnetworkIpRangesToNat":"LIST_OF_SUBNETWORKS","subnetworks":[null,{"name":"` + name + `"` + ranges + `}]`
	}
	for name, c := range map[string]struct {
		fields string
		want   coverage
		why    string
	}{
		"all ranges of all subnetworks":      {wholeNetwork, covers, ""},
		"all primary ranges":                 {`"sourceSubnetworkIpRangesToNat":"ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES"`, covers, ""},
		"listed, all ranges by default":      {one(url+"run", ""), covers, ""},
		"listed, all ranges":                 {one(url+"run", `,"sourceIpRangesToNat":["ALL_IP_RANGES"]`), covers, ""},
		"listed, primary and some more":      {one(url+"run", `,"sourceIpRangesToNat":["PRIMARY_IP_RANGE","LIST_OF_SECONDARY_IP_RANGES"]`), covers, ""},
		"listed, only secondary ranges":      {one(url+"run", `,"sourceIpRangesToNat":["LIST_OF_SECONDARY_IP_RANGES"]`), coversNot, ""},
		"listed, ranges of the future":       {one(url+"run", `,"sourceIpRangesToNat":["NEW"]`), coversPerhaps, `its sourceIpRangesToNat "NEW" is not known`},
		"listed by the project's number":     {one(strings.Replace(url, "acme-net", "123", 1)+"run", ""), covers, ""},
		"another subnetwork":                 {one(url+"walk", ""), coversNot, ""},
		"the same name in another region":    {one(strings.Replace(url, "west1", "west4", 1)+"run", ""), coversNot, ""},
		"the same name in another project":   {one(strings.Replace(url, "acme", "other", 1)+"run", ""), coversNot, ""},
		"a subnetwork that cannot be read":   {one("?", ""), coversPerhaps, `its subnetwork "?" is not known`},
		"an empty list":                      {`"sourceSubnetworkIpRangesToNat":"LIST_OF_SUBNETWORKS"`, coversNot, ""},
		"NAT64 alone":                        {`"sourceSubnetworkIpRangesToNat64":"ALL_IPV6_SUBNETWORKS"`, coversNot, ""},
		"a scope of the future":              {`"sourceSubnetworkIpRangesToNat":"NEW"`, coversPerhaps, `"NEW" is not known to this version of Sluice`},
		"private NAT":                        {wholeNetwork + `,"type":"PRIVATE"`, coversNot, ""},
		"public NAT, said aloud":             {wholeNetwork + `,"type":"PUBLIC"`, covers, ""},
		"a type of the future":               {wholeNetwork + `,"type":"NEW"`, coversPerhaps, `its type "NEW"`},
		"a type of the future, elsewhere":    {one(url+"walk", "") + `,"type":"NEW"`, coversNot, ""},
		"for virtual machines, said aloud":   {wholeNetwork + `,"endpointTypes":["ENDPOINT_TYPE_VM"]`, covers, ""},
		"for machines and load balancers":    {wholeNetwork + `,"endpointTypes":["ENDPOINT_TYPE_MANAGED_PROXY_LB","ENDPOINT_TYPE_VM"]`, covers, ""},
		"a Secure Web Proxy's own":           {wholeNetwork + `,"endpointTypes":["ENDPOINT_TYPE_SWG"]`, coversNot, ""},
		"for load balancers, type not known": {wholeNetwork + `,"type":"NEW","endpointTypes":["ENDPOINT_TYPE_MANAGED_PROXY_LB"]`, coversNot, ""},
		"for machines of the future alone":   {wholeNetwork + `,"endpointTypes":["NEW"]`, coversNot, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, why := covering(natOf(t, c.fields), subnet)
			if got != c.want || (c.why == "") != (why == "") || !strings.Contains(why, c.why) {
				t.Errorf("got %v, %q, want %v, %q", got, why, c.want, c.why)
			}
		})
	}
}

func TestNetworksAreNotMixedUp(t *testing.T) {
	t.Parallel()
	other := strings.ReplaceAll(routerJSON("r0", natJSON("nat-0", manual)), "networks/default", "networks/other")
	hidden := routerJSON("swg-autogen-router-1", natJSON("swg-autogen-nat", manual+`,"endpointTypes":["ENDPOINT_TYPE_SWG"]`))
	below := usual()
	below.set(list, listJSON(other, hidden, routerJSON("r1", natJSON("nat-1", manual)), routerJSON("r2", natJSON("nat-2", manual+`,"type":"PRIVATE"`)),
		`{"name":"without-network"}`))
	got := out(t, dial(t, below), noon, leaving(rollout.VPCAccess{Network: "default"}))
	if got.Presence != rollout.Found || len(got.Gateways) != 1 || got.Gateways[0].Source != one {
		t.Errorf("%+v", got)
	}
}

func TestNamesAreReadInEveryForm(t *testing.T) {
	t.Parallel()
	home := place{"shop", "europe-west1"}
	for text, want := range map[string]subnetName{
		"run":                                   {home, "run"},
		"regions/r2/subnetworks/run":            {place{"shop", "r2"}, "run"},
		"projects/p/regions/r2/subnetworks/run": {place{"p", "r2"}, "run"},
		"projects/example.com:p/regions/r2/subnetworks/run":                             {place{"example.com:p", "r2"}, "run"},
		"https://www.googleapis.com/compute/v1/projects/1/regions/r2/subnetworks/run":   {place{"1", "r2"}, "run"},
		"https://compute.googleapis.com/compute/v1/projects/1/regions/r2/subnetworks/r": {place{"1", "r2"}, "r"},
		"": {}, "/": {}, "Run": {}, "a/b": {}, "networks/run": {}, "projects/p": {}, "projects/p/regions/r2/networks/run": {},
		"projects//regions/r2/subnetworks/run": {}, "projects/p/regions//subnetworks/run": {}, "projects/p/regions/r2/subnetworks/run/x": {},
		"..": {}, "run?x": {}, "projects/p%2F/regions/r2/subnetworks/run": {},
	} {
		at, name, ok := parse(text, "subnetworks", home)
		if got := (subnetName{at, name}); got != want || ok != (want.name != "") {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
}

func FuzzOnlyNamesGetIntoPaths(f *testing.F) {
	f.Add("projects/p/regions/r/subnetworks/s")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		at, name, ok := parse(text, "subnetworks", place{"shop", "europe-west1"})
		if ok && strings.ContainsAny(at.project+at.region+name, "/?#%\\ \n") {
			t.Errorf("%q gives %v %q", text, at, name)
		}
	})
}

func TestWhatAGatewayHasToGive(t *testing.T) {
	t.Parallel()
	const two = `"userAllocatedNatIps":["203.0.113.1","203.0.113.2","203.0.113.2",""]`
	for name, c := range map[string]struct {
		config, status string
		want           nat.Gateway
		unread         string
	}{
		"manual and static": {
			manual + `,"minPortsPerVm":128,"effectiveTcpTimeWaitTimeoutSec":30`, two + `,"numVmEndpointsWithNatMappings":7,"minExtraNatIpsNeeded":2`,
			nat.Gateway{IPs: 2, Ports: 128, Endpoints: 7, ExtraIPs: 2, TimeWait: 30 * time.Second},
			"",
		},
		"addresses that drain give nothing": {manual, two + `,"drainUserAllocatedNatIps":["203.0.113.2"]`, nat.Gateway{IPs: 1}, ""},
		"automatic and dynamic": {
			`"natIpAllocateOption":"AUTO_ONLY","enableDynamicPortAllocation":true,"minPortsPerVm":64,"maxPortsPerVm":4096`,
			`"autoAllocatedNatIps":["1.1.1.1"],` + two,
			nat.Gateway{IPs: 1, Auto: true, Dynamic: true, Ports: 64, MostPorts: 4096},
			"",
		},
		"a rule that lacks addresses": {manual, `"ruleStatus":[null,{"minExtraIpsNeeded":3}]`, nat.Gateway{ExtraIPs: 3}, ""},
		"rules of its own":            {manual + `,"rules":[{"ruleNumber":1},{"ruleNumber":2}]`, two, nat.Gateway{IPs: 2, Rules: 2}, ""},
		"the configured TIME_WAIT":    {manual + `,"tcpTimeWaitTimeoutSec":45`, two, nat.Gateway{IPs: 2, TimeWait: 45 * time.Second}, ""},
		"numbers that are none": {
			manual + `,"minPortsPerVm":-1,"maxPortsPerVm":-1,"tcpTimeWaitTimeoutSec":-5`, `"minExtraNatIpsNeeded":-1`, nat.Gateway{}, "",
		},
		"a TIME_WAIT that is none": {manual + `,"tcpTimeWaitTimeoutSec":9223372036854775807`, ``, nat.Gateway{TimeWait: 24 * time.Hour}, ""},
		"endpoint-independent, logging all": {
			manual + `,"enableEndpointIndependentMapping":true,"logConfig":{"enable":true,"filter":"ALL"}`, ``,
			nat.Gateway{EndpointIndependent: true, Logging: true},
			"",
		},
		"logging by default all":     {manual + `,"logConfig":{"enable":true}`, ``, nat.Gateway{Logging: true}, ""},
		"logging errors":             {manual + `,"logConfig":{"enable":true,"filter":"ERRORS_ONLY"}`, ``, nat.Gateway{Logging: true}, ""},
		"logging translations alone": {manual + `,"logConfig":{"enable":true,"filter":"TRANSLATIONS_ONLY"}`, ``, nat.Gateway{}, ""},
		"logging off":                {manual + `,"logConfig":{"filter":"ALL"}`, ``, nat.Gateway{}, ""},
		"addresses allocated in a way of the future": {
			`"natIpAllocateOption":"NEW","minPortsPerVm":64`, two, nat.Gateway{Ports: 64}, `its natIpAllocateOption "NEW" is not known`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s compute.RouterStatusNatStatus
			if err := json.Unmarshal([]byte("{"+c.status+"}"), &s); err != nil {
				t.Fatal(err)
			}
			n := natOf(t, c.config)
			got := configured(n)
			unread := report(&got, n, &s)
			if diff := cmp.Diff(c.want, got); diff != "" || (unread == "") != (c.unread == "") || !strings.Contains(unread, c.unread) {
				t.Errorf("unread %q (-want +got):\n%s", unread, diff)
			}
		})
	}
}
