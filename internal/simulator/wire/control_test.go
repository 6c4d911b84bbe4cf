package wire_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

func contains(text, part string) bool {
	return strings.Contains(strings.ReplaceAll(text, `\"`, `"`), part)
}

// direct is a control endpoint and the real clock that its world follows.
type direct struct {
	t       *testing.T
	wall    *clocktesting.FakePassiveClock
	guard   *wire.Guard
	handler http.Handler
}

func newDirect(t *testing.T) *direct {
	t.Helper()
	w, err := simulator.New(hosted())
	if err != nil {
		t.Fatal(err)
	}
	wall := clocktesting.NewFakePassiveClock(recorded.AddDate(0, 0, 7))
	guard := wire.NewGuard(w, wall)
	return &direct{t, wall, guard, wire.Control(guard)}
}

// do makes a call and decodes its answer into v, unless v is nil.
func (d *direct) do(method, path, body string, v any) int {
	d.t.Helper()
	rec := httptest.NewRecorder()
	d.handler.ServeHTTP(rec, httptest.NewRequestWithContext(d.t.Context(), method, path, strings.NewReader(body)))
	raw, err := io.ReadAll(rec.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if v != nil {
		if err := json.Unmarshal(raw, v); err != nil {
			d.t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	return rec.Code
}

func (d *direct) time() wire.Time {
	d.t.Helper()
	var now wire.Time
	d.do(http.MethodGet, "/time", "", &now)
	return now
}

func TestTimePassesOnlyWhenToldOrAtASpeed(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	d.wall.SetTime(d.wall.Now().Add(time.Hour))
	if got := d.time(); !got.Now.Equal(recorded) || got.Speed != 0 {
		t.Errorf("untold: %+v", got)
	}
	d.do(http.MethodPost, "/time", `{"advance": "90s"}`, nil)
	if got := d.time().Now.Sub(recorded); got != 90*time.Second {
		t.Errorf("told to advance by 90s it advanced by %v", got)
	}
	d.do(http.MethodPost, "/time", `{"speed": 120}`, nil)
	d.wall.SetTime(d.wall.Now().Add(time.Second))
	if got := d.time(); got.Now.Sub(recorded) != 210*time.Second || got.Speed != 120 {
		t.Errorf("a second later at 120 times: %+v", got)
	}
	d.do(http.MethodPost, "/time", `{"speed": 10}`, nil)
	d.wall.SetTime(d.wall.Now().Add(time.Second))
	if got := d.time().Now.Sub(recorded); got != 220*time.Second {
		t.Errorf("a second later at 10 times: %v", got)
	}
	d.do(http.MethodPost, "/time", `{"to": "2026-02-03T05:00:00Z", "speed": 0}`, nil)
	if got := d.time(); !got.Now.Equal(recorded.Add(55*time.Minute)) || !got.Start.Equal(recorded) {
		t.Errorf("told to go to five o'clock: %+v", got)
	}
}

func TestASkewShowsBetweenTheDateOfAnswersAndTheTimeThatCallersAreTold(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	d.do(http.MethodPost, "/faults", `{"kind": "skew", "delay": "-90s"}`, nil)
	d.do(http.MethodPost, "/time", `{"advance": "1500ms"}`, nil)
	if got := d.time(); !got.Now.Equal(recorded.Add(1500*time.Millisecond)) || time.Duration(got.Skew) != -90*time.Second {
		t.Errorf("the director is told %+v", got)
	}
	for _, path := range []string{"/v2/" + checkout, "/v2/" + place + "/services/none", "/elsewhere"} {
		rec := httptest.NewRecorder()
		wire.CloudRun(d.guard).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
		if got := rec.Header().Get("Date"); got != "Tue, 03 Feb 2026 04:05:01 GMT" {
			t.Errorf("GET %s: Date %q, want the world's time in whole seconds", path, got)
		}
	}
	d.do(http.MethodDelete, "/faults", "", nil)
	if got := d.time().Skew; got != 0 {
		t.Errorf("after clearing the skew is %v", time.Duration(got))
	}
}

func TestTheMinutesOfAPhysicalWorldAreTold(t *testing.T) {
	t.Parallel()
	sc, err := simulator.ParseScenario([]byte(`
start: "2026-02-03T04:00:00Z"
network:
  subnetworks: [{project: shop, region: asia-northeast1, network: shared, name: run, range: 10.8.0.0/24}]
  destinations: [{name: postgres, latency: 8ms}]
services:
- project: shop
  location: asia-northeast1
  name: web
  users: {requestsPerSecond: 10}
  revisions: [{image: "example.com/web:1", vpcAccess: {egress: ALL_TRAFFIC, networkInterfaces: [{network: shared, subnetwork: run}]}}]
  images: {"example.com/web:1": {calls: [{to: postgres}]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	world, err := simulator.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	d := &direct{t: t, handler: wire.Control(wire.NewGuard(world, clocktesting.NewFakePassiveClock(recorded)))}
	d.do(http.MethodPost, "/time", `{"advance": "5m"}`, nil)
	var minutes []simulator.Minute
	d.do(http.MethodGet, "/minutes?from=2026-02-03T04:02:00Z&to=2026-02-03T04:04:00Z", "", &minutes)
	if diff := cmp.Diff(world.Minutes(world.Start().Add(2*time.Minute), world.Start().Add(4*time.Minute)), minutes); diff != "" || len(minutes) != 2 {
		t.Errorf("%d minutes (-world +told):\n%s", len(minutes), diff)
	}
}

func TestTheDirectorActsOnTheWorld(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	var made struct{ Revision string }
	d.do(http.MethodPost, "/deploy", `{"service": "checkout", "image": "us-docker.pkg.dev/shop/web/checkout:3",
	  "behaviour": {"startup": {"readyAfter": "2s"}, "errors": [{"percent": 50, "code": 500}]}}`, &made)
	if !strings.HasPrefix(made.Revision, "checkout-00003-") {
		t.Fatalf("made %q", made.Revision)
	}
	d.do(http.MethodPost, "/time", `{"advance": "10s"}`, nil)
	d.do(http.MethodPost, "/traffic", `{"service": "checkout", "by": "alice@example.com",
	  "traffic": [{"revision": "#3", "percent": 40}, {"revision": "#1", "percent": 60}]}`, nil)
	d.do(http.MethodPost, "/time", `{"advance": "5m"}`, nil)

	var state struct {
		Services map[string]simulator.State
	}
	d.do(http.MethodGet, "/state", "", &state)
	want := map[string]int{made.Revision: 40, "checkout-one": 60}
	if diff := cmp.Diff(want, state.Services[checkout].Effective); diff != "" {
		t.Errorf("effective split:\n%s", diff)
	}
	var requests map[string]simulator.Tally
	d.do(http.MethodGet, "/requests?service=checkout&from=2026-02-03T04:06:00Z", "", &requests)
	if got := requests[made.Revision]; got.Failed == 0 || got.Failed >= got.Ended || requests["checkout-one"].Failed != 0 {
		t.Errorf("requests: %+v", requests)
	}
	d.do(http.MethodPost, "/fail", `{"revision": "`+made.Revision+`", "reason": "HEALTH_CHECK_CONTAINER_ERROR"}`, nil)
	d.do(http.MethodPost, "/lose", `{"revision": "checkout-two"}`, nil)
	d.do(http.MethodPost, "/users", `{"service": "checkout", "requestsPerSecond": 1}`, nil)
	d.do(http.MethodPost, "/faults", `{"kind": "error", "code": 503}`, nil)
	d.do(http.MethodDelete, "/faults", "", nil)
	var log []simulator.Event
	d.do(http.MethodGet, "/log?since=10", "", &log)
	if len(log) == 0 || log[0].Seq != 11 {
		t.Fatalf("the log since 10 begins with %+v", log[0])
	}
	var kinds []simulator.EventKind
	for _, e := range log[len(log)-4:] {
		kinds = append(kinds, e.Kind)
	}
	wantKinds := []simulator.EventKind{
		simulator.EventRevisionFailed, simulator.EventRevisionLost, simulator.EventFault, simulator.EventFault,
	}
	if diff := cmp.Diff(wantKinds, kinds); diff != "" {
		t.Errorf("the end of the log:\n%s", diff)
	}
	d.do(http.MethodPost, "/lose", `{"service": "checkout"}`, nil)
	state.Services = nil
	if d.do(http.MethodGet, "/state", "", &state); len(state.Services) != 0 {
		t.Errorf("after the service was deleted: %v", state.Services)
	}
}

func TestTheDirectorIsToldOfMistakes(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "/deploy", `{"service": "none"}`, `no service is called "none"`},
		{"POST", "/deploy", `{"servise": "checkout"}`, `Unknown name "servise"`},
		{"POST", "/time", `{"advance": 5}`, `write it like "90s"`},
		{"POST", "/faults", `{"kind": "fire"}`, `fault kind "fire" is not one of`},
		{"POST", "/lose", `{"revision": "none"}`, `no revision is called "none"`},
		{"GET", "/requests?service=checkout&from=noon", "", `parsing time "noon"`},
		{"GET", "/requests?service=checkout&to=noon", "", `parsing time "noon"`},
		{"GET", "/minutes?from=noon", "", `parsing time "noon"`},
	} {
		var answer struct{ Error string }
		if code := d.do(c.method, c.path, c.body, &answer); code != http.StatusBadRequest || !contains(answer.Error, c.want) {
			t.Errorf("%s %s: %d %s\nwant %s", c.path, c.body, code, answer.Error, c.want)
		}
	}
}

func TestMetricsComeFromTheGuardedWorld(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	d.do(http.MethodPost, "/time", `{"advance": "20m"}`, nil)
	client := serveMetrics(t, wire.Metrics(d.guard))
	req := listSeries(`metric.type="run.googleapis.com/request_count" AND resource.type="cloud_run_revision"`, nil)
	req.Name = "projects/shop-prod"
	req.Interval.StartTime.Seconds = recorded.Unix()
	req.Interval.EndTime.Seconds = recorded.Add(20 * time.Minute).Unix()
	found, err := allSeries(client.ListTimeSeries(t.Context(), req))
	if err != nil || len(found) != 1 || found[0].GetResource().GetLabels()["revision_name"] != "checkout-one" {
		t.Errorf("got %d series, %v", len(found), err)
	}
}
