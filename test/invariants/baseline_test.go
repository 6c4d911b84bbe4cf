package invariants

import "testing"

// TestWhereABaselineComesFrom: a baseline is a revision that had everything, or one that
// somebody named. It is never what happens to stand in a status.
func TestWhereABaselineComesFrom(t *testing.T) {
	t.Parallel()
	next := Saved{At: after("30m"), Plan: 1, Generation: 3, Phase: "Checking", Attempt: 2, Stable: "web-2", Candidate: "web-3"}
	over := func(stable string, more ...Event) Trace {
		s := next
		s.Stable = stable
		return append(append(good(), more...), s)
	}
	named := nth[Plan](good(), 1)
	named.At, named.Number, named.StableRevision = after("29m"), 2, "web-4"
	moved := Effective{after("29m"), Split{"web-4": 100}}
	for name, trace := range map[string]Trace{
		"the one that served everything": over("web-2"),
		"the one of the claim":           over("web-1"),
		"one that a person moved all to": over("web-4", moved),
		"one that a person named":        over("web-4", named),
		"one that had everything and is gone": over("web-4",
			Desired{after("28m"), Split{"web-4": 100}, false}, Effective{after("29m"), Split{}}),
	} {
		if found := Judge(trace); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
	for name, trace := range map[string]Trace{
		"one that has nothing": over("web-4"),
		"one that has most":    over("web-4", Effective{after("29m"), Split{"web-4": 90, "web-2": 10}}),
		"one that had everything long before": over("web-4", moved, Effective{after("29m30s"), Split{"web-2": 100}},
			Read{At: after("29m59s"), State: nth[Read](good(), 6).State}),
		"one that is to have it, and has it not": over("web-4", Desired{after("28m"), Split{"web-4": 100}, false}),
		"the first one, of a new object":         edit(until[Saved](good(), 1), 1, func(s *Saved) { s.Stable = "web-2" }),
	} {
		if !names(Judge(trace), "I6") {
			t.Errorf("%s is not found", name)
		}
	}
}

// TestAPersonEndsAnAttemptThatWasTakenUp: nobody saw its first write, and stable alone
// ends it all the same.
func TestAPersonEndsAnAttemptThatWasTakenUp(t *testing.T) {
	t.Parallel()
	again := saidAgain("10m18s")
	again.Attempt = 2
	trace := before[Read](edit(good(), 4, func(s *Saved) { s.Attempt = 2 }), 4, wiped("10m16s"), again)
	if !names(Judge(dismissed(trace)), "I7") {
		t.Error("a rise after a person gave stable everything is not found")
	}
}
