package monitoring

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/genproto/googleapis/api/distribution"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// maxBuckets is the most buckets that a histogram may have, the two open ones
// among them. Cloud Run's have fewer than 100.
const maxBuckets = 500

// histogramOf reads a distribution (google.api.Distribution) and returns the
// number of its samples beside it. Nothing is repaired: a distribution whose
// buckets are missing, contradict each other or do not add up is an error.
func histogramOf(d *distribution.Distribution) (*analysis.Histogram, int64, error) {
	if d.GetCount() < 0 {
		return nil, 0, fmt.Errorf("distribution of %d samples", d.GetCount())
	}
	if d.GetBucketOptions().GetOptions() == nil {
		if d.GetCount() > 0 || len(d.GetBucketCounts()) > 0 {
			return nil, 0, errors.New("distribution without buckets")
		}
		return &analysis.Histogram{Counts: []int64{0}}, 0, nil
	}
	bounds, err := boundsOf(d.GetBucketOptions())
	if err != nil {
		return nil, 0, err
	}
	counts, err := countsOf(d, len(bounds)+1)
	if err != nil {
		return nil, 0, err
	}
	return &analysis.Histogram{Bounds: bounds, Counts: counts}, d.GetCount(), nil
}

// boundsOf works out the bounds between the buckets, in ascending order. The
// formulas are those of Distribution.BucketOptions: N finite buckets have N+1
// bounds.
func boundsOf(options *distribution.Distribution_BucketOptions) ([]float64, error) {
	var bounds []float64
	switch o := options.GetOptions().(type) {
	case *distribution.Distribution_BucketOptions_LinearBuckets:
		finite, width, offset := o.LinearBuckets.GetNumFiniteBuckets(), o.LinearBuckets.GetWidth(), o.LinearBuckets.GetOffset()
		bounds = sequence(finite, func(i float64) float64 { return offset + width*i })
	case *distribution.Distribution_BucketOptions_ExponentialBuckets:
		finite, factor, scale := o.ExponentialBuckets.GetNumFiniteBuckets(), o.ExponentialBuckets.GetGrowthFactor(), o.ExponentialBuckets.GetScale()
		bounds = sequence(finite, func(i float64) float64 { return scale * math.Pow(factor, i) })
	case *distribution.Distribution_BucketOptions_ExplicitBuckets:
		bounds = append(bounds, o.ExplicitBuckets.GetBounds()...)
	default:
		return nil, fmt.Errorf("distribution with buckets of an unknown kind, %T", o)
	}
	if len(bounds) == 0 || len(bounds) >= maxBuckets {
		return nil, fmt.Errorf("distribution without buckets, or with more than %d", maxBuckets)
	}
	for i, bound := range bounds {
		if math.IsNaN(bound) || math.IsInf(bound, 0) {
			return nil, errors.New("distribution with a bucket that ends at no number")
		}
		if i > 0 && bound <= bounds[i-1] {
			return nil, errors.New("distribution with buckets that do not ascend")
		}
	}
	return bounds, nil
}

// sequence returns f of 0 to n; nothing for numbers that cannot be meant.
func sequence(n int32, f func(float64) float64) []float64 {
	if n <= 0 || n >= maxBuckets {
		return nil
	}
	bounds := make([]float64, 0, n+1)
	for i := range n + 1 {
		bounds = append(bounds, f(float64(i)))
	}
	return bounds
}

// countsOf returns the samples of each of n buckets. The API leaves out zeros at
// the end.
func countsOf(d *distribution.Distribution, n int) ([]int64, error) {
	given := d.GetBucketCounts()
	if len(given) > n {
		return nil, fmt.Errorf("distribution with %d counts for %d buckets", len(given), n)
	}
	left := d.GetCount()
	for _, count := range given {
		if count < 0 {
			return nil, fmt.Errorf("distribution with a negative count, %d", count)
		}
		if left -= count; left < 0 {
			break
		}
	}
	if left != 0 {
		return nil, fmt.Errorf("distribution whose buckets do not add up to its %d samples", d.GetCount())
	}
	counts := make([]int64, n)
	copy(counts, given)
	return counts, nil
}
