package monitoring

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// notAUnit is what the API answers when series of different units were mixed.
const notAUnit = "{not_a_unit}"

// maxNames bounds the gateways that are listed beside the one asked for.
const maxNames = 20

// collector gathers the pages of one query into an answer.
type collector struct {
	query   query
	points  map[pointKey]analysis.Point
	routers map[string]bool // that have a gateway of the name asked for
	names   map[string]bool // of other gateways
	cause   analysis.Cause
	detail  string
}

type pointKey struct {
	end   int64 // Unix seconds
	label string
}

func newCollector(q query) *collector {
	return &collector{
		query: q, points: map[pointKey]analysis.Point{}, routers: map[string]bool{}, names: map[string]bool{},
	}
}

// complain keeps the first cause: what came after it may be its consequence.
func (c *collector) complain(cause analysis.Cause, detail string) {
	if c.cause == analysis.CauseNone {
		c.cause, c.detail = cause, clean(detail)
	}
}

// page takes one page in. What is usable in it is kept whatever else is wrong,
// because a breach counts even in partial data.
func (c *collector) page(response *monitoringpb.ListTimeSeriesResponse) {
	if unit := response.GetUnit(); unit == notAUnit {
		c.complain(analysis.CauseWrongType, "series of different units")
	}
	for _, status := range response.GetExecutionErrors() {
		c.complain(analysis.CausePartial, status.GetMessage())
	}
	if raw := response.ProtoReflect().GetUnknown(); len(raw) > 0 {
		// The REST API lists unreachable places in a field that this client's
		// protocol does not have yet; so what is not known is taken for it.
		field, _, _ := protowire.ConsumeField(raw)
		c.complain(analysis.CausePartial, fmt.Sprintf("answer with a field that is not known here, number %d", field))
	}
	for _, series := range response.GetTimeSeries() {
		c.series(series)
	}
}

func (c *collector) series(series *monitoringpb.TimeSeries) {
	m := c.query.metric
	if name := series.GetMetric().GetType(); name != "" && name != m.name {
		c.complain(analysis.CauseWrongType, fmt.Sprintf("answer about metric %q", clean(name)))
		return
	}
	resource := series.GetResource().GetLabels()
	if m.siblings && resource[keyGateway] != c.query.series.Source.Gateway {
		if name := clean(resource[keyGateway]); name != "" {
			c.names[name] = true
		}
		return
	}
	if m.resource == resourceGateway {
		c.routers[resource[keyRouter]] = true
	}
	label := clean(series.GetMetric().GetLabels()[m.label])
	if m.needed && label == "" {
		c.complain(analysis.CauseWrongType, "series without "+m.label)
	}
	for _, point := range series.GetPoints() {
		if err := c.point(point, label); err != nil {
			c.complain(analysis.CauseWrongType, err.Error())
		}
	}
}

// point takes a point in, or says why not.
func (c *collector) point(point *monitoringpb.Point, label string) error {
	stamp := point.GetInterval().GetEndTime()
	if !stamp.IsValid() {
		return errors.New("point without a time")
	}
	end := stamp.AsTime()
	if !end.Equal(end.Truncate(time.Minute)) {
		return fmt.Errorf("point within a minute, at %s", end.Format(time.RFC3339Nano))
	}
	if !end.After(c.query.after) || end.After(c.query.through) {
		return fmt.Errorf("point outside the interval asked for, at %s", end.Format(time.RFC3339))
	}
	value, err := c.query.metric.valueOf(point.GetValue())
	if err != nil {
		return err
	}
	value.End, value.Label = end, label
	key := pointKey{end.Unix(), label}
	before, twice := c.points[key]
	if !twice || before.Value < value.Value {
		c.points[key] = value
	}
	if twice && !reflect.DeepEqual(before, value) {
		return fmt.Errorf("two values for one minute, %d and %d", before.Value, value.Value)
	}
	return nil
}

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

// answer ends the collection. Points of two gateways of one name say nothing
// about either, so none are given.
func (c *collector) answer() analysis.Answer {
	answer := analysis.Answer{Through: c.query.through, Cause: c.cause, Detail: c.detail, Names: c.others()}
	if len(c.routers) > 1 {
		answer.Cause = analysis.CauseAmbiguous
		answer.Detail = fmt.Sprintf("%d routers have a gateway of this name", len(c.routers))
		return answer
	}
	answer.Points = slices.AppendSeq(answer.Points, maps.Values(c.points))
	slices.SortFunc(answer.Points, func(a, b analysis.Point) int {
		return cmp.Or(a.End.Compare(b.End), cmp.Compare(a.Label, b.Label))
	})
	return answer
}

func (c *collector) others() []string {
	names := slices.Sorted(maps.Keys(c.names))
	return names[:min(len(names), maxNames)]
}
