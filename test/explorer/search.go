package explorer

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// Scope says how much is explored.
type Scope struct {
	// Faults is how many faults there are at most on a path, Acts how often a person
	// does something at most.
	Faults, Acts int
	// Git has each revision made by a template of spec.template.
	Git bool
	// Kept has the service kept by Config Connector, and moved by its RunService.
	Kept bool
	// MostStates ends the search; 0 when everything in the scope was seen.
	MostStates int
	// First ends the search at the depth of the first violation.
	First bool
	// Workers is how many look at states side by side. The result does not depend
	// on it.
	Workers int
	// Decide is what is explored.
	Decide func(rollout.Input) rollout.Decision
	// Careless is how the controllers carry it out.
	Careless Careless
	// Progress hears of every depth that was reached; nil for nobody.
	Progress func(Report)
}

// Careless lists mistakes of the loop around Decide, to see that they are found.
type Careless struct {
	RefreshesEtag bool // sends a write again with a new etag when the old one is refused
	SavesBlindly  bool // saves whatever the object has become since
	SendsFirst    bool // sends before it saves
}

// Report is what was found.
type Report struct {
	States, Edges int
	Depth         int  // of the deepest state
	Exhausted     bool // everything in the scope was seen
	WaysBack      int  // states from which a way back was walked
	Statuses      int  // different statuses
	Violations    []Violation
}

// Violation is a broken invariant and how to get there.
type Violation struct {
	What  string
	Story []string
}

// mostViolations ends a search: one bug shows in many places.
const mostViolations = 5

// search is a breadth-first search.
type search struct {
	*world
	actions []action
	store   *store
	report  Report
}

// Explore looks at every state that can be reached in a scope.
func Explore(scope Scope) Report {
	w := &world{
		scope: scope, statuses: newPool[rollout.Progress](), lists: newPool[traffic](), decisions: newPool[decision](),
	}
	x := &search{world: w, actions: actions(), store: newStore()}
	if scope.Git {
		x.actions = append(x.actions, templates()...)
	}
	if scope.Kept {
		x.actions = append(x.actions, keeps()...)
	}
	x.store.add(reached{state: w.first()})
	x.run()
	return x.report
}

// first is a service that follows LATEST and an object that was just created.
func (w *world) first() state {
	s := state{faults: uint8(w.scope.Faults), acts: uint8(w.scope.Acts)} //nolint:gosec // a few
	list := w.traffic([]rollout.Entry{{Latest: true, Percent: 100}, {Revision: names[1], Tag: "blue"}})
	s.cloud = cloud{desired: list, effective: list, created: 1, ready: 1}
	s.cloud.revisions[1] = ready
	if w.scope.Git {
		s.object.wants, s.cloud.template, s.cloud.made[1] = 1, 1, 1
	}
	s.object.status = w.status(normal(rollout.Progress{Phase: rollout.Idle, Reason: rollout.Preparing}))
	return s
}

// run goes from depth to depth until nothing new is reached.
func (x *search) run() {
	crew := x.crew()
	defer close(crew.work)
	for from := uint32(0); from < x.store.count && !x.enough(); {
		until := x.store.count
		x.level(crew, from, until)
		from = until
		if x.store.count > until {
			x.report.Depth++
		}
		x.report.States, x.report.Statuses = int(x.store.count), int(x.statuses.count)
		x.report.Exhausted = x.store.count == until
		if x.scope.Progress != nil {
			x.scope.Progress(x.report)
		}
	}
}

func (x *search) enough() bool {
	found := len(x.report.Violations)
	return found >= mostViolations || x.scope.First && found > 0 ||
		x.scope.MostStates > 0 && x.report.States >= x.scope.MostStates
}

// share is a part of a level, and what comes of it.
type share struct {
	from, until uint32
	found       chan []finding
}

// finding is an edge to a state, or what is wrong with it.
type finding struct {
	reached
	wrong  string
	walked bool // no edge: a way back was walked
}

// crew are the workers.
type crew struct{ work chan share }

const (
	shareSize = 256
	ahead     = 64 // shares that are worked on before the oldest one is taken in
)

func (x *search) crew() crew {
	c := crew{work: make(chan share, ahead)}
	for range max(1, x.scope.Workers) {
		go func() {
			w := x.worker()
			for s := range c.work {
				s.found <- x.expand(w, s)
			}
		}()
	}
	return c
}

// level looks at the states of one depth. Shares are taken in one after the other, so
// that the numbers of states do not depend on who was faster.
func (x *search) level(c crew, from, until uint32) {
	shares := make(chan share, ahead)
	var feeding sync.WaitGroup
	feeding.Go(func() {
		defer close(shares)
		for at := from; at < until; at += shareSize {
			s := share{at, min(at+shareSize, until), make(chan []finding, 1)}
			shares <- s
			c.work <- s
		}
	})
	for s := range shares {
		x.take(<-s.found)
	}
	feeding.Wait()
}

// expand tries every action on every state of a share.
func (x *search) expand(w *worker, s share) []finding {
	var found []finding
	for n := s.from; n < s.until; n++ {
		before := x.store.at(n).state
		for i, a := range x.actions {
			if after, ok := a.try(w, before); ok && (after != before || w.wrong != "") {
				found = append(found, finding{reached: reached{after, n, uint8(i)}, wrong: w.wrong})
			}
		}
		if before.quiet() {
			w.wrong = ""
			w.blame(w.wayBack(before))
			w.blame(w.gitArrives(before))
			w.blame(w.specAgrees(before))
			found = append(found, finding{reached: reached{parent: n}, wrong: w.wrong, walked: true})
		}
	}
	return found
}

// take keeps what is new.
func (x *search) take(found []finding) {
	for _, f := range found {
		x.note(f)
		if f.walked {
			x.report.WaysBack++
			continue
		}
		x.report.Edges++
		x.store.add(f.reached)
	}
}

// note keeps what is wrong, the shortest story of it.
func (x *search) note(f finding) {
	told := slices.ContainsFunc(x.report.Violations, func(v Violation) bool { return v.What == f.wrong })
	if f.wrong != "" && !told && len(x.report.Violations) < mostViolations {
		x.report.Violations = append(x.report.Violations, Violation{f.wrong, x.story(f)})
	}
}

// String writes the violation as a story.
func (v Violation) String() string {
	var text strings.Builder
	text.WriteString(v.What)
	for i, sentence := range v.Story {
		fmt.Fprintf(&text, "\n  %d. %s", i+1, sentence)
	}
	return text.String()
}
