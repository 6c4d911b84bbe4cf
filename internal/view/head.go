package view

import (
	"fmt"

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
	if ro.DeletionTimestamp != nil {
		doubts = append(doubts, "deleted "+r.At(ro.DeletionTimestamp.Time)+"; it goes when traffic is released.")
	}
	return doubts
}
