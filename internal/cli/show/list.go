package show

import (
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// Scope says how much of each name a list shows.
type Scope int

// The scopes.
const (
	// OneNamespace leaves the namespace out.
	OneNamespace Scope = iota
	// AllNamespaces names it.
	AllNamespaces
)

// List writes rollouts, one line each, the most urgent first and of those the
// one that has been so for the longest. On a screen the last column, which is a
// sentence, stands below its line instead, and not at all where nothing is going on.
// Statuses that are stale and calls that fail are told below.
func List(rollouts []v1alpha1.CloudRunRollout, scope Scope, s Screen) string {
	if len(rollouts) == 0 {
		return "No CloudRunRollouts found.\n"
	}
	sorted := s.Sorted(rollouts)
	rows := [][]string{scope.row("", "NAMESPACE", "NAME", "SERVICE", "WEIGHT", "STEP", "STATUS", "FOR", "LAST SHIFT", "WHAT")}
	for i := range sorted {
		l := s.Summarize(&sorted[i])
		rows = append(rows, scope.row(l.Mark.Sign, l.Namespace, l.Name, l.Service, l.Weight, l.Step, l.Status(), l.For, l.LastShift, l.What))
	}
	if s.Width > 0 {
		for i, row := range rows {
			rows[i] = row[:len(row)-1]
		}
	}
	lines := strings.Split(strings.TrimSuffix(table(rows), "\n"), "\n")
	var text strings.Builder
	text.WriteString(cut(lines[0], s.Width) + "\n")
	for i, line := range lines[1:] {
		text.WriteString(s.painted(s.Mark(&sorted[i]).Tone, cut(line, s.Width)) + "\n")
		if s.Width > 0 && standing.Of(&sorted[i]) != standing.Settled {
			text.WriteString(s.wrap("     ", view.Dash(s.What(&sorted[i]))))
		}
	}
	if stale := s.StaleOnes(rollouts); stale != "" {
		text.WriteString("\n" + s.painted(view.Wary, s.wrap("", stale)))
	}
	for _, outage := range s.Outages(rollouts) {
		text.WriteString("\n" + s.painted(view.Wary, s.wrap("", outage)))
	}
	return text.String()
}

// row drops the namespace where it says nothing.
func (c Scope) row(cells ...string) []string {
	if c == OneNamespace {
		return slices.Delete(cells, 1, 2)
	}
	return cells
}
