package stories_test

import (
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// behindNat sends all traffic of the service through the gateway nat-1.
func behindNat(s *simulator.Scenario) {
	s.Services[0].Revisions[0].VPCAccess = &simulator.VPCAccess{
		Egress: "ALL_TRAFFIC", NetworkInterfaces: []simulator.NetworkInterface{{Network: "shared", Subnetwork: "run"}},
	}
	s.Gateways = []simulator.Gateway{{
		Project: "acme-net", Region: region, Router: "r1", Name: "nat-1", AllocatedPorts: 6400, OpenConnections: 900,
		IPs: []string{"203.0.113.10"},
	}}
}

func dropping(from, until int, perMinute float64) func(*simulator.Scenario) {
	return func(s *simulator.Scenario) {
		s.Gateways[0].Drops = append(s.Gateways[0].Drops, simulator.Drop{
			Interval: simulator.Interval{From: minutes(from), Until: minutes(until)}, PacketsPerMinute: perMinute,
		})
	}
}

// throttled refuses Monitoring's next answers, some time after a breach.
func throttled(after string) []moment {
	from, err := time.ParseDuration(after)
	if err != nil {
		panic(err)
	}
	return []moment{
		when(because(rollout.HeldByAnalysis), after, "Monitoring answers 429",
			inject(simulator.Fault{Kind: simulator.FaultError, Operation: "timeSeries.list", Code: 429, Times: -1})),
		when(because(rollout.HeldByAnalysis), (from + 20*time.Second).String(), "Monitoring is well again", heal),
	}
}

// natStories: what a gateway tells.
var natStories = []story{
	{
		name: "nat-healthy", title: "A healthy revision behind a healthy gateway.",
		world: []func(*simulator.Scenario){behindNat},
		tale:  []moment{deployHealthy},
		want:  rollout.Completed,
	},
	{
		name: "nat-drops-stop", title: "The gateway drops packets for three minutes: the step is held, then goes on.",
		world: []func(*simulator.Scenario){behindNat, dropping(20, 23, 40)},
		tale:  []moment{deployHealthy},
		want:  rollout.Completed,
	},
	{
		name: "nat-drops-go-on", title: "The gateway drops packets from 25% on and does not stop: the candidate is rolled back.",
		world: []func(*simulator.Scenario){behindNat, func(s *simulator.Scenario) {
			s.Gateways[0].Drops = []simulator.Drop{{Image: newImage, AbovePercent: 10, PacketsPerMinutePerPercent: 4}}
		}},
		tale: []moment{deployHealthy},
		want: rollout.RolledBack,
	},
	{
		name: "nat-drops-between-throttled-answers", title: "The gateway drops packets and every minute some answers are throttled: the time to the rollback does not begin anew.",
		world: []func(*simulator.Scenario){behindNat, func(s *simulator.Scenario) {
			s.Gateways[0].Drops = []simulator.Drop{{Image: newImage, AbovePercent: 10, PacketsPerMinutePerPercent: 4}}
		}},
		tale: append([]moment{deployHealthy}, slices.Concat(throttled("1m"), throttled("2m"), throttled("3m"), throttled("4m"))...),
		want: rollout.RolledBack,
	},
	{
		name: "nat-drops-before-the-start", title: "The gateway drops packets already: nothing begins until it stops.",
		world: []func(*simulator.Scenario){behindNat, dropping(2, 25, 40)},
		tale:  []moment{deployHealthy},
		want:  rollout.Completed,
	},
	{
		name: "nat-drops-before-the-start-for-good", title: "The gateway drops packets already and does not stop: nothing begins.",
		world: []func(*simulator.Scenario){behindNat, dropping(2, 0, 40)},
		tale:  []moment{deployHealthy},
		want:  rollout.Paused, until: 2 * time.Hour,
	},
	{
		name: "nat-endpoint-conflict", title: "Packets are dropped for a reason that more ports do not cure; it is named.",
		world: []func(*simulator.Scenario){behindNat, func(s *simulator.Scenario) {
			s.Gateways[0].Drops = []simulator.Drop{{
				Image: newImage, AbovePercent: 10, PacketsPerMinutePerPercent: 1, Reason: "ENDPOINT_INDEPENDENCE_CONFLICT",
			}}
		}},
		tale: []moment{deployHealthy},
		want: rollout.RolledBack,
	},
	{
		name: "nat-allocation-fails", title: "The gateway finds no address for new instances, long after the rise: the candidate goes back to nothing, which changes nothing, so it was not the candidate.",
		world: []func(*simulator.Scenario){behindNat, func(s *simulator.Scenario) {
			s.Gateways[0].AllocationFailures = []simulator.Interval{{From: minutes(22)}}
		}},
		tale: []moment{deployHealthy},
		want: rollout.Paused,
	},
	{
		name: "nat-allocation-fails-briefly", title: "The gateway finds no address for a minute: held, then it goes on.",
		world: []func(*simulator.Scenario){behindNat, func(s *simulator.Scenario) {
			s.Gateways[0].AllocationFailures = []simulator.Interval{{From: minutes(22), Until: minutes(23)}}
		}},
		tale: []moment{deployHealthy},
		want: rollout.Completed,
	},
	{
		name: "nat-misnamed", title: "The gateway's name is misspelt: nothing begins, and the names that report are told.",
		world: []func(*simulator.Scenario){behindNat},
		plan:  []func(*rollout.Plan){func(p *rollout.Plan) { p.Gateways[0].Gateway = "nat-one" }},
		tale: []moment{
			deployHealthy,
			at("20m", "alice corrects the name", planTo(func(p *rollout.Plan) { p.Gateways[0].Gateway = "nat-1" })),
		},
		want: rollout.Completed,
	},
	{
		name: "nat-unwatched", title: "All traffic leaves through NAT and no gateway is named: refused until one is.",
		world: []func(*simulator.Scenario){behindNat},
		plan:  []func(*rollout.Plan){func(p *rollout.Plan) { p.Gateways = nil }},
		tale: []moment{
			deployHealthy,
			at("20m", "alice names nat-1", planTo(func(p *rollout.Plan) { p.Gateways = defaultPlan().Gateways })),
		},
		want: rollout.Completed,
	},
	{
		name: "nat-unwanted", title: "All traffic leaves through NAT and nobody wants it watched: it runs, and says so.",
		world: []func(*simulator.Scenario){behindNat},
		plan:  []func(*rollout.Plan){func(p *rollout.Plan) { p.Gateways, p.NatUnwanted = nil, true }},
		tale:  []moment{deployHealthy},
		want:  rollout.Completed,
	},
	{
		name: "nat-silent-midway", title: "The gateway's metrics stop midway, for good.",
		world: []func(*simulator.Scenario){behindNat},
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "Monitoring loses the gateway's points",
				inject(simulator.Fault{Kind: simulator.FaultGap, Metric: "router.googleapis.com/"})),
		},
		want: rollout.Paused,
	},
	{
		name: "nat-cool-down", title: "After a rollback behind NAT a retry waits until stopped instances have given back their ports.",
		world: []func(*simulator.Scenario){behindNat},
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 5% of its requests in its first half hour",
				deploy("web-2", simulator.ErrorRate{Percent: 5, Until: minutes(20)})),
			when(in(rollout.RolledBack, 0), "2m", "alice asks to retry", ask(rollout.Retry)),
		},
		want: rollout.Completed,
	},
	{
		name: "nat-cool-down-late", title: "The write of a way back arrives nine minutes late: the wait of the retry counts from there.",
		world: []func(*simulator.Scenario){behindNat},
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 5% of its requests in its first half hour",
				deploy("web-2", simulator.ErrorRate{Percent: 5, Until: minutes(20)})),
			during(beforeWrite, 2, "the network holds the write for 9 minutes",
				inject(simulator.Fault{Kind: simulator.FaultPark, Operation: "services.patch", Delay: minutes(9)})),
			during(beforeWrite, 3, "somebody takes the right to write away",
				inject(simulator.Fault{Kind: simulator.FaultError, Operation: "services.patch", Code: 403, Times: -1})),
			at("40m", "they give it back", heal),
			when(in(rollout.RolledBack, 0), "2m", "alice asks to retry", ask(rollout.Retry)),
		},
		want: rollout.Completed,
	},
	{
		name: "nat-cool-down-of-a-person", title: "A person sends a candidate everything and takes it back: the next attempt waits, though it never sent anything.",
		world: []func(*simulator.Scenario){behindNat},
		tale: []moment{
			deployHealthy,
			when(in(rollout.Checking, 0), "0s", "alice sends web-2 100%", set("web-2", 100)),
			when(because(rollout.TrafficConflict), "1m", "ci deploys web-3", deploy("web-3")),
			when(because(rollout.TrafficConflict), "3m", "alice sends web-1 100%", set("web-1", 100)),
		},
		want: rollout.Completed,
	},
}
