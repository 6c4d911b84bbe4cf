package wire_test

import (
	"net/http"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/distribution"
	"google.golang.org/genproto/googleapis/api/metric"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

const latenciesOfWeb = `metric.type = "run.googleapis.com/request_latencies" AND resource.type = "cloud_run_revision"` +
	` AND resource.labels.service_name = "web"`

// latencyMetrics is a store with a minute of two codes.
func latencyMetrics() *frozenMetrics {
	store := series.NewStore()
	for code, sizes := range map[string][]float64{"200": {1.5, 1.5, 3}, "500": {0.5}} {
		var d series.Distribution
		for _, size := range sizes {
			d.Add(size, 1)
		}
		store.Record(series.Point{
			Type: series.RequestLatencies, ResourceType: series.ResourceRevision,
			Resource: map[string]string{"project_id": "shop", "service_name": "web", "revision_name": "web-1", "location": "europe-west1"},
			Labels:   map[string]string{"response_code": code, "response_code_class": code[:1] + "xx"},
			Start:    metricMinute(0), End: metricMinute(1), Value: series.Distributed(d),
		})
	}
	return &frozenMetrics{store: store, now: metricMinute(9)}
}

func TestTheRealClientReadsDistributions(t *testing.T) {
	t.Parallel()
	request := listSeries(latenciesOfWeb, alignedEvery(time.Minute, monitoringpb.Aggregation_ALIGN_SUM, monitoringpb.Aggregation_REDUCE_SUM))
	found, err := allSeries(serveMetrics(t, latencyMetrics()).ListTimeSeries(t.Context(), request))
	if err != nil || len(found) != 1 || len(found[0].GetPoints()) != 1 {
		t.Fatalf("got %v, %v", found, err)
	}
	if s := found[0]; s.GetMetricKind() != metric.MetricDescriptor_DELTA || s.GetValueType() != metric.MetricDescriptor_DISTRIBUTION || s.GetUnit() != "ms" {
		t.Errorf("got a %v of %v in %q", s.GetMetricKind(), s.GetValueType(), s.GetUnit())
	}
	want := &distribution.Distribution{
		Count: 4, Mean: 1.625, SumOfSquaredDeviation: 3.1875,
		BucketOptions: &distribution.Distribution_BucketOptions{
			Options: &distribution.Distribution_BucketOptions_ExponentialBuckets{
				ExponentialBuckets: &distribution.Distribution_BucketOptions_Exponential{NumFiniteBuckets: 66, GrowthFactor: 1.4, Scale: 1},
			},
		},
		// Below 1 ms, from 1 to 1.4, to 1.96, to 2.744, to 3.8416; the zeros after it are left out.
		BucketCounts: []int64{1, 0, 2, 0, 1},
	}
	if diff := cmp.Diff(want, found[0].GetPoints()[0].GetValue().GetDistributionValue(), protocmp.Transform()); diff != "" {
		t.Errorf("distribution (-want +got):\n%s", diff)
	}
}

func TestTheWorldServesLatenciesAndQueues(t *testing.T) {
	t.Parallel()
	d := newDirect(t)
	var made struct{ Revision string }
	d.do(http.MethodPost, "/deploy", `{"service": "checkout", "image": "us-docker.pkg.dev/shop/web/checkout:3",
	  "behaviour": {"latency": "300ms", "latencySpread": 0.4, "pending": [{"requests": 12, "from": "1m"}],
	    "errors": [{"percent": 10, "code": 404}]}}`, &made)
	d.do(http.MethodPost, "/time", `{"advance": "10s"}`, nil)
	d.do(http.MethodPost, "/traffic", `{"service": "checkout", "traffic": [{"revision": "#3", "percent": 100}]}`, nil)
	d.do(http.MethodPost, "/time", `{"advance": "20m"}`, nil)
	client := serveMetrics(t, wire.Metrics(d.guard))
	read := func(filter string, a *monitoringpb.Aggregation) []*monitoringpb.TimeSeries {
		t.Helper()
		req := listSeries(filter, a)
		req.Name = "projects/shop-prod"
		req.Interval.StartTime.Seconds = recorded.Add(5 * time.Minute).Unix()
		req.Interval.EndTime.Seconds = recorded.Add(15 * time.Minute).Unix()
		found, err := allSeries(client.ListTimeSeries(t.Context(), req))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %d series, %v", filter, len(found), err)
		}
		return found
	}
	ofRevision := ` AND resource.type="cloud_run_revision" AND resource.labels.revision_name="` + made.Revision + `"`
	sums := alignedEvery(10*time.Minute, monitoringpb.Aggregation_ALIGN_SUM, monitoringpb.Aggregation_REDUCE_SUM)
	notFound := ` AND metric.labels.response_code="404"`
	count := read(`metric.type="run.googleapis.com/request_count"`+ofRevision+notFound, sums)[0].GetPoints()[0].GetValue().GetInt64Value()
	took := read(`metric.type="run.googleapis.com/request_latencies"`+ofRevision+notFound, sums)[0].GetPoints()[0].GetValue().GetDistributionValue()
	if count == 0 || took.GetCount() != count || len(took.GetBucketCounts()) > 68 {
		t.Errorf("%d requests were not found, %d latencies in %d buckets", count, took.GetCount(), len(took.GetBucketCounts()))
	}
	queue := read(`metric.type="run.googleapis.com/pending_queue/pending_requests"`+ofRevision,
		alignedEvery(time.Minute, monitoringpb.Aggregation_ALIGN_MAX, monitoringpb.Aggregation_REDUCE_SUM))
	if got := queue[0].GetPoints()[0].GetValue().GetInt64Value(); got != 12 {
		t.Errorf("%d requests wait, want 12", got)
	}
}
