package view

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// Sorted puts rollouts in the order of a list: the most urgent first, and of those
// the one that has been so for the longest.
func Sorted(rollouts []v1alpha1.CloudRunRollout) []v1alpha1.CloudRunRollout {
	sorted := slices.Clone(rollouts)
	slices.SortStableFunc(sorted, moreUrgent)
	return sorted
}

func moreUrgent(a, b v1alpha1.CloudRunRollout) int {
	return cmp.Or(
		cmp.Compare(standing.Of(&a), standing.Of(&b)),
		standing.Ready(&a).LastTransitionTime.Compare(standing.Ready(&b).LastTransitionTime.Time),
		cmp.Compare(Name(&a), Name(&b)),
	)
}

// Summary is one rollout in a line of a list.
type Summary struct {
	Mark                 Mark
	Namespace, Name      string
	Service, Region      string
	Weight, Step, Reason string
	For, LastShift, What string
}

// Summarize puts one rollout into a line.
func (r Reader) Summarize(ro *v1alpha1.CloudRunRollout) Summary {
	ready, mark, service := standing.Ready(ro), MarkOf(standing.Of(ro)), Service(ro)
	step, _, _ := strings.Cut(ro.Status.Step, ",")
	line := Summary{
		Mark: mark, Namespace: Dash(ro.Namespace), Name: ro.Name, Service: Dash(cmp.Or(service.Name, ro.Spec.Target.RunServiceName())), Region: Dash(service.Location),
		Weight: Dash(ro.Status.Weight), Step: Dash(step), Reason: Dash(cmp.Or(ready.Reason, mark.Words)),
		For: "-", LastShift: "-", What: Dash(r.What(ro)),
	}
	if !ready.LastTransitionTime.IsZero() {
		line.For = Span(r.Now.Sub(ready.LastTransitionTime.Time))
	}
	if last, known := LastShift(ro); known {
		line.LastShift = last.String() + " " + r.At(last.At)
	}
	return line
}

// What names a check in breach, or why it went back or cannot begin, and says what
// happens next.
func (r Reader) What(ro *v1alpha1.CloudRunRollout) string {
	why := ""
	switch breaches := Breaches(ro); {
	case len(breaches) > 0:
		last, _ := LastShift(ro)
		why = r.Symptom(breaches[0], last) + ". "
	case slices.Contains([]standing.Standing{standing.GoingBack, standing.RolledBack, standing.Stuck}, standing.Of(ro)):
		why = Cause(ro) + ". "
	}
	return strings.TrimSpace(why + ro.Status.NextAction)
}
