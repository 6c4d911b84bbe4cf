package stories_test

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// checking adds a check of its own beside the built-in ones.
func checking(name string, rule analysis.Rule, onBreach rollout.Action, rollbackAfter time.Duration) func(*rollout.Plan) {
	return func(p *rollout.Plan) {
		p.Guards = append(p.Guards, rollout.Guard{
			Name: name, Rule: rule, OnBreach: onBreach, RollbackAfter: rollbackAfter, Mode: rollout.Enforce,
		})
	}
}

var (
	slowCheck   = checking("slow", analysis.Latency{Percentile: 95, MaxMilliseconds: 800, MinRequests: 100}, rollout.Rollback, 0)
	clientCheck = checking("client", analysis.ClientErrors{MaxRatio: 0.05, MinRequests: 100, RelativeToStable: true}, rollout.Hold, 5*time.Minute)
	queueCheck  = checking("queue", analysis.InstanceSaturation{MaxPercent: analysis.Unlimited, MaxPending: 5}, rollout.Hold, 5*time.Minute)
)

// behaves deploys a revision that answers in some way.
func behaves(b simulator.Behaviour) func(*teller) { return deployAs("web-2", b) }

// refusing is a share of requests answered with a status of the client's making.
func refusing(percent float64, code int) simulator.ErrorRate {
	return simulator.ErrorRate{Percent: percent, Code: code}
}

// checkStories: what checks other than the built-in ones see.
var checkStories = []story{
	{
		name: "slow-candidate", title: "The candidate answers every request, eight times as slowly: it is rolled back.",
		plan: []func(*rollout.Plan){slowCheck},
		tale: []moment{at("10m", "ci deploys web-2, which takes 1.6 s", behaves(simulator.Behaviour{Latency: simulator.Duration(1600 * time.Millisecond)}))},
		want: rollout.RolledBack,
	},
	{
		name: "slow-check-and-5xx", title: "A manifest that adds one latency check still rolls back on 5xx.",
		plan: []func(*rollout.Plan){slowCheck},
		tale: []moment{at("10m", "ci deploys web-2, which is fast and fails 5% of its requests", deploy("web-2", failing(5, 0)))},
		want: rollout.RolledBack,
	},
	{
		name: "client-errors", title: "The candidate refuses a fifth of the requests with 400: held, and rolled back when it goes on.",
		plan: []func(*rollout.Plan){clientCheck},
		tale: []moment{at("10m", "ci deploys web-2, which answers 400 to 20% of the requests",
			behaves(simulator.Behaviour{Errors: []simulator.ErrorRate{refusing(20, 400)}}))},
		want: rollout.RolledBack,
	},
	{
		name: "assets-of-the-other-revision", title: "The candidate is asked for assets that only stable has: 404 is told, and is no breach.",
		plan: []func(*rollout.Plan){clientCheck},
		tale: []moment{at("10m", "ci deploys web-2, which answers 404 to 30% of the requests",
			behaves(simulator.Behaviour{Errors: []simulator.ErrorRate{refusing(30, 404)}}))},
		want: rollout.Completed,
	},
	{
		name: "requests-that-wait", title: "From half of the traffic on, requests wait for an instance of the candidate: held, and rolled back when it goes on.",
		plan: []func(*rollout.Plan){queueCheck},
		tale: []moment{at("10m", "ci deploys web-2, which has too few instances from 50% on", behaves(simulator.Behaviour{
			Pending: []simulator.Queue{{Requests: 40, Circumstances: simulator.Circumstances{AbovePercent: 50}}},
		}))},
		want: rollout.RolledBack,
	},
	{
		name: "worse-than-stable", title: "The candidate fails 0.8% of its requests, which the absolute limit lets through; compared with stable it does not pass.",
		plan: []func(*rollout.Plan){checking("regression",
			analysis.ServerErrors{MaxRatio: 0.002, MinRequests: 100, RelativeToStable: true}, rollout.Rollback, 0)},
		tale: []moment{at("10m", "ci deploys web-2, which fails 0.8% of its requests", deploy("web-2", failing(0.8, 0)))},
		want: rollout.RolledBack,
	},
}
