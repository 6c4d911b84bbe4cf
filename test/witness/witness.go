// Package witness writes down what happens to one service and its rollout, for
// test/invariants to judge: the world's log, and from the side of the control
// plane each status that was saved.
package witness

import (
	"slices"
	"sync"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

// Scope is what is watched.
type Scope struct {
	// Project, Location and Service name the service.
	Project, Location, Service string
	// Callers are the identities that its managers have in the world.
	Callers []string
	// Gateways are watched too, and From is the world's beginning.
	Gateways []invariants.Gateway
	From     time.Time
	// Heard, where it is not nil, hears of every event of the world.
	Heard func(simulator.Event)
}

func (s Scope) fullName() string {
	return "projects/" + s.Project + "/locations/" + s.Location + "/services/" + s.Service
}

// Witness writes a trace. Several managers may act before it at the same time.
type Witness struct {
	scope Scope
	guard *wire.Guard

	mu    sync.Mutex
	seq   int // of the world's log
	trace invariants.Trace
}

// New watches a service of a world from now on.
func New(guard *wire.Guard, scope Scope) *Witness { return &Witness{scope: scope, guard: guard} }

// Trace is everything up to now.
func (w *Witness) Trace() invariants.Trace {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drain()
	return slices.Clone(w.trace)
}

// Asked carries out what a person does, and writes down what it was: after it is
// stored, and before anybody's answer to it.
func (w *Witness) Asked(do func(now time.Time) (invariants.Event, error)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drain()
	now, _ := w.guard.Now()
	event, err := do(now)
	if err == nil && event != nil {
		w.trace = append(w.trace, event)
	}
	return err
}

// Catchup takes in what has happened in the world.
func (w *Witness) Catchup() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drain()
}

func (w *Witness) drain() {
	w.guard.Do(func(world *simulator.World) {
		log := world.LogSince(w.seq)
		w.seq += len(log)
		w.trace = append(w.trace, invariants.FromLog(log, w.scope.fullName(), w.scope.Callers...)...)
		if w.scope.Heard != nil {
			for _, e := range log {
				w.scope.Heard(e)
			}
		}
	})
}

// Deciding is told of every status that is about to be saved: it notes what could
// be known when a write or the end is decided.
func (w *Witness) Deciding(status *v1alpha1.CloudRunRolloutStatus) error {
	a := status.Attempt
	if a == nil || IntentOf(a) == nil && status.Phase != v1alpha1.PhaseCompleted {
		return nil
	}
	subject := invariants.Subject{
		Project: w.scope.Project, Location: w.scope.Location, Service: w.scope.Service,
		Candidate: a.Candidate, Stable: BaselineOf(status), Gateways: w.scope.Gateways, From: w.scope.From,
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if status.Phase == v1alpha1.PhaseCompleted {
		subject.Stable = w.former() // it is the witness
	}
	w.drain()
	var err error
	w.guard.Do(func(world *simulator.World) {
		var seen invariants.Evidence
		if seen, err = invariants.Visible(world.Series(), subject, world.Now()); err == nil {
			w.trace = append(w.trace, seen)
		}
	})
	return err
}

// former is the baseline of the newest saved status.
func (w *Witness) former() string {
	for _, e := range slices.Backward(w.trace) {
		if s, ok := e.(invariants.Saved); ok {
			return s.Stable
		}
	}
	return ""
}

// Saved is told of every status that was stored, before whoever saved it knows. By is the
// process that did, as it calls itself to Cloud Run; "" where that is not known.
func (w *Witness) Saved(by string, status *v1alpha1.CloudRunRolloutStatus) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drain()
	now, _ := w.guard.Now()
	saved := SavedAt(now, status)
	saved.By = by
	w.trace = append(w.trace, saved)
}

// Late is a write that was sent and has not arrived.
type Late struct {
	at    time.Time
	place int // in the trace
}

// Sent is told of a write that is held up on its way.
func (w *Witness) Sent() Late {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drain()
	now, _ := w.guard.Now()
	return Late{now, len(w.trace)}
}

// Arrive lets such a write reach the service, and writes down that it had been
// sent before.
func (w *Witness) Arrive(late Late, serve func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drain()
	before := len(w.trace)
	serve()
	w.drain()
	for i := before; i < len(w.trace); i++ {
		landed, ok := w.trace[i].(invariants.Write)
		if !ok {
			continue
		}
		sent := landed
		landed.Landed = true
		sent.At, sent.Accepted = invariants.At(late.at), false
		w.trace[i] = landed
		w.trace = slices.Insert[invariants.Trace, invariants.Event](w.trace, late.place, sent)
		return
	}
}
