package invariants

import (
	"slices"
	"strings"
	"testing"
)

// landing is the first write of good, which is under way for a minute, with what
// happens before it is sent and what happens before it lands.
func landing(earlier, meanwhile []Event) Trace {
	trace := until[Write](good(), 1)
	landed := nth[Write](trace, 1)
	landed.At, landed.Landed = after("11m5s"), true
	trace = edit(trace, 1, func(w *Write) { w.Accepted = false })
	trace = before[Read](trace, 2, earlier...)
	return append(append(trace, meanwhile...), landed)
}

// TestAWriteThatLandsLate is judged by what could be known when it was sent.
func TestAWriteThatLandsLate(t *testing.T) {
	t.Parallel()
	lost := func(at string) []Event { return []Event{Life{after(at), "web-2", Lost}} }
	if found := Judge(landing(nil, lost("10m30s"))); len(found) > 0 {
		t.Errorf("its revision was lost while it was under way: %v", found)
	}
	if !names(Judge(landing(lost("9m59s"), nil)), "I1") {
		t.Error("a write that was sent 6 s after its revision was lost is not found")
	}
	again := nth[Write](landing(nil, nil), 1)
	again.At = after("11m")
	if !names(Judge(landing(nil, append(lost("10m30s"), again))), "I1") {
		t.Error("one that was sent anew after its revision was lost is not found")
	}
}

// TestAResumeFromTheClaim: what a person lets go on, after the status was put back into
// its past, is what the claim on the service says, and nothing else.
func TestAResumeFromTheClaim(t *testing.T) {
	t.Parallel()
	resumed := func(change func(lost, next *Saved)) Trace {
		lost := Saved{At: after("17m"), Plan: 1, Generation: 3, Phase: "Paused", Reason: "StateLost", Attempt: 1, Stable: "web-0"}
		next := lost
		next.At, next.Phase, next.Reason, next.Stable = after("18m"), "Idle", "BaselineUnknown", "web-1"
		next.Answered, next.Accepted = "r1", true
		change(&lost, &next)
		put := Put{Saved: lost, Past: true}
		put.At, put.Phase, put.Reason = after("16m30s"), "Idle", "Steady"
		return append(until[Read](good(), 5), put, lost, Request{after("17m30s"), "r1", "resume", ""}, next)
	}
	if found := Judge(resumed(func(_, _ *Saved) {})); len(found) > 0 {
		t.Errorf("the baseline of the claim: %v", found)
	}
	for what, change := range map[string]func(lost, next *Saved){
		"another baseline":              func(_, next *Saved) { next.Stable = "web-3" },
		"one that nobody resumed":       func(_, next *Saved) { next.Answered = "" },
		"one whose status was not lost": func(lost, _ *Saved) { lost.Reason = "TrafficConflict" },
	} {
		if !names(Judge(resumed(change)), "I6") {
			t.Errorf("%s is not found", what)
		}
	}
}

// TestAWayBackThatIsOvertaken: a leader is stopped between the save and the write of a
// way back, and the next one makes it.
func TestAWayBackThatIsOvertaken(t *testing.T) {
	t.Parallel()
	overtaken := func(change func(own *Saved, late *Write)) Trace {
		trace := until[Saved](good(), 3)
		own := nth[Saved](trace, 3)
		own.At, own.By, own.Phase, own.Latched, own.Serving = after("12m"), "a", "RollingBack", []string{"web-2"}, nil
		own.Intent = &Intent{Split{"web-1": 100}, "b", nil}
		late := nth[Write](trace, 1)
		late.At, late.By, late.Etag, late.Split, late.Accepted = after("13m"), "a", "b", Split{"web-1": 100}, false
		late.Targets = []Target{{Revision: "web-1", Percent: 100}}
		change(&own, &late)
		read := nth[Read](trace, 3)
		read.At, read.By = own.At, "a"
		next := own
		next.At, next.By, next.Phase, next.Intent = after("12m30s"), "b", "RolledBack", nil
		next.Serving = nil
		return append(trace, read, own, Desired{after("12m20s"), Split{"web-1": 100}, true},
			Effective{after("12m25s"), Split{"web-1": 100}}, next, late)
	}
	if found := Judge(overtaken(func(*Saved, *Write) {})); len(found) > 0 {
		t.Errorf("the write of the way back: %v", found)
	}
	for what, change := range map[string]func(own *Saved, late *Write){
		"one that is no way back":  func(own *Saved, _ *Write) { own.Phase = "Baking" },
		"one on another version":   func(_ *Saved, late *Write) { late.Etag = "c" },
		"another split":            func(_ *Saved, late *Write) { late.Split = Split{"web-2": 100} },
		"one that outlasts a pass": func(_ *Saved, late *Write) { late.At = after("13m36s") },
		"one that another saved":   func(_ *Saved, late *Write) { late.By = "c" },
	} {
		if !names(Judge(overtaken(change)), "I2") {
			t.Errorf("%s is not found", what)
		}
	}
}

// landsAt20 is a rise of a revision that lands at 20m.
func landsAt20(revision string) []Event {
	now := snap("c", 3, Target{Revision: "web-1", Percent: 100, Tag: ourTag}, Target{Revision: "web-1", Tag: "blue"})
	landed := written("20m", "c", now, []Target{{Revision: revision, Percent: 10}, {Revision: "web-1", Percent: 90, Tag: ourTag}, {Revision: "web-1", Tag: "blue"}})
	w := landed[1].(Write)
	w.Landed = true
	landed[1] = w
	return landed
}

// sentAt is the same as it was sent.
func sentAt(at, revision string) Write {
	w := landsAt20(revision)[1].(Write)
	w.At, w.Accepted, w.Landed = after(at), false, false
	return w
}

// TestALateRiseThatNobodyKnowsOf: it is for whoever knows that its revision was given up to
// take it back. A status that is taken away does not say so any more, a claim does if it
// was written after that, and a status that is put back knows of no later attempt.
func TestALateRiseThatNobodyKnowsOf(t *testing.T) {
	t.Parallel()
	gone := wiped("20m30s")
	parked := before[Request](aborted(), 1, sentAt("12m30s", "web-2"))
	second := Saved{At: after("18m"), Plan: 1, Generation: 3, Phase: "Shifting", Attempt: 2, Stable: "web-1", Candidate: "web-3"}
	putBack := Put{Saved: second, Past: true}
	putBack.At, putBack.Attempt, putBack.Phase = after("19m"), 1, "RollingBack"
	later := append(aborted(), second, sentAt("18m1s", "web-3"))
	again, ended := second, putBack
	again.Candidate, again.Latched = "web-2", nil
	ended.Phase, ended.Latched = "RolledBack", []string{"web-2"}
	retried := append(aborted(), again, sentAt("18m1s", "web-2"))
	givenUpAgain := again
	givenUpAgain.At, givenUpAgain.Phase, givenUpAgain.Latched = after("18m2s"), "RollingBack", []string{"web-2"}
	wayBack := written("18m3s", "c", snap("c", 3, backTo()...), backTo())
	for what, c := range map[string]struct {
		trace  Trace
		stands bool
	}{
		"and the status does":                               {append(parked, landsAt20("web-2")...), true},
		"when neither status nor claim does":                {append(append(parked, landsAt20("web-2")...), gone), false},
		"and the claim does":                                {append(append(aborted(), landsAt20("web-2")...), gone), true},
		"of a later attempt, when it is put back":           {append(append(later, putBack), landsAt20("web-3")...), false},
		"of a retry, when it is put back":                   {append(append(retried, ended), landsAt20("web-2")...), false},
		"of a retry that was given up, when it is put back": {slices.Concat(retried, []Event{givenUpAgain}, wayBack, []Event{ended}, landsAt20("web-2")), true},
		"of the very attempt, when it is put back":          {append(append(aborted(), second, putBack), landsAt20("web-3")...), true},
	} {
		if stands := finds(append(slices.Clone(c.trace), Life{after("30m"), "web-4", Created}), "still stands"); stands != c.stands {
			t.Errorf("a rise %s: found %t, want %t", what, stands, c.stands)
		}
	}
}

// TestAWriteThatRepeatsAStaleRead raises nothing of what it rests on, and never arrives: the
// candidate was given up meanwhile.
func TestAWriteThatRepeatsAStaleRead(t *testing.T) {
	t.Parallel()
	sent := func(stale bool, weight int) Trace {
		targets := []Target{{Revision: "web-2", Percent: weight}, {Revision: "web-1", Percent: 100 - weight, Tag: ourTag}}
		says := Saved{At: after("20m"), Plan: 1, Generation: 2, Phase: "Baking", Attempt: 1, Stable: "web-1", Candidate: "web-2"}
		says.Intent = &Intent{snap("", 0, targets...).Desired, "b", nil}
		now := snap("c", 3, backTo()...)
		w := written("20m", "b", now, targets)[1].(Write)
		w.Accepted = false
		return append(aborted(), Read{At: after("20m"), State: now, Stale: stale}, says, w)
	}
	const what = "which was given up"
	if finds(sent(true, 10), what) {
		t.Error("what stood there when it was read is taken for a rise")
	}
	if !finds(sent(false, 10), what) || !finds(sent(true, 20), what) {
		t.Error("on a read of now, and to another weight, it is one")
	}
	for generation, found := range map[int64]bool{2: false, 3: true} {
		trace := edit(sent(true, 10), 6, func(s *Saved) { s.Generation = generation })
		ignored := Judge(trace, Behaviour{Switch: "etag", Value: "ignored"})
		if slices.ContainsFunc(ignored, func(v Violation) bool { return strings.Contains(v.What, what) }) != found {
			t.Errorf("where versions are ignored, and generation %d was seen of 3, found is %v", generation, ignored)
		}
	}
}

// TestASplitThatIsWrittenAgainEndsNoStep: it is pinned, say, as a person gives stable
// everything, and no version keeps it away. What was read had it already.
func TestASplitThatIsWrittenAgainEndsNoStep(t *testing.T) {
	t.Parallel()
	const what = "a minute to settle"
	for weight, found := range map[int]bool{10: false, 100: true} {
		says, w, now := nth[Saved](good(), 4), nth[Write](good(), 2), snap("c", 3, backTo()...)
		split := Split{"web-2": weight, "web-1": 100 - weight}
		says.At, says.Intent = after("11m"), &Intent{split, "b", nil}
		w.At, w.Before, w.Split, w.Accepted = after("11m"), now, split, false
		trace := append(until[Saved](good(), 3), Read{At: after("11m"), State: snap("b", 2, nth[Write](good(), 1).Targets...)}, says,
			Desired{after("11m"), now.Desired, false}, w)
		got := Judge(trace, Behaviour{Switch: "etag", Value: "ignored"})
		if slices.ContainsFunc(got, func(v Violation) bool { return strings.Contains(v.What, what) }) != found {
			t.Errorf("%v is written over %v, and found is %v", split, now.Desired, got)
		}
	}
}

// TestARiseOnAReadOfThePast goes on from the weight that was read, and never arrives:
// somebody gave stable everything meanwhile.
func TestARiseOnAReadOfThePast(t *testing.T) {
	t.Parallel()
	sent := func(stale bool) Trace {
		raise, w, now := nth[Saved](good(), 4), nth[Write](good(), 2), snap("c", 3, backTo()...)
		w.Before, w.Accepted = now, false
		return append(until[Saved](good(), 3), Desired{after("15m"), now.Desired, false}, Effective{after("15m5s"), now.Desired},
			Read{At: after("16m"), State: now, Stale: stale}, raise, w)
	}
	const next, begins = "the plan has 10% next", "after the last attempt lost its traffic"
	if finds(sent(true), next) || finds(sent(true), begins) {
		t.Error("a rise is taken for one from what nobody could read")
	}
	if !finds(sent(false), next) || !finds(sent(false), begins) {
		t.Error("on a read of now it is one from nothing")
	}
	if !finds(threeSteps(sent(true)), "from 10% to 100% was sent; the plan has 50% next") {
		t.Error("a rise past a step of the plan is not found")
	}
	ignored := Judge(sent(true), Behaviour{Switch: "etag", Value: "ignored"})
	if !slices.ContainsFunc(ignored, func(v Violation) bool { return strings.Contains(v.What, next) }) {
		t.Error("where versions are ignored it is one from nothing too")
	}
}

// TestALateRiseIsOneOfWhatWasGivenUp: what has to be taken back is a rise of a revision
// that was given up, whatever is under way when it lands; a rise of another one has to be
// lowered by nobody, and lowering another one takes nothing back.
func TestALateRiseIsOneOfWhatWasGivenUp(t *testing.T) {
	t.Parallel()
	lands := landsAt20
	second := Saved{At: after("18m"), Plan: 1, Generation: 3, Phase: "Shifting", Attempt: 2, Stable: "web-1", Candidate: "web-3", Latched: []string{"web-2"}}
	putBack := Put{Saved: nth[Saved](aborted(), 4), Past: true}
	putBack.At = after("19m")
	superseded := second // not latched
	superseded.At, superseded.Phase = after("19m"), "RollingBack"
	later := Life{after("30m"), "web-4", Created}

	for what, c := range map[string]struct {
		events []Event
		stands bool
	}{
		"of the next candidate, when the status was put back to the end of the attempt before": {slices.Concat([]Event{second, putBack}, lands("web-3")), false},
		"of the candidate that the status was put back to":                                     {slices.Concat([]Event{second, putBack}, lands("web-2")), true},
		"of a candidate that goes back for another one":                                        {slices.Concat([]Event{second, superseded}, lands("web-3")), true},
		"of a candidate whose way back is gone":                                                {slices.Concat([]Event{second, superseded}, lands("web-3"), []Event{Life{after("21m"), "web-1", Lost}}), false},
		"of a former candidate, when another one is under way":                                 {slices.Concat([]Event{second}, lands("web-2")), true},
		"of a former candidate, when another one is lowered": {slices.Concat([]Event{second}, lands("web-2"), []Event{
			Desired{after("21m"), Split{"web-3": 10, "web-2": 10, "web-1": 80}, true}, Desired{after("22m"), Split{"web-2": 10, "web-1": 90}, true},
		}), true},
		"of a former candidate, which is lowered then": {slices.Concat([]Event{second}, lands("web-2"), []Event{Desired{after("22m"), Split{"web-1": 100}, true}}), false},
	} {
		found := Judge(append(slices.Concat(aborted(), c.events), later))
		stands := slices.ContainsFunc(found, func(v Violation) bool { return strings.Contains(v.What, "still stands") })
		if stands != c.stands {
			t.Errorf("a rise %s: found %t, want %t", what, stands, c.stands)
		}
	}
}

// names tells whether an invariant is among the violations.
func names(found []Violation, invariant string) bool {
	for _, v := range found {
		if v.Invariant == invariant {
			return true
		}
	}
	return false
}
