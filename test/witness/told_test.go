package witness

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

func TestWhatAStatusTellsPeopleOfWhatServes(t *testing.T) {
	t.Parallel()
	says := func(status metav1.ConditionStatus, message string) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionTrafficInSync, Status: status, Message: message}}
	}
	for name, c := range map[string]struct {
		status v1alpha1.CloudRunRolloutStatus
		want   []invariants.Split
	}{
		"nothing before the first look": {v1alpha1.CloudRunRolloutStatus{Weight: "5%"}, nil},
		"nothing while nothing can be read": {v1alpha1.CloudRunRolloutStatus{
			Weight: "5%", Candidate: &v1alpha1.RevisionStatus{Revision: "web-2", Percent: 5}, Conditions: says(metav1.ConditionUnknown, ""),
		}, nil},
		"the percents, the weight and the words, whether or not they agree": {v1alpha1.CloudRunRolloutStatus{
			Phase: v1alpha1.PhaseShifting, Weight: "5%",
			Stable: &v1alpha1.RevisionStatus{Revision: "web-1", Percent: 90}, Candidate: &v1alpha1.RevisionStatus{Revision: "web-2", Percent: 10},
			Conditions: says(metav1.ConditionFalse, "Cloud Run serves web-2 25%, 7 others 5%, web-1 70%."),
		}, []invariants.Split{{"web-1": 90, "web-2": 10}, {"web-2": 5}, {"web-2": 25, "web-1": 70}}},
		"nothing in other words": {v1alpha1.CloudRunRolloutStatus{
			Conditions: says(metav1.ConditionFalse, "someone else set traffic to web-2 5%, web-1 95%"),
		}, []invariants.Split{{}, nil, nil}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, SavedAt(time.Time{}, &c.status).Told); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
