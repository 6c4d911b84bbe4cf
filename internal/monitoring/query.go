package monitoring

import (
	"fmt"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// pageSize is the number of points in a page; a day of minutes in five classes
// is 7200.
const pageSize = 10_000

// query is one question, ready to be asked.
type query struct {
	series analysis.Series
	metric metric
	after  time.Time // exclusive; whole minutes, as is through
	// through is the end of the interval: the newest minute that is both certain
	// to have arrived and asked for.
	through time.Time
}

// empty tells that no minute asked for is certain yet.
func (q query) empty() bool { return !q.through.After(q.after) }

// request asks for one value per minute and label, summed over everything else.
// The interval excludes its start and includes its end (monitoringpb,
// TimeInterval), and an aligned point is stamped with the end of its minute.
func (q query) request() (*monitoringpb.ListTimeSeriesRequest, error) {
	text, err := filter(clauses(q.metric, q.series.Source))
	if err != nil {
		return nil, fmt.Errorf("building the filter for %s: %w", q.series.Metric, err)
	}
	return &monitoringpb.ListTimeSeriesRequest{
		Name:   "projects/" + q.series.Source.Project,
		Filter: text,
		Interval: &monitoringpb.TimeInterval{
			StartTime: timestamppb.New(q.after),
			EndTime:   timestamppb.New(q.through),
		},
		Aggregation: &monitoringpb.Aggregation{
			AlignmentPeriod:    durationpb.New(time.Minute),
			PerSeriesAligner:   q.metric.aligner,
			CrossSeriesReducer: monitoringpb.Aggregation_REDUCE_SUM,
			GroupByFields:      q.metric.groupBy,
		},
		View:     monitoringpb.ListTimeSeriesRequest_FULL,
		PageSize: pageSize,
	}, nil
}

// merge leaves one question per series: the one that covers them all. The order
// of first appearance is kept.
func merge(questions []analysis.Question) []analysis.Question {
	var merged []analysis.Question
	at := map[analysis.Series]int{}
	for _, q := range questions {
		i, known := at[q.Series]
		if !known {
			at[q.Series] = len(merged)
			merged = append(merged, q)
			continue
		}
		if q.After.Before(merged[i].After) {
			merged[i].After = q.After
		}
		if q.Until.After(merged[i].Until) {
			merged[i].Until = q.Until
		}
	}
	return merged
}
