package view_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// TestAStatusThatNobodyRenewsIsDoubted: frozen green is worse than an alarm. What a check
// says of its own silence is not said twice, and what nobody is exposed to need not be
// watched.
func TestAStatusThatNobodyRenewsIsDoubted(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 26, 3, 7, 0, 0, time.UTC)
	baking := func(age time.Duration) *v1alpha1.CloudRunRollout {
		through := metav1.NewTime(at.Add(-age))
		ro := &v1alpha1.CloudRunRollout{}
		ro.Status.Phase = v1alpha1.PhaseBaking
		ro.Status.Candidate = &v1alpha1.RevisionStatus{Revision: "api-2", Percent: 25}
		ro.Status.Checks = []v1alpha1.CheckStatus{{Name: "errors", ObservedThrough: &through}, {Name: "nat-drops"}}
		ro.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: "Progressing"}}
		return ro
	}
	for name, c := range map[string]struct {
		change func(*v1alpha1.CloudRunRollout)
		age    time.Duration
		want   bool
	}{
		"the newest minute there can be": {nil, 4 * time.Minute, false},
		"a minute that is late":          {nil, 14 * time.Minute, false},
		"long ago":                       {nil, 16 * time.Minute, true},
		"metrics that are missing": {func(ro *v1alpha1.CloudRunRollout) {
			ro.Status.Checks[1].Cause = v1alpha1.CauseUnavailable
		}, time.Hour, false},
		"nobody is exposed": {func(ro *v1alpha1.CloudRunRollout) { ro.Status.Candidate.Percent = 0 }, time.Hour, false},
		"it has completed": {func(ro *v1alpha1.CloudRunRollout) {
			ro.Status.Phase = v1alpha1.PhaseCompleted
			ro.Status.Conditions[0] = metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: "Completed"}
		}, time.Hour, false},
		"nothing was judged yet": {func(ro *v1alpha1.CloudRunRollout) { ro.Status.Checks = nil }, time.Hour, false},
	} {
		ro := baking(c.age)
		if c.change != nil {
			c.change(ro)
		}
		doubts := strings.Join(view.Reader{Now: at}.Doubts(ro), "; ")
		if strings.Contains(doubts, "STALE") != c.want {
			t.Errorf("%s: doubts %q", name, doubts)
		}
	}
}

// TestWhatEndsALostStateIsSaid: resume, or a name.
func TestWhatEndsALostStateIsSaid(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{v1alpha1.ReasonStateLost, v1alpha1.ReasonBaselineLost} {
		ro := &v1alpha1.CloudRunRollout{}
		ro.Status.Phase = v1alpha1.PhasePaused
		ro.Status.Conditions = []metav1.Condition{
			{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: reason},
			{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: reason},
		}
		deeds := view.Deeds(ro)
		if len(deeds) != 2 || !strings.Contains(deeds[0].Command, "resume") || !strings.Contains(deeds[1].Command, "spec.stableRevision") {
			t.Errorf("%s: %v", reason, deeds)
		}
	}
}
