package analysis

import (
	"cmp"
	"math"
	"slices"
)

// bucket is a range of sizes, [low, high), with the number of samples in it.
type bucket struct {
	low, high float64 // high is infinite in the last bucket
	count     int64
}

// buckets lists the ranges that have samples; none where counts and bounds do
// not fit together. Sizes are not negative.
func (h *Histogram) buckets() []bucket {
	if h == nil || len(h.Counts) != len(h.Bounds)+1 {
		return nil
	}
	var list []bucket
	for i, count := range h.Counts {
		b := bucket{high: math.Inf(1), count: count}
		if i > 0 {
			b.low = max(0, h.Bounds[i-1])
		}
		if i < len(h.Bounds) {
			b.high = h.Bounds[i]
		}
		if count > 0 {
			list = append(list, b)
		}
	}
	return list
}

// above counts the samples of at least a size: those that surely are, and the
// best estimate, which spreads the samples of a bucket evenly over it.
func (h *Histogram) above(size float64) (sure int64, likely float64) {
	for _, b := range h.buckets() {
		switch {
		case b.low >= size:
			sure += b.count
			likely += float64(b.count)
		case math.IsInf(b.high, 1): // nothing says where in it they are
			likely += float64(b.count)
		case b.high > size:
			likely += float64(b.count) * (b.high - size) / (b.high - b.low)
		}
	}
	return sure, likely
}

// samples is the number of samples.
func (h *Histogram) samples() int64 {
	var n int64
	for _, b := range h.buckets() {
		n += b.count
	}
	return n
}

// quantile estimates the size below which a part q (0..1) of all samples lies,
// as if they were spread evenly in their buckets. In the last bucket, which has
// no end, it is where that begins.
func quantile(of []*Histogram, q float64) float64 {
	counts := map[[2]float64]int64{}
	var total int64
	for _, h := range of {
		for _, b := range h.buckets() {
			counts[[2]float64{b.low, b.high}] += b.count
			total += b.count
		}
	}
	merged := make([]bucket, 0, len(counts))
	for ends, count := range counts {
		merged = append(merged, bucket{ends[0], ends[1], count})
	}
	slices.SortFunc(merged, func(a, b bucket) int { return cmp.Or(cmp.Compare(a.low, b.low), cmp.Compare(a.high, b.high)) })
	left := q * float64(total)
	for _, b := range merged {
		if left > float64(b.count) {
			left -= float64(b.count)
			continue
		}
		if math.IsInf(b.high, 1) {
			return b.low
		}
		return b.low + (b.high-b.low)*left/float64(b.count)
	}
	return 0
}
