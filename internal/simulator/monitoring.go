package simulator

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/promql"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// QueryTimeSeries asks Cloud Monitoring as of now.
func (a API) QueryTimeSeries(q series.Query) (series.Result, error) {
	w := a.world
	result, err := series.Result{}, error(nil)
	if a.barred("projects/" + q.Project) {
		err = seriesDenied(q.Project)
	} else {
		result, err = w.reporter.store.Query(q, w.now)
	}
	call := &Call{
		Operation: "timeSeries.list", Resource: "projects/" + q.Project, Filter: q.Filter, Start: q.Start, End: q.End,
		Caller: a.caller.Identity, UserAgent: a.caller.UserAgent, Code: 200,
	}
	if err != nil {
		call.Code, call.Message = 0, err.Error()
	}
	w.tell(Event{Kind: EventCall, Call: call})
	return result, err
}

// QueryRange asks the Prometheus endpoint of Cloud Monitoring as of now. A failure of
// the time series is one of it too.
func (a API) QueryRange(ctx context.Context, q promql.Range) (promql.Answer, error) {
	w := a.world
	answer, err := promql.Answer{}, error(nil)
	if a.barred("projects/" + q.Project) {
		err = seriesDenied(q.Project)
	} else {
		answer, err = promql.Evaluate(ctx, now{w}, q)
	}
	call := &Call{
		Operation: "prometheus.query_range", Resource: "projects/" + q.Project, Filter: q.Text, Start: q.Start, End: q.End,
		Caller: a.caller.Identity, UserAgent: a.caller.UserAgent, Code: 200,
	}
	if err != nil {
		call.Code, call.Message = 0, err.Error()
	}
	w.tell(Event{Kind: EventCall, Call: call})
	return answer, err
}

// now is what the store says now.
type now struct{ world *World }

// Query implements promql.Source.
func (n now) Query(q series.Query) (series.Result, error) {
	return n.world.reporter.store.Query(q, n.world.now)
}

// Descriptors implements promql.Source.
func (n now) Descriptors(filter string) ([]series.Descriptor, error) {
	return n.world.reporter.store.Descriptors(filter)
}

// MetricDescriptors asks which metrics there are. It is not logged.
func (a API) MetricDescriptors(filter string) ([]series.Descriptor, error) {
	return a.world.reporter.store.Descriptors(filter)
}

// VisibleFrom is the longest time from the end of a minute until the metric's
// data point for it can be read. It is 0 for an unknown metric.
func (w *World) VisibleFrom(metricType string) time.Duration { return w.reporter.delay[metricType] }

// corruptions are the values that a corrupted point may have, by the words of a
// fault.
var corruptions = map[string]series.Value{
	"none":         {},
	"bool":         series.Bool(true),
	"int64":        series.Int(1),
	"double":       series.Float(0.5),
	"distribution": series.Distributed(series.Distribution{}),
	"nan":          series.Float(math.NaN()),
	"infinite":     series.Float(math.Inf(1)),
	"negative":     series.Int(-1),
}

// forever is longer than any world lasts.
const forever = 100 * 365 * 24 * time.Hour

// inject hands a fault of Monitoring to the store that answers for it.
func (r reporter) inject(f Fault) error {
	switch f.Kind {
	case FaultPartial:
		message := cmp.Or(f.Message, "Some data could not be read; the result may be incomplete.")
		r.store.SetPartialPage(message, f.Page, f.PageSize)
	case FaultUnit:
		r.store.SetUnit(f.Unit)
	case FaultStrange:
		r.store.SetStrange()
	case FaultCorrupt:
		lasts := cmp.Or(time.Duration(f.For), forever)
		return r.store.Corrupt(fmt.Sprintf("metric.type = starts_with(%q)", f.Metric), f.since, f.since.Add(lasts), corruptions[f.Value])
	case FaultError:
		r.fail(f)
	case FaultDrop, FaultDuplicate, FaultPark, FaultStale, FaultStuck, FaultFail, FaultSkew, FaultGap, FaultLate:
	}
	return nil
}

// fail lets queries fail. A refusal for the quota names it, unless the fault has
// words of its own.
func (r reporter) fail(f Fault) {
	times := f.Times
	if times < 0 {
		times = math.MaxInt
	}
	if f.Code == http.StatusTooManyRequests && f.Message == "" {
		r.store.LimitAfter(f.After, times, time.Duration(f.RetryAfter))
		return
	}
	r.store.FailAfter(f.After, times, &series.Error{
		Code: series.Code(statusName(f.Code)), Message: cmp.Or(f.Message, "Internal error encountered."),
		RetryAfter: time.Duration(f.RetryAfter),
	})
}
