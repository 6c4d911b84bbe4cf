package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// Warmup is what was done to have the candidate's own minimum of instances there
// before its first step. The zero Warmup is one that was not begun.
type Warmup struct {
	// Tagged is the revision that WarmTag was put on, or is about to be; "" once it
	// is known that none carries it. It outlives the attempt, as a tag can.
	Tagged string
	// Since is when the attempt's warm-up began, while its tag is wanted.
	Since time.Time
	// Over is since when the attempt waits for it no longer: the instances are
	// there, did not come in time, or cannot come.
	Over time.Time
}

// warms tells whether the candidate is to carry our tag until it has traffic.
func (p Progress) warms() bool {
	return p.active() && p.Phase != RollingBack && !p.Warmup.Since.IsZero() && p.Warmup.Tagged == p.Candidate
}

// carries tells whether a revision has our tag of a warm-up.
func (v view) carries() bool {
	tagged := v.Service.tagged(WarmTag)
	return tagged != "" && tagged == v.Progress.Warmup.Tagged
}

// begin sends the weight of a step that may begin. Before the first one it has the
// candidate's own minimum of instances started, where that is wanted.
func (v view) begin(step Step) Decision {
	p := v.Progress
	if d, ok := v.closed(); ok {
		return d
	}
	if !p.Warmup.Over.IsZero() || v.weight() > 0 || v.sent() > 0 || v.Plan.Warmup <= 0 && p.Warmup.Since.IsZero() {
		return v.rise(step)
	}
	candidate := v.revision(p.Candidate)
	if d, ok := v.warmed(step, candidate); ok {
		return d
	}
	if tagged := v.Service.tagged(WarmTag); tagged != "" && tagged != p.Warmup.Tagged {
		return v.tagTaken(WarmTag)
	}
	if v.carries() && p.warms() {
		return v.warming(candidate)
	}
	return v.tagCandidate(candidate)
}

// warmed goes on with the first step where the warm-up is over.
func (v view) warmed(step Step, candidate Revision) (Decision, bool) {
	w, why := v.Progress.Warmup, ""
	switch {
	case v.Plan.Warmup <= 0, v.carries() && v.Progress.warms() && candidate.Provisioned:
	case candidate.MinInstances <= 0:
		why = v.noMinimum()
	case !w.Since.IsZero() && !v.Now.Before(v.warmUntil()):
		why = fmt.Sprintf("%s did not start within %s%s", least(candidate), v.Plan.Warmup, candidate.lacking())
	default:
		return Decision{}, false
	}
	v.Progress.Warmup.Over = v.Now
	if why == "" {
		return v.rise(step), true
	}
	return v.rise(step).tell(WarmupUnavailable, why+"; the first step is the warm-up", true), true
}

// warmUntil is when the instances are waited for no longer.
func (v view) warmUntil() time.Time { return v.Progress.Warmup.Since.Add(v.Plan.Warmup) }

// noMinimum says what to add for a warm-up. The flag --min-instances is the
// revision's own minimum, --min would be the service's.
func (v view) noMinimum() string {
	ref := v.Plan.Service
	return fmt.Sprintf("%s has no minimum of instances of its own, so it cannot be warmed up: deploy with gcloud run deploy %s --region %s --min-instances 1 (template: {scaling: {minInstanceCount: 1}})",
		v.Progress.Candidate, ref.Name, ref.Location)
}

// tagCandidate puts our tag on the candidate, at unchanged percentages: Cloud Run
// starts a revision's own minimum as soon as it can be addressed. They are counted
// before, like those of a rise, and others reckon with them until the gateways have
// reported them.
func (v view) tagCandidate(candidate Revision) Decision {
	if v.Progress.Warmup.Since.IsZero() {
		if d, ok := v.noRoomToWarm(); ok {
			return d
		}
		v.Progress.Warmup.Since = v.Now
		v = v.heats(0)
	}
	v.Progress.Warmup.Tagged, candidate.Lacking = candidate.Name, "" // what it says is of the time before
	return v.write(v.warming(candidate), v.desired)
}

// warming waits until the instances are there.
func (v view) warming(candidate Revision) Decision {
	return v.at(WarmingUp, Preparing, fmt.Sprintf("%s are started before the first step%s", least(candidate), candidate.lacking())).next(
		fmt.Sprintf("Step 1/%d begins when they are there, at %s at the latest.", len(v.Plan.Steps), Clock(v.warmUntil())))
}

// least names the instances that a revision has whatever its traffic.
func least(r Revision) string {
	return fmt.Sprintf("the minimum instances of %s (%s)", r.Name, strconv.FormatInt(r.MinInstances, 10))
}

// lacking is what Cloud Run says while they are not there, as the end of a clause.
func (r Revision) lacking() string {
	if r.Lacking == "" {
		return ""
	}
	return ": " + r.Lacking
}

// noRoomToWarm holds a warm-up that the gateways cannot carry: its instances take
// ports before the first user comes.
func (v view) noRoomToWarm() (Decision, bool) {
	if !v.paces() {
		return Decision{}, false
	}
	if why := v.unforeseen(); why != "" {
		return v.noData(Check{Name: "nat", Verdict: analysis.Verdict{Note: why}}), true
	}
	c := v.course(0, 0)
	for i := range c.gateways {
		if f := c.forecast(i, 0); !f.Fits() {
			return v.claiming(c, nothing).waits(
				fmt.Sprintf("%s; the warm-up waits for room: %s", v.stands(), f), c.relief(i)), true
		}
	}
	if why := v.turn(c, 0); why != "" {
		return v.waitForTurn(c, 0, why), true
	}
	return Decision{}, false
}

// relieve takes a warm-up back where a gateway suffers before the first step: it
// may be what it suffers from. There is no second one in the attempt.
func (v view) relieve(d Decision) Decision {
	if !v.carries() {
		return d
	}
	d.Note += "; the warm-up is taken back"
	return v.untag(d)
}

// untag takes our tag off at unchanged percentages.
func (v view) untag(d Decision) Decision {
	d.Progress.Warmup.Since, d.Progress.Warmup.Over = time.Time{}, cmp.Or(d.Progress.Warmup.Over, v.Now)
	return v.write(d, v.desired)
}

// forgetsTag forgets the revision of a warm-up once it carries no tag of ours, and
// no write that would give it one can take effect any more.
func (v view) forgetsTag(d Decision) Decision {
	p := &d.Progress
	if d.Write == nil && v.Service.Presence == Found && !v.stale() && !v.carries() && len(p.unseen(v.Service.ETag)) == 0 {
		p.Warmup.Tagged = ""
	}
	return d
}

// moving forgets intents that move nothing. What they would have done is done by
// the write that follows; remembered, they would make a person's way back to the
// split before look like ours.
func (p Progress) moving() Progress {
	p.Intents = slices.DeleteFunc(slices.Clone(p.Intents), func(i Intent) bool { return i.Split.Equal(p.Confirmed) })
	return p
}
