package simulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

const (
	latencies = `metric.type="run.googleapis.com/request_latencies"`
	waiting   = `metric.type="run.googleapis.com/pending_queue/pending_requests"`
	onlyOnes  = ` AND resource.type="cloud_run_revision"`
)

// measured reads the raw points of a metric since the beginning, by revision or
// instance, code and end.
func measured(t *testing.T, w *simulator.World, filter string) map[string]series.Value {
	t.Helper()
	result, err := w.QueryTimeSeries(series.Query{Project: "acme-prod", Filter: filter, Start: w.Start(), End: w.Now(), View: series.Full})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]series.Value{}
	for _, s := range result.Series {
		for _, p := range s.Points {
			key := strings.Join([]string{s.Resource["revision_name"] + s.Resource["instance_name"], s.Labels["response_code"], p.End.Format(time.TimeOnly)}, " ")
			found[key] = p.Value
		}
	}
	return found
}

func TestEveryCountedRequestHasALatency(t *testing.T) {
	t.Parallel()
	for _, zero := range []string{"absent", "zero"} {
		w := shared(t, 50, simulator.Behaviour{
			LatencySpread: 0.5,
			Errors:        []simulator.ErrorRate{{Percent: 10, Code: 503, Until: simulator.Duration(8 * time.Minute)}, {Percent: 5, Code: 504, Latency: simulator.Duration(30 * time.Second)}},
		}, func(sc *simulator.Scenario) { sc.Switches.ZeroSeries = zero })
		w.AdvanceTo(w.Start().Add(20 * time.Minute))
		if err := w.SetUsers("web", 0); err != nil {
			t.Fatal(err)
		}
		w.Advance(10 * time.Minute)
		counts, took := measured(t, w, requestCount), measured(t, w, latencies)
		want, got := map[string]int64{}, map[string]int64{}
		for key, v := range counts {
			want[key] = v.Int64()
		}
		for key, v := range took {
			got[key] = v.Distribution().Count()
		}
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("%s: requests counted and latencies sampled, by series and minute:\n%s", zero, diff)
		}
	}
}

func TestLatenciesAreThoseOfTheRequests(t *testing.T) {
	t.Parallel()
	w := shared(t, 50, simulator.Behaviour{
		Latency: simulator.Duration(400 * time.Millisecond), LatencySpread: 0.6,
		Errors: []simulator.ErrorRate{{Percent: 20, Code: 504, Latency: simulator.Duration(10 * time.Second)}},
	})
	w.AdvanceTo(w.Start().Add(25 * time.Minute))
	var stable, healthy, hung series.Distribution
	for key, v := range measured(t, w, latencies+onlyOnes) {
		switch {
		case strings.HasPrefix(key, stableV1):
			stable.Merge(v.Distribution())
		case strings.HasPrefix(key, "web-v2 504"):
			hung.Merge(v.Distribution())
		default:
			healthy.Merge(v.Distribution())
		}
	}
	if stable.Mean() != 200 || stable.SquaredDeviation() != 0 || filled(stable) != 1 {
		t.Errorf("without a spread all are the same, at the default of 200 ms: %v", stable)
	}
	if hung.Mean() != 10_000 || filled(hung) != 1 {
		t.Errorf("what hangs takes as long as it is said to: %v", hung)
	}
	if got := healthy.Mean(); got < 390 || got > 410 || filled(healthy) < 8 {
		t.Errorf("a spread of 0.6 keeps the mean of 400 ms and fills several buckets: %v", healthy)
	}
}

// filled is how many buckets have samples.
func filled(d series.Distribution) int {
	n := 0
	for _, count := range d.Buckets() {
		if count > 0 {
			n++
		}
	}
	return n
}

func TestASpreadDoesNotChangeWhoComesWhen(t *testing.T) {
	t.Parallel()
	counts := func(spread float64) map[string]series.Value {
		w := shared(t, 50, simulator.Behaviour{LatencySpread: spread})
		w.AdvanceTo(w.Start().Add(15 * time.Minute))
		return measured(t, w, requestCount)
	}
	if diff := cmp.Diff(counts(0), counts(1)); diff != "" {
		t.Errorf("request counts differ:\n%s", diff)
	}
}

func TestRequestsThatWereNotFoundCanBeToldByTheirCode(t *testing.T) {
	t.Parallel()
	w := shared(t, 50, simulator.Behaviour{Errors: []simulator.ErrorRate{{Percent: 30, Code: 404}}})
	w.AdvanceTo(w.Start().Add(20 * time.Minute))
	only := measured(t, w, requestCount+onlyOnes+` AND metric.labels.response_code="404"`)
	every := measured(t, w, requestCount+onlyOnes)
	var got, all int64
	for key, v := range only {
		if !strings.HasPrefix(key, "web-v2 404 ") {
			t.Errorf("asked for 404 the answer has %s", key)
		}
		got += v.Int64()
	}
	for key, v := range every {
		if strings.HasPrefix(key, "web-v2 ") {
			all += v.Int64()
		}
	}
	if !near(int(got), 0.3*float64(all)) || all == 0 {
		t.Errorf("%d of %d requests were answered 404, want 30 %%", got, all)
	}
}

func TestRequestsWaitAsWritten(t *testing.T) {
	t.Parallel()
	minutes := func(n int) simulator.Duration { return simulator.Duration(time.Duration(n) * time.Minute) }
	queues := []simulator.Queue{
		{Requests: 7, Circumstances: simulator.Circumstances{From: minutes(5), Until: minutes(8)}},
		{Requests: 3, Circumstances: simulator.Circumstances{AbovePercent: 20, Until: minutes(10)}},
		{Requests: 99, Circumstances: simulator.Circumstances{AbovePercent: 80}},
	}
	for value, silent := range map[string]bool{"absent": true, "zero": false} {
		w := shared(t, 50, simulator.Behaviour{Pending: queues}, func(sc *simulator.Scenario) { sc.Switches.ZeroSeries = value })
		w.AdvanceTo(w.Start().Add(20 * time.Minute))
		points := measured(t, w, waiting)
		for at, want := range map[string]int64{"09:03:00": 3, "09:06:00": 10, "09:09:00": 3, "09:12:00": 0} {
			got, present := points["web-v2  "+at]
			if got.Int64() != want || present == (silent && want == 0) {
				t.Errorf("%s: at %s %d requests wait (a point: %v), want %d", value, at, got.Int64(), present, want)
			}
		}
		if _, present := points[stableV1+"  09:12:00"]; present == silent {
			t.Errorf("%s: a revision without a queue has a point: %v", value, present)
		}
	}
}

func TestMoreInstancesThanTheMostAreNeverThere(t *testing.T) {
	t.Parallel()
	// 20 requests a second of 10 s each are 200 at a time; two instances take 160.
	w := place(t, func(sc *simulator.Scenario) {
		sc.Services[0].Revisions[0].Scaling = &simulator.RevisionScaling{MinInstanceCount: 5, MaxInstanceCount: 2}
		sc.Services[0].Revisions[0].Behaviour = &simulator.Behaviour{Latency: simulator.Duration(10 * time.Second)}
	})
	revision, err := w.GetRevision(service + "/revisions/" + stableV1)
	if err != nil || revision.Scaling == nil || revision.Scaling.MaxInstanceCount != 2 {
		t.Fatalf("the revision says %+v, %v", revision.Scaling, err)
	}
	w.Advance(30 * time.Minute)
	points := ask(t, w, "acme-prod", instanceCount+` AND metric.labels.state="active"`)
	for _, n := range points[stableV1+" active"] {
		if n != 2 {
			t.Errorf("%d active instances, want both", n)
		}
	}
	if len(points) != 1 {
		t.Errorf("asked for active instances the answer has %v", points)
	}
	got := tally(t, w, stableV1, w.Start())
	if !near(got.Unreached, 0.2*20*1800) || got.Failed != 0 || got.Unreached+got.Ended > got.Arrived {
		t.Errorf("a fifth of the requests finds no room: %+v", got)
	}
	var counted int64
	for _, v := range measured(t, w, requestCount+onlyOnes) {
		counted += v.Int64()
	}
	if counted > int64(got.Ended) {
		t.Errorf("%d requests are counted, %d reached an instance", counted, got.Ended)
	}
}

func TestEveryRevisionSaysItsMostInstances(t *testing.T) {
	t.Parallel()
	w := place(t)
	list, err := w.ListRevisions(service)
	if err != nil || len(list) == 0 {
		t.Fatal(err)
	}
	for _, r := range list {
		if r.Scaling == nil || r.Scaling.MaxInstanceCount != 100 {
			t.Errorf("%s: %+v, want the default of 100", r.Name, r.Scaling)
		}
	}
}

func TestBehavioursThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	w := place(t)
	for want, b := range map[string]simulator.Behaviour{
		"latencySpread -1 is not between":        {LatencySpread: -1},
		"pending[0]: requests is negative":       {Pending: []simulator.Queue{{Requests: -1}}},
		"errors[0]: code 1404 is no HTTP status": {Errors: []simulator.ErrorRate{{Percent: 1, Code: 1404}}},
	} {
		if _, err := w.Deploy("web", simulator.Deployment{Image: newImage, Behaviour: &b}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
