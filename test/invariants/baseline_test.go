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

// TestAPersonEndsAnAttemptThatNoClaimTellsOf: where the status has not seen our first write
// serve, stable alone is what was asked for before it, and the write may have been lost.
func TestAPersonEndsAnAttemptThatNoClaimTellsOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		unclaimed bool
		confirmed Split
		want      bool
	}{
		"a claim tells of our write":   {false, Split{"web-1": 100}, true},
		"nothing does":                 {true, Split{"web-1": 100}, false},
		"the status has seen it serve": {true, tenPercent(), true},
	} {
		p := rewindable()
		p.unclaimed, p.reached, p.saved.Confirmed = c.unclaimed, true, c.confirmed
		if got := p.ends(Desired{after("3m"), Split{"web-1": 100}, false}); got != c.want {
			t.Errorf("%s: stable alone ends the attempt: %t", name, got)
		}
	}
}

// TestABaselineOfALaterObject: an object that is put back takes the baseline from the claim
// of one that came after it and is gone. In its own claim it would find that its status was
// put back, and ask.
func TestABaselineOfALaterObject(t *testing.T) {
	t.Parallel()
	rebased := func(stable string, more ...Event) bool {
		back, now := nth[Saved](good(), 4), snap("c", 3, everything()...)
		back.At, back.Phase, back.Intent = after("24m"), "RollingBack", &Intent{Split{"web-1": 100}, "c", nil}
		trace := append(append(good(), more...), Read{At: after("24m"), State: now}, back)
		trace = append(append(trace, written("24m", "c", now, backTo())...), Effective{after("24m5s"), Split{"web-1": 100}})
		put := Put{Saved: nth[Saved](good(), 6), Past: true, Of: after("22m").when()}
		put.At = after("24m10s")
		rests := Saved{At: after("24m20s"), Plan: 1, Generation: 4, Phase: "Idle", Attempt: 1, Stable: stable}
		read := Read{At: after("24m20s"), State: snap("d", 4, backTo()...)}
		return finds(append(trace, put, read, rests), "the baseline changed")
	}
	again := pausedAt("23m")
	again.Paused = false
	later := []Event{Gone{after("22m30s")}, again}
	if rebased("web-1", later...) {
		t.Error("the baseline of the claim of a later object is taken for a change")
	}
	if !rebased("web-1") || !rebased("web-3", later...) {
		t.Error("one that its own claim says, or none, is not found")
	}
}

// TestABaselineThatWasReadInThePast: somebody sent it everything, and something else since,
// of which a stale read does not tell.
func TestABaselineThatWasReadInThePast(t *testing.T) {
	t.Parallel()
	rebased := func(stale bool) bool {
		trace := append(good(),
			Desired{after("23m"), Split{"web-3": 100}, false}, Effective{after("23m5s"), Split{"web-3": 100}},
			Desired{after("24m"), Split{"web-4": 100}, false}, Effective{after("24m5s"), Split{"web-4": 100}}, Known{after("24m5s"), 5},
			Read{At: after("24m40s"), State: snap("d", 4, Target{Revision: "web-3", Percent: 100}), Stale: stale},
			Saved{At: after("24m40s"), Plan: 1, Generation: 4, Phase: "Idle", Attempt: 1, Stable: "web-3"})
		return finds(trace, "the baseline changed")
	}
	if rebased(true) || !rebased(false) {
		t.Error("what somebody sent everything before counts where the read is stale, and nowhere else")
	}
}

// TestABaselineOfAForgottenWrite: the status was put back to before our write of a RunService,
// and what that asks for is like what a person sets past it.
func TestABaselineOfAForgottenWrite(t *testing.T) {
	t.Parallel()
	rebased := func(unclaimed bool) bool {
		p := newPast(Delta)
		p.learn(Desired{after("1m"), Split{"web-2": 100}, true})
		p.learn(Effective{after("1m5s"), Split{"web-2": 100}})
		p.unclaimed = unclaimed
		p.learn(Put{Saved: Saved{At: after("2m"), Phase: phaseCompleted, Attempt: 1, Stable: "web-1", Candidate: "web-1"}, Past: true, Of: after("30s").when()})
		return baselineConstant(p, Saved{At: after("2m1s"), Phase: phaseIdle, Attempt: 1, Stable: "web-2"}) != ""
	}
	if rebased(true) || !rebased(false) {
		t.Error("only where no claim tells of our write is it taken for a person's")
	}
}

// TestTheClaimOfALaterObjectMayBeOnItsWay when an object of before it is put back. What that one
// claims itself is no inheritance, nor what was claimed before the later one was made.
func TestTheClaimOfALaterObjectMayBeOnItsWay(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]bool{"4m": false, "5m30s": true, "6m10s": false} {
		p := newPast(Delta)
		p.anew = after("5m").when()
		p.learn(Put{Saved: Saved{At: after("6m"), Phase: phaseCompleted, Attempt: 1, Stable: "web-1"}, Past: true, Of: after("3m").when()})
		p.claim.at = after(at).when()
		if got := p.inherits(); got != want {
			t.Errorf("a claim that was sent at %s is of a later object: %t", at, got)
		}
	}
}
