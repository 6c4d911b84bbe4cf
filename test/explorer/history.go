package explorer

import (
	"cmp"
	"fmt"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// judgeDecision is what is wrong with a decision after what happened before.
func (w *worker) judgeDecision(s *state, d *decision) string {
	was, is := w.saidOf(s), w.statuses.at(d.status)
	return cmp.Or(
		w.ownerWrites(s, is, d),
		w.humanWins(s, d),
		w.baselineConstant(s, was, is, d),
		w.rises(s, is, d),
		w.completes(s, was, is, d),
		w.takesBack(s, was, is, d),
		w.deploysOnce(s, d),
		w.gitWins(s, is, d),
	)
}

// ownerWrites: I8. Who lost the service to another cluster writes nothing until a person
// takes it back, and then says so on the service, unless that would send traffic to what
// is gone.
func (w *worker) ownerWrites(s *state, is *rollout.Progress, d *decision) string {
	adopts := d.accepted && s.object.request == adopt
	switch {
	case d.write.list != 0 && s.past.owner == they && !adopts:
		return "I8: something is to be written, and another cluster has taken the service over"
	case d.write.list != 0, s.cloud.rival == 0, s.past.owner != weAgain && !adopts:
	case s.cloud.reconciling, s.past.foreign, is.Stable == "", s.object.life != living:
	case is.Reason == rollout.TrafficConflict: // a person is asked whose the split is
	case w.servesNothing(s):
	default:
		return "I8: a person took the service back, and nothing says so to whoever had it"
	}
	return ""
}

// servesNothing tells whether traffic is asked to go to a revision that is gone.
func (w *worker) servesNothing(s *state) bool {
	for r := uint8(1); r <= mostRevisions; r++ {
		if s.cloud.revisions[r] == lost && w.lists.at(s.cloud.asked()).share(r, s.cloud.ready) > 0 {
			return true
		}
	}
	return false
}

// humanWins: I7. Over a split that somebody else set nothing is written, unless it
// is the same one, or a person lets it.
func (w *worker) humanWins(s *state, d *decision) string {
	if d.write.list == 0 || !s.past.foreign || d.accepted && s.object.request.lets() {
		return ""
	}
	if w.lists.at(d.write.list).same(w.lists.at(s.cloud.asked()), s.cloud.ready) {
		return ""
	}
	return fmt.Sprintf("I7: %v is to be written over a split that somebody else set", w.lists.at(d.write.list).entries)
}

// baselineConstant: I6. It changes with the end of an attempt, or by a person.
func (w *worker) baselineConstant(s *state, was, is *rollout.Progress, d *decision) string {
	sole := w.lists.at(s.cloud.asked()).sole(s.cloud.ready)
	switch {
	case was.Stable == is.Stable, was.Stable == "":
	case is.Phase == rollout.Completed && is.Stable == was.Candidate:
	case d.accepted && s.object.request == undo && was.Phase == rollout.Completed && is.Phase == rollout.RollingBack:
	case d.accepted && s.object.request == adopt && is.Stable == names[s.cloud.rival]:
	case is.Stable != "" && is.Stable == names[s.object.named]:
	case is.Stable != "" && is.Stable == names[sole] && (s.past.foreign || !active(was.Phase)):
	default:
		return fmt.Sprintf("I6: the baseline changes from %s to %q in an attempt", was.Stable, is.Stable)
	}
	if d.write.list != 0 && is.Stable == "" {
		return "I6: something is to be written, and no baseline is saved"
	}
	return ""
}

// rises is what is wrong with giving the candidate more. A person who resumes does
// not wait for Cloud Run: it would only finish what is being taken back.
func (w *worker) rises(s *state, is *rollout.Progress, d *decision) string {
	if !d.rises {
		return ""
	}
	stable, risen := numberOf(is.Stable), w.risen(s.cloud, is.Stable, d.write.list)
	target := w.lists.at(d.write.list)
	addressed := target.shares[stable] > 0
	for _, e := range target.entries {
		addressed = addressed || e.Revision == is.Stable && e.Tag != ""
	}
	switch {
	case names[risen] != is.Candidate:
		return fmt.Sprintf("I3: %s is to rise, and the candidate is %q", names[risen], is.Candidate)
	case s.object.life != living:
		return "I14: the candidate is to rise, and the object is being deleted"
	case s.cloud.revisions[stable] != ready || !addressed:
		return fmt.Sprintf("I6: the candidate is to rise, and stable %s is not there, not ready or without address", is.Stable)
	case s.cloud.revisions[risen] != ready:
		return fmt.Sprintf("I4: %s is to rise, and is not there or not ready", is.Candidate)
	case is.Phase == rollout.RollingBack:
		return "I5: the candidate is to rise on the way back"
	case s.cloud.busy() && (!d.accepted || s.object.request != resume):
		return "I3: the candidate is to rise, and Cloud Run is not done with the last change"
	}
	return cmp.Or(judgeRise(s, is, d), w.step(s, risen, d))
}

// judgeRise: I5, I9. It holds when a rise is decided, and when it is saved.
func judgeRise(s *state, is *rollout.Progress, d *decision) string {
	candidate := uint8(1) << numberOf(is.Candidate)
	switch {
	case s.object.paused:
		return "I9: the candidate is to rise, and spec.paused is true"
	case s.object.request == abort:
		return "I9: the candidate is to rise, and a person asks to abort"
	case s.object.request == pause && !d.answered:
		return "I9: the candidate is to rise, and a person asks to pause"
	case s.past.heard(s, d).paused:
		return "I9: the candidate is to rise, and a person paused it"
	case !d.began && s.past.given&candidate != 0, s.past.abandoned&candidate != 0, given(is, is.Candidate):
		return fmt.Sprintf("I5: %s is to rise, and was given up", is.Candidate)
	case s.past.dismissed&candidate != 0:
		return fmt.Sprintf("I7: %s is to rise, and a person gave stable everything", is.Candidate)
	}
	return ""
}

// step: I3, I4. A rise goes to the next weight of the plan, once what serves has
// been held. A person who resumes gets our split back as it was.
func (w *worker) step(s *state, candidate uint8, d *decision) string {
	if d.accepted && s.object.request == resume {
		return ""
	}
	serving, weight := w.lists.at(s.cloud.effective).share(candidate, s.cloud.ready), w.lists.at(d.write.list).share(candidate, 0)
	following := next(plans[s.object.plan], serving)
	after := s.past.heard(s, d)
	if after.promoted == promoteFully {
		following.Weight = 100
	}
	switch {
	case weight > following.Weight:
		return fmt.Sprintf("I3: a rise from %d%% to %d%%; the plan has %d%% next", serving, weight, following.Weight)
	case after.promoted != noVerb:
		return s.pastABreach()
	case following.Approval && !after.approved:
		return fmt.Sprintf("I3: a rise to %d%%, which nobody approved", following.Weight)
	case serving == 0 && s.weather != healthy && s.weather != thin:
		return "I4: a first write without evidence that it may begin"
	case serving == 0:
		return ""
	}
	return baked(s, serving, after)
}

// completes: I3, I4. The last step is held like every other one.
func (w *worker) completes(s *state, was, is *rollout.Progress, d *decision) string {
	if is.Phase != rollout.Completed || was.Phase == rollout.Completed {
		return ""
	}
	return baked(s, 100, s.past.heard(s, d))
}

// baked is what is missing for a step to end.
func baked(s *state, serving int64, after past) string {
	step := held(plans[s.object.plan], serving)
	switch {
	case after.promoted == promote, after.promoted == promoteFully && serving < 100:
		return s.pastABreach()
	case int64(s.past.served)*int64(tick) < int64(step.Bake+settle+delay):
		return fmt.Sprintf("I3: the step at %d%% ends after %d ticks, and its bake is %s", serving, s.past.served, step.Bake)
	case s.weather == thin && !after.thin, s.weather != thin && s.weather != healthy:
		return fmt.Sprintf("I4: the step at %d%% ends without healthy evidence", serving)
	}
	return ""
}

// pastABreach: I4. A promote waits for no evidence, and goes past no breach.
func (s *state) pastABreach() string {
	if s.weather == failing || s.weather == troubled {
		return "I4: it is promoted past a breach"
	}
	return ""
}

// judgeSave is what is wrong with a decision at the moment of its save. The object
// may have changed since it was decided, were it not for its resourceVersion.
func (w *worker) judgeSave(s *state, d *decision) string {
	switch is := w.statuses.at(d.status); {
	case s.object.life == gone:
		return "I14: a status is saved, and the object is gone"
	case d.rises && (!d.accepted || s.object.request != resume):
		return judgeRise(s, is, d)
	}
	return ""
}

// judgeLanding is what is wrong with a write of ours that takes effect.
func (w *worker) judgeLanding(s *state, list uint32) string {
	target, p := w.lists.at(list), w.saidOf(s)
	if s.past.foreign && !target.same(w.lists.at(s.cloud.asked()), s.cloud.ready) {
		return fmt.Sprintf("I7: %v was written over a split that somebody else set", target.entries)
	}
	if s.object.life == gone || w.means(p.Confirmed, target) {
		return ""
	}
	for _, i := range p.Intents {
		if w.means(i.Split, target) {
			return ""
		}
	}
	return fmt.Sprintf("I2: %v was written, and no saved status announces it: it will be taken for somebody else's", target.entries)
}

func (w *worker) means(split rollout.Split, target *traffic) bool {
	for r := uint8(1); r <= mostRevisions; r++ {
		if split.Of(names[r]) != target.share(r, 0) {
			return false
		}
	}
	return true
}

// heard is the past with what a person is heard to ask for in a decision.
func (p past) heard(s *state, d *decision) past {
	if d.began || d.accepted && s.object.request == adopt {
		p.thin, p.approved, p.promoted, p.paused = false, false, noVerb, false
	}
	if !d.accepted {
		return p
	}
	switch v := s.object.request; v { //nolint:exhaustive // the others let nothing pass
	case approve:
		p.thin, p.approved = p.thin || d.thin, p.approved || p.thin || !d.thin
	case promote, promoteFully:
		p.promoted = v
	case pause, resume:
		p.paused = v == pause
	}
	return p
}

// lets tells whether a verb lets a rollout write over somebody else's split.
func (v verb) lets() bool {
	return v == resume || v == abort || v == retry || v == undo || v == adopt
}

// learnSave notes what a save means for what may follow.
func (w *worker) learnSave(s *state, c controller) {
	d := w.decisions.at(c.decision)
	is, p := w.statuses.at(d.status), s.past.heard(s, d)
	candidate, stable := uint8(1)<<numberOf(is.Candidate), numberOf(is.Stable)
	if d.began {
		p.given, p.meantBack, p.meantFull = 0, false, false
	}
	if is.Phase == rollout.RollingBack || is.Phase == rollout.RolledBack {
		p.given |= candidate
	}
	if is.Phase == rollout.RolledBack || d.accepted && s.object.request == abort {
		p.abandoned |= candidate
	}
	if d.accepted {
		p.forgive(s.object.request)
	}
	if stands(is.Phase) {
		p.promoted = noVerb
	}
	if d.write.list != 0 {
		p.meantBack = p.meantBack || w.lists.at(d.write.list).shares[stable] == 100
		p.meantFull = p.meantFull || w.lists.at(d.write.list).shares[numberOf(is.Candidate)] == 100
	}
	if w.dismissed(s, c) {
		p.dismissed |= uint8(1) << numberOf(w.saidOf(s).Candidate)
	}
	p.foreign = p.foreign && !w.letGo(s, c, stable)
	s.past = p
}

// forgive forgets what a person who asks for a verb takes back, the service among it.
func (p *past) forgive(v verb) {
	switch v { //nolint:exhaustive // the others take nothing back
	case retry:
		p.abandoned, p.dismissed = 0, 0
	case resume:
		p.dismissed = 0
	case adopt:
		p.owner = weAgain
	}
}

// stands tells whether a rollout waits in a phase: then what a person promoted before is
// over.
func stands(p rollout.Phase) bool {
	return p == rollout.Held || p == rollout.Paused || p == rollout.AwaitingApproval
}

// dismissed tells whether a save is the first since a person ended the attempt: they
// gave stable everything, and whoever decided has seen it.
func (w *worker) dismissed(s *state, c controller) bool {
	was, sole := w.saidOf(s), w.lists.at(s.cloud.asked()).sole(s.cloud.ready)
	let := w.decisions.at(c.decision).accepted && s.object.request.lets()
	seen := s.past.foreign && !c.late && !let
	return seen && active(was.Phase) && sole != 0 && names[sole] == was.Stable
}

// letGo tells whether somebody else's split is no longer one after a save that rests on
// it: a person let it, or everything is with stable. What the save announces nobody can
// tell from a write whose answer was lost, so it is taken for one.
func (w *worker) letGo(s *state, c controller, stable uint8) bool {
	d, desired := w.decisions.at(c.decision), w.lists.at(s.cloud.asked())
	meant := d.write.list != 0 && w.lists.at(d.write.list).same(desired, s.cloud.ready)
	settled := d.accepted && s.object.request.lets() || stable != 0 && desired.sole(s.cloud.ready) == stable
	return meant || settled && !c.late
}

// active tells whether a rollout is under way in a phase: every phase but the ends
// is one of an attempt.
func active(p rollout.Phase) bool {
	return p != "" && p != rollout.Idle && p != rollout.RolledBack && p != rollout.Completed
}
