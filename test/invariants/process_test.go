package invariants

import "testing"

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
