package monitoring

import (
	"math"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/distribution"
	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

func linear(finite int32, width, offset float64) *distribution.Distribution_BucketOptions {
	return &distribution.Distribution_BucketOptions{Options: &distribution.Distribution_BucketOptions_LinearBuckets{
		LinearBuckets: &distribution.Distribution_BucketOptions_Linear{NumFiniteBuckets: finite, Width: width, Offset: offset},
	}}
}

func exponential(finite int32, factor, scale float64) *distribution.Distribution_BucketOptions {
	return &distribution.Distribution_BucketOptions{Options: &distribution.Distribution_BucketOptions_ExponentialBuckets{
		ExponentialBuckets: &distribution.Distribution_BucketOptions_Exponential{NumFiniteBuckets: finite, GrowthFactor: factor, Scale: scale},
	}}
}

func explicit(bounds ...float64) *distribution.Distribution_BucketOptions {
	return &distribution.Distribution_BucketOptions{Options: &distribution.Distribution_BucketOptions_ExplicitBuckets{
		ExplicitBuckets: &distribution.Distribution_BucketOptions_Explicit{Bounds: bounds},
	}}
}

func samples(options *distribution.Distribution_BucketOptions, count int64, counts ...int64) *distribution.Distribution {
	return &distribution.Distribution{Count: count, BucketOptions: options, BucketCounts: counts}
}

func spread(d *distribution.Distribution) *monitoringpb.TypedValue {
	return &monitoringpb.TypedValue{Value: &monitoringpb.TypedValue_DistributionValue{DistributionValue: d}}
}

func TestHistograms(t *testing.T) {
	t.Parallel()
	many := make([]float64, maxBuckets)
	for i := range many {
		many[i] = float64(i)
	}
	cases := map[string]struct {
		given  *distribution.Distribution
		bounds []float64
		counts []int64
		wrong  string
	}{
		"linear buckets":      {given: samples(linear(2, 10, 5), 6, 1, 2, 3, 0), bounds: []float64{5, 15, 25}, counts: []int64{1, 2, 3, 0}},
		"exponential buckets": {given: samples(exponential(3, 2, 1), 5, 0, 5), bounds: []float64{1, 2, 4, 8}, counts: []int64{0, 5, 0, 0, 0}},
		"explicit buckets":    {given: samples(explicit(0, 100), 4, 0, 3, 1), bounds: []float64{0, 100}, counts: []int64{0, 3, 1}},
		"one bound":           {given: samples(explicit(7), 4, 4), bounds: []float64{7}, counts: []int64{4, 0}},
		"the most buckets":    {given: samples(explicit(many[1:]...), 0), bounds: many[1:], counts: make([]int64, maxBuckets)},
		"no samples, buckets": {given: samples(explicit(1), 0), bounds: []float64{1}, counts: []int64{0, 0}},
		"no samples at all":   {given: samples(nil, 0), counts: []int64{0}},

		"samples without buckets":      {given: samples(nil, 3), wrong: "without buckets"},
		"counts without buckets":       {given: samples(nil, 0, 0), wrong: "without buckets"},
		"buckets without counts":       {given: samples(explicit(1), 3), wrong: "do not add up to its 3 samples"},
		"fewer in the buckets":         {given: samples(explicit(1), 3, 1, 1), wrong: "do not add up"},
		"more in the buckets":          {given: samples(explicit(1), 3, 1, 3), wrong: "do not add up"},
		"counts that overflow":         {given: samples(explicit(1, 2), 3, math.MaxInt64, math.MaxInt64, 5), wrong: "do not add up"},
		"a negative count":             {given: samples(explicit(1), 3, 4, -1), wrong: "do not add up"},
		"a negative count before":      {given: samples(explicit(1), 3, -1, 4), wrong: "negative count, -1"},
		"a negative number of samples": {given: samples(explicit(1), -3), wrong: "-3 samples"},
		"more counts than buckets":     {given: samples(explicit(1), 3, 1, 1, 1), wrong: "3 counts for 2 buckets"},
		"too many explicit buckets":    {given: samples(explicit(many...), 0), wrong: "more than 500"},
		"too many linear buckets":      {given: samples(linear(math.MaxInt32, 1, 0), 0), wrong: "more than 500"},
		"no linear buckets":            {given: samples(linear(0, 1, 0), 0), wrong: "without buckets"},
		"fewer than no buckets":        {given: samples(exponential(-1, 2, 1), 0), wrong: "without buckets"},
		"no explicit bounds":           {given: samples(explicit(), 0), wrong: "without buckets"},
		"no width":                     {given: samples(linear(2, 0, 0), 0), wrong: "do not ascend"},
		"a negative width":             {given: samples(linear(2, -1, 0), 0), wrong: "do not ascend"},
		"a factor of one":              {given: samples(exponential(2, 1, 1), 0), wrong: "do not ascend"},
		"no scale":                     {given: samples(exponential(2, 2, 0), 0), wrong: "do not ascend"},
		"bounds out of order":          {given: samples(explicit(1, 3, 2), 0), wrong: "do not ascend"},
		"a bound twice":                {given: samples(explicit(1, 1), 0), wrong: "do not ascend"},
		"a bound that is no number":    {given: samples(explicit(1, math.NaN()), 0), wrong: "no number"},
		"an infinite bound":            {given: samples(explicit(1, math.Inf(1)), 0), wrong: "no number"},
		"growth beyond all numbers":    {given: samples(exponential(400, 10, 1), 0), wrong: "no number"},
		"an offset that is no number":  {given: samples(linear(2, 1, math.NaN()), 0), wrong: "no number"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, count, err := histogramOf(c.given)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) || got != nil {
					t.Fatalf("error %v, want one with %q", err, c.wrong)
				}
				return
			}
			if err != nil || count != c.given.GetCount() {
				t.Fatalf("%d samples, error %v", count, err)
			}
			if diff := cmp.Diff(&analysis.Histogram{Bounds: c.bounds, Counts: c.counts}, got); diff != "" {
				t.Errorf("histogram (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhateverComesAHistogramIsSound throws arbitrary distributions at the reader.
func TestWhateverComesAHistogramIsSound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		finite, a, b := rapid.Int32Range(-1, 600).Draw(t, "finite"), rapid.Float64().Draw(t, "a"), rapid.Float64().Draw(t, "b")
		options := rapid.SampledFrom([]*distribution.Distribution_BucketOptions{
			nil, {}, linear(finite, a, b), exponential(finite, a, b), explicit(rapid.SliceOfN(rapid.Float64(), 0, 5).Draw(t, "bounds")...),
		}).Draw(t, "options")
		counts := rapid.SliceOfN(rapid.Int64Range(-1, 4), 0, 7).Draw(t, "counts")
		h, n, err := histogramOf(samples(options, rapid.Int64Range(-1, 20).Draw(t, "count"), counts...))
		if err != nil {
			return
		}
		var total int64
		for _, count := range h.Counts {
			total += count
			if count < 0 {
				t.Fatal("a negative count")
			}
		}
		if total != n || len(h.Counts) != len(h.Bounds)+1 || len(h.Counts) > maxBuckets || !slices.IsSorted(h.Bounds) {
			t.Fatalf("%d samples: %+v", n, h)
		}
	})
}
