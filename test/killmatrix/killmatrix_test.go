package killmatrix

import (
	"context"
	"os"
	"testing"

	"github.com/go-logr/logr"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/controlplane"
	"github.com/sluice-rollouts/sluice/test/manager"
)

var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(controlplane.Main(m, &plane, controlplane.Options{}))
}

func newBench(t *testing.T) *Bench {
	t.Helper()
	b, err := NewBench(t.Context(), plane.Config)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestNobodyCanTellThatTheControllerWasKilled plays a part of the matrix; make
// kill-matrix plays all of it.
func TestNobodyCanTellThatTheControllerWasKilled(t *testing.T) {
	t.Parallel()
	report, err := newBench(t).Matrix(t.Context(), Options{Every: 97, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(report)
	for _, d := range report.Divergences {
		t.Error(d)
	}
}

// TestAPlayKnowsNoOther: what goes on beside a play must not change its calls.
func TestAPlayKnowsNoOther(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 2 {
		p, err := b.stage(t.Context(), Scenes[0], nil, clocktesting.NewFakePassiveClock(morning))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.remove(context.WithoutCancel(t.Context())) })
		c, err := p.bear(t.Context(), 0, "http://127.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.metrics.Close() }()
		var known v1alpha1.CloudRunRolloutList
		if err := c.kube.List(t.Context(), &known); err != nil {
			t.Fatal(err)
		}
		if len(known.Items) != 1 || known.Items[0].UID != p.object.UID {
			t.Errorf("it knows %d rollouts, want its own alone", len(known.Items))
		}
	}
}

// TestTheMatrixFindsDeliberateBugs shows that the harness can fail: each bug is
// harmless until the controller is killed at the right moment.
func TestTheMatrixFindsDeliberateBugs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, bug := range Bugs {
		t.Run(bug.Name, func(t *testing.T) {
			t.Parallel()
			report, err := b.Find(t.Context(), &bug)
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Divergences) == 0 {
				t.Fatalf("not found: %s", report)
			}
			d := report.Divergences[0]
			if d.Kill == nil {
				t.Errorf("found without a kill: it is no test of kills\n%s", d)
			}
			t.Logf("found after %d kills: %s", report.Kills, d)
		})
	}
}

// TestTheManagerIsKilledAtItsFirstStep kills the real binary while the answer to
// its first step is on the way.
func TestTheManagerIsKilledAtItsFirstStep(t *testing.T) {
	t.Parallel()
	binary, err := manager.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	report, err := newBench(t).Processes(t.Context(), binary, Options{Only: patch("healthy", 2), Kind: During, Scene: "healthy"})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(report)
	for _, d := range report.Divergences {
		t.Error(d)
	}
}
