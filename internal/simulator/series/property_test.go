package series

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// history draws points of a few series in any order, late, corrected, at odd
// seconds, and says until when they lie.
func history(t *rapid.T) []Point {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Point {
		p := drop(
			rapid.SampledFrom([]string{"g", "h"}).Draw(t, "gateway"),
			rapid.SampledFrom([]string{"a", "b"}).Draw(t, "reason"),
			rapid.IntRange(1, 90).Draw(t, "minute"),
			rapid.Int64Range(0, 1000).Draw(t, "packets"),
		)
		p.End = p.End.Add(time.Duration(rapid.IntRange(0, 59).Draw(t, "second")) * time.Second)
		p.VisibleAt = p.End.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "delay")) * time.Second)
		return p
	}), 0, 60).Draw(t, "history")
}

func drawnQuery(t *rapid.T, aligner Aligner) Query {
	from := rapid.IntRange(-5, 90).Draw(t, "from")
	q := query(drops, from, from+rapid.IntRange(0, 95).Draw(t, "length"), Aggregation{
		Period:  time.Duration(rapid.IntRange(60, 900).Draw(t, "period")) * time.Second,
		Aligner: aligner,
		Reducer: rapid.SampledFrom([]Reducer{ReduceNone, ReduceSum}).Draw(t, "reducer"),
		GroupBy: rapid.SampledFrom([][]string{nil, {"resource.label.gateway_name"}}).Draw(t, "by"),
	})
	q.Start = q.Start.Add(time.Duration(rapid.IntRange(-30, 0).Draw(t, "seconds")) * time.Second)
	return q
}

func TestASumConservesTheTotal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		store := storeOf(history(t)...)
		aligned := drawnQuery(t, AlignSum)
		raw := aligned
		raw.Aggregation = Aggregation{}
		now := minute(rapid.IntRange(0, 110).Draw(t, "now"))
		total := func(q Query) int64 {
			r, err := store.Query(q, now)
			if err != nil {
				t.Fatal(err)
			}
			var sum int64
			for _, s := range r.Series {
				for _, p := range s.Points {
					sum += p.Value.Int64()
				}
			}
			return sum
		}
		if want, got := total(raw), total(aligned); want != got {
			t.Errorf("raw points sum to %d, aligned ones to %d", want, got)
		}
	})
}

func TestPointsStayInsideTheIntervalNewestFirst(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		store := storeOf(history(t)...)
		store.Switches.PeriodsFromEpoch = rapid.Bool().Draw(t, "fromEpoch")
		q := drawnQuery(t, rapid.SampledFrom([]Aligner{AlignSum, AlignDelta, AlignRate, AlignMax, AlignMean, AlignCount}).Draw(t, "aligner"))
		r, err := store.Query(q, minute(rapid.IntRange(0, 110).Draw(t, "now")))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Series {
			if len(s.Points) == 0 {
				t.Error("a series without points")
			}
			for i, p := range s.Points {
				if !p.End.After(q.Start) && !q.Start.Equal(q.End) || p.End.After(q.End) {
					t.Errorf("%v lies outside (%v, %v]", p.End, q.Start, q.End)
				}
				if i > 0 && !p.End.Before(s.Points[i-1].End) {
					t.Errorf("%v comes after %v", p.End, s.Points[i-1].End)
				}
				if p.Value.Type() != s.ValueType {
					t.Errorf("%v is not a %v", p.Value, s.ValueType)
				}
			}
		}
	})
}

// TestPagesAddUpToOnePage records more points between the pages: a token keeps
// the moment of the first page.
func TestPagesAddUpToOnePage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		store := storeOf(history(t)...)
		q := drawnQuery(t, rapid.SampledFrom([]Aligner{AlignNone, AlignSum}).Draw(t, "aligner"))
		if q.Aggregation.Aligner == AlignNone {
			q.Aggregation = Aggregation{}
		}
		q.View = rapid.SampledFrom([]View{Full, Headers}).Draw(t, "view")
		now := minute(rapid.IntRange(0, 110).Draw(t, "now"))
		whole, err := store.Query(q, now)
		if err != nil {
			t.Fatal(err)
		}
		var pieces []Series
		for {
			q.PageSize = rapid.IntRange(1, 7).Draw(t, "size")
			r, err := store.Query(q, now)
			if err != nil {
				t.Fatal(err)
			}
			if size := sizeOf(r, q.View); size > q.PageSize {
				t.Fatalf("a page of %d holds %d", q.PageSize, size)
			}
			pieces = append(pieces, r.Series...)
			if q.PageToken = r.NextPageToken; q.PageToken == "" {
				break
			}
			now = now.Add(time.Minute)
		}
		if diff := cmp.Diff(whole.Series, joinedAgain(pieces)); diff != "" {
			t.Errorf("pages do not add up (-whole +pages):\n%s", diff)
		}
	})
}

func sizeOf(r Result, view View) int {
	if view == Headers {
		return len(r.Series)
	}
	n := 0
	for _, s := range r.Series {
		n += len(s.Points)
	}
	return n
}

// joinedAgain puts together the parts of series that pages cut.
func joinedAgain(pieces []Series) []Series {
	var out []Series
	name := func(s Series) string { return fmt.Sprint(s.ResourceType, s.Resource, s.Labels) }
	for _, piece := range pieces {
		if n := len(out); n > 0 && name(out[n-1]) == name(piece) {
			out[n-1].Points = append(slices.Clone(out[n-1].Points), piece.Points...)
			continue
		}
		out = append(out, piece)
	}
	return out
}

func TestATokenBelongsToItsRequest(t *testing.T) {
	t.Parallel()
	q := query(drops, 0, 5, Aggregation{})
	q.PageSize = 1
	store := func() *Store { return storeOf(drop("g", "r", 1, 1), drop("g", "r", 2, 2), drop("g", "r", 3, 3)) }
	token := mustQuery(t, store(), q, minute(60)).NextPageToken
	changes := map[string]func(*Query){
		"another project":     func(q *Query) { q.Project = "other" },
		"another filter":      func(q *Query) { q.Filter += ` project = "shop"` },
		"another interval":    func(q *Query) { q.End = minute(6) },
		"another aggregation": func(q *Query) { q.Aggregation = perMinute(AlignSum) },
		"another view":        func(q *Query) { q.View = Headers },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := q
			other.PageToken = token
			change(&other)
			if _, err := store().Query(other, minute(60)); codeOf(err) != InvalidArgument {
				t.Errorf("got %v", err)
			}
		})
	}
}

func BenchmarkOneHourOfWeeks(b *testing.B) {
	store := NewStore()
	const weeks = 3
	for service := range 10 {
		for _, class := range []string{"2xx", "4xx", "5xx"} {
			p := Point{
				Type: RequestCount, ResourceType: ResourceRevision,
				Resource: map[string]string{
					"project_id": "shop", "service_name": fmt.Sprint("web-", service), "revision_name": "r1", "location": "europe-west1",
				},
				Labels: map[string]string{"response_code_class": class}, Value: Int(7),
			}
			for n := range weeks * 7 * 24 * 60 {
				p.Start, p.End, p.VisibleAt = minute(n-1), minute(n), minute(n+2)
				store.Record(p)
			}
		}
	}
	end := weeks * 7 * 24 * 60
	q := query(`metric.type = "run.googleapis.com/request_count" AND resource.type = "cloud_run_revision"`+
		` AND resource.labels.service_name = "web-3"`, end-60, end,
		Aggregation{time.Minute, AlignSum, ReduceSum, []string{"metric.label.response_code_class"}})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := store.Query(q, minute(end)); err != nil {
			b.Fatal(err)
		}
	}
}
