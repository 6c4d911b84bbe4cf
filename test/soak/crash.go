package soak

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// Crash ends the controller that makes a call.
type Crash struct {
	Call int // the call's number, from 1: since the beginning, or since the crash before
	Kind CrashKind
}

// CrashKind is when in its call a controller dies, and who comes after it.
type CrashKind string

// The kinds of crashes. What the second and the third leave behind is the same; they
// differ in who comes next.
const (
	// Before: the call is never made. The other replica takes over when the lease is
	// over.
	Before CrashKind = "before"
	// During: the call takes effect, and nobody hears its answer. The other replica
	// takes over too, and begins with a view in which the last saves are missing.
	During CrashKind = "during"
	// After: the answer arrives, and nothing follows. Both replicas are gone for
	// longer than a bake and than metrics are late.
	After CrashKind = "after"
)

// CrashKinds are all of them.
var CrashKinds = []CrashKind{Before, During, After}

const (
	// behind is for how long a view stands still from a crash on: past the lease.
	behind = lease + 10*time.Second
	// outage is how long both replicas are gone. Two of them fit into a deadline.
	outage = 7 * time.Minute
)

// String writes it as hack/crashmatrix reads it.
func (c Crash) String() string { return fmt.Sprintf("%d:%s", c.Call, c.Kind) }

// Called is a call that a controller made.
type Called struct {
	Name  string
	Write bool
	Phase string // of the rollout at that time
}

// crashes are the crashes of a story, and the calls that they are counted by.
type crashes struct {
	due    []Crash
	calls  []Called // since the beginning, or since the last crash
	doomed bool     // the present call is the next one's
	told   []string // those that have happened
}

// meet counts a call that begins, and lets its controller die where that is due.
func (c *crashes) meet(p *process, name string, side side) {
	if side == before {
		c.calls = append(c.calls, p.stage.called(name))
		c.doomed = len(c.due) > 0 && c.due[0].Call == len(c.calls)
	}
	if c.doomed && (side == before) == (c.due[0].Kind == Before) {
		c.strike(p, name)
	}
}

// called describes a call that is made now.
func (s *stage) called(name string) Called {
	c := Called{Name: name, Write: slices.Contains([]string{patchCall, saveCall, finalize, applyTraffic}, name)}
	if o := s.record.object; o != nil {
		c.Phase = string(o.Status.Phase)
	}
	return c
}

// strike kills a controller in the call that it makes.
func (c *crashes) strike(p *process, name string) {
	s, crash := p.stage, c.due[0]
	c.told = append(c.told, fmt.Sprintf("%s %s dies %s call %d, %q", s.now().Format(time.TimeOnly), p.name, crash.Kind, crash.Call, name))
	c.due, c.calls, c.doomed = c.due[1:], nil, false
	other := s.replicas[1-p.place]
	switch {
	case crash.Kind == After:
		p.perish(outage)
		if other != nil {
			other.perish(outage)
		}
		return
	case crash.Kind == During && other != nil:
		other.disturb(Act{Deed: Freeze, For: behind})
	}
	p.perish(restart)
}

// perish ends a process, and starts another one in its place a while later.
func (p *process) perish(down time.Duration) {
	p.die()
	p.stage.in(down, func() { p.stage.start(p.place) })
}

// PlayAlone plays a script until everything in it has been played and what is left
// rests. Nobody is on call: people do what the script says, and nothing else.
func PlayAlone(ctx context.Context, script Script) (Outcome, error) {
	s, err := begin(ctx, script)
	if err != nil {
		return Outcome{}, err
	}
	s.alone = true
	s.in(time.Minute, s.restAlone)
	s.run(s.now().Add(patience))
	return s.outcome(), s.err
}

// pinned tells whether the service follows no revision by itself any more.
func (s *stage) pinned() bool {
	state, err := s.world.State(fullName)
	s.fail(err)
	follows := func(t simulator.TrafficTarget) bool { return t.Type == simulator.AllocateLatest }
	return !state.Reconciling && !slices.ContainsFunc(state.Traffic, follows)
}

// restAlone ends the story when nothing more will happen in it.
func (s *stage) restAlone() {
	waits := func(c *cue) bool { return !c.gone }
	if s.watchedAlone() && s.person.released == len(s.script.Releases) && !slices.ContainsFunc(s.acts, waits) {
		s.end()
		return
	}
	s.in(time.Minute, s.restAlone)
}

// watchedAlone tells whether the object, or its absence, is at rest while somebody
// leads.
func (s *stage) watchedAlone() bool {
	if o := s.record.object; o != nil && !s.resting(o) || s.now().Sub(s.record.restedAt) < rested {
		return false
	}
	return slices.ContainsFunc(s.replicas[:], func(p *process) bool { return p != nil && p.leads && s.now().Sub(p.led) >= rested })
}
