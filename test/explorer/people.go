package explorer

import (
	"slices"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// asks is a person's verb. It is bound to what the person saw where that matters.
func (w *worker) asks(s *state, v verb) bool {
	p := w.saidOf(s)
	switch {
	case s.object.life != living || s.object.request == v:
		return false
	case v == retry && !given(p, p.Candidate), v == undo && p.Former == "":
		return false
	case (v == pause || v == promote || v == promoteFully) && !active(p.Phase):
		return false
	}
	s.object.request, s.object.step, s.object.late = v, -1, false
	if v.bound() && v != undo {
		s.object.step = int8(p.Step) //nolint:gosec // a plan has five steps
	}
	w.touched(s)
	return true
}

// asksLate is a verb by what a person saw a step ago.
func (w *worker) asksLate(s *state, v verb) bool {
	if w.saidOf(s).Step == 0 || !w.asks(s, v) {
		return false
	}
	s.object.step--
	return true
}

func given(p *rollout.Progress, revision string) bool {
	return slices.Contains(p.Latched, revision)
}

// awaited tells whether a rollout says that it waits for an approval: then one is
// no act that must be counted.
func (w *worker) awaited(s *state) bool {
	p := w.saidOf(s)
	return p.Phase == rollout.AwaitingApproval || p.Reason == rollout.TooFewRequests
}

// taken tells whether a rollout says that somebody else has its service.
func (w *worker) taken(s *state) bool { return w.saidOf(s).Reason == rollout.OwnedElsewhere }

// switches sets spec.paused to what it is not.
func (w *worker) switches(s *state) bool {
	if s.object.life != living {
		return false
	}
	s.object.paused = !s.object.paused
	w.touched(s)
	return true
}

// freezes begins a freeze, or ends it.
func freezes(s *state, shut bool) bool {
	was := s.shut
	s.shut = shut
	return was != shut && s.object.life != gone
}

// edits changes the steps.
func (w *worker) edits(s *state, plan uint8) bool {
	if s.object.life != living || s.object.plan == plan {
		return false
	}
	s.object.plan = plan
	w.touched(s)
	return true
}

// settlesBaseline sets spec.stableRevision, as a person does who was told to.
func (w *worker) settlesBaseline(s *state, revision uint8) bool {
	p := w.saidOf(s)
	if s.object.life != living || s.object.named == revision || p.Phase != rollout.Paused && p.Reason != rollout.BaselineUnknown {
		return false
	}
	s.object.named = revision
	s.past.foreign = false
	w.touched(s)
	return true
}

// deletes makes the object go: back before it goes, or at once.
func (w *worker) deletes(s *state, to life) bool {
	if s.object.life >= to {
		return false
	}
	s.object.life = to
	if to == gone {
		s.object = object{status: s.object.status, life: gone}
	}
	w.touched(s)
	return true
}
