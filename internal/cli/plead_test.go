package cli

import (
	"strings"
	"testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/request"
)

// TestNothingTakesThePlaceOfAnUnansweredAbort but another abort, and whoever says so.
func TestNothingTakesThePlaceOfAnUnansweredAbort(t *testing.T) {
	t.Parallel()
	carrying := func(verb string) *v1alpha1.CloudRunRollout {
		ro := &v1alpha1.CloudRunRollout{}
		ro.Annotations = request.Ask{ID: "1", Verb: verb, By: "ana@example.com"}.Annotations(ro)
		return ro
	}
	answered := carrying(v1alpha1.VerbAbort)
	answered.Status.LastRequest = &v1alpha1.RequestStatus{ID: "1"}
	for name, c := range map[string]struct {
		seen    *v1alpha1.CloudRunRollout
		asks    plea
		refused bool
	}{
		"over nothing":                    {&v1alpha1.CloudRunRollout{}, plea{verb: v1alpha1.VerbPause}, false},
		"over an abort":                   {carrying(v1alpha1.VerbAbort), plea{verb: v1alpha1.VerbPause}, true},
		"over an abort, knowing it":       {carrying(v1alpha1.VerbAbort), plea{verb: v1alpha1.VerbPause, replace: true}, false},
		"an abort over an abort":          {carrying(v1alpha1.VerbAbort), plea{verb: v1alpha1.VerbAbort}, false},
		"an abort over a promote":         {carrying(v1alpha1.VerbPromote), plea{verb: v1alpha1.VerbAbort}, false},
		"a resume over a pause":           {carrying(v1alpha1.VerbPause), plea{verb: v1alpha1.VerbResume}, false},
		"over an abort that was answered": {answered, plea{verb: v1alpha1.VerbPause}, false},
	} {
		err := c.asks.over(c.seen)
		if (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && !strings.Contains(err.Error(), "ana@example.com") {
			t.Errorf("%s: nobody is named: %v", name, err)
		}
	}
}
