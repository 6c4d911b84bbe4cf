package invariants

import (
	"strings"
	"testing"
)

// TestWhoSavedNeedNotBeKnown: a control plane may not tell which process saved a
// status. Then a save lets whoever sends a write send one, and one only.
func TestWhoSavedNeedNotBeKnown(t *testing.T) {
	t.Parallel()
	trace := good()
	for i, e := range trace {
		switch e := e.(type) {
		case Read:
			e.By = "sluice/1"
			trace[i] = e
		case Write:
			e.By = "sluice/1"
			trace[i] = e
		}
	}
	for _, v := range Judge(trace) {
		t.Errorf("two writes, each saved before it was sent: %s", v)
	}
	again := until[Write](trace, 1)
	if len(Judge(append(again, nth[Write](again, 1)))) == 0 {
		t.Error("a write that is sent twice on one save is not found")
	}
}

// TestTwoProcessesThatBothAct: what one saved just now it may send, though the other has
// saved since, each of them once; and not what only the other one saved or read.
func TestTwoProcessesThatBothAct(t *testing.T) {
	t.Parallel()
	pair := func(sender string, at string) Trace {
		trace := edit(until[Write](good(), 1), 1, func(w *Write) { w.At, w.By = after(at), sender })
		trace = edit(trace, 2, func(r *Read) { r.By = "a" })
		trace = edit(trace, 2, func(s *Saved) { s.By = "a" })
		other := nth[Saved](trace, 2)
		other.At, other.By, other.Intent = after("10m7s"), "b", nil
		return before[Desired](trace, 2, Read{At: after("10m6s"), By: "b", State: nth[Read](trace, 2).State}, other)
	}
	again := pair("a", "10m8s")
	for name, c := range map[string]struct {
		trace Trace
		what  string
	}{
		"a write that its sender saved": {pair("a", "10m8s"), ""},
		"one that it saved long ago":    {pair("a", "10m11s"), "does not announce"},
		"one that the other saved":      {pair("b", "10m8s"), "does not announce"},
		"one that is sent twice":        {append(again, nth[Write](again, 1)), "sent twice"},
	} {
		found := Judge(c.trace)
		for _, v := range found {
			if c.what == "" || !strings.Contains(v.What, c.what) && v.Invariant != "I3" {
				t.Errorf("%s: %s", name, v)
			}
		}
		if c.what != "" && len(found) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
}
