package pilot_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

// street is a physical world of services with a few busy instances each, behind one
// gateway with one address and so many ports for each endpoint. All of them get a
// new revision after twenty minutes.
func street(services, ports int) simulator.Scenario {
	sc := simulator.Scenario{
		Seed: 1,
		Network: &simulator.Network{
			Subnetworks:  []simulator.Subnet{{Project: project, Region: region, Network: "shared", Name: "run", Range: netip.MustParsePrefix("10.8.0.0/22")}},
			Destinations: []simulator.Destination{{Name: "database", Latency: simulator.Duration(20 * time.Millisecond)}},
		},
		Gateways: []simulator.Gateway{{
			Project: project, Region: region, Router: "r1", Name: "nat-1", Network: "shared",
			PortsPerEndpoint: ports, IPs: []string{"203.0.113.1"},
		}},
	}
	for i := range services {
		name := fmt.Sprint("app-", i+1)
		behaviour := simulator.Behaviour{
			Latency: simulator.Duration(1500 * time.Millisecond),
			// An instance that serves before it reaches the network fails its users,
			// which is no matter of ports.
			Startup: simulator.Startup{
				ReadyAfter: simulator.Duration(5 * time.Second),
				Calls:      []simulator.StartupCall{{Outgoing: simulator.Outgoing{To: "database", Timeout: simulator.Duration(time.Minute)}, Required: true}},
			},
			Calls: []simulator.Outgoing{{To: "database", KeepAlive: true}},
		}
		sc.Services = append(sc.Services, simulator.Hosted{
			Project: project, Location: region, Name: name, Users: simulator.Users{RequestsPerSecond: 18},
			Revisions: []simulator.Deployment{{
				Image: "example.com/app:1", Timeout: "60s", Concurrency: 10, Scaling: &simulator.RevisionScaling{MaxInstanceCount: 40},
				VPCAccess: &simulator.VPCAccess{Egress: "ALL_TRAFFIC", NetworkInterfaces: []simulator.NetworkInterface{{Network: "shared", Subnetwork: "run"}}},
			}},
			Images: map[string]simulator.Behaviour{"example.com/app:1": behaviour, "example.com/app:2": behaviour},
		})
		sc.Timeline = append(sc.Timeline, simulator.Moment{
			At: simulator.Duration(20 * time.Minute), Service: name, Deploy: &simulator.Deployment{Image: "example.com/app:2"},
		})
	}
	return sc
}

// stroll flies one rollout for each service of a street to their ends.
func stroll(t *testing.T, sc simulator.Scenario, watch func(*pilot.Pilot, rollout.Input, rollout.Decision)) *pilot.Pilot {
	t.Helper()
	var plans []rollout.Plan
	for _, s := range sc.Services {
		plans = append(plans, pilot.DefaultPlan(ref(s.Name)))
	}
	p, err := pilot.Open(sc, plans...)
	if err != nil {
		t.Fatal(err)
	}
	p.Watch = func(_ *pilot.Rollout, in rollout.Input, d rollout.Decision) { watch(p, in, d) }
	under := func(r *pilot.Rollout) bool { return r.Last().Phase != rollout.Completed }
	for end := p.World().Start().Add(6 * time.Hour); p.World().Now().Before(end); {
		if err := p.AdvanceTo(p.World().Now().Add(10 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(p.Rollouts(), under) {
			break
		}
	}
	return p
}

// together tells what is wrong with a rise beside what others may still take of
// the gateway, or "".
func together(in rollout.Input, d rollout.Decision) string {
	p := d.Progress
	if d.Write == nil || !p.Hot.Equal(in.Now) {
		return ""
	}
	now := nat.Foresee(in.Outlet.Gateways[0].NAT, nat.Fleet{}, nat.DefaultPolicy(), 0)
	claimed, others := p.Watches[0].Claimed, 0
	for _, peer := range in.Peers {
		if peer.Claim.Hot && peer.Claim.Ports > 0 {
			claimed, others = claimed+peer.Claim.Ports, others+1
		}
	}
	if room := now.Headroom() * now.Each; others > 0 && p.Watches[0].Claimed > 0 && claimed > room {
		return fmt.Sprintf("%d others are hot, all of them may take %d ports, and there is room for %d", others, claimed, room)
	}
	return ""
}

// told is the story of a rollout, for the reader of a failure.
func told(p *pilot.Pilot, r *pilot.Rollout) string {
	var text strings.Builder
	for _, s := range r.States {
		fmt.Fprintf(&text, "  +%-9s %s/%s %d%%: %s\n      > %s\n", s.At.Sub(p.World().Start()), s.Phase, s.Reason, s.Weight, s.Note, s.Next)
	}
	return text.String()
}

// TestRolloutsBehindOneGatewayAllReachTheirEnds where there is not room for all of
// them at a time: they take turns, some of them in smaller steps, and no instance
// is left without ports.
func TestRolloutsBehindOneGatewayAllReachTheirEnds(t *testing.T) {
	t.Parallel()
	for services, ports := range map[int]int{2: 1024, 5: 512} {
		t.Run(strconv.Itoa(services), func(t *testing.T) {
			t.Parallel()
			p := stroll(t, street(services, ports), func(p *pilot.Pilot, in rollout.Input, d rollout.Decision) {
				if what := together(in, d); what != "" {
					t.Errorf("%s at %s: %s", in.Plan.Service.Name, in.Now, what)
				}
				if s, _ := p.World().NetworkStatus(); s.Gateways[0].Waiting > 0 {
					t.Errorf("at %s %d endpoints have no ports", in.Now, s.Gateways[0].Waiting)
				}
			})
			turns, cut := 0, 0
			for _, r := range p.Rollouts() {
				weights := r.Weights(r.Last().Candidate)
				if r.Last().Phase != rollout.Completed || !slices.IsSorted(weights) {
					t.Errorf("%s had %v and is\n%s", r.Plan().Service.Name, weights, told(p, r))
				}
				if len(weights) > len(r.Plan().Steps) {
					cut++
				}
				turns += strings.Count(told(p, r), "waits for its turn")
			}
			if turns == 0 || cut == 0 {
				t.Errorf("%d waits for a turn, %d rollouts with smaller steps: the world is too easy", turns, cut)
			}
		})
	}
}
