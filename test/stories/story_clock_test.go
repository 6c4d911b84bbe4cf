package stories_test

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// clockJumps puts the manager's clock ahead of Cloud Run's, or behind.
func clockJumps(ahead time.Duration) func(*teller) {
	return inject(simulator.Fault{Kind: simulator.FaultSkew, Delay: simulator.Duration(ahead)})
}

// clockStories: the manager's clock is wrong for a while.
var clockStories = []story{
	{
		name: "clock-ahead-at-the-end-of-a-bake", title: "The manager's clock jumps ten minutes ahead just before a step would pass: nothing passes until it is mended.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "13m", "the manager's clock jumps ten minutes ahead", clockJumps(10*time.Minute)),
			when(because(rollout.MetricsUnavailable), "10m", "the clock is mended", heal),
		},
		want: rollout.Completed,
	},
	{
		name: "clock-behind-while-shifting", title: "The manager's clock is ten minutes behind when a split takes effect: the step begins when it is mended.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Shifting, 5), "1s", "the manager's clock falls ten minutes behind", clockJumps(-10*time.Minute)),
			when(because(rollout.MetricsUnavailable), "10m", "the clock is mended", heal),
		},
		want: rollout.Completed,
	},
	{
		name: "clock-ahead-for-long", title: "The manager's clock stays twenty minutes ahead: after onNoData.after a person is asked, and resumes once it is mended.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "5m", "the manager's clock jumps twenty minutes ahead", clockJumps(20*time.Minute)),
			when(because(rollout.NoDataDeadlineExceeded), "10m", "the clock is mended; alice asks to resume", all(heal, ask(rollout.Resume))),
		},
		want: rollout.Completed,
	},
	{
		name: "clock-ahead-of-a-breach", title: "A candidate begins to fail while the manager's clock is a minute ahead: it goes back as ever.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 5% of its requests from 25% of the traffic on", deploy("web-2", failing(5, 25))),
			when(in(rollout.Baking, 25), "2m", "the manager's clock jumps a minute ahead", clockJumps(time.Minute)),
		},
		want: rollout.RolledBack,
	},
}
