package show

import (
	"fmt"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// Turn writes where a rollout stands in one line, what there is to doubt about that, and
// a key that changes only when somebody who follows it should hear of it again.
func Turn(ro *v1alpha1.CloudRunRollout, s Screen) (key, text, doubts string) {
	step, _, _ := strings.Cut(ro.Status.Step, ",")
	candidate := ""
	if ro.Status.Candidate != nil {
		candidate = ro.Status.Candidate.Revision
	}
	reason := view.Dash(standing.Reason(ro))
	_, stale := s.Stale(ro)
	key = fmt.Sprint(candidate, step, ro.Status.Weight, reason, standing.Of(ro) == standing.NotSeen, stale)
	sign := s.Mark(ro).Sign
	return key, s.wrap(fmt.Sprintf("%s  %s %-5s %-5s %s  ", s.Clock(s.Now), sign, view.Dash(step), view.Dash(ro.Status.Weight), reason),
		s.Cause(ro)+". "+s.Next(ro)), s.doubts("Note: ", ro)
}

// Ending says how a rollout ended for somebody who waited for it, or for a
// revision.
func Ending(ro *v1alpha1.CloudRunRollout, o standing.Outcome, revision string) string {
	what := view.Name(ro)
	if revision != "" {
		what += ", revision " + revision
	}
	switch o {
	case standing.Done:
		return what + ": done\n"
	case standing.Failed:
		if standing.Of(ro) == standing.Stuck {
			return what + ": stuck until somebody changes something\n"
		}
		return what + ": rolled back\n"
	case standing.Waits:
		return what + ": waits for a person\n"
	case standing.Superseded:
		return what + ": superseded by a newer revision\n"
	case standing.UnderWay:
	}
	return what + ": still under way\n"
}
