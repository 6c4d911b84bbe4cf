package invariants

import (
	"slices"
	"testing"
)

// wiped is a status that somebody took everything from.
func wiped(at string) Put { return Put{Saved: Saved{At: after(at)}} }

// TestAStatusThatIsTakenAway: who sends a write cannot know that somebody took the
// status away in the same moment, and must know it a little later.
func TestAStatusThatIsTakenAway(t *testing.T) {
	t.Parallel()
	sent := until[Write](good(), 2)
	if found := Judge(before[Desired](sent, 3, wiped("16m"))); len(found) > 0 {
		t.Errorf("a status that goes as its write is sent: %v", found)
	}
	late := before[Desired](edit(sent, 2, func(w *Write) { w.At = after("16m6s") }), 3, wiped("16m"))
	if len(Judge(late)) == 0 {
		t.Error("a write 6 s after its status was taken away is not found")
	}
}

// TestWhatAnObjectThatIsGoneWasAsked: a request stands in an object, and goes with it
// or with the next request.
func TestWhatAnObjectThatIsGoneWasAsked(t *testing.T) {
	t.Parallel()
	asked := func(more ...Event) Trace {
		return before[Read](until[Write](good(), 2), 4, slices.Concat([]Event{Request{At: after("15m"), ID: "r1", Verb: "abort"}}, more)...)
	}
	again := pausedAt("15m30s")
	again.Paused = false
	saved := nth[Saved](good(), 3)
	saved.At, saved.Plan = after("15m31s"), 2
	if len(Judge(asked())) == 0 {
		t.Error("a rise a minute after an abort is not found")
	}
	if found := Judge(asked(Request{At: after("15m1s"), ID: "r2", Verb: "resume"})); len(found) > 0 {
		t.Errorf("a request in the place of the abort: %v", found)
	}
	gone := asked(Gone{after("15m10s")}, again, saved)
	gone = edit(gone, 5, func(s *Saved) { s.Plan = 2 })
	if found := Judge(gone); len(found) > 0 {
		t.Errorf("the object of the abort is gone: %v", found)
	}
}

// TestALookAtAList: a status may rest on a list of a quarter of a minute ago, unless
// the service was read for it.
func TestALookAtAList(t *testing.T) {
	t.Parallel()
	trace := append(until[Saved](good(), 3), Effective{after("11m"), Split{"web-2": 100}})
	says := nth[Saved](trace, 3)
	for at, fine := range map[string]bool{"11m19s": true, "11m21s": false} {
		says.At = after(at)
		if found := Judge(append(slices.Clone(trace), says)); (len(found) == 0) != fine {
			t.Errorf("a status at %s that says what served until 11m: %v", at, found)
		}
	}
	read := nth[Read](trace, 3)
	says.At, read.At = after("11m19s"), after("11m18s")
	if len(Judge(append(slices.Clone(trace), read, says))) == 0 {
		t.Error("a status on a read that shows better is not found")
	}
}

// TestAReadOfThePast: a status may say what an old read says, if no status before it
// knew better.
func TestAReadOfThePast(t *testing.T) {
	t.Parallel()
	trace := edit(until[Saved](good(), 3), 3, func(r *Read) { r.Stale, r.State.Generation = true, 3 })
	trace = before[Read](trace, 3, Effective{after("10m12s"), Split{"web-1": 100}}, Known{after("10m12s"), 3})
	trace = edit(trace, 3, func(s *Saved) { s.At = after("10m40s") })
	if found := Judge(trace); len(found) > 0 {
		t.Errorf("a status on an old read: %v", found)
	}
	if len(Judge(edit(trace, 3, func(s *Saved) { s.Generation = 3 }))) == 0 {
		t.Error("a status that knew better is not found")
	}
}

// TestAPauseEndsWithItsObject: one that is applied again has attempts of the same numbers,
// and nobody asked it for anything.
func TestAPauseEndsWithItsObject(t *testing.T) {
	t.Parallel()
	paused := before[Read](until[Write](good(), 2), 4, pauseAsked("12m"), answered("12m"))
	if !names(Judge(paused), "I9") {
		t.Error("a rise in a pause is not found")
	}
	again := pausedAt("15m30s")
	again.Paused = false
	gone := before[Read](paused, 4, Gone{after("15m")}, again)
	for _, v := range Judge(gone) {
		if v.Invariant == "I9" {
			t.Errorf("the object of the pause is gone: %s", v)
		}
	}
}
