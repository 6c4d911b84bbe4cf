package request_test

import (
	"maps"
	"testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/request"
)

func TestAnAskIsBoundToWhatThePersonSaw(t *testing.T) {
	t.Parallel()
	seen := &v1alpha1.CloudRunRollout{Status: v1alpha1.CloudRunRolloutStatus{Step: "2/4, 15% on the way to 25%", Attempt: &v1alpha1.Attempt{ID: 7}}}
	for verb, want := range map[string]struct{ attempt, step string }{
		v1alpha1.VerbApprove: {"7", "2"}, v1alpha1.VerbPromote: {"7", "2"},
		v1alpha1.VerbPause: {"7", ""}, v1alpha1.VerbResume: {"7", ""}, v1alpha1.VerbAbort: {"7", ""}, v1alpha1.VerbRetry: {"7", ""}, v1alpha1.VerbUndo: {"7", ""},
		v1alpha1.VerbAdopt: {"", ""},
	} {
		got := request.Ask{Verb: verb}.Annotations(seen)
		if got[v1alpha1.RequestAttempt] != want.attempt || got[v1alpha1.RequestStep] != want.step {
			t.Errorf("%s is bound to attempt %q, step %q, not to %q, %q", verb, got[v1alpha1.RequestAttempt], got[v1alpha1.RequestStep], want.attempt, want.step)
		}
	}
}

func TestAnAskLeavesNothingOfTheOneBefore(t *testing.T) {
	t.Parallel()
	annotations := map[string]string{"kept": "yes"}
	retry := request.Ask{Verb: v1alpha1.VerbRetry, Revision: "web-2", Reason: "the database is back", By: "alice", ID: "1"}
	promote := request.Ask{Verb: v1alpha1.VerbPromote, Modes: []string{v1alpha1.ModeFull, v1alpha1.ModeOverride}, By: "bob", ID: "2"}
	maps.Copy(annotations, retry.Annotations(&v1alpha1.CloudRunRollout{}))
	maps.Copy(annotations, promote.Annotations(&v1alpha1.CloudRunRollout{}))
	want := map[string]string{
		"kept": "yes", v1alpha1.RequestID: "2", v1alpha1.RequestVerb: "promote", v1alpha1.RequestAttempt: "", v1alpha1.RequestStep: "",
		v1alpha1.RequestRevision: "", v1alpha1.RequestMode: "full,override", v1alpha1.RequestReason: "", v1alpha1.RequestBy: "bob",
	}
	if !maps.Equal(annotations, want) {
		t.Errorf("the annotations are %v, not %v", annotations, want)
	}
}

func TestEachAskIsARequestOfItsOwn(t *testing.T) {
	t.Parallel()
	pause := request.Ask{Verb: v1alpha1.VerbPause}
	first, second := pause.Annotations(&v1alpha1.CloudRunRollout{}), pause.Annotations(&v1alpha1.CloudRunRollout{})
	if first[v1alpha1.RequestID] == "" || first[v1alpha1.RequestID] == second[v1alpha1.RequestID] {
		t.Errorf("two requests have the ids %q and %q", first[v1alpha1.RequestID], second[v1alpha1.RequestID])
	}
}

// TestARequestIsPendingUntilItsAnswer: the annotations stay behind when it is answered.
func TestARequestIsPendingUntilItsAnswer(t *testing.T) {
	t.Parallel()
	ro := &v1alpha1.CloudRunRollout{}
	if _, ok := request.Pending(ro); ok {
		t.Error("nobody has asked for anything")
	}
	ro.Annotations = request.Ask{ID: "2", Verb: v1alpha1.VerbAbort, By: "ana@example.com"}.Annotations(ro)
	ro.Status.LastRequest = &v1alpha1.RequestStatus{ID: "1", Verb: v1alpha1.VerbPause}
	if ask, ok := request.Pending(ro); !ok || ask.Verb != v1alpha1.VerbAbort || ask.By != "ana@example.com" || ask.ID != "2" {
		t.Errorf("pending is %+v, %t", ask, ok)
	}
	ro.Status.LastRequest.ID = "2"
	if ask, ok := request.Pending(ro); ok {
		t.Errorf("%+v was answered", ask)
	}
}
