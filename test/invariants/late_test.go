package invariants

import (
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

// names tells whether an invariant is among the violations.
func names(found []Violation, invariant string) bool {
	for _, v := range found {
		if v.Invariant == invariant {
			return true
		}
	}
	return false
}
