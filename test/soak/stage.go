package soak

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
	"github.com/sluice-rollouts/sluice/test/modelplane"
)

// stage is a story while it is played: one goroutine, one queue of what is yet to
// happen. While a process waits for an answer the queue goes on, one level deeper.
type stage struct {
	ctx      context.Context //nolint:containedctx // it is as old as the story
	script   Script
	scenario simulator.Scenario
	world    *simulator.World
	plane    *modelplane.Server
	kept     *kept // where Config Connector keeps the service
	queue    queue
	replicas [2]*process
	// processes are all that ever lived, by name.
	processes map[string]*process
	held      time.Time // until when a former leader's lease counts
	acts      []*cue    // that wait for a call or a phase
	person    person
	record    record
	count     counts
	refusals  []refusal
	freezes   []v1alpha1.RolloutFreeze
	crashes   crashes
	troubled  time.Time // until when
	quiet     bool      // the adversary is done
	calmAt    time.Time
	// quietFrom is from where on in the trace nothing may be written.
	quietFrom int
	ended     bool
	over      bool
	alone     bool // nobody is on call
	err       error
}

// setUp builds the stage of a script.
func setUp(ctx context.Context, script Script) (*stage, error) {
	s := &stage{ctx: ctx, script: script, count: newCounts(), processes: map[string]*process{}}
	var err error
	if s.scenario, err = script.Setting.scenario(script.Seed); err != nil {
		return nil, err
	}
	if s.world, err = simulator.New(s.scenario); err != nil {
		return nil, err
	}
	s.plane = modelplane.New(ticking{s, new(time.Duration)})
	s.plane.Before, s.plane.After = s.planeBefore, s.planeAfter
	s.record = record{stage: s, landing: map[string]landing{}, lost: map[string]bool{}}
	s.person.stage, s.crashes.due = s, script.Crashes
	skew := script.Setting.Skew
	apart := max(skew[0].Abs(), skew[1].Abs(), (skew[0] - skew[1]).Abs())
	s.record.trace = append(s.record.trace, invariants.Apart{At: invariants.At(morning), Most: min(apart, 2*tolerated)})
	s.world.Advance(settled)
	err = s.keep()
	s.drain()
	return s, err
}

// tolerated is how far clocks may be apart for the controllers to date anything.
const tolerated = 30 * time.Second

// settled is how long a world lives before the rollout is created, so that its
// gateway has reported.
const settled = 6 * time.Minute

func (s *stage) now() time.Time { return s.world.Now() }

// in plans something.
func (s *stage) in(after time.Duration, do func()) { s.queue.add(s.now().Add(after), do) }

// fail ends the story with a mistake of the harness.
func (s *stage) fail(err error) {
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("at %s: %w", s.now().Sub(morning), err)
	}
	s.over = s.over || err != nil
}

// run lets things happen until a time.
func (s *stage) run(until time.Time) {
	for !s.over {
		due, planned := s.queue.next()
		if !planned || due.After(until) {
			s.world.AdvanceTo(until)
			s.drain()
			return
		}
		s.world.AdvanceTo(due)
		s.drain()
		s.queue.take()()
	}
}

// drain takes what has happened into the record.
func (s *stage) drain() { s.record.drain() }

// spread lets a change of the object reach the views of the controllers.
func (s *stage) spread() {
	for place, p := range s.replicas {
		if p != nil {
			s.in(s.script.Setting.Lag[place], p.deliver)
		}
	}
}

// planeBefore stands before every call that reaches the control plane.
func (s *stage) planeBefore(c modelplane.Call) error {
	p := s.caller(c)
	if p == nil {
		return nil
	}
	name := planeCall(c)
	p.meet(name, before)
	if p.expired() {
		return context.DeadlineExceeded
	}
	if name == saveCall {
		s.record.look(p, &c.Object.Status)
	}
	return p.refusal(name)
}

// planeAfter stands behind it.
func (s *stage) planeAfter(c modelplane.Call, err error) error {
	s.drain()
	p := s.caller(c)
	if p == nil {
		return nil
	}
	name := planeCall(c)
	if err == nil && name == saveCall {
		s.record.confirmed(p)
	}
	if apierrors.IsConflict(err) {
		s.conflicted(p, c)
	}
	p.meet(name, after)
	return p.lost(name)
}

// conflicted counts a save that somebody else came before.
func (s *stage) conflicted(p *process, c modelplane.Call) {
	if p.deposed {
		s.count.sometimes[deposedConflict]++
	}
	if c.Status && c.Object.Status.Phase == v1alpha1.PhaseRollingBack {
		s.count.sometimes[conflictLatched]++
	}
}

// caller is the process that makes a call, nil for a person.
func (s *stage) caller(c modelplane.Call) *process {
	return s.processes[c.By]
}

func planeCall(c modelplane.Call) string {
	switch {
	case c.Status:
		return saveCall
	case c.Verb == modelplane.Patch:
		return finalize
	}
	return string(c.Verb) + " " + c.Resource
}

// scheduled holds a leader to looking again at an object that is there. What its view has
// yet to hear of it, or to list, wakes it.
func (s *stage) scheduled(p *process) {
	there, hears := s.record.object != nil, p.cache.Pending() > 0 || p.cache.Broken()
	if there && p.leads && !p.deposed && p.waiting.IsZero() && p.woken == 0 && !hears {
		s.record.violate("I16", "nobody will look at the rollout again")
	}
}

// begin begins a story: the rollout is applied, and the controllers start.
func begin(ctx context.Context, script Script) (*stage, error) {
	s, err := setUp(ctx, script)
	if err != nil {
		return nil, err
	}
	s.fail(s.person.apply())
	for place := range s.replicas {
		s.start(place)
	}
	s.rehearse()
	s.in(releasedAfter, s.release)
	return s, nil
}

// releasedAfter is how long after the rollout the first release comes.
const releasedAfter = time.Minute

// Play plays a script to its end.
func Play(ctx context.Context, script Script) (Outcome, error) {
	s, err := begin(ctx, script)
	if err != nil {
		return Outcome{}, err
	}
	s.troubled = s.now().Add(script.Lasts)
	s.run(s.troubled)
	s.calm()
	s.run(s.now().Add(patience))
	return s.outcome(), s.err
}

// patience is how long a story may take to come to rest once the adversary is done.
const patience = 4 * time.Hour
