package stories_test

import (
	"net/netip"
	"time"

	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// physical gives the world a network, and the gateway one address with so many
// ports for each endpoint. Its users keep a few instances busy.
func physical(ports int, perSecond float64) func(*simulator.Scenario) {
	return func(s *simulator.Scenario) {
		behindNat(s)
		s.Services[0].Users.RequestsPerSecond = perSecond
		s.Services[0].Revisions[0].Concurrency = 4
		s.Services[0].Revisions[0].Scaling = &simulator.RevisionScaling{MaxInstanceCount: 40}
		s.Gateways[0].AllocatedPorts, s.Gateways[0].OpenConnections = 0, 0
		s.Gateways[0].Network, s.Gateways[0].IPs, s.Gateways[0].PortsPerEndpoint = "shared", []string{"203.0.113.10"}, ports
		s.Network = &simulator.Network{Subnetworks: []simulator.Subnet{
			{Project: "acme-net", Region: region, Network: "shared", Name: "run", Range: netip.MustParsePrefix("10.8.0.0/22")},
		}}
	}
}

func headroom(p *rollout.Plan) { p.Pacing = rollout.Headroom }

// gated asks for a person before the last step.
func gated(p *rollout.Plan) { p.Steps[len(p.Steps)-1].Approval = true }

// shadowed lets a guard hold nothing.
func shadowed(name string) func(*rollout.Plan) {
	return func(p *rollout.Plan) {
		for i := range p.Guards {
			if p.Guards[i].Name == name {
				p.Guards[i].Mode = rollout.Shadow
			}
		}
	}
}

// another rollout behind the gateway takes a step that may need so many ports.
func another(ports int64) func(*teller) {
	return func(b *teller) {
		claim := nat.Claim{ID: "another", Since: b.world.Now().Truncate(time.Second), Ports: ports, Hot: true}
		b.peers = []rollout.Peer{{Gateway: defaultPlan().Gateways[0], Claim: claim}}
	}
}

func nobodyElse(b *teller) { b.peers = nil }

// hide keeps the gateways' state from being read; "" shows it again.
func hide(why string) func(*teller) { return func(b *teller) { b.unread = why } }

// silence keeps Compute from answering for longer than its answers are kept.
func silence(b *teller) { b.silent = "listing routers: the Compute API answers 503" }

// unreadable takes away what tells how many ports the gateways have left.
var unreadable = at("20m", "somebody takes compute.routers.get away", hide("routers.getRouterStatus: denied"))

// narrow is played again under disorder.
var narrow = story{
	name: "narrow", world: []func(*simulator.Scenario){physical(2048, 60)}, plan: []func(*rollout.Plan){headroom},
	tale: []moment{deployHealthy}, want: rollout.Completed,
}

// pacingStories: rises that the gateway must be able to follow.
var pacingStories = []story{
	{
		name: "pacing-inserted", title: "The gateway has not room for the last step at once: a smaller weight is inserted, and what lingers is waited for.",
		world: []func(*simulator.Scenario){physical(2048, 60)}, plan: []func(*rollout.Plan){headroom},
		tale: []moment{deployHealthy},
		want: rollout.Completed,
	},
	{
		name: "pacing-approval", title: "A gate before a step that is cut: it is asked for once, before the first of its weights.",
		world: []func(*simulator.Scenario){physical(2048, 60)}, plan: []func(*rollout.Plan){headroom, gated},
		tale: []moment{deployHealthy, when(because(rollout.ReasonAwaitingApproval), "5m", "alice approves", ask(rollout.Approve))},
		want: rollout.Completed,
	},
	{
		name: "pacing-crash", title: "The controller dies with an inserted weight saved and not sent: the same is sent.",
		world: []func(*simulator.Scenario){physical(2048, 60)}, plan: []func(*rollout.Plan){headroom},
		tale: []moment{deployHealthy, during(beforeWrite, 4, "the controller dies", crash("10m"))},
		want: rollout.Completed,
	},
	{
		name: "pacing-turn", title: "Another rollout behind the gateway takes its step first.",
		world: []func(*simulator.Scenario){physical(1024, 60)}, plan: []func(*rollout.Plan){headroom},
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "10m", "another rollout takes a step that may need 40,960 ports", another(40*1024)),
			when(because(rollout.WaitingForNat), "6m", "the gateway reports what that took", nobodyElse),
		},
		want: rollout.Completed,
	},
	{
		name: "pacing-turn-and-breach", title: "Who waits for its turn and fails goes back without waiting.",
		world: []func(*simulator.Scenario){physical(1024, 60)}, plan: []func(*rollout.Plan){headroom},
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 20% of its requests from 42 minutes on", deploy("web-2", simulator.ErrorRate{Percent: 20, From: minutes(42)})),
			at("30m", "another rollout takes a step that may need 40,960 ports", another(40*1024)),
		},
		want: rollout.RolledBack,
	},
	{
		name: "pacing-never-fits", title: "The gateway is too small: it goes as far as there is room, waits, a person is called; what alice gives is not enough.",
		world: []func(*simulator.Scenario){physical(4096, 50)}, plan: []func(*rollout.Plan){headroom},
		tale: []moment{
			deployHealthy,
			at("3h", "alice sets spec.nat.reservePercent: 0", planTo(func(p *rollout.Plan) { p.Reserve = 0 })),
		},
		want: rollout.Held, until: 5 * time.Hour,
	},
	{
		name: "pacing-unread", title: "Nobody may read the gateway's state midway: nothing rises blindly, until it can be read again.",
		world: []func(*simulator.Scenario){physical(1024, 40)}, plan: []func(*rollout.Plan){headroom},
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "5m", "somebody takes compute.routers.get away", hide("routers.getRouterStatus: denied; the manager's identity needs compute.routers.get in project acme-net")),
			when(because(rollout.MetricsUnavailable), "12m", "somebody gives it back", hide("")),
		},
		want: rollout.Completed,
	},
	{
		name: "pacing-unread-for-good", title: "Nobody may read the gateway's state midway, for good: it pauses.",
		world: []func(*simulator.Scenario){physical(1024, 40)}, plan: []func(*rollout.Plan){headroom},
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "5m", "somebody takes compute.routers.get away", hide("routers.getRouterStatus: denied; the manager's identity needs compute.routers.get in project acme-net")),
		},
		want: rollout.Paused,
	},
	{
		name: "pacing-lacks-addresses", title: "The gateway lacks an address before anything begins: held, though nobody enforces the check that would tell.",
		world: []func(*simulator.Scenario){physical(16384, 20)}, plan: []func(*rollout.Plan){headroom, shadowed("nat-allocation")},
		tale: []moment{deployHealthy},
		want: rollout.Held, until: 2 * time.Hour,
	},
}
