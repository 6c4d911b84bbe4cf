package promql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// reach is how far back counters are added up: as long as the world keeps points.
const reach = 6 * 7 * 24 * time.Hour

// metricName is the label that has the name of the metric.
const metricName = "__name__"

// monitoredResource is the label that has the type of the resource.
const monitoredResource = "monitored_resource"

// store shows the series of a project to the engine. It keeps the source's own error.
type store struct {
	source  Source
	project string
	err     error
}

// Querier implements storage.Queryable.
func (s *store) Querier(_, most int64) (storage.Querier, error) {
	return &querier{store: s, until: time.UnixMilli(most).UTC()}, nil
}

// querier shows them up to a time.
type querier struct {
	store *store
	until time.Time
}

// Close implements storage.Querier.
func (q *querier) Close() error { return nil }

// LabelValues implements storage.Querier. The engine does not ask.
func (q *querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.New("label values are not simulated")
}

// LabelNames implements storage.Querier. The engine does not ask.
func (q *querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.New("label names are not simulated")
}

// Select implements storage.Querier.
func (q *querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	found, warnings, err := q.selected(matchers)
	if err != nil {
		q.store.err = cmp.Or(q.store.err, err)
		return storage.ErrSeriesSet(err)
	}
	slices.SortFunc(found, func(a, b *storage.SeriesEntry) int { return labels.Compare(a.Labels(), b.Labels()) })
	return &set{entries: found, at: -1, warnings: warnings}
}

func (q *querier) selected(matchers []*labels.Matcher) ([]*storage.SeriesEntry, annotations.Annotations, error) {
	name, err := named(matchers)
	if err != nil {
		return nil, nil, err
	}
	known, err := q.store.source.Descriptors("")
	if err != nil {
		return nil, nil, err
	}
	metric, part, ok := find(known, name)
	if !ok {
		return nil, nil, nil
	}
	if len(metric.ResourceTypes) > 1 && !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return m.Name == monitoredResource }) {
		return nil, nil, fmt.Errorf("%w: metric %s has several monitored resources: write monitored_resource in the selector", ErrInvalid, name)
	}
	all, warnings, err := q.read(metric.Type)
	if err != nil {
		return nil, nil, err
	}
	var found []*storage.SeriesEntry
	for _, one := range all {
		for _, l := range lines(one, part) {
			l.labels[metricName] = name
			set := labels.FromMap(l.labels)
			if matches(matchers, set) {
				found = append(found, storage.NewListSeries(set, l.samples))
			}
		}
	}
	return found, warnings, nil
}

// named is the name that a selector asks for.
func named(matchers []*labels.Matcher) (string, error) {
	for _, m := range matchers {
		if m.Name == metricName && m.Type == labels.MatchEqual {
			return m.Value, nil
		}
	}
	return "", fmt.Errorf("%w: a selector needs the exact name of a metric", ErrInvalid)
}

func matches(matchers []*labels.Matcher, set labels.Labels) bool {
	for _, m := range matchers {
		if !m.Matches(set.Get(m.Name)) {
			return false
		}
	}
	return true
}

// read is what is visible now of a metric's points.
func (q *querier) read(metricType string) ([]series.Series, annotations.Annotations, error) {
	var all []series.Series
	var warnings annotations.Annotations
	ask := series.Query{
		Project: q.store.project, Filter: fmt.Sprintf("metric.type = %q", metricType), Start: q.until.Add(-reach), End: q.until,
	}
	for {
		page, err := q.store.source.Query(ask)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range page.ExecutionErrors {
			warnings.Add(fmt.Errorf("%w: %s", annotations.PromQLWarning, e.Message))
		}
		all = append(all, page.Series...)
		if ask.PageToken = page.NextPageToken; ask.PageToken == "" {
			return all, warnings, nil
		}
	}
}

// set are series in order.
type set struct {
	entries  []*storage.SeriesEntry
	at       int
	warnings annotations.Annotations
}

// Next implements storage.SeriesSet.
func (s *set) Next() bool {
	s.at++
	return s.at < len(s.entries)
}

// At implements storage.SeriesSet.
func (s *set) At() storage.Series { return s.entries[s.at] }

// Err implements storage.SeriesSet.
func (s *set) Err() error { return nil }

// Warnings implements storage.SeriesSet.
func (s *set) Warnings() annotations.Annotations { return s.warnings }

// sample is a number at a time.
type sample struct {
	at    int64
	value float64
}

var _ chunks.Sample = sample{}

// T implements chunks.Sample.
func (s sample) T() int64 { return s.at }

// ST implements chunks.Sample.
func (s sample) ST() int64 { return 0 }

// F implements chunks.Sample.
func (s sample) F() float64 { return s.value }

// H implements chunks.Sample.
func (s sample) H() *histogram.Histogram { return nil }

// FH implements chunks.Sample.
func (s sample) FH() *histogram.FloatHistogram { return nil }

// Type implements chunks.Sample.
func (s sample) Type() chunkenc.ValueType { return chunkenc.ValFloat }

// Copy implements chunks.Sample.
func (s sample) Copy() chunks.Sample { return s }
