package soak

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/controllers"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
	"github.com/sluice-rollouts/sluice/test/modelplane"
)

// process is a manager from its start to its death: the real reconciler with its
// own memory, clock, view of the control plane and way to the clouds. It stands for
// one worker: there is one object.
type process struct {
	stage      *stage
	place      int // which of the two replicas it is
	born       time.Time
	passes     int
	began      time.Time // when the pass did
	name       string
	skew       time.Duration
	cache      *modelplane.Cache
	reach      *cloud
	reconciler reconcile.Reconciler
	wakes      predicate.Predicate

	leads   bool
	led     time.Time // since when
	deposed bool      // another one has the lease
	// overlaps is until when it leads although it is deposed.
	overlaps time.Time
	dead     bool
	busy     bool // a pass is under way
	// stopped is until when it gets no CPU.
	stopped time.Time
	// frozen is until when its watch delivers nothing.
	frozen time.Time

	waiting  time.Time // for which the queue has a look planned; zero for none
	failures int       // in a row
	wanted   bool      // something woke it during a pass
	woken    int       // looks at once that the queue has
	rewound  bool      // its cache went back
	saved    bool      // the update of the status that is under way changed it

	minute time.Time // the present one, and the calls in it
	calls  map[string]int
}

// errKilled unwinds the pass of a process that died.
var errKilled = errors.New("the process is dead")

// start starts a process on a replica. It remembers nothing.
func (s *stage) start(place int) {
	if s.replicas[place] != nil || s.over {
		return
	}
	p := &process{stage: s, place: place, born: s.now(), name: fmt.Sprintf("%c%d", 'a'+place, len(s.processes)+1), skew: s.skew(place)}
	s.processes[p.name] = p
	reach, err := p.reaches()
	if err != nil {
		s.fail(err)
		return
	}
	p.reach = reach
	p.cache = s.plane.Watch()
	client := p.cache.As(p.name)
	r := &controllers.Reconciler{
		Client: client, Live: s.plane.As(p.name), Clock: ticking{s, &p.skew}, Process: ticking{s, new(time.Duration)}, Recorder: s.plane.Recorder(p.name),
		Cluster: modelplane.Cluster, Random: func() float64 { return 0.5 },
		Freezes: func(context.Context) ([]v1alpha1.RolloutFreeze, error) { return s.freezes, nil },
		Connect: func(context.Context, *v1alpha1.CloudRunRollout) (controllers.Cloud, error) { return reach.ports(), nil },
	}
	p.reconciler, p.wakes = reconcile.AsReconciler(client, r), r.Wakes()
	s.replicas[place] = p
	p.cache.Relist()
	p.cache.Tell(p.heard)
	s.elect()
}

// skew is how far a replica's clock is ahead. In the end somebody sets it.
func (s *stage) skew(place int) time.Duration {
	if s.quiet {
		return 0
	}
	return s.script.Setting.Skew[place]
}

// ticking is the time that a process's clock shows.
type ticking struct {
	stage *stage
	skew  *time.Duration
}

var _ clock.PassiveClock = ticking{}

// Now implements clock.PassiveClock.
func (t ticking) Now() time.Time { return t.stage.world.Now().Add(*t.skew) }

// Since implements clock.PassiveClock.
func (t ticking) Since(then time.Time) time.Duration { return t.Now().Sub(then) }

// heard is what an informer's handler does with a change.
func (p *process) heard(c modelplane.Change) {
	if p.leads && !p.dead && c.Wakes(p.wakes) {
		p.wake()
	}
}

// wake lets it look at once, or once more after the pass that is under way.
func (p *process) wake() {
	if p.busy {
		p.wanted = true
		return
	}
	p.woken++
	p.stage.in(0, func() {
		p.woken--
		p.turn()
	})
}

// look plans a look; of two planned ones the earlier stays, as in a workqueue.
func (p *process) look(after time.Duration) {
	due := p.stage.now().Add(after)
	if !p.waiting.IsZero() && !p.waiting.After(due) {
		return
	}
	p.waiting = due
	p.stage.in(after, func() {
		if p.waiting.Equal(due) {
			p.waiting = time.Time{}
			p.turn()
		}
	})
}

// turn is a pass, if this process may make one.
func (p *process) turn() {
	s := p.stage
	switch {
	case p.dead || !p.leads || s.over:
		return
	case p.busy:
		p.wanted = true
		return
	case p.stopped.After(s.now()):
		s.in(p.stopped.Sub(s.now()), p.turn)
		return
	}
	result, err := p.pass()
	if p.retire(); p.dead {
		return
	}
	switch {
	case err != nil:
		p.failures++
		p.look(p.backoff())
	case result.RequeueAfter > 0:
		if p.rewound && result.RequeueAfter < time.Second {
			s.count.sometimes[rewoundHeld]++
		}
		p.failures = 0
		p.look(result.RequeueAfter)
	default:
		p.failures = 0
	}
	if p.wanted {
		p.wanted = false
		p.wake()
	}
	s.scheduled(p)
}

// backoff is how long a queue waits after a failure.
func (p *process) backoff() time.Duration {
	return min(time.Second<<min(p.failures-1, 5), 30*time.Second)
}

// pass is one call of the reconciler, which may not outlive its process.
func (p *process) pass() (result ctrl.Result, err error) {
	p.busy, p.began = true, p.stage.now()
	p.stage.count.passes++
	p.passes++
	defer func() {
		p.busy = false
		if r := recover(); r == errKilled && p.dead { //nolint:errorlint // the very value
			err = errKilled
		} else if r != nil {
			panic(r)
		}
	}()
	return p.reconciler.Reconcile(p.stage.ctx, reconcile.Request{NamespacedName: key})
}

// asked is when the process asked for each metric, for a pass that is under way: what it
// remembers is a minute old at most, as its pass began.
func (p *process) asked() map[string]time.Time {
	asked := p.reach.senses.Asked()
	maps.DeleteFunc(asked, func(_ string, at time.Time) bool { return p.began.Sub(at) > time.Minute })
	return asked
}

// call makes a call. On its way there and back things happen: it takes time, and
// the process may be stopped or killed.
func (p *process) call(name string, do func() error) error {
	p.meet(name, before)
	if p.expired() {
		return context.DeadlineExceeded
	}
	err := do()
	p.stage.drain()
	p.meet(name, after)
	return err
}

// passTimeout is how long a pass may take: after it every call fails.
const passTimeout = 90 * time.Second

func (p *process) expired() bool { return p.stage.now().Sub(p.began) > passTimeout }

// sends makes a write, which may be under way for long.
func (p *process) sends(request simulator.PatchRequest, do func() error) error {
	p.stage.record.sending(p, request)
	return p.call(patchCall, do)
}

// meet is a point before or after a call.
func (p *process) meet(name string, side side) {
	s := p.stage
	if side == before {
		p.counts(name)
	}
	s.reached(p, name, side)
	s.crashes.meet(p, name, side)
	if side == before {
		s.run(s.now().Add(s.script.Setting.Latency))
	}
	for p.stopped.After(s.now()) && !s.over {
		from := s.now()
		s.run(p.stopped)
		s.record.trace = append(s.record.trace, invariants.Stood{At: invariants.At(s.now()), By: p.name, For: s.now().Sub(from)})
	}
	if p.dead || s.over {
		p.dead = true
		panic(errKilled)
	}
}

// mostCalls is how many calls of one kind a controller may make for a rollout in a minute:
// a look every five seconds, at seven revisions at most.
const mostCalls = 12*7 + 1

// counts holds a controller to looking no more often than it must.
func (p *process) counts(call string) {
	minute := p.stage.now().Truncate(time.Minute)
	if p.minute != minute {
		p.minute, p.calls = minute, map[string]int{}
	}
	if p.calls[call]++; p.calls[call] == mostCalls {
		p.stage.record.violate("I16", "%q is called %d times in a minute", call, mostCalls)
	}
}

// die ends a process: at once where it rests, at its next call where it is busy.
func (p *process) die() {
	if p.dead {
		return
	}
	s := p.stage
	p.dead = true
	s.record.trace = append(s.record.trace, invariants.Died{At: invariants.At(s.now()), By: p.name})
	if s.replicas[p.place] == p {
		s.replicas[p.place] = nil
	}
	if p.leads && !p.deposed {
		s.vacate()
	}
}

// lease is how long a leader that fell silent is believed to live.
const lease = 15 * time.Second

// vacate lets the lease run out.
func (s *stage) vacate() {
	s.held = s.now().Add(lease)
	s.in(lease, s.elect)
}

// elect gives the lease to a process that lives, if no other has it.
func (s *stage) elect() {
	var next *process
	for _, p := range s.replicas {
		switch {
		case p == nil || p.stopped.After(s.now()):
		case p.leads && !p.deposed:
			return
		case next == nil && !p.leads:
			next = p
		}
	}
	if next == nil || s.now().Before(s.held) {
		return
	}
	s.promote(next)
}

// promote makes a process the leader. Its controllers start, and look at every
// object of their caches. The former leader does not know yet.
func (s *stage) promote(p *process) {
	for _, other := range s.replicas {
		if other != nil && other != p && other.leads {
			other.deposed = true
		}
	}
	p.leads, p.led = true, s.now()
	p.wake()
}

// stop takes the CPU away from a process for a while. A leader that is stopped for
// longer than its lease is deposed, and finds out only afterwards.
func (p *process) stop(d time.Duration) {
	s := p.stage
	p.stopped = s.now().Add(d)
	if p.leads {
		s.vacate()
	}
	s.in(d, p.retire)
}

// retire ends a process that finds the lease lost, once its pass is over.
func (p *process) retire() {
	s := p.stage
	if p.dead || p.busy || !p.deposed || p.overlaps.After(s.now()) {
		return
	}
	p.die()
	s.in(restart, func() { s.start(p.place) })
}

// restart is how long a process takes to be there again.
const restart = 5 * time.Second
