package analysis

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// Lookback is how far back the first write of an attempt looks: a witness
	// must have spoken in it, and the usual level of drops is taken from it.
	Lookback = 30 * time.Minute
	// recent is the number of newest complete minutes a NAT rule looks at.
	recent = 5
	// silence is the number of newest minutes without evidence after which a
	// check has no data. Fewer are a gap: they earn nothing and change nothing.
	silence = 3
	// catchUp is the number of newest minutes that are judged window by window
	// after nobody looked; older ones are judged as a part of the whole.
	catchUp = 24 * 60
)

// Scope says what a step's evidence is about.
type Scope struct {
	Candidate Source
	Stable    Source
	Gateways  []Source // watched NAT gateways; none: see Unwatched
	Unwatched string   // why no gateway is watched, for people
	// Pools are what the gateways have to give, as far as that is known.
	Pools map[Source]Pool

	// StepSince is the time from which the step is judged: its split in effect
	// plus the settle time. Zero before the first write.
	StepSince time.Time
	// EarlierSince is the time from which the step before it is judged, again, in
	// case its data came late. Zero in the first step.
	EarlierSince time.Time
	// EarlierUntil is when its split ceased to be the one asked for: what
	// served between it and StepSince is nobody's.
	EarlierUntil time.Time
	// SeenThrough is the newest minute of the step that was judged before; what
	// ended since then is judged as if somebody had looked each minute. Zero
	// before the first look.
	SeenThrough time.Time
	// AttemptSince is the time of the attempt's first write. Zero before it.
	AttemptSince time.Time
	// MaxInstances is the largest number of instances that the candidate may
	// have; 0 when it is not known.
	MaxInstances int64
	// Window sharpens breaches: the newest part of the step judged by itself.
	Window time.Duration
	Now    time.Time
}

// Rule is one kind of check.
type Rule interface {
	// Questions lists what the rule will want to know.
	Questions(Scope) []Question
	// Preflight judges the time before the attempt's first write: may it start?
	Preflight(Scope, Answers) Verdict
	// Judge judges the step under way.
	Judge(Scope, Answers) Verdict
}

// preflightAfter is where the look before the first write begins. A few minutes
// more than Lookback make up for the metrics' delay.
func (s Scope) preflightAfter() time.Time {
	from := s.Now
	if !s.AttemptSince.IsZero() {
		from = s.AttemptSince
	}
	return ceilMinute(from.Add(-Lookback - recent*time.Minute))
}

// stepAfter is the minute after which the step's minutes begin.
func (s Scope) stepAfter() time.Time { return ceilMinute(s.StepSince) }

// earlierAfter is the minute after which the minutes of the step before begin.
func (s Scope) earlierAfter() time.Time {
	if s.EarlierSince.IsZero() || s.EarlierSince.After(s.StepSince) {
		return s.stepAfter()
	}
	return ceilMinute(s.EarlierSince)
}

// judged tells whether a minute belongs to a step: to this one, or to the one before.
func (s Scope) judged(end time.Time) bool {
	return end.After(s.stepAfter()) || end.After(s.earlierAfter()) && !end.After(s.EarlierUntil)
}

func (s Scope) until() time.Time { return s.Now.Truncate(time.Minute) }

// ask builds a question about one series from after until now.
func (s Scope) ask(m Metric, of Source, after time.Time) Question {
	return Question{Series: Series{Metric: m, Source: of}, After: after, Until: s.until()}
}

// unknown is the verdict of an answer that is not whole.
func unknown(of Source, a Answer) Verdict {
	note := fmt.Sprintf("%s: %s", of, a.Cause)
	if a.Detail != "" {
		note += " (" + a.Detail + ")"
	}
	return Verdict{Outcome: NoData, Cause: a.Cause, Source: of.String(), Note: note}
}

// absent is the verdict of a source whose witness is silent.
func absent(of Source, what string, through time.Time, names []string) Verdict {
	note := fmt.Sprintf("%s: no %s up to %s", of, what, Clock(through))
	others := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == of.String() })
	if len(others) > 0 {
		note += "; names that do report: " + strings.Join(others, ", ")
	}
	return Verdict{Outcome: NoData, Cause: CauseAbsent, Source: of.String(), Through: through, Note: note}
}

// because names the cause of an absence more closely.
func (v Verdict) because(cause Cause) Verdict {
	v.Cause = cause
	return v
}

// Clock writes a time the way every message does: UTC, to the minute, with the
// day, because a pause may be found days later.
func Clock(t time.Time) string { return t.UTC().Format("Jan 2 15:04Z") }
