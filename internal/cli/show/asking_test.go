package show_test

import (
	"strings"
	"testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/show"
	"github.com/sluice-rollouts/sluice/internal/request"
)

// TestWhatTookThePlaceOfARequestIsNamed: an older answer is none to what came later.
func TestWhatTookThePlaceOfARequestIsNamed(t *testing.T) {
	t.Parallel()
	answer := func(id, verb string) *v1alpha1.RequestStatus {
		return &v1alpha1.RequestStatus{ID: id, Verb: verb, Result: v1alpha1.RequestAccepted}
	}
	for name, c := range map[string]struct {
		there *request.Ask
		last  *v1alpha1.RequestStatus
		want  string
	}{
		"another one waits":                {&request.Ask{ID: "3", Verb: "pause", By: "bob@example.com"}, answer("1", "approve"), "pause by bob@example.com took the place"},
		"another one was answered":         {&request.Ask{ID: "3", Verb: "resume", By: "bob@example.com"}, answer("3", "resume"), "a later resume took its place, and was Accepted"},
		"it was taken back":                {nil, nil, "somebody took the request back"},
		"it was taken back, after another": {nil, answer("1", "approve"), "somebody took the request back"},
	} {
		ro := &v1alpha1.CloudRunRollout{}
		ro.Status.LastRequest = c.last
		if c.there != nil {
			ro.Annotations = c.there.Annotations(ro)
		}
		if got := show.Replaced(ro, show.Screen{}); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
