package monitoring

import (
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// The number of points in a page; the API allows 100,000. Pages of these sizes
// stay far below maxMessage: a number is some 40 bytes, a distribution some 500.
const (
	pageOfNumbers       = 50_000
	pageOfDistributions = 10_000
)

// query is one call of the API and the pages that belong to it.
type query struct {
	metric  metric
	project string
	places  []place
	after   time.Time // exclusive; whole minutes, as is through
	through time.Time
}

// request asks for one value per minute, source and label, summed over
// everything else. The interval excludes its start and includes its end
// (monitoringpb, TimeInterval), and an aligned point is stamped with the end of
// its minute.
func (q query) request() *monitoringpb.ListTimeSeriesRequest {
	size := int32(pageOfNumbers)
	if q.metric.histogram {
		size = pageOfDistributions
	}
	return &monitoringpb.ListTimeSeriesRequest{
		Name:   projectPrefix + q.project,
		Filter: filter(clauses(q.metric, q.project, q.places)),
		Interval: &monitoringpb.TimeInterval{
			StartTime: timestamppb.New(q.after),
			EndTime:   timestamppb.New(q.through),
		},
		Aggregation: &monitoringpb.Aggregation{
			AlignmentPeriod:    durationpb.New(time.Minute),
			PerSeriesAligner:   q.metric.aligner,
			CrossSeriesReducer: monitoringpb.Aggregation_REDUCE_SUM,
			GroupByFields:      q.metric.groupBy(),
		},
		View:     monitoringpb.ListTimeSeriesRequest_FULL,
		PageSize: size,
	}
}
