package rollout

import (
	"slices"
	"testing"
)

func TestARequestedRevisionIsReadUntilItIsAnswered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answered Reply
		want     bool
	}{
		"not answered":                    {Reply{}, true},
		"another one was answered":        {Reply{ID: "r0", Verb: Retry}, true},
		"another verb of that id was":     {Reply{ID: "r1", Verb: Abort}, true},
		"answered, and left where it was": {Reply{ID: "r1", Verb: Retry}, false},
	} {
		s := idle()
		s.Request = Request{ID: "r1", Verb: Retry, Step: -1, Revision: "web-9"}
		s.Progress.LastRequest = c.answered
		if got := Involved(s.Plan, s.Progress, s.Service, s.Request); slices.Contains(got, "web-9") != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestTheStableOfAClaimIsReadBeforeItIsTakenUp: whoever goes on from a claim must know whether
// the way back that it tells of is still there.
func TestTheStableOfAClaimIsReadBeforeItIsTakenUp(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]scene{
		"the status was lost":             statusLost(at(25).claimedBy(self, 3)),
		"it is of its past":               at(25).claimedBy(self, 4),
		"another one that is gone had it": idle().claimedBy(neighbour, 1),
	} {
		s.Service.Claim.Stable = "web-9"
		if got := Involved(s.Plan, s.Progress, s.Service, s.Request); !slices.Contains(got, "web-9") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
