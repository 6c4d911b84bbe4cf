package show

import (
	"fmt"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// turns writes the newest entries of a history, at most so many.
func (s Screen) turns(history []v1alpha1.HistoryEntry, most int) string {
	if len(history) == 0 {
		return ""
	}
	first := max(0, len(history)-most)
	var text strings.Builder
	text.WriteString("history")
	if first > 0 {
		fmt.Fprintf(&text, " (newest %d of %d; see kubectl sluice timeline)", most, len(history))
	}
	text.WriteString("\n")
	for _, h := range history[first:] {
		text.WriteString(s.wrap(fmt.Sprintf("  %-13s %-5s %-5s %-18s ", s.Clock(h.Time.Time), h.Step, h.Weight, h.Reason), h.Message))
	}
	return text.String()
}

// answered tells of the newest request of a person and its answer.
func (s Screen) answered(ro *v1alpha1.CloudRunRollout) string {
	if text := s.Answered(ro); text != "" {
		return s.wrap("last request: ", text)
	}
	return ""
}

// Timeline writes what happened since a time, in UTC, to be pasted into the
// document of an incident, and before it what was so at that time, however long ago that
// began. A zero time shows everything that is remembered.
func Timeline(ro *v1alpha1.CloudRunRollout, since time.Time, s Screen) string {
	history := ro.Status.History
	text := fmt.Sprintf("%s  %s  %s\n", view.Name(ro), view.About(ro), s.Now.UTC().Format(time.RFC3339))
	if len(history) == 0 {
		return text + "Nothing is remembered yet: the status has no history.\n" + s.answered(ro)
	}
	if len(history) == v1alpha1.MaxHistory {
		text += fmt.Sprintf("(status keeps %d entries; what was before %s is gone)\n",
			v1alpha1.MaxHistory, history[0].Time.UTC().Format(time.RFC3339))
	}
	last := len(history) - 1
	if history[last].Time.Time.Before(since) {
		text += "Nothing has happened since " + since.UTC().Format(time.RFC3339) + "; this still holds:\n"
	}
	rows := [][]string{{"TIME", "FOR", "STEP", "WEIGHT", "REVISION", "REASON", "WHAT"}}
	for i, h := range history {
		if i < last && !history[i+1].Time.After(since) { // it was over by then
			continue
		}
		rows = append(rows, []string{
			h.Time.UTC().Format(time.RFC3339), s.Lasted(history, i), view.Dash(h.Step), view.Dash(h.Weight),
			view.Dash(h.Revision), h.Reason, view.Dash(h.Message),
		})
	}
	return text + table(rows) + s.answered(ro)
}
