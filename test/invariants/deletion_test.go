package invariants

import (
	"slices"
	"strings"
	"testing"
)

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
	overtaken := func(etag string) Trace {
		trace := edit(sent("13m40s", "RollingBack"), 2, func(w *Write) { w.Before.Etag = etag })
		said := nth[Saved](trace, 4)
		said.At, said.By, said.Phase, said.Intent = after("13m0.5s"), "b", "RolledBack", nil
		return before[Gone](trace, 1, said)
	}
	if finds(overtaken("z"), what) || !finds(overtaken("b"), what) {
		t.Error("one that another process has overtaken must not arrive")
	}
	waited := nth[Saved](sent("13m40s", "RollingBack"), 4)
	waited.At, waited.By, waited.Phase = after("13m0.5s"), "b", phasePaused
	if finds(before[Gone](sent("13m40s", "RollingBack"), 1, waited), what) {
		t.Error("another process has only waited for it, and it is found")
	}
	ignored := func(trace Trace) bool {
		return slices.ContainsFunc(Judge(trace, Behaviour{"etag", "ignored"}), func(v Violation) bool { return strings.Contains(v.What, what) })
	}
	if ignored(overtaken("z")) || !ignored(overtaken("b")) {
		t.Error("where etags are ignored, another process must have made a newer version, and can do no more")
	}
	readLater := before[Write](sent("13m40s", "RollingBack"), 2, Read{At: after("13m39s"), State: nth[Read](aborted(), 3).State})
	if !finds(readLater, what) {
		t.Error("a pass that began after the object went is not found")
	}
	kept := func(trace Trace) Trace { return edit(trace, 2, func(w *Write) { w.Unclaimed = true }) }
	if finds(kept(readLater), what) || finds(kept(overtaken("b")), what) {
		t.Error("a RunService is read just before its write, and nothing keeps that away")
	}
	if !finds(sent("15m", "RollingBack"), what) || !finds(sent("13m40s", "Shifting"), what) {
		t.Error("one that comes later than any pass, or anything else, is not found")
	}
}
