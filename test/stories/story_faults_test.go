package stories_test

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

func onWrites(kind simulator.FaultKind) simulator.Fault {
	return simulator.Fault{Kind: kind, Operation: "services.patch"}
}

// faultStories: crashes, lost answers, late writes, and reads that fail.
var faultStories = []story{
	{
		name: "conflict-without-edit", title: "Somebody changes a tag between our read and our write: 409, read again, written anew.",
		tale: []moment{
			deployHealthy,
			during(beforeWrite, 2, "alice tags web-1 as blue", retag("web-1", "blue")),
		},
		want: rollout.Completed,
	},
	{
		name: "lost-answer", title: "The answer to every rise is lost: each is found again by what serves.",
		tale: []moment{
			deployHealthy,
			during(beforeWrite, 1, "the network loses the answer", inject(onWrites(simulator.FaultDrop))),
			during(beforeWrite, 2, "the network loses the answer", inject(onWrites(simulator.FaultDrop))),
			during(beforeWrite, 3, "the network loses the answer", inject(onWrites(simulator.FaultDrop))),
			during(beforeWrite, 4, "the network loses the answer", inject(onWrites(simulator.FaultDrop))),
		},
		want: rollout.Completed,
	},
	{
		name: "duplicated-write", title: "Every rise reaches Cloud Run twice: 409 for our own write, and what serves tells that it took effect.",
		tale: []moment{
			deployHealthy,
			during(beforeWrite, 1, "the network delivers the write twice", inject(onWrites(simulator.FaultDuplicate))),
			during(beforeWrite, 2, "the network delivers the write twice", inject(onWrites(simulator.FaultDuplicate))),
			during(beforeWrite, 3, "the network delivers the write twice", inject(onWrites(simulator.FaultDuplicate))),
			during(beforeWrite, 4, "the network delivers the write twice", inject(onWrites(simulator.FaultDuplicate))),
		},
		want: rollout.Completed,
	},
	{
		name: "duplicated-rollback", title: "The write of the way back reaches Cloud Run twice.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 5% of its requests", deploy("web-2", failing(5, 0))),
			during(beforeWrite, 2, "the network delivers the write twice", inject(onWrites(simulator.FaultDuplicate))),
		},
		want: rollout.RolledBack,
	},
	{
		name: "write-fails", title: "Cloud Run answers a rise with 503 three times.",
		tale: []moment{
			deployHealthy,
			during(beforeWrite, 2, "Cloud Run answers writes with 503, three times",
				inject(simulator.Fault{Kind: simulator.FaultError, Operation: "services.patch", Code: 503, Times: 3})),
		},
		want: rollout.Completed,
	},
	{
		name: "write-fails-for-long", title: "Cloud Run refuses every write of the way back for ten minutes.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 5% of its requests", deploy("web-2", failing(5, 0))),
			during(beforeWrite, 2, "Cloud Run answers writes with 503",
				inject(simulator.Fault{Kind: simulator.FaultError, Operation: "services.patch", Code: 503, Times: -1})),
			when(func(b *teller) bool { return b.saved.Phase == rollout.RollingBack }, "10m", "Cloud Run is well again", heal),
		},
		want: rollout.RolledBack,
	},
	{
		name: "crash-before-save", title: "The controller dies when it has decided and not yet saved.",
		tale: []moment{deployHealthy, during(beforeSave, 2, "the controller dies for a minute", crash("1m"))},
		want: rollout.Completed,
	},
	{
		name: "crash-before-write", title: "The controller dies when it has saved and not yet written.",
		tale: []moment{deployHealthy, during(beforeWrite, 2, "the controller dies for a minute", crash("1m"))},
		want: rollout.Completed,
	},
	{
		name: "crash-after-write", title: "The controller dies when it has written, before anything else.",
		tale: []moment{deployHealthy, during(afterWrite, 2, "the controller dies for an hour", crash("1h"))},
		want: rollout.Completed,
	},
	{
		name: "crash-before-pin", title: "The controller dies when it has saved that it will pin, and a deployment comes.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) { s.Services[0].Traffic = nil }},
		tale: []moment{
			during(beforeWrite, 1, "the controller dies for five minutes", crash("5m")),
			at("2m", "ci deploys web-2, and LATEST takes it to 100%", deploy("web-2")),
		},
		want: rollout.Idle, until: 20 * time.Minute,
	},
	{
		name: "crash-during-rollback", title: "The controller dies when it has saved that it goes back.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 5% of its requests", deploy("web-2", failing(5, 0))),
			during(beforeWrite, 2, "the controller dies for a minute", crash("1m")),
		},
		want: rollout.RolledBack,
	},
	{
		name: "parked-first-write", title: "The first write hangs for five minutes; meanwhile a person aborts; nothing lands.",
		tale: []moment{
			deployHealthy,
			during(beforeWrite, 1, "the network holds the write back for five minutes",
				inject(simulator.Fault{Kind: simulator.FaultPark, Operation: "services.patch", Delay: minutes(5)})),
			during(afterWrite, 1, "alice asks to abort", ask(rollout.Abort)),
		},
		want: rollout.RolledBack, until: 30 * time.Minute,
	},
	{
		name: "parked-write-lands", title: "A rise hangs for a minute, is sent again, and the first one comes too late.",
		tale: []moment{
			deployHealthy,
			during(beforeWrite, 2, "the network holds the write back for a minute",
				inject(simulator.Fault{Kind: simulator.FaultPark, Operation: "services.patch", Delay: minutes(1)})),
		},
		want: rollout.Completed,
	},
	{
		name: "parked-write-lands-after-abort", title: "A rise hangs, the controller is down, a person aborts, and the rise lands in between.",
		tale: []moment{
			deployHealthy,
			during(beforeWrite, 2, "the network holds the write back for a minute",
				inject(simulator.Fault{Kind: simulator.FaultPark, Operation: "services.patch", Delay: minutes(1)})),
			during(afterWrite, 2, "the controller dies for three minutes; alice asks to abort", all(crash("3m"), ask(rollout.Abort))),
		},
		want: rollout.RolledBack, until: time.Hour,
	},
	{
		name: "parked-rollback", title: "The write of the way back hangs for two minutes.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 5% of its requests", deploy("web-2", failing(5, 0))),
			during(beforeWrite, 2, "the network holds the write back for two minutes",
				inject(simulator.Fault{Kind: simulator.FaultPark, Operation: "services.patch", Delay: minutes(2)})),
		},
		want: rollout.RolledBack,
	},
	{
		name: "down-during-breach", title: "The controller is down for six hours, and the candidate fails meanwhile.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 4% of its requests from 40 minutes of age on",
				deploy("web-2", simulator.ErrorRate{Percent: 4, From: minutes(40)})),
			when(in(rollout.Baking, 25), "2m", "the controller is down for six hours", down("6h")),
		},
		want: rollout.RolledBack, until: 7 * time.Hour,
	},
	{
		name: "down-during-breach-that-ended", title: "The controller is down for six hours; the candidate failed for a while, hours ago.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 30% of its requests between 40 and 60 minutes of age",
				deploy("web-2", simulator.ErrorRate{Percent: 30, From: minutes(40), Until: minutes(60)})),
			when(in(rollout.Baking, 25), "2m", "the controller is down for six hours", down("6h")),
		},
		want: rollout.RolledBack, until: 7 * time.Hour,
	},
	{
		name: "down-while-healthy", title: "The controller is down for six hours and nothing was wrong: one step at a time.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "2m", "the controller is down for six hours", down("6h")),
		},
		want: rollout.Completed, until: 9 * time.Hour,
	},
	{
		name: "throttled-reads", title: "Cloud Run answers reads with 429 for a while, in the middle of a bake.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "Cloud Run answers reads with 429",
				inject(simulator.Fault{Kind: simulator.FaultError, Operation: "services.get", Code: 429, Times: 20})),
		},
		want: rollout.Completed,
	},
	{
		name: "unreadable-revisions", title: "Cloud Run answers reads of revisions with 503 for a while: absence is not concluded.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "Cloud Run answers reads of revisions with 503",
				inject(simulator.Fault{Kind: simulator.FaultError, Operation: "revisions.get", Code: 503, Times: 20})),
		},
		want: rollout.Completed,
	},
	{
		name: "unreadable-revisions-rollback", title: "No revision can be read any more, and the candidate fails: it goes back nevertheless.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 5% of its requests from 25% of the traffic on", deploy("web-2", failing(5, 25))),
			when(in(rollout.Baking, 25), "1m", "Cloud Run answers reads of revisions with 503",
				inject(simulator.Fault{Kind: simulator.FaultError, Operation: "revisions.get", Code: 503, Times: -1})),
		},
		want: rollout.RolledBack,
	},
	{
		name: "stale-reads", title: "Reads show the service as it was before our write.",
		tale: []moment{
			deployHealthy,
			during(afterWrite, 2, "the next two reads are stale",
				inject(simulator.Fault{Kind: simulator.FaultStale, Operation: "services.get", Versions: 1, Times: 2})),
			during(afterWrite, 3, "the next two reads are stale",
				inject(simulator.Fault{Kind: simulator.FaultStale, Operation: "services.get", Versions: 2, Times: 2})),
		},
		want: rollout.Completed,
	},
	{
		name: "shift-not-applied", title: "Cloud Run accepts a rise and cannot apply it: the candidate is given up.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 5), "4m", "Cloud Run can apply nothing for 20 minutes",
				inject(simulator.Fault{Kind: simulator.FaultFail, For: minutes(20)})),
		},
		want: rollout.RolledBack,
	},
	{
		name: "rollback-not-applied", title: "Cloud Run accepts the way back and cannot apply it for five minutes: it is sent again until it serves.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 5% of its requests", deploy("web-2", failing(5, 0))),
			when(in(rollout.Baking, 5), "4m", "Cloud Run can apply nothing for five minutes",
				inject(simulator.Fault{Kind: simulator.FaultFail, For: minutes(5)})),
		},
		want: rollout.RolledBack,
	},
	{
		name: "stuck-shift", title: "Cloud Run never finishes a rise: the step's time runs out and a person is asked.",
		tale: []moment{
			deployHealthy,
			during(beforeWrite, 2, "Cloud Run's reconciliation is stuck", inject(simulator.Fault{Kind: simulator.FaultStuck})),
			when(because(rollout.StepDeadlineExceeded), "30m", "alice asks to abort", ask(rollout.Abort)),
			when(func(b *teller) bool { return b.saved.Phase == rollout.RollingBack }, "5m", "Cloud Run is well again", heal),
		},
		want: rollout.RolledBack,
	},
	{
		name: "stuck-deployment", title: "Somebody's deployment takes an hour to settle in the middle of a bake.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "ci deploys web-3, which takes 30 minutes to start", deployAs("web-3", simulator.Behaviour{
				Startup: simulator.Startup{ReadyAfter: minutes(30), Fails: &simulator.StartupFailure{}},
			})),
		},
		want: rollout.Idle,
	},
	{
		name: "breach-while-unsettled", title: "The candidate fails while somebody's deployment is being applied: it is rolled back at once.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 4% of its requests from 25% of the traffic on", deploy("web-2", failing(4, 25))),
			when(in(rollout.Baking, 25), "1m", "ci deploys web-3, which takes 30 minutes to start", deployAs("web-3", simulator.Behaviour{
				Startup: simulator.Startup{ReadyAfter: minutes(30), Fails: &simulator.StartupFailure{}},
			})),
		},
		want: rollout.Idle, until: 2 * time.Hour,
	},
	{
		name: "access-lost", title: "Access to the service is taken away midway and given back.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "somebody takes away the right to read the service",
				inject(simulator.Fault{Kind: simulator.FaultError, Operation: "services.get", Code: 403, Times: -1})),
			when(because(rollout.AccessDenied), "90m", "the right is back", heal),
		},
		want: rollout.Completed,
	},
	{
		name: "access-denied-from-the-start", title: "Access to the service is denied from the start.",
		tale: []moment{
			at("0s", "nobody has given the right to read the service",
				inject(simulator.Fault{Kind: simulator.FaultError, Operation: "services.get", Code: 403, Times: -1})),
			at("20m", "the right is given", heal),
			at("30m", "ci deploys web-2, which is healthy", deploy("web-2")),
		},
		want: rollout.Completed,
	},
	{
		name: "status-lost", title: "The status is lost midway: nothing is guessed; a person names the way back.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "3m", "a restore from backup loses the status", forget),
			when(because(rollout.StateLost), "15m", "alice sets spec.stableRevision: web-1", stableTo("web-1")),
		},
		want: rollout.Idle,
	},
	{
		name: "status-lost-at-all-traffic", title: "The status is lost in the last bake: the tag betrays the attempt.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 100), "3m", "a restore from backup loses the status", forget),
			when(because(rollout.StateLost), "15m", "alice sets spec.stableRevision: web-1", stableTo("web-1")),
		},
		want: rollout.Idle,
	},
	{
		name: "status-lost-after-completion", title: "The status is lost after a rollout was completed: the tag that is still there does not tell it from one under way.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Completed, 100), "10m", "a restore from backup loses the status", forget),
			when(because(rollout.StateLost), "15m", "alice sets spec.stableRevision: web-2", stableTo("web-2")),
		},
		want: rollout.Idle,
	},
}
