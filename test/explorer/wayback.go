package explorer

import (
	"fmt"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// mostLooks is in how many passes a way back is over when nothing disturbs it: one
// that obeys, one that sees it served, and as many again when a value of
// spec.stableRevision that was used before must be taken out first.
const mostLooks = 6

// wayBack is what is wrong with the way out of a state: a person asks to abort,
// every call succeeds from now on, and there are still no metrics. Where stable no
// longer exists a person names another one.
//
// Only states in which nothing is under way are asked. From every other one the
// loss of what is under way, which costs nothing, leads to such a state, and that
// one is asked by itself.
func (w *worker) wayBack(s state) string {
	from := w.saidOf(&s)
	if !active(from.Phase) || s.object.life == gone {
		return ""
	}
	s.weather = silent
	for r := range s.cloud.revisions {
		turns(&s, uint8(r), unready, ready)
	}
	if other, ok := substitute(&s, from); !ok {
		return ""
	} else if other == 0 {
		w.asks(&s, abort)
	} else {
		w.renames(&s, other)
	}
	for range mostLooks {
		w.round(&s)
		if s.object.life == gone || !active(w.saidOf(&s).Phase) {
			return ""
		}
	}
	return w.endless(&s, from)
}

// substitute is the revision that a person names where stable is gone, 0 where it
// is not. There is none when no revision is ready: nothing can serve then.
func substitute(s *state, p *rollout.Progress) (revision uint8, ok bool) {
	if s.object.life != living || p.Stable == "" || s.cloud.revisions[numberOf(p.Stable)] == ready {
		return 0, true
	}
	for r := s.cloud.created; r > 0; r-- {
		if s.cloud.revisions[r] == ready {
			return r, true
		}
	}
	return 0, false
}

// renames makes a person take out what spec.stableRevision says, and name another
// revision when that was seen.
func (w *worker) renames(s *state, other uint8) {
	s.object.named = 0
	w.round(s)
	s.object.named, s.past.foreign = other, false
}

// round is a pass that succeeds, and Cloud Run being done, and time that passes.
func (w *worker) round(s *state) {
	w.looks(s, 0)
	w.saves(s, 0)
	w.sends(s, 0)
	w.settles(s)
	w.passesTime(s)
}

func (w *worker) endless(s *state, from *rollout.Progress) string {
	p := w.saidOf(s)
	return fmt.Sprintf("reachability: after an abort from %s/%s and %d undisturbed passes it is %s/%s, and does not come back",
		from.Phase, from.Reason, mostLooks, p.Phase, p.Reason)
}
