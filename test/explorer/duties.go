package explorer

import (
	"fmt"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// takesBack: I15. Once the candidate has traffic, a breach that leads back does so
// in whatever phase, and so does a split that Cloud Run could not apply.
func (w *worker) takesBack(s *state, was, is *rollout.Progress, d *decision) string {
	asked, stable, candidate := w.lists.at(s.cloud.asked()), numberOf(was.Stable), numberOf(was.Candidate)
	unapplied := s.cloud.unapplied() && !asked.same(w.lists.at(s.cloud.effective), s.cloud.ready)
	switch {
	case s.weather != failing && !unapplied, d.accepted:
	case !active(was.Phase), candidate == 0, asked.share(candidate, s.cloud.ready) == 0:
	case s.past.owner == they, s.past.foreign, s.object.named != 0, s.cloud.revisions[stable] == lost: // a person is needed
	case is.Phase == rollout.RollingBack, is.Phase == rollout.RolledBack:
	default:
		return fmt.Sprintf("I15: %s/%s is decided, and %s does not go back", is.Phase, is.Reason, was.Candidate)
	}
	return ""
}

// stopsSomething: I5. An abort ends an attempt; where there is none it does nothing.
func stopsSomething(in rollout.Input, d rollout.Decision) string {
	p, answer := in.Progress, d.Progress.LastRequest
	left := p.Candidate != p.Stable && p.Confirmed.Of(p.Candidate) > 0
	if in.Request.Verb != rollout.Abort || answer.ID != requestID || !answer.Accepted || active(p.Phase) || left {
		return ""
	}
	return fmt.Sprintf("I5: an abort is obeyed in %s, and nothing is under way", p.Phase)
}

// waitsEnd: I16. The time of a wait neither runs while a person has paused the
// rollout nor begins anew while nothing has changed.
func waitsEnd(s sight, in rollout.Input, d rollout.Decision) string {
	was, is := in.Progress, d.Progress
	resting := was.Phase == rollout.Paused && was.Reason == rollout.ReasonPaused && in.Plan.Paused
	waits := was.Reason == rollout.MetricsUnavailable && is.Reason == rollout.MetricsUnavailable && s.weather == silent
	switch {
	case resting && is.Reason == rollout.StepDeadlineExceeded:
		return "I16: a pause that a person made uses up the time of the step"
	case waits && !was.NoDataSince.IsZero() && is.NoDataSince.After(was.NoDataSince) && is.LastRequest.ID == "":
		return "I16: the wait for data begins anew, and never ends"
	}
	return ""
}
