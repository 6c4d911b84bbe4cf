package simulator

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// QueryTimeSeries asks Cloud Monitoring as of now.
func (a API) QueryTimeSeries(q series.Query) (series.Result, error) {
	w := a.world
	result, err := w.reporter.store.Query(q, w.now)
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

// MetricDescriptors asks which metrics there are. It is not logged.
func (a API) MetricDescriptors(filter string) ([]series.Descriptor, error) {
	return a.world.reporter.store.Descriptors(filter)
}

// VisibleFrom is the longest time from the end of a minute until the metric's
// data point for it can be read. It is 0 for an unknown metric.
func (w *World) VisibleFrom(metricType string) time.Duration { return w.reporter.delay[metricType] }
