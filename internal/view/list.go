package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// Sorted puts rollouts in the order of a list: the most urgent first, and of those
// the one that has been so for the longest.
func (r Reader) Sorted(rollouts []v1alpha1.CloudRunRollout) []v1alpha1.CloudRunRollout {
	sorted := slices.Clone(rollouts)
	slices.SortStableFunc(sorted, func(a, b v1alpha1.CloudRunRollout) int {
		return cmp.Or(
			cmp.Compare(r.urgency(&a), r.urgency(&b)),
			standing.Ready(&a).LastTransitionTime.Compare(standing.Ready(&b).LastTransitionTime.Time),
			cmp.Compare(Name(&a), Name(&b)),
		)
	})
	return sorted
}

// urgency is a standing, and where a status is stale at least that of what needs a
// person.
func (r Reader) urgency(ro *v1alpha1.CloudRunRollout) standing.Standing {
	now := standing.Of(ro)
	if _, is := r.Stale(ro); is {
		return min(now, standing.NeedsPerson)
	}
	return now
}

// Summary is one rollout in a line of a list.
type Summary struct {
	Mark                 Mark
	Namespace, Name      string
	Service, Region      string
	Weight, Step, Reason string
	For, LastShift, What string
	// Stale is for how long nobody has judged what serves users, "STALE 45m"; "" where
	// somebody does.
	Stale string
}

// Status is the reason, and before it whether that may be true no more.
func (s Summary) Status() string {
	if s.Stale == "" {
		return s.Reason
	}
	return s.Stale + ": " + s.Reason
}

// Summarize puts one rollout into a line.
func (r Reader) Summarize(ro *v1alpha1.CloudRunRollout) Summary {
	ready, mark, service := standing.Ready(ro), r.Mark(ro), Service(ro)
	step, _, _ := strings.Cut(ro.Status.Step, ",")
	line := Summary{
		Mark: mark, Namespace: Dash(ro.Namespace), Name: ro.Name, Service: Dash(cmp.Or(service.Name, ro.Spec.Target.RunServiceName())), Region: Dash(service.Location),
		Weight: Dash(ro.Status.Weight), Step: Dash(step), Reason: Dash(cmp.Or(ready.Reason, mark.Words)),
		For: "-", LastShift: "-", What: Dash(r.What(ro)),
	}
	if !ready.LastTransitionTime.IsZero() {
		line.For = Span(r.Now.Sub(ready.LastTransitionTime.Time))
	}
	if since, is := r.Stale(ro); is {
		line.Stale = "STALE " + Span(r.Now.Sub(since))
	}
	if last, known := LastShift(ro); known {
		line.LastShift = last.String() + " " + r.At(last.At)
	}
	return line
}

// What names a check in breach, or why it went back or cannot begin, and says what
// happens next. Of a stale status it says first that nobody may see to that.
func (r Reader) What(ro *v1alpha1.CloudRunRollout) string {
	why := ""
	switch breaches := Breaches(ro); {
	case len(breaches) > 0:
		last, _ := LastShift(ro)
		why = r.Symptom(breaches[0], last) + ". "
	case slices.Contains([]standing.Standing{standing.GoingBack, standing.RolledBack, standing.Stuck}, standing.Of(ro)):
		why = r.Cause(ro) + ". "
	}
	if since, is := r.Stale(ro); is {
		why = "Nothing was judged since " + r.At(since) + ", and " + ro.Status.Candidate.Revision + " serves users meanwhile. Last known: " + why
	}
	return strings.TrimSpace(why + r.Next(ro))
}

// StaleOnes says of how many rollouts the status is stale, and what to do; "" of none.
func (r Reader) StaleOnes(rollouts []v1alpha1.CloudRunRollout) string {
	count := 0
	for i := range rollouts {
		if _, is := r.Stale(&rollouts[i]); is {
			count++
		}
	}
	if count == 0 {
		return ""
	}
	return fmt.Sprintf("STALE: what is shown of %d of %s is what was last known: %s.", count, Plural(len(rollouts), "rollout", "rollouts"), AskManager)
}
