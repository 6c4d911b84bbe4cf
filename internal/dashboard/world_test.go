package dashboard_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/dashboard"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// now is when somebody looks at the objects of the demo's world.
var now = time.Date(2026, time.November, 19, 10, 58, 0, 0, time.UTC)

// world is the rollouts that a page shows, or why they cannot be read.
type world struct {
	rollouts []v1alpha1.CloudRunRollout
	err      error
}

// Rollouts implements dashboard.Source.
func (w *world) Rollouts(context.Context) ([]v1alpha1.CloudRunRollout, error) {
	return w.rollouts, w.err
}

// object reads what a real manager wrote in the demo's world.
func object(t *testing.T, name string) v1alpha1.CloudRunRollout {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "cmd", "kubectl-sluice", "testdata", "objects", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var ro v1alpha1.CloudRunRollout
	if err := yaml.UnmarshalStrict(text, &ro); err != nil {
		t.Fatal(err)
	}
	return ro
}

// everything is all objects of the demo's world.
func everything(t *testing.T) *world {
	t.Helper()
	w := &world{}
	for _, name := range []string{"awaiting-approval", "baking", "completed", "held", "rolled-back"} {
		w.rollouts = append(w.rollouts, object(t, name))
	}
	return w
}

// options are those of a page of a world; the process's time is the test's to move.
func options(w *world) dashboard.Options {
	return dashboard.Options{
		Source: w, Clock: clocktesting.NewFakePassiveClock(now), Process: clocktesting.NewFakeClock(time.Now()),
		Version: "v0.0.0-test", Console: view.Console,
	}
}

// ask sends a request to a page as from this machine.
func ask(t *testing.T, page *dashboard.Server, method, path string, change ...func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:8082"+path, http.NoBody)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	page.Handler().ServeHTTP(w, r)
	text, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, w.Header(), string(text)
}

// get gets a page that must be there.
func get(t *testing.T, page *dashboard.Server, path string) string {
	t.Helper()
	code, _, text := ask(t, page, http.MethodGet, path)
	if code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, code, text)
	}
	return text
}

// shows tells of each text that a page must show, escaped as HTML is, and does not.
func shows(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not show %q", text)
		}
	}
}

var errAway = errors.New("the cache is not there yet")
