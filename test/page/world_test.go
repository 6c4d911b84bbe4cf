package page

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/dashboard"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// objects are what a real manager wrote in the demo's world.
var objects = filepath.Join("..", "..", "cmd", "kubectl-sluice", "testdata", "objects")

// now is when somebody looks at them, who sees the same as in docs/kubectl-sluice.md.
var now = time.Date(2026, time.November, 19, 10, 58, 0, 0, time.UTC)

// world is the rollouts that a page shows.
type world []v1alpha1.CloudRunRollout

// Rollouts implements dashboard.Source.
func (w world) Rollouts(context.Context) ([]v1alpha1.CloudRunRollout, error) { return w, nil }

func read(t *testing.T) world {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(objects, "*.yaml"))
	if err != nil || len(names) == 0 {
		t.Fatal("no objects of the demo's world", err)
	}
	var w world
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var ro v1alpha1.CloudRunRollout
		if err := yaml.UnmarshalStrict(text, &ro); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		w = append(w, ro)
	}
	return w
}

// pageOf is the page of a world, seen at that time.
func pageOf(w dashboard.Source) *dashboard.Server {
	process := clock.RealClock{}
	return dashboard.New(dashboard.Options{
		Source: w, Clock: clocktesting.NewFakePassiveClock(now), Process: process, Version: "v0.3.1", Console: view.Console,
		Pulse: func(context.Context) dashboard.Pulse {
			return dashboard.Pulse{Leader: "sluice-manager-7d9f4b-x2kqp", Renewed: process.Now(), Patience: time.Minute}
		},
	})
}

// serve serves the page of a world, and returns its address.
func serve(t *testing.T, w dashboard.Source) string {
	t.Helper()
	server := httptest.NewServer(pageOf(w).Handler())
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return server.URL
}
