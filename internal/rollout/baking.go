package rollout

import (
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// baking is what the step still waits for, after some healthy minutes.
func (v view) baking(minutes, needed int, through time.Time) analysis.Bake {
	return analysis.Bake{
		Since: v.Progress.Effective, Through: through, Needed: needed - minutes,
		Timeout: v.revision(v.Progress.Candidate).Timeout, Delay: v.lateness(),
	}
}

// lateness is how long after its end a minute can be judged by every check.
func (v view) lateness() time.Duration {
	delay := time.Duration(0)
	for _, c := range v.checks {
		if c.judges() {
			delay = max(delay, c.Verdict.Delay)
		}
	}
	return delay
}

// toBake says what a step waits for whose split serves only now: nothing before that is
// its evidence.
func (v view) toBake() string {
	needed := v.Plan.step(v.Progress.Step).minutes()
	b := v.baking(0, needed, time.Time{})
	return fmt.Sprintf("Bakes for %s%s%s.", minutesOf(needed, "complete, healthy"), v.earliest("until", b.Earliest()), v.afterBake())
}

// unbaked says until when the step must still bake, or "".
func (v view) unbaked(minutes int, through time.Time) string {
	needed := v.Plan.step(v.Progress.Step).minutes()
	b := v.baking(minutes, needed, through)
	if b.Needed > 0 {
		return fmt.Sprintf("Needs %s%s%s.", minutesOf(b.Needed, "more healthy"), v.earliest("until", b.Earliest()), v.afterBake())
	}
	if through.Before(b.Hung()) {
		return fmt.Sprintf("Waits for evidence up to %s%s: a hung request is counted when it ends%s.",
			Clock(b.Hung()), v.earliest("until", b.Earliest()), v.afterBake())
	}
	return ""
}

// earliest says when a wait for evidence can end, as a part of a sentence. It says
// nothing of a split of which nobody knows since when it serves.
func (v view) earliest(preposition string, at time.Time) string {
	if v.Progress.Effective.IsZero() {
		return ""
	}
	return fmt.Sprintf(", %s %s at the earliest", preposition, Clock(at))
}

// afterBake names what the bake leads to.
func (v view) afterBake() string {
	n := v.Plan.after(v.weight())
	if n == 0 {
		return ", then the rollout is complete"
	}
	if v.Plan.step(n).Approval {
		return ", then a person must approve"
	}
	return fmt.Sprintf(", then shifts to %d%%", v.Plan.step(n).Weight)
}

// untilReported says how long an inserted weight is held: until every check and every
// gateway has told of a minute of it.
func (v view) untilReported(minutes int, through time.Time) string {
	b := v.baking(0, 1, through)
	if minutes > 0 { // a gateway is waited for
		b.Through = time.Time{}
	}
	for _, g := range v.scope.Gateways {
		b.Delay = max(b.Delay, v.Answers.Of(analysis.Series{Metric: analysis.AllocatedPorts, Source: g}).Delay)
	}
	return fmt.Sprintf("Held until a complete, healthy minute of it is reported%s; then rises as far as the gateways have room, at most to %d%%.",
		v.earliest("at", b.Reported()), v.Plan.step(v.Progress.Step).Weight)
}

// minutesOf writes a number of minutes.
func minutesOf(minutes int, kind string) string {
	if minutes == 1 {
		return "1 " + kind + " minute"
	}
	return fmt.Sprintf("%d %s minutes", minutes, kind)
}
