package promql

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/tsdb/chunks"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// The parts of a distribution.
const (
	partCount  = "_count"
	partSum    = "_sum"
	partBucket = "_bucket"
)

// find finds the metric of a name, and which part of a distribution it asks for.
func find(known []series.Descriptor, name string) (metric series.Descriptor, part string, ok bool) {
	for _, d := range known {
		parts := []string{""}
		if d.ValueType == series.TypeDistribution {
			parts = []string{partCount, partSum, partBucket}
		}
		for _, part := range parts {
			if name == mapped(d.Type)+part || name == d.Type+part {
				return d, part, true
			}
		}
	}
	return series.Descriptor{}, "", false
}

// mapped is a metric's name in PromQL.
func mapped(metricType string) string {
	domain, path, _ := strings.Cut(metricType, "/")
	plain := func(r rune) rune {
		if r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '_'
	}
	return strings.Map(plain, domain) + ":" + strings.Map(plain, path)
}

// line is a series as PromQL sees it.
type line struct {
	labels  map[string]string
	samples []chunks.Sample
}

// lines makes them of a series whose points come newest first.
func lines(s series.Series, part string) []line {
	if part == partBucket {
		return buckets(s)
	}
	value := series.Value.Float64
	switch {
	case part == partCount:
		value = func(v series.Value) float64 { return float64(v.Distribution().Count()) }
	case part == partSum:
		value = func(v series.Value) float64 { return v.Distribution().Mean() * float64(v.Distribution().Count()) }
	case s.ValueType == series.TypeBool:
		value = func(v series.Value) float64 { return float64(v.Int64()) }
	}
	return []line{{labelsOf(s), samples(s, value)}}
}

// buckets are the lines of a histogram: how many are at most of a size.
func buckets(s series.Series) []line {
	var all []line
	for i, bound := range append(series.Bounds(), 0) {
		le := strconv.FormatFloat(bound, 'g', -1, 64)
		if i > series.BucketsFinite {
			le = "+Inf"
		}
		l := line{labels: labelsOf(s)}
		l.labels["le"] = le
		l.samples = samples(s, func(v series.Value) float64 {
			counts := v.Distribution().Buckets()
			var below int64
			for _, n := range counts[:min(i+1, len(counts))] {
				below += n
			}
			return float64(below)
		})
		all = append(all, l)
	}
	return all
}

func labelsOf(s series.Series) map[string]string {
	all := maps.Clone(s.Resource)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, s.Labels)
	all[monitoredResource] = s.ResourceType
	return all
}

// samples are the values of a gauge, or the sums of a counter, which is zero where its
// first minute begins.
func samples(s series.Series, value func(series.Value) float64) []chunks.Sample {
	list := make([]chunks.Sample, 0, len(s.Points)+1)
	sum := 0.0
	for i, p := range slices.Backward(s.Points) {
		if s.Kind != series.Delta {
			list = append(list, sample{p.End.UnixMilli(), value(p.Value)})
			continue
		}
		if i == len(s.Points)-1 {
			list = append(list, sample{p.Start.UnixMilli(), 0})
		}
		sum += value(p.Value)
		list = append(list, sample{p.End.UnixMilli(), sum})
	}
	return list
}
