package invariants

import (
	"fmt"
	"slices"
	"time"
)

const (
	// Delta is how long after a decision, a pause or an abort a write may still
	// be sent, in the time of the process that sends it.
	Delta = 5 * time.Second
	// Settle is how long a split that took effect is not judged. Where clocks are
	// [Apart] it may be shorter by that.
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
	// needs is how a cloud must behave for the rule to hold; empty where it holds
	// however it behaves.
	needs Behaviour
}

// Behaviour is one value of a behaviour of the clouds that nobody has verified,
// by the names of the simulator's switches.
type Behaviour struct{ Switch, Value string }

// etagsCount: what nobody but Cloud Run can see to, that a write which is late
// does not take effect on what it never knew.
var etagsCount = Behaviour{"etag", "enforced"}

var rules = []rule{
	{invariant: "I1", judge: wellFormed},
	{invariant: "I1", judge: keepsTags, needs: etagsCount},
	{invariant: "I1", judge: warmsWithoutTraffic},
	{invariant: "I2", judge: landsOnItsBase, needs: etagsCount},
	{invariant: "I2", judge: basedOnTheNewestRead},
	{invariant: "I2", judge: savedBeforeSent},
	{invariant: "I2", judge: planWasCurrent},
	{invariant: "I3", judge: raisesTheCandidate},
	{invariant: "I3", judge: oneRiseOfTheNextWeight},
	{invariant: "I3", judge: bakedInFull},
	{invariant: "I4", judge: healthyEvidence},
	{invariant: "I4", judge: healthyGateways},
	{invariant: "I4", judge: mayBegin},
	{invariant: "I3", judge: lowersByOneStep},
	{invariant: "I5", judge: latchHolds},
	{invariant: "I5", judge: sparedOnce},
	{invariant: "I5", judge: sparedForAReason},
	{invariant: "I5", judge: backOnlyLowers, needs: etagsCount},
	{invariant: "I5", judge: backEndsInTime},
	{invariant: "I5", judge: lateRiseIsTakenBack, needs: etagsCount},
	{invariant: "I5", judge: noWarmUpIsLeft, needs: etagsCount},
	{invariant: "I6", judge: baselineSavedFirst},
	{invariant: "I6", judge: baselineConstant},
	{invariant: "I6", judge: baselineIsKnown},
	{invariant: "I6", judge: baselineReachable},
	{invariant: "I7", judge: humanWins, needs: etagsCount},
	{invariant: "I7", judge: dismissalHolds},
	{invariant: "I9", judge: pauseIsObeyed},
	{invariant: "I9", judge: requestedPauseIsObeyed},
	{invariant: "I9", judge: abortIsObeyed},
	{invariant: "I9", judge: freezeIsObeyed},
	{invariant: "I10", judge: endIsTrue},
	{invariant: "I10", judge: servingIsTrue},
	{invariant: "I10", judge: toldIsTrue},
	{invariant: "I10", judge: nothingFromTheFuture},
	{invariant: "I1", judge: deployAlone, needs: etagsCount},
	{invariant: "I2", judge: deployLandsOnItsBase, needs: etagsCount},
	{invariant: "I2", judge: deploysWhatIsWanted},
	{invariant: "I9", judge: deployHasLeave},
	{invariant: "I16", judge: deploysOnce, needs: etagsCount},
	{invariant: "I14", judge: neverRaisesAtTheEnd},
	{invariant: "I14", judge: silentAfterTheEnd},
}

// Judge replays a trace and returns every violation. Where the clouds behave in a
// way that is not the usual one, rules that need the usual one are not judged.
func Judge(trace Trace, clouds ...Behaviour) []Violation {
	return judge(newPast(Delta), trace, clouds)
}

// JudgeHurried judges a trace of a world that passes faster than the processes in
// it, by a factor of speed, which is at least 1: [Delta] is as much longer there.
func JudgeHurried(trace Trace, speed float64) []Violation {
	return judge(newPast(time.Duration(speed*float64(Delta))), trace, nil)
}

func judge(past *past, trace Trace, clouds []Behaviour) []Violation {
	var found []Violation
	held := slices.DeleteFunc(slices.Clone(rules), func(r rule) bool { return r.waived(clouds) })
	past.etagsHeld = !slices.Contains(clouds, Behaviour{Switch: "etag", Value: "ignored"})
	for _, e := range trace {
		then := past.asOf(e)
		for _, r := range held {
			if what := r.judge(then, e); what != "" {
				found = append(found, Violation{r.invariant, e.when(), what})
			}
		}
		past.learn(e)
	}
	return found
}

// waived tells whether the clouds lack what the rule needs. A value that [Needs] does
// not know, such as an empty one, is no reason to leave a rule out.
func (r rule) waived(clouds []Behaviour) bool {
	return slices.ContainsFunc(clouds, func(b Behaviour) bool {
		_, known := Needs(b)
		return known && b.Switch == r.needs.Switch && b.Value != r.needs.Value
	})
}
