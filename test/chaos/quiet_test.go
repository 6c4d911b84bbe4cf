package chaos

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// TestQuiet starts, replaces and exchanges managers on rollouts that rest or wait,
// in a world that stands still: nothing is written to the service, and the object
// stays the version that it was. With minutes of evidence that come in, the world
// would be another one, and the status as well; so its time stops.
func TestQuiet(t *testing.T) {
	t.Parallel()
	gated := func(spec *v1alpha1.CloudRunRolloutSpec) { spec.Strategy.Steps[1].Approval = v1alpha1.ApprovalRequired }
	for state, reach := range map[string]func(*stage){
		"Idle/Steady":           func(*stage) {},
		"Completed/Completed":   func(s *stage) { s.deploy("web:2", "web-2") },
		"RolledBack/RolledBack": func(s *stage) { s.deploy("web:bad", "web-2") },
		"AwaitingApproval/AwaitingApproval": func(s *stage) {
			s.edit(gated)
			s.deploy("web:2", "web-2")
		},
		"Paused/Paused": func(s *stage) {
			s.deploy("web:2", "web-2")
			s.bakes("web-2", 20)
			s.pause(true)
		},
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			scenario{short: state == "AwaitingApproval/AwaitingApproval"}.enter(t)
			s := newStage(t, plane)
			o := s.newOperator(elected(s.key.Namespace)...).startLeading()
			reach(s)
			s.becomes(state)
			s.standsStill()
			version, sent := s.get().ResourceVersion, len(s.patches())
			o = s.unnoticed("a restart", o, s.newOperator(elected(s.key.Namespace)...))
			standby := s.newOperator(elected(s.key.Namespace)...)
			standby.start()
			o = s.unnoticed("a change of leaders", o, standby)
			next := s.newOperator(elected(s.key.Namespace)...)
			next.binary = nextBuild(t)
			s.unnoticed("an upgrade", o, next)
			if now, was := next.run.calledBy(), o.run.calledBy(); now == was {
				t.Errorf("both builds call themselves %s", now)
			}
			if now := s.get(); now.ResourceVersion != version {
				t.Errorf("the object was written: %+v", now.Status)
			}
			if err := s.silent(sent)(); err != nil {
				t.Error(err)
			}
		})
	}
}

// standsStill stops the world's time, and waits until the manager has said what
// there was to say.
func (s *stage) standsStill() {
	s.t.Helper()
	s.guard.SetSpeed(0)
	version, since := s.get().ResourceVersion, time.Now()
	s.await("nothing more is said", func() bool {
		if now := s.get().ResourceVersion; now != version {
			version, since = now, time.Now()
		}
		return time.Since(since) > calm
	})
}

// calm is how long nothing must happen, in real time, before nothing more will: longer
// than a lease.
const calm = lease + time.Second

// unnoticed ends one manager, waits until another one has looked, and holds that
// it wrote nothing.
func (s *stage) unnoticed(what string, before, after *operator) *operator {
	s.t.Helper()
	version, sent := s.get().ResourceVersion, len(s.patches())
	before.kill()
	reads := s.reads(after.run.name)
	if after.process == nil {
		after.start()
	}
	s.await("the next manager looks", func() bool { return s.reads(after.run.name) > reads })
	over := time.Now().Add(calm)
	s.while(func() error {
		if now := s.get(); now.ResourceVersion != version {
			return fmt.Errorf("after %s the object was written: %+v", what, now.Status)
		}
		return s.silent(sent)()
	}, func() bool { return time.Now().After(over) })
	return after
}
