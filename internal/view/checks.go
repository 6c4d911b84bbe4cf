package view

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Breaches are the checks that are in breach and decide.
func Breaches(ro *v1alpha1.CloudRunRollout) []v1alpha1.CheckStatus {
	return slices.DeleteFunc(slices.Clone(ro.Status.Checks), func(c v1alpha1.CheckStatus) bool {
		return c.Verdict != v1alpha1.VerdictBreach || c.Mode != v1alpha1.ModeEnforce
	})
}

// Symptom tells a breach in one clause, and how long after the last shift it was noticed.
func (r Reader) Symptom(c v1alpha1.CheckStatus, after Shift) string {
	text := fmt.Sprintf("%s %s (limit %s)", c.Name, Dash(c.Value), Dash(c.Limit))
	if c.BreachedSince == nil {
		return text
	}
	return text + ", noticed " + r.Noticed(c, after)
}

// Noticed is when a breach was noticed, and how long after the last shift: minutes after
// it began, because metrics are late.
func (r Reader) Noticed(c v1alpha1.CheckStatus, after Shift) string {
	text := r.Clock(c.BreachedSince.Time)
	if gap := c.BreachedSince.Sub(after.At); !after.At.IsZero() && gap >= 0 {
		text += ", " + Span(gap) + " after the shift"
	}
	return text
}

// Verdict is what a check says, in one word, with the cause of silence and whether
// it is on trial.
func Verdict(c v1alpha1.CheckStatus) string {
	verdict := string(c.Verdict)
	if c.Mode == v1alpha1.ModeShadow {
		verdict += " (shadow)"
	}
	if c.Cause != "" {
		verdict += " (" + string(c.Cause) + ")"
	}
	return verdict
}

// Requests says how many requests a check has judged, of those that it needs; ""
// for one that counts none.
func Requests(c v1alpha1.CheckStatus) string {
	if c.Required == 0 {
		return ""
	}
	return fmt.Sprintf("%s of %s requests", Number(c.Samples), Number(c.Required))
}

// Measured is what a check measured beside what it allows.
func Measured(c v1alpha1.CheckStatus) string {
	return Dash(c.Value) + ", limit " + Dash(c.Limit)
}

// Finding is what a check says in words, how old its data are, and since when it is
// in breach.
func (r Reader) Finding(ro *v1alpha1.CloudRunRollout, c v1alpha1.CheckStatus) string {
	text := fmt.Sprintf("%s: %s", c.Verdict, cmp.Or(r.Told(c.Message), Measured(c)))
	if c.ObservedThrough != nil {
		text += "; data to " + r.At(c.ObservedThrough.Time)
	}
	if c.BreachedSince != nil {
		last, _ := LastShift(ro)
		text += "; noticed " + r.Noticed(c, last)
	}
	return text
}

// ToneOf is how much a verdict wants to be seen.
func ToneOf(c v1alpha1.CheckStatus) Tone {
	switch c.Verdict {
	case v1alpha1.VerdictBreach:
		return Alarm
	case v1alpha1.VerdictNoData, v1alpha1.VerdictUndecided, v1alpha1.VerdictInsufficient:
		return Wary
	case v1alpha1.VerdictIncomplete:
		return Busy // nothing is known yet, and that is no reason for green
	case v1alpha1.VerdictPass, v1alpha1.VerdictNotApplicable:
	}
	return Calm
}
