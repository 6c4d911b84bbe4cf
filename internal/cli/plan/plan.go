// Package plan tells beforehand how a rollout will go: its steps, how long each
// takes at least, and what each asks of a NAT gateway. It is pure.
package plan

import (
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// Plan is how a rollout will go if everything is healthy and nobody is waited for.
type Plan struct {
	Steps []Step
	// Delay is how late the metrics are that each step waits for.
	Delay time.Duration
	// Total is how long it takes from the first write to the end.
	Total time.Duration
	// Assumes says what is forecast otherwise than the manager will, in sentences.
	Assumes []string
	// Calendar has the windows in which traffic rises; nil where it always may.
	Calendar *Calendar
}

// Step is a weight, planned or inserted.
type Step struct {
	Number   int // of the plan, counted from 1; 0 for an inserted weight
	Weight   int32
	Bake     time.Duration
	Approval bool // a person is waited for before it, for as long as it takes
	// Starts is when it begins, from the first write on; Takes is how long it lasts.
	Starts, Takes time.Duration
	// Opens is when the window opens that it waits for; the zero time where it need not.
	Opens time.Time
	// Forecasts are what it asks of each gateway; before an inserted weight also what
	// the planned one would. Empty where nothing is forecast.
	Forecasts []Forecast
	// Verdict is what comes of the forecasts.
	Verdict Verdict
}

// Forecast is what a weight asks of a gateway, in words.
type Forecast struct {
	Weight  int32
	Verdict Verdict
	Text    string
}

// Verdict is what a forecast says of a weight.
type Verdict int

// The verdicts.
const (
	// Unknown: nothing was forecast.
	Unknown Verdict = iota
	// Fits: every gateway has room.
	Fits
	// Waits: one has not, so that a smaller weight comes first, or none.
	Waits
	// Exceeds: one has not, and the pacing does not care.
	Exceeds
)

// Of plans a rollout whose defaults are filled in, and which begins as soon after a time
// as its windows let it. Without a scene nothing is forecast.
func Of(ro *v1alpha1.CloudRunRollout, scene *Scene, now time.Time) Plan {
	p := planner{plan: Plan{Delay: delayOf(ro), Calendar: newCalendar(ro.Spec.Strategy.Windows, now)}}
	if scene != nil {
		p.world = newWorld(*scene, ro)
		p.plan.Assumes = p.world.assumes()
	}
	for i, step := range ro.Spec.Strategy.Steps {
		p.add(i+1, step)
	}
	p.plan.Total = p.now
	if c := p.plan.Calendar; c != nil && p.plan.stuck() < 0 {
		c.Ends = c.Begins.Add(p.now)
	}
	return p.plan
}

// delayOf is after how long every metric that the checks wait for has surely arrived:
// those of a revision, of its gateways where NAT is watched, and of what queries read.
func delayOf(ro *v1alpha1.CloudRunRollout) time.Duration {
	delay := analysis.Requests.Delay()
	if ro.Spec.NAT.Discovery != v1alpha1.DiscoveryOff {
		delay = max(delay, analysis.DroppedPackets.Delay())
	}
	for _, c := range ro.Spec.Analysis.Checks {
		if c.Query.PromQL != "" && c.Mode == v1alpha1.ModeEnforce { // nothing waits for one on trial
			delay = max(delay, analysis.Value.Delay())
		}
	}
	return delay
}

// planner adds steps to a plan.
type planner struct {
	plan  Plan
	world *world // nil where nothing is forecast
	now   time.Duration
}

// add plans a step, and what must come before it for a gateway's sake.
func (p *planner) add(number int, step v1alpha1.Step) {
	bake := lengthOf(step.Bake)
	planned := Step{
		Number: number, Weight: step.Weight, Bake: bake, Approval: step.Approval == v1alpha1.ApprovalRequired,
		Takes: since(p.bake(int(bake / time.Minute)).Earliest()),
	}
	if p.world != nil {
		planned = p.makeRoom(planned)
	}
	p.put(planned)
}

// bake is what a step waits for whose split begins to serve at the Unix epoch, and so
// with a minute: how long it takes depends on nothing else. Nobody knows the timeout of
// the candidate's requests.
func (p *planner) bake(needed int) analysis.Bake {
	return analysis.Bake{Since: time.Unix(0, 0), Needed: needed, Delay: p.plan.Delay}
}

// since is how long after its beginning a bake ends.
func since(end time.Time) time.Duration { return end.Sub(time.Unix(0, 0)) }

// put adds a step where the one before ends, or where a window opens after that.
func (p *planner) put(s Step) {
	if s.Opens = p.plan.Calendar.opens(p.now); !s.Opens.IsZero() {
		p.now = s.Opens.Sub(p.plan.Calendar.Begins)
	}
	s.Starts = p.now
	p.now += s.Takes
	p.plan.Steps = append(p.plan.Steps, s)
}

// makeRoom inserts what fits before a step that does not, and the wait until what
// lingers is gone, as the manager does.
func (p *planner) makeRoom(s Step) Step {
	w := p.world
	for {
		forecasts, fits := w.forecast(int64(s.Weight))
		s.Forecasts, s.Verdict = forecasts, Fits
		switch {
		case fits:
			w.rise(int64(s.Weight))
			return s
		case w.fixed:
			s.Verdict = Exceeds
			w.rise(int64(s.Weight))
			return s
		}
		safe := w.largest(int64(s.Weight))
		if safe > 0 {
			less, _ := w.forecast(safe)
			p.put(Step{Weight: int32(safe), Takes: since(p.bake(1).Reported()), Forecasts: append(forecasts, less...), Verdict: Fits}) //nolint:gosec // a percent
			w.rise(safe)
		}
		freed := w.settle()
		if safe == 0 && !freed {
			s.Verdict = Waits
			return s
		}
		if freed {
			p.now += lingers
		}
	}
}

// lengthOf reads a duration that the schema has checked.
func lengthOf(d v1alpha1.Duration) time.Duration {
	length, err := time.ParseDuration(string(d))
	if err != nil {
		return 0
	}
	return length
}
