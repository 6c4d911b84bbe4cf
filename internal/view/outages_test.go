package view_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// told is a rollout whose status says something of a condition since some minutes.
func told(name string, minutes int, c metav1.Condition, checks ...v1alpha1.CheckStatus) v1alpha1.CloudRunRollout {
	ro := v1alpha1.CloudRunRollout{}
	ro.Namespace, ro.Name = "shop", name
	c.LastTransitionTime = metav1.NewTime(now.Add(-time.Duration(minutes) * time.Minute))
	ro.Status.Conditions, ro.Status.Checks = []metav1.Condition{c}, checks
	return ro
}

// TestCallsThatFailAreToldByTheRolloutsThatWait: whoever reads the same statuses is told
// the same, whichever process made the calls.
func TestCallsThatFailAreToldByTheRolloutsThatWait(t *testing.T) {
	t.Parallel()
	unread := metav1.Condition{
		Type: v1alpha1.ConditionTrafficInSync, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonTrafficUnknown,
		Message: "Cloud Run cannot be read since Nov 19 10:38Z: 503. Traffic stays as it is.",
	}
	unmeasured := metav1.Condition{Type: v1alpha1.ConditionMetricsAvailable, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonMetricsUnavailable}
	silent := v1alpha1.CheckStatus{Name: "errors", Cause: v1alpha1.CauseUnavailable, Message: "web-2: Cloud Monitoring: 503"}
	got := view.Reader{Now: now}.Outages([]v1alpha1.CloudRunRollout{
		told("later", 5, unread), told("first", 20, unread), told("web", 7, unmeasured, v1alpha1.CheckStatus{Name: "nat"}, silent), told("well", 1, metav1.Condition{}),
	})
	want := []string{
		"Cloud Run cannot be read since Nov 19 10:38Z: 503. Traffic stays as it is. (shop/first since 10:38Z (20m ago); 2 of 4 rollouts)",
		"No metrics: web-2: Cloud Monitoring: 503. (shop/web since 10:51Z (7m ago); 1 of 4 rollouts)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// TestAnAnswerIsNoOutage: that a service is not there, that nobody sent requests, and that
// no attempt is under way are answers.
func TestAnAnswerIsNoOutage(t *testing.T) {
	t.Parallel()
	missing := told("gone", 5, metav1.Condition{Type: v1alpha1.ConditionTrafficInSync, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonTrafficUnknown})
	missing.Status.Conditions = append(missing.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonServiceNotFound,
	})
	quiet := metav1.Condition{Type: v1alpha1.ConditionMetricsAvailable, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonMetricsUnavailable}
	idle := metav1.Condition{Type: v1alpha1.ConditionMetricsAvailable, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonNotMeasured}
	got := view.Reader{Now: now}.Outages([]v1alpha1.CloudRunRollout{
		missing,
		told("quiet", 5, quiet, v1alpha1.CheckStatus{Name: "errors", Cause: v1alpha1.CauseNoTraffic}),
		told("idle", 5, idle, v1alpha1.CheckStatus{Name: "errors", Cause: v1alpha1.CauseUnavailable}),
	})
	if len(got) != 0 {
		t.Errorf("told %q", got)
	}
}
