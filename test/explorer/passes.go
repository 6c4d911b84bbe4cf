package explorer

import "github.com/sluice-rollouts/sluice/internal/rollout"

// looks is a controller at rest that reads and decides. A decision that changes
// nothing is over at once.
func (w *worker) looks(s *state, i int) bool {
	if s.controllers[i].stage != atRest || s.object.life == gone {
		return false
	}
	j := w.decide(sight{s.object, s.cloud, s.weather, s.shut})
	d := w.decisions.at(j.number)
	w.blame(j.wrong)
	w.blame(w.judgeDecision(s, d))
	if d.status == s.object.status && d.write.isNone() && !d.answered && !d.released {
		return w.wrong != ""
	}
	s.controllers[i] = controller{decision: j.number, stage: decided, number: d.write.number}
	if w.scope.Careless.SendsFirst && !d.write.isNone() {
		s.controllers[i].stage = saved
	}
	return true
}

// saves is a controller that stores what it decided. That the object has not
// changed since is seen to by changed.
func (w *worker) saves(s *state, i int) bool {
	c := s.controllers[i]
	if c.stage != decided {
		return false
	}
	d := w.decisions.at(c.decision)
	w.blame(w.judgeSave(s, d))
	s.drop(i)
	w.learnSave(s, c)
	s.object.status = d.status
	if d.began && !d.answered {
		s.object.late = s.object.request != noVerb
	}
	if d.answered {
		s.object.request, s.object.step, s.object.late = noVerb, 0, false
	}
	if d.released {
		s.object = object{status: d.status, life: gone}
	}
	if d.numbered {
		s.numbered()
	}
	w.touched(s)
	if !d.write.isNone() {
		s.controllers[i] = controller{c.decision, saved, d.write.number, c.late}
	}
	return true
}

// touched is what a change of the object does to passes that are under way.
func (w *worker) touched(s *state) {
	if !w.scope.Careless.SavesBlindly {
		s.changed()
	}
}

// sends is a write that reaches Cloud Run. Whether its answer reaches the
// controller makes no difference to one that remembers nothing.
func (w *worker) sends(s *state, i int) bool {
	c := s.controllers[i]
	if c.stage != saved {
		return false
	}
	if of := w.writeOf(c); of.template != 0 && !s.cloud.takes(of.template) {
		return false // it would be a revision more than there are here
	}
	s.drop(i)
	if c.late && !w.scope.Careless.RefreshesEtag {
		return true // 409
	}
	w.lands(s, w.writeOf(c))
	return true
}

// writeOf is the write that a controller has to send.
func (w *worker) writeOf(c controller) write {
	of := w.decisions.at(c.decision).write
	of.number = c.number
	return of
}

// lands is a write of ours that takes effect.
func (w *worker) lands(s *state, of write) {
	if of.template != 0 {
		w.landsTemplate(s, of.template)
		return
	}
	if w.scope.Kept && s.cloud.keeper.owned {
		return // a conflict
	}
	w.blame(w.judgeLanding(s, of.list))
	if w.scope.Kept {
		w.applies(s, of.list)
		return
	}
	w.accept(s, of.list)
	s.cloud.claim, s.cloud.rival = of.number, 0
	s.past.foreign = false
}

// parks is a write that is under way for so long that its sender gives up on it.
func (w *worker) parks(s *state, i int) bool {
	c := s.controllers[i]
	if c.stage != saved || c.late || !s.cloud.parked.isNone() {
		return false
	}
	s.drop(i)
	s.cloud.parked = w.writeOf(c)
	return true
}

// arrives is such a write taking effect after all.
func (w *worker) arrives(s *state) bool {
	if of := s.cloud.parked; of.isNone() || of.template != 0 && !s.cloud.takes(of.template) {
		return false
	}
	w.lands(s, s.cloud.parked)
	return true
}

// crashes is a controller that loses what it has not saved or sent. The lease that
// changes hands, a conflict on the save and a write that never arrives are the same.
func (w *worker) crashes(s *state, i int) bool {
	if s.controllers[i].stage == atRest {
		return false
	}
	s.drop(i)
	return true
}

// passesTime is a tick. No pass lasts that long: a save has its timeout, and a
// write is not sent long after its save.
func (w *worker) passesTime(s *state) bool {
	s.drop(0)
	s.drop(1)
	status, ok := w.older[s.object.status]
	if !ok {
		status = w.status(aged(*w.statuses.at(s.object.status)))
		w.older[s.object.status] = status
	}
	s.object.status = status
	s.past.served = min(s.past.served+1, mostServed)
	s.cloud.keeper.patient = s.cloud.keeper.open()
	return true
}

// saidOf is what a status says, as the progress behind its number.
func (w *world) saidOf(s *state) *rollout.Progress { return w.statuses.at(s.object.status) }

// blame notes what an action broke, unless something was broken before.
func (w *worker) blame(wrong string) {
	if w.wrong == "" {
		w.wrong = wrong
	}
}
