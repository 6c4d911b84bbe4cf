package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// Will writes what a verb will do to a rollout as it stands, before it is asked
// for. Whether it may is for the manager to say.
func Will(ro *v1alpha1.CloudRunRollout, verb string, modes []string, revision string) string {
	switch verb {
	case v1alpha1.VerbAbort:
		return fmt.Sprintf("%s gets all traffic in one write, and %s is not tried again until a retry", stableOf(ro), candidateOf(ro))
	case v1alpha1.VerbPause:
		return fmt.Sprintf("%s stays at %s: nothing rises until a resume, and checks still roll back", candidateOf(ro), view.Dash(ro.Status.Weight))
	case v1alpha1.VerbResume:
		return willResume(ro)
	case v1alpha1.VerbApprove:
		return willApprove(ro)
	case v1alpha1.VerbPromote:
		return willPromote(ro, modes)
	case v1alpha1.VerbRetry:
		return fmt.Sprintf("%s starts again from the first step, after the cool-down of NAT where it is watched", cmp.Or(revision, candidateOf(ro)))
	case v1alpha1.VerbUndo:
		return fmt.Sprintf("%s gets all traffic in one write, if it is ready, and %s is not tried again until a retry",
			cmp.Or(revision, view.FormerStable(ro), "the revision that was stable before"), stableOf(ro))
	case v1alpha1.VerbAdopt:
		return "the service is taken over from whoever claims it: be sure that no other Sluice moves its traffic"
	}
	return verb + " is asked for"
}

func willResume(ro *v1alpha1.CloudRunRollout) string {
	if standing.Reason(ro) == v1alpha1.ReasonTrafficConflict && ro.Status.Attempt != nil {
		return fmt.Sprintf("our split of step %s is written over the one that somebody else set: %s; its evidence is gathered anew",
			view.Dash(ro.Status.Step), splitOf(ro.Status.Attempt.Confirmed))
	}
	return fmt.Sprintf("%s goes on from step %s at %s", candidateOf(ro), view.Dash(ro.Status.Step), view.Dash(ro.Status.Weight))
}

func willApprove(ro *v1alpha1.CloudRunRollout) string {
	if ro.Status.Phase == v1alpha1.PhaseAwaitingApproval {
		if next, ok := nextStep(ro); ok {
			return fmt.Sprintf("%s may go to %d%%", candidateOf(ro), next.Weight)
		}
	}
	return fmt.Sprintf("step %s may pass with too few requests; no breach passes", view.Dash(ro.Status.Step))
}

func willPromote(ro *v1alpha1.CloudRunRollout, modes []string) string {
	text := fmt.Sprintf("the bake of step %s ends now", view.Dash(ro.Status.Step))
	switch next, ok := nextStep(ro); {
	case slices.Contains(modes, v1alpha1.ModeFull):
		text += fmt.Sprintf(", and %s gets 100%% in one write; the last bake is still guarded", candidateOf(ro))
	case ok:
		text += fmt.Sprintf(", and %s goes to %d%%", candidateOf(ro), next.Weight)
	}
	if slices.Contains(modes, v1alpha1.ModeOverride) {
		text += ", even past what the NAT gateways are known to have room for"
	}
	return text
}

// nextStep is the step after the one under way; false after the last.
func nextStep(ro *v1alpha1.CloudRunRollout) (v1alpha1.Step, bool) {
	step := view.StepNumber(ro)
	if steps := ro.Spec.Strategy.Steps; step < len(steps) {
		return steps[step], true
	}
	return v1alpha1.Step{}, false
}

func splitOf(shares []v1alpha1.Share) string {
	var parts []string
	for _, s := range slices.Backward(shares) {
		parts = append(parts, fmt.Sprintf("%s %d%%", s.Revision, s.Percent))
	}
	return strings.Join(parts, ", ")
}

func stableOf(ro *v1alpha1.CloudRunRollout) string {
	if ro.Status.Stable == nil {
		return "stable (not known yet)"
	}
	return ro.Status.Stable.Revision
}

func candidateOf(ro *v1alpha1.CloudRunRollout) string {
	if ro.Status.Candidate == nil {
		return "the candidate"
	}
	return ro.Status.Candidate.Revision
}
