package contract

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

var stable = analysis.Source{Project: project, Location: region, Service: "web", Revision: "web-1"}

// ask asks about the last half hour.
func (s *stage) ask(metric analysis.Metric, of analysis.Source) analysis.Answer {
	s.t.Helper()
	until := s.now().Truncate(time.Minute)
	q := analysis.Question{
		Series: analysis.Series{Metric: metric, Source: of}, After: until.Add(-30 * time.Minute), Until: until,
	}
	answers, err := s.metrics.Answer(s.t.Context(), []analysis.Question{q}, s.now())
	if err != nil {
		s.t.Fatal(err)
	}
	return answers.Of(q.Series)
}

func TestRequestsAreThoseThatWereMade(t *testing.T) {
	t.Parallel()
	s := newStage(t, func(sc *simulator.Scenario) {
		sc.Services[0].Images[fine] = simulator.Behaviour{Errors: []simulator.ErrorRate{{Percent: 20, Code: 503}}}
	})
	s.advance(40*time.Minute + 37*time.Second)
	answer := s.ask(analysis.Requests, stable)
	if answer.Cause != analysis.CauseNone {
		t.Fatalf("cause %q: %s", answer.Cause, answer.Detail)
	}
	if want := morning.Add(36 * time.Minute); !answer.Through.Equal(want) { // 60 s and 180 s ago
		t.Errorf("through %s, want %s", answer.Through, want)
	}
	var ended, failed int64
	minutes := map[time.Time]bool{}
	for _, p := range answer.Points {
		ended += p.Value
		minutes[p.End] = true
		if p.Label == "5xx" {
			failed += p.Value
		}
	}
	s.world(func(w *simulator.World) error {
		truth, err := w.Requests(name+"/revisions/web-1", morning.Add(10*time.Minute), answer.Through)
		if ended != int64(truth.Ended) || failed != int64(truth.Failed) {
			t.Errorf("%d ended, %d failed, in truth %+v", ended, failed, truth)
		}
		return err
	})
	if len(minutes) != 26 || failed == 0 {
		t.Errorf("%d minutes, %d failures", len(minutes), failed)
	}
}

func TestLatenciesAreThoseOfTheRequests(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.advance(40 * time.Minute)
	requests, latencies := s.ask(analysis.Requests, stable), s.ask(analysis.Latencies, stable)
	ended := map[time.Time]int64{}
	for _, p := range requests.Points {
		ended[p.End] += p.Value
	}
	if latencies.Cause != analysis.CauseNone || len(latencies.Points) != len(ended) || len(ended) < 20 {
		t.Fatalf("%d minutes of %d; cause %q: %s", len(latencies.Points), len(ended), latencies.Cause, latencies.Detail)
	}
	for _, p := range latencies.Points {
		var sum int64
		for _, count := range p.Histogram.Counts {
			sum += count
		}
		if p.Value != ended[p.End] || sum != p.Value || len(p.Histogram.Counts) != len(p.Histogram.Bounds)+1 {
			t.Errorf("at %s: %d samples, %d in buckets, %d requests", p.End, p.Value, sum, ended[p.End])
		}
	}
}

func TestInstancesThatServeAreSomeOfAll(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.advance(40 * time.Minute)
	all, active := s.ask(analysis.Instances, stable), s.ask(analysis.ActiveInstances, stable)
	total := map[time.Time]int64{}
	for _, p := range all.Points {
		total[p.End] = p.Value
	}
	if active.Cause != analysis.CauseNone || len(active.Points) < 20 {
		t.Fatalf("%+v", active)
	}
	for _, p := range active.Points {
		if p.Value < 1 || p.Value > total[p.End] {
			t.Errorf("at %s: %d of %d", p.End, p.Value, total[p.End])
		}
	}
}

func TestEveryMetricIsAnswered(t *testing.T) {
	t.Parallel()
	s := newStage(t, func(sc *simulator.Scenario) {
		sc.Gateways[0].Drops = []simulator.Drop{{PacketsPerMinute: 12}}
		sc.Gateways[0].AllocationFailures = []simulator.Interval{{}}
	})
	s.advance(40 * time.Minute)
	for metric, c := range map[analysis.Metric]struct {
		source analysis.Source
		lag    time.Duration
		label  string
		value  int64 // of every minute; -1: any but zero
	}{
		analysis.Instances:        {stable, 180 * time.Second, "", -1},
		analysis.AllocatedPorts:   {nat1, 285 * time.Second, "", 6400},
		analysis.OpenConnections:  {nat1, 285 * time.Second, "", 900},
		analysis.AllocationFailed: {nat1, 180 * time.Second, "", 1},
		analysis.DroppedPackets:   {nat1, 285 * time.Second, "OUT_OF_RESOURCES", -1},
	} {
		answer := s.ask(metric, c.source)
		if want := s.now().Add(-c.lag).Truncate(time.Minute); !answer.Through.Equal(want) || answer.Cause != analysis.CauseNone {
			t.Errorf("%s: through %s, want %s; cause %q: %s", metric, answer.Through, want, answer.Cause, answer.Detail)
		}
		if newest := len(answer.Points) - 1; newest < 20 || !answer.Points[newest].End.Equal(answer.Through) {
			t.Errorf("%s: %d points, the newest not of the newest minute", metric, newest+1)
		}
		for _, p := range answer.Points {
			if p.Label != c.label || p.Value == 0 || c.value > 0 && p.Value != c.value {
				t.Errorf("%s: point %+v, want %d of %q", metric, p, c.value, c.label)
			}
		}
	}
}

func TestNamesOfGateways(t *testing.T) {
	t.Parallel()
	twin := simulator.Gateway{Project: "acme-net", Region: region, Router: "r2", RouterID: "7", Name: "nat-2", AllocatedPorts: 64, OpenConnections: 1}
	t.Run("a misspelt one is told the names that report", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, func(sc *simulator.Scenario) { sc.Gateways = append(sc.Gateways, twin) })
		s.advance(20 * time.Minute)
		misspelt := nat1
		misspelt.Gateway = "nat1"
		answer := s.ask(analysis.AllocatedPorts, misspelt)
		if diff := cmp.Diff([]string{"nat-1", "nat-2"}, answer.Names); diff != "" || len(answer.Points) > 0 || answer.Cause != analysis.CauseNone {
			t.Errorf("names (-want +got):\n%s%+v", diff, answer)
		}
	})
	t.Run("one of two routers' gateways of one name is ambiguous", func(t *testing.T) {
		t.Parallel()
		twin := twin
		twin.Name = "nat-1"
		s := newStage(t, func(sc *simulator.Scenario) { sc.Gateways = append(sc.Gateways, twin) })
		s.advance(20 * time.Minute)
		for _, metric := range []analysis.Metric{analysis.AllocatedPorts, analysis.OpenConnections} {
			if answer := s.ask(metric, nat1); answer.Cause != analysis.CauseAmbiguous || len(answer.Points) > 0 {
				t.Errorf("%s: %+v", metric, answer)
			}
		}
	})
	t.Run("one of another region is another one", func(t *testing.T) {
		t.Parallel()
		twin := twin
		twin.Name, twin.Region = "nat-1", "us-central1"
		s := newStage(t, func(sc *simulator.Scenario) { sc.Gateways = append(sc.Gateways, twin) })
		s.advance(20 * time.Minute)
		if answer := s.ask(analysis.AllocatedPorts, nat1); answer.Cause != analysis.CauseNone || len(answer.Points) == 0 || len(answer.Names) > 0 {
			t.Errorf("%+v", answer)
		}
	})
}

func TestTroubleWithMonitoring(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		fault      simulator.Fault
		wantCause  analysis.Cause
		wantPoints bool
	}{
		"denied":      {simulator.Fault{Kind: simulator.FaultError, Operation: "timeSeries.list", Code: 403}, analysis.CauseDenied, false},
		"over quota":  {simulator.Fault{Kind: simulator.FaultError, Operation: "timeSeries.list", Code: 429}, analysis.CauseThrottled, false},
		"unavailable": {simulator.Fault{Kind: simulator.FaultError, Operation: "timeSeries.list", Code: 503}, analysis.CauseUnavailable, false},
		"partial":     {simulator.Fault{Kind: simulator.FaultPartial}, analysis.CausePartial, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.advance(20 * time.Minute)
			s.inject(c.fault)
			answer := s.ask(analysis.Requests, stable)
			if answer.Cause != c.wantCause || answer.Detail == "" || len(answer.Points) > 0 != c.wantPoints {
				t.Errorf("cause %q, detail %q, %d points", answer.Cause, answer.Detail, len(answer.Points))
			}
			if c.wantCause == analysis.CausePartial {
				return
			}
			s.advance(15 * time.Second)
			// One failure is one call: nothing retried it.
			if again := s.ask(analysis.Requests, stable); again.Cause != analysis.CauseNone {
				t.Errorf("and then %q", again.Cause)
			}
		})
	}
}

// TestEveryQueryIsPinned reads what the world was asked.
func TestEveryQueryIsPinned(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.advance(20 * time.Minute)
	for _, metric := range []analysis.Metric{
		analysis.Requests, analysis.NotFound, analysis.Latencies, analysis.Instances, analysis.ActiveInstances, analysis.Pending,
	} {
		s.ask(metric, stable)
	}
	for _, metric := range []analysis.Metric{analysis.AllocatedPorts, analysis.OpenConnections, analysis.AllocationFailed, analysis.DroppedPackets} {
		s.ask(metric, nat1)
	}
	queries := 0
	s.world(func(w *simulator.World) error {
		for _, e := range w.Log() {
			if e.Call == nil || e.Call.Operation != "timeSeries.list" {
				continue
			}
			queries++
			for _, want := range []string{"metric.type=", "resource.type=", "resource.labels.project_id=", region} {
				if strings.Count(e.Call.Filter, want) != 1 {
					t.Errorf("filter without one %s: %s", want, e.Call.Filter)
				}
			}
			if e.Call.End.After(e.At.Add(-3*time.Minute)) || !e.Call.End.Equal(e.Call.End.Truncate(time.Minute)) {
				t.Errorf("at %s asked up to %s", e.At, e.Call.End)
			}
		}
		return nil
	})
	if queries != 10 {
		t.Errorf("%d queries, want 10", queries)
	}
}
