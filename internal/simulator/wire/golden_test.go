package wire_test

import (
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

// stage is a world behind its REST skin, without a socket.
type stage struct {
	t       *testing.T
	guard   *wire.Guard
	handler http.Handler
}

// recorded is the moment at which the recorded story begins.
var recorded = time.Date(2026, 2, 3, 4, 5, 0, 0, time.UTC)

func newStage(t *testing.T, sc simulator.Scenario) *stage {
	t.Helper()
	w, err := simulator.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	guard := wire.NewGuard(w, clocktesting.NewFakePassiveClock(recorded))
	return &stage{t: t, guard: guard, handler: wire.CloudRun(guard)}
}

func empty() simulator.Scenario {
	return simulator.Scenario{Seed: 1, Start: recorded, Caller: "deployer@shop-prod.iam.gserviceaccount.com"}
}

func (s *stage) wait(d time.Duration) {
	s.guard.Do(func(w *simulator.World) { w.Advance(d) })
}

// send makes a call and returns the answer's status and body.
func (s *stage) send(method, path, body string) (int, string) {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, "/v2/"+path, strings.NewReader(body))
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, r)
	if got := rec.Header().Get("Content-Type"); got != "application/json; charset=UTF-8" {
		s.t.Errorf("%s %s: Content-Type %q", method, path, got)
	}
	raw, err := io.ReadAll(rec.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return rec.Code, string(raw)
}

// golden compares a body with a file, to the byte.
func (s *stage) golden(name, body string) {
	s.t.Helper()
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), body); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// operationPath finds the name of the operation in an answer.
func operationPath(body string) string {
	_, rest, _ := strings.Cut(body, `"name": "`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}

const (
	place    = "projects/shop-prod/locations/us-central1"
	checkout = place + "/services/checkout"
	made     = `{"ingress": "INGRESS_TRAFFIC_ALL", "labels": {"team": "shop"}, "launchStage": "GA",
	  "template": {"containers": [{"env": [{"name": "MODE", "value": "plain"}], "image": "us-docker.pkg.dev/shop/web/checkout:1"}],
	    "scaling": {"maxInstanceCount": 2}},
	  "traffic": [{"percent": 100, "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"}]}`
)

// The bodies follow what recordings 01 to 10 show: the order of fields, what is
// left out, what is a string, what changes when.
func TestTheRecordedStoryOfCreateAndPatch(t *testing.T) {
	t.Parallel()
	s := newStage(t, empty())

	code, body := s.send("POST", place+"/services?alt=json&serviceId=checkout", made)
	if code != http.StatusOK {
		t.Fatalf("create: %d %s", code, body)
	}
	s.golden("create-initial", body)
	operation := operationPath(body)

	s.wait(2 * time.Second)
	_, pending := s.send("GET", operation+"?alt=json", "")
	if diff := cmp.Diff(body, pending); diff != "" {
		t.Errorf("an undone poll differs from the first answer:\n%s", diff)
	}
	s.wait(4 * time.Second)
	_, body = s.send("GET", operation, "")
	s.golden("create-done", body)
	_, body = s.send("GET", checkout, "")
	s.golden("service-first", body)

	changed := strings.NewReplacer("plain", "fancy", `"maxInstanceCount": 2`, `"maxInstanceCount": 3`).Replace(made)
	_, body = s.send("PATCH", checkout+"?alt=json", changed)
	s.golden("patch-initial", body)
	s.wait(6 * time.Second)
	_, body = s.send("GET", operationPath(body), "")
	s.golden("patch-done", body)
	_, body = s.send("GET", checkout, "")
	s.golden("service-second", body)
}

// No recording shows these; they follow the documentation and the field order
// of the rest.
func TestASplitByRevisionWithTags(t *testing.T) {
	t.Parallel()
	s := newStage(t, hosted())
	_, body := s.send("PATCH", checkout+"?updateMask=traffic", `{"traffic": [
	  {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "checkout-two", "percent": 5},
	  {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "checkout-one", "percent": 95},
	  {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "checkout-one", "tag": "stable"}]}`)
	s.golden("split-initial", body)
	s.wait(6 * time.Second)
	_, body = s.send("GET", checkout, "")
	s.golden("split-service", body)
	_, body = s.send("GET", checkout+"/revisions", "")
	s.golden("revisions", body)
}

func TestAnOperationThatFails(t *testing.T) {
	t.Parallel()
	s := newStage(t, hosted())
	code, body := s.send("PATCH", checkout+"?updateMask=traffic", `{"traffic": [
	  {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "checkout-none", "percent": 100}]}`)
	if code != http.StatusOK {
		t.Fatalf("a split to an unknown revision is accepted at first; got %d", code)
	}
	s.wait(6 * time.Second)
	_, body = s.send("GET", operationPath(body), "")
	s.golden("operation-failed", body)
}

func TestErrorBodies(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ method, path, body string }{
		"error-not-found": {"GET", place + "/services/nothing", ""},
		"error-conflict":  {"PATCH", checkout + "?updateMask=traffic", `{"etag": "\"CMvxprEG/eA\"", "traffic": []}`},
		"error-exists": {
			"PATCH", checkout + "?updateMask=traffic",
			`{"template": {"revision": "checkout-one", "containers": [{"image": "other"}]}}`,
		},
		"error-invalid": {
			"PATCH", checkout + "?updateMask=traffic",
			`{"traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 90}]}`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, hosted())
			_, body := s.send(c.method, c.path, c.body)
			s.golden(name, body)
		})
	}
}

// hosted has a service of two revisions; the first serves.
func hosted() simulator.Scenario {
	sc := empty()
	sc.Services = []simulator.Hosted{{
		Project: "shop-prod", Location: "us-central1", Name: "checkout",
		Users: simulator.Users{RequestsPerSecond: 10},
		Revisions: []simulator.Deployment{
			{Image: "us-docker.pkg.dev/shop/web/checkout:1", Revision: "checkout-one"},
			{Image: "us-docker.pkg.dev/shop/web/checkout:2", Revision: "checkout-two"},
		},
		Traffic: []simulator.TrafficTarget{{Revision: "checkout-one", Percent: 100}},
	}}
	return sc
}
