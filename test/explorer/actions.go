package explorer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// action is one thing that may happen next.
type action struct {
	tells string // what happens, as a sentence
	cost  cost
	// does changes the state, and says whether it could happen.
	does func(*worker, *state) bool
}

// cost is which budget an action takes from.
type cost uint8

const (
	free  cost = iota
	fault      // of the environment
	act        // of a person
)

// controllerOf says which controller acts. They are alike, and change places in a
// story whenever they are put in order.
var controllerOf = [2]string{"A controller", "The other controller"}

// actions is everything that can happen, in the order in which it is tried.
func actions() []action {
	list := []action{
		{"Four minutes pass.", free, (*worker).passesTime},
		{"Cloud Run is done with what it was asked for.", free, (*worker).settles},
		{"The write that was under way takes effect.", free, (*worker).arrives},
	}
	for i, who := range controllerOf {
		by := func(does func(*worker, *state, int) bool) func(*worker, *state) bool {
			return func(w *worker, s *state) bool {
				twin := i > 0 && s.controllers[0] == s.controllers[i] // what it does, the first one did
				return !twin && does(w, s, i)
			}
		}
		list = append(
			list,
			action{who + " looks and decides.", free, by((*worker).looks)},
			action{who + " saves the status.", free, by((*worker).saves)},
			action{who + " sends its write.", free, by((*worker).sends)},
			action{who + " loses what it was about to do.", free, by((*worker).crashes)},
			action{who + " sends its write, which is late.", fault, by((*worker).parks)},
		)
	}
	return append(append(append(list, weathers()...), clouds()...), people()...)
}

func weathers() []action {
	var list []action
	for to, tells := range []string{
		healthy: "The metrics are healthy again.", thin: "There are too few requests.", silent: "No metric answers.",
		troubled: "A check that holds is in breach.", failing: "A check that leads back is in breach.",
	} {
		turn := action{tells, fault, func(_ *worker, s *state) bool {
			was := s.weather
			s.weather = weather(to) //nolint:gosec // five of them
			return was != s.weather && (was == healthy || s.weather == healthy)
		}}
		if weather(to) == healthy {
			turn.cost = free
		}
		list = append(list, turn)
	}
	return list
}

func clouds() []action {
	serve := func(first, second int64) func(*worker, *state) bool {
		var entries []rollout.Entry
		for r, percent := range map[string]int64{names[1]: first, names[2]: second} {
			if percent > 0 {
				entries = append(entries, rollout.Entry{Revision: r, Percent: percent})
			}
		}
		slices.SortFunc(entries, func(a, b rollout.Entry) int { return strings.Compare(a.Revision, b.Revision) })
		return func(w *worker, s *state) bool { return w.foreign(s, entries...) }
	}
	list := []action{
		{"The first new revision is deployed.", free, func(w *worker, s *state) bool { return s.cloud.awaitsFirst() && w.deploys(s) }},
		{"A newer revision is deployed.", fault, func(w *worker, s *state) bool { return !s.cloud.awaitsFirst() && w.deploys(s) }},
		{"Somebody writes the service, but not its traffic.", fault, (*worker).somebodyWrites},
		{"Somebody sets the traffic to web-1 65%, web-2 35%.", fault, serve(65, 35)},
		{"Somebody sends web-1 everything.", fault, serve(100, 0)},
		{"Somebody sends web-2 everything.", fault, serve(0, 100)},
		{"Somebody lets all traffic follow LATEST.", fault, func(w *worker, s *state) bool {
			return w.foreign(s, rollout.Entry{Latest: true, Percent: 100})
		}},
	}
	for r := uint8(1); r < mostRevisions; r++ {
		list = append(
			list,
			action{fmt.Sprintf("%s is deleted.", names[r]), fault, func(_ *worker, s *state) bool { return loses(s, r) }},
			action{fmt.Sprintf("%s is no longer ready.", names[r]), fault, func(_ *worker, s *state) bool { return turns(s, r, ready, unready) }},
			action{fmt.Sprintf("%s is ready again.", names[r]), free, func(_ *worker, s *state) bool { return turns(s, r, unready, ready) }},
		)
	}
	return list
}

func people() []action {
	list := []action{
		{"The person who is waited for approves.", free, func(w *worker, s *state) bool { return w.awaited(s) && w.asks(s, approve) }},
		{"A person approves what was not asked.", act, func(w *worker, s *state) bool { return !w.awaited(s) && w.asks(s, approve) }},
		{"A person sets spec.paused to true.", act, func(w *worker, s *state) bool { return !s.object.paused && w.switches(s) }},
		{"A person sets spec.paused to false.", free, func(w *worker, s *state) bool { return s.object.paused && w.switches(s) }},
		{"A person freezes all rollouts.", act, func(_ *worker, s *state) bool { return freezes(s, true) }},
		{"The freeze is over.", free, func(_ *worker, s *state) bool { return freezes(s, false) }},
		{"A person asks to abort.", act, func(w *worker, s *state) bool { return w.asks(s, abort) }},
		{"A person asks to resume.", act, func(w *worker, s *state) bool { return w.asks(s, resume) }},
		{"A person asks to retry.", act, func(w *worker, s *state) bool { return w.asks(s, retry) }},
		{"A person asks to pause.", act, func(w *worker, s *state) bool { return w.asks(s, pause) }},
		{"A person asks to promote.", act, func(w *worker, s *state) bool { return w.asks(s, promote) }},
		{"A person asks to promote by what they saw a step ago.", act, func(w *worker, s *state) bool { return w.asksLate(s, promote) }},
		{"A person asks to promote to the end.", act, func(w *worker, s *state) bool { return w.asks(s, promoteFully) }},
		{"A person asks to undo.", act, func(w *worker, s *state) bool { return w.asks(s, undo) }},
		{"A person of another cluster takes the service over.", act, func(w *worker, s *state) bool { return w.takesOver(s, we) }},
		{"A person of another cluster takes the service over again.", fault, func(w *worker, s *state) bool { return w.takesOver(s, weAgain) }},
		{"The person who is waited for takes the service back.", free, func(w *worker, s *state) bool { return w.taken(s) && w.asks(s, adopt) }},
		{"A person asks to adopt what nobody else has.", act, func(w *worker, s *state) bool { return !w.taken(s) && w.asks(s, adopt) }},
		{"A person goes back to the first plan.", act, func(w *worker, s *state) bool { return w.edits(s, 0) }},
		{"A person makes the steps fewer.", act, func(w *worker, s *state) bool { return w.edits(s, 1) }},
		{"A person makes the steps more.", act, func(w *worker, s *state) bool { return w.edits(s, 2) }},
		{"A person deletes the object, to go back first.", act, func(w *worker, s *state) bool { return w.deletes(s, deleting) }},
		{"A person deletes the object.", act, func(w *worker, s *state) bool { return w.deletes(s, gone) }},
	}
	for r := uint8(1); r < mostRevisions; r++ {
		list = append(list, action{fmt.Sprintf("A person sets spec.stableRevision to %s.", names[r]), act, func(w *worker, s *state) bool {
			return w.settlesBaseline(s, r)
		}})
	}
	return list
}

// pay takes an action's cost from the state's budgets, where there is enough.
func (a action) pay(s *state) bool {
	switch a.cost {
	case free:
	case fault:
		if s.faults == 0 {
			return false
		}
		s.faults--
	case act:
		if s.acts == 0 {
			return false
		}
		s.acts--
	}
	return true
}

// try is what an action makes of a state, if it can happen.
func (a action) try(w *worker, s state) (state, bool) {
	w.wrong = ""
	if !a.pay(&s) || !a.does(w, &s) {
		return s, false
	}
	return s.sorted(), true
}
