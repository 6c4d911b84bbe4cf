package witness

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

// SavedAt is a stored status in the words of the invariants.
func SavedAt(at time.Time, s *v1alpha1.CloudRunRolloutStatus) invariants.Saved {
	e := invariants.Saved{At: invariants.At(at), Plan: int(s.ObservedGeneration), Phase: string(s.Phase), Stable: BaselineOf(s)}
	if s.LastRequest != nil {
		e.Answered, e.Accepted = s.LastRequest.ID, s.LastRequest.Result == v1alpha1.RequestAccepted
	}
	e.Told = told(s)
	a := s.Attempt
	if a == nil {
		return e
	}
	e.Generation, e.Reason, e.Attempt, e.Candidate, e.Latched = a.SeenGeneration, a.Reason, a.ID, a.Candidate, a.Latched
	e.Confirmed, e.Undated = shares(a.Confirmed), s.Phase == v1alpha1.PhaseBaking && a.EffectiveSince == nil
	if a.SparedAt != nil {
		e.Spared = a.SparedAt.UTC()
	}
	// A status that says that nothing can be read says nothing of what serves.
	if s.Phase == v1alpha1.PhaseBaking && !meta.IsStatusConditionPresentAndEqual(s.Conditions, v1alpha1.ConditionTrafficInSync, metav1.ConditionUnknown) {
		e.Serving = shares(a.Confirmed)
	}
	if i := IntentOf(a); i != nil {
		e.Intent = &invariants.Intent{Split: shares(i.Split), Etag: i.BaseEtag, Again: again(a, i)}
	}
	return e
}

// again are the etags of the writes of the same split that are announced before one.
func again(a *v1alpha1.Attempt, newest *v1alpha1.Intent) []string {
	var etags []string
	for i := range a.Intents {
		if o := &a.Intents[i]; o != newest && maps.Equal(shares(o.Split), shares(newest.Split)) {
			etags = append(etags, o.BaseEtag)
		}
	}
	return etags
}

// IntentOf is the write that an attempt announces, if it does.
func IntentOf(a *v1alpha1.Attempt) *v1alpha1.Intent {
	if a == nil {
		return nil
	}
	for i := range slices.Backward(a.Intents) {
		if a.Intents[i].BaseEtag != "" {
			return &a.Intents[i]
		}
	}
	return nil
}

// BaselineOf is the revision that a status goes back to, or "".
func BaselineOf(s *v1alpha1.CloudRunRolloutStatus) string {
	if s.Attempt == nil || s.Attempt.Baseline == nil {
		return ""
	}
	return s.Attempt.Baseline.Revision
}

func shares(list []v1alpha1.Share) invariants.Split {
	percents := invariants.Split{}
	for _, s := range list {
		percents[s.Revision] += int(s.Percent)
	}
	return percents
}
