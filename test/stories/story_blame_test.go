package stories_test

import (
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// droppingAt lets the gateway drop packets while the candidate has more than 10 %,
// from some minutes after the beginning on.
func droppingAt(from int) func(*simulator.Scenario) {
	return func(s *simulator.Scenario) {
		s.Gateways[0].Drops = append(s.Gateways[0].Drops, simulator.Drop{
			Interval: simulator.Interval{From: minutes(from)}, Image: newImage, AbovePercent: 10, PacketsPerMinutePerPercent: 4,
		})
	}
}

// deploySuffering deploys a revision whose users get errors, from some minutes
// after it was created on, while it has more than 10 %.
func deploySuffering(from int, more ...simulator.ErrorRate) moment {
	errors := append([]simulator.ErrorRate{{Percent: 3, From: minutes(from), AbovePercent: 10}}, more...)
	return at("10m", "ci deploys web-2, which fails 3% of its requests when its calls are dropped", deploy("web-2", errors...))
}

// lenient lets 5 % of the requests fail, so that the gateway's check comes first.
var lenient = []func(*rollout.Plan){func(p *rollout.Plan) {
	p.Guards[0].Rule = analysis.ServerErrors{MaxRatio: 0.05, MinRequests: 100}
}}

// late are worlds in which the candidate does harm late in the last bake, when
// stable has no instances left.
var late = []func(*simulator.Scenario){behindNat, droppingAt(76)}

// burst lets a gateway have no ports for new instances, for 16 minutes.
func burst(s *simulator.Scenario) {
	s.Gateways[0].AllocationFailures = []simulator.Interval{{From: minutes(30), Until: minutes(46)}}
}

// deployStarved deploys a revision whose new instances fail while there are none.
var deployStarved = at("10m", "ci deploys web-2, of which a quarter of the requests fail while its instances find no ports",
	deploy("web-2", simulator.ErrorRate{Percent: 25, From: minutes(20), Until: minutes(36), AbovePercent: 10}))

// blameStories: whose a gateway's trouble is, and how a rollout goes back for it.
var blameStories = []story{
	{
		name: "nat-culprit", title: "The gateway drops packets from 25% on and only the candidate's users get errors, too few for the check of errors: it is rolled back.",
		world: []func(*simulator.Scenario){behindNat, droppingAt(0)}, plan: lenient,
		tale: []moment{deploySuffering(0)},
		want: rollout.RolledBack,
	},
	{
		name: "nat-culprit-unseen", title: "The same while Compute does not answer for so long that nobody knows how many ports are left: a person is called, and the candidate goes back by one weight. That helps; it comes back with the next rise, so it was the candidate.",
		world: []func(*simulator.Scenario){behindNat, droppingAt(0)}, plan: lenient,
		tale: []moment{deploySuffering(0), when(in(rollout.Baking, 25), "1m", "Compute answers 503 and goes on to", silence)},
		want: rollout.RolledBack,
	},
	{
		name: "nat-bystander", title: "The gateway drops packets for half an hour, long after a rise, and none of our users feel it: the step is held, however long, and goes on.",
		world: []func(*simulator.Scenario){behindNat, dropping(20, 50, 40)},
		tale:  []moment{deployHealthy},
		want:  rollout.Completed,
	},
	{
		name: "nat-unknown-stops", title: "The gateway finds no address for a while and nobody can tell whose doing that is: a person is called, the candidate goes back to nothing, and starts anew when it has stopped.",
		world: []func(*simulator.Scenario){behindNat, func(s *simulator.Scenario) {
			s.Gateways[0].AllocationFailures = []simulator.Interval{{From: minutes(22), Until: minutes(40)}}
		}},
		tale: []moment{deployHealthy},
		want: rollout.Completed,
	},
	{
		name: "nat-unknown-at-a-later-step", title: "The gateway finds no address from 50% on, with no one to blame: the candidate goes back to 25%, which changes nothing, so it was not the candidate.",
		world: []func(*simulator.Scenario){behindNat, func(s *simulator.Scenario) {
			s.Gateways[0].AllocationFailures = []simulator.Interval{{From: minutes(49), Until: minutes(100)}}
		}},
		tale: []moment{deployHealthy},
		want: rollout.Completed,
	},
	{
		name: "nat-unknown-crash", title: "The manager dies between the decision to step down and the write: it is made anew, once.",
		world: []func(*simulator.Scenario){behindNat, droppingAt(0)},
		tale:  []moment{deployHealthy, during(beforeWrite, 4, "the manager dies", crash("20s"))},
		want:  rollout.RolledBack,
	},
	{
		name: "nat-culprit-late", title: "The candidate has had all traffic for long when the gateway drops packets: it goes back by half, is found to be the cause, and goes back in three writes.",
		world: late, plan: lenient,
		tale: []moment{unreadable, deploySuffering(66)},
		want: rollout.RolledBack,
	},
	{
		name: "nat-neighbours-burst", title: "A neighbour's burst takes the gateway's last ports at 25%, so that the candidate's new instances alone fail: everything goes back in one write, nothing is given up, and the rollout goes on to 100% when the burst is over.",
		world: []func(*simulator.Scenario){behindNat, burst},
		tale:  []moment{deployStarved},
		want:  rollout.Completed,
	},
	{
		name: "nat-neighbours-burst-crash", title: "The same, and the manager dies before the write that relieves the users, and after the one that comes in its place.",
		world: []func(*simulator.Scenario){behindNat, burst},
		tale: []moment{
			deployStarved,
			during(beforeWrite, 3, "the manager dies", crash("20s")),
			during(afterWrite, 4, "the manager dies", crash("20s")),
		},
		want: rollout.Completed,
	},
	{
		name: "nat-neighbours-burst-lost-write", title: "The same, and Cloud Run refuses the write that relieves the users, twice.",
		world: []func(*simulator.Scenario){behindNat, burst},
		tale: []moment{
			deployStarved,
			during(beforeWrite, 3, "Cloud Run answers 503, twice", inject(simulator.Fault{
				Kind: simulator.FaultError, Operation: "services.patch", Code: 503, Times: 2,
			})),
		},
		want: rollout.Completed,
	},
	{
		name: "nat-neighbours-burst-aborted", title: "While the candidate waits for its second try a person aborts: it is given up.",
		world: []func(*simulator.Scenario){behindNat, burst},
		tale:  []moment{deployStarved, when(because(rollout.WaitingForNat), "5m", "alice asks to abort", ask(rollout.Abort))},
		want:  rollout.RolledBack,
	},
	{
		name: "nat-second-try", title: "The candidate fails by itself while a gateway suffers from somebody else: it is tried once more, fails again when nothing else does, and is given up.",
		world: []func(*simulator.Scenario){behindNat, burst},
		tale: []moment{at("10m", "ci deploys web-2, which begins to fail 25% of its requests when it is 20 minutes old", deploy("web-2",
			simulator.ErrorRate{Percent: 25, From: minutes(20), AbovePercent: 10}))},
		want: rollout.RolledBack,
	},
	{
		name: "nat-way-back-aborted", title: "In the middle of a way back in three writes a person aborts: the next write takes everything.",
		world: late, plan: lenient,
		tale: []moment{
			unreadable,
			deploySuffering(66),
			when(in(rollout.RollingBack, 50), "20s", "alice asks to abort", ask(rollout.Abort)),
		},
		want: rollout.RolledBack,
	},
	{
		name: "nat-way-back-failing", title: "In the middle of a way back in three writes users get errors: the next write takes everything.",
		world: late, plan: lenient,
		tale: []moment{unreadable, deploySuffering(66, simulator.ErrorRate{Percent: 30, From: minutes(79)})},
		want: rollout.RolledBack,
	},
	{
		name: "nat-way-back-crash", title: "The manager dies in the middle of a way back in three writes: it goes on, and is over in time.",
		world: late, plan: lenient,
		tale: []moment{
			unreadable,
			deploySuffering(66),
			during(afterWrite, 7, "the manager dies", crash("40s")),
			during(beforeWrite, 8, "the manager dies", crash("10s")),
		},
		want: rollout.RolledBack,
	},
	{
		name: "nat-way-back-edited", title: "In the middle of a way back in three writes a person gives the candidate more: nothing is written until the person lets it.",
		world: late, plan: lenient,
		tale: []moment{
			unreadable,
			deploySuffering(66),
			when(in(rollout.RollingBack, 50), "20s", "alice gives web-2 60%", set("web-2", 60, "web-1", 40)),
			when(because(rollout.TrafficConflict), "5m", "alice lets it go on", ask(rollout.Resume)),
		},
		want: rollout.RolledBack,
	},
	{
		name: "nat-way-back-without-monitoring", title: "Monitoring is down during a way back in three writes: it needs none.",
		world: late, plan: lenient,
		tale: []moment{
			unreadable,
			deploySuffering(66),
			when(in(rollout.RollingBack, 50), "1s", "Monitoring answers 503",
				inject(simulator.Fault{Kind: simulator.FaultError, Operation: "timeSeries.list", Code: 503, Times: -1})),
		},
		want: rollout.RolledBack,
	},
}
