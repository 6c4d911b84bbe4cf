package stories_test

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// observe reads what a decision depends on, as the adapters do.
func (b *teller) observe() (rollout.Input, error) {
	defer b.drain()
	in := rollout.Input{
		Plan: b.plan, Progress: b.saved, Request: b.request, Now: b.world.CallerNow().Truncate(time.Second),
		Revisions: map[string]rollout.Revision{}, Answers: analysis.Answers{},
	}
	var err error
	if in.Service, err = b.readService(); err != nil {
		return in, err
	}
	if in.Service.Presence == rollout.Found {
		in.Service.Skew = b.world.Skew()
	}
	for _, name := range rollout.Involved(in.Plan, in.Progress, in.Service, in.Request) {
		if in.Revisions[name], err = b.readRevision(name); err != nil {
			return in, err
		}
	}
	for _, q := range rollout.Questions(in) {
		in.Answers[q.Series] = b.measure(q, in.Now)
	}
	return in, nil
}

func (b *teller) readService() (rollout.Service, error) {
	answer, err := b.api.GetService(webName)
	if presence, detail, ok := absence(err); ok {
		return rollout.Service{Presence: presence, Detail: detail}, nil
	}
	if err != nil {
		return rollout.Service{}, err
	}
	svc := rollout.Service{
		Presence: rollout.Found, UID: answer.UID, Generation: answer.Generation, ObservedGeneration: answer.ObservedGeneration,
		ETag: answer.Etag, Reconciling: answer.Reconciling,
		LatestReady: short(answer.LatestReadyRevision), LatestCreated: short(answer.LatestCreatedRevision),
	}
	if c := answer.TerminalCondition; c != nil && c.State == simulator.ConditionFailed {
		svc.Failure = strings.TrimPrefix(cmp.Or(c.Reason, c.RevisionReason)+": "+c.Message, ": ")
	}
	for _, t := range answer.Traffic {
		svc.Desired = append(svc.Desired, entry(t.Type, t.Revision, t.Percent, t.Tag))
	}
	for _, t := range answer.TrafficStatuses {
		svc.Effective = append(svc.Effective, entry(t.Type, t.Revision, t.Percent, t.Tag))
	}
	return svc, nil
}

func entry(kind, revision string, percent int, tag string) rollout.Entry {
	return rollout.Entry{Latest: kind == simulator.AllocateLatest, Revision: revision, Percent: int64(percent), Tag: tag}
}

func (b *teller) readRevision(name string) (rollout.Revision, error) {
	answer, err := b.api.GetRevision(webName + "/revisions/" + name)
	if presence, _, ok := absence(err); ok {
		return rollout.Revision{Presence: presence, Name: name, Readiness: rollout.Pending}, nil
	}
	if err != nil {
		return rollout.Revision{Presence: rollout.Unknown, Name: name, Readiness: rollout.Pending, Why: err.Error()}, nil //nolint:nilerr // that it cannot be read is a fact about the revision
	}
	r := rollout.Revision{
		Presence: rollout.Found, Name: name, CreatedAt: answer.CreateTime.Time, Readiness: rollout.Pending,
		Egress: egress(answer.VPCAccess), Image: answer.Containers[0].Image,
	}
	if r.Timeout, err = time.ParseDuration(answer.Timeout); err != nil {
		return r, fmt.Errorf("timeout %q: %w", answer.Timeout, err)
	}
	for _, c := range answer.Conditions {
		switch {
		case c.Type == "Ready" && c.State == simulator.ConditionSucceeded:
			r.Readiness = rollout.Ready
		case c.Type == "Ready" && c.State == simulator.ConditionFailed:
			r.Readiness, r.Why = rollout.NotReady, c.RevisionReason
		}
	}
	return r, nil
}

// absence tells what is not there from what could not be read.
func absence(err error) (rollout.Presence, string, bool) {
	var refused *simulator.APIError
	switch {
	case !errors.As(err, &refused):
		return "", "", false
	case refused.Code == 404:
		return rollout.Missing, refused.Message, true
	case refused.Code == 403:
		return rollout.Denied, refused.Message, true
	}
	return "", "", false
}

func egress(access *simulator.VPCAccess) rollout.Egress {
	switch {
	case access == nil:
		return rollout.EgressNone
	case access.Egress == "ALL_TRAFFIC":
		return rollout.EgressAll
	}
	return rollout.EgressPrivate
}

func short(name string) string { return name[strings.LastIndex(name, "/")+1:] }

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

// measure answers a question from the world's Monitoring.
func (b *teller) measure(q analysis.Question, now time.Time) analysis.Answer {
	how := readings[q.Metric]
	answer := analysis.Answer{Through: b.through(how.metric, q, now)}
	query := series.Query{
		Project: q.Source.Project, Filter: filter(how.metric, q.Source), Start: q.After, End: answer.Through,
		Aggregation: series.Aggregation{Period: time.Minute, Aligner: how.aligner, Reducer: "REDUCE_SUM"},
	}
	if how.only != "" {
		query.Filter += " AND " + how.only
	}
	if how.group != "" {
		query.Aggregation.GroupBy = []string{"metric.labels." + how.group}
	}
	if !query.End.After(query.Start) {
		return answer
	}
	result, cause, detail := b.query(query)
	answer.Cause, answer.Detail = cause, detail
	for _, s := range result.Series {
		for _, p := range s.Points {
			answer.Points = append(answer.Points, analysis.Point{
				End: p.End, Label: s.Labels[how.group], Value: p.Value.Int64(), Histogram: histogram(p.Value),
			})
		}
	}
	slices.SortStableFunc(answer.Points, func(a, c analysis.Point) int { return a.End.Compare(c.End) })
	if q.Source.IsGateway() {
		answer.Names = b.gatewayNames(q, answer.Through)
	}
	return answer
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
func (b *teller) through(metric string, q analysis.Question, now time.Time) time.Time {
	known, err := b.world.Series().Descriptors("")
	if err != nil {
		b.t.Fatal(err)
	}
	i := slices.IndexFunc(known, func(d series.Descriptor) bool { return d.Type == metric })
	through := now.Add(-known[i].IngestDelay).Truncate(time.Minute)
	if through.After(q.Until) {
		return q.Until
	}
	return through
}

func (b *teller) query(q series.Query) (series.Result, analysis.Cause, string) {
	result, err := b.api.QueryTimeSeries(q)
	var refused *series.Error
	switch {
	case errors.As(err, &refused):
		return result, causes[refused.Code], refused.Message
	case err != nil:
		b.t.Fatalf("query %s: %v", q.Filter, err)
	case len(result.ExecutionErrors) > 0:
		return result, analysis.CausePartial, ""
	}
	return result, analysis.CauseNone, ""
}

var causes = map[series.Code]analysis.Cause{
	"PERMISSION_DENIED":  analysis.CauseDenied,
	"RESOURCE_EXHAUSTED": analysis.CauseThrottled,
	"UNAVAILABLE":        analysis.CauseUnavailable,
	"INTERNAL":           analysis.CauseUnavailable,
	"INVALID_ARGUMENT":   analysis.CauseInvalid,
}

func filter(metric string, of analysis.Source) string {
	text := fmt.Sprintf("metric.type=%q", metric)
	if of.IsGateway() {
		text += fmt.Sprintf(` AND resource.type="nat_gateway" AND resource.labels.region=%q`, of.Location)
		if of.Gateway != "*" {
			text += fmt.Sprintf(" AND resource.labels.gateway_name=%q", of.Gateway)
		}
		return text
	}
	return text + fmt.Sprintf(` AND resource.type="cloud_run_revision" AND resource.labels.location=%q`+
		` AND resource.labels.service_name=%q AND resource.labels.revision_name=%q`, of.Location, of.Service, of.Revision)
}

// gatewayNames lists the gateways that do report where one was looked for.
func (b *teller) gatewayNames(q analysis.Question, through time.Time) []string {
	everyone := q.Source
	everyone.Gateway = "*"
	result, _, _ := b.query(series.Query{
		Project: q.Source.Project, Filter: filter(series.AllocatedPorts, everyone), Start: q.After, End: through,
	})
	var names []string
	for _, s := range result.Series {
		names = append(names, s.Resource["gateway_name"])
	}
	slices.Sort(names)
	return slices.Compact(names)
}
