package controllers

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// setConditions computes all conditions from a decision. At most one of
// Reconciling and Stalled is there, and neither beside Ready=True: kstatus
// decides on the first one that it finds.
func setConditions(status *v1alpha1.CloudRunRolloutStatus, generation int64, in rollout.Input, d rollout.Decision) {
	w := writer{status, generation, in}
	message := strings.TrimSuffix(d.Note, ".") + ". " + d.Next
	reason := d.Progress.Reason
	ready, flag := readiness(d.Progress.Phase, reason)
	w.set(v1alpha1.ConditionReady, ready, string(reason), message)
	for _, abnormal := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if abnormal == flag {
			w.set(abnormal, metav1.ConditionTrue, string(reason), message)
			continue
		}
		meta.RemoveStatusCondition(&status.Conditions, abnormal)
	}
	w.accepted(d)
	w.traffic(d)
	w.metrics(d)
}

// readiness is the table of phases and reasons: whether the object is ready, and
// which abnormal condition it carries.
func readiness(phase rollout.Phase, reason rollout.Reason) (ready metav1.ConditionStatus, flag string) {
	switch {
	case phase == rollout.Completed, phase == rollout.Idle && reason == rollout.Steady:
		return metav1.ConditionTrue, ""
	case phase == rollout.RolledBack, reason == rollout.BaselineLost, reason == rollout.StateLost:
		return metav1.ConditionFalse, v1alpha1.ConditionStalled
	case phase == rollout.Idle && reason != rollout.Preparing && reason != rollout.Deploying:
		return metav1.ConditionFalse, v1alpha1.ConditionStalled
	default:
		return metav1.ConditionFalse, v1alpha1.ConditionReconciling
	}
}

// writer sets conditions of one status.
type writer struct {
	status     *v1alpha1.CloudRunRolloutStatus
	generation int64
	in         rollout.Input
}

func (w writer) set(kind string, value metav1.ConditionStatus, reason, message string) {
	setCondition(&w.status.Conditions, metav1.Condition{
		Type: kind, Status: value, Reason: reason, Message: shorten(message, v1alpha1.MaxConditionMessage),
		ObservedGeneration: w.generation, LastTransitionTime: metav1.NewTime(w.in.Now),
	})
}

// setCondition adds or replaces a condition. Unlike apimachinery's it counts
// another reason as a transition: the SINCE column answers "how long has it been
// like this?".
func setCondition(conditions *[]metav1.Condition, now metav1.Condition) {
	was := meta.FindStatusCondition(*conditions, now.Type)
	if was == nil {
		*conditions = append(*conditions, now)
		return
	}
	if was.Status == now.Status && was.Reason == now.Reason {
		now.LastTransitionTime = was.LastTransitionTime
	}
	*was = now
}

func (w writer) accepted(d rollout.Decision) {
	switch w.in.Service.Presence {
	case rollout.Found:
		if why, cure := w.in.PastKeeper(); why != "" {
			w.set(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonOwnedElsewhere, why+": "+cure)
			return
		}
		if why := d.Undeployed; why != "" {
			w.set(v1alpha1.ConditionAccepted, metav1.ConditionFalse, w.undeployed(), "spec.template is not deployed: "+why)
			return
		}
		w.set(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, "The spec is valid and the service was found.")
	case rollout.Denied:
		w.set(v1alpha1.ConditionAccepted, metav1.ConditionFalse, w.denial(), d.Note)
	case rollout.Missing:
		w.set(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonServiceNotFound, d.Note)
	case rollout.Unknown: // a failed read of the service ends the pass before
	}
}

// undeployed is why the template is not deployed: because of what stands in it, or of what
// may be done with it.
func (w writer) undeployed() string {
	if w.in.Plan.Template.IsZero() {
		return v1alpha1.ReasonInvalidSpec
	}
	return v1alpha1.ReasonNotDeployed
}

// denial is why the service may not be changed.
func (w writer) denial() string {
	if w.in.Service.Kept.Owner != "" {
		return v1alpha1.ReasonOwnedElsewhere
	}
	return v1alpha1.ReasonAccessDenied
}

func (w writer) traffic(d rollout.Decision) {
	switch {
	case w.in.Service.Presence != rollout.Found && w.in.Service.Kept.Owner == "":
		w.set(v1alpha1.ConditionTrafficInSync, metav1.ConditionUnknown, v1alpha1.ReasonTrafficUnknown, d.Note)
	case w.in.Past(): // what was seen last stands
	case d.Progress.Reason == rollout.TrafficConflict, d.Progress.Reason == rollout.BaselineUnknown:
		w.set(v1alpha1.ConditionTrafficInSync, metav1.ConditionFalse, v1alpha1.ReasonTrafficConflict, d.Note)
	case d.InSync:
		w.set(v1alpha1.ConditionTrafficInSync, metav1.ConditionTrue, v1alpha1.ReasonInSync, "Cloud Run serves "+d.Serves.String()+".")
	default:
		w.set(v1alpha1.ConditionTrafficInSync, metav1.ConditionFalse, v1alpha1.ReasonUnconfirmed, "Cloud Run serves "+d.Serves.String()+".")
	}
}

func (w writer) metrics(d rollout.Decision) {
	var missing []string
	for _, c := range d.Checks {
		if c.Verdict.Outcome == analysis.NoData {
			missing = append(missing, c.Name+": "+c.Verdict.Note)
		}
	}
	switch {
	case len(d.Checks) == 0:
		w.set(v1alpha1.ConditionMetricsAvailable, metav1.ConditionUnknown, v1alpha1.ReasonNotMeasured, "No attempt is under way.")
	case len(missing) > 0:
		w.set(v1alpha1.ConditionMetricsAvailable, metav1.ConditionFalse, v1alpha1.ReasonMetricsUnavailable, strings.Join(missing, "; "))
	case d.Progress.Reason == rollout.MetricsUnavailable:
		w.set(v1alpha1.ConditionMetricsAvailable, metav1.ConditionFalse, v1alpha1.ReasonMetricsUnavailable, d.Note)
	default:
		w.set(v1alpha1.ConditionMetricsAvailable, metav1.ConditionTrue, v1alpha1.ReasonMetricsAvailable, "Every check that applies was answered.")
	}
}
