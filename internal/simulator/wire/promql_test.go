package wire_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

// promWorld is a service whose web-1 fails a tenth of its requests, after half an hour.
func promWorld(t *testing.T) *wire.Guard {
	t.Helper()
	sc, err := simulator.ParseScenario([]byte(`
services:
- project: acme-prod
  location: asia-northeast1
  name: web
  users: {requestsPerSecond: 20}
  revisions: [{image: a, revision: web-1}]
  images: {a: {errors: [{percent: 10}]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	world, err := simulator.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	guard := wire.NewGuard(world, clock.RealClock{})
	guard.SetSpeed(0)
	guard.Do(func(w *simulator.World) { w.Advance(30 * time.Minute) })
	return guard
}

type promTold struct {
	Status, ErrorType, Error string
	Data                     struct {
		ResultType string
		Result     []struct {
			Metric map[string]string
			Values [][2]any
		}
	}
	Warnings []string
}

// promAsk asks for the minutes from 10 to 20 of the world.
func promAsk(t *testing.T, guard *wire.Guard, query string) (int, promTold) {
	t.Helper()
	server := httptest.NewServer(wire.PromQL(guard))
	t.Cleanup(server.Close)
	var start time.Time
	guard.Do(func(w *simulator.World) { start = w.Now().Add(-30 * time.Minute).Truncate(time.Minute) })
	form := url.Values{
		"query": {query}, "step": {"60"},
		"start": {start.Add(10 * time.Minute).Format(time.RFC3339)}, "end": {strconv.FormatInt(start.Add(20*time.Minute).Unix(), 10)},
	}
	response, err := http.PostForm(server.URL+"/v1/projects/acme-prod/location/global/prometheus/api/v1/query_range", form)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var told promTold
	if err := json.Unmarshal(body, &told); err != nil && response.StatusCode == http.StatusOK {
		t.Fatalf("%s: %v", body, err)
	}
	if told.Error == "" {
		told.Error = string(body)
	}
	return response.StatusCode, told
}

const ofWeb = `run_googleapis_com:request_count{monitored_resource="cloud_run_revision",revision_name="web-1"`

func TestPromQLSeesTheWorldsRequests(t *testing.T) {
	t.Parallel()
	guard := promWorld(t)
	for query, want := range map[string][2]float64{
		`sum(rate(` + ofWeb + `}[5m]))`: {19, 21},
		`sum(rate(` + ofWeb + `,response_code_class="5xx"}[5m])) / sum(rate(` + ofWeb + `}[5m]))`:                                              {0.08, 0.12},
		`sum(increase({"run.googleapis.com/request_count",monitored_resource="cloud_run_revision",response_code="500"}[10m]))`:                 {1000, 1400},
		`sum(rate(run_googleapis_com:request_latencies_count{monitored_resource="cloud_run_revision"}[5m]))`:                                   {19, 21},
		`histogram_quantile(0.5, sum(rate(run_googleapis_com:request_latencies_bucket{monitored_resource="cloud_run_revision"}[5m])) by (le))`: {1, 5000},
		`sum(run_googleapis_com:container_instance_count{state="active",location="asia-northeast1"})`:                                          {1, 50},
		`vector(2)`: {2, 2},
	} {
		code, told := promAsk(t, guard, query)
		if code != http.StatusOK || told.Data.ResultType != "matrix" || len(told.Data.Result) != 1 || len(told.Data.Result[0].Values) != 11 {
			t.Errorf("%s: %d %+v", query, code, told)
			continue
		}
		for _, pair := range told.Data.Result[0].Values {
			text, _ := pair[1].(string)
			if v, err := strconv.ParseFloat(text, 64); err != nil || v < want[0] || v > want[1] {
				t.Errorf("%s: %v at %v, want %v", query, pair[1], pair[0], want)
			}
		}
	}
}

func TestPromQLOfWhatIsNotThereIsEmpty(t *testing.T) {
	t.Parallel()
	guard := promWorld(t)
	for _, query := range []string{
		`sum(rate(custom_googleapis_com:checkouts[5m]))`, `sum(rate(` + ofWeb + `,response_code="418"}[5m]))`,
		`rate(run_googleapis_com:request_count{monitored_resource="nat_gateway"}[5m])`,
	} {
		if code, told := promAsk(t, guard, query); code != http.StatusOK || len(told.Data.Result) != 0 {
			t.Errorf("%s: %d %+v", query, code, told)
		}
	}
}

func TestPromQLThatCannotBeEvaluatedIsRefused(t *testing.T) {
	t.Parallel()
	guard := promWorld(t)
	for query, want := range map[string]string{
		`sum(`: "parse error",
		`rate(run_googleapis_com:request_count[5m])`: "several monitored resources",
		`{__name__=~"run.*"}`:                        "exact name",
		`up / on(a) group_left up[5m]`:               "parse error",
	} {
		if code, told := promAsk(t, guard, query); code != http.StatusBadRequest || told.Status != "error" || !strings.Contains(told.Error, want) {
			t.Errorf("%s: %d %s, want %s", query, code, told.Error, want)
		}
	}
}

func TestPromQLFailsAsTheSeriesDo(t *testing.T) {
	t.Parallel()
	guard := promWorld(t)
	guard.Do(func(w *simulator.World) {
		w.Series().FailNext(1, &series.Error{Code: series.PermissionDenied, Message: "Permission monitoring.timeSeries.list denied"})
	})
	if code, told := promAsk(t, guard, `sum(rate(`+ofWeb+`}[5m]))`); code != http.StatusForbidden || !strings.Contains(told.Error, "PERMISSION_DENIED") {
		t.Errorf("%d %s", code, told.Error)
	}
	guard.Do(func(w *simulator.World) { w.Series().SetPartial("Some data could not be read") })
	if code, told := promAsk(t, guard, `sum(rate(`+ofWeb+`}[5m]))`); code != http.StatusOK || len(told.Warnings) != 1 {
		t.Errorf("%d %+v", code, told)
	}
}
