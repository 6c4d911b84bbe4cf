package invariants

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// wiped is a status that somebody took everything from.
func wiped(at string) Put { return Put{Saved: Saved{At: after(at)}} }

// TestAStatusThatIsTakenAway: who sends a write cannot know that somebody took the
// status away in the same moment, and must know it a little later.
func TestAStatusThatIsTakenAway(t *testing.T) {
	t.Parallel()
	sent := until[Write](good(), 2)
	if found := Judge(before[Desired](sent, 3, wiped("16m"))); len(found) > 0 {
		t.Errorf("a status that goes as its write is sent: %v", found)
	}
	late := before[Desired](edit(sent, 2, func(w *Write) { w.At = after("16m6s") }), 3, wiped("16m"))
	if len(Judge(late)) == 0 {
		t.Error("a write 6 s after its status was taken away is not found")
	}
}

// TestTheClaimOfAWriteWhoseStatusIsTakenAway: it says what its sender had saved, also where
// the write took effect at once. Whoever takes the attempt up takes its baseline.
func TestTheClaimOfAWriteWhoseStatusIsTakenAway(t *testing.T) {
	t.Parallel()
	takenUp := func(stable string) Trace {
		sent := before[Desired](until[Write](good(), 1), 2, wiped("10m5s"))
		return append(sent, Effective{after("10m10s"), Split{"web-2": 10, "web-1": 90}}, Read{At: after("10m40s"), State: nth[Read](good(), 3).State},
			Saved{At: after("10m40s"), Plan: 1, Generation: 2, Phase: "Baking", Attempt: 1, Stable: stable, Candidate: "web-2"})
	}
	if found := Judge(takenUp("web-1")); len(found) > 0 {
		t.Errorf("the baseline that the claim says: %v", found)
	}
	if !names(Judge(takenUp("web-3")), "I6") {
		t.Error("another baseline is not found")
	}
}

// TestWhoCannotKnowWhatWasGivenUp: no status says so any more, and the claim that does is on
// a version of the service that Cloud Run has not shown yet.
func TestWhoCannotKnowWhatWasGivenUp(t *testing.T) {
	t.Parallel()
	again := func(change func(*Put, *Read, *Saved, *Write)) Trace {
		anew := secondAttempt("40m")
		put, read, shift, rise := wiped("14m"), nth[Read](anew, 6), nth[Saved](anew, 6), nth[Write](anew, 3)
		read.Stale, shift.Generation, rise.Etag, rise.Accepted = true, 2, "a", false
		change(&put, &read, &shift, &rise)
		return append(aborted(), put, read, shift, rise)
	}
	const what = "web-2 had been given up"
	unseen := again(func(*Put, *Read, *Saved, *Write) {})
	if finds(unseen, what) {
		t.Error("the claim was never shown, and is to be known")
	}
	plan := nth[Plan](good(), 1)
	plan.At = after("14m")
	at := find[Put](unseen, 1)
	if finds(slices.Concat(unseen[:at], []Event{Gone{after("14m")}, plan}, unseen[at+1:]), what) {
		t.Error("the claim was never shown to an object that is made anew, and is to be known")
	}
	for name, change := range map[string]func(*Put, *Read, *Saved, *Write){
		"the status was put back before that": func(p *Put, _ *Read, _ *Saved, _ *Write) { p.At = after("12m") },
		"the service was read as it is":       func(_ *Put, r *Read, _ *Saved, _ *Write) { r.Stale = false },
		"the status knows the generation":     func(_ *Put, _ *Read, s *Saved, _ *Write) { s.Generation = 3 },
		"it is sent on the version of now":    func(_ *Put, _ *Read, _ *Saved, w *Write) { w.Etag = "c" },
	} {
		if !finds(again(change), what) {
			t.Errorf("%s, and the rise is not found", name)
		}
	}
}

// TestWhatAnObjectThatIsGoneWasAsked: a request stands in an object, and goes with it
// or with the next request.
func TestWhatAnObjectThatIsGoneWasAsked(t *testing.T) {
	t.Parallel()
	asked := func(more ...Event) Trace {
		return before[Read](until[Write](good(), 2), 4, slices.Concat([]Event{Request{At: after("15m"), ID: "r1", Verb: "abort"}}, more)...)
	}
	if len(Judge(asked())) == 0 {
		t.Error("a rise a minute after an abort is not found")
	}
	if found := Judge(asked(Request{At: after("15m1s"), ID: "r2", Verb: "resume"})); len(found) > 0 {
		t.Errorf("a request in the place of the abort: %v", found)
	}
	again := pausedAt("15m30s")
	again.Paused = false
	taken := nth[Saved](good(), 3)
	taken.At, taken.Plan = after("15m31s"), 2
	request := Request{At: after("15m"), ID: "r1", Verb: "abort"}
	if found := Judge(risesAt("21m", request, Gone{after("15m10s")}, again, taken)); len(found) > 0 {
		t.Errorf("the object of the abort is gone: %v", found)
	}
}

// TestWhoKnowsOfACoolDown: an object that is made anew learns from the claim on the
// service that traffic was lowered. Where nothing was written there is none.
func TestWhoKnowsOfACoolDown(t *testing.T) {
	t.Parallel()
	tooSoon := func(trace Trace) bool {
		return slices.ContainsFunc(Judge(trace), func(v Violation) bool { return strings.Contains(v.What, "lost its traffic") })
	}
	anew := func(at string) []Event {
		plan := pausedAt(at)
		plan.Paused = false
		return []Event{Gone{after(at)}, plan}
	}
	promoted := func(more ...Event) Trace {
		seen := nth[Saved](good(), 2)
		seen.At, seen.Phase, seen.Intent = after("10m1s"), "Checking", nil
		everything := State{Etag: "y", Generation: 1, Desired: Split{"web-2": 100}}
		return before[Read](good(), 2, slices.Concat([]Event{
			seen,
			Desired{after("10m1s"), Split{"web-2": 100}, false},
			Effective{after("10m1s"), Split{"web-2": 100}},
			Read{At: after("10m2s"), State: everything},
			Desired{after("10m2s"), Split{"web-1": 100}, false},
			Effective{after("10m2s"), Split{"web-1": 100}},
		}, more)...)
	}
	if !tooSoon(promoted()) || tooSoon(promoted(anew("10m3s")...)) {
		t.Error("a cool-down of an object that wrote nothing goes with it")
	}
	if tooSoon(promoted(wiped("10m3s"))) {
		t.Error("a cool-down of a status that is taken away goes with it, where no claim tells of it")
	}
	second := secondAttempt("15m")
	at := find[Saved](second, 6)
	if !tooSoon(slices.Insert(second, at, anew("14m")...)) {
		t.Error("a cool-down that the claim on the service tells of stays")
	}
	if !tooSoon(slices.Insert(secondAttempt("15m"), at, Event(wiped("14m")))) {
		t.Error("it stays where the status is taken away too")
	}
}

// risesAt is the good rollout with a second rise at a later moment, and what happens
// before it.
func risesAt(at string, before ...Event) Trace {
	trace := until[Saved](good(), 3)
	plan := nth[Plan](good(), 1).Number
	for _, e := range before {
		trace = append(trace, e)
		if p, ok := e.(Plan); ok {
			plan = p.Number
		}
	}
	raise, now := nth[Saved](good(), 4), nth[Write](good(), 2)
	raise.At, raise.Plan = after(at), plan
	whole := int(raise.when().Sub(start)/time.Minute) - 1
	seen := Evidence{At: after(at), Candidate: minutes(11, whole), Stable: minutes(1, whole), Gateways: gatewayMinutes(1, whole)}
	for i := range seen.Gateways["nat-1"] {
		if i == 13 || i == 14 {
			seen.Gateways["nat-1"][i].Drops = 3
		}
	}
	trace = append(trace, Read{At: after(at), State: now.Before}, seen, raise)
	return append(trace, written(at, "b", now.Before, now.Targets)...)
}

// TestAnAttemptThatIsTakenUp: its bake begins anew, because whoever takes it up knows
// nothing of what was judged. Then what a gateway dropped before it is no longer new.
func TestAnAttemptThatIsTakenUp(t *testing.T) {
	t.Parallel()
	taken := nth[Saved](good(), 3)
	taken.At = after("15m31s")
	dropped := func(trace Trace) bool {
		return slices.ContainsFunc(Judge(trace), func(v Violation) bool { return strings.Contains(v.What, "dropped packets") })
	}
	if found := Judge(risesAt("21m", wiped("15m"), taken)); len(found) > 0 {
		t.Errorf("a bake after the attempt was taken up: %v", found)
	}
	restored := func(of string) Put {
		put := Put{Saved: nth[Saved](good(), 3), Past: true, Of: after(of).when()}
		put.At = after("15m40s")
		return put
	}
	if dropped(risesAt("20m30s", wiped("15m"), taken, restored("15m35s"))) {
		t.Error("a status that is put back and began its bake anew is judged from before that")
	}
	if !dropped(risesAt("18m", wiped("15m"), taken, restored("10m20s"))) || dropped(risesAt("21m", wiped("15m"), taken)) {
		t.Error("a bake that goes on after the status was put back is judged from its begin")
	}
	if len(Judge(risesAt("18m", wiped("15m"), taken))) == 0 {
		t.Error("a rise before a whole bake since the attempt was taken up is not found")
	}
	if len(Judge(risesAt("18m"))) == 0 {
		t.Error("a rise over packets that were dropped in the bake is not found")
	}
}

// TestAStepThatTheStatusIsPutBackTo goes on: the minutes since its weight serves count.
// Only a controller takes up an attempt.
func TestAStepThatTheStatusIsPutBackTo(t *testing.T) {
	t.Parallel()
	idle := Saved{At: after("20m"), Phase: "Idle", Attempt: 1, Stable: "web-2", Candidate: "web-2"}
	baking := Saved{At: after("22m"), Phase: "Baking", Attempt: 1, Stable: "web-1", Candidate: "web-2"}
	for name, c := range map[string]struct {
		then Event
		anew bool
	}{
		"put there by the backup": {Put{Saved: baking, Past: true}, false},
		"said by a controller":    {baking, true},
	} {
		p := newPast(Delta)
		for _, e := range []Event{Effective{after("10m"), Split{"web-2": 100}}, idle, c.then} {
			p.learn(e)
		}
		if anew := p.judgedSince().Equal(baking.when()); anew != c.anew {
			t.Errorf("%s: judged since %s", name, p.judgedSince())
		}
	}
}

// TestABakeIsJudgedFromTheStatusThatDatesIt: who takes an attempt up says that its split
// serves, and since when it is judged with the next look.
func TestABakeIsJudgedFromTheStatusThatDatesIt(t *testing.T) {
	t.Parallel()
	p := newPast(Delta)
	p.learn(Effective{after("10m"), Split{"web-2": 100}})
	p.learn(Saved{At: after("20m"), Phase: "Idle", Attempt: 1, Stable: "web-1", Candidate: "web-2"})
	for _, look := range []struct {
		at      string
		undated bool
		since   string
	}{{"22m", true, "22m"}, {"22m15s", true, "22m15s"}, {"22m30s", false, "22m30s"}, {"22m45s", false, "22m30s"}} {
		p.learn(Saved{At: after(look.at), Phase: "Baking", Attempt: 1, Stable: "web-1", Candidate: "web-2", Undated: look.undated})
		if got := p.judgedSince(); !got.Equal(after(look.since).when()) {
			t.Errorf("%s: it is judged since %s, want %s", look.at, got, look.since)
		}
	}
}

// TestAGuardedPauseTakesUp: a status that was put back into its past goes on from the claim,
// paused and guarded, and bakes anew once a person resumes.
func TestAGuardedPauseTakesUp(t *testing.T) {
	t.Parallel()
	for _, candidate := range []string{"web-2", ""} {
		p := newPast(Delta)
		p.learn(Effective{after("10m"), tenPercent()})
		p.claim = post{attempt: 2, stable: "web-1", split: tenPercent()}
		p.learn(Put{Saved: Saved{At: after("19m"), Phase: "Idle", Attempt: 1, Stable: "web-1"}, Past: true})
		p.foreign = &Desired{after("19m30s"), tenPercent(), false} // a person set that again
		p.learn(Saved{At: after("20m"), Phase: "Paused", Reason: reasonStateLost, Attempt: 2, Stable: "web-1", Candidate: candidate})
		if ours := p.foreign == nil; ours != (candidate != "") {
			t.Errorf("with candidate %q what the claim says is ours: %t", candidate, ours)
		}
		p.learn(Saved{At: after("21m"), Phase: "Paused", Reason: reasonStateLost, Attempt: 2, Stable: "web-1", Candidate: candidate})
		if got := p.judgedSince(); candidate != "" && !got.Equal(after("20m").when()) {
			t.Errorf("with candidate %q it is judged since %s, and was paused at 20m", candidate, got)
		}
		p.learn(Request{At: after("29m"), ID: "r1", Verb: verbResume})
		p.learn(Saved{At: after("30m"), Phase: "Baking", Attempt: 2, Stable: "web-1", Candidate: "web-2", Answered: "r1", Accepted: true})
		if got := p.judgedSince(); !got.Equal(after("30m").when()) {
			t.Errorf("with candidate %q it is judged since %s, and a person resumed at 30m", candidate, got)
		}
	}
}

// TestWhatAResumeBringsBackIsJudgedAnew: somebody asked for another split, and ours has served
// all the time.
func TestWhatAResumeBringsBackIsJudgedAnew(t *testing.T) {
	t.Parallel()
	p := rewindable()
	p.learn(Desired{after("5m"), Split{"web-1": 50, "web-2": 50}, false})
	p.learn(Request{At: after("6m"), ID: "r1", Verb: verbResume})
	resumes := baking("6m")
	resumes.Phase, resumes.Serving, resumes.Answered, resumes.Accepted, resumes.Intent = "Shifting", nil, "r1", true, &Intent{Split: tenPercent()}
	p.learn(resumes)
	p.learn(Desired{after("6m"), tenPercent(), true})
	for _, at := range []string{"6m5s", "7m"} {
		serves := baking(at)
		serves.Answered, serves.Accepted = "r1", true
		p.learn(serves)
		if want := after("6m5s").when(); !p.judgedSince().Equal(want) || !p.seen.Equal(want) {
			t.Errorf("%s: it is judged since %s, and errors count since %s; want 6m5s", at, p.judgedSince(), p.seen)
		}
	}
}

// TestALookAtAList: a status may rest on a list of a quarter of a minute ago, unless
// the service was read for it.
func TestALookAtAList(t *testing.T) {
	t.Parallel()
	trace := append(until[Saved](good(), 3), Effective{after("11m"), Split{"web-2": 100}})
	says := nth[Saved](trace, 3)
	for at, fine := range map[string]bool{"11m19s": true, "11m21s": false} {
		says.At = after(at)
		if found := Judge(append(slices.Clone(trace), says)); (len(found) == 0) != fine {
			t.Errorf("a status at %s that says what served until 11m: %v", at, found)
		}
	}
	read := nth[Read](trace, 3)
	says.At, read.At = after("11m19s"), after("11m18s")
	if len(Judge(append(slices.Clone(trace), read, says))) == 0 {
		t.Error("a status on a read that shows better is not found")
	}
}

// TestAReadOfThePast: a status may say what an old read says, if no status before it
// knew better.
func TestAReadOfThePast(t *testing.T) {
	t.Parallel()
	trace := edit(until[Saved](good(), 3), 3, func(r *Read) { r.Stale, r.State.Generation = true, 3 })
	trace = before[Read](trace, 3, Effective{after("10m12s"), Split{"web-1": 100}}, Known{after("10m12s"), 3})
	trace = edit(trace, 3, func(s *Saved) { s.At = after("10m40s") })
	if found := Judge(trace); len(found) > 0 {
		t.Errorf("a status on an old read: %v", found)
	}
	if len(Judge(edit(trace, 3, func(s *Saved) { s.Generation = 3 }))) == 0 {
		t.Error("a status that knew better is not found")
	}
}

// TestAPauseEndsWithItsObject: one that is applied again has attempts of the same numbers,
// and nobody asked it for anything.
func TestAPauseEndsWithItsObject(t *testing.T) {
	t.Parallel()
	paused := before[Read](until[Write](good(), 2), 4, pauseAsked("12m"), answered("12m"))
	if !names(Judge(paused), "I9") {
		t.Error("a rise in a pause is not found")
	}
	again := pausedAt("15m30s")
	again.Paused = false
	gone := before[Read](paused, 4, Gone{after("15m")}, again)
	for _, v := range Judge(gone) {
		if v.Invariant == "I9" {
			t.Errorf("the object of the pause is gone: %s", v)
		}
	}
}

// TestAWriteThatNeverArrivedIsNoAttemptToEnd: a split of somebody else's that comes and
// goes while our first write is refused leaves the service as it was. Nobody can see in it
// that a person ended the attempt.
func TestAWriteThatNeverArrivedIsNoAttemptToEnd(t *testing.T) {
	t.Parallel()
	between := []Event{
		Desired{after("10m5s"), Split{"web-0": 100}, false},
		Desired{after("10m5s"), Split{"web-1": 100}, false},
		Read{At: after("10m6s"), State: nth[Write](good(), 1).Before},
	}
	again := slices.Concat(between, []Event{nth[Saved](good(), 2), nth[Write](good(), 1)})
	ended := func(trace Trace) bool {
		return slices.ContainsFunc(Judge(trace), func(v Violation) bool { return strings.Contains(v.What, "given stable everything") })
	}
	refused := until[Saved](good(), 2)
	w := nth[Write](good(), 1)
	w.Accepted, w.Before.Etag = false, "z"
	if ended(append(append(refused, w), again...)) {
		t.Error("the candidate never had traffic, and an end of its attempt is seen")
	}
	if !ended(append(until[Write](good(), 1), again...)) {
		t.Error("the candidate had traffic, and the end of its attempt is not seen")
	}
}

// TestATagThatNobodyCanExplain: where the status is forgotten and no claim is on the
// service, nobody can tell whose a tag of our name is. A person who is told so, and names
// the baseline, lets it go; nothing else does.
func TestATagThatNobodyCanExplain(t *testing.T) {
	t.Parallel()
	takes := func(change func(lost, back *Saved, plan *Plan)) bool {
		plan := nth[Plan](good(), 1)
		plan.At, plan.Number, plan.StableRevision = after("9m"), 2, "web-1"
		lost := Saved{At: after("8m"), Plan: 1, Generation: 1, Phase: "Paused", Reason: "StateLost"}
		back := Saved{
			At: after("10m"), Plan: 2, Generation: 1, Phase: "RollingBack", Reason: "RollingBack", Stable: "web-1",
			Intent: &Intent{Split{"web-1": 100}, "a", nil},
		}
		change(&lost, &back, &plan)
		now := snap("a", 1, Target{Revision: "web-1", Percent: 100}, Target{Revision: "web-0", Tag: ourTag})
		trace := slices.Concat(Trace{nth[Plan](good(), 1), lost, plan, Read{At: after("10m"), State: now}, back},
			written("10m", "a", now, []Target{{Revision: "web-1", Percent: 100}}))
		return slices.ContainsFunc(Judge(trace), func(v Violation) bool { return strings.Contains(v.What, "takes the tag") })
	}
	if takes(func(_, _ *Saved, _ *Plan) {}) {
		t.Error("a person was told, and named the baseline")
	}
	for what, change := range map[string]func(lost, back *Saved, plan *Plan){
		"nobody named it":         func(_, _ *Saved, plan *Plan) { plan.StableRevision = "" },
		"nobody was told":         func(lost, _ *Saved, _ *Plan) { lost.Phase, lost.Reason = "Idle", "Steady" },
		"nothing was forgotten":   func(lost, _ *Saved, _ *Plan) { lost.Stable = "web-2" },
		"it is no way to it":      func(_, back *Saved, _ *Plan) { back.Phase = "Shifting" },
		"another one was settled": func(_, back *Saved, _ *Plan) { back.Stable = "web-3" },
	} {
		if !takes(change) {
			t.Errorf("%s, and the tag is taken: not found", what)
		}
	}
}

// TestAPromoteOfASplitThatIsTakenUpOnItsWay: the status was lost while it was carried out, and
// whoever took the attempt up tells it as the step under way, which a person may promote before
// it serves. A promote of before is of another step.
func TestAPromoteOfASplitThatIsTakenUpOnItsWay(t *testing.T) {
	t.Parallel()
	half := Split{"web-1": 50, "web-2": 50}
	takenUp := func(told Split) *past {
		p := rewindable()
		p.learn(wiped("3m"))
		s := baking("4m")
		s.Phase, s.Serving, s.Confirmed = "Shifting", nil, told
		p.learn(s)
		return p
	}
	for name, c := range map[string]struct {
		told  Split
		since string
	}{
		"it is told as the step under way": {half, "4m"},
		"another one is":                   {tenPercent(), "6m"},
	} {
		p := takenUp(c.told)
		p.learn(Effective{after("6m"), half})
		if got := p.promotableSince(); !got.Equal(after(c.since).when()) {
			t.Errorf("%s: since %s, want %s", name, got.Format(time.TimeOnly), c.since)
		}
	}
	p := takenUp(half)
	p.learn(Effective{after("5m"), Split{"web-1": 100}})
	p.learn(Effective{after("6m"), half})
	if got := p.promotableSince(); !got.Equal(after("6m").when()) {
		t.Errorf("something else served in between: since %s", got.Format(time.TimeOnly))
	}
}

// TestARetryThatEtcdForgotStands: the status is of before it, and the claim of the attempt that
// it began says that nothing is given up. One that gives its candidate up too says otherwise, and
// so does the claim of the attempt that was given up.
func TestARetryThatEtcdForgotStands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claim post
		stays bool
	}{
		"the claim of a later attempt":   {post{attempt: 2, stable: "web-1", split: tenPercent()}, false},
		"of one that was given up too":   {post{attempt: 2, stable: "web-1", split: tenPercent(), latched: []string{"web-2"}}, true},
		"of the one that was given up":   {post{attempt: 1, stable: "web-1", split: tenPercent()}, true},
		"of a later one on another base": {post{attempt: 2, stable: "web-0", split: tenPercent()}, true},
	} {
		p := newPast(Delta)
		p.learn(Saved{At: after("18m"), Phase: phaseRolledBack, Attempt: 1, Stable: "web-1", Candidate: "web-2", Latched: []string{"web-2"}})
		p.claim = post{attempt: 1, stable: "web-1", split: Split{"web-1": 100}, latched: []string{"web-2"}}
		p.learn(Put{Saved: Saved{At: after("19m"), Phase: phaseRolledBack, Attempt: 1, Stable: "web-1", Candidate: "web-2", Latched: []string{"web-2"}}, Past: true})
		p.claim = c.claim // its write was on its way
		p.learn(Saved{At: after("20m"), Phase: "Paused", Reason: reasonStateLost, Attempt: c.claim.attempt, Stable: "web-1", Candidate: "web-2"})
		if got := p.givenUp("web-2"); got != c.stays {
			t.Errorf("%s: web-2 is given up: %t", name, got)
		}
	}
}
