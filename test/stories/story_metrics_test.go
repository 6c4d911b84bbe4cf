package stories_test

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

func noDataRollsBack(p *rollout.Plan) { p.NoData.Action = rollout.Rollback }

func approvalBefore50(p *rollout.Plan) { p.Steps[2].Approval = true }

// metricStories: when the evidence is missing, late, thin or unclear.
var metricStories = []story{
	{
		name: "no-data-from-the-start", title: "Nothing reports from the start: no traffic moves, and a person is asked in the end.",
		tale: []moment{
			at("0s", "Monitoring loses everything about the service", inject(simulator.Fault{Kind: simulator.FaultGap, Metric: "run.googleapis.com/"})),
			deployHealthy,
		},
		want: rollout.Paused,
	},
	{
		name: "data-stops-and-returns", title: "Metrics stay away for twenty minutes and come back.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "Monitoring loses the service's points for 20 minutes",
				inject(simulator.Fault{Kind: simulator.FaultGap, Metric: "run.googleapis.com/", For: minutes(20)})),
		},
		want: rollout.Completed,
	},
	{
		name: "data-stops-for-good", title: "Metrics stay away for good: the rollout waits for a person.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "Monitoring loses the service's points from now on",
				inject(simulator.Fault{Kind: simulator.FaultGap, Metric: "run.googleapis.com/"})),
		},
		want: rollout.Paused,
	},
	{
		name: "data-stops-then-resumed", title: "After a pause for missing data a person resumes, and the data is back.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "Monitoring loses the service's points for 45 minutes",
				inject(simulator.Fault{Kind: simulator.FaultGap, Metric: "run.googleapis.com/", For: minutes(45)})),
			when(because(rollout.NoDataDeadlineExceeded), "20m", "alice asks to resume", ask(rollout.Resume)),
		},
		want: rollout.Completed,
	},
	{
		name: "data-stops-rolls-back", title: "Metrics stay away for good, and the plan says to roll back then.",
		plan: []func(*rollout.Plan){noDataRollsBack},
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "Monitoring loses the service's points from now on",
				inject(simulator.Fault{Kind: simulator.FaultGap, Metric: "run.googleapis.com/"})),
		},
		want: rollout.RolledBack,
	},
	{
		name: "monitoring-down", title: "Monitoring answers 503 for a quarter of an hour.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 5), "4m", "Monitoring answers 503",
				inject(simulator.Fault{Kind: simulator.FaultError, Operation: "timeSeries.list", Code: 503, Times: -1})),
			when(because(rollout.MetricsUnavailable), "15m", "Monitoring is well again", heal),
		},
		want: rollout.Completed,
	},
	{
		name: "monitoring-denied-during-breach", title: "The right to read metrics is gone while the candidate fails; it is rolled back when it returns.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 4% of its requests from 25% of the traffic on", deploy("web-2", failing(4, 25))),
			when(in(rollout.Baking, 25), "0s", "somebody takes away the right to read metrics",
				inject(simulator.Fault{Kind: simulator.FaultError, Operation: "timeSeries.list", Code: 403, Times: -1})),
			when(because(rollout.MetricsUnavailable), "20m", "the right is back", heal),
		},
		want: rollout.RolledBack,
	},
	{
		name: "partial-answers", title: "Monitoring answers only in part: no pass rests on that.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 5), "4m", "Monitoring's answers are partial",
				inject(simulator.Fault{Kind: simulator.FaultPartial, Operation: "timeSeries.list", Times: -1})),
			when(because(rollout.MetricsUnavailable), "20m", "Monitoring is well again", heal),
		},
		want: rollout.Completed,
	},
	{
		name: "partial-answers-with-breach", title: "Monitoring answers only in part, and what it shows is a breach: that counts.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 5% of its requests", deploy("web-2", failing(5, 0))),
			when(in(rollout.Baking, 5), "0s", "Monitoring's answers are partial",
				inject(simulator.Fault{Kind: simulator.FaultPartial, Operation: "timeSeries.list", Times: -1})),
		},
		want: rollout.RolledBack,
	},
	{
		name: "late-data", title: "Metrics come ten minutes late for a while: bakes take longer, none is shortened.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "2m", "points come ten minutes late, for half an hour",
				inject(simulator.Fault{Kind: simulator.FaultLate, Metric: "run.googleapis.com/", Delay: minutes(10), For: minutes(30)})),
		},
		want: rollout.Completed,
	},
	{
		name: "late-breach", title: "The points that show the breach come late: it is found in the minutes that had been silent.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 4% of its requests from 25% of the traffic on", deploy("web-2", failing(4, 25))),
			when(in(rollout.Baking, 25), "0s", "points come 15 minutes late, for half an hour",
				inject(simulator.Fault{Kind: simulator.FaultLate, Metric: "run.googleapis.com/", Delay: minutes(15), For: minutes(30)})),
		},
		want: rollout.RolledBack,
	},
	{
		name: "too-few-requests", title: "Too few requests for a verdict: a person lets one step pass, and traffic grows.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) { s.Services[0].Users.RequestsPerSecond = 0.6 }},
		tale: []moment{
			at("10m", "ci deploys web-2, which is healthy", deploy("web-2")),
			when(because(rollout.TooFewRequests), "5m", "alice approves the step", ask(rollout.Approve)),
			when(in(rollout.Baking, 25), "8m", "users come back", users(20)),
		},
		want: rollout.Completed,
	},
	{
		name: "too-few-requests-for-good", title: "Too few requests until the step's deadline: a person is asked.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) { s.Services[0].Users.RequestsPerSecond = 0.4 }},
		tale:  []moment{at("10m", "ci deploys web-2, which is healthy", deploy("web-2"))},
		want:  rollout.Paused,
	},
	{
		name: "no-requests", title: "Users stop coming: a candidate without requests and without instances says nothing.",
		tale: []moment{
			deployHealthy,
			when(in(rollout.Baking, 25), "4m", "no user comes any more", users(0)),
			when(because(rollout.MetricsUnavailable), "10m", "users come back", users(20)),
		},
		want: rollout.Completed,
	},
	{
		name: "undecided", title: "Errors a little above the limit, not certainly: the step is held and never passes.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) { s.Seed = undecidedSeed }},
		tale:  []moment{at("10m", "ci deploys web-2, which fails 1.2% of its requests", deploy("web-2", failing(1.2, 0)))},
		want:  rollout.Paused,
	},
	{
		name: "undecided-approve-refused", title: "An approval does not pass an undecided step.",
		tale: []moment{
			at("10m", "ci deploys web-2, which fails 1.4% of its requests", deploy("web-2", failing(1.4, 0))),
			when(because(rollout.HeldByAnalysis), "5m", "alice approves the step", ask(rollout.Approve)),
			when(because(rollout.HeldByAnalysis), "10m", "alice aborts", ask(rollout.Abort)),
		},
		want: rollout.RolledBack,
	},
	{
		name: "both-revisions-bad", title: "Candidate and stable fail together: going back would not cure it, so the step is held, and in the end a person is asked.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) {
			s.Services[0].Revisions[0].Behaviour = &simulator.Behaviour{Errors: []simulator.ErrorRate{sharedOutage(ageAtMidnight())}}
		}},
		tale: []moment{at("10m", "ci deploys web-2; a database that both revisions need will be down from +30m to +50m",
			deploy("web-2", sharedOutage(-10*time.Minute)))},
		want: rollout.Paused,
	},
	{
		name: "stable-has-errors-too", title: "Stable has always failed 2% of its requests; the candidate fails most of its own, and is rolled back.",
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) {
			s.Services[0].Revisions[0].Behaviour = &simulator.Behaviour{Errors: []simulator.ErrorRate{failing(2, 0)}}
		}},
		tale: []moment{at("10m", "ci deploys web-2, which fails 80% of its requests", deploy("web-2", failing(80, 0)))},
		want: rollout.RolledBack,
	},
	{
		name: "nothing-is-judged", title: "The errors check is Off and no NAT is there to be watched: nothing begins until something is judged.",
		plan: []func(*rollout.Plan){func(p *rollout.Plan) { p.Guards[0].Mode = rollout.Off }},
		tale: []moment{
			deployHealthy,
			at("20m", "alice turns the errors check on", planTo(func(p *rollout.Plan) { p.Guards[0].Mode = rollout.Enforce })),
			when(in(rollout.Baking, 25), "4m", "bob puts every check in Shadow", planTo(func(p *rollout.Plan) {
				for i := range p.Guards {
					p.Guards[i].Mode = rollout.Shadow
				}
			})),
		},
		want: rollout.Paused,
	},
	{
		name: "approval-gate", title: "A step waits for a person, however long it takes.",
		plan: []func(*rollout.Plan){approvalBefore50},
		tale: []moment{
			deployHealthy,
			when(in(rollout.AwaitingApproval, 25), "2h", "alice approves", ask(rollout.Approve)),
		},
		want: rollout.Completed,
	},
	{
		name: "approval-gate-breach", title: "The candidate begins to fail while a person is waited for.",
		plan: []func(*rollout.Plan){approvalBefore50},
		tale: []moment{at("10m", "ci deploys web-2, which fails 4% of its requests from an hour of age on",
			deploy("web-2", simulator.ErrorRate{Percent: 4, From: minutes(60)}))},
		want: rollout.RolledBack,
	},
	{
		name: "approval-gate-sudden-failure", title: "After hours of few good requests at a gate every request fails: found within minutes.",
		plan:  []func(*rollout.Plan){approvalBefore50},
		world: []func(*simulator.Scenario){func(s *simulator.Scenario) { s.Services[0].Users.RequestsPerSecond = 0.8 }},
		tale: []moment{at("10m", "ci deploys web-2, which fails all its requests from 3h40m of age on",
			deploy("web-2", simulator.ErrorRate{Percent: 100, From: minutes(220)}))},
		want: rollout.RolledBack,
	},
	{
		name: "approval-stale", title: "An approval of a step that is over is refused.",
		plan: []func(*rollout.Plan){approvalBefore50},
		tale: []moment{
			deployHealthy,
			when(in(rollout.AwaitingApproval, 25), "5m", "alice approves step 1, an old tab still open", func(b *teller) {
				ask(rollout.Approve)(b)
				b.request.Step = 1
			}),
			when(in(rollout.AwaitingApproval, 25), "10m", "alice approves", ask(rollout.Approve)),
		},
		want: rollout.Completed,
	},
}

// ageAtMidnight is how old web-1 is when the stories begin; the seed decides.
func ageAtMidnight() time.Duration {
	world, err := simulator.New(ordinaryWorld())
	if err != nil {
		panic(err)
	}
	web1, err := world.GetRevision(webName + "/revisions/web-1")
	if err != nil {
		panic(err)
	}
	return midnight.Sub(web1.CreateTime.Time)
}

// sharedOutage fails from 30 to 50 minutes after midnight, for a revision whose
// age at midnight is given.
func sharedOutage(age time.Duration) simulator.ErrorRate {
	return simulator.ErrorRate{
		Percent: 30, Code: 503, From: simulator.Duration(age + 30*time.Minute), Until: simulator.Duration(age + 50*time.Minute),
	}
}

// undecidedSeed is one of the worlds in which chance does not decide within the hour.
const undecidedSeed = 6
