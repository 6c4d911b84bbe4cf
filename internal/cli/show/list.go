package show

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/standing"
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
func List(rollouts []v1alpha1.CloudRunRollout, scope Scope, s Screen) string {
	if len(rollouts) == 0 {
		return "No CloudRunRollouts found.\n"
	}
	sorted := slices.Clone(rollouts)
	slices.SortStableFunc(sorted, moreUrgent)
	rows := [][]string{scope.row("", "NAMESPACE", "NAME", "SERVICE", "WEIGHT", "STEP", "STATUS", "FOR", "LAST SHIFT", "WHAT")}
	for i := range sorted {
		rows = append(rows, scope.row(append(s.line(&sorted[i]), dash(s.what(&sorted[i])))...))
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
		now := standing.Of(&sorted[i])
		text.WriteString(s.painted(marks[now].colour, cut(line, s.Width)) + "\n")
		if s.Width > 0 && now != standing.Settled {
			text.WriteString(s.wrap("     ", dash(s.what(&sorted[i]))))
		}
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

func moreUrgent(a, b v1alpha1.CloudRunRollout) int {
	return cmp.Or(
		cmp.Compare(standing.Of(&a), standing.Of(&b)),
		standing.Ready(&a).LastTransitionTime.Compare(standing.Ready(&b).LastTransitionTime.Time),
		cmp.Compare(nameOf(&a), nameOf(&b)),
	)
}

// line is one rollout in the columns of List, but the last.
func (s Screen) line(ro *v1alpha1.CloudRunRollout) []string {
	ready, status := standing.Ready(ro), ro.Status
	step, _, _ := strings.Cut(status.Step, ",")
	since, shifted := "-", "-"
	if !ready.LastTransitionTime.IsZero() {
		since = span(s.Now.Sub(ready.LastTransitionTime.Time))
	}
	if last, known := lastShift(ro); known {
		shifted = last.String() + " " + s.at(last.at)
	}
	return []string{
		marks[standing.Of(ro)].sign, dash(ro.Namespace), ro.Name, dash(serviceOf(ro).Name), dash(status.Weight), dash(step),
		dash(cmp.Or(ready.Reason, marks[standing.Of(ro)].words)), since, shifted,
	}
}

// what names a check in breach, or why it went back or cannot begin, and says what
// happens next.
func (s Screen) what(ro *v1alpha1.CloudRunRollout) string {
	why := ""
	switch breaches := breachesOf(ro); {
	case len(breaches) > 0:
		last, _ := lastShift(ro)
		why = s.symptom(breaches[0], last) + ". "
	case slices.Contains([]standing.Standing{standing.GoingBack, standing.RolledBack, standing.Stuck}, standing.Of(ro)):
		why = causeOf(ro) + ". "
	}
	return strings.TrimSpace(why + ro.Status.NextAction)
}
