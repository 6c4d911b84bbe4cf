package show

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/standing"
)

// nameOf is how a person names a rollout: "shop/web".
func nameOf(ro *v1alpha1.CloudRunRollout) string {
	if ro.Namespace == "" {
		return ro.Name
	}
	return ro.Namespace + "/" + ro.Name
}

// serviceOf is the service that a rollout moves, or an empty one.
func serviceOf(ro *v1alpha1.CloudRunRollout) v1alpha1.ServiceReference {
	if ro.Spec.Target.Service == nil {
		return v1alpha1.ServiceReference{}
	}
	return *ro.Spec.Target.Service
}

// causeOf is the part of the Ready message that says what is: the rest of it says
// what happens next, which nextAction repeats.
func causeOf(ro *v1alpha1.CloudRunRollout) string {
	message := standing.Ready(ro).Message
	if message == "" {
		return "nobody has looked at it yet; is the manager running?"
	}
	cause := strings.TrimSpace(strings.TrimSuffix(message, ro.Status.NextAction))
	return strings.TrimSuffix(cause, ".")
}

// shift is a change of the candidate's weight.
type shift struct {
	revision, from, to string
	at                 time.Time
}

func (c shift) String() string { return c.from + " > " + c.to }

// shiftsOf are the changes of weight that the history remembers, oldest first. Of
// a candidate's first entry nobody knows what was before, unless it is the start.
func shiftsOf(ro *v1alpha1.CloudRunRollout) []shift {
	var shifts []shift
	var revision, weight string
	for _, h := range ro.Status.History {
		if h.Weight == "" {
			continue
		}
		if h.Revision == revision && h.Weight != weight {
			shifts = append(shifts, shift{h.Revision, weight, h.Weight, h.Time.Time})
		}
		revision, weight = h.Revision, h.Weight
	}
	return shifts
}

// lastShift is the newest change of weight; false when none is remembered.
func lastShift(ro *v1alpha1.CloudRunRollout) (shift, bool) {
	shifts := shiftsOf(ro)
	if len(shifts) == 0 {
		return shift{}, false
	}
	return shifts[len(shifts)-1], true
}

// breachesOf are the checks that are in breach and decide.
func breachesOf(ro *v1alpha1.CloudRunRollout) []v1alpha1.CheckStatus {
	return slices.DeleteFunc(slices.Clone(ro.Status.Checks), func(c v1alpha1.CheckStatus) bool {
		return c.Verdict != v1alpha1.VerdictBreach || c.Mode != v1alpha1.ModeEnforce
	})
}

// symptom tells a breach in one clause, and how long after the last shift it began.
func (s Screen) symptom(c v1alpha1.CheckStatus, after shift) string {
	text := fmt.Sprintf("%s %s (limit %s)", c.Name, dash(c.Value), dash(c.Limit))
	if c.BreachedSince == nil {
		return text
	}
	return text + " since " + s.onset(c, after)
}

// onset is when a breach began, and how long after the last shift.
func (s Screen) onset(c v1alpha1.CheckStatus, after shift) string {
	text := s.clock(c.BreachedSince.Time)
	if gap := c.BreachedSince.Sub(after.at); !after.at.IsZero() && gap >= 0 {
		text += ", " + span(gap) + " after the shift"
	}
	return text
}

// numberOfStep is the number in status.step: of "2/4, 15% on the way to 25%" it is
// 2; 0 where there is none.
func numberOfStep(ro *v1alpha1.CloudRunRollout) int {
	text, _, _ := strings.Cut(ro.Status.Step, "/")
	step, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return step
}

// argsOf names a rollout as arguments of a command: "web -n shop".
func argsOf(ro *v1alpha1.CloudRunRollout) string {
	if ro.Namespace == "" {
		return ro.Name
	}
	return ro.Name + " -n " + ro.Namespace
}

// plural writes a number of things.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(int64(n)) + " " + many
}
