package pilot

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// reading is how a metric is asked for.
type reading struct {
	metric  string
	aligner series.Aligner
	group   string
	only    string // a further clause of the filter
}

var readings = map[analysis.Metric]reading{
	analysis.Requests:         {series.RequestCount, series.AlignSum, "response_code_class", ""},
	analysis.NotFound:         {series.RequestCount, series.AlignSum, "", `metric.labels.response_code="404"`},
	analysis.Latencies:        {series.RequestLatencies, series.AlignSum, "", ""},
	analysis.ActiveInstances:  {series.InstanceCount, series.AlignMax, "", `metric.labels.state="active"`},
	analysis.Pending:          {series.PendingRequests, series.AlignMax, "", ""},
	analysis.Instances:        {series.InstanceCount, series.AlignMax, "", ""},
	analysis.DroppedPackets:   {series.DroppedSentPackets, series.AlignSum, "reason", ""},
	analysis.AllocationFailed: {series.AllocationFailed, series.AlignCountTrue, "", ""},
	analysis.AllocatedPorts:   {series.AllocatedPorts, series.AlignMax, "", ""},
	analysis.OpenConnections:  {series.OpenConnections, series.AlignMax, "", ""},
}

// remembered is the newest whole answer to a question.
type remembered struct {
	after  time.Time
	asked  time.Time // by the world's clock
	answer analysis.Answer
}

// Remembering is the same senses with a memory: what was answered in full is
// asked again when a further minute has arrived, as the adapter does.
func (s Senses) Remembering() Senses {
	s.memory, s.claim = map[analysis.Series]remembered{}, &claim{}
	return s
}

// Answer answers a question from the world's Monitoring.
func (s Senses) Answer(q analysis.Question, now time.Time) (analysis.Answer, error) {
	if q.Source.IsQuery() {
		return s.value(q, now)
	}
	how, known := readings[q.Metric]
	if !known {
		return analysis.Answer{}, fmt.Errorf("nobody can say how %s is read", q.Metric)
	}
	through, delay := s.through(how.metric, q, now), s.delays[how.metric]
	if old, ok := s.memory[q.Series]; ok && old.after.Equal(q.After) && old.answer.Through.Equal(through) {
		return old.answer, nil
	}
	answer, err := s.ask(q, how, through)
	answer.Delay = delay
	if s.memory != nil && err == nil && answer.Cause == analysis.CauseNone {
		s.memory[q.Series] = remembered{q.After, s.world.Now(), answer}
	}
	return answer, err
}

// Asked is when each metric type was asked for last, of which anything is remembered: what
// arrived since is not known.
func (s Senses) Asked() map[string]time.Time {
	asked := map[string]time.Time{}
	for of, r := range s.memory {
		if metric := readings[of.Metric].metric; r.asked.After(asked[metric]) {
			asked[metric] = r.asked
		}
	}
	return asked
}

// ask asks Monitoring.
func (s Senses) ask(q analysis.Question, how reading, through time.Time) (analysis.Answer, error) {
	answer := analysis.Answer{Through: through}
	query := series.Query{
		Project: q.Source.Project, Filter: filter(how.metric, q.Source), Start: q.After, End: through,
		Aggregation: series.Aggregation{Period: time.Minute, Aligner: how.aligner, Reducer: "REDUCE_SUM"},
	}
	if how.only != "" {
		query.Filter += " AND " + how.only
	}
	if how.group != "" {
		query.Aggregation.GroupBy = []string{"metric.labels." + how.group}
	}
	if !query.End.After(query.Start) {
		return answer, nil
	}
	result, err := s.query(query)
	if err != nil {
		return answer, err
	}
	answer.Cause, answer.Detail = result.cause, result.detail
	for _, line := range result.Series {
		answer.Points = slices.Grow(answer.Points, len(line.Points))
		for _, p := range slices.Backward(line.Points) { // newest first
			answer.Points = append(answer.Points, analysis.Point{
				End: p.End, Label: line.Labels[how.group], Value: p.Value.Int64(), Histogram: histogram(p.Value),
			})
		}
	}
	slices.SortStableFunc(answer.Points, func(a, c analysis.Point) int { return a.End.Compare(c.End) })
	if q.Source.IsGateway() {
		answer.Names, err = s.gatewayNames(q, through)
	}
	return answer, err
}

// histogram reads a distribution, nil from a value that is none.
func histogram(v series.Value) *analysis.Histogram {
	if v.Type() != series.TypeDistribution {
		return nil
	}
	h := &analysis.Histogram{Counts: make([]int64, series.BucketsFinite+2)}
	for i := range series.BucketsFinite + 1 {
		h.Bounds = append(h.Bounds, series.BucketScale*math.Pow(series.BucketGrowth, float64(i)))
	}
	copy(h.Counts, v.Distribution().Buckets())
	return h
}

// through is the newest minute that is certain to have arrived.
func (s Senses) through(metric string, q analysis.Question, now time.Time) time.Time {
	through := now.Add(-s.delays[metric]).Truncate(time.Minute)
	if through.After(q.Until) {
		return q.Until
	}
	return through
}

// found is a result of Monitoring, and why it is not whole.
type found struct {
	series.Result
	cause  analysis.Cause
	detail string
}

// query asks Monitoring. A refusal is an answer; an error is a mistake in here.
func (s Senses) query(q series.Query) (found, error) {
	result, err := s.api.QueryTimeSeries(q)
	var refused *series.Error
	switch {
	case errors.As(err, &refused):
		return found{result, causes[refused.Code], refused.Message}, nil
	case err != nil:
		return found{}, fmt.Errorf("asking for %s: %w", q.Filter, err)
	case len(result.ExecutionErrors) > 0:
		return found{result, analysis.CausePartial, ""}, nil
	}
	return found{Result: result}, nil
}

var causes = map[series.Code]analysis.Cause{
	"PERMISSION_DENIED":  analysis.CauseDenied,
	"RESOURCE_EXHAUSTED": analysis.CauseThrottled,
	"UNAVAILABLE":        analysis.CauseUnavailable,
	"INTERNAL":           analysis.CauseUnavailable,
	"INVALID_ARGUMENT":   analysis.CauseInvalid,
}

func filter(metric string, of analysis.Source) string {
	text := "metric.type=" + strconv.Quote(metric)
	if !of.IsGateway() {
		return text + ` AND resource.type="cloud_run_revision" AND resource.labels.location=` + strconv.Quote(of.Location) +
			" AND resource.labels.service_name=" + strconv.Quote(of.Service) + " AND resource.labels.revision_name=" + strconv.Quote(of.Revision)
	}
	text += ` AND resource.type="nat_gateway" AND resource.labels.region=` + strconv.Quote(of.Location)
	if of.Gateway != "*" {
		text += " AND resource.labels.gateway_name=" + strconv.Quote(of.Gateway)
	}
	return text
}

// gatewayNames lists the gateways that do report where one was looked for.
func (s Senses) gatewayNames(q analysis.Question, through time.Time) ([]string, error) {
	everyone := q.Source
	everyone.Gateway = "*"
	result, err := s.query(series.Query{
		Project: q.Source.Project, Filter: filter(series.AllocatedPorts, everyone), Start: q.After, End: through,
	})
	names := map[string]bool{}
	for _, line := range result.Series {
		names[line.Resource["gateway_name"]] = true
	}
	return slices.Sorted(maps.Keys(names)), err
}
