package series

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const latencies = `metric.type = "run.googleapis.com/request_latencies" AND resource.type = "cloud_run_revision"`

// slow is a point of latencies in milliseconds, in the minute that ends at the given one.
func slow(revision, code string, at int, samples ...float64) Point {
	var d Distribution
	for _, s := range samples {
		d.Add(s, 1)
	}
	return Point{
		Type: RequestLatencies, ResourceType: ResourceRevision,
		Resource: map[string]string{"project_id": "shop", "location": "r1", "service_name": "web", "revision_name": revision},
		Labels:   map[string]string{"response_code": code, "response_code_class": code[:1] + "xx"},
		Start:    minute(at - 1), End: minute(at), VisibleAt: minute(at), Value: Distributed(d),
	}
}

func TestABucketHoldsItsLowerBoundAndNotItsUpper(t *testing.T) {
	t.Parallel()
	last := math.Pow(BucketGrowth, BucketsFinite)
	for size, want := range map[float64]int{
		0: 0, 0.999: 0, 1: 1, 1.399: 1, 1.4: 2, 200: 16, last * 0.999: BucketsFinite, last: BucketsFinite + 1, math.Inf(1): BucketsFinite + 1,
	} {
		var d Distribution
		d.Add(size, 3)
		if got := d.Buckets(); len(got) != want+1 || got[want] != 3 {
			t.Errorf("%v lies in bucket %d, want %d", size, len(got)-1, want)
		}
	}
}

func TestDistributionsAreSummed(t *testing.T) {
	t.Parallel()
	points := []Point{slow("v1", "200", 1, 1, 1), slow("v1", "200", 2, 3), slow("v1", "500", 2, 10), slow("v2", "200", 2, 100)}
	of := func(sizes ...float64) string { return slow("", "200", 0, sizes...).Value.String() }
	cases := map[string]struct {
		with Aggregation
		want []string
	}{
		"as they are": {Aggregation{}, []string{"2:" + of(3) + " 1:" + of(1, 1), "2:" + of(10), "2:" + of(100)}},
		"over time":   {Aggregation{2 * minute(1).Sub(noon), AlignSum, ReduceNone, nil}, []string{"2:" + of(1, 1, 3), "2:" + of(10), "2:" + of(100)}},
		"over codes": {
			Aggregation{minute(1).Sub(noon), AlignSum, ReduceSum, []string{"resource.label.revision_name"}},
			[]string{"2:" + of(3, 10) + " 1:" + of(1, 1), "2:" + of(100)},
		},
		"over everything": {Aggregation{2 * minute(1).Sub(noon), AlignSum, ReduceSum, nil}, []string{"2:" + of(1, 1, 3, 10, 100)}},
		"counted":         {Aggregation{2 * minute(1).Sub(noon), AlignSum, ReduceCount, nil}, []string{"2:3"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := mustQuery(t, storeOf(points...), query(latencies, 0, 2, tc.with), minute(9))
			got := told(r)
			for i := range got {
				_, got[i], _ = strings.Cut(got[i], " ")
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if s := r.Series[0]; s.Unit != "ms" && tc.with.Reducer != ReduceCount {
				t.Errorf("unit %q", s.Unit)
			}
		})
	}
}

func TestWhatDoesNotSuitDistributionsIsRefused(t *testing.T) {
	t.Parallel()
	store := storeOf(slow("v1", "200", 1, 1))
	for aligner, why := range map[Aligner]string{
		"ALIGN_PERCENTILE_99": "not supported here", AlignDelta: "kind DELTA and value type DISTRIBUTION",
		AlignMean: "value type DISTRIBUTION", AlignCount: "value type DISTRIBUTION", AlignNextOlder: "value type DISTRIBUTION",
	} {
		_, err := store.Query(query(latencies, 0, 2, perMinute(aligner)), minute(9))
		if codeOf(err) != InvalidArgument || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", aligner, err)
		}
	}
	for reducer, why := range map[Reducer]string{
		"REDUCE_PERCENTILE_99": "not supported here", ReduceMax: "value type DISTRIBUTION", ReduceMean: "value type DISTRIBUTION",
	} {
		_, err := store.Query(query(latencies, 0, 2, Aggregation{minute(1).Sub(noon), AlignSum, reducer, nil}), minute(9))
		if codeOf(err) != InvalidArgument || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", reducer, err)
		}
	}
}

// TestASumOfDistributionsIsThatOfTheirSamples cuts samples into minutes and
// revisions and puts them together again.
func TestASumOfDistributionsIsThatOfTheirSamples(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Float64Range(0, 1e7), 1, 60).Draw(t, "samples")
		var whole Distribution
		parts := map[[2]int][]float64{}
		for _, size := range all {
			whole.Add(size, 1)
			at := [2]int{rapid.IntRange(1, 5).Draw(t, "minute"), rapid.IntRange(0, 2).Draw(t, "revision")}
			parts[at] = append(parts[at], size)
		}
		store := NewStore()
		for at, sizes := range parts {
			store.Record(slow([]string{"v0", "v1", "v2"}[at[1]], "200", at[0], sizes...))
		}
		r, err := store.Query(query(latencies, 0, 5, Aggregation{5 * minute(1).Sub(noon), AlignSum, ReduceSum, nil}), minute(9))
		if err != nil || len(r.Series) != 1 || len(r.Series[0].Points) != 1 {
			t.Fatalf("%v, %v", r, err)
		}
		got := r.Series[0].Points[0].Value.Distribution()
		near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-6*max(1, math.Abs(a)) }
		if got.Count() != int64(len(all)) || !slices.Equal(got.Buckets(), whole.Buckets()) ||
			!near(got.Mean(), whole.Mean()) || !near(got.SquaredDeviation(), whole.SquaredDeviation()) {
			t.Errorf("got %v, want %v", got, whole)
		}
	})
}

func TestDistributionsAreEqualInAllTheyHold(t *testing.T) {
	t.Parallel()
	one, other := slow("v", "200", 1, 5, 7).Value, slow("v", "200", 1, 5, 8).Value
	if !one.Equal(slow("v", "200", 2, 5, 7).Value) || one.Equal(other) || one.Equal(Int(2)) || one.Int64() != 2 {
		t.Errorf("%v, %v", one, other)
	}
	if got := Int(3).Distribution(); got.Count() != 0 || got.String() != "0 around 0 in -1:[]" {
		t.Errorf("a number is a distribution of %v", got)
	}
}
