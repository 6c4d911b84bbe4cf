package analysis

import (
	"fmt"
	"strings"
	"time"
)

// Unlimited is the limit of what has none.
const Unlimited = -1

// saturated is in how many of the newest minutes a limit must be exceeded.
const saturated = 2

// InstanceSaturation limits how close a candidate may come to the largest number
// of instances it may have, and how many requests may wait for one. Requests
// that Cloud Run refuses because no instance is free are in no other metric.
//
// It is a breach when two of the newest five complete minutes of the step exceed
// a limit.
type InstanceSaturation struct {
	// MaxPercent of the candidate's maximum number of instances may serve
	// requests; 0..100, or Unlimited.
	MaxPercent int64
	// MaxPending requests may wait for an instance; or Unlimited.
	MaxPending int64
}

// Questions asks for the candidate's instances, and for the requests that wait.
func (r InstanceSaturation) Questions(s Scope) []Question {
	if s.AttemptSince.IsZero() {
		return []Question{s.ask(Instances, s.Stable, s.preflightAfter())}
	}
	after := s.stepAfter()
	return []Question{
		s.ask(ActiveInstances, s.Candidate, after), s.ask(Pending, s.Candidate, after),
		s.ask(Instances, s.Candidate, after),
	}
}

// Preflight wants proof that stable's instances are counted.
func (r InstanceSaturation) Preflight(s Scope, answers Answers) Verdict {
	if r.unlimited(s) {
		return r.notApplicable()
	}
	a := answers.Of(Series{Instances, s.Stable})
	if a.Cause != CauseNone {
		return unknown(s.Stable, a)
	}
	if !reports(a, s.preflightAfter(), a.Through) {
		return absent(s.Stable, "instance counted in the last 30 minutes", a.Through, nil)
	}
	return Verdict{
		Outcome: Pass, Source: s.Stable.String(), Limit: r.limit(), Through: a.Through,
		Note: "instances of " + s.Stable.String() + " are counted",
	}
}

// Judge judges the candidate since the step took effect.
func (r InstanceSaturation) Judge(s Scope, answers Answers) Verdict {
	if r.unlimited(s) {
		return r.notApplicable()
	}
	e := r.evidence(s, answers)
	over, worst := 0, load{}
	v := Verdict{Source: s.Candidate.String(), Limit: r.limit(), Through: e.whole.Through, Delay: e.whole.Delay}
	for i, l := range e.complete {
		bad := r.exceeded(l, s)
		if !bad {
			v.Healthy = append(v.Healthy, l.end)
		}
		if i < len(e.complete)-recent {
			continue
		}
		if bad {
			over++
		}
		v.Stopped = !bad
		worst.active, worst.pending = max(worst.active, l.active), max(worst.pending, l.pending)
	}
	v.Value = fmt.Sprintf("%d active, %d pending", worst.active, worst.pending)
	v.Note = fmt.Sprintf("%s %s over the limit, at most %s; limit %s",
		s.Candidate, inMinutes(int64(over), min(recent, len(e.complete))), v.Value, v.Limit)
	if over >= saturated {
		v.Outcome = Breach
		return v
	}
	v.Stopped = false
	return r.told(v, s, e)
}

// told is the verdict of a step that is not in breach.
func (r InstanceSaturation) told(v Verdict, s Scope, e loads) Verdict {
	switch {
	case s.until().After(s.stepAfter()) && e.whole.Cause != CauseNone:
		return unknown(s.Candidate, e.whole)
	case r.quiet(s, e):
		return absent(s.Candidate, "instance counted", e.whole.Through, nil)
	case len(e.complete) == 0:
		v.Outcome, v.Through = Incomplete, time.Time{}
		v.Note = fmt.Sprintf("%s: first minute not arrived yet", s.Candidate)
		return v
	}
	v.Outcome = Pass
	return v
}

func (r InstanceSaturation) quiet(s Scope, e loads) bool {
	latest := s.stepAfter()
	if len(e.complete) > 0 {
		latest = e.complete[len(e.complete)-1].end
	}
	return e.whole.Through.Sub(latest) >= silence*time.Minute
}

// load is what a candidate carried in a minute.
type load struct {
	end             time.Time
	active, pending int64
}

// loads is what is known of a step.
type loads struct {
	whole    Answer
	complete []load // minutes in which the candidate's instances were counted
}

func (r InstanceSaturation) evidence(s Scope, answers Answers) loads {
	e := loads{whole: answers.Of(Series{Instances, s.Candidate})}
	for _, series := range []Series{{ActiveInstances, s.Candidate}, {Pending, s.Candidate}} {
		a := answers.Of(series)
		e.whole.Through, e.whole.Delay = earlier(e.whole.Through, a.Through), max(e.whole.Delay, a.Delay)
		if e.whole.Cause == CauseNone {
			e.whole.Cause, e.whole.Detail = a.Cause, a.Detail
		}
	}
	counted := byMinute(answers.Of(Series{Instances, s.Candidate}), every)
	active := byMinute(answers.Of(Series{ActiveInstances, s.Candidate}), every)
	pending := byMinute(answers.Of(Series{Pending, s.Candidate}), every)
	for _, end := range span(s.stepAfter(), e.whole.Through, counted) {
		e.complete = append(e.complete, load{end, active.at(end), pending.at(end)})
	}
	return e
}

func (r InstanceSaturation) exceeded(l load, s Scope) bool {
	crowded := r.MaxPercent != Unlimited && s.MaxInstances > 0 &&
		float64(l.active)*100 > float64(r.MaxPercent)*float64(s.MaxInstances)
	return crowded || r.MaxPending != Unlimited && l.pending > r.MaxPending
}

// unlimited tells whether nothing that is limited can be known.
func (r InstanceSaturation) unlimited(s Scope) bool {
	return r.MaxPending == Unlimited && (r.MaxPercent == Unlimited || s.MaxInstances <= 0)
}

func (r InstanceSaturation) notApplicable() Verdict {
	return Verdict{Outcome: NotApplicable, Note: "the candidate's maximum number of instances is not known, and pending requests are not limited"}
}

func (r InstanceSaturation) limit() string {
	var parts []string
	if r.MaxPercent != Unlimited {
		parts = append(parts, fmt.Sprintf("%d%% active", r.MaxPercent))
	}
	if r.MaxPending != Unlimited {
		parts = append(parts, fmt.Sprintf("%d pending", r.MaxPending))
	}
	return strings.Join(parts, ", ")
}
