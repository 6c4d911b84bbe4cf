package simulator_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// ask reads a metric's raw points of the last half hour that can be seen now, and sums
// them by the value of a label.
func ask(t *testing.T, w *simulator.World, project, filter string) map[string][]int64 {
	t.Helper()
	result, err := w.QueryTimeSeries(series.Query{
		Project: project, Filter: filter, Start: w.Now().Add(-30 * time.Minute), End: w.Now(), View: "FULL",
	})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]int64{}
	for _, s := range result.Series {
		key := s.Resource["revision_name"] + s.Resource["instance_name"]
		if l := s.Labels; len(l) > 0 {
			key += " " + l["response_code"] + l["state"] + l["reason"] + l["nat_ip"]
		}
		for _, p := range s.Points {
			v := p.Value.Int64()
			if p.Value.Type() == series.TypeBool && p.Value.Bool() {
				v = 1
			}
			found[key] = append(found[key], v)
		}
	}
	return found
}

func sum(values []int64) int {
	total := 0
	for _, v := range values {
		total += int(v)
	}
	return total
}

const (
	requestCount  = `metric.type="run.googleapis.com/request_count"`
	instanceCount = `metric.type="run.googleapis.com/container/instance_count"`
	dropped       = `metric.type="router.googleapis.com/nat/dropped_sent_packets_count"`
	allocation    = `metric.type="router.googleapis.com/nat/nat_allocation_failed"`
	ports         = `metric.type="router.googleapis.com/nat/allocated_ports"`
)

func TestRequestCountTellsTheTruthLate(t *testing.T) {
	t.Parallel()
	w := shared(t, 50, simulator.Behaviour{Errors: []simulator.ErrorRate{{Percent: 20, Code: 503}}})
	w.AdvanceTo(w.Start().Add(10 * time.Minute))
	seen := len(ask(t, w, "acme-prod", requestCount+` AND resource.type="cloud_run_revision"`)[stableV1+" 200"])
	if seen < 7 || seen > 9 {
		t.Errorf("after ten minutes %d points of stable are visible, want those of the first seven, eight or nine", seen)
	}
	w.Advance(179 * time.Second)
	if got := len(ask(t, w, "acme-prod", requestCount+` AND resource.type="cloud_run_revision"`)[stableV1+" 200"]); got < 10 {
		t.Errorf("179 s later only %d points are visible", got)
	}
	w.AdvanceTo(w.Start().Add(15 * time.Minute))
	if err := w.SetUsers("web", 0); err != nil {
		t.Fatal(err)
	}
	w.Advance(5 * time.Minute)
	truth, err := w.Requests("web-v2", w.Start(), w.Now())
	if err != nil {
		t.Fatal(err)
	}
	points := ask(t, w, "acme-prod", requestCount+` AND resource.type="cloud_run_revision"`)
	if got := sum(points["web-v2 200"]) + sum(points["web-v2 503"]); got != truth.Ended || sum(points["web-v2 503"]) != truth.Failed {
		t.Errorf("points say %d requests and %d of 503; the truth is %d and %d", got, sum(points["web-v2 503"]), truth.Ended, truth.Failed)
	}
}

func TestTheInstanceTwinCountsEveryRequestAgain(t *testing.T) {
	t.Parallel()
	w := place(t)
	w.Advance(20 * time.Minute)
	points := ask(t, w, "acme-prod", requestCount)
	if a, b := sum(points[stableV1+" 200"]), sum(points["web-instance 200"]); a == 0 || b == 0 {
		t.Errorf("revision %d, instance %d: both series should be there", a, b)
	}
}

func TestNoPointBecomesVisibleLaterThanPromised(t *testing.T) {
	t.Parallel()
	w := place(t)
	for range 40 {
		w.Advance(time.Minute)
		for _, metric := range []string{series.RequestCount, series.InstanceCount} {
			promise := w.VisibleFrom(metric)
			end := w.Now().Add(-promise).Truncate(time.Minute)
			if end.Sub(w.Start()) < time.Minute {
				continue
			}
			result, err := w.QueryTimeSeries(series.Query{
				Project: "acme-prod", View: "FULL", Start: end.Add(-time.Second), End: end,
				Filter: `metric.type="` + metric + `" AND resource.type="cloud_run_revision"`,
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(result.Series) == 0 {
				t.Fatalf("%s: the point of %s is not there at %s", metric, end, w.Now())
			}
		}
	}
}

func TestInstancesFollowTrafficAndLinger(t *testing.T) {
	t.Parallel()
	w := shared(t, 50, simulator.Behaviour{Latency: simulator.Duration(8 * time.Second)})
	w.AdvanceTo(w.Start().Add(20 * time.Minute))
	points := ask(t, w, "acme-prod", instanceCount)
	// 10 per second x 8 s = 80 in flight; 60 % of a concurrency of 80 is 48.
	if got := points["web-v2 active"][0]; got != 2 {
		t.Errorf("%d active instances, want 2", got)
	}
	split(t, w, 0)
	w.Advance(10 * time.Minute)
	points = ask(t, w, "acme-prod", instanceCount)
	if active, idle := points["web-v2 active"][0], points["web-v2 idle"][0]; active != 0 || idle < 2 {
		t.Errorf("after the shift away: %d active, %d idle", active, idle)
	}
	w.Advance(45 * time.Minute)
	if got := ask(t, w, "acme-prod", instanceCount)["web-v2 idle"]; len(got) != 0 {
		t.Errorf("an hour later there are still points: %v", got)
	}
}

// behind puts a gateway into a scenario.
func behind(g simulator.Gateway) func(*simulator.Scenario) {
	return func(sc *simulator.Scenario) {
		g.Project, g.Region, g.Name = "acme-net", "asia-northeast1", "nat-1"
		sc.Gateways = []simulator.Gateway{g}
	}
}

func TestAnIdleGatewayReportsNothing(t *testing.T) {
	t.Parallel()
	w := place(t, behind(simulator.Gateway{}))
	w.Advance(20 * time.Minute)
	for _, filter := range []string{dropped, allocation, ports} {
		if got := ask(t, w, "acme-net", filter); len(got) != 0 {
			t.Errorf("%s: %v", filter, got)
		}
	}
}

func TestAGatewayDropsForEachPercentOfACulprit(t *testing.T) {
	t.Parallel()
	w := shared(t, 30, simulator.Behaviour{}, behind(simulator.Gateway{
		AllocatedPorts: 640, IPs: []string{"203.0.113.1", "203.0.113.2"},
		Drops: []simulator.Drop{
			{Image: newImage, PacketsPerMinutePerPercent: 2, AbovePercent: 10},
			{PacketsPerMinute: 5, Reason: "ENDPOINT_INDEPENDENCE_CONFLICT", Interval: simulator.Interval{From: simulator.Duration(20 * time.Minute)}},
		},
	}))
	w.AdvanceTo(w.Start().Add(25 * time.Minute))
	points := ask(t, w, "acme-net", dropped)
	// (30 % - 10 %) x 2 a minute.
	if got := points[" OUT_OF_RESOURCES"][0]; got != 40 {
		t.Errorf("%d packets dropped in the last minute, want 40", got)
	}
	if got := points[" ENDPOINT_INDEPENDENCE_CONFLICT"]; len(got) == 0 || got[0] != 5 {
		t.Errorf("conflicts: %v, want 5 a minute", got)
	}
	if got := ask(t, w, "acme-net", ports); len(got) != 2 || got[" 203.0.113.1"][0] != 640 {
		t.Errorf("allocated ports: %v", got)
	}
}

func TestSilenceOrZeroWhereNothingHappens(t *testing.T) {
	t.Parallel()
	gateway := simulator.Gateway{
		AllocatedPorts:     640,
		AllocationFailures: []simulator.Interval{{From: simulator.Duration(5 * time.Minute), Until: simulator.Duration(6 * time.Minute)}},
	}
	for value, want := range map[string]struct{ drops, flags bool }{"absent": {false, false}, "zero": {true, true}} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			w := place(t, behind(gateway), func(sc *simulator.Scenario) { sc.Switches.ZeroSeries = value })
			w.Advance(20 * time.Minute)
			drops, flags := ask(t, w, "acme-net", dropped)[" OUT_OF_RESOURCES"], ask(t, w, "acme-net", allocation)[""]
			if (len(drops) > 0) != want.drops || sum(drops) != 0 {
				t.Errorf("drops: %v", drops)
			}
			if sum(flags) != 1 || (len(flags) > 1) != want.flags {
				t.Errorf("allocation failures: %v, want one true", flags)
			}
		})
	}
}

func TestAGapLosesPointsAndLatenessDelaysThem(t *testing.T) {
	t.Parallel()
	revision := requestCount + ` AND resource.type="cloud_run_revision"`
	cases := map[string]struct {
		fault simulator.Fault
		want  int // points of minutes 6 to 10 at minute 15
	}{
		"none":           {simulator.Fault{Kind: simulator.FaultGap, Metric: "compute.googleapis.com/"}, 5},
		"a gap":          {simulator.Fault{Kind: simulator.FaultGap, Metric: "run.googleapis.com/"}, 0},
		"a short gap":    {simulator.Fault{Kind: simulator.FaultGap, For: simulator.Duration(2*time.Minute + time.Second)}, 3},
		"late":           {simulator.Fault{Kind: simulator.FaultLate, Delay: simulator.Duration(time.Hour)}, 0},
		"a little later": {simulator.Fault{Kind: simulator.FaultLate, Delay: simulator.Duration(time.Second)}, 5},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := place(t)
			w.Advance(5 * time.Minute)
			if err := w.Inject(c.fault); err != nil {
				t.Fatal(err)
			}
			w.AdvanceTo(w.Start().Add(15 * time.Minute))
			result, err := w.QueryTimeSeries(series.Query{
				Project: "acme-prod", Filter: revision, View: "FULL",
				Start: w.Start().Add(5 * time.Minute), End: w.Start().Add(10 * time.Minute),
			})
			if err != nil {
				t.Fatal(err)
			}
			got := 0
			for _, s := range result.Series {
				got += len(s.Points)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRequestCountMayBeFasterThanBelieved(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{"after180s": 3 * time.Minute, "after120s": 2 * time.Minute} {
		w := place(t, func(sc *simulator.Scenario) { sc.Switches.RequestCountVisible = value })
		if got := w.VisibleFrom(series.RequestCount); got != want {
			t.Errorf("%s: %v", value, got)
		}
	}
}
