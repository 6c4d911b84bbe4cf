package show

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/request"
	"github.com/sluice-rollouts/sluice/internal/standing"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// Place is where a rollout stands, as far as a person who asks for something
// relies on it.
func Place(ro *v1alpha1.CloudRunRollout) string {
	text := view.Dash(standing.Reason(ro))
	if ro.Status.Step != "" {
		text += fmt.Sprintf(" at %s, step %s", view.Dash(ro.Status.Weight), ro.Status.Step)
	}
	if c := ro.Status.Candidate; c != nil {
		text += ", candidate " + c.Revision
	}
	return text
}

// Asking says where a rollout stands, who asks for what, and what that will do.
func Asking(ro *v1alpha1.CloudRunRollout, ask request.Ask, s Screen) string {
	who := ask.Verb
	if ask.By != "" {
		who += ", asked for by " + ask.By
	}
	text := s.wrap(view.Name(ro)+": ", Place(ro)+"; Cloud Run serves "+view.Serves(ro))
	if pending, ok := request.Pending(ro); ok {
		text += s.wrap("Not answered yet: ", fmt.Sprintf("%s by %s; this one takes its place.", view.Dash(pending.Verb), view.Dash(pending.By)))
	}
	return text + s.wrap(who+": ", Will(ro, ask.Verb, ask.Modes, ask.Revision)+".")
}

// Nameless says that a request names nobody, why, and what comes of it.
func Nameless(why error, s Screen) string {
	return s.wrap("It is not known who asks: ", fmt.Sprintf("%v. The request goes without a name, which a cluster that checks who asks refuses.", why))
}

// Answer writes the manager's answer.
func Answer(r *v1alpha1.RequestStatus, s Screen) string {
	return s.wrap(string(r.Result)+": ", view.Dash(r.Message))
}

// GoneBack tells whether Cloud Run confirms that stable serves everything.
func GoneBack(ro *v1alpha1.CloudRunRollout) bool {
	under := ro.Status.Phase == v1alpha1.PhaseRollingBack || ro.Status.Phase == v1alpha1.PhaseShifting
	return !under && ro.Status.Stable != nil && ro.Status.Stable.Percent == 100 &&
		meta.IsStatusConditionTrue(ro.Status.Conditions, v1alpha1.ConditionTrafficInSync)
}

// Confirmed says what Cloud Run confirms, and how long after the request.
func Confirmed(ro *v1alpha1.CloudRunRollout, after time.Duration) string {
	return fmt.Sprintf("Cloud Run confirms: %s serves 100%%, %s after the request.\n", ro.Status.Stable.Revision, view.Span(after))
}

// Unheard says that nobody answers, and what can be done without an answer.
func Unheard(ro *v1alpha1.CloudRunRollout, s Screen) string {
	return "No answer yet: does the manager run? The request stays and is heard when it does.\n" + s.byHand(ro)
}

// Replaced says that a request is gone that nobody had answered, and what is there
// instead.
func Replaced(ro *v1alpha1.CloudRunRollout, s Screen) string {
	text := "Not answered: somebody took the request back.\n"
	if now, ok := request.Pending(ro); ok {
		text = s.wrap("Not answered: ", fmt.Sprintf("%s by %s took the place of the request.", view.Dash(now.Verb), view.Dash(now.By)))
	} else if last := ro.Status.LastRequest; last != nil && last.ID == ro.Annotations[v1alpha1.RequestID] {
		text = s.wrap("Not answered: ", fmt.Sprintf("a later %s took its place, and was %s.", view.Dash(last.Verb), last.Result))
	}
	return text + s.byHand(ro)
}

// Unsent says that the API server has not answered, and what can be done without it.
func Unsent(ro *v1alpha1.CloudRunRollout, s Screen) string {
	return "The API server does not answer: it is not known whether it took the request.\n" + s.byHand(ro)
}

// Unconfirmed says that Cloud Run does not confirm that the traffic went back.
func Unconfirmed(ro *v1alpha1.CloudRunRollout, s Screen) string {
	return "Cloud Run has not confirmed it yet; it is tried again by itself.\n" + s.byHand(ro)
}

// byHand says what is, and how to send the traffic back without Sluice.
func (s Screen) byHand(ro *v1alpha1.CloudRunRollout) string {
	text := s.head(ro) + s.wrap("  Cloud Run serves ", view.Serves(ro)+".")
	if line := view.Gcloud(ro); line != "" {
		text += "To send all traffic to stable without Sluice:\n  " + line + "\n"
	}
	return text
}
