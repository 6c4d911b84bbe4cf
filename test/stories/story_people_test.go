package stories_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// crowd is a hundred revisions with names as long as Cloud Run lets them be.
var crowd = func() []string {
	names := []string{"web-2", "web-1"}
	for i := range 98 {
		names = append(names, fmt.Sprintf("web-%s-%02d", strings.Repeat("x", 56), i))
	}
	return names
}()

// peopleStories: what people do, meanwhile and beside.
var peopleStories = []story{
	{
		name: "foreign-split-resumed", title: "Someone sets another split: nothing is written until a person resumes; evidence starts anew.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "alice sends 10% to web-2 by hand", set("web-2", 10, "web-1", 90)),
			when(because(rollout.TrafficConflict), "20m", "alice asks to resume", ask(rollout.Resume)),
		},
		want: rollout.Completed,
	},
	{
		name: "foreign-split-aborted", title: "Someone sets another split; a person aborts over it.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "alice sends 40% to web-2 by hand", set("web-2", 40, "web-1", 60)),
			when(because(rollout.TrafficConflict), "20m", "alice asks to abort", ask(rollout.Abort)),
		},
		want: rollout.RolledBack,
	},
	{
		name: "foreign-split-put-back", title: "Someone sets another split and puts ours back.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "alice sends 10% to web-2 by hand", set("web-2", 10, "web-1", 90)),
			when(because(rollout.TrafficConflict), "5m", "alice puts 25% back", set("web-2", 25, "web-1", 75)),
			when(because(rollout.TrafficConflict), "30m", "alice asks to resume", ask(rollout.Resume)),
		},
		want: rollout.Completed,
	},
	{
		name: "foreign-split-failing", title: "A split that someone else set is failing: that is said once, and nothing is written.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 4% of its requests from 40% of the traffic on", deploy("web-2", failing(4, 40))),
			when(in(rollout.Baking, 25), "4m", "alice sends 60% to web-2 by hand", set("web-2", 60, "web-1", 40)),
			when(because(rollout.TrafficConflict), "40m", "alice asks to abort", ask(rollout.Abort)),
		},
		want: rollout.RolledBack,
	},
	{
		name: "foreign-split-between-read-and-write", title: "Someone edits the split between our read and our write: 409, and the person wins.",
		tale: []moment{
			deployHealthy,
			during(beforeWrite, 2, "alice sends 10% to web-2 by hand", set("web-2", 10, "web-1", 90)),
		},
		want: rollout.Paused,
	},
	{
		name: "foreign-third-revision", title: "Someone sends a part of the traffic to a third revision.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) {
			s.Services[0].Revisions = append(s.Services[0].Revisions, simulator.Deployment{Image: newImage, Revision: "web-0"})
		}},
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "alice sends 10% to web-0 by hand", set("web-0", 10, "web-2", 25, "web-1", 65)),
			when(because(rollout.TrafficConflict), "5m", "alice asks to resume", ask(rollout.Resume)),
		},
		want: rollout.Completed,
	},
	{
		name: "foreign-crowd-aborted", title: "Someone splits the traffic over a hundred revisions; the controller dies on the way back, and still knows that split.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) {
			for _, name := range crowd[2:] {
				s.Services[0].Revisions = append(s.Services[0].Revisions, simulator.Deployment{Image: newImage, Revision: name})
			}
		}},
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "alice sends 1% to each of a hundred revisions by hand", setEvenly(crowd)),
			when(because(rollout.TrafficConflict), "20m", "alice asks to abort", ask(rollout.Abort)),
			during(beforeWrite, 3, "the controller dies for a minute", crash("1m")),
		},
		want: rollout.RolledBack,
	},
	{
		name: "person-rolls-back", title: "Someone sends stable everything: that is a rollback, and it stays.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "alice sends web-1 everything by hand", set("web-1", 100)),
		},
		want: rollout.RolledBack,
	},
	{
		name: "person-promotes", title: "Someone sends the candidate everything: a conflict, until spec.stableRevision names it.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "alice sends web-2 everything by hand", set("web-2", 100)),
			when(because(rollout.TrafficConflict), "10m", "alice sets spec.stableRevision: web-2", stableTo("web-2")),
		},
		want: rollout.Idle,
	},
	{
		name: "person-promotes-resumed", title: "Someone sends the candidate everything; resume brings our split back.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "alice sends web-2 everything by hand", set("web-2", 100)),
			when(because(rollout.TrafficConflict), "10m", "alice asks to resume", ask(rollout.Resume)),
		},
		want: rollout.Completed,
	},
	{
		name: "person-moves-baseline-when-idle", title: "Outside an attempt someone sends another revision everything: it is the new baseline.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) {
			s.Services[0].Revisions = append(s.Services[0].Revisions, simulator.Deployment{Image: newImage, Revision: "web-0"})
		}},
		tale: []moment{
			at("10m", "alice sends web-0 everything by hand", set("web-0", 100)),
			at("30m", "ci deploys web-2, which is healthy", deploy("web-2")),
		},
		want: rollout.Completed,
	},
	{
		name: "abort-while-checking", title: "A person aborts before any traffic moved.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Checking, 0), "2s", "alice asks to abort", ask(rollout.Abort)),
		},
		want: rollout.RolledBack,
	},
	{
		name: "abort-while-shifting", title: "A person aborts while a split is taking effect.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Shifting, 5), "3s", "alice asks to abort", ask(rollout.Abort)),
		},
		want: rollout.RolledBack,
	},
	{
		name: "abort-while-baking", title: "A person aborts during a bake.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 50), "3m", "alice asks to abort", ask(rollout.Abort)),
		},
		want: rollout.RolledBack,
	},
	{
		name: "abort-while-awaiting-approval", title: "A person aborts instead of approving.",
		plan: []func(*rollout.Plan){approvalBefore50},
		tale: []moment{
			deployHealthy,
			when(in(rollout.AwaitingApproval, 25), "3m", "alice asks to abort", ask(rollout.Abort)),
		},
		want: rollout.RolledBack,
	},
	{
		name: "abort-while-held", title: "A person aborts while a threshold holds the step.",
		world: []func(*simulator.Scenario){behindNat, dropping(20, 24, 40)},
		tale: []moment{
			deployHealthy,
			when(in(rollout.Held, 5), "2m", "alice asks to abort", ask(rollout.Abort)),
		},
		want: rollout.RolledBack,
	},
	{
		name: "abort-while-paused", title: "A person aborts while spec.paused is true.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "alice sets spec.paused: true", pausedTo(true)),
			when(in(rollout.Paused, 25), "10m", "alice asks to abort", ask(rollout.Abort)),
		},
		want: rollout.RolledBack,
	},
	{
		name: "abort-while-rolling-back", title: "A person aborts while the way back is under way already.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 5% of its requests", deploy("web-2", failing(5, 0))),
			when(func(b *teller) bool { return b.saved.Phase == rollout.RollingBack }, "2s", "alice asks to abort", ask(rollout.Abort)),
		},
		want: rollout.RolledBack,
	},
	{
		name: "abort-after-the-end", title: "A person aborts when nothing runs: refused.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Completed, 100), "5m", "alice asks to abort", ask(rollout.Abort)),
		},
		want: rollout.Completed,
	},
	{
		name: "abort-during-superseding", title: "A person aborts while the way back to a newer revision's start is under way.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "5m", "ci deploys web-3, which is healthy", deploy("web-3")),
			when(func(b *teller) bool { return b.saved.Phase == rollout.RollingBack }, "2s", "alice asks to abort", ask(rollout.Abort)),
		},
		want: rollout.Completed,
	},
	{
		name: "retry", title: "After a rollback a person retries; the second attempt starts from the first step.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 5% of its requests in its first half hour",
				deploy("web-2", simulator.ErrorRate{Percent: 5, Until: minutes(30)})),
			when(in(rollout.RolledBack, 0), "20m", "alice asks to retry", ask(rollout.Retry)),
		},
		want: rollout.Completed,
	},
	{
		name: "retry-missing-revision", title: "A retry of a revision that does not exist is refused.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 5% of its requests", deploy("web-2", failing(5, 0))),
			when(in(rollout.RolledBack, 0), "20m", "alice asks to retry revision web-7", order(rollout.Retry, "web-7")),
		},
		want: rollout.RolledBack,
	},
	{
		name: "rolled-back-then-new", title: "After a rollback a new revision is rolled out by itself.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 5% of its requests", deploy("web-2", failing(5, 0))),
			when(in(rollout.RolledBack, 0), "20m", "ci deploys web-3, which is healthy", deploy("web-3")),
		},
		want: rollout.Completed,
	},
	{
		name: "paused-in-git", title: "spec.paused stops a bake and lets it go on.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "alice sets spec.paused: true", pausedTo(true)),
			when(in(rollout.Paused, 25), "40m", "alice asks to resume, which spec.paused forbids", ask(rollout.Resume)),
			when(in(rollout.Paused, 25), "90m", "alice sets spec.paused: false", pausedTo(false)),
		},
		want: rollout.Completed,
	},
	{
		name: "paused-in-git-with-breach", title: "While spec.paused is true the guards stay armed.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 4% of its requests from an hour of age on",
				deploy("web-2", simulator.ErrorRate{Percent: 4, From: minutes(60)})),
			when(in(rollout.Baking, 25), "3m", "alice sets spec.paused: true", pausedTo(true)),
		},
		want: rollout.RolledBack, until: 2 * time.Hour,
	},
	{
		name: "paused-before-the-start", title: "With spec.paused from the start nothing begins; then it does.",
		plan: []func(*rollout.Plan){func(p *rollout.Plan) { p.Paused = true }},
		tale: []moment{
			deployHealthy,
			at("40m", "alice sets spec.paused: false", pausedTo(false)),
		},
		want: rollout.Completed,
	},
	{
		name: "paused-between-decision-and-write", title: "spec.paused is set just after a rise was sent: that rise lands, no other follows.",
		tale: []moment{
			deployHealthy,
			during(afterWrite, 2, "alice sets spec.paused: true", pausedTo(true)),
		},
		want: rollout.Paused, until: 2 * time.Hour,
	},
	{
		name: "tags-of-others", title: "Other people's tags come and go; they are kept to the letter.",
		tale: []moment{
			at("5m", "alice tags web-1 as blue", retag("web-1", "blue")),
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "alice tags web-2 as green", retag("web-2", "green")),
		},
		want: rollout.Completed,
	},
	{
		name: "our-tag-taken-before", title: "Somebody else's revision carries the tag sluice-stable: it is not taken.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) {
			s.Services[0].Revisions = append(s.Services[0].Revisions, simulator.Deployment{Image: newImage, Revision: "web-0"})
		}},
		tale: []moment{
			at("5m", "alice tags web-0 as sluice-stable", retag("web-0", rollout.Tag)),
			deployHealthy,
			when(because(rollout.TrafficConflict), "10m", "alice removes the tag", set("web-1", 100)),
			when(because(rollout.TrafficConflict), "12m", "alice asks to resume", ask(rollout.Resume)),
		},
		want: rollout.Completed,
	},
	{
		name: "our-tag-moved-midway", title: "Somebody moves the tag sluice-stable to the candidate midway: stable would lose its address.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 50), "3m", "alice moves the tag sluice-stable to web-2", retag("web-2", rollout.Tag)),
		},
		want: rollout.Paused,
	},
	{
		name: "our-tag-removed-midway", title: "Somebody removes the tag sluice-stable midway; the next write sets it again.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "alice removes all tags", set("web-2", 25, "web-1", 75)),
		},
		want: rollout.Completed,
	},
}
