package series

import (
	"fmt"
	"math"
	"slices"
)

// The layout of every distribution: exponential buckets. Bucket 0 holds what is
// below BucketScale, bucket i from 1 to BucketsFinite what lies in
// [scale*growth^(i-1), scale*growth^i), the last one the rest
// [google.api.Distribution.BucketOptions.Exponential]. That Cloud Run's latencies
// have these numbers is unverified.
const (
	BucketsFinite = 66
	BucketGrowth  = 1.4
	BucketScale   = 1.0
)

// bucketBounds separate the buckets, in ascending order.
var bucketBounds = func() []float64 {
	bounds := make([]float64, BucketsFinite+1)
	for i := range bounds {
		bounds[i] = BucketScale * math.Pow(BucketGrowth, float64(i))
	}
	return bounds
}()

// Distribution counts samples by their size, as google.api.Distribution does. Its
// zero value has none.
type Distribution struct {
	count   int64
	mean    float64
	squares float64 // the sum of the squared deviations from the mean
	buckets []int64 // up to the last one that is not empty
}

// Add counts n samples of one size.
func (d *Distribution) Add(size float64, n int64) {
	if n <= 0 {
		return
	}
	at, exact := slices.BinarySearch(bucketBounds, size)
	if exact {
		at++
	}
	d.reach(at + 1)
	d.buckets[at] += n
	d.join(n, size, 0)
}

// Merge adds the samples of another distribution.
func (d *Distribution) Merge(o Distribution) {
	if o.count == 0 {
		return
	}
	d.reach(len(o.buckets))
	for i, n := range o.buckets {
		d.buckets[i] += n
	}
	d.join(o.count, o.mean, o.squares)
}

// reach makes room for that many buckets.
func (d *Distribution) reach(buckets int) {
	if missing := buckets - len(d.buckets); missing > 0 {
		d.buckets = append(d.buckets, make([]int64, missing)...)
	}
}

// join joins counts, means and squared deviations [Chan, Golub, LeVeque 1979].
func (d *Distribution) join(count int64, mean, squares float64) {
	mine, others := float64(d.count), float64(count)
	apart := mean - d.mean
	d.squares += squares + apart*apart*mine*others/(mine+others)
	d.mean += apart * others / (mine + others)
	d.count += count
}

// Count is how many samples there are.
func (d Distribution) Count() int64 { return d.count }

// Mean is the mean of the samples, 0 where there are none.
func (d Distribution) Mean() float64 { return d.mean }

// SquaredDeviation is the sum of the squared deviations from the mean.
func (d Distribution) SquaredDeviation() float64 { return d.squares }

// Buckets are the samples of each bucket, without the zeros at the end.
func (d Distribution) Buckets() []int64 { return slices.Clone(d.buckets) }

func (d Distribution) equal(o Distribution) bool {
	return d.count == o.count && d.mean == o.mean && d.squares == o.squares && slices.Equal(d.buckets, o.buckets)
}

func (d Distribution) String() string {
	first := slices.IndexFunc(d.buckets, func(n int64) bool { return n > 0 })
	return fmt.Sprintf("%d around %.4g in %d:%v", d.count, d.mean, first, d.buckets[max(0, first):])
}

// Bounds separate the buckets, in ascending order.
func Bounds() []float64 { return slices.Clone(bucketBounds) }
