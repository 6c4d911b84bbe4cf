package view

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// Name is how a person names a rollout: "shop/web".
func Name(ro *v1alpha1.CloudRunRollout) string {
	if ro.Namespace == "" {
		return ro.Name
	}
	return ro.Namespace + "/" + ro.Name
}

// Args names a rollout as arguments of a command: "web -n shop".
func Args(ro *v1alpha1.CloudRunRollout) string {
	if ro.Namespace == "" {
		return ro.Name
	}
	return ro.Name + " -n " + ro.Namespace
}

// Subject names what a rollout moves: "service web", "RunService web".
func Subject(ro *v1alpha1.CloudRunRollout) string {
	if name := ro.Spec.Target.RunServiceName(); name != "" {
		return "RunService " + name
	}
	return "service " + Dash(Service(ro).Name)
}

// About is the same with where it is, as far as the spec says that.
func About(ro *v1alpha1.CloudRunRollout) string {
	if ro.Spec.Target.RunServiceName() != "" {
		return Subject(ro)
	}
	return fmt.Sprintf("%s (%s, %s)", Subject(ro), Service(ro).Project, Service(ro).Location)
}

// Service is the service that a rollout moves, or an empty one: which service a
// RunService is about is not said.
func Service(ro *v1alpha1.CloudRunRollout) v1alpha1.ServiceReference {
	if ro.Spec.Target.Service == nil {
		return v1alpha1.ServiceReference{}
	}
	return *ro.Spec.Target.Service
}

// Cause says what is, with the times in it both ways.
func (r Reader) Cause(ro *v1alpha1.CloudRunRollout) string { return r.Told(causeOf(ro)) }

// Next says what happens next, with the times in it both ways; "" before the first look.
func (r Reader) Next(ro *v1alpha1.CloudRunRollout) string { return r.Told(ro.Status.NextAction) }

// causeOf is the part of the Ready message that says what is: the rest of it says
// what happens next, which nextAction repeats.
func causeOf(ro *v1alpha1.CloudRunRollout) string {
	message := standing.Ready(ro).Message
	if message == "" {
		return "nobody has looked at it yet: see whether the manager runs, and watches this namespace"
	}
	cause := strings.TrimSpace(strings.TrimSuffix(message, ro.Status.NextAction))
	return strings.TrimSuffix(cause, ".")
}

// Shift is a change of the candidate's weight.
type Shift struct {
	Revision, From, To string
	At                 time.Time
}

// String is the change without its time: "5% > 25%".
func (c Shift) String() string { return c.From + " > " + c.To }

// Shifts are the changes of weight that the history remembers, oldest first. Of
// a candidate's first entry nobody knows what was before, unless it is the start.
func Shifts(ro *v1alpha1.CloudRunRollout) []Shift {
	var shifts []Shift
	var revision, weight string
	for _, h := range ro.Status.History {
		if h.Weight == "" {
			continue
		}
		if h.Revision == revision && h.Weight != weight {
			shifts = append(shifts, Shift{h.Revision, weight, h.Weight, h.Time.Time})
		}
		revision, weight = h.Revision, h.Weight
	}
	return shifts
}

// LastShift is the newest change of weight; false when none is remembered.
func LastShift(ro *v1alpha1.CloudRunRollout) (Shift, bool) {
	shifts := Shifts(ro)
	if len(shifts) == 0 {
		return Shift{}, false
	}
	return shifts[len(shifts)-1], true
}

// Way is how the weight of the newest candidate changed, oldest first.
func Way(ro *v1alpha1.CloudRunRollout) []Shift {
	return slices.DeleteFunc(Shifts(ro), func(c Shift) bool {
		return ro.Status.Candidate == nil || c.Revision != ro.Status.Candidate.Revision
	})
}

// StepNumber is the number in status.step: of "2/4, 15% on the way to 25%" it is
// 2; 0 where there is none.
func StepNumber(ro *v1alpha1.CloudRunRollout) int {
	text, _, _ := strings.Cut(ro.Status.Step, "/")
	step, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return step
}

// Serves says what Cloud Run reports to serve, as the status has it.
func Serves(ro *v1alpha1.CloudRunRollout) string {
	var shares []string
	candidate, stable := ro.Status.Candidate, ro.Status.Stable
	if candidate != nil && (stable == nil || candidate.Revision != stable.Revision) {
		shares = append(shares, fmt.Sprintf("%s %d%%", candidate.Revision, candidate.Percent))
	}
	if stable != nil {
		shares = append(shares, fmt.Sprintf("%s %d%%", stable.Revision, stable.Percent))
	}
	return Dash(strings.Join(shares, ", "))
}

// InSync says what Cloud Run confirms to serve, and whether that is what was asked
// for; "" before the first look.
func (r Reader) InSync(ro *v1alpha1.CloudRunRollout) string {
	for _, c := range ro.Status.Conditions {
		if c.Type == v1alpha1.ConditionTrafficInSync {
			return fmt.Sprintf("%s (%s, since %s)", c.Message, c.Reason, r.At(c.LastTransitionTime.Time))
		}
	}
	return ""
}

// Answered tells of the newest request of a person and its answer; "" where there
// was none.
func (r Reader) Answered(ro *v1alpha1.CloudRunRollout) string {
	last := ro.Status.LastRequest
	if last == nil {
		return ""
	}
	return fmt.Sprintf("%s %s at %s: %s", last.Verb, last.Result, r.At(last.Time.Time), Dash(r.Told(last.Message)))
}

// Lasted is how long it was as an entry of the history says: until the next one,
// or until now.
func (r Reader) Lasted(history []v1alpha1.HistoryEntry, i int) string {
	if i+1 < len(history) {
		return Span(history[i+1].Time.Sub(history[i].Time.Time))
	}
	return Span(r.Now.Sub(history[i].Time.Time)) + ", still"
}

// FormerStable is the revision that an undo goes back to; "" where none is known.
func FormerStable(ro *v1alpha1.CloudRunRollout) string {
	if ro.Status.Attempt == nil {
		return ""
	}
	return ro.Status.Attempt.FormerStable
}
