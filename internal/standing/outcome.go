package standing

import (
	"slices"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Outcome is how a rollout ended for somebody who waits for it.
type Outcome int

// The outcomes.
const (
	// UnderWay has not ended.
	UnderWay Outcome = iota
	// Done completed, or had nothing to do.
	Done
	// Failed rolled back, or is stuck.
	Failed
	// Waits waits for a person.
	Waits
	// Superseded made way for a newer revision.
	Superseded
)

// Wait follows one rollout until it ends. Its zero value follows what is under
// way at the first look.
type Wait struct {
	// Revision is the revision to wait for, "" for any. It is waited for until it
	// was seen, and its own end counts.
	Revision string

	following string // the candidate that was under way at the first look
}

// Look judges the rollout as it stands.
func (w *Wait) Look(ro *v1alpha1.CloudRunRollout) Outcome {
	standing := Of(ro)
	if standing == NotSeen {
		return UnderWay
	}
	if w.Revision != "" {
		return lookFor(w.Revision, ro)
	}
	candidate := candidateOf(ro)
	if w.following != "" && candidate != w.following {
		return left(w.following, ro)
	}
	if outcome := ended(standing); outcome != UnderWay {
		return outcome
	}
	w.following = candidate
	return UnderWay
}

// lookFor judges the rollout for one revision.
func lookFor(revision string, ro *v1alpha1.CloudRunRollout) Outcome {
	standing := Of(ro)
	switch {
	case candidateOf(ro) == revision:
		return ended(standing)
	case seen(revision, ro):
		return left(revision, ro)
	case standing == Stuck: // it will not begin by itself either
		return Failed
	}
	return UnderWay
}

// ended is the outcome of a standing.
func ended(s Standing) Outcome {
	switch s {
	case Settled:
		return Done
	case RolledBack, Stuck:
		return Failed
	case NeedsPerson:
		return Waits
	case Failing, GoingBack, Waiting, Moving, NotSeen:
	}
	return UnderWay
}

// left is the outcome of a revision that is the candidate no longer.
func left(revision string, ro *v1alpha1.CloudRunRollout) Outcome {
	s := &ro.Status
	switch {
	case s.Stable != nil && s.Stable.Revision == revision:
		return Done
	case s.Attempt != nil && slices.Contains(s.Attempt.Latched, revision):
		return Failed
	}
	return Superseded
}

// seen tells whether the status remembers a revision.
func seen(revision string, ro *v1alpha1.CloudRunRollout) bool {
	s := &ro.Status
	if s.Stable != nil && s.Stable.Revision == revision {
		return true
	}
	if s.Attempt != nil && slices.Contains(s.Attempt.Latched, revision) {
		return true
	}
	return slices.ContainsFunc(s.History, func(h v1alpha1.HistoryEntry) bool { return h.Revision == revision })
}

func candidateOf(ro *v1alpha1.CloudRunRollout) string {
	if ro.Status.Candidate == nil {
		return ""
	}
	return ro.Status.Candidate.Revision
}
