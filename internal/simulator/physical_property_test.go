package simulator_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// anyCall draws something that service n of some may call.
func anyCall(t *rapid.T, services int) simulator.Outgoing {
	targets := []string{"api", "inside", "self", "loopback"}
	for n := range services {
		targets = append(targets, fmt.Sprintf("service:web-%d", n))
	}
	often := rapid.SampledFrom([]float64{0.2, 1, 1.5}).Draw(t, "perRequest")
	c := simulator.Outgoing{
		To: rapid.SampledFrom(targets).Draw(t, "to"), PerRequest: &often, Retries: rapid.IntRange(0, 2).Draw(t, "retries"),
		Timeout:   simulator.Duration(rapid.IntRange(1, 60).Draw(t, "timeout")) * simulator.Duration(time.Second),
		KeepAlive: rapid.Bool().Draw(t, "keepAlive"),
	}
	if c.KeepAlive {
		c.Pool = rapid.IntRange(0, 20).Draw(t, "pool")
	}
	return c
}

func anyBehaviour(t *rapid.T, services int) simulator.Behaviour {
	b := simulator.Behaviour{Latency: simulator.Duration(rapid.IntRange(10, 4000).Draw(t, "latency")) * simulator.Duration(time.Millisecond)}
	b.LatencySpread = rapid.SampledFrom([]float64{0, 0.5}).Draw(t, "spread")
	for range rapid.IntRange(0, 3).Draw(t, "calls") {
		b.Calls = append(b.Calls, anyCall(t, services))
	}
	if rapid.Bool().Draw(t, "opens") {
		c := anyCall(t, services)
		if c.To == "loopback" {
			c.To = "inside"
		}
		b.Startup.Calls = []simulator.StartupCall{{Outgoing: c, Connections: rapid.IntRange(1, 5).Draw(t, "connections"), Required: rapid.Bool().Draw(t, "required")}}
	}
	if rapid.Bool().Draw(t, "assets") {
		b.Assets = &simulator.Assets{PerPage: rapid.IntRange(1, 4).Draw(t, "perPage"), DeploymentID: rapid.Bool().Draw(t, "id")}
	}
	if rapid.Bool().Draw(t, "errors") {
		b.Errors = []simulator.ErrorRate{{Percent: 10, Code: 503}, {Percent: 1, Latency: simulator.Duration(30 * time.Second)}}
	}
	return b
}

func anyAccess(t *rapid.T) *simulator.VPCAccess {
	direct := []simulator.NetworkInterface{{Network: "default", Subnetwork: "run"}}
	return rapid.SampledFrom([]*simulator.VPCAccess{
		nil,
		{Egress: "ALL_TRAFFIC", NetworkInterfaces: direct},
		{Egress: "PRIVATE_RANGES_ONLY", NetworkInterfaces: direct},
		{Egress: "ALL_TRAFFIC", Connector: "c1"},
	}).Draw(t, "access")
}

func anyDeployment(t *rapid.T, n, services int) simulator.Deployment {
	b := anyBehaviour(t, services)
	sticky := rapid.Bool().Draw(t, "sticky")
	return simulator.Deployment{
		Image: fmt.Sprintf("image-%d", n), VPCAccess: anyAccess(t), Behaviour: &b, SessionAffinity: &sticky,
		Concurrency: rapid.SampledFrom([]int{1, 4, 80}).Draw(t, "concurrency"),
		Timeout:     rapid.SampledFrom([]string{"5s", "60s"}).Draw(t, "timeout"),
		Scaling: &simulator.RevisionScaling{
			MinInstanceCount: rapid.IntRange(0, 2).Draw(t, "min"), MaxInstanceCount: rapid.IntRange(2, 30).Draw(t, "max"),
		},
	}
}

func anyScenario(t *rapid.T) simulator.Scenario {
	sc, err := simulator.ParseScenario([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	sc.Seed = rapid.Uint64().Draw(t, "seed")
	sc.Timing.EgressDelay = nil
	sc.Network.Connectors = []simulator.Connector{{Name: "c1", Subnetwork: "run"}}
	sc.Network.Machines = []simulator.Machines{{Name: "old", Count: 2, Subnetwork: "run", Calls: []simulator.Outgoing{{To: "api"}}}}
	sc.Network.LoadBalancers = []simulator.LoadBalancer{{
		Name: "lb", Users: simulator.Users{RequestsPerSecond: rapid.Float64Range(0, 20).Draw(t, "balanced")},
		Paths: []simulator.LBPath{{Share: 40, Machines: "old"}, {Share: 60, Service: "web-0"}},
	}}
	size := rapid.SampledFrom([]string{"10.0.0.0/26", "10.0.0.0/24"}).Draw(t, "range")
	sc.Network.Subnetworks[0].Range = netip.MustParsePrefix(size)
	g := &sc.Gateways[0]
	g.PortsPerEndpoint = rapid.SampledFrom([]int{64, 1024, 8192}).Draw(t, "ports")
	if rapid.Bool().Draw(t, "dynamic") {
		g.PortsPerEndpoint, g.DynamicPorts = 0, &simulator.DynamicPorts{Max: 1024}
	} else {
		g.EndpointIndependent = rapid.Bool().Draw(t, "independent")
	}
	all := simulator.AllSwitches()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if rapid.Bool().Draw(t, name) {
			if err := sc.Switches.Set(name, all[name][1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return sc
}

// services draws the services of a scenario and what happens to them.
func anyServices(t *rapid.T, sc *simulator.Scenario) {
	count := rapid.IntRange(1, 3).Draw(t, "services")
	sc.Services = nil
	for n := range count {
		sc.Services = append(sc.Services, simulator.Hosted{
			Project: "p", Location: "r", Name: fmt.Sprintf("web-%d", n),
			Ingress:   rapid.SampledFrom([]string{"", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"}).Draw(t, "ingress"),
			Users:     simulator.Users{RequestsPerSecond: rapid.Float64Range(0, 30).Draw(t, "rate")},
			Revisions: []simulator.Deployment{anyDeployment(t, 1, count)},
		})
	}
	for n := range rapid.IntRange(0, 4).Draw(t, "moments") {
		m := simulator.Moment{At: minute(float64(2 * n)), Service: fmt.Sprintf("web-%d", rapid.IntRange(0, count-1).Draw(t, "whose"))}
		switch rapid.IntRange(0, 3).Draw(t, "what") {
		case 0, 1:
			d := anyDeployment(t, n+2, count)
			m.Deploy = &d
		case 2:
			rate := rapid.Float64Range(0, 60).Draw(t, "users")
			m.Users = &rate
		case 3:
			m.LoseRevision = "#1"
		}
		sc.Timeline = append(sc.Timeline, m)
	}
}

func TestNoRequestIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sc := anyScenario(t)
		anyServices(t, &sc)
		w, err := simulator.New(sc)
		if err != nil {
			t.Fatal(err)
		}
		w.Advance(12 * time.Minute)
		sums := map[string]simulator.Tally{}
		for _, m := range w.Minutes(w.Start(), w.Now()) {
			for _, r := range m.Revisions {
				s := sums[r.Revision]
				s.Arrived, s.Ended, s.Unreached = s.Arrived+r.Arrived, s.Ended+r.Ended, s.Unreached+r.Unreached
				sums[r.Revision] = s
				if s.Arrived != s.Ended+s.Unreached+r.Waiting+r.Running || r.Waiting < 0 || r.Running < 0 {
					t.Fatalf("%s, %s: %d arrived, %d ended, %d reached nothing, %d wait and %d run",
						m.End.Format("15:04"), r.Revision, s.Arrived, s.Ended, s.Unreached, r.Waiting, r.Running)
				}
				if n := r.Active + r.Idle; n > 30 || r.Starting > r.Active {
					t.Fatalf("%s: %d instances", r.Revision, n)
				}
			}
			for _, g := range m.Gateways {
				if g.Allocated > g.Capacity {
					t.Fatalf("%d of %d ports", g.Allocated, g.Capacity)
				}
			}
			for _, s := range m.Subnetworks {
				if s.Used > s.Usable {
					t.Fatalf("%d of %d addresses", s.Used, s.Usable)
				}
			}
		}
		for name, s := range sums {
			truth, err := w.Requests(name, w.Start(), w.Now())
			if err != nil || truth.Arrived != s.Arrived || truth.Ended != s.Ended || truth.Unreached != s.Unreached {
				t.Fatalf("%s: minutes say %+v, the truth is %+v, %v", name, s, truth, err)
			}
		}
	})
}

func TestAnyWorldRepeatsItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sc := anyScenario(t)
		anyServices(t, &sc)
		tell := func() string {
			w, err := simulator.New(sc)
			if err != nil {
				t.Fatal(err)
			}
			w.Advance(5 * time.Minute)
			text, err := json.Marshal([]any{w.Log(), w.Minutes(w.Start(), w.Now())})
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		if first, again := tell(), tell(); first != again {
			t.Fatal("two lives of the same world differ")
		}
	})
}
