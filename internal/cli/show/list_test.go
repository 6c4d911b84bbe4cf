package show_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/show"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// TestAListTellsOfCallsThatFail below the rollouts, of which none may need anybody.
func TestAListTellsOfCallsThatFail(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 3, 7, 0, 0, time.UTC)
	ro := v1alpha1.CloudRunRollout{}
	ro.Namespace, ro.Name = "shop", "web"
	ro.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.ConditionTrafficInSync, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonTrafficUnknown,
		Message: "Cloud Run cannot be read since Nov 26 02:58Z: 503.", LastTransitionTime: metav1.NewTime(now.Add(-9 * time.Minute)),
	}}
	text := show.List([]v1alpha1.CloudRunRollout{ro}, show.AllNamespaces, show.Screen{Reader: view.Reader{Now: now}})
	const want = "\n\nCloud Run cannot be read since Nov 26 02:58Z: 503. (shop/web since 02:58Z (9m ago); 1 of 1 rollout)\n"
	if !strings.HasSuffix(text, want) {
		t.Errorf("the list says\n%s", text)
	}
	ro.Status.Conditions[0].Status, ro.Status.Conditions[0].Reason = metav1.ConditionTrue, v1alpha1.ReasonInSync
	if text := show.List([]v1alpha1.CloudRunRollout{ro}, show.AllNamespaces, show.Screen{Reader: view.Reader{Now: now}}); strings.Contains(text, "cannot be read") {
		t.Errorf("an outage that is over is told:\n%s", text)
	}
}
