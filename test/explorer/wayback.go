package explorer

import (
	"fmt"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// mostLooks is in how many passes what was asked for is done when nothing disturbs it:
// one that obeys, one that sees it served, and as many again for what is seen only then.
const mostLooks = 6

// wayBack is what is wrong with the way out of a state of an attempt: a person asks to
// abort, every call succeeds from now on, nobody mends anything, and there are still no
// metrics. Then it is RolledBack, and stable serves everything; where traffic only goes to
// what a person named as stable, without a candidate to give up, it may be Idle. An object that
// is being deleted is gone then. There are these exceptions, each with what must be reached
// instead, and with how a person or Cloud Run gets it on:
//
//   - Stable is not ready: it is RollingBack, unless stable serves everything already, and
//     RolledBack once stable is ready again.
//   - Stable is gone: it waits, Paused for BaselineLost, and writes nothing. When a person
//     names another revision that is ready, that one serves everything in the end.
//   - Another cluster took the service over: it is Idle for OwnedElsewhere, and writes
//     nothing. When a person takes the service back, an abort is as everywhere else, or
//     nothing is left to abort: it is Idle, and stable serves everything.
//   - Somebody else applies spec.traffic of the RunService: nothing of ours arrives, and it
//     is not over. When they let go of it, an abort is as everywhere else.
//   - The object is being deleted, and stable is gone, the service another cluster's, or
//     the split a person's: the object is gone, and the traffic stays as it is.
//
// Only states in which nothing is under way are asked. From every other one the
// loss of what is under way, which costs nothing, leads to such a state, and that
// one is asked by itself.
func (w *worker) wayBack(s state) string {
	from := w.saidOf(&s)
	if !active(from.Phase) || s.object.life == gone {
		return ""
	}
	stable := numberOf(from.Stable)
	elsewhere, missing := s.past.owner == they, s.cloud.revisions[stable] == lost
	asked, leaves := s.cloud.asked(), s.object.life == deleting && (elsewhere || missing || s.past.foreign)
	s.weather = silent
	if missing {
		s.object.named = 0
	}
	w.aborts(&s)
	if s.cloud.keeper.owned {
		w.owns(&s, false)
		w.aborts(&s)
	}
	switch stays := w.lists.at(s.cloud.asked()).same(w.lists.at(asked), s.cloud.ready); {
	case leaves && stays && s.object.life == gone, w.isBack(&s, from):
		return ""
	case leaves:
		return w.endless(&s, from, "the object is being deleted")
	case elsewhere && (!stays || !w.rests(&s, rollout.Idle, rollout.OwnedElsewhere)):
		return w.endless(&s, from, "the service is another cluster's")
	case elsewhere && missing: // both at once are no further way
		return ""
	case elsewhere:
		return w.takenBack(&s, from)
	case missing && (!stays || !w.rests(&s, rollout.Paused, rollout.BaselineLost)):
		return w.endless(&s, from, "stable is gone")
	case missing:
		return w.namesAnother(&s, from)
	case s.cloud.revisions[stable] == unready && w.rests(&s, rollout.RollingBack, rollout.ReasonRollingBack):
		turns(&s, stable, unready, ready)
		w.rounds(&s)
	}
	return w.mustBeBack(&s, from)
}

// takenBack makes a person take the service back from another cluster, and abort what
// goes on then, if anything does. Stable is ready by then. What Git wants may begin anew
// after that, and is asked by itself.
func (w *worker) takenBack(s *state, from *rollout.Progress) string {
	turns(s, numberOf(from.Stable), unready, ready)
	w.asks(s, adopt)
	w.rounds(s)
	if s.object.wants == 0 || active(w.saidOf(s).Phase) {
		w.aborts(s)
	}
	if !active(w.saidOf(s).Phase) && w.saidOf(s).Reason != rollout.OwnedElsewhere && w.servesAll(s, from.Stable) {
		return ""
	}
	return w.mustBeBack(s, from)
}

// aborts makes a person ask to abort, and lets that be done.
func (w *worker) aborts(s *state) {
	w.asks(s, abort)
	w.rounds(s)
}

// namesAnother makes a person name another revision that is ready, if there is one:
// nothing can serve otherwise. What spec.stableRevision says already is taken out first.
func (w *worker) namesAnother(s *state, from *rollout.Progress) string {
	other := s.cloud.created
	for other > 0 && s.cloud.revisions[other] != ready {
		other--
	}
	if other == 0 {
		return ""
	}
	s.object.named = 0
	w.rounds(s)
	s.object.named, s.past.foreign = other, false
	w.rounds(s)
	if p := w.saidOf(s); active(p.Phase) || !w.servesAll(s, names[other]) {
		return w.endless(s, from, names[other]+" is named in place of stable")
	}
	return ""
}

// rests tells whether it stays where it is said to.
func (w *worker) rests(s *state, phase rollout.Phase, reason rollout.Reason) bool {
	p := w.saidOf(s)
	return s.object.life != gone && p.Phase == phase && p.Reason == reason
}

// isBack tells whether an attempt is over, and the traffic where it was before.
func (w *worker) isBack(s *state, from *rollout.Progress) bool {
	phase := w.saidOf(s).Phase
	over := s.object.life == gone || phase == rollout.RolledBack || phase == rollout.Idle && from.Candidate == ""
	return over && w.servesAll(s, from.Stable)
}

func (w *worker) mustBeBack(s *state, from *rollout.Progress) string {
	if w.isBack(s, from) {
		return ""
	}
	return w.endless(s, from, "stable is there")
}

func (w *worker) servesAll(s *state, revision string) bool {
	return names[w.lists.at(s.cloud.effective).sole(s.cloud.ready)] == revision
}

// rounds are passes that succeed, Cloud Run being done, and time that passes, until an
// attempt is over: what comes after it may be another one.
func (w *worker) rounds(s *state) {
	for range mostLooks {
		w.pass(s)
		if s.object.life == gone || !active(w.saidOf(s).Phase) {
			return
		}
	}
}

// pass is one that succeeds; Cloud Run is done with it, and time passes.
func (w *worker) pass(s *state) {
	w.looks(s, 0)
	w.saves(s, 0)
	w.sends(s, 0)
	w.carriesOut(s)
	w.settles(s)
	w.passesTime(s)
}

func (w *worker) endless(s *state, from *rollout.Progress, where string) string {
	p := w.saidOf(s)
	return fmt.Sprintf("reachability: from %s/%s on, after %d undisturbed passes it is %s/%s, where %s",
		from.Phase, from.Reason, mostLooks, p.Phase, p.Reason, where)
}
