package invariants

import (
	"testing"
	"time"
)

// rewindable is a past in which web-2 has 10 %, as a status says since 2m.
func rewindable() *past {
	p := newPast(Delta)
	p.learn(Plan{At: after("0s"), Number: 1, Steps: []Step{{Weight: 10, Bake: 1}, {Weight: 100}}})
	p.learn(Saved{At: after("1m"), Plan: 1, Phase: "Shifting", Attempt: 1, Stable: "web-1", Candidate: "web-2"})
	p.learn(Desired{after("1m"), tenPercent(), true})
	p.learn(Effective{after("1m30s"), tenPercent()})
	p.learn(baking("2m"))
	return p
}

func tenPercent() Split { return Split{"web-1": 90, "web-2": 10} }

func baking(at string) Saved {
	return Saved{At: after(at), Plan: 1, Phase: "Baking", Attempt: 1, Stable: "web-1", Candidate: "web-2", Serving: tenPercent(), Confirmed: tenPercent()}
}

// putBack is etcd put back to that status while web-2 has everything.
func putBack(p *past) {
	p.learn(Desired{after("5m"), Split{"web-2": 100}, true})
	p.learn(Effective{after("5m"), Split{"web-2": 100}})
	p.learn(Saved{At: after("6m"), Plan: 1, Phase: "Completed", Attempt: 1, Stable: "web-2", Candidate: "web-2"})
	p.learn(Put{Saved: baking("10m"), Past: true, Of: after("2m").when()})
}

// TestWhatServesAsThePastSaysServesSinceThen: Config Connector put it back before anybody
// looked. Who has looked since begins anew.
func TestWhatServesAsThePastSaysServesSinceThen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		looks bool
		since string
	}{"nobody looked": {false, "2m"}, "somebody did": {true, "10m8s"}} {
		p := rewindable()
		putBack(p)
		if c.looks {
			p.learn(baking("10m4s"))
		}
		p.learn(Effective{after("10m8s"), tenPercent()})
		if got := p.servesSince(); !got.Equal(after(c.since).when()) {
			t.Errorf("%s: it serves since %s, want %s", name, got.Format(time.TimeOnly), c.since)
		}
		p.learn(baking("10m30s"))
		p.learn(Effective{after("11m"), Split{"web-1": 100}})
		p.learn(Effective{after("12m"), tenPercent()})
		if got := p.servesSince(); !got.Equal(after("12m").when()) {
			t.Errorf("%s: what serves once more serves since %s", name, got.Format(time.TimeOnly))
		}
	}
}

// TestWhatABackupFindsServesSinceItSays: etcd is put back once more after Config Connector
// carried out what the first backup said, and the second one says that it has served for long.
func TestWhatABackupFindsServesSinceItSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		held, serves bool
		since        string
	}{
		"it bakes":                 {false, true, "2m"},
		"it waits for data":        {true, true, "2m"},
		"it is asked for, no more": {false, false, "5m"},
	} {
		p := rewindable()
		putBack(p)
		p.learn(Saved{At: after("10m4s"), Plan: 1, Phase: "Paused", Attempt: 1, Stable: "web-1", Candidate: "web-2"})
		if c.serves {
			p.learn(Effective{after("10m8s"), tenPercent()})
		}
		said := baking("10m20s")
		if c.held {
			said.Phase, said.Serving = "Held", nil
		}
		p.learn(Put{Saved: said, Past: true, Of: after("2m").when()})
		if got := p.servesSince(); !got.Equal(after(c.since).when()) {
			t.Errorf("%s: it serves since %s, want %s", name, got.Format(time.TimeOnly), c.since)
		}
	}
}

// TestAPromoteOfThePastIsCarriedOutAgain: a status that is put back announces its write, and
// nothing says that it was sent. So much is promoted once, and nothing else.
func TestAPromoteOfThePastIsCarriedOutAgain(t *testing.T) {
	t.Parallel()
	promoting := func(at string) Saved {
		s := baking(at)
		s.Phase, s.Serving, s.Intent, s.Answered, s.Accepted = "Shifting", nil, &Intent{Split: Split{"web-2": 100}}, "1", true
		return s
	}
	putBack := func(p *past, s Saved) {
		p.learn(Desired{after("2m40s"), Split{"web-2": 100}, true})
		p.learn(Effective{after("2m50s"), Split{"web-2": 100}})
		s.At = after("10m")
		p.learn(Put{Saved: s, Past: true, Of: after("2m30s").when()})
		p.learn(Restored{Desired{after("10m1s"), tenPercent(), false}})
		p.learn(Effective{after("10m8s"), tenPercent()})
	}
	for name, c := range map[string]struct {
		said func(p *past) Saved // what is put back
		then func(p *past)
		want bool
	}{
		"it is": {func(*past) Saved { return promoting("2m30s") }, func(*past) {}, true},
		"not once it was sent": {func(*past) Saved {
			s := promoting("2m30s")
			s.Intent = nil
			return s
		}, func(*past) {}, false},
		"not what nobody promoted": {func(p *past) Saved {
			p.learn(Effective{after("2m20s"), Split{"web-1": 100}})
			p.learn(Effective{after("2m25s"), tenPercent()})
			return promoting("2m30s")
		}, func(*past) {}, false},
		"not where a claim tells": {func(p *past) Saved {
			p.claim = post{at: after("2m40s").when(), attempt: 1}
			return promoting("2m30s")
		}, func(*past) {}, false},
		"but where one tells of the writes before": {func(p *past) Saved {
			p.claim = post{at: after("1m").when(), attempt: 1}
			return promoting("2m30s")
		}, func(*past) {}, true},
		"not what a hold has ended": {func(*past) Saved { return promoting("2m30s") }, func(p *past) { p.wishes.stood(Saved{Phase: "Held"}) }, false},
		"not after it has arrived": {func(*past) Saved { return promoting("2m30s") }, func(p *past) {
			p.learn(Effective{after("10m20s"), Split{"web-2": 100}})
			p.learn(baking("10m30s"))
			p.learn(Effective{after("10m40s"), tenPercent()})
		}, false},
	} {
		p := rewindable()
		p.learn(Request{At: after("2m10s"), ID: "1", Verb: verbPromote})
		said := c.said(p)
		p.learn(said)
		putBack(p, said)
		c.then(p)
		if _, got := p.promoted(100); got != c.want {
			t.Errorf("%s: it is promoted: %v", name, got)
		}
		if _, got := p.promoted(50); got {
			t.Errorf("%s: another weight is", name)
		}
	}
}

// TestAPlanThatABackupTookAway is in a status that was decided before, and stored just after;
// not in a later one.
func TestAPlanThatABackupTookAway(t *testing.T) {
	t.Parallel()
	for at, found := range map[string]bool{"10m5s": false, "11m": true} {
		p := rewindable()
		p.learn(Put{Saved: baking("10m"), Past: true, Of: after("2m").when()})
		said := baking(at)
		said.Plan = 2
		if got := nothingFromTheFuture(p, said); (got != "") != found {
			t.Errorf("at %s it says %q", at, got)
		}
	}
}

// TestARunServiceOfThePastIsOfWhoeverWroteIt: a split of ours that comes back is nobody
// else's, nor is our tag in it.
func TestARunServiceOfThePastIsOfWhoeverWroteIt(t *testing.T) {
	t.Parallel()
	for _, ours := range []bool{true, false} {
		p := rewindable()
		fifth := Split{"web-1": 80, "web-2": 20}
		p.learn(Rewound{At: after("10m"), Split: fifth, Tagged: "web-0", Ours: ours})
		p.learn(Restored{Desired{after("10m"), fifth, false}})
		if (p.foreign == nil) != ours || (p.tagged == "web-0") != ours {
			t.Errorf("written by us %v: somebody else's is %v, our tag is on %q", ours, p.foreign, p.tagged)
		}
	}
}

// TestACoolDownThatNothingRemembers: a status that is put back knows of none that began
// after it, and a service that Config Connector keeps has no claim. What goes back before
// anybody looks begins none.
func TestACoolDownThatNothingRemembers(t *testing.T) {
	t.Parallel()
	p := rewindable()
	p.learn(Desired{after("5m"), Split{"web-1": 100}, true})
	p.learn(Effective{after("5m"), Split{"web-1": 100}})
	if p.lowered.IsZero() {
		t.Fatal("a way back begins no cool-down")
	}
	p.learn(Put{Saved: baking("10m"), Past: true, Of: after("6m").when()})
	if p.lowered.IsZero() {
		t.Error("a status of after the way back knows of it")
	}
	p.learn(Put{Saved: baking("10m"), Past: true, Of: after("2m").when()})
	if !p.lowered.IsZero() {
		t.Error("a status of before the way back cannot know of it")
	}
	for by, ours := range map[string]bool{"a person": false, "us": true} {
		p := rewindable()
		p.learn(Write{At: after("4m"), Split: Split{"web-1": 100}, Accepted: true})
		p.learn(Desired{after("4m"), tenPercent(), false})
		p.learn(Effective{after("4m10s"), tenPercent()})
		p.learn(Read{At: after("4m20s")})
		p.learn(Desired{after("5m"), Split{"web-1": 100}, ours})
		p.learn(Effective{after("5m5s"), Split{"web-1": 100}})
		if p.lowered.IsZero() {
			t.Fatalf("a way back by %s begins no cool-down", by)
		}
		p.learn(Put{Saved: baking("10m"), Past: true, Of: after("4m30s").when()})
		if claimed := !p.lowered.IsZero(); claimed != ours {
			t.Errorf("of a way back by %s the claim on the service tells: %t", by, claimed)
		}
	}
	for name, looks := range map[string]bool{"nobody looked": false, "somebody did": true} {
		p := rewindable()
		p.learn(Put{Saved: baking("10m"), Past: true, Of: after("2m").when()})
		if looks {
			p.learn(baking("10m1s"))
		}
		p.learn(Restored{Desired{after("10m2s"), Split{"web-1": 100}, false}})
		p.learn(Effective{after("10m8s"), Split{"web-1": 100}})
		if begun := !p.lowered.IsZero(); begun != looks {
			t.Errorf("%s: a cool-down has begun: %v", name, begun)
		}
	}
}

// TestWhatBecameStableCoolsNothing: what a candidate lost in its own attempt, and has again when
// it is over, runs nothing beside it. What was lost before is another one's.
func TestWhatBecameStableCoolsNothing(t *testing.T) {
	t.Parallel()
	for lost, cools := range map[string]bool{"3m": true, "8m": false} {
		p := rewindable()
		p.firstWrite, p.lowered = after("5m").when(), after(lost).when()
		p.learn(Saved{At: after("15m"), Plan: 1, Phase: phaseCompleted, Attempt: 1, Stable: "web-2", Candidate: "web-2"})
		if begun := !p.lowered.IsZero(); begun != cools {
			t.Errorf("lost after %s, with a first write after 5m: a cool-down is on: %t", lost, begun)
		}
	}
}

// TestWhatWasOnlyAskedForIsNotLowered: somebody asked for everything and took that back
// before it served, or before anybody who could know looked.
func TestWhatWasOnlyAskedForIsNotLowered(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct{ served, seen bool }{
		"only asked for": {false, true}, "served, and nobody saw it": {true, false}, "seen to serve": {true, true},
	} {
		p := rewindable()
		p.learn(Desired{after("5m"), Split{"web-2": 100}, false})
		if c.served {
			p.learn(Effective{after("5m10s"), Split{"web-2": 100}})
		}
		if c.seen {
			p.learn(Read{At: after("5m20s")})
		}
		p.learn(Desired{after("6m"), tenPercent(), false})
		p.learn(Effective{after("6m10s"), tenPercent()})
		if begun := !p.lowered.IsZero(); begun != (c.served && c.seen) {
			t.Errorf("%s: a cool-down has begun: %v", what, begun)
		}
	}
}

// TestWhatConfigConnectorCarriesOut is what somebody had decided: let go by a person, it is
// not set anew by that, and not let go, it stays.
func TestWhatConfigConnectorCarriesOut(t *testing.T) {
	t.Parallel()
	theirs := Split{"web-2": 100}
	for _, letGo := range []bool{true, false} {
		p := rewindable()
		p.learn(Desired{after("5m"), Split{"": 100}, false})
		if letGo {
			p.foreign = nil
		}
		p.learn(Restored{Desired{after("5m8s"), theirs, false}})
		if (p.foreign == nil) != letGo {
			t.Errorf("let go %v: somebody else's is %v", letGo, p.foreign)
		}
	}
}

// TestASplitOfOursThatABackupBringsBack is nobody else's, though somebody had it there when
// nobody remembered that it was ours.
func TestASplitOfOursThatABackupBringsBack(t *testing.T) {
	t.Parallel()
	p := rewindable()
	fifth := Split{"web-1": 80, "web-2": 20}
	p.learn(Desired{after("5m"), fifth, false})
	p.learn(Rewound{At: after("10m"), Split: fifth, Ours: true})
	if p.foreign != nil {
		t.Errorf("somebody else's is %v", p.foreign)
	}
}

// TestWhoKnowsThatACandidateServedOnceItsStatusIsOfThePast: the claim of our write tells, or a
// read of what it asked for. Where a RunService was written there is no claim.
func TestWhoKnowsThatACandidateServedOnceItsStatusIsOfThePast(t *testing.T) {
	t.Parallel()
	read := Read{At: after("3m30s"), State: State{Desired: tenPercent()}}
	for name, c := range map[string]struct {
		unclaimed bool
		seen      []Event
		want      bool
	}{
		"the claim tells":  {false, nil, true},
		"nothing does":     {true, nil, false},
		"somebody read it": {true, []Event{read}, true},
	} {
		p := rewindable()
		p.unclaimed = c.unclaimed
		put := baking("3m")
		put.Phase, put.Serving, put.Confirmed = "Checking", nil, nil
		p.learn(Put{Saved: put, Past: true, Of: after("50s").when()})
		for _, e := range c.seen {
			p.learn(e)
		}
		p.learn(Saved{At: after("3m40s"), Plan: 1, Phase: "Checking", Attempt: 1, Stable: "web-1", Candidate: "web-2"})
		p.learn(Desired{after("4m"), Split{"web-1": 100}, false})
		p.learn(Effective{after("5m"), Split{"web-1": 100}})
		if got := !p.lowered.IsZero(); got != c.want {
			t.Errorf("%s: it is known that the candidate lost traffic: %t", name, got)
		}
	}
}

// TestWhatAStatusOfThePastAnnouncedIsOurs: it says so of a split that stands there as somebody
// else's since another status was in its place, unless a claim tells whose it is.
func TestWhatAStatusOfThePastAnnouncedIsOurs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		unclaimed bool
		set       Split
		ours      bool
	}{
		"what it announced":               {true, Split{"web-2": 50, "web-1": 50}, true},
		"something else":                  {true, Split{"web-2": 3, "web-1": 97}, false},
		"what it announced, with a claim": {false, Split{"web-2": 50, "web-1": 50}, false},
	} {
		p := rewindable()
		s := baking("3m")
		s.Phase, s.Serving, s.Intent = "Shifting", nil, &Intent{Split{"web-2": 50, "web-1": 50}, "b", nil}
		p.learn(s)
		s.At, s.Intent = after("3m10s"), nil
		p.learn(s)
		p.unclaimed, p.intents, p.foreign = c.unclaimed, nil, &Desired{after("4m"), c.set, false} // another status came between
		s.At = after("5m")
		p.learn(Put{Saved: s, Past: true, Of: after("3m10s").when()})
		if ours := p.foreign == nil; ours != c.ours {
			t.Errorf("%s: it is ours: %t", name, ours)
		}
	}
}
