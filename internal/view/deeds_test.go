package view_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// commands are the deeds that are offered of an object, and what comes of them, each in
// a line.
func commands(ro *v1alpha1.CloudRunRollout) string {
	var lines []string
	for _, d := range view.Deeds(ro) {
		lines = append(lines, d.Command+": "+d.Does)
	}
	return strings.Join(lines, "\n")
}

// stands is a rollout of service web in a phase for a reason, with further conditions.
func stands(phase v1alpha1.Phase, reason string, conditions ...metav1.Condition) *v1alpha1.CloudRunRollout {
	ro := &v1alpha1.CloudRunRollout{}
	ro.Namespace, ro.Name = "shop", "web"
	ro.Spec.Target.Service = &v1alpha1.ServiceReference{Project: "acme", Location: "europe-west1", Name: "web"}
	ro.Status.Phase, ro.Status.Stable = phase, &v1alpha1.RevisionStatus{Revision: "web-1"}
	ro.Status.Conditions = append([]metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: reason}}, conditions...)
	if phase == v1alpha1.PhaseIdle {
		ro.Status.Conditions = append(ro.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: reason})
	}
	return ro
}

// TestAdoptIsOfferedWhereItHelps: a service that another cluster claims can be taken
// over. One that Config Connector keeps cannot: it takes back what is set past it.
func TestAdoptIsOfferedWhereItHelps(t *testing.T) {
	t.Parallel()
	kept := metav1.Condition{Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonOwnedElsewhere}
	found := metav1.Condition{Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonAccepted}
	if got := commands(stands(v1alpha1.PhaseIdle, v1alpha1.ReasonOwnedElsewhere, found)); !strings.Contains(got, "kubectl sluice adopt web -n shop") {
		t.Errorf("of a service that another cluster claims: %q", got)
	}
	got := commands(stands(v1alpha1.PhaseIdle, v1alpha1.ReasonOwnedElsewhere, kept))
	if strings.Contains(got, "adopt") || !strings.Contains(got, "spec.target.runServiceRef") {
		t.Errorf("of a service that Config Connector keeps: %q", got)
	}
	of := stands(v1alpha1.PhaseIdle, v1alpha1.ReasonOwnedElsewhere, found)
	of.Spec.Target = v1alpha1.Target{RunServiceRef: &v1alpha1.RunServiceReference{Name: "web"}}
	if got := commands(of); got != "" {
		t.Errorf("of a RunService whose message says who has to let go: %q", got)
	}
}

// TestResumeIsOfferedWhereItIsHeard: not where Config Connector began to keep the service
// in the middle of a rollout, and of a RunService with what has to come first.
func TestResumeIsOfferedWhereItIsHeard(t *testing.T) {
	t.Parallel()
	kept := metav1.Condition{Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonOwnedElsewhere}
	if got := commands(stands(v1alpha1.PhasePaused, v1alpha1.ReasonTrafficConflict)); !strings.Contains(got, "resume web -n shop") || !strings.Contains(got, "abort") {
		t.Errorf("after a foreign edit: %q", got)
	}
	got := commands(stands(v1alpha1.PhasePaused, v1alpha1.ReasonTrafficConflict, kept))
	if strings.Contains(got, "resume") || !strings.Contains(got, "spec.target.runServiceRef") || !strings.Contains(got, "abort") {
		t.Errorf("of a service that Config Connector keeps: %q", got)
	}
	of := stands(v1alpha1.PhasePaused, v1alpha1.ReasonTrafficConflict)
	of.Spec.Target = v1alpha1.Target{RunServiceRef: &v1alpha1.RunServiceReference{Name: "web"}}
	if got := commands(of); !strings.Contains(got, "once nobody else owns spec.traffic") {
		t.Errorf("of a RunService: %q", got)
	}
}

// TestByHandIsNotOfferedWhereItWouldNotLast: what gcloud sets on a service that Config
// Connector keeps is taken back.
func TestByHandIsNotOfferedWhereItWouldNotLast(t *testing.T) {
	t.Parallel()
	kept := metav1.Condition{Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonOwnedElsewhere}
	if got := view.Gcloud(stands(v1alpha1.PhaseIdle, v1alpha1.ReasonOwnedElsewhere, kept)); got != "" {
		t.Errorf("offered %q", got)
	}
	if got := view.Gcloud(stands(v1alpha1.PhaseIdle, v1alpha1.ReasonOwnedElsewhere)); !strings.HasPrefix(got, "gcloud run services update-traffic web") {
		t.Errorf("offered %q of another service", got)
	}
}
