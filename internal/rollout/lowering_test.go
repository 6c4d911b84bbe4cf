package rollout

import (
	"testing"
	"time"
)

// cooling is an attempt at 25 % whose last lowering was five minutes ago.
func cooling() scene {
	return at(25).gateways().behindNat().with(func(s *scene) { s.Progress.Lowered = ago(5 * time.Minute) })
}

// TestTheCoolDownBeginsWhereLessIsSeenToServe: what lost traffic has instances that idle
// on, whoever took it, and however long after the write was sent.
func TestTheCoolDownBeginsWhereLessIsSeenToServe(t *testing.T) {
	t.Parallel()
	rolledBack := func(s scene) scene {
		s.Progress.Phase, s.Progress.Reason, s.Progress.Latched = RollingBack, ReasonRollingBack, []string{"web-2"}
		return s
	}
	const before, begins = 5 * time.Minute, time.Duration(0)
	for name, c := range map[string]struct {
		in   scene
		want time.Duration // how long ago it began
	}{
		"the same serves":                           {cooling(), before},
		"more serves":                               {cooling().split("web-1", 50, "web-2", 50), before},
		"nothing has arrived yet":                   {rolledBack(cooling()).wants("web-1", 100).meant(all("web-1")), before},
		"a write of ours has arrived":               {rolledBack(cooling()).split("web-1", 100), begins},
		"one by which the attempt began anew":       {cooling().split("web-1", 100).meant(all("web-1")), begins},
		"one that arrives while writes are refused": {denied(cooling()).split("web-1", 100), begins},
		"one while nothing can be read":             {denied(cooling()).with(func(s *scene) { s.Service.Effective = nil }), before},
		"a person sent stable everything":           {cooling().split("web-1", 100), begins},
		"a person did so before anything served":    {at(0).gateways().behindNat().with(sentFirst), begins},
		"our first write may have arrived unseen":   {unseenFirst().asks(Abort), begins},
		"a rise that nobody saw serve is back":      {rolledBack(cooling()).split("web-1", 100).meant(all("web-1")).with(func(s *scene) { s.Progress.Elsewhere = 0 }), begins},
		"and is back since then":                    {ended(cooling()).split("web-1", 100), before},
		"a person sent stable a part":               {cooling().split("web-1", 90, "web-2", 10), begins},
		"a person gave the part to a third one":     {cooling().split("web-1", 75, "web-3", 25), before},
		"a person sent the candidate more, for us":  {cooling().split("web-2", 100), before},
		"a person names what took over as stable":   {named(cooling()), begins},
		"it is the past":                            {past(cooling()).split("web-1", 100), before},
	} {
		if got := Decide(Input(c.in)).Progress.Lowered; !got.Equal(ago(c.want)) {
			t.Errorf("%s: the cool-down counts from %s, not %s", name, got, ago(c.want))
		}
	}
}

// sentFirst is a first write that was seen to be asked for, and never to serve.
func sentFirst(s *scene) {
	s.Progress.Phase, s.Progress.Reason, s.Progress.FirstWrite = Shifting, Progressing, ago(time.Minute)
	s.Progress.Intents = []Intent{{Split: between("web-2", "web-1", 5), At: ago(time.Minute)}}
}

// ended is an attempt that went back, as its status says.
func ended(s scene) scene {
	s.Progress.Phase, s.Progress.Reason, s.Progress.Latched = RolledBack, ReasonRolledBack, []string{"web-2"}
	s.Progress.Confirmed, s.Progress.Elsewhere = all("web-1"), 0
	return s
}

// unseenFirst is a first write whose fate is unknown.
func unseenFirst() scene {
	return at(0).gateways().behindNat().meant(between("web-2", "web-1", 5)).with(func(s *scene) {
		s.Progress.FirstWrite, s.Progress.Lowered = ago(time.Minute), ago(5*time.Minute)
	})
}

// named is an attempt whose stable is gone, in which web-3 was sent everything and then
// named as the way back.
func named(s scene) scene {
	s = s.presence("web-1", Missing).revision("web-3", time.Minute).split("web-3", 100)
	s.Progress.Phase, s.Progress.Reason, s.Plan.StableRevision = Paused, BaselineLost, "web-3"
	return s
}

func denied(s scene) scene {
	s.Service.Presence = Denied
	return s
}

func past(s scene) scene {
	s.Service.Generation--
	return s
}

// TestALoweringThatWasMissedIsSeenLater: what was seen last is remembered while nothing
// can be read.
func TestALoweringThatWasMissedIsSeenLater(t *testing.T) {
	t.Parallel()
	s := cooling()
	for name, blind := range map[string]scene{"denied": denied(s).split("web-1", 100), "of the past": past(s).split("web-1", 100)} {
		seen := s.split("web-1", 100)
		seen.Progress = Decide(Input(blind)).Progress
		if p := Decide(Input(seen)).Progress; p.Elsewhere != 0 || !p.Lowered.Equal(now) {
			t.Errorf("after a read that was %s: %d%% elsewhere, and the cool-down counts from %s", name, p.Elsewhere, p.Lowered)
		}
	}
}

// TestAWriteThatGivesBackBeginsTheCoolDown: it may serve and nobody see it.
func TestAWriteThatGivesBackBeginsTheCoolDown(t *testing.T) {
	t.Parallel()
	conflict := cooling().split("web-1", 10, "web-2", 90)
	conflict.Progress.Phase, conflict.Progress.Reason = Paused, TrafficConflict
	for name, s := range map[string]scene{
		"a way back":                 cooling().errors("Breach"),
		"one of an abort":            cooling().asks(Abort),
		"a split that is taken back": conflict.asks(Resume),
	} {
		if d := Decide(Input(s)); d.Write == nil || !d.Progress.Lowered.Equal(now) {
			t.Errorf("%s: writes %v, and the cool-down counts from %s", name, d.Write, d.Progress.Lowered)
		}
	}
	if d := Decide(Input(cooling())); d.Write == nil || !d.Progress.Lowered.Equal(ago(5*time.Minute)) {
		t.Errorf("a rise: writes %v, and the cool-down counts from %s", d.Write, d.Progress.Lowered)
	}
}

// TestTheNextAttemptCoolsDownFromAPersonsSplit: a person gave the candidate everything,
// and stable again while a newer revision was there. Its attempt begins, and waits.
func TestTheNextAttemptCoolsDownFromAPersonsSplit(t *testing.T) {
	t.Parallel()
	s := at(0).behindNat().newer().gateways()
	s.Revisions["web-3"] = Revision{Presence: Found, Name: "web-3", CreatedAt: ago(time.Hour), Readiness: Ready, Egress: EgressAll}
	s.Progress.Phase, s.Progress.Reason, s.Progress.Elsewhere = Paused, TrafficConflict, 100
	begins := Decide(Input(s)).Progress
	if begins.Candidate != "web-3" || !begins.Lowered.Equal(now) {
		t.Fatalf("%s is the candidate, and the cool-down counts from %s", begins.Candidate, begins.Lowered)
	}
	s.Progress = begins
	for after, want := range map[time.Duration]Reason{19 * time.Minute: WaitingForNat, 21 * time.Minute: Progressing} {
		s.Now = now.Add(after)
		if d := Decide(Input(s)); d.Progress.Reason != want {
			t.Errorf("after %s it is %s: %s", after, d.Progress.Reason, d.Note)
		}
	}
}

// TestWhatAnOwnerMovedCoolsDown: whoever owned spec.traffic gave one revision everything and
// then another, before they let go of it. The first one's instances idle on.
func TestWhatAnOwnerMovedCoolsDown(t *testing.T) {
	t.Parallel()
	owned := idle().split("web-2", 100).byRunService()
	owned.Progress.Reason, owned.Progress.Elsewhere, owned.Progress.Lowered = OwnedElsewhere, 100, ago(5*time.Minute)
	if p := Decide(Input(owned)).Progress; p.Stable != "web-2" || !p.Lowered.Equal(now) {
		t.Errorf("%s is stable, and the cool-down counts from %s", p.Stable, p.Lowered)
	}
	if p := Decide(Input(owned.split("web-1", 100).with(func(s *scene) { s.Progress.Elsewhere = 0 }))).Progress; !p.Lowered.Equal(ago(5 * time.Minute)) {
		t.Errorf("they left it as it was, and the cool-down counts from %s", p.Lowered)
	}
}

// TestACompletedRolloutHasGivenNothingBack: what counts is seen from the stable that is.
func TestACompletedRolloutHasGivenNothingBack(t *testing.T) {
	t.Parallel()
	s := at(100).split("web-2", 100)
	p := Decide(Input(s)).Progress
	if p.Phase != Completed || p.Elsewhere != 0 || !p.Lowered.IsZero() {
		t.Errorf("it is %s, %d%% is elsewhere, and the cool-down counts from %s", p.Phase, p.Elsewhere, p.Lowered)
	}
}

// TestAnAttemptThatAPersonHeldUpCoolsDown: he gave the candidate something and took it
// back, all between two looks. It ran instances all the same.
func TestAnAttemptThatAPersonHeldUpCoolsDown(t *testing.T) {
	t.Parallel()
	s := at(0)
	s.Progress.Phase, s.Progress.Reason = Paused, TrafficConflict
	if d := Decide(Input(s.asks(Resume))); d.Progress.Phase == Paused || !d.Progress.Lowered.Equal(now) {
		t.Errorf("it is %s (%s), and the cool-down counts from %s", d.Progress.Phase, d.Note, d.Progress.Lowered)
	}
}

// TestAWayBackBeginsTheCoolDownOnceForEachWrite: a way back is looked at every few seconds for
// as long as it takes, and what it gave back has been given back since it was seen to be.
func TestAWayBackBeginsTheCoolDownOnceForEachWrite(t *testing.T) {
	t.Parallel()
	arrived := cooling().meant(all("web-1")).split("web-1", 100).with(func(s *scene) {
		s.Progress.Phase, s.Progress.Reason, s.Progress.Latched = RollingBack, ReasonRollingBack, []string{"web-2"}
	})
	unseen := arrived.with(func(s *scene) { s.Progress.Elsewhere = 0 }) // what it took back was a rise that nobody saw serve
	third := statusLost(at(25).split("web-1", 50, "web-2", 25, "web-0", 25).claimedBy(self, 3))
	for name, s := range map[string]scene{
		"one that is applied for long":                  arrived.unsettled(),
		"one of a rise, that is applied for long":       unseen.unsettled(),
		"one in stages":                                 longWhole().retreating(1, 50, 30*time.Second).meant(between("web-2", "web-1", 50)).with(func(s *scene) { s.Progress.Confirmed = all("web-2") }),
		"one that waits for a gateway's word":           heardLater(),
		"none, where the claim explains no split":       third,
		"none, where a name cannot be obeyed over that": third.with(func(s *scene) { s.Plan.StableRevision = "web-9" }),
	} {
		began := Decide(Input(s)).Progress.Lowered
		for look := range 3 {
			s = s.with(func(s *scene) { s.Progress, s.Now = Decide(Input(*s)).Progress, s.Now.Add(soon) })
			if p := s.Progress; !p.Lowered.Equal(began) || p.Phase != RollingBack && p.Phase != Paused {
				t.Errorf("%s: look %d at %s counts from %s, not from %s", name, look, p.Phase, p.Lowered, began)
			}
		}
	}
	if p := Decide(Input(unseen.unsettled())).Progress; !p.Lowered.Equal(ago(5 * time.Minute)) {
		t.Errorf("what may serve between two looks ends when all is applied, and the cool-down counts from %s", p.Lowered)
	}
}

// heardLater is a way back that serves, and waits for what a gateway tells.
func heardLater() scene {
	return unheard().with(func(s *scene) { s.Progress, s.Now = Decide(Input(*s)).Progress, now.Add(soon) }).split("web-1", 100)
}
