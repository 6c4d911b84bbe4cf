package monitoring

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/google"
)

// strand is what came of one source: a revision, or a gateway of one router.
type strand struct {
	points []analysis.Point // sorted and without duplicates after finish
	faults []fault
}

// fault is something in a strand that cannot be used, and the minute that it
// spoils; the zero time is every minute.
type fault struct {
	at   time.Time
	text string
}

func (s *strand) complain(at time.Time, text string) {
	s.faults = append(s.faults, fault{at, google.Clean(text)})
}

// take takes a point in, or notes what is wrong with it.
func (s *strand) take(h *haul, point *monitoringpb.Point, label string) {
	end, err := endOf(h.query, point)
	if err != nil {
		s.complain(time.Time{}, err.Error())
		return
	}
	value, err := h.query.metric.valueOf(point.GetValue())
	if err != nil {
		s.complain(end, err.Error())
		return
	}
	if value.Value > mostPerMinute {
		s.complain(end, fmt.Sprintf("%d in a minute, which cannot be", value.Value))
		return
	}
	value.End, value.Label = end, label
	if value.Histogram != nil {
		value.Histogram.Bounds = h.pool.shared(value.Histogram.Bounds)
	}
	s.points = append(s.points, value)
}

// endOf reads the end of a point's minute.
func endOf(q query, point *monitoringpb.Point) (time.Time, error) {
	stamp := point.GetInterval().GetEndTime()
	if !stamp.IsValid() {
		return time.Time{}, errors.New("point without a time")
	}
	end := stamp.AsTime()
	if !end.Equal(end.Truncate(time.Minute)) {
		return time.Time{}, fmt.Errorf("point within a minute, at %s", end.Format(time.RFC3339Nano))
	}
	if !end.After(q.after) || end.After(q.through) {
		return time.Time{}, fmt.Errorf("point outside the interval asked for, at %s", end.Format(time.RFC3339))
	}
	return end, nil
}

// mostPerMinute is the largest number that is believed of a minute. The sums of as
// many minutes and labels as an answer can have stay far below what an int64 holds.
const mostPerMinute = 1 << 40

// valueOf reads a value of the type that the metric has, and no other.
func (m metric) valueOf(v *monitoringpb.TypedValue) (analysis.Point, error) {
	switch value := v.GetValue().(type) {
	case *monitoringpb.TypedValue_Int64Value:
		if m.histogram {
			break
		}
		if value.Int64Value < 0 {
			return analysis.Point{}, fmt.Errorf("negative value %d", value.Int64Value)
		}
		return analysis.Point{Value: value.Int64Value}, nil
	case *monitoringpb.TypedValue_DistributionValue:
		if !m.histogram {
			break
		}
		histogram, samples, err := histogramOf(value.DistributionValue)
		return analysis.Point{Value: samples, Histogram: histogram}, err
	}
	return analysis.Point{}, fmt.Errorf("value of an unexpected type, %T", v.GetValue())
}

// finish sorts the points, oldest first, and leaves one per minute and label.
// Of two that differ the larger is kept, and neither is believed.
func (s *strand) finish() {
	slices.SortStableFunc(s.points, func(a, b analysis.Point) int {
		return cmp.Or(a.End.Compare(b.End), cmp.Compare(a.Label, b.Label))
	})
	kept := s.points[:0]
	for _, p := range s.points {
		last := len(kept) - 1
		if last < 0 || !kept[last].End.Equal(p.End) || kept[last].Label != p.Label {
			kept = append(kept, p)
			continue
		}
		if reflect.DeepEqual(kept[last], p) {
			continue
		}
		s.complain(p.End, fmt.Sprintf("two values for one minute, %d and %d", kept[last].Value, p.Value))
		if kept[last].Value < p.Value {
			kept[last] = p
		}
	}
	s.points = kept
}

// between returns the points of (after, through].
func (s *strand) between(after, through time.Time) []analysis.Point {
	byEnd := func(p analysis.Point, t time.Time) int {
		if p.End.After(t) {
			return 1
		}
		return -1
	}
	from, _ := slices.BinarySearchFunc(s.points, after, byEnd)
	to, _ := slices.BinarySearchFunc(s.points, through, byEnd)
	return s.points[from:max(from, to)]
}

// fault returns the first thing that is wrong in (after, through].
func (s *strand) fault(after, through time.Time) string {
	for _, f := range s.faults {
		if f.at.IsZero() || f.at.After(after) && !f.at.After(through) {
			return f.text
		}
	}
	return ""
}

// reports tells whether the strand has anything in (after, through]. One without
// points at all is there all the same.
func (s *strand) reports(after, through time.Time) bool {
	return len(s.points) == 0 || len(s.between(after, through)) > 0 || s.fault(after, through) != ""
}
