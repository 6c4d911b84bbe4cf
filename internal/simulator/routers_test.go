package simulator_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

const (
	onRouter = "projects/acme-net/regions/asia-northeast1/routers/r1"
	url      = "https://www.googleapis.com/compute/v1/"
)

// routed is a world with gateways.
func routed(t *testing.T, gateways ...simulator.Gateway) *simulator.World {
	t.Helper()
	w, err := simulator.New(simulator.Scenario{Gateways: gateways})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func gatewayOf(edit func(*simulator.Gateway)) simulator.Gateway {
	g := simulator.Gateway{Project: "acme-net", Region: "asia-northeast1", Network: "shared", Router: "r1", RouterID: "7", Name: "nat-1"}
	edit(&g)
	return g
}

func TestARouterShowsWhatTheScenarioSaysOfItsGateways(t *testing.T) {
	t.Parallel()
	const place = url + "projects/acme-net/regions/asia-northeast1"
	machines := []string{"ENDPOINT_TYPE_VM"}
	silent := &simulator.RouterNatLogConfig{}
	for name, c := range map[string]struct {
		gateway simulator.Gateway
		nat     simulator.RouterNat
		status  simulator.NatStatus
	}{
		"written down": {
			gatewayOf(func(g *simulator.Gateway) { g.IPs, g.AllocatedPorts = []string{"203.0.113.1", "203.0.113.2"}, 6400 }),
			simulator.RouterNat{
				Type: "PUBLIC", SourceSubnetworkIPRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES", NatIPAllocateOption: "MANUAL_ONLY",
				NatIPs:        []string{place + "/addresses/nat-203-0-113-1", place + "/addresses/nat-203-0-113-2"},
				EndpointTypes: machines, LogConfig: silent, EffectiveTCPTimeWaitTimeoutSec: 120,
			},
			simulator.NatStatus{
				UserAllocatedNatIPs:           []string{"203.0.113.1", "203.0.113.2"},
				UserAllocatedNatIPResources:   []string{place + "/addresses/nat-203-0-113-1", place + "/addresses/nat-203-0-113-2"},
				NumVMEndpointsWithNatMappings: 200,
			},
		},
		"automatic and dynamic, for one subnetwork": {
			gatewayOf(func(g *simulator.Gateway) {
				g.IPs, g.AutomaticIPs = []string{"203.0.113.1"}, &simulator.AutomaticIPs{Most: 3}
				g.DynamicPorts, g.Subnetworks, g.AllocatedPorts = &simulator.DynamicPorts{Max: 1024}, []string{"run"}, 64
				g.TimeWait = simulator.Duration(30 * time.Second)
			}),
			simulator.RouterNat{
				Type: "PUBLIC", SourceSubnetworkIPRangesToNat: "LIST_OF_SUBNETWORKS", NatIPAllocateOption: "AUTO_ONLY",
				Subnetworks:                 []simulator.RouterNatSubnetworkToNat{{Name: place + "/subnetworks/run", SourceIPRangesToNat: []string{"ALL_IP_RANGES"}}},
				EnableDynamicPortAllocation: true, MaxPortsPerVM: 1024,
				EndpointTypes: machines, LogConfig: silent, EffectiveTCPTimeWaitTimeoutSec: 30,
			},
			simulator.NatStatus{AutoAllocatedNatIPs: []string{"203.0.113.1"}, NumVMEndpointsWithNatMappings: 2},
		},
		"told otherwise": {
			gatewayOf(func(g *simulator.Gateway) {
				g.PortsPerEndpoint, g.AllocatedPorts, g.EndpointIndependent = 128, 128, true
				g.NAT = simulator.RouterNat{
					Type: "NEW", EndpointTypes: []string{"ENDPOINT_TYPE_SWG"}, SourceSubnetworkIPRangesToNat: "SOME", NatIPAllocateOption: "AUTO_ONLY",
					LogConfig: &simulator.RouterNatLogConfig{Enable: true, Filter: "ERRORS_ONLY"}, EffectiveTCPTimeWaitTimeoutSec: 45,
				}
			}),
			simulator.RouterNat{
				Type: "NEW", SourceSubnetworkIPRangesToNat: "SOME", NatIPAllocateOption: "AUTO_ONLY", MinPortsPerVM: 128,
				NatIPs: []string{place + "/addresses/nat-203-0-113-10"}, EnableEndpointIndependentMapping: true,
				EndpointTypes: []string{"ENDPOINT_TYPE_SWG"}, EffectiveTCPTimeWaitTimeoutSec: 45,
				LogConfig: &simulator.RouterNatLogConfig{Enable: true, Filter: "ERRORS_ONLY"},
			},
			simulator.NatStatus{AutoAllocatedNatIPs: []string{"203.0.113.10"}, NumVMEndpointsWithNatMappings: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := routed(t, c.gateway)
			c.nat.Name, c.status.Name = "nat-1", "nat-1"
			router, err := w.GetRouter(onRouter)
			want := simulator.Router{
				Kind: "compute#router", ID: "7", CreationTimestamp: router.CreationTimestamp, Name: "r1", Region: place,
				Network: url + "projects/acme-net/global/networks/shared", Nats: []simulator.RouterNat{c.nat}, SelfLink: url + onRouter,
			}
			if diff := cmp.Diff(want, router); diff != "" || err != nil {
				t.Errorf("router (%v, -want +got):\n%s", err, diff)
			}
			status, err := w.GetRouterStatus(onRouter)
			if diff := cmp.Diff([]simulator.NatStatus{c.status}, status.Result.NatStatus); diff != "" || err != nil {
				t.Errorf("status (%v, -want +got):\n%s", err, diff)
			}
		})
	}
}

func TestRoutersAreListedByPlaceAndPage(t *testing.T) {
	t.Parallel()
	named := func(project, router, nat string) simulator.Gateway {
		return gatewayOf(func(g *simulator.Gateway) { g.Project, g.Router, g.Name = project, router, nat })
	}
	w := routed(t, named("acme-net", "r2", "b"), named("acme-net", "r1", "a"), named("acme-net", "r2", "c"), named("other", "", "d"))
	const place = "projects/acme-net/regions/asia-northeast1"
	page, token, err := w.ListRouters(place, simulator.Page{Size: 1})
	if err != nil || len(page) != 1 || page[0].Name != "r1" || token == "" {
		t.Fatalf("%+v, %q, %v", page, token, err)
	}
	page, token, err = w.ListRouters(place, simulator.Page{Size: 1, Token: token})
	if err != nil || len(page) != 1 || page[0].Name != "r2" || len(page[0].Nats) != 2 || token != "" {
		t.Errorf("%+v, %q, %v", page, token, err)
	}
	if page, _, err = w.ListRouters("projects/acme-net/regions/us-east1", simulator.Page{}); err != nil || len(page) != 0 {
		t.Errorf("a region without routers: %+v, %v", page, err)
	}
	all, err := w.ListAllRouters("projects/other")
	if err != nil || len(all) != 1 || all["regions/asia-northeast1"][0].Name != "router-1" {
		t.Errorf("all of a project: %+v, %v", all, err)
	}
}

func TestWhatComputeDoesNotHaveIsNotFound(t *testing.T) {
	t.Parallel()
	w := routed(t, gatewayOf(func(*simulator.Gateway) {}))
	for name, ask := range map[string]func() error{
		"projects/typo": func() error { _, _, err := w.ListRouters("projects/typo/regions/r", simulator.Page{}); return err },
		"projects/none": func() error { _, err := w.ListAllRouters("projects/none"); return err },
		onRouter + "0":  func() error { _, err := w.GetRouter(onRouter + "0"); return err },
		onRouter + "1":  func() error { _, err := w.GetRouterStatus(onRouter + "1"); return err },
		"projects/acme-net/regions/r/subnetworks/none": func() error {
			_, err := w.GetSubnetwork("projects/acme-net/regions/r/subnetworks/none", "")
			return err
		},
	} {
		var refused *simulator.APIError
		if err := ask(); !errors.As(err, &refused) || refused.Code != 404 || refused.Message != "The resource '"+name+"' was not found" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSubnetworksAreThoseThatSomebodyNames(t *testing.T) {
	t.Parallel()
	const host = "projects/acme-net/regions/asia-northeast1/subnetworks/"
	behind := func(i simulator.NetworkInterface) simulator.Hosted {
		return simulator.Hosted{Project: "acme-prod", Location: "asia-northeast1", Name: "s" + i.Subnetwork[len(i.Subnetwork)-1:], Revisions: []simulator.Deployment{{
			Image: "a", VPCAccess: &simulator.VPCAccess{NetworkInterfaces: []simulator.NetworkInterface{i}},
		}}}
	}
	w, err := simulator.New(simulator.Scenario{
		Gateways: []simulator.Gateway{gatewayOf(func(g *simulator.Gateway) { g.Subnetworks = []string{"listed"} })},
		Services: []simulator.Hosted{
			behind(simulator.NetworkInterface{Network: "projects/acme-net/global/networks/shared", Subnetwork: "a"}),
			behind(simulator.NetworkInterface{Network: "shared", Subnetwork: host + "b"}),
			behind(simulator.NetworkInterface{Network: "own", Subnetwork: "c"}),
			behind(simulator.NetworkInterface{Subnetwork: "d"}),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	const shared, own = url + "projects/acme-net/global/networks/shared", url + "projects/acme-prod/global/networks/own"
	for name, want := range map[string]string{
		host + "listed": shared, host + "a": shared, host + "b": shared, "projects/acme-prod/regions/asia-northeast1/subnetworks/c": own,
	} {
		got, err := w.GetSubnetwork(name, simulator.WithUtilization)
		if err != nil || got.Network != want || got.SelfLink != url+name || got.IPCIDRRange != "10.128.0.0/20" || got.UtilizationDetails != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := w.GetSubnetwork("projects/acme-prod/regions/asia-northeast1/subnetworks/d", ""); err == nil {
		t.Error("a subnetwork whose network nobody names is there")
	}
}

// living is a network with machines behind a gateway of 64 ports each.
func living(lag time.Duration, edit func(*simulator.Gateway)) simulator.Scenario {
	return simulator.Scenario{
		Timing:   simulator.Timing{RouterStatus: simulator.Duration(lag)},
		Gateways: []simulator.Gateway{gatewayOf(edit)},
		Network: &simulator.Network{
			Subnetworks: []simulator.Subnet{{
				Project: "acme-net", Region: "asia-northeast1", Network: "shared", Name: "run", Range: netip.MustParsePrefix("10.8.0.0/24"),
			}},
			Machines: []simulator.Machines{{Name: "old", Count: 70, Subnetwork: "run"}},
		},
		Services: []simulator.Hosted{{
			Project: "acme-prod", Location: "asia-northeast1", Name: "web",
			Revisions: []simulator.Deployment{{Image: "a", VPCAccess: &simulator.VPCAccess{Egress: "ALL_TRAFFIC", NetworkInterfaces: []simulator.NetworkInterface{{
				Network: "projects/acme-net/global/networks/shared", Subnetwork: "run",
			}}}}},
		}},
	}
}

func TestInAWorldWithANetworkTheStatusIsTheNetworks(t *testing.T) {
	t.Parallel()
	w, err := simulator.New(living(0, func(g *simulator.Gateway) { g.PortsPerEndpoint = 1024 }))
	if err != nil {
		t.Fatal(err)
	}
	w.Advance(time.Minute)
	physical, _ := w.NetworkStatus()
	got, err := w.GetRouterStatus(onRouter)
	if err != nil {
		t.Fatal(err)
	}
	s, want := got.Result.NatStatus[0], physical.Gateways[0]
	if s.NumVMEndpointsWithNatMappings != want.Mapped || want.Mapped != 63 || s.MinExtraNatIPsNeeded != 1 || len(s.UserAllocatedNatIPs) != 1 {
		t.Errorf("reported %+v, it is %+v", s, want)
	}
}

// TestASubnetworkTellsWhatIsUsedOfItWhereThatIsAskedFor: 70 machines, and what Cloud
// Run has reserved, which it may or may not count.
func TestASubnetworkTellsWhatIsUsedOfItWhereThatIsAskedFor(t *testing.T) {
	t.Parallel()
	const run = "projects/acme-net/regions/asia-northeast1/subnetworks/run"
	for counting, reserved := range map[string]int64{"": 16, "silent": 0} {
		sc := living(0, func(*simulator.Gateway) {})
		sc.Switches.SubnetUtilization = counting
		w, err := simulator.New(sc)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.SetUsers("web", 1); err != nil {
			t.Fatal(err)
		}
		w.Advance(3 * time.Minute)
		plain, err := w.GetSubnetwork(run, "")
		if err != nil || plain.Name != "run" || plain.IPCIDRRange != "10.8.0.0/24" || plain.UtilizationDetails != nil {
			t.Errorf("%q: %+v, %v", counting, plain, err)
		}
		used, err := w.GetSubnetwork(run, simulator.WithUtilization)
		if err != nil || used.UtilizationDetails == nil {
			t.Fatalf("%q: %+v, %v", counting, used, err)
		}
		taken := 70 + reserved
		want := []simulator.IPv4Utilization{{TotalAllocatedIP: taken, TotalFreeIP: 252 - taken}}
		if diff := cmp.Diff(want, used.UtilizationDetails.IPv4Utilizations); diff != "" {
			t.Errorf("%q: (-want +got):\n%s", counting, diff)
		}
	}
}

func TestWhatRoutersReportCanBeOld(t *testing.T) {
	t.Parallel()
	w, err := simulator.New(living(time.Minute, func(*simulator.Gateway) {}))
	if err != nil {
		t.Fatal(err)
	}
	endpoints := func() int {
		got, err := w.GetRouterStatus(onRouter)
		if err != nil {
			t.Fatal(err)
		}
		return got.Result.NatStatus[0].NumVMEndpointsWithNatMappings
	}
	w.Advance(10 * time.Minute)
	before := endpoints()
	if err := w.SetUsers("web", 500); err != nil {
		t.Fatal(err)
	}
	w.Advance(45 * time.Second)
	physical, _ := w.NetworkStatus()
	if now := physical.Gateways[0].Mapped; now <= before || endpoints() != before {
		t.Errorf("before %d, now %d, reported %d", before, now, endpoints())
	}
	w.Advance(time.Minute)
	if got := endpoints(); got < physical.Gateways[0].Mapped {
		t.Errorf("a minute later reported %d, it was %d", got, physical.Gateways[0].Mapped)
	}
}
