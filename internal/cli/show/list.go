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
// one that has been so for the longest. Lines are cut at the screen's width.
func List(rollouts []v1alpha1.CloudRunRollout, scope Scope, s Screen) string {
	if len(rollouts) == 0 {
		return "No CloudRunRollouts found.\n"
	}
	sorted := slices.Clone(rollouts)
	slices.SortStableFunc(sorted, moreUrgent)
	rows := [][]string{scope.row("", "NAMESPACE", "NAME", "SERVICE", "WEIGHT", "STEP", "STATUS", "FOR", "LAST SHIFT", "WHAT")}
	for i := range sorted {
		rows = append(rows, scope.row(s.line(&sorted[i])...))
	}
	lines := strings.Split(strings.TrimSuffix(table(rows), "\n"), "\n")
	for i := range lines {
		lines[i] = cut(lines[i], s.Width)
		if i > 0 {
			lines[i] = s.painted(marks[standing.Of(&sorted[i-1])].colour, lines[i])
		}
	}
	return strings.Join(lines, "\n") + "\n"
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

// line is one rollout in the columns of List.
func (s Screen) line(ro *v1alpha1.CloudRunRollout) []string {
	ready, status := standing.Ready(ro), ro.Status
	step, _, _ := strings.Cut(status.Step, ",")
	since, shifted := "-", "-"
	if !ready.LastTransitionTime.IsZero() {
		since = span(s.Now.Sub(ready.LastTransitionTime.Time))
	}
	last, known := lastShift(ro)
	if known {
		shifted = last.String() + " " + s.at(last.at)
	}
	what := status.NextAction
	if breaches := breachesOf(ro); len(breaches) > 0 {
		what = s.symptom(breaches[0], last) + ". " + what
	}
	return []string{
		marks[standing.Of(ro)].sign, dash(ro.Namespace), ro.Name, dash(serviceOf(ro).Name), dash(status.Weight), dash(step),
		dash(cmp.Or(ready.Reason, marks[standing.Of(ro)].words)), since, shifted, dash(what),
	}
}
