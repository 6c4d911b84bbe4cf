package invariants

import "testing"

// TestAWayBackOfAProcessThatStoodStill was announced before the object went, and comes as
// late as its pass may. Nothing else is sent for an object that is gone.
func TestAWayBackOfAProcessThatStoodStill(t *testing.T) {
	t.Parallel()
	sent := func(at, phase string) Trace {
		trace := before[Write](until[Write](aborted(), 2), 2, Gone{after("13m1s")})
		trace = edit(trace, 2, func(w *Write) { w.At = after(at) })
		return edit(trace, 4, func(s *Saved) { s.Phase = phase })
	}
	const what = "after the object was gone"
	if finds(sent("13m40s", "RollingBack"), what) {
		t.Error("a way back that was under way is found")
	}
	if !finds(sent("15m", "RollingBack"), what) || !finds(sent("13m40s", "Shifting"), what) {
		t.Error("one that comes later than any pass, or anything else, is not found")
	}
}
