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

// ofCandidate selects the candidate's requests.
const ofCandidate = `run_googleapis_com:request_count{monitored_resource="cloud_run_revision",service_name="{{service}}",revision_name="{{candidate}}"`

// refusals are the share of requests that the candidate answers with 4xx, which no built-in
// check sees.
var refusals = queryCheck(`(sum(rate(` + ofCandidate + `,response_code_class="4xx"}[5m])) or vector(0)) / sum(rate(` + ofCandidate + `}[5m]))`)

func queryCheck(promql string) func(*rollout.Plan) {
	return checking("checkout", analysis.Query{PromQL: promql, Max: analysis.Bound{Text: "0.02", Value: 0.02}}, rollout.Rollback, 0)
}

// mayQuery is what the platform team writes.
func mayQuery(why string) func(*teller) { return func(b *teller) { b.senses.NoQueries = why } }

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
	{
		name: "query-breach", title: "A query of the team's own goes over its limit, of which no built-in check knows: it is rolled back.",
		plan: []func(*rollout.Plan){refusals},
		tale: []moment{at("10m", "ci deploys web-2, which answers 400 to 20% of the requests",
			behaves(simulator.Behaviour{Errors: []simulator.ErrorRate{refusing(20, 400)}}))},
		want: rollout.RolledBack,
	},
	{
		name: "query-without-data", title: "A query reads a metric that does not exist: nothing is not zero, so the first step waits, and pauses for a person.",
		plan: []func(*rollout.Plan){queryCheck(`sum(rate(custom_googleapis_com:checkout_failures{revision="{{candidate}}"}[5m]))`)},
		tale: []moment{deployHealthy},
		want: rollout.Paused,
	},
	{
		name: "query-of-many-series", title: "A query gives a series for each revision and response code: no step passes, and it is said how to write it.",
		plan: []func(*rollout.Plan){queryCheck(`rate(run_googleapis_com:request_count{monitored_resource="cloud_run_revision",service_name="{{service}}"}[5m])`)},
		tale: []moment{deployHealthy},
		want: rollout.Paused,
	},
	{
		name: "query-without-may-query", title: "Nobody lets the namespace ask queries: nothing begins, and it is said what the platform team would write. When it is written, the rollout goes on.",
		plan: []func(*rollout.Plan){refusals},
		tale: []moment{
			at("0s", "the CloudRunAccess has no mayQuery", mayQuery("spec.mayQuery of CloudRunAccess shop is not true; the platform team would write mayQuery: true there")),
			deployHealthy,
			when(because(rollout.MetricsUnavailable), "15m", "the platform team writes mayQuery: true", mayQuery("")),
		},
		want: rollout.Completed,
	},
	{
		name: "query-forbidden-midway", title: "The platform team takes mayQuery away while the candidate fails: the query says nothing any more, and the way back is not held up by that.",
		plan: []func(*rollout.Plan){refusals},
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 20% of its requests from 25% of the traffic on", deploy("web-2", failing(20, 25))),
			when(in(rollout.Baking, 25), "0s", "the platform team takes mayQuery away", mayQuery("spec.mayQuery of CloudRunAccess shop is not true")),
		},
		want: rollout.RolledBack,
	},
}
