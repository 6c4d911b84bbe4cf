package invariants

import (
	"fmt"
	"time"
)

const (
	// Delta is how long after a decision, a pause or an abort a write may still
	// be sent.
	Delta = 5 * time.Second
	// Settle is how long a split that took effect is not judged.
	Settle = time.Minute
)

// Violation is an invariant that was broken, at a time.
type Violation struct {
	Invariant string
	At        time.Time
	What      string
}

// String writes the violation as a line.
func (v Violation) String() string {
	return fmt.Sprintf("%s %s: %s", v.At.UTC().Format("15:04:05"), v.Invariant, v.What)
}

// rule looks at an event and at what happened before it. It returns what is
// wrong, or nothing.
type rule struct {
	invariant string
	judge     func(past *past, e Event) string
}

var rules = []rule{
	{"I1", wellFormed},
	{"I2", basedOnTheNewestRead},
	{"I2", savedBeforeSent},
	{"I2", planWasCurrent},
	{"I3", oneRiseOfTheNextWeight},
	{"I3", bakedInFull},
	{"I4", healthyEvidence},
	{"I4", healthyGateways},
	{"I4", mayBegin},
	{"I5", latchHolds},
	{"I5", lateRiseIsTakenBack},
	{"I6", baselineSavedFirst},
	{"I6", baselineConstant},
	{"I6", baselineReachable},
	{"I7", humanWins},
	{"I9", pauseIsObeyed},
	{"I9", abortIsObeyed},
	{"I10", endIsTrue},
	{"I10", servingIsTrue},
	{"I10", nothingFromTheFuture},
}

// Judge replays a trace and returns every violation.
func Judge(trace Trace) []Violation {
	past := newPast()
	var found []Violation
	for _, e := range trace {
		for _, r := range rules {
			if what := r.judge(past, e); what != "" {
				found = append(found, Violation{r.invariant, e.when(), what})
			}
		}
		past.learn(e)
	}
	return found
}
