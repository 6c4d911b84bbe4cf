package crashmatrix_test

import (
	"os"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/sluice-rollouts/sluice/test/crashmatrix"
	"github.com/sluice-rollouts/sluice/test/soak"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	debug.SetGCPercent(400) // a play lives for milliseconds
	os.Exit(m.Run())
}

// TestNobodyCanTellThatAControllerDied plays one of five crashes alone and a few pairs, of
// all scenes; make crash-matrix plays all of them.
func TestNobodyCanTellThatAControllerDied(t *testing.T) {
	t.Parallel()
	o := crashmatrix.Options{Sample: 5, Pairs: 4000}
	if testing.Short() {
		o = crashmatrix.Options{Scenes: []string{"abort"}}
	}
	r, err := crashmatrix.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Scenes {
		t.Log(s)
		for _, d := range s.Different {
			t.Error(d)
		}
	}
	t.Log(r)
}

// TestEveryKindOfCallIsCrashedAt: a kind that no scene makes would be left out of the
// matrix without anybody noticing.
func TestEveryKindOfCallIsCrashedAt(t *testing.T) {
	t.Parallel()
	var names []string
	for _, s := range crashmatrix.Scenes {
		reference, err := s.Undisturbed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range reference.Calls {
			names = append(names, c.Name)
		}
	}
	for _, want := range []string{
		"get cloudrunrollouts", "save status", "set finalizer", "get service", "get revision", "patch service", "ask Monitoring", "ask Compute",
		"get RunService", "get settings of Config Connector", "apply spec.traffic",
	} {
		if !slices.Contains(names, want) {
			t.Errorf("no scene makes the call %q", want)
		}
	}
}

// TestACrashThatDidNotHappenIsNoSuccess: the matrix must not count cells whose crash
// was never reached.
func TestACrashThatDidNotHappenIsNoSuccess(t *testing.T) {
	t.Parallel()
	s := crashmatrix.Scenes[slices.IndexFunc(crashmatrix.Scenes, func(s crashmatrix.Scene) bool { return s.Name == "delete" })]
	reference, err := s.Undisturbed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	beyond := crashmatrix.Cell{Scene: s, Crashes: []soak.Crash{{Call: len(reference.Calls) + 1000, Kind: soak.Before}}}
	if different, _, err := beyond.Play(t.Context(), reference); err != nil || len(different) != 1 {
		t.Errorf("it differs by %q (%v), want that the call was never made", different, err)
	}
}
