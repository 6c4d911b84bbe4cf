package show

import (
	"fmt"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/standing"
)

// head says what is, since when, why, and what happens next: the template of every
// message of Sluice.
func (s Screen) head(ro *v1alpha1.CloudRunRollout) string {
	ready, now := standing.Ready(ro), standing.Of(ro)
	m := marks[now]
	line := strings.TrimSpace(m.sign+" "+nameOf(ro)) + "  " + dash(ready.Reason)
	if now != standing.Settled && ro.Status.Weight != "" {
		line += " at " + ro.Status.Weight
	}
	if ro.Status.Step != "" {
		line += ", step " + ro.Status.Step
	}
	if !ready.LastTransitionTime.IsZero() {
		line += ", since " + s.at(ready.LastTransitionTime.Time)
	}
	text := s.painted(m.colour, line) + "\n" + s.wrap("  ", causeOf(ro)+".")
	if next := ro.Status.NextAction; next != "" {
		text += s.wrap("  Next: ", next)
	}
	return text + s.doubts(ro)
}

// doubts says what makes the status less than the whole truth.
func (s Screen) doubts(ro *v1alpha1.CloudRunRollout) string {
	var text string
	if seen := ro.Status.ObservedGeneration; ro.Status.Phase != "" && seen < ro.Generation {
		text += s.wrap("  Note: ", fmt.Sprintf("the spec has changed (generation %d) and this still tells of generation %d: "+
			"if it stays so for minutes, see whether the manager runs.", ro.Generation, seen))
	}
	if ro.DeletionTimestamp != nil {
		text += s.wrap("  Note: ", "deleted "+s.at(ro.DeletionTimestamp.Time)+"; it goes when traffic is released.")
	}
	return text
}
