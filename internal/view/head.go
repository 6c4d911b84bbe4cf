package view

import (
	"fmt"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// Headline says what is, at which weight and step, and since when.
func (r Reader) Headline(ro *v1alpha1.CloudRunRollout) string {
	ready := standing.Ready(ro)
	line := Dash(ready.Reason)
	if standing.Of(ro) != standing.Settled && ro.Status.Weight != "" {
		line += " at " + ro.Status.Weight
	}
	if ro.Status.Step != "" {
		line += ", step " + ro.Status.Step
	}
	if !ready.LastTransitionTime.IsZero() {
		line += ", since " + r.At(ready.LastTransitionTime.Time)
	}
	return line
}

// Doubts says what makes the status less than the whole truth.
func (r Reader) Doubts(ro *v1alpha1.CloudRunRollout) []string {
	var doubts []string
	if seen := ro.Status.ObservedGeneration; ro.Status.Phase != "" && seen < ro.Generation {
		doubts = append(doubts, fmt.Sprintf("the spec has changed (generation %d) and this still tells of generation %d: "+
			"if it stays so for minutes, see whether the manager runs.", ro.Generation, seen))
	}
	if text := r.unwatched(ro); text != "" {
		doubts = append(doubts, text)
	}
	if ro.DeletionTimestamp != nil {
		doubts = append(doubts, "deleted "+r.At(ro.DeletionTimestamp.Time)+"; it goes when traffic is released.")
	}
	return doubts
}

// stale is how old the newest evidence may be before somebody should wonder: the latest
// metrics are there after five minutes, and are judged once a minute.
const stale = 15 * time.Minute

// AskManager is how a person sees whether a manager runs.
const AskManager = "see whether a manager runs (kubectl get lease,pods -n sluice-system)"

// unwatched says that nobody seems to watch a candidate that serves users; "" where that
// is not so.
func (r Reader) unwatched(ro *v1alpha1.CloudRunRollout) string {
	since, is := r.Stale(ro)
	if !is {
		return ""
	}
	text := "STALE: nothing was judged since " + r.At(since) + ", and this is what was known then: "
	if due, waited := r.overdue(ro); waited {
		text = "STALE: it was to pause or go back at " + r.At(due) + " and has not; nothing was judged since " + r.At(since) + ": "
	}
	return text + AskManager + ". " + ro.Status.Candidate.Revision + " serves users meanwhile."
}

// Stale doubts that anybody watches a candidate that serves users: nothing newer than
// some minutes was judged, and the status does not tell of missing metrics, or does and
// what it was to lead to is long over. It returns since when nothing was judged.
func (r Reader) Stale(ro *v1alpha1.CloudRunRollout) (since time.Time, is bool) {
	candidate, newest := ro.Status.Candidate, newestEvidence(ro)
	under := standing.Of(ro) != standing.Settled && standing.Of(ro) != standing.RolledBack
	if !under || candidate == nil || candidate.Percent == 0 || newest.IsZero() || r.Now.Sub(newest) < stale {
		return time.Time{}, false
	}
	if _, over := r.overdue(ro); tellsOfSilence(ro) && !over {
		return time.Time{}, false
	}
	return newest, true
}

// newestEvidence is the end of the newest minute that a check has judged, or the last
// shift, whose evidence is still to come.
func newestEvidence(ro *v1alpha1.CloudRunRollout) time.Time {
	last, _ := LastShift(ro)
	newest := last.At
	for _, c := range ro.Status.Checks {
		if c.ObservedThrough != nil && c.ObservedThrough.After(newest) {
			newest = c.ObservedThrough.Time
		}
	}
	return newest
}

// tellsOfSilence tells whether a check says itself that it has no data.
func tellsOfSilence(ro *v1alpha1.CloudRunRollout) bool {
	return slices.ContainsFunc(ro.Status.Checks, func(c v1alpha1.CheckStatus) bool { return c.Cause != "" })
}

// overdue tells of a rollout without data whether the deadline that it names is over for
// so long that somebody who watches it would have acted.
func (r Reader) overdue(ro *v1alpha1.CloudRunRollout) (due time.Time, over bool) {
	due, ok := standing.Due(ro)
	return due, ok && tellsOfSilence(ro) && r.Now.Sub(due) >= stale
}
