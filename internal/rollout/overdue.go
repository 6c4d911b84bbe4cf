package rollout

import "fmt"

// overdue takes a warm-up back whose time is over where the first step, which would
// take its tag off, cannot be sent. Nobody says whether Cloud Run lets a service
// settle, or calls a revision ready, before its minimum of instances is there; it can
// wait for them for ever.
func overdue(v view) (Decision, bool) {
	p, candidate := v.Progress, v.revision(v.Progress.Candidate)
	why := ""
	switch {
	case !p.active() || !v.carries() || v.Plan.Paused || p.Phase == Paused:
		return Decision{}, false
	case p.Warmup.Since.IsZero() && !p.Warmup.Over.IsZero(): // it was taken off, by a write that was lost
		return v.untag(v.at(Held, HeldByAnalysis, fmt.Sprintf("%s still carries the tag %s", p.Warmup.Tagged, WarmTag)).next(
			v.untilDeadline("Goes on when that is gone"))), true
	case !p.warms() || v.Now.Before(v.warmUntil()):
		return Decision{}, false
	case !v.Service.settled():
		why = v.applying("Cloud Run is still applying the tag")
	case candidate.pending():
		why = "the candidate is not ready"
	default:
		return Decision{}, false
	}
	note := fmt.Sprintf("%s did not start within %s, and %s%s", least(candidate), v.Plan.Warmup, why, candidate.lacking())
	d := v.untag(v.at(Held, HeldByAnalysis, note+"; the warm-up is taken back").next(
		v.untilDeadline("The first step begins without it when Cloud Run is done and the candidate is ready")))
	if p.Warmup.Over.IsZero() {
		d = d.tell(WarmupUnavailable, note+"; the first step is the warm-up", true)
	}
	return d, true
}

// pending tells whether a revision is there, and neither ready nor failed.
func (r Revision) pending() bool { return r.Presence == Found && r.Readiness == Pending }

// unready holds an attempt whose candidate is not ready any more since its minimum of
// instances was to be started. Were it ended, the tag would go, the revision be ready
// again, and the next attempt begin the same.
func (v view) unready() (Decision, bool) {
	w, candidate := v.Progress.Warmup, v.revision(v.Progress.Candidate)
	switch {
	case !candidate.pending() || candidate.MinInstances <= 0 || w.Since.IsZero() && w.Over.IsZero():
		return Decision{}, false
	case v.Progress.warms() && v.carries() && w.Over.IsZero():
		return v.warming(candidate), true
	}
	return v.at(Held, HeldByAnalysis, fmt.Sprintf("before the first write: revision %s is not ready yet%s",
		candidate.Name, candidate.lacking())).next(v.untilDeadline("Goes on when it is")), true
}
