package series

import (
	"math"
	"slices"
)

// Aligner brings the points of one series to common moments.
type Aligner string

// Aligners that the store models, named as in the API.
const (
	AlignNone         Aligner = "ALIGN_NONE"
	AlignDelta        Aligner = "ALIGN_DELTA"
	AlignRate         Aligner = "ALIGN_RATE"
	AlignInterpolate  Aligner = "ALIGN_INTERPOLATE"
	AlignNextOlder    Aligner = "ALIGN_NEXT_OLDER"
	AlignMin          Aligner = "ALIGN_MIN"
	AlignMax          Aligner = "ALIGN_MAX"
	AlignMean         Aligner = "ALIGN_MEAN"
	AlignCount        Aligner = "ALIGN_COUNT"
	AlignSum          Aligner = "ALIGN_SUM"
	AlignCountTrue    Aligner = "ALIGN_COUNT_TRUE"
	AlignCountFalse   Aligner = "ALIGN_COUNT_FALSE"
	AlignFractionTrue Aligner = "ALIGN_FRACTION_TRUE"
)

// alignment is what an aligner accepts, does and yields. The zero alignment is
// ALIGN_NONE.
type alignment struct {
	kinds  []Kind
	types  []ValueType
	kind   Kind      // of the result; empty means as the input
	result ValueType // unspecified means as the input
	unit   string    // of the result; empty means as the input
	run    func(w window, in []sample) []sample
}

var (
	gauges  = []Kind{Gauge}
	deltas  = []Kind{Delta}
	either  = []Kind{Gauge, Delta}
	numbers = []ValueType{TypeInt64, TypeDouble}
	bools   = []ValueType{TypeBool}
	anyType = []ValueType{TypeInt64, TypeDouble, TypeBool}
	sizes   = []ValueType{TypeInt64, TypeDouble, TypeDistribution}
)

// alignments restate the comments of Aggregation_Aligner [monpb common.pb.go].
// The kind of a result is documented for DELTA and RATE only.
var alignments = map[Aligner]alignment{
	AlignDelta:        {kinds: deltas, types: numbers, kind: Delta, run: filled(folded(sum))},
	AlignRate:         {kinds: deltas, types: numbers, kind: Gauge, result: TypeDouble, unit: "/s", run: perSecond(filled(folded(sum)))},
	AlignInterpolate:  {kinds: gauges, types: numbers, kind: Gauge, run: atBoundaries},
	AlignNextOlder:    {kinds: gauges, types: anyType, kind: Gauge, run: folded(last)},
	AlignMin:          {kinds: either, types: numbers, kind: Gauge, run: folded(least)},
	AlignMax:          {kinds: either, types: numbers, kind: Gauge, run: folded(greatest)},
	AlignMean:         {kinds: either, types: numbers, kind: Gauge, result: TypeDouble, run: folded(mean)},
	AlignCount:        {kinds: either, types: anyType, kind: Gauge, result: TypeInt64, unit: "1", run: folded(count)},
	AlignSum:          {kinds: either, types: sizes, run: folded(sum)},
	AlignCountTrue:    {kinds: gauges, types: bools, kind: Gauge, result: TypeInt64, unit: "1", run: folded(countTrue)},
	AlignCountFalse:   {kinds: gauges, types: bools, kind: Gauge, result: TypeInt64, unit: "1", run: folded(countFalse)},
	AlignFractionTrue: {kinds: gauges, types: bools, kind: Gauge, result: TypeDouble, unit: "10^2.%", run: folded(fractionTrue)},
}

func alignmentFor(name Aligner, d Descriptor) (alignment, error) {
	a, ok := alignments[name]
	if !ok {
		return alignment{}, invalidField("aggregation.perSeriesAligner", string(name),
			"The aligner is unknown or not supported here.")
	}
	if !slices.Contains(a.kinds, d.Kind) || !slices.Contains(a.types, d.ValueType) {
		// The text is quoted in googleapis/google-api-go-client #294.
		return alignment{}, invalidField("aggregation.perSeriesAligner", string(name),
			"The aligner cannot be applied to metrics with kind "+string(d.Kind)+" and value type "+d.ValueType.String()+".")
	}
	return a, nil
}

func (a alignment) kindOf(d Descriptor) Kind {
	if a.kind == "" {
		return d.Kind
	}
	return a.kind
}

func (a alignment) typeOf(d Descriptor) ValueType {
	if a.result == TypeUnspecified {
		return d.ValueType
	}
	return a.result
}

func (a alignment) unitOf(unit string) string {
	switch a.unit {
	case "":
		return unit
	case "/s":
		return unit + a.unit
	}
	return a.unit
}

// window is the interval of a query cut into alignment periods.
type window struct {
	span
	period    int64
	fromEpoch bool
}

// endOf is the end of the period that the moment belongs to. It is not inside
// the window when that period is not over within the interval.
func (w window) endOf(moment int64) (end int64, inside bool) {
	if w.fromEpoch {
		end = moment + floorMod(-moment, w.period)
		return end, end <= w.to
	}
	return w.to - (w.to-moment)/w.period*w.period, true
}

func floorMod(a, b int64) int64 { return ((a % b) + b) % b }

// folded makes one point of each period that has points, and none of others.
func folded(fold func([]sample) Value) func(window, []sample) []sample {
	return func(w window, in []sample) []sample {
		out := make([]sample, 0, len(in)) // of minutes, which most periods are, one of each
		for from := 0; from < len(in); {
			end, inside := w.endOf(in[from].end)
			to := from + 1
			for to < len(in) && in[to].end <= end {
				to++
			}
			if inside {
				out = append(out, sample{end: end, value: fold(in[from:to])})
			}
			from = to
		}
		return out
	}
}

// filled invents a point for each period without data between two that have
// some: "the aligned value for such a period is created by interpolation". That
// it is drawn straight between the neighbours' values, rounded for INT64, is ours.
func filled(align func(window, []sample) []sample) func(window, []sample) []sample {
	return func(w window, in []sample) []sample {
		known := align(w, in)
		var out []sample
		for i, next := range known {
			if i > 0 {
				out = append(out, between(known[i-1], next, w.period)...)
			}
			out = append(out, next)
		}
		return out
	}
}

// between draws a straight line from a to b, with a point each period.
func between(a, b sample, period int64) []sample {
	var out []sample
	for end := a.end + period; end < b.end; end += period {
		out = append(out, sample{end: end, value: valueAt(a, b, end)})
	}
	return out
}

func valueAt(a, b sample, moment int64) Value {
	share := float64(moment-a.end) / float64(b.end-a.end)
	from, to := a.value.Float64(), b.value.Float64()
	return a.value.like(from + share*(to-from))
}

func perSecond(align func(window, []sample) []sample) func(window, []sample) []sample {
	return func(w window, in []sample) []sample {
		out := align(w, in)
		for i := range out {
			out[i].value = Float(out[i].value.Float64() / (float64(w.period) / 1e9))
		}
		return out
	}
}

// atBoundaries reads the line through the points at the end of each period.
func atBoundaries(w window, in []sample) []sample {
	var out []sample
	for i, next := range in {
		end, inside := w.endOf(next.end)
		if inside && end == next.end {
			out = append(out, sample{end: end, value: next.value})
		}
		if i+1 == len(in) {
			break
		}
		if end == next.end {
			end += w.period
		}
		for ; end < in[i+1].end && end <= w.to; end += w.period {
			out = append(out, sample{end: end, value: valueAt(next, in[i+1], end)})
		}
	}
	return out
}

func last(in []sample) Value  { return in[len(in)-1].value }
func count(in []sample) Value { return Int(int64(len(in))) }

func sum(in []sample) Value {
	switch in[0].value.Type() {
	case TypeInt64:
		var total int64
		for _, s := range in {
			total += s.value.Int64()
		}
		return Int(total)
	case TypeDistribution:
		var all Distribution
		for _, s := range in {
			all.Merge(s.value.Distribution())
		}
		return Distributed(all)
	case TypeUnspecified, TypeBool, TypeDouble:
	}
	total := 0.0
	for _, s := range in {
		total += s.value.Float64()
	}
	return Float(total)
}

func mean(in []sample) Value { return Float(sum(in).Float64() / float64(len(in))) }

func least(in []sample) Value {
	return extreme(in, func(a, b float64) bool { return a < b })
}

func greatest(in []sample) Value {
	return extreme(in, func(a, b float64) bool { return a > b })
}

// extreme prefers NaN, as a maximum that hides one would be a lie.
func extreme(in []sample, better func(a, b float64) bool) Value {
	best := in[0].value
	for _, s := range in[1:] {
		if v := s.value.Float64(); better(v, best.Float64()) || math.IsNaN(v) {
			best = s.value
		}
	}
	return best
}

func trues(in []sample) int64 {
	var n int64
	for _, s := range in {
		if s.value.Bool() {
			n++
		}
	}
	return n
}

func countTrue(in []sample) Value    { return Int(trues(in)) }
func countFalse(in []sample) Value   { return Int(int64(len(in)) - trues(in)) }
func fractionTrue(in []sample) Value { return Float(float64(trues(in)) / float64(len(in))) }
