package gateway

import (
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const (
	outName = "projects/shop/locations/europe-west1/connectors/out"
	byOut   = "/v1/" + outName
	host    = "/compute/v1/projects/host/regions/europe-west1"

	listing   = `"sourceSubnetworkIpRangesToNat":"LIST_OF_SUBNETWORKS","subnetworks":[{"name":"regions/europe-west1/subnetworks/run"}]`
	primaries = `"sourceSubnetworkIpRangesToNat":"ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES"`
)

// connectorJSON is the connector out of the service's project.
func connectorJSON(fields string) string {
	return `{"name":"` + outName + `","state":"READY",` + fields + `}`
}

// connected is a place where the service leaves through a connector.
func connected(fields string) *api {
	below := usual()
	below.set(byOut, connectorJSON(fields))
	return below
}

var throughOut = leaving(rollout.VPCAccess{Connector: outName})

func TestAConnectorLeavesWhereItsSubnetworkDoes(t *testing.T) {
	t.Parallel()
	for _, written := range []string{"out", outName} {
		got := out(t, dial(t, connected(`"subnet":{"name":"private"}`)), noon, leaving(rollout.VPCAccess{Connector: written}))
		if got.Presence != rollout.Found || len(got.Gateways) != 1 || got.Gateways[0].Source != one || len(got.Subnets) != 0 {
			t.Errorf("%s: %+v", written, got)
		}
	}
}

// TestAConnectorOfASharedVPCLeavesThroughTheHostProject, whatever NAT the service's own
// project has.
func TestAConnectorOfASharedVPCLeavesThroughTheHostProject(t *testing.T) {
	t.Parallel()
	below := connected(`"network":"default","subnet":{"name":"run","projectId":"host"}`)
	inHost := func(text string) string { return strings.ReplaceAll(text, "projects/shop", "projects/host") }
	below.set(host+"/subnetworks/run", inHost(subnetJSON("run", "")))
	below.set(host+"/routers", inHost(listJSON(routerJSON("r1", natJSON("nat-1", "\"natIpAllocateOption\":\"AUTO_ONLY\","+listing)))))
	got := out(t, dial(t, below), noon, throughOut)
	if want := one; got.Presence != rollout.Found || len(got.Gateways) != 1 || got.Gateways[0].Source.Project != "host" || got.Gateways[0].Source.Gateway != want.Gateway {
		t.Errorf("%+v", got)
	}
	if below.asked(list) != 0 {
		t.Error("the service's own project was looked at")
	}
	below.set(host+"/routers", `{}`)
	got = out(t, dial(t, below), noon, throughOut)
	if got.Presence != rollout.Missing || !strings.HasPrefix(got.Detail,
		"connector out of shop in europe-west1: no Cloud NAT covers subnetwork run of network default of host in europe-west1") {
		t.Errorf("%+v", got)
	}
}

func TestTheGatewayOfAConnectorInAHiddenSubnetwork(t *testing.T) {
	t.Parallel()
	const network = `"network":"default","ipCidrRange":"10.8.0.0/28"`
	for name, c := range map[string]struct {
		fields    string
		nats      []string
		want      rollout.Presence
		ambiguous bool
		detail    string
	}{
		"one for the whole network":         {network, []string{natJSON("nat-1", manual)}, rollout.Found, false, ""},
		"one for all primary ranges":        {network, []string{natJSON("nat-1", primaries)}, rollout.Found, false, ""},
		"beside one that lists subnetworks": {network, []string{natJSON("nat-0", listing), natJSON("nat-1", primaries)}, rollout.Found, false, ""},
		"beside private NAT, NAT64 and a Secure Web Proxy's": {
			network, []string{
				natJSON("nat-0", manual+`,"type":"PRIVATE"`), natJSON("nat-1", manual), natJSON("nat-6", `"sourceSubnetworkIpRangesToNat64":"ALL_IPV6_SUBNETWORKS"`),
				natJSON("swg", manual+`,"endpointTypes":["ENDPOINT_TYPE_SWG"]`),
			}, rollout.Found, false, "",
		},
		"an empty subnetwork is none": {network + `,"subnet":{}`, []string{natJSON("nat-1", manual)}, rollout.Found, false, ""},
		"one that lists subnetworks": {
			network,
			[]string{natJSON("nat-1", listing)},
			rollout.Missing, true,
			"connector out of shop in europe-west1 is in a hidden subnetwork of network default, and whether Cloud NAT " +
				"nat-1 on router r1 covers that cannot be told: name the gateway in spec.nat.gateways",
		},
		"two for the whole network": {
			network,
			[]string{natJSON("nat-1", manual), natJSON("nat-2", manual)},
			rollout.Missing, true,
			"whether Cloud NAT nat-1 on router r1 or nat-2 on router r1 covers that",
		},
		"beside one of a type of the future":  {network, []string{natJSON("nat-1", manual), natJSON("nat-2", manual+`,"type":"NEW"`)}, rollout.Missing, true, "nat-2"},
		"beside one of a scope of the future": {network, []string{natJSON("nat-1", manual), natJSON("nat-2", `"sourceSubnetworkIpRangesToNat":"NEW"`)}, rollout.Missing, true, "nat-2"},
		"none": {
			network, nil, rollout.Missing, false,
			"no Cloud NAT covers network default of shop in europe-west1, which connector out of shop in europe-west1 is in",
		},
		"one of another network": {
			`"network":"other"`, []string{natJSON("nat-1", manual)}, rollout.Missing, false, "no Cloud NAT covers network other",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			below := connected(c.fields)
			below.set(list, listJSON(routerJSON("r1", c.nats...)))
			got := out(t, dial(t, below), noon, throughOut)
			if got.Presence != c.want || got.Ambiguous != c.ambiguous || !strings.Contains(got.Detail, c.detail) || (got.Detail == "") != (c.detail == "") {
				t.Errorf("%+v", got)
			}
			if found := len(got.Gateways) == 1 && got.Gateways[0].Source == one; found != (c.want == rollout.Found) {
				t.Errorf("gateways %+v", got.Gateways)
			}
		})
	}
}

func TestAConnectorThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const reading = "reading connector out of shop in europe-west1: "
	const disabled = `403 {"error":{"code":403,"message":"Serverless VPC Access API has not been used in project 7 before or it is disabled.",` +
		`"status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED"}]}}`
	for name, c := range map[string]struct {
		answer   string
		presence rollout.Presence
		detail   string
	}{
		"denied": {
			denied(readConnectors), rollout.Denied,
			"; the manager's identity needs vpcaccess.connectors.get in project shop; or name the gateway in spec.nat.gateways",
		},
		"not enabled": {
			disabled, rollout.Denied, "in project 7 before or it is disabled.; enable vpcaccess.googleapis.com in the project that is " +
				"named there; or name the gateway in spec.nat.gateways",
		},
		"missing":              {"404 " + problem("gone", "notFound"), rollout.Missing, "not found: gone: name the gateway in spec.nat.gateways"},
		"unavailable":          {"503 oops", rollout.Unknown, "unavailable"},
		"another one":          {strings.Replace(connectorJSON(`"network":"default"`), "/out", "/in", 1), rollout.Unknown, "answer is not the connector asked for"},
		"nowhere":              {connectorJSON(`"state":"CREATING"`), rollout.Unknown, `no subnetwork, and network ""`},
		"a name of no path":    {connectorJSON(`"network":"a/../b"`), rollout.Unknown, `network "a/../b"`},
		"a project of no path": {connectorJSON(`"subnet":{"name":"run","projectId":"a/b"}`), rollout.Unknown, `subnetwork "run" of project "a/b"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			below := usual()
			below.set(byOut, c.answer)
			got := out(t, dial(t, below), noon, throughOut)
			if got.Presence != c.presence || got.Ambiguous || !strings.HasPrefix(got.Detail, reading) || !strings.Contains(got.Detail, c.detail) || len(got.Gateways) > 0 {
				t.Errorf("%+v", got)
			}
			if below.asked(list) != 0 {
				t.Error("a gateway was looked for all the same")
			}
		})
	}
	if got := out(t, dial(t, usual()), noon, leaving(rollout.VPCAccess{Connector: "projects/x/y"})); got.Presence != rollout.Missing || !got.Ambiguous {
		t.Errorf("a connector that is none: %+v", got)
	}
}

func TestAComputeAPIThatIsNotEnabledIsSaidToBe(t *testing.T) {
	t.Parallel()
	below := usual()
	const disabled = `403 {"error":{"message":"off","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED"}]}}`
	below.set(list, disabled)
	below.set(byDefaultSubnet, disabled)
	got := out(t, dial(t, below), noon, byDefault)
	const want = "enable compute.googleapis.com in the project that is named there"
	if s := got.Subnets["web-1"]; got.Presence != rollout.Denied || !strings.HasSuffix(got.Detail, want) || s.Presence != rollout.Denied || !strings.Contains(s.Detail, want) {
		t.Errorf("%+v", got)
	}
}

func TestAConnectorIsReadOnceAnHourAndRememberedForADay(t *testing.T) {
	t.Parallel()
	below := connected(`"network":"default"`)
	client := dial(t, below)
	out(t, client, noon, throughOut)
	if out(t, client, noon.Add(59*time.Minute), throughOut); below.asked(byOut) != 1 {
		t.Errorf("asked %d times in an hour", below.asked(byOut))
	}
	below.set(byOut, "503 oops")
	for _, after := range []time.Duration{time.Hour, 23 * time.Hour} {
		if got := out(t, client, noon.Add(after), throughOut); got.Presence != rollout.Found {
			t.Errorf("after %s: %+v", after, got)
		}
	}
	if got := out(t, client, noon.Add(24*time.Hour), throughOut); got.Presence != rollout.Unknown {
		t.Errorf("after a day: %+v", got)
	}
	below.set(byOut, connectorJSON(`"network":"other"`))
	if got := out(t, client, noon.Add(25*time.Hour), throughOut); got.Presence != rollout.Missing {
		t.Errorf("made anew in another network: %+v", got)
	}
}

// TestEachAPIHasAQuotaOfItsOwn: one that is over it does not keep the other from
// being asked.
func TestEachAPIHasAQuotaOfItsOwn(t *testing.T) {
	t.Parallel()
	below := connected(`"network":"default"`)
	below.set(byOut, "429 "+problem("slow down", "rateLimitExceeded"))
	client := dial(t, below, func(o *Options) { o.Clock = clocktesting.NewFakePassiveClock(noon) })
	if got := out(t, client, noon, throughOut); got.Presence != rollout.Unknown || !strings.Contains(got.Detail, "over quota: slow down") {
		t.Errorf("%+v", got)
	}
	if got := out(t, client, noon, byDefault); got.Presence != rollout.Found || got.Gateways[0].Unread != "" {
		t.Errorf("%+v", got)
	}
	other := leaving(rollout.VPCAccess{Connector: "in"})
	if got := out(t, client, noon, other); got.Presence != rollout.Unknown || below.asked("/v1/projects/shop/locations/europe-west1/connectors/in") != 0 {
		t.Errorf("%+v after %q", got, below.requests)
	}
	limited := dial(t, usual(), func(o *Options) { o.Clock, o.CallsPerMinute = clocktesting.NewFakePassiveClock(noon), 1 })
	out(t, limited, noon, throughOut)
	if got := out(t, limited, noon, other); !strings.Contains(got.Detail, "1 calls of Serverless VPC Access a minute, is used up") {
		t.Errorf("%+v", got)
	}
}
