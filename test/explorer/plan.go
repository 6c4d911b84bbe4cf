package explorer

import (
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const (
	stepDeadline   = 4 * tick
	noDataDeadline = 2 * tick
	breachDeadline = tick
	timeout        = time.Minute // of a request
)

// short and long are bakes of one tick and of two: the minute that is not judged
// and the metrics' delay come on top.
const (
	short = tick - settle - delay
	long  = 2*tick - settle - delay
)

// plans are the strategies between which a person switches.
var plans = [...][]rollout.Step{
	{{Weight: 10, Bake: short}, {Weight: 50, Bake: long, Approval: true}, {Weight: 100, Bake: short}},
	{{Weight: 50, Bake: short}, {Weight: 100, Bake: short}},
	{
		{Weight: 5, Bake: short},
		{Weight: 10, Bake: short},
		{Weight: 30, Bake: short},
		{Weight: 50, Bake: long},
		{Weight: 100, Bake: short, Approval: true},
	},
}

// next is the first weight of a plan above a weight, 100 after the last.
func next(steps []rollout.Step, weight int64) rollout.Step {
	for _, s := range steps {
		if s.Weight > weight {
			return s
		}
	}
	return steps[len(steps)-1]
}

// stepAt is the number of the step that a weight belongs to, 0 for none: the first one
// whose weight is not below it.
func stepAt(steps []rollout.Step, weight int64) int {
	if weight == 0 {
		return 0
	}
	n := slices.IndexFunc(steps, func(s rollout.Step) bool { return weight <= s.Weight })
	return n + 1 // the last one has 100
}

// held is the last step of a plan whose weight is not above a weight: how long that
// weight must be held.
func held(steps []rollout.Step, weight int64) rollout.Step {
	at := steps[0]
	for _, s := range steps {
		if s.Weight <= weight {
			at = s
		}
	}
	return at
}

// plan is what the object asks for, in some weather.
func plan(o object, w weather) rollout.Plan {
	guard := func(i int, g rollout.Guard) rollout.Guard {
		g.Rule, g.Mode = metrics{outcomes[w][i]}, rollout.Enforce
		return g
	}
	return rollout.Plan{
		Service:        rollout.ServiceRef{Project: "acme", Location: "asia-northeast1", Name: "web"},
		Paused:         o.paused,
		StableRevision: names[o.named],
		Template:       template(o.wants),
		Steps:          plans[o.plan],
		StepDeadline:   stepDeadline,
		Guards: []rollout.Guard{
			guard(0, rollout.Guard{Name: "errors", OnBreach: rollout.Rollback}),
			guard(1, rollout.Guard{Name: "slow", OnBreach: rollout.Hold, RollbackAfter: breachDeadline}),
		},
		NoData: rollout.NoDataPolicy{After: noDataDeadline, Action: rollout.Pause},
		Pacing: rollout.Fixed,
	}
}

// The verbs, in the order of their numbers.
const (
	noVerb verb = iota
	approve
	resume
	abort
	retry
	pause
	promote
	promoteFully
	undo
	adopt
)

var verbs = [...]rollout.Verb{
	approve: rollout.Approve, resume: rollout.Resume, abort: rollout.Abort, retry: rollout.Retry, pause: rollout.VerbPause,
	promote: rollout.Promote, promoteFully: rollout.Promote, undo: rollout.Undo, adopt: rollout.Adopt,
}

// bound tells whether a verb needs the attempt that the person looked at.
func (v verb) bound() bool { return v == approve || v == promote || v == promoteFully || v == undo }

// request is the newest verb of a person, if it was not answered yet.
func request(o object) rollout.Request {
	if o.request == noVerb {
		return rollout.Request{}
	}
	r := rollout.Request{ID: requestID, Verb: verbs[o.request], Step: int(o.step), By: "a person"}
	if o.request.bound() {
		r.Attempt = attempt
	}
	r.Full = o.request == promoteFully
	if o.late {
		r.Attempt = attempt + 1 // any other one than the newest
	}
	return r
}
