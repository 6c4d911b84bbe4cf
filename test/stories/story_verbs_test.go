package stories_test

import (
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// hotfix is a person in a hurry.
func hotfix(mode string) func(*teller) { return askFor(rollout.Promote, mode, "hotfix for checkout") }

// verbStories: what people ask for, and what becomes of it.
var verbStories = []story{
	{
		name: "promote", title: "A person ends a bake: the next weight follows, and its bake is whole.",
		tale: []moment{deployHealthy, when(in(rollout.Baking, 25), "3m", "alice asks to promote", hotfix(""))},
		want: rollout.Completed,
	},
	{
		name: "promote-full", title: "A person promotes to the end: 100% in one write, and the last bake stays guarded.",
		tale: []moment{deployHealthy, when(in(rollout.Baking, 5), "3m", "alice asks to promote, mode full", hotfix("full"))},
		want: rollout.Completed,
	},
	{
		name: "promote-full-of-a-bad-one", title: "A person promotes a bad revision to the end: the last bake sends everything back.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 4% of its requests from 40% of the traffic on", deploy("web-2", failing(4, 40))),
			when(in(rollout.Baking, 5), "3m", "alice asks to promote, mode full", hotfix("full")),
		},
		want: rollout.RolledBack,
	},
	{
		name: "promote-the-last-bake", title: "A person ends the last bake: the rollout is complete.",
		tale: []moment{deployHealthy, when(in(rollout.Baking, 100), "5m", "alice asks to promote", hotfix(""))},
		want: rollout.Completed,
	},
	{
		name: "promote-stale", title: "A promote arrives when its step is over: it is refused, and says what to write.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "alice's promote of step 1 arrives late", func(b *teller) {
				b.demand(rollout.Request{ID: "late", Verb: rollout.Promote, Attempt: 1, Step: 1, By: alice})
			}),
		},
		want: rollout.Completed,
	},
	{
		name: "promote-refused-on-breach", title: "A check holds: a promote does not go past it, whatever its mode.",
		world: []func(*simulator.Scenario){behindNat, func(s *simulator.Scenario) {
			s.Gateways[0].AllocationFailures = []simulator.Interval{{From: minutes(22), Until: minutes(23)}}
		}},
		tale: []moment{
			deployHealthy,
			when(because(rollout.HeldByAnalysis), "30s", "alice asks to promote, mode full,override", hotfix("full,override")),
		},
		want: rollout.Completed,
	},
	{
		name: "promote-past-the-ceiling", title: "The gateway has no room for the step: a promote is refused, and with override followed.",
		world: []func(*simulator.Scenario){physical(2048, 60)}, plan: []func(*rollout.Plan){headroom},
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "8m", "alice asks to promote, mode full", hotfix("full")),
			when(in(rollout.Baking, 25), "9m", "alice asks to promote, mode full,override", hotfix("full,override")),
		},
		want: rollout.RolledBack,
	},
	{
		name: "promote-lost", title: "The controller dies between the save and the write of a promote: it is sent again, without a second request.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 5), "3m", "alice asks to promote", hotfix("")),
			during(beforeWrite, 2, "the controller dies for two minutes", crash("2m")),
		},
		want: rollout.Completed,
	},
	{
		name: "pause-and-resume", title: "A person pauses, and somebody resumes; Git has no part in it.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "alice asks to pause", askFor(rollout.VerbPause, "", "holding for the vendor")),
			when(because(rollout.ReasonPaused), "1h", "alice asks to resume", ask(rollout.Resume)),
		},
		want: rollout.Completed,
	},
	{
		name: "pause-outlives-git", title: "Git pauses and goes on: a pause that a person asked for stays until it is resumed.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "alice asks to pause", ask(rollout.VerbPause)),
			when(because(rollout.ReasonPaused), "10m", "alice sets spec.paused: true", pausedTo(true)),
			when(because(rollout.ReasonPaused), "15m", "alice asks to resume", ask(rollout.Resume)),
			when(because(rollout.ReasonPaused), "20m", "alice sets spec.paused: false", pausedTo(false)),
			when(because(rollout.ReasonPaused), "40m", "alice asks to resume", ask(rollout.Resume)),
		},
		want: rollout.Completed,
	},
	{
		name: "pause-and-a-newer-revision", title: "A newer revision comes while a person has paused: it waits too, until somebody resumes.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "alice asks to pause", ask(rollout.VerbPause)),
			when(because(rollout.ReasonPaused), "10m", "ci deploys web-3, which is healthy", deploy("web-3")),
			when(because(rollout.ReasonPaused), "30m", "alice asks to resume", ask(rollout.Resume)),
		},
		want: rollout.Completed,
	},
	{
		name: "pause-and-breach", title: "What a person paused is guarded: a breach leads back.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 4% of its requests", deploy("web-2", failing(4, 0))),
			when(in(rollout.Baking, 5), "1m", "alice asks to pause", ask(rollout.VerbPause)),
		},
		want: rollout.RolledBack, until: span("2h"),
	},
	{
		name: "undo", title: "A person undoes a completed rollout: everything goes to the former stable, and what was undone is given up.",
		tale: []moment{
			deployHealthy,
			when(completed, "1h", "alice asks to undo", askFor(rollout.Undo, "", "orders are lost")),
			when(because(rollout.ReasonRolledBack), "1h", "alice asks to undo once more", ask(rollout.Undo)),
		},
		want: rollout.RolledBack, until: span("5h"),
	},
	{
		name: "undo-lost", title: "The controller dies before the write of an undo: it is sent when it is back.",
		tale: []moment{
			deployHealthy,
			when(completed, "10m", "alice asks to undo", ask(rollout.Undo)),
			during(beforeWrite, 5, "the controller dies for ten minutes", crash("10m")),
		},
		want: rollout.RolledBack,
	},
	{
		name: "undo-without-the-former-stable", title: "The former stable was deleted meanwhile: an undo is refused.",
		tale: []moment{
			deployHealthy,
			when(completed, "10m", "somebody deletes web-1", lose("web-1")),
			when(completed, "20m", "alice asks to undo", ask(rollout.Undo)),
		},
		want: rollout.Completed,
	},
}

func completed(b *teller) bool { return b.saved.Phase == rollout.Completed }
