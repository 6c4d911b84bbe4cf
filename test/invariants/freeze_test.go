package invariants

import (
	"testing"
	"time"
)

// TestNothingRisesInAFreeze: the second rise of the good rollout is sent after 16m.
func TestNothingRisesInAFreeze(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, until string
		apart       time.Duration
		fine        bool
	}{
		"one that is over":                     {"12m", "16m", 0, true},
		"one that lasts":                       {"12m", "16m1s", 0, false},
		"one that begins as it is sent":        {"15m56s", "30m", 0, true},
		"one that began before":                {"15m54s", "30m", 0, false},
		"one that is over by a clock ahead":    {"12m", "16m20s", 30 * time.Second, true},
		"one that began by no clock but ours":  {"15m40s", "30m", 30 * time.Second, true},
		"one that lasts by each of the clocks": {"12m", "16m31s", 30 * time.Second, false},
	} {
		trace := before[Read](until[Write](good(), 2), 4, Frozen{after(c.from), after(c.until).when()})
		trace = append(Trace{Apart{after("0s"), c.apart}}, trace...)
		found := Judge(trace)
		if names(found, "I9") == c.fine {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// TestWhoStoodStillHasNotHeardOfAFreeze that began meanwhile, for as long as that was.
func TestWhoStoodStillHasNotHeardOfAFreeze(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stood Stood
		fine  bool
	}{
		"until it wrote":    {Stood{At: after("16m"), For: 10 * time.Second}, true},
		"not for so long":   {Stood{At: after("16m"), For: 2 * time.Second}, false},
		"before it began":   {Stood{At: after("15m49s"), For: 10 * time.Second}, false},
		"as another one":    {Stood{At: after("16m"), By: "c", For: 10 * time.Second}, false},
		"a long time since": {Stood{At: after("15m51s"), For: time.Second}, false},
	} {
		trace := before[Write](until[Write](good(), 2), 2, Frozen{after("15m50s"), after("30m").when()}, c.stood)
		if names(Judge(trace), "I9") == c.fine {
			t.Errorf("it stood still %s: it is excused: %t", name, !c.fine)
		}
	}
}

// TestWhatIsThereAlreadyIsNoRise: a split is written again in a freeze, say to pin it, and
// somebody takes the candidate's traffic away meanwhile.
func TestWhatIsThereAlreadyIsNoRise(t *testing.T) {
	t.Parallel()
	trace := before[Read](until[Write](good(), 2), 4, Frozen{after("12m"), after("20m").when()})
	trace = edit(trace, 2, func(w *Write) { w.Before.Etag, w.Accepted = "z", false })
	read := func(split Split) Trace {
		return edit(trace, 4, func(r *Read) { r.State.Desired = split })
	}
	if names(Judge(read(Split{"web-2": 100})), "I9") || !names(Judge(read(Split{"web-2": 99, "web-1": 1})), "I9") {
		t.Error("what rises in a freeze is told by what its sender had read")
	}
}
