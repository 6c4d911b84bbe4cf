package monitoring

import (
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	metricpb "google.golang.org/genproto/googleapis/api/metric"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

func TestHistogramsOfASweepShareEqualBounds(t *testing.T) {
	t.Parallel()
	m := metrics[analysis.Latencies]
	home, other := place{"europe-west1", "web"}, place{"europe-west1", "api"}
	about := func(p place) query {
		return query{metric: m, project: "shop", places: []place{p}, after: noon.Add(-time.Hour), through: noon}
	}
	s := newSweep([]query{about(home), about(other)}, noon)
	page := func(h *haul, of analysis.Source, points ...*monitoringpb.Point) []analysis.Point {
		h.page(&monitoringpb.ListTimeSeriesResponse{TimeSeries: []*monitoringpb.TimeSeries{{
			Metric: &metricpb.Metric{Type: m.name}, Resource: resourceOf(of), Points: points,
		}}})
		h.finish()
		return h.strands[place{of.Location, of.Service}][of.Revision].points
	}
	far := revision
	far.Service = "api"
	points := page(s.hauls[0], revision,
		point(9, spread(samples(explicit(1, 2), 1, 1))), point(8, spread(samples(explicit(1, 2), 1, 1))),
		point(7, spread(samples(explicit(1, 3), 1, 1))), point(6, spread(samples(linear(1, 1, 1), 1, 1))))
	points = append(points, page(s.hauls[1], far, point(9, spread(samples(explicit(1, 2), 1, 0, 1))))...)
	first := &points[0].Histogram.Bounds[0]
	for i, same := range []bool{true, true, false, true, true} {
		bounds := points[i].Histogram.Bounds
		if (&bounds[0] == first) != same {
			t.Errorf("point %d, %v: shared %t, want %t", i, bounds, !same, same)
		}
		if want := []float64{1, map[bool]float64{true: 2, false: 3}[same]}; bounds[0] != want[0] || bounds[1] != want[1] {
			t.Errorf("point %d: %v, want %v", i, bounds, want)
		}
	}
}

func TestADeskWhoseMembersHaveAllLeftIsForgottenWhenAnotherIsAsked(t *testing.T) {
	t.Parallel()
	client := start(t, always())
	one(t, client, ask(analysis.Requests, revision))
	q := ask(analysis.Instances, revision)
	q.Until = noon.Add(time.Hour)
	for _, step := range []struct {
		since time.Duration
		desks int
	}{{memberAge, 2}, {memberAge + time.Second, 1}} {
		if _, err := client.Answer(t.Context(), []analysis.Question{q}, noon.Add(step.since)); err != nil {
			t.Fatal(err)
		}
		if got := len(client.desks.known); got != step.desks {
			t.Errorf("%s: %d desks, want %d", step.since, got, step.desks)
		}
	}
}
