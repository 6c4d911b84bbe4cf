package rollout

import (
	"cmp"
	"fmt"
	"time"
)

// seesGap begins the bake of a step anew where the service was changed more than once since
// it was seen last: a split of somebody else's may have come and gone, and what served then
// is no evidence for the step, nor is what a person granted on it. All of it counts against
// it still, however often that happens, and the time of the step goes on: where no bake ends
// a person is called.
func (v view) seesGap() view {
	p := v.Progress
	serves := v.weight() > 0 && !p.Effective.IsZero() && v.desired.Equal(p.Confirmed)
	if !p.active() || p.Phase == RollingBack || !serves || v.unseenChanges() < 2 {
		return v
	}
	p.ThinAccepted, p.Approved = 0, 0
	v.Progress = p.again()
	return v
}

// again begins the evidence for a step anew, and keeps what counts against it.
func (p Progress) again() Progress {
	p.Watched, p.Effective, p.Baked = cmp.Or(p.Watched, p.Effective), time.Time{}, 0
	return p
}

// seesServing dates the evidence of a split of ours that is seen to serve, and of which that
// was not known: whatever is paused then, its thresholds guard it. While the clock is wrong
// nobody knows when that is.
func (v view) seesServing() view {
	p := v.Progress
	serves := v.weight() > 0 && v.desired.Equal(p.Confirmed) && v.effective.Equal(v.desired)
	if p.active() && p.Phase != RollingBack && serves && p.Effective.IsZero() && v.skew() == "" && !v.stale() {
		v.Progress.Effective, v.Progress.Watched = v.Now, cmp.Or(p.Watched, v.Now)
	}
	return v
}

// unseenChanges is how often the service was changed since it was seen last.
func (v view) unseenChanges() int64 {
	if v.Service.Presence != Found || v.was.Generation == 0 {
		return 0
	}
	return v.Service.Generation - v.was.Generation
}

// bakesFromNow tells whether the bake that was under way begins anew with this look.
func (v view) bakesFromNow() bool {
	return v.unseenChanges() > 1 && !v.was.Effective.IsZero() && v.Progress.Effective.Equal(v.Now)
}

// tellsGap says why a bake begins anew.
func (v view) tellsGap(d Decision) Decision {
	if !v.bakesFromNow() || d.Progress.Phase != Baking {
		return d
	}
	return d.tell(Progressing, fmt.Sprintf("the bake of %s begins anew: the service was changed %d times since it was seen last",
		v.place(), v.unseenChanges()), false)
}
