package invariants

import (
	"slices"
	"strings"
	"testing"
)

// finds tells whether a violation says something.
func finds(trace Trace, what string) bool {
	return slices.ContainsFunc(Judge(trace), func(v Violation) bool { return strings.Contains(v.What, what) })
}

// TestAWriteThatIsAnnouncedMoreThanOnce: each of the same split's writes whose fate is
// unknown may be sent again, and no other one.
func TestAWriteThatIsAnnouncedMoreThanOnce(t *testing.T) {
	t.Parallel()
	announced := func(etag string, split Split) Trace {
		return edit(good(), 4, func(s *Saved) { s.Intent = &Intent{split, "z", []string{etag}} })
	}
	const what = "does not announce"
	if finds(announced("b", Split{"web-2": 100}), what) {
		t.Error("a write that was announced before another one is taken for one that was not")
	}
	if !finds(announced("y", Split{"web-2": 100}), what) || !finds(announced("b", Split{"web-1": 100}), what) {
		t.Error("a write of another version, or of another split, is not found")
	}
}

// TestARiseOnAFormerVersion never arrives where Cloud Run compares versions, whatever
// it would have ended.
func TestARiseOnAFormerVersion(t *testing.T) {
	t.Parallel()
	early := edit(until[Write](good(), 2), 4, func(s *Saved) { s.At = after("12m") })
	early = edit(early, 2, func(w *Write) { w.At = after("12m") })
	outdated := edit(early, 2, func(w *Write) { w.Accepted, w.Before.Etag = false, "z" })
	const what = "its bake is 3m and a minute to settle"
	if !finds(early, what) || finds(outdated, what) {
		t.Error("what matters of a rise before its time is whether it can arrive")
	}
	ignored := Judge(outdated, Behaviour{Switch: "etag", Value: "ignored"})
	if !slices.ContainsFunc(ignored, func(v Violation) bool { return strings.Contains(v.What, what) }) {
		t.Error("where versions are ignored it can")
	}
}

// TestAPersonWhoNamesRevisions: who names stable in the spec gets it where nothing is
// under way, and who names another candidate wants no end of the former one kept.
func TestAPersonWhoNamesRevisions(t *testing.T) {
	t.Parallel()
	foreign := Desired{after("3m"), Split{"web-1": 50, "web-0": 50}, false}
	settles := Saved{At: after("4m"), Plan: 2, Generation: 1, Phase: "RollingBack", Stable: "web-1", Intent: &Intent{Split{"web-1": 100}, "a", nil}}
	over := func(named string) Trace {
		plan := nth[Plan](good(), 1)
		plan.At, plan.Number, plan.StableRevision = after("2m"), 2, named
		now := snap("a", 1, Target{Revision: "web-1", Percent: 50}, Target{Revision: "web-0", Percent: 50})
		trace := append(until[Saved](good(), 1), plan, foreign, Read{At: after("4m"), State: now}, settles)
		return append(trace, written("4m", "a", now, []Target{{Revision: "web-1", Percent: 100}})...)
	}
	if finds(over("web-1"), "nobody let go") || !finds(over(""), "nobody let go") {
		t.Error("spec.stableRevision lets go of a split, and nothing else does")
	}
	named := nth[Plan](good(), 1)
	named.At, named.Candidate = after("15m"), "web-2"
	if finds(dismissed(good(), named), "given stable everything") {
		t.Error("a candidate that is named after a person's way back may rise")
	}
}

// TestWhatIsOursAfterAStatusWasLost: the split that the claim on the service tells of.
func TestWhatIsOursAfterAStatusWasLost(t *testing.T) {
	t.Parallel()
	taken := nth[Saved](good(), 3)
	taken.At = after("12m1s")
	back := Saved{
		At: after("14m"), Plan: 1, Generation: 2, Phase: "RollingBack", Attempt: 1, Stable: "web-1", Candidate: "web-2",
		Latched: []string{"web-2"}, Intent: &Intent{Split{"web-1": 100}, "b", nil},
	}
	leaves := func(split Split) Trace {
		now := nth[Write](good(), 2).Before
		trace := append(until[Saved](good(), 3), wiped("12m"), taken,
			Desired{after("13m"), Split{"web-0": 100}, false}, Desired{after("13m5s"), split, false},
			Read{At: after("14m"), State: now}, back)
		return append(trace, written("14m", "b", now, backTo())...)
	}
	if finds(leaves(Split{"web-2": 10, "web-1": 90}), "nobody let go") {
		t.Error("our split that a person put back is taken for somebody else's")
	}
	if !finds(leaves(Split{"web-2": 20, "web-1": 80}), "nobody let go") {
		t.Error("a way back over somebody else's split is not found")
	}
	for name, c := range map[string]struct {
		split Split
		put   Put
		ours  bool
	}{
		"as it was written":            {tenPercent(), wiped("12m"), true},
		"another one":                  {Split{"web-2": 20, "web-1": 80}, wiped("12m"), false},
		"where a status says it still": {tenPercent(), Put{Saved: baking("12m"), Past: true, Of: after("10m").when()}, false},
	} {
		p := rewindable()
		p.learn(Write{At: after("4m"), Split: tenPercent(), Accepted: true})
		p.foreign = &Desired{after("11m"), c.split, false} // the status before was an earlier attempt's
		if p.learn(c.put); (p.foreign == nil) != c.ours {
			t.Errorf("a person set what the claim says before the status was lost, %s: it is ours: %t", name, p.foreign == nil)
		}
	}
}

// TestAPromoteWhoseStatusIsTakenAway: who sends it cannot know that in the same moment.
func TestAPromoteWhoseStatusIsTakenAway(t *testing.T) {
	t.Parallel()
	promoted := promotedAt("12m", Request{At: after("12m"), ID: "r1", Verb: "promote"})
	if found := Judge(before[Desired](promoted, 3, wiped("12m"))); len(found) > 0 {
		t.Errorf("a promote whose status goes as its write is sent: %v", found)
	}
}

// TestAPromoteThatComesAsAResumeIsCarriedOut is of the step that is under way again, before
// its split serves. One that came before the resume, or as it began another step, is not.
func TestAPromoteThatComesAsAResumeIsCarriedOut(t *testing.T) {
	t.Parallel()
	promoted := func(asked string, weight int) Trace {
		half, ours := Split{"web-2": 50, "web-1": 50}, Split{"web-2": weight, "web-1": 100 - weight}
		resumes := saidAgain("11m")
		resumes.Phase, resumes.Answered, resumes.Accepted, resumes.Intent = "Shifting", "r1", true, &Intent{ours, "x", nil}
		trace := promotedAt("12m", Request{At: after(asked), ID: "r2", Verb: "promote"})
		return before[Request](trace, 1, Desired{after("10m20s"), half, false}, Effective{after("10m25s"), half},
			Request{At: after("10m50s"), ID: "r1", Verb: "resume"}, resumes, Desired{after("11m1s"), ours, true}, Effective{after("11m6s"), ours})
	}
	const what = "and a minute to settle"
	if finds(promoted("11m2s", 10), what) {
		t.Error("a promote of a step that is brought back is not taken for one of it")
	}
	if !finds(promoted("10m40s", 10), what) || !finds(promoted("11m2s", 20), what) {
		t.Error("a promote of what somebody else had set, or of the step before, ends a bake")
	}
}

// TestAnEndOnAnAnswerOfThePast: etcd was put back to before our write, and Cloud Run answers
// as it was then. Who still announces that write, or has seen what it asked for, can know.
func TestAnEndOnAnAnswerOfThePast(t *testing.T) {
	t.Parallel()
	ended := func(put Saved, seen int64) Trace {
		end := nth[Saved](aborted(), 5)
		end.At, end.Generation = after("12m30s"), seen
		back := Put{Saved: put, Past: true}
		back.At = after("12m")
		return append(until[Saved](good(), 3), back, end)
	}
	checking, shifting := nth[Saved](good(), 2), nth[Saved](good(), 2)
	checking.Phase, checking.Intent = "Checking", nil
	const what = "says RolledBack"
	if finds(ended(checking, 1), what) {
		t.Error("what nothing remembers is held against an answer of the past")
	}
	if !finds(ended(checking, 2), what) {
		t.Error("who has seen what serves can know")
	}
	if !finds(ended(shifting, 1), what) {
		t.Error("who announces a write can know of it")
	}
	if !finds(append(until[Saved](good(), 3), ended(checking, 1)[len(until[Saved](good(), 3))+1:]...), what) {
		t.Error("nothing was put back")
	}
}

// TestAResumeIsNoLicence: what a resume brings back may be more than the next weight of the
// plan, and is not baked before. Once it serves, each rise is one like any other.
func TestAResumeIsNoLicence(t *testing.T) {
	t.Parallel()
	half, again := Split{"web-2": 50, "web-1": 50}, Split{"web-2": 10, "web-1": 90}
	resumed := func(rise string) Trace {
		resumes := saidAgain("11m")
		resumes.Phase, resumes.Answered, resumes.Accepted, resumes.Intent = "Shifting", "r1", true, &Intent{again, "x", nil}
		trace := edit(until[Write](good(), 2), 4, func(s *Saved) { s.Answered, s.Accepted = "r1", true })
		trace = edit(trace, 4, func(s *Saved) { s.At = after(rise) })
		trace = edit(trace, 2, func(w *Write) { w.At = after(rise) })
		return before[Evidence](trace, 2, Desired{after("10m20s"), half, false}, Effective{after("10m25s"), half},
			Request{At: after("10m50s"), ID: "r1", Verb: "resume"}, resumes, Desired{after("11m1s"), again, true}, Effective{after("11m6s"), again})
	}
	const early = "and a minute to settle"
	if finds(resumed("16m"), "the plan has") || finds(resumed("16m"), early) {
		t.Error("a rise of the next weight, after its bake, is found")
	}
	if !finds(threeSteps(resumed("16m")), "the plan has 50% next") {
		t.Error("a rise past a step of the plan is not found")
	}
	if !finds(resumed("12m"), early) {
		t.Error("a rise before the bake of what was brought back is not found")
	}
}

// TestWhereABakeIsCountedFrom: a status tells when a weight was first seen to serve, and
// minutes before that count for a step and not against it.
func TestWhereABakeIsCountedFrom(t *testing.T) {
	t.Parallel()
	failing := func(seen string) Trace {
		trace := edit(good(), 3, func(s *Saved) { s.At = after(seen) })
		return edit(trace, 2, func(e *Evidence) { e.Candidate[2].Errors = 9 }) // the minute that ends at 13m
	}
	const what = "errors in"
	if !finds(failing("10m15s"), what) || finds(failing("12m5s"), what) {
		t.Error("errors count from when the status says that the weight serves")
	}
	again := nth[Saved](good(), 3)
	again.At = after("12m5s")
	unseen := again
	unseen.Phase, unseen.Serving = "Shifting", nil
	if finds(before[Read](failing("10m15s"), 4, unseen, again), what) || !finds(before[Read](failing("10m15s"), 4, again), what) {
		t.Error("errors count from when the status says so again")
	}
}

// TestABakeAfterAnInterruption begins anew.
func TestABakeAfterAnInterruption(t *testing.T) {
	t.Parallel()
	gone := Saved{At: after("13m"), Plan: 1, Generation: 2, Phase: "Idle", Attempt: 1, Stable: "web-1", Candidate: "web-2"}
	again := saidAgain("14m")
	if !finds(before[Read](good(), 4, gone, again), "visible minutes") {
		t.Error("a step that ends two minutes after its service came back is not found")
	}
}

// TestATagOnTheStableThatTheClaimNames is ours for whoever knows nothing but the claim.
func TestATagOnTheStableThatTheClaimNames(t *testing.T) {
	t.Parallel()
	if finds(good(), "somebody else's") {
		t.Fatal("the good rollout takes a tag away")
	}
	moved := func(to string) Trace {
		return edit(good(), 2, func(w *Write) {
			w.Before.Traffic = append(slices.Clone(w.Before.Traffic), Target{Revision: to, Tag: ourTag})
		})
	}
	if !finds(moved("web-0"), "somebody else's") {
		t.Error("a tag of our name that somebody put elsewhere is taken away, and nobody finds it")
	}
}

// TestWhatConfigConnectorPutsBack is nobody's decision: it asks again for what its object
// says, and ends no attempt.
func TestWhatConfigConnectorPutsBack(t *testing.T) {
	t.Parallel()
	restored := slices.Clone(dismissed(good()))
	i := slices.IndexFunc(restored, func(e Event) bool { d, ok := e.(Desired); return ok && d.when().Equal(after("10m20s").when()) })
	restored[i] = Restored{restored[i].(Desired)}
	const what = "had given stable everything"
	if !finds(dismissed(good()), what) || finds(restored, what) {
		t.Error("a person ends an attempt by giving stable everything, and Config Connector does not")
	}
}

// TestAPersonsEndThatIsAlsoOurs tells nobody whose it is: what was announced before
// anybody looked again is asked for, and that is all there is to see.
func TestAPersonsEndThatIsAlsoOurs(t *testing.T) {
	t.Parallel()
	announced := saidAgain("10m21s")
	announced.Intent = &Intent{Etag: "x", Split: Split{"web-1": 100}}
	trace := dismissed(good())
	i := slices.IndexFunc(trace, func(e Event) bool { r, ok := e.(Read); return ok && r.when().Equal(after("10m24s").when()) })
	const what = "had given stable everything"
	if finds(slices.Insert(slices.Clone(trace), i, Event(announced)), what) {
		t.Error("a rise is found after an end that nobody can tell from our own")
	}
	announced.At = after("10m25s")
	if !finds(slices.Insert(slices.Clone(trace), i+1, Event(announced)), what) {
		t.Error("whoever has read that a person gave stable everything knows it, whatever they announce then")
	}
}

// TestWhatCameAndWentUnseen is no attempt that a person ends.
func TestWhatCameAndWentUnseen(t *testing.T) {
	t.Parallel()
	old := nth[Read](good(), 1).State
	checking := nth[Saved](good(), 2)
	checking.At, checking.Intent = after("10m0.5s"), nil
	passing := func(looks ...Event) Trace {
		return before[Read](good(), 2, slices.Concat(
			[]Event{checking, Desired{after("10m1s"), Split{"web-1": 50, "web-2": 50}, false}, Effective{after("10m2s"), Split{"web-1": 50, "web-2": 50}}},
			looks,
			[]Event{Desired{after("10m3s"), Split{"web-1": 100}, false}, Effective{after("10m4s"), Split{"web-1": 100}}})...)
	}
	const what = "had given stable everything"
	if finds(passing(), what) || finds(passing(Read{At: after("10m2.5s"), Stale: true, State: old}, Listed{At: after("10m2.5s")}), what) {
		t.Error("a split that came and went between two looks is held against whoever looked")
	}
	half := snap("h", 2, Target{Revision: "web-1", Percent: 50}, Target{Revision: "web-2", Percent: 50})
	if !finds(passing(Read{At: after("10m2.5s"), State: half}), what) {
		t.Error("a person gave the candidate traffic and took it back before our eyes, and it rises")
	}
	reads, dies := Read{At: after("10m2.5s"), By: "b", State: half}, Died{after("10m2.8s"), "b"}
	tells := checking
	tells.At, tells.By = after("10m2.7s"), "b"
	if finds(passing(reads, dies), what) {
		t.Error("what a process read that is gone, and told nobody, is held against another one")
	}
	if !finds(passing(reads, tells, dies), what) || !finds(passing(reads, Died{after("10m2.8s"), "c"}), what) {
		t.Error("whoever saved what it read, or is there still, has told it")
	}
}

// TestWhatComesAndGoesAfterWeTookTrafficBackIsUnseen: the candidate had traffic by us, and has
// none, to be tried again. Somebody gives it some and takes that back: who has not looked in
// between sees what there was all the time.
func TestWhatComesAndGoesAfterWeTookTrafficBackIsUnseen(t *testing.T) {
	t.Parallel()
	half, back := Split{"web-1": 50, "web-2": 50}, Split{"web-1": 100}
	for name, c := range map[string]struct {
		looks Trace
		ends  bool
	}{
		"nobody looked":        {nil, false},
		"a list shows it":      {Trace{Listed{At: after("6m10s")}}, false},
		"one of the past does": {Trace{Read{At: after("6m10s"), Stale: true, State: State{Desired: half}}}, false},
		"somebody looked":      {Trace{Read{At: after("6m10s"), State: State{Desired: half}}}, true},
	} {
		p := rewindable()
		p.learn(Write{At: after("4m"), Split: tenPercent(), Accepted: true})
		p.learn(Desired{after("5m"), back, true})
		p.learn(Effective{after("5m5s"), back})
		p.learn(Desired{after("6m"), half, false})
		p.learn(Effective{after("6m5s"), half})
		for _, e := range c.looks {
			p.learn(e)
		}
		end := Desired{after("7m"), back, false}
		if got := p.ends(end); got != c.ends {
			t.Errorf("%s: it ends the attempt: %t", name, got)
		}
		said := baking("6m30s")
		said.Confirmed = back
		if p.learn(Put{Saved: said, Past: true, Of: after("5m10s").when()}); p.ends(end) {
			t.Errorf("%s: it ends an attempt whose status of before that was put back", name)
		}
	}
}

// TestWhatPeopleDoAtRestEndsNoAttempt: the candidate of the last one may have had traffic, and
// no attempt is under way. One whose service cannot be found may be.
func TestWhatPeopleDoAtRestEndsNoAttempt(t *testing.T) {
	t.Parallel()
	for reason, ends := range map[string]bool{"BaselineUnknown": false, "Steady": false, "ServiceNotFound": true, "AccessDenied": true} {
		p := rewindable()
		p.learn(Write{At: after("4m"), Split: tenPercent(), Accepted: true})
		p.learn(Saved{At: after("5m"), Plan: 1, Phase: phaseIdle, Reason: reason, Attempt: 1, Stable: "web-1", Candidate: "web-2"})
		if got := p.ends(Desired{after("6m"), Split{"web-1": 100}, false}); got != ends {
			t.Errorf("in Idle/%s it ends an attempt: %t", reason, got)
		}
	}
}
