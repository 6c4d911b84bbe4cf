package standing_test

import (
	"testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// of lays revisions over a state.
func of(ro *v1alpha1.CloudRunRollout, stable, candidate string, latched ...string) *v1alpha1.CloudRunRollout {
	ro.Status.Stable = &v1alpha1.RevisionStatus{Revision: stable}
	ro.Status.Candidate = &v1alpha1.RevisionStatus{Revision: candidate}
	ro.Status.Attempt = &v1alpha1.Attempt{Latched: latched}
	return ro
}

func baking(stable, candidate string, latched ...string) *v1alpha1.CloudRunRollout {
	return of(state(v1alpha1.PhaseBaking, v1alpha1.ReasonProgressing, reconciling), stable, candidate, latched...)
}

func completed(revision string) *v1alpha1.CloudRunRollout {
	return of(state(v1alpha1.PhaseCompleted, v1alpha1.ReasonCompleted, ""), revision, revision)
}

func rolledBack(stable, candidate string) *v1alpha1.CloudRunRollout {
	return of(state(v1alpha1.PhaseRolledBack, v1alpha1.ReasonRolledBack, stalled), stable, candidate, candidate)
}

// TestAWaitFollowsOneRevision plays what somebody who waits sees, look by look.
func TestAWaitFollowsOneRevision(t *testing.T) {
	t.Parallel()
	remembered := baking("web-1", "web-3")
	remembered.Status.History = []v1alpha1.HistoryEntry{{Revision: "web-2"}}
	stuck := of(state(v1alpha1.PhaseIdle, v1alpha1.ReasonAccessDenied, stalled), "web-1", "")
	for name, play := range map[string]struct {
		revision string
		looks    []*v1alpha1.CloudRunRollout
		want     standing.Outcome
	}{
		"what is under way completes":                      {"", []*v1alpha1.CloudRunRollout{baking("web-1", "web-2"), completed("web-2")}, standing.Done},
		"what is under way rolls back":                     {"", []*v1alpha1.CloudRunRollout{baking("web-1", "web-2"), rolledBack("web-1", "web-2")}, standing.Failed},
		"a newer one takes its place":                      {"", []*v1alpha1.CloudRunRollout{baking("web-1", "web-2"), baking("web-1", "web-3")}, standing.Superseded},
		"it completed, and a newer one began, unseen":      {"", []*v1alpha1.CloudRunRollout{baking("web-1", "web-2"), baking("web-2", "web-3")}, standing.Done},
		"it was given up, and a newer one began, unseen":   {"", []*v1alpha1.CloudRunRollout{baking("web-1", "web-2"), baking("web-1", "web-3", "web-2")}, standing.Failed},
		"the end of the one before is not that of a named": {"web-2", []*v1alpha1.CloudRunRollout{completed("web-1")}, standing.UnderWay},
		"nor is its rollback":                              {"web-2", []*v1alpha1.CloudRunRollout{rolledBack("web-0", "web-1")}, standing.UnderWay},
		"a named one that is under way":                    {"web-2", []*v1alpha1.CloudRunRollout{baking("web-1", "web-2")}, standing.UnderWay},
		"a named one that completed":                       {"web-2", []*v1alpha1.CloudRunRollout{completed("web-2")}, standing.Done},
		"a named one that rolled back":                     {"web-2", []*v1alpha1.CloudRunRollout{rolledBack("web-1", "web-2")}, standing.Failed},
		"a named one that was stable before":               {"web-2", []*v1alpha1.CloudRunRollout{baking("web-2", "web-3")}, standing.Done},
		"a named one that was given up before":             {"web-2", []*v1alpha1.CloudRunRollout{baking("web-1", "web-3", "web-2")}, standing.Failed},
		"a named one that was superseded":                  {"web-2", []*v1alpha1.CloudRunRollout{remembered}, standing.Superseded},
		"a named one that cannot begin":                    {"web-2", []*v1alpha1.CloudRunRollout{stuck}, standing.Failed},
	} {
		wait, got := standing.Wait{Revision: play.revision}, standing.UnderWay
		for _, look := range play.looks {
			got = wait.Look(look)
		}
		if got != play.want {
			t.Errorf("%s: %v, not %v", name, got, play.want)
		}
	}
}
