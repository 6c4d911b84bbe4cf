package series

import (
	"cmp"
	"slices"
)

// sample is a point without its series. Times are nanoseconds since 1970.
type sample struct {
	start, end, visible int64
	value               Value
}

// track is one series: samples in order of end, then of visibility.
type track struct {
	id      identity
	key     string
	samples []sample
}

// insert keeps the order. Nearly all samples come in order and are appended.
func (t *track) insert(next sample) {
	n := len(t.samples)
	if n == 0 || compareSamples(t.samples[n-1], next) <= 0 {
		t.samples = append(t.samples, next)
		return
	}
	at, _ := slices.BinarySearchFunc(t.samples, next, func(have, want sample) int {
		if compareSamples(have, want) <= 0 {
			return -1
		}
		return 1
	})
	t.samples = slices.Insert(t.samples, at, next)
}

func compareSamples(a, b sample) int {
	return cmp.Or(cmp.Compare(a.end, b.end), cmp.Compare(a.visible, b.visible))
}

// after is the index of the first sample that ends later than the moment.
func (t *track) after(moment int64) int {
	at, _ := slices.BinarySearchFunc(t.samples, moment, func(have sample, m int64) int {
		if have.end <= m {
			return -1
		}
		return 1
	})
	return at
}

// read returns the samples with an end in the span that are visible now and not
// hidden, oldest first, one per end.
func (t *track) read(within span, now int64, hidden []span) []sample {
	from, to := t.after(within.from), t.after(within.to)
	if from >= to {
		return nil
	}
	seen := make([]sample, 0, to-from)
	for _, candidate := range t.samples[from:to] {
		if candidate.visible > now || anyHolds(hidden, candidate.end) {
			continue
		}
		if n := len(seen); n > 0 && seen[n-1].end == candidate.end {
			seen[n-1] = candidate
			continue
		}
		seen = append(seen, candidate)
	}
	return seen
}

func (t *track) forget(before int64) {
	if at := t.after(before); at > 0 {
		t.samples = slices.Clone(t.samples[at:])
	}
}

// span is the half-open interval (from, to] that reads use [monpb TimeInterval].
type span struct{ from, to int64 }

func (s span) holds(moment int64) bool { return s.from < moment && moment <= s.to }

func anyHolds(spans []span, moment int64) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return s.holds(moment) })
}
