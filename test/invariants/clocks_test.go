package invariants

import (
	"slices"
	"testing"
	"time"
)

// TestWhatCountsAgainstAStepWhereClocksAreApart counts whatever a clock shows: a minute that
// one of them takes for too early, or for not arrived, blames nobody.
func TestWhatCountsAgainstAStepWhereClocksAreApart(t *testing.T) {
	t.Parallel()
	apart := func(by time.Duration, trace Trace) Trace { return append(Trace{Apart{after("0s"), by}}, trace...) }
	failing := func(minute int, behind func(Evidence) *Evidence) Trace {
		return edit(good(), 2, func(e *Evidence) {
			e.Candidate[minute].Errors = 9
			e.Behind = behind(*e)
		})
	}
	dropping := func(behind func(Evidence) *Evidence) Trace {
		return edit(good(), 2, func(e *Evidence) {
			e.Gateways["nat-1"][13].Drops, e.Gateways["nat-1"][14].Drops = 9, 9
			e.Behind = behind(*e)
		})
	}
	right := func(Evidence) *Evidence { return nil }
	same := func(e Evidence) *Evidence { return &e }
	late := func(e Evidence) *Evidence { // has not the newest minute yet
		e.Candidate = e.Candidate[:len(e.Candidate)-1]
		e.Gateways = map[string][]GatewayMinute{"nat-1": slices.Clone(e.Gateways["nat-1"][:14])}
		return &e
	}
	earlier := func(e Evidence) *Evidence { // every clock knows it, and whoever asked earlier does not
		view := e
		view.Behind = late(e)
		return &view
	}
	const errors, drops = "errors in", "dropped packets in 2"
	for name, c := range map[string]struct {
		trace Trace
		what  string
		want  bool
	}{
		"errors of the first minute":                           {failing(2, right), errors, true},
		"of one that is the first by a clock that is right":    {apart(50*time.Second, failing(2, right)), errors, false},
		"of one after it":                                      {apart(50*time.Second, failing(3, right)), errors, true},
		"errors that every clock knows":                        {failing(3, late), errors, true},
		"errors that one that is behind does not know":         {failing(4, late), errors, false},
		"errors that it knows":                                 {failing(4, same), errors, true},
		"a gateway's drops that every clock knows":             {dropping(same), drops, true},
		"a gateway's drops that one that is behind knows less": {dropping(late), drops, false},
		"a gateway's drops that came after a question":         {dropping(earlier), drops, false},
	} {
		if got := finds(c.trace, c.what); got != c.want {
			t.Errorf("%s: found is %t in %v", name, got, Judge(c.trace))
		}
	}
}
