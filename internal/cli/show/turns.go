package show

import (
	"fmt"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
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
		text.WriteString(s.wrap(fmt.Sprintf("  %-13s %-5s %-5s %-18s ", s.clock(h.Time.Time), h.Step, h.Weight, h.Reason), h.Message))
	}
	return text.String()
}

// answered tells of the newest request of a person and its answer.
func (s Screen) answered(ro *v1alpha1.CloudRunRollout) string {
	r := ro.Status.LastRequest
	if r == nil {
		return ""
	}
	return s.wrap("last request: ", fmt.Sprintf("%s %s at %s: %s", r.Verb, r.Result, s.at(r.Time.Time), dash(r.Message)))
}

// Timeline writes what happened since a time, in UTC, to be pasted into the
// document of an incident. A zero time shows everything that is remembered.
func Timeline(ro *v1alpha1.CloudRunRollout, since time.Time, s Screen) string {
	service := serviceOf(ro)
	text := fmt.Sprintf("%s  service %s (%s, %s)  %s\n", nameOf(ro), dash(service.Name), service.Project, service.Location,
		s.Now.UTC().Format(time.RFC3339))
	if len(ro.Status.History) == v1alpha1.MaxHistory {
		text += fmt.Sprintf("(status keeps %d entries; what was before %s is gone)\n",
			v1alpha1.MaxHistory, ro.Status.History[0].Time.UTC().Format(time.RFC3339))
	}
	rows := [][]string{{"TIME", "FOR", "STEP", "WEIGHT", "REVISION", "REASON", "WHAT"}}
	for i, h := range ro.Status.History {
		if h.Time.Time.Before(since) {
			continue
		}
		rows = append(rows, []string{
			h.Time.UTC().Format(time.RFC3339), s.lasted(ro.Status.History, i), dash(h.Step), dash(h.Weight),
			dash(h.Revision), h.Reason, dash(h.Message),
		})
	}
	if len(rows) == 1 {
		return text + "Nothing has happened since " + since.UTC().Format(time.RFC3339) + ".\n" + s.answered(ro)
	}
	return text + table(rows) + s.answered(ro)
}

// lasted is how long it was as an entry says: until the next one, or until now.
func (s Screen) lasted(history []v1alpha1.HistoryEntry, i int) string {
	if i+1 < len(history) {
		return span(history[i+1].Time.Sub(history[i].Time.Time))
	}
	return span(s.Now.Sub(history[i].Time.Time)) + ", still"
}
