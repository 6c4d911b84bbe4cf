package contract

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/gateway"
	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

const (
	shared = "projects/acme-net/global/networks/shared"
	run    = "projects/acme-net/regions/asia-northeast1/subnetworks/run"
)

// leavingBy puts the service into a VPC, and gives the shared network its gateways.
func leavingBy(vpc simulator.VPCAccess, gateways ...simulator.Gateway) func(*simulator.Scenario) {
	return func(sc *simulator.Scenario) {
		vpc.Egress = "ALL_TRAFFIC"
		sc.Services[0].Revisions[0].VPCAccess = &vpc
		sc.Gateways = gateways
	}
}

// direct is Direct VPC egress.
func direct(network, subnetwork string) simulator.VPCAccess {
	return simulator.VPCAccess{NetworkInterfaces: []simulator.NetworkInterface{{Network: network, Subnetwork: subnetwork}}}
}

// natOn is a gateway of the shared network.
func natOn(router, name string, edits ...func(*simulator.Gateway)) simulator.Gateway {
	g := simulator.Gateway{
		Project: "acme-net", Region: region, Network: "shared", Router: router, Name: name,
		IPs: []string{"203.0.113.1", "203.0.113.2"}, AllocatedPorts: 6400,
	}
	for _, edit := range edits {
		edit(&g)
	}
	return g
}

func on(subnets ...string) func(*simulator.Gateway) {
	return func(g *simulator.Gateway) { g.Subnetworks = subnets }
}

func saying(n simulator.RouterNat) func(*simulator.Gateway) {
	return func(g *simulator.Gateway) { g.NAT = n }
}

// outlet reads the service's revision, as the manager does, and looks from there
// for the way out.
func (s *stage) outlet(named ...analysis.Source) rollout.Outlet {
	s.t.Helper()
	found, err := s.run.Revisions(s.t.Context(), ref, []string{"web-1"})
	if err != nil {
		s.t.Fatal(err)
	}
	o, err := s.gateways.Outlet(s.t.Context(), ref, []rollout.Revision{found["web-1"]}, named, s.now())
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// noSubnets leaves out what is told of subnetworks.
var noSubnets = cmpopts.IgnoreFields(rollout.Outlet{}, "Subnets")

func TestTheGatewayThatARevisionLeavesThrough(t *testing.T) {
	t.Parallel()
	known := rollout.Gateway{
		Source: nat1, NAT: nat.Gateway{Name: "nat-1", IPs: 2, Endpoints: 200, TimeWait: 2 * time.Minute}, ReadAt: morning,
	}
	private, proxy := simulator.RouterNat{Type: "PRIVATE"}, simulator.RouterNat{EndpointTypes: []string{"ENDPOINT_TYPE_SWG"}}
	primary := simulator.RouterNat{SourceSubnetworkIPRangesToNat: "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES"}
	secondary := simulator.RouterNat{Subnetworks: []simulator.RouterNatSubnetworkToNat{{
		Name: "https://www.googleapis.com/compute/v1/" + run, SourceIPRangesToNat: []string{"LIST_OF_SECONDARY_IP_RANGES"},
	}}}
	elsewhere := func(g *simulator.Gateway) { g.Network = "other" }
	cases := map[string]struct {
		vpc       simulator.VPCAccess
		gateways  []simulator.Gateway
		want      rollout.Presence
		ambiguous bool
		detail    string
	}{
		"a shared VPC's":                  {direct(shared, run), []simulator.Gateway{natOn("r1", "nat-1")}, rollout.Found, false, ""},
		"the network alone in full":       {direct(shared, "run"), []simulator.Gateway{natOn("r1", "nat-1")}, rollout.Found, false, ""},
		"the subnetwork is the network's": {direct(shared, ""), []simulator.Gateway{natOn("r1", "nat-1", on("shared"))}, rollout.Found, false, ""},
		"the network is the subnetwork's": {direct("", run), []simulator.Gateway{natOn("r1", "nat-1", on("run"))}, rollout.Found, false, ""},
		"all primary ranges":              {direct(shared, run), []simulator.Gateway{natOn("r1", "nat-1", saying(primary))}, rollout.Found, false, ""},
		"the listed one of two": {
			direct(shared, run), []simulator.Gateway{natOn("r1", "nat-1", on("walk", "run")), natOn("r1", "nat-2", on("crawl"))}, rollout.Found, false, "",
		},
		"beside private NAT and a Secure Web Proxy's": {
			direct(shared, run),
			[]simulator.Gateway{natOn("r0", "nat-0", saying(private)), natOn("r1", "nat-1"), natOn("swg-autogen-router-1", "swg-autogen-nat", saying(proxy))},
			rollout.Found, false, "",
		},
		"beside another network's": {direct(shared, run), []simulator.Gateway{natOn("r0", "nat-0", elsewhere), natOn("r1", "nat-1")}, rollout.Found, false, ""},
		"none": {
			direct(shared, run),
			[]simulator.Gateway{natOn("r1", "nat-1", elsewhere)},
			rollout.Missing, false,
			"no Cloud NAT covers subnetwork run of network shared of acme-net in asia-northeast1",
		},
		"only secondary ranges": {direct(shared, run), []simulator.Gateway{natOn("r1", "nat-1", saying(secondary))}, rollout.Missing, false, "no Cloud NAT covers"},
		"only private NAT":      {direct(shared, run), []simulator.Gateway{natOn("r1", "nat-1", saying(private))}, rollout.Missing, false, "no Cloud NAT covers"},
		"not the listed one":    {direct(shared, run), []simulator.Gateway{natOn("r1", "nat-1", on("walk"))}, rollout.Missing, false, "no Cloud NAT covers"},
		"in the service's own project, where it is not": {
			direct("shared", "run"), []simulator.Gateway{natOn("r1", "nat-1")}, rollout.Missing, false, "of network shared of acme-prod in asia-northeast1",
		},
		"two that cover": {
			direct(shared, run),
			[]simulator.Gateway{natOn("r1", "nat-1", on("run")), natOn("r2", "nat-2", on("run"))},
			rollout.Missing, true,
			"Cloud NATs nat-1 on router r1 and nat-2 on router r2 both cover",
		},
		"one of a type of the future": {
			direct(shared, run),
			[]simulator.Gateway{natOn("r1", "nat-1", saying(simulator.RouterNat{Type: "HYBRID"}))},
			rollout.Missing, true,
			`its type "HYBRID" is not known to this version of Sluice: name the gateway in spec.nat.gateways`,
		},
		"one that takes in what nobody knows": {
			direct(shared, run),
			[]simulator.Gateway{natOn("r1", "nat-1"), natOn("r2", "nat-2", saying(simulator.RouterNat{SourceSubnetworkIPRangesToNat: "SOME"}))},
			rollout.Missing, true, `its sourceSubnetworkIpRangesToNat "SOME"`,
		},
		"a subnetwork that does not exist": {direct("", run+"s"), []simulator.Gateway{natOn("r1", "nat-1")}, rollout.Missing, false, "reading subnetwork runs"},
		"a project that does not exist": {
			direct("projects/typo/global/networks/shared", "run"), nil, rollout.Missing, false, "The resource 'projects/typo' was not found",
		},
		"a connector's that does not exist": {
			simulator.VPCAccess{Connector: "projects/acme-net/locations/asia-northeast1/connectors/out"},
			[]simulator.Gateway{natOn("r1", "nat-1")},
			rollout.Missing, false, "reading connector out of acme-net in asia-northeast1: not found",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, leavingBy(c.vpc, c.gateways...))
			got := s.outlet()
			want := rollout.Outlet{Presence: c.want, Ambiguous: c.ambiguous, Detail: got.Detail}
			if c.want == rollout.Found {
				want.Gateways = []rollout.Gateway{known}
			}
			if diff := cmp.Diff(want, got, noSubnets); diff != "" || !strings.Contains(got.Detail, c.detail) || (got.Detail == "") != (c.detail == "") {
				t.Errorf("detail %q (-want +got):\n%s", got.Detail, diff)
			}
		})
	}
}

// connecting puts the connector out into the subnetwork run, and the revision behind
// it, as soon as both are there.
func connecting(out simulator.Connector, written string) func(*simulator.Scenario) {
	return func(sc *simulator.Scenario) {
		out.Name, out.Subnetwork = "out", "run"
		sc.Network.Connectors = []simulator.Connector{out}
		sc.Services[0].Revisions[0].VPCAccess = &simulator.VPCAccess{Egress: "ALL_TRAFFIC", Connector: written}
	}
}

func TestTheGatewayThatAConnectorLeavesThrough(t *testing.T) {
	t.Parallel()
	ofHost, hidden := simulator.Connector{}, simulator.Connector{Hidden: true}
	const inHost = "projects/acme-net/locations/asia-northeast1/connectors/out"
	for name, c := range map[string]struct {
		connector simulator.Connector
		written   string
		gateways  []simulator.Gateway
		detail    string
	}{
		"of the host project":     {ofHost, inHost, []simulator.Gateway{natOn("r1", "nat-1", on("run"))}, ""},
		"of the service's":        {simulator.Connector{Project: "acme-prod"}, "out", []simulator.Gateway{natOn("r1", "nat-1", on("run"))}, ""},
		"in a hidden subnetwork":  {hidden, inHost, []simulator.Gateway{natOn("r1", "nat-1")}, ""},
		"hidden, and NAT by list": {hidden, inHost, []simulator.Gateway{natOn("r1", "nat-1", on("run"))}, "whether Cloud NAT nat-1 on router r1 covers that cannot be told"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, leavingBy(simulator.VPCAccess{}, c.gateways...), livingIn("10.8.0.0/28"), withoutMachines, connecting(c.connector, c.written))
			got := s.outlet()
			if found := got.Presence == rollout.Found && len(got.Gateways) == 1 && got.Gateways[0].Source == nat1; found != (c.detail == "") ||
				!strings.Contains(got.Detail, c.detail) || got.Ambiguous == found {
				t.Errorf("%+v", got)
			}
		})
	}
}

// withoutMachines leaves the subnetwork to the connector.
func withoutMachines(sc *simulator.Scenario) { sc.Network.Machines = nil }

func TestAConnectorThatIsDeniedIsAFact(t *testing.T) {
	t.Parallel()
	s := newStage(t, leavingBy(simulator.VPCAccess{}, natOn("r1", "nat-1")), livingIn("10.8.0.0/28"), withoutMachines,
		connecting(simulator.Connector{Project: "acme-prod"}, "out"))
	s.inject(simulator.Fault{Kind: simulator.FaultError, Operation: "connectors.get", Code: http.StatusForbidden, Times: -1})
	const want = "the manager's identity needs vpcaccess.connectors.get in project acme-prod; or name the gateway in spec.nat.gateways"
	if got := s.outlet(); got.Presence != rollout.Denied || !strings.HasSuffix(got.Detail, want) {
		t.Errorf("%+v", got)
	}
	s.world(func(w *simulator.World) error { w.ClearFaults(); return nil })
	s.advance(time.Minute)
	if got := s.outlet(); got.Presence != rollout.Found || got.Gateways[0].Source != nat1 {
		t.Errorf("granted, and a minute later: %+v", got)
	}
}

func TestComputeDeniesEachCallForItself(t *testing.T) {
	t.Parallel()
	for operation, c := range map[string]struct {
		vpc    simulator.VPCAccess
		named  []analysis.Source
		needed string
		status bool
	}{
		"routers.list":            {direct(shared, run), nil, "compute.routers.list in project acme-net", false},
		"subnetworks.get":         {direct("", run), nil, "compute.subnetworks.get in project acme-net", false},
		"routers.get":             {direct(shared, run), []analysis.Source{nat1}, "compute.routers.get in project acme-net", false},
		"routers.getRouterStatus": {direct(shared, run), nil, "compute.routers.get in project acme-net", true},
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, leavingBy(c.vpc, natOn("r1", "nat-1", on("run"))))
			s.inject(simulator.Fault{Kind: simulator.FaultError, Operation: operation, Code: http.StatusForbidden, Times: -1})
			got, said := s.outlet(c.named...), ""
			switch {
			case c.status && (got.Presence != rollout.Found || len(got.Gateways) != 1):
				t.Fatalf("%+v", got)
			case c.status:
				said = got.Gateways[0].Unread
			case got.Presence != rollout.Denied || got.Ambiguous:
				t.Fatalf("%+v", got)
			default:
				said = got.Detail
			}
			if !strings.Contains(said, "Required 'compute.") || !strings.HasSuffix(said, "the manager's identity needs "+c.needed) {
				t.Errorf("it says %q", said)
			}
			s.world(func(w *simulator.World) error { w.ClearFaults(); return nil })
			s.advance(time.Minute)
			if got := s.outlet(c.named...); got.Presence != rollout.Found || got.Gateways[0].Unread != "" {
				t.Errorf("granted, and a minute later: %+v", got)
			}
		})
	}
}

func TestANamedGatewayNeedsNoDiscovery(t *testing.T) {
	t.Parallel()
	s := newStage(t, leavingBy(direct("shared", "run"), natOn("r1", "nat-1"), natOn("r1", "nat-2")))
	s.inject(simulator.Fault{Kind: simulator.FaultError, Operation: "routers.list", Code: http.StatusForbidden, Times: -1})
	if got := s.outlet(nat1); got.Presence != rollout.Found || len(got.Gateways) != 1 || got.Gateways[0].NAT.Endpoints != 200 {
		t.Errorf("%+v", got)
	}
	typo := nat1
	typo.Gateway = "nat-3"
	got := s.outlet(nat1, typo)
	if got.Presence != rollout.Missing || len(got.Gateways) != 1 || !strings.Contains(got.Detail, "has no Cloud NAT nat-3; it has nat-1, nat-2") {
		t.Errorf("%+v", got)
	}
}

func TestOverQuotaComputeIsLeftAloneAndTheLastAnswerStands(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simulator.Fault{
		"said with 429": {Code: http.StatusTooManyRequests},
		"said with 403": {Code: http.StatusForbidden, Message: "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per region'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, leavingBy(direct(shared, run), natOn("r1", "nat-1")))
			s.outlet()
			fault.Kind, fault.Operation, fault.Times, fault.RetryAfter = simulator.FaultError, "routers.*", -1, simulator.Duration(90*time.Second)
			s.inject(fault)
			for range 8 {
				s.advance(10 * time.Second)
				if got := s.outlet(); got.Presence != rollout.Found || got.Gateways[0].Unread != "" || !got.Gateways[0].ReadAt.Equal(morning) {
					t.Fatalf("%+v", got)
				}
			}
			if n := s.calls("routers.getRouterStatus"); n != 2 {
				t.Errorf("asked %d times in 80 seconds", n)
			}
			s.advance(time.Minute)
			if got := s.outlet(); got.Presence != rollout.Found || !strings.Contains(got.Gateways[0].Unread, "over quota: Quota exceeded") {
				t.Errorf("after two minutes: %+v", got)
			}
		})
	}
}

// livingIn gives the shared network a subnetwork with addresses to count.
func livingIn(cidr string) func(*simulator.Scenario) {
	return func(sc *simulator.Scenario) {
		for i := range sc.Gateways { // what is allocated follows from who lives there
			sc.Gateways[i].AllocatedPorts = 0
		}
		sc.Network = &simulator.Network{
			Subnetworks: []simulator.Subnet{{Project: "acme-net", Region: region, Network: "shared", Name: "run", Range: netip.MustParsePrefix(cidr)}},
			Machines:    []simulator.Machines{{Name: "old", Count: 20, Subnetwork: "run"}},
		}
	}
}

func TestTheAddressesThatASubnetworkHasLeft(t *testing.T) {
	t.Parallel()
	s := newStage(t, leavingBy(direct(shared, run), natOn("r1", "nat-1")), livingIn("10.8.0.0/24"))
	s.world(func(w *simulator.World) error { return w.SetUsers("web", 200) })
	s.advance(10 * time.Minute)
	s.guard.Do(func(w *simulator.World) {
		physical, _ := w.NetworkStatus()
		if physical.Subnets[0].Instances == 0 {
			t.Fatal("no instance lives there")
		}
	})
	want := rollout.Subnet{Name: run, Presence: rollout.Found, Size: 252, Counted: true}
	s.guard.Do(func(w *simulator.World) {
		physical, _ := w.NetworkStatus()
		want.Taken = int64(physical.Subnets[0].Reserved + 20)
	})
	for _, named := range [][]analysis.Source{nil, {nat1}} {
		if diff := cmp.Diff(want, s.outlet(named...).Subnets["web-1"]); diff != "" {
			t.Errorf("named %v (-want +got):\n%s", named, diff)
		}
	}
}

func TestASubnetworkThatIsDeniedHidesNothingElse(t *testing.T) {
	t.Parallel()
	s := newStage(t, leavingBy(direct(shared, run), natOn("r1", "nat-1")), livingIn("10.8.0.0/24"))
	s.inject(simulator.Fault{Kind: simulator.FaultError, Operation: "subnetworks.get", Code: http.StatusForbidden, Times: -1})
	got := s.outlet()
	if got.Presence != rollout.Found || len(got.Gateways) != 1 || got.Gateways[0].Unread != "" {
		t.Errorf("%+v", got)
	}
	want := rollout.Subnet{Name: run, Presence: rollout.Denied, Detail: "the manager's identity needs compute.subnetworks.get in project acme-net"}
	if diff := cmp.Diff(want, got.Subnets["web-1"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// calls counts the calls of an operation in the world's log.
func (s *stage) calls(operation string) int {
	n := 0
	s.guard.Do(func(w *simulator.World) {
		for _, e := range w.Log() {
			if e.Call != nil && e.Call.Operation == operation {
				n++
			}
		}
	})
	return n
}

func TestAnswersThatAreLostOrNotWhatTheyShouldBe(t *testing.T) {
	t.Parallel()
	s := newStage(t, leavingBy(direct(shared, run), natOn("r1", "nat-1")))
	s.inject(simulator.Fault{Kind: simulator.FaultDrop, Operation: "routers.*", Times: -1})
	if got := s.outlet(); got.Presence != rollout.Unknown || !strings.Contains(got.Detail, "listing the routers of acme-net in asia-northeast1: unavailable") {
		t.Errorf("%+v", got)
	}
	for name, body := range map[string]string{
		"no JSON": `<!doctype html>`, "half of it": `{"items":[{"name":`, "another type": `{"items":"many"}`, "a list of lists": `[[]]`, "nothing": ``,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
			t.Cleanup(server.Close)
			client, err := gateway.New(t.Context(), gateway.Options{Endpoint: server.URL, VPCAccess: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			leaving := rollout.Revision{Presence: rollout.Found, Egress: rollout.EgressAll, VPC: rollout.VPCAccess{Network: shared}}
			got, err := client.Outlet(t.Context(), ref, []rollout.Revision{leaving}, nil, morning)
			if err != nil || got.Presence != rollout.Unknown || len(got.Gateways) > 0 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestAStatusThatLagsIsTheOneOfThatTime(t *testing.T) {
	t.Parallel()
	s := newStage(t, leavingBy(direct(shared, run), natOn("r1", "nat-1", func(g *simulator.Gateway) { g.AllocatedPorts, g.OpenConnections = 0, 0 })),
		func(sc *simulator.Scenario) {
			sc.Timing.RouterStatus = simulator.Duration(time.Minute)
			sc.Network = &simulator.Network{Subnetworks: []simulator.Subnet{{
				Project: "acme-net", Region: region, Network: "shared", Name: "run", Range: netip.MustParsePrefix("10.8.0.0/22"),
			}}}
		})
	s.advance(10 * time.Minute)
	before := s.outlet().Gateways[0].NAT
	s.world(func(w *simulator.World) error { return w.SetUsers("web", 1000) })
	s.advance(30 * time.Second)
	if diff := cmp.Diff(before, s.outlet().Gateways[0].NAT); diff != "" {
		t.Errorf("it knows already (-before +now):\n%s", diff)
	}
	s.advance(5 * time.Minute)
	after := s.outlet().Gateways[0]
	if after.NAT.Endpoints <= before.Endpoints || !after.ReadAt.Equal(s.now()) {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if diff := cmp.Diff(before, after.NAT, cmpopts.IgnoreFields(nat.Gateway{}, "Endpoints", "ExtraIPs")); diff != "" {
		t.Errorf("the rest (-before +after):\n%s", diff)
	}
}
