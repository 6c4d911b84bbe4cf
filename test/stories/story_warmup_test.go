package stories_test

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// deployWarm deploys a revision with a minimum of instances of its own.
func deployWarm(revision string, least int) func(*teller) {
	return func(b *teller) {
		b.must(second(b.world.Deploy("web", simulator.Deployment{
			Image: newImage, Revision: revision, Scaling: &simulator.RevisionScaling{MinInstanceCount: least, MaxInstanceCount: 40},
		})))
	}
}

// deployThree is how most of these stories begin.
var deployThree = at("10m", "ci deploys web-2, with a minimum of 3 instances", deployWarm("web-2", 3))

// warmup asks for a warm-up.
func warmup(timeout string) func(*rollout.Plan) {
	return func(p *rollout.Plan) { p.Warmup = span(timeout) }
}

var (
	warmingUp = in(rollout.WarmingUp, 0)
	beside    = func(s *simulator.Scenario) { // another revision, which serves nobody
		s.Services[0].Revisions = append(s.Services[0].Revisions, simulator.Deployment{Image: newImage, Revision: "web-0"})
	}
	quick = func(p *rollout.Plan) {
		p.Steps = []rollout.Step{{Weight: 50, Bake: 10 * time.Minute}, {Weight: 100, Bake: 10 * time.Minute}}
	}
	straight = func(p *rollout.Plan) { p.Steps = []rollout.Step{{Weight: 100, Bake: 10 * time.Minute}} }
)

// warmupStories: the candidate's own minimum of instances is there before its
// first users come.
var warmupStories = []story{
	{
		name: "warmup", title: "The candidate's own minimum of instances is started before the first step.",
		plan: []func(*rollout.Plan){warmup("5m"), quick}, tale: []moment{deployThree}, want: rollout.Completed,
	},
	{
		name: "warmup-one-step", title: "A plan of one step: the tag is gone with it.",
		plan: []func(*rollout.Plan){warmup("5m"), straight}, tale: []moment{deployThree}, want: rollout.Completed,
	},
	{
		name: "warmup-times-out", title: "The instances do not come in time: the first step is the warm-up.",
		plan: []func(*rollout.Plan){warmup("12s"), quick}, tale: []moment{deployThree}, want: rollout.Completed,
	},
	{
		name: "warmup-unavailable", title: "The candidate has no minimum of its own: that is told once, with what to add.",
		plan: []func(*rollout.Plan){warmup("5m"), quick}, tale: []moment{deployHealthy}, want: rollout.Completed,
	},
	{
		name: "warmup-aborted", title: "An abort takes the warm-up back.",
		plan: []func(*rollout.Plan){warmup("5m"), quick},
		tale: []moment{deployThree, when(warmingUp, "5s", "alice asks to abort", ask(rollout.Abort))},
		want: rollout.RolledBack,
	},
	{
		name: "warmup-superseded", title: "A newer revision comes while the older one is warmed up: its tag is taken off first.",
		plan: []func(*rollout.Plan){warmup("5m"), quick},
		tale: []moment{deployThree, when(warmingUp, "5s", "ci deploys web-3, with a minimum of 3 instances", deployWarm("web-3", 3))},
		want: rollout.Completed,
	},
	{
		name: "warmup-paused", title: "A pause during the warm-up: nothing rises.",
		plan: []func(*rollout.Plan){warmup("5m"), quick},
		tale: []moment{
			deployThree, when(warmingUp, "5s", "alice sets spec.paused", planTo(func(p *rollout.Plan) { p.Paused = true })),
			at("40m", "alice takes spec.paused back", planTo(func(p *rollout.Plan) { p.Paused = false })),
		},
		want: rollout.Completed,
	},
	{
		name: "warmup-tag-taken", title: "Somebody else's revision carries the tag sluice-candidate: it is not taken.",
		world: []func(*simulator.Scenario){beside}, plan: []func(*rollout.Plan){warmup("5m"), quick},
		tale: []moment{
			at("5m", "alice tags web-0 as sluice-candidate", retag("web-0", rollout.WarmTag)), deployThree,
			when(because(rollout.TrafficConflict), "10m", "alice removes the tag", set("web-1", 100)),
			when(because(rollout.TrafficConflict), "12m", "alice asks to resume", ask(rollout.Resume)),
		},
		want: rollout.Completed,
	},
	{
		name: "warmup-crash-before-write", title: "The controller dies with the tag saved and not sent: it is sent then.",
		plan: []func(*rollout.Plan){warmup("5m"), quick},
		tale: []moment{deployThree, during(beforeWrite, 1, "the controller dies", crash("2m"))},
		want: rollout.Completed,
	},
	{
		name: "warmup-crash-after-write", title: "The controller dies after the tag was sent: it is known again.",
		plan: []func(*rollout.Plan){warmup("5m"), quick},
		tale: []moment{deployThree, during(afterWrite, 1, "the controller dies", crash("2m"))},
		want: rollout.Completed,
	},
	{
		name: "warmup-no-room", title: "Another rollout behind the gateway may still take what is left: the warm-up waits, as a rise does.",
		world: []func(*simulator.Scenario){physical(2048, 60)}, plan: []func(*rollout.Plan){headroom, warmup("5m"), quick},
		tale: []moment{
			at("5m", "another rollout takes a step", another(40<<10)), deployThree,
			at("20m", "it is done", nobodyElse),
		},
		want: rollout.Completed,
	},
}
