package stories_test

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// failing is a share of requests that fail, from a weight on.
func failing(percent, fromWeight float64) simulator.ErrorRate {
	return simulator.ErrorRate{Percent: percent, AbovePercent: fromWeight}
}

var deployHealthy = at("10m", "ci deploys web-2, which is healthy", deploy("web-2", failing(0.1, 0)))

// ordinaryStories: what happens on most days.
var ordinaryStories = []story{
	{
		name: "healthy", title: "A healthy revision goes through every step of the default plan.",
		tale: []moment{deployHealthy},
		want: rollout.Completed,
	},
	{
		name: "two-in-a-row", title: "A second revision follows a first one that became stable.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Completed, 100), "30m", "ci deploys web-3, which is healthy", deploy("web-3")),
		},
		want: rollout.Completed,
	},
	{
		name: "breach-at-first-step", title: "A revision that fails one request in twenty is rolled back at its first step.",
		tale: []moment{at("10m", "ci deploys web-2, which fails 5% of its requests", deploy("web-2", failing(5, 0)))},
		want: rollout.RolledBack,
	},
	{
		name: "breach-at-second-step", title: "A revision that fails under 25% of the traffic is rolled back there.",
		tale: []moment{at("10m", "ci deploys web-2, which fails 4% of its requests from 25% of the traffic on", deploy("web-2", failing(4, 25)))},
		want: rollout.RolledBack,
	},
	{
		name: "breach-at-third-step", title: "A revision that fails under half of the traffic is rolled back there.",
		tale: []moment{at("10m", "ci deploys web-2, which fails 4% of its requests from 50% of the traffic on", deploy("web-2", failing(4, 50)))},
		want: rollout.RolledBack,
	},
	{
		name: "breach-at-all-traffic", title: "A revision that fails under all traffic is rolled back in its last bake.",
		tale: []moment{at("10m", "ci deploys web-2, which fails 4% of its requests when it has all traffic", deploy("web-2", failing(4, 100)))},
		want: rollout.RolledBack,
	},
	{
		name: "breach-late-in-last-bake", title: "A revision that begins to fail shortly before its rollout is complete is rolled back.",
		tale: []moment{at("10m", "ci deploys web-2, which fails 4% of its requests from 63 minutes of age on",
			deploy("web-2", simulator.ErrorRate{Percent: 4, From: minutes(63)}))},
		want: rollout.RolledBack,
	},
	{
		name: "hung-requests", title: "Requests that hang count when they end; the step waits for them.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) { s.Services[0].Revisions[0].Timeout = "600s" }},
		tale: []moment{at("10m", "ci deploys web-2, of whose requests 5% hang for ten minutes and fail",
			deploy("web-2", simulator.ErrorRate{Percent: 5, Code: 504, Latency: minutes(10)}))},
		want: rollout.RolledBack,
	},
	{
		name: "latest-is-pinned", title: "Traffic that follows LATEST is pinned before anything else; then a deployment waits for its rollout.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) { s.Services[0].Traffic = nil }},
		tale:  []moment{deployHealthy},
		want:  rollout.Completed,
	},
	{
		name: "deploy-races-the-pin", title: "A deployment slips in between the read and the write that pins LATEST.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) { s.Services[0].Traffic = nil }},
		tale: []moment{
			during(beforeWrite, 1, "ci deploys web-2, and LATEST takes it to 100% the moment it is ready", deploy("web-2")),
		},
		want: rollout.Idle, until: 20 * time.Minute,
	},
	{
		name: "revision-fails-to-start", title: "A revision that does not start never gets traffic; the next one does.",
		tale: []moment{
			at("10m", "ci deploys web-2, whose container does not start",
				deployAs("web-2", simulator.Behaviour{Startup: simulator.Startup{
					ReadyAfter: simulator.Duration(40 * time.Second), Fails: &simulator.StartupFailure{},
				}})),
			at("20m", "ci deploys web-3, which is healthy", deploy("web-3")),
		},
		want: rollout.Completed,
	},
	{
		name: "superseded", title: "A newer revision ends an attempt under way; it starts from stable.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "5m", "ci deploys web-3, which is healthy", deploy("web-3")),
		},
		want: rollout.Completed,
	},
	{
		name: "superseded-by-failure", title: "A newer revision that does not start changes nothing.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "5m", "ci deploys web-3, whose container does not start",
				deployAs("web-3", simulator.Behaviour{Startup: simulator.Startup{Fails: &simulator.StartupFailure{}}})),
		},
		want: rollout.Idle,
	},
	{
		name: "candidate-named", title: "spec.candidateRevision names an older revision; it is rolled out although it existed before.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) {
			s.Services[0].Revisions = append(s.Services[0].Revisions, simulator.Deployment{Image: newImage, Revision: "web-0"})
		}},
		tale: []moment{at("10m", "alice sets spec.candidateRevision: web-0", planTo(func(p *rollout.Plan) { p.CandidateRevision = "web-0" }))},
		want: rollout.Completed,
	},
	{
		name: "candidate-misspelt", title: "spec.candidateRevision names a revision that does not exist.",
		tale: []moment{at("10m", "alice sets spec.candidateRevision: web-9", planTo(func(p *rollout.Plan) { p.CandidateRevision = "web-9" }))},
		want: rollout.Idle, until: 20 * time.Minute,
	},
	{
		name: "candidate-deleted", title: "The candidate is deleted while it has traffic.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "somebody deletes web-2", lose("web-2")),
		},
		want: rollout.RolledBack,
	},
	{
		name: "candidate-not-ready", title: "The candidate loses its readiness while it has traffic.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "web-2 is no longer ready", fail("web-2")),
		},
		want: rollout.RolledBack,
	},
	{
		name: "stable-deleted", title: "Stable is deleted during an attempt; a person names the way back.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "Cloud Run deletes web-1", lose("web-1")),
			when(because(rollout.BaselineLost), "10m", "alice sets spec.stableRevision: web-2", stableTo("web-2")),
		},
		want: rollout.Idle,
	},
	{
		name: "stable-not-ready", title: "Stable loses its readiness; nothing is raised without a way back.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "web-1 is no longer ready", fail("web-1")),
		},
		want: rollout.Paused,
	},
	{
		name: "service-missing", title: "The service does not exist.",
		tale: []moment{at("1s", "the service is not there", loseService)},
		want: rollout.Idle, until: 10 * time.Minute,
	},
	{
		name: "service-deleted", title: "The service is deleted during an attempt.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "somebody deletes the service", loseService),
		},
		want: rollout.Idle, until: 45 * time.Minute,
	},
	{
		name: "ambiguous-baseline", title: "A split that nobody owns has no baseline; spec.stableRevision settles it.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) {
			s.Services[0].Revisions = append(s.Services[0].Revisions, simulator.Deployment{Image: newImage, Revision: "web-0"})
			s.Services[0].Traffic = []simulator.TrafficTarget{{Revision: "web-1", Percent: 60}, {Revision: "web-0", Percent: 40}}
		}},
		tale: []moment{
			at("10m", "alice sets spec.stableRevision: web-1", stableTo("web-1")),
			at("20m", "ci deploys web-2, which is healthy", deploy("web-2")),
		},
		want: rollout.Completed,
	},
	{
		name: "plan-edited", title: "The plan is edited on the way: the next step is longer, a later one is new.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "alice changes the steps to 10%, 25% of 20m, 40%, 60%, 100%", planTo(func(p *rollout.Plan) {
				p.Steps = []rollout.Step{
					{Weight: 10, Bake: 10 * time.Minute},
					{Weight: 25, Bake: 20 * time.Minute},
					{Weight: 40, Bake: 10 * time.Minute},
					{Weight: 60, Bake: 10 * time.Minute},
					{Weight: 100, Bake: 20 * time.Minute},
				}
			})),
		},
		want: rollout.Completed,
	},
	{
		name: "plan-shortened", title: "The plan is edited so that the weight that serves is no step of it any more.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "alice changes the steps to 50% and 100%", planTo(func(p *rollout.Plan) {
				p.Steps = []rollout.Step{{Weight: 50, Bake: 10 * time.Minute}, {Weight: 100, Bake: 20 * time.Minute}}
			})),
		},
		want: rollout.Completed,
	},
}
