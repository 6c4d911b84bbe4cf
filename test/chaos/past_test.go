package chaos

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/controlplane"
)

// machine is a control plane that can be put back into its past.
type machine struct {
	t         *testing.T
	dir       string
	plane     *controlplane.ControlPlane
	snapshots int
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	dir := t.TempDir()
	plane, err := controlplane.Start(t.Context(), controlplane.Options{Data: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plane.Stop() })
	return &machine{t: t, dir: dir, plane: plane}
}

// halted does something while nothing of the control plane runs. The world waits
// meanwhile: a restore takes longer in it than any person would let pass.
func (m *machine) halted(s *stage, do func() error) {
	m.t.Helper()
	s.guard.SetSpeed(0)
	if err := m.plane.Halt(); err != nil {
		m.t.Fatal(err)
	}
	if err := do(); err != nil {
		m.t.Fatal(err)
	}
	if err := m.plane.Continue(); err != nil {
		m.t.Fatal(err)
	}
	s.guard.SetSpeed(speed)
}

// backup takes a snapshot.
func (m *machine) backup(s *stage) (snapshot string) {
	m.t.Helper()
	m.snapshots++
	snapshot = filepath.Join(m.dir, "snapshot-"+strconv.Itoa(m.snapshots))
	m.halted(s, func() error { return m.plane.Snapshot(snapshot) })
	return snapshot
}

// restore puts it back.
func (m *machine) restore(s *stage, snapshot string) {
	m.t.Helper()
	m.halted(s, func() error { return m.plane.Restore(snapshot) })
}

// TestPast puts a backup of etcd back. Each scenario needs a control plane of its
// own, and restarts it twice.
func TestPast(t *testing.T) {
	t.Parallel()
	paused := "Paused/StateLost"
	for _, sc := range []struct {
		scenario
		play func(*machine, *stage)
	}{
		{scenario{sentence: "a backup from an earlier step waits for a person, and goes on from what the service says"}, func(m *machine, s *stage) {
			s.begun("web:2")
			snapshot := m.backup(s)
			s.bakes("web-2", 50)
			sent := len(s.patches())
			m.restore(s, snapshot)
			s.becomes(paused)
			s.while(s.silent(sent), s.passes(still))
			s.ask(v1alpha1.VerbResume)
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{scenario{sentence: "a backup from before an abort does not rise again, asked to resume or not"}, func(m *machine, s *stage) {
			s.begun("web:2")
			snapshot := m.backup(s)
			s.ask(v1alpha1.VerbAbort)
			s.becomes("RolledBack/RolledBack")
			sent := len(s.patches())
			m.restore(s, snapshot)
			s.becomes(paused)
			s.while(s.silent(sent), s.passes(still))
			s.ask(v1alpha1.VerbResume)
			s.becomes("Idle/Steady")
			s.while(s.silent(sent), s.passes(2*still))
			s.wrote(back...)
		}},
		{scenario{sentence: "a backup from before the first step, put back after the last one, repeats no step"}, func(m *machine, s *stage) {
			s.newOperator(alone...).startLeading()
			snapshot := m.backup(s)
			s.deploy("web:2", "web-2")
			s.becomes("Completed/Completed")
			sent := len(s.patches())
			m.restore(s, snapshot)
			s.becomes(paused)
			s.while(s.silent(sent), s.passes(2*still))
			s.wrote(out...)
		}},
		{scenario{sentence: "a backup from before an abort does not rise again under a manager that starts only then", short: true}, func(m *machine, s *stage) {
			o := s.begun("web:2")
			snapshot := m.backup(s)
			s.ask(v1alpha1.VerbAbort)
			s.becomes("RolledBack/RolledBack")
			o.kill()
			sent := len(s.patches())
			m.restore(s, snapshot)
			o.start()
			s.becomes(paused)
			s.while(s.silent(sent), s.passes(still))
			s.wrote(back...)
		}},
	} {
		t.Run(sc.sentence, func(t *testing.T) {
			t.Parallel()
			sc.enter(t)
			m := newMachine(t)
			sc.play(m, newStage(t, m.plane))
		})
	}
}
