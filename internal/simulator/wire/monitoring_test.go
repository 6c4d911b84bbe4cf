package wire_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	monitoringapi "cloud.google.com/go/monitoring/apiv3/v2"
	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"github.com/google/go-cmp/cmp"
	"github.com/googleapis/gax-go/v2/apierror"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

var metricNoon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func metricMinute(n int) time.Time { return metricNoon.Add(time.Duration(n) * time.Minute) }

// frozenMetrics is a source whose time stands still.
type frozenMetrics struct {
	mu    sync.Mutex
	store *series.Store
	now   time.Time
}

func (f *frozenMetrics) Query(q series.Query) (series.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.store.Query(q, f.now)
}

func (f *frozenMetrics) Descriptors(filter string) ([]series.Descriptor, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.store.Descriptors(filter)
}

// serveMetrics puts a source behind the real server and the real client, with a wire of
// memory between them.
func serveMetrics(t *testing.T, source wire.Source) *monitoringapi.MetricClient {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	monitoringpb.RegisterMetricServiceServer(server, wire.NewMonitoring(source))
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	conn, err := grpc.NewClient("passthrough:///memory",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	client, err := monitoringapi.NewMetricClient(t.Context(), option.WithGRPCConn(conn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Errorf("closing the client: %v", err)
		}
	})
	return client
}

// shopMetrics is a store with ten minutes of two revisions and a gateway.
func shopMetrics() *frozenMetrics {
	store := series.NewStore()
	for n := 1; n <= 10; n++ {
		for revision, perClass := range map[string]map[string]int64{
			"web-1": {"2xx": 100}, "web-2": {"2xx": 9, "5xx": 1},
		} {
			for class, count := range perClass {
				store.Record(series.Point{
					Type: series.RequestCount, ResourceType: series.ResourceRevision,
					Resource: map[string]string{
						"project_id": "shop", "service_name": "web", "revision_name": revision,
						"location": "europe-west1", "configuration_name": "web",
					},
					Labels: map[string]string{"response_code_class": class, "response_code": class[:1] + "00"},
					Start:  metricMinute(n - 1), End: metricMinute(n), VisibleAt: metricMinute(n + 2), Value: series.Int(count),
				})
			}
		}
		store.Record(series.Point{
			Type: series.AllocationFailed, ResourceType: series.ResourceGateway,
			Resource: map[string]string{"project_id": "shop", "region": "europe-west1", "router_id": "7", "gateway_name": "out"},
			End:      metricMinute(n), VisibleAt: metricMinute(n + 2), Value: series.Bool(n == 4),
		})
	}
	return &frozenMetrics{store: store, now: metricMinute(9)}
}

func listSeries(filter string, aggregation *monitoringpb.Aggregation) *monitoringpb.ListTimeSeriesRequest {
	return &monitoringpb.ListTimeSeriesRequest{
		Name: "projects/shop", Filter: filter, Aggregation: aggregation,
		Interval: &monitoringpb.TimeInterval{StartTime: timestamppb.New(metricMinute(0)), EndTime: timestamppb.New(metricMinute(10))},
	}
}

const requestsOfWeb2 = `metric.type = "run.googleapis.com/request_count" AND resource.type = "cloud_run_revision"` +
	` AND resource.labels.service_name = "web" AND resource.labels.revision_name = "web-2"`

func alignedEvery(period time.Duration, aligner monitoringpb.Aggregation_Aligner, reducer monitoringpb.Aggregation_Reducer, by ...string) *monitoringpb.Aggregation {
	return &monitoringpb.Aggregation{
		AlignmentPeriod: durationpb.New(period), PerSeriesAligner: aligner, CrossSeriesReducer: reducer, GroupByFields: by,
	}
}

func allSeries(it *monitoringapi.TimeSeriesIterator) ([]*monitoringpb.TimeSeries, error) {
	var found []*monitoringpb.TimeSeries
	for {
		ts, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return found, nil
		}
		if err != nil {
			return found, err
		}
		found = append(found, ts)
	}
}

func toldSeries(found []*monitoringpb.TimeSeries) []string {
	var lines []string
	for _, ts := range found {
		line := []string{fmt.Sprint(ts.GetResource().GetType(), " ", ts.GetMetric().GetLabels(), " ", ts.GetMetricKind(), " ", ts.GetValueType())}
		for _, p := range ts.GetPoints() {
			line = append(line, fmt.Sprint(int(p.GetInterval().GetEndTime().AsTime().Sub(metricNoon)/time.Minute), ":", plainValue(p.GetValue())))
		}
		lines = append(lines, strings.Join(line, " "))
	}
	return lines
}

func plainValue(v *monitoringpb.TypedValue) any {
	switch v := v.GetValue().(type) {
	case *monitoringpb.TypedValue_BoolValue:
		return v.BoolValue
	case *monitoringpb.TypedValue_Int64Value:
		return v.Int64Value
	case *monitoringpb.TypedValue_DoubleValue:
		return v.DoubleValue
	}
	return "nothing"
}

func TestTheRealClientReadsTimeSeries(t *testing.T) {
	t.Parallel()
	const allocation = `metric.type = "router.googleapis.com/nat/nat_allocation_failed"`
	headers := listSeries(requestsOfWeb2, nil)
	headers.View = monitoringpb.ListTimeSeriesRequest_HEADERS
	cases := map[string]struct {
		request *monitoringpb.ListTimeSeriesRequest
		want    []string
	}{
		"requests by class, as many minutes as are visible": {
			request: listSeries(requestsOfWeb2, alignedEvery(time.Minute, monitoringpb.Aggregation_ALIGN_SUM, monitoringpb.Aggregation_REDUCE_SUM, "metric.label.response_code_class")),
			want: []string{
				"cloud_run_revision map[response_code_class:2xx] DELTA INT64 7:9 6:9 5:9 4:9 3:9 2:9 1:9",
				"cloud_run_revision map[response_code_class:5xx] DELTA INT64 7:1 6:1 5:1 4:1 3:1 2:1 1:1",
			},
		},
		"requests in one number": {
			request: listSeries(requestsOfWeb2, alignedEvery(10*time.Minute, monitoringpb.Aggregation_ALIGN_SUM, monitoringpb.Aggregation_REDUCE_SUM)),
			want:    []string{"cloud_run_revision map[] DELTA INT64 10:70"},
		},
		"raw booleans": {
			request: listSeries(allocation, nil),
			want:    []string{"nat_gateway map[] GAUGE BOOL 7:false 6:false 5:false 4:true 3:false 2:false 1:false"},
		},
		"counted booleans": {
			request: listSeries(allocation, alignedEvery(5*time.Minute, monitoringpb.Aggregation_ALIGN_COUNT_TRUE, monitoringpb.Aggregation_REDUCE_NONE)),
			want:    []string{"nat_gateway map[] GAUGE INT64 10:0 5:1"},
		},
		"the share of booleans": {
			request: listSeries(allocation, alignedEvery(5*time.Minute, monitoringpb.Aggregation_ALIGN_FRACTION_TRUE, monitoringpb.Aggregation_REDUCE_NONE)),
			want:    []string{"nat_gateway map[] GAUGE DOUBLE 10:0 5:0.2"},
		},
		"headers only": {
			request: headers,
			want: []string{
				"cloud_run_revision map[response_code:200 response_code_class:2xx] DELTA INT64",
				"cloud_run_revision map[response_code:500 response_code_class:5xx] DELTA INT64",
			},
		},
		"nothing for a metric without points": {
			request: listSeries(`metric.type = "router.googleapis.com/nat/dropped_sent_packets_count"`, nil),
		},
	}
	client := serveMetrics(t, shopMetrics())
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := allSeries(client.ListTimeSeries(t.Context(), tc.request))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, toldSeries(found)); diff != "" {
				t.Errorf("time series (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheRealClientFollowsPages(t *testing.T) {
	t.Parallel()
	client := serveMetrics(t, shopMetrics())
	request := listSeries(requestsOfWeb2, nil)
	request.PageSize = 4
	it := client.ListTimeSeries(t.Context(), request)
	found, err := allSeries(it)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"cloud_run_revision map[response_code:200 response_code_class:2xx] DELTA INT64 7:9 6:9 5:9 4:9",
		"cloud_run_revision map[response_code:200 response_code_class:2xx] DELTA INT64 3:9 2:9 1:9",
		"cloud_run_revision map[response_code:500 response_code_class:5xx] DELTA INT64 7:1",
		"cloud_run_revision map[response_code:500 response_code_class:5xx] DELTA INT64 6:1 5:1 4:1 3:1",
		"cloud_run_revision map[response_code:500 response_code_class:5xx] DELTA INT64 2:1 1:1",
	}
	if diff := cmp.Diff(want, toldSeries(found)); diff != "" {
		t.Errorf("a series that spans pages comes in parts (-want +got):\n%s", diff)
	}
}

func TestErrorsArriveAsStatus(t *testing.T) {
	t.Parallel()
	withOrder := listSeries(requestsOfWeb2, nil)
	withOrder.OrderBy = "timestamp"
	withSecond := listSeries(requestsOfWeb2, alignedEvery(time.Minute, monitoringpb.Aggregation_ALIGN_SUM, monitoringpb.Aggregation_REDUCE_SUM))
	withSecond.SecondaryAggregation = withSecond.GetAggregation()
	folder := listSeries(requestsOfWeb2, nil)
	folder.Name = "folders/1"
	cases := map[string]struct {
		fault       *series.Error
		request     *monitoringpb.ListTimeSeriesRequest
		want        codes.Code
		wantReason  string
		wantMessage string
	}{
		"a quota names its reason and its limit": {
			fault: series.RateLimited("shop"), request: listSeries(requestsOfWeb2, nil),
			want: codes.ResourceExhausted, wantReason: "RATE_LIMIT_EXCEEDED",
			wantMessage: "Quota exceeded for quota metric 'Time series queries' and limit 'Time series queries per minute'" +
				" of service 'monitoring.googleapis.com' for consumer 'project:shop'.",
		},
		"a denial stays a denial": {
			fault: &series.Error{Code: series.PermissionDenied, Message: "no"}, request: listSeries(requestsOfWeb2, nil),
			want: codes.PermissionDenied, wantMessage: "no",
		},
		"an unknown code stays visible": {
			fault: &series.Error{Code: "ODD", Message: "odd"}, request: listSeries(requestsOfWeb2, nil),
			want: codes.Unknown, wantMessage: "odd",
		},
		"a boolean cannot be summed": {
			request: listSeries(`metric.type = "router.googleapis.com/nat/nat_allocation_failed"`,
				alignedEvery(time.Minute, monitoringpb.Aggregation_ALIGN_SUM, monitoringpb.Aggregation_REDUCE_NONE)),
			want: codes.InvalidArgument,
			wantMessage: `Field aggregation.perSeriesAligner had an invalid value of "ALIGN_SUM":` +
				` The aligner cannot be applied to metrics with kind GAUGE and value type BOOL.`,
		},
		"an aligner of the future is refused": {
			request: listSeries(requestsOfWeb2, alignedEvery(time.Minute, 99, monitoringpb.Aggregation_REDUCE_NONE)), want: codes.InvalidArgument,
			wantMessage: `Field aggregation.perSeriesAligner had an invalid value of "99": The aligner is unknown or not supported here.`,
		},
		"an order must be left blank": {
			request: withOrder, want: codes.InvalidArgument, wantMessage: "Field orderBy is unsupported: it must be left blank.",
		},
		"a second aggregation is not simulated": {
			request: withSecond, want: codes.Unimplemented, wantMessage: "secondaryAggregation is not simulated.",
		},
		"a folder is not simulated": {
			request: folder, want: codes.InvalidArgument, wantMessage: `Name "folders/1" must have the form projects/PROJECT_ID.`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := shopMetrics()
			source.store.FailNext(1, tc.fault)
			_, err := allSeries(serveMetrics(t, source).ListTimeSeries(t.Context(), tc.request))
			var refused *apierror.APIError
			if !errors.As(err, &refused) {
				t.Fatalf("got %v, want an API error", err)
			}
			got := []any{refused.GRPCStatus().Code(), refused.Reason(), refused.GRPCStatus().Message()}
			if diff := cmp.Diff([]any{tc.want, tc.wantReason, tc.wantMessage}, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if limit := refused.Metadata()["quota_limit_value"]; tc.wantReason != "" && limit != "6000" {
				t.Errorf("quota_limit_value is %q", limit)
			}
		})
	}
}

func TestUnavailableIsRetriedByTheClient(t *testing.T) {
	t.Parallel()
	source := shopMetrics()
	source.store.FailNext(1, &series.Error{Code: series.Unavailable, Message: "try again"})
	found, err := allSeries(serveMetrics(t, source).ListTimeSeries(t.Context(), listSeries(requestsOfWeb2, nil)))
	if err != nil || len(found) != 2 {
		t.Errorf("got %d series and %v", len(found), err)
	}
}

func TestAPartialAnswerSaysSo(t *testing.T) {
	t.Parallel()
	source := shopMetrics()
	source.store.SetPartial("one of the cells did not answer")
	it := serveMetrics(t, source).ListTimeSeries(t.Context(), listSeries(requestsOfWeb2, nil))
	if _, err := it.Next(); err != nil {
		t.Fatal(err)
	}
	resp, ok := it.Response.(*monitoringpb.ListTimeSeriesResponse)
	if !ok {
		t.Fatalf("response is %T", it.Response)
	}
	got := resp.GetExecutionErrors()
	if len(got) != 1 || got[0].GetMessage() != "one of the cells did not answer" || codes.Code(got[0].GetCode()) != codes.DeadlineExceeded {
		t.Errorf("execution errors: %v", got)
	}
}

func TestTheRealClientReadsDescriptors(t *testing.T) {
	t.Parallel()
	client := serveMetrics(t, shopMetrics())
	it := client.ListMetricDescriptors(t.Context(), &monitoringpb.ListMetricDescriptorsRequest{
		Name: "projects/shop", Filter: `metric.type = starts_with("router.googleapis.com/nat/")`, PageSize: 2,
	})
	var got []string
	for {
		d, err := it.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(d.GetType(), " ", d.GetMetricKind(), " ", d.GetValueType(), " ", d.GetUnit(), " ",
			d.GetMetadata().GetSamplePeriod().AsDuration(), " ", d.GetMetadata().GetIngestDelay().AsDuration()))
	}
	want := []string{
		"router.googleapis.com/nat/allocated_ports GAUGE INT64 {port} 1m0s 3m45s",
		"router.googleapis.com/nat/dropped_sent_packets_count DELTA INT64 {packet} 1m0s 3m45s",
		"router.googleapis.com/nat/nat_allocation_failed GAUGE BOOL  1m0s 2m0s",
		"router.googleapis.com/nat/new_connections_count DELTA INT64 {connection} 1m0s 3m45s",
		"router.googleapis.com/nat/open_connections GAUGE INT64 {connection} 1m0s 3m45s",
		"router.googleapis.com/nat/port_usage GAUGE INT64 {connection} 1m0s 3m45s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("descriptors (-want +got):\n%s", diff)
	}
}

func TestOneDescriptor(t *testing.T) {
	t.Parallel()
	client := serveMetrics(t, shopMetrics())
	cases := map[string]struct {
		name string
		want codes.Code
	}{
		"is found by its name":     {"projects/shop/metricDescriptors/run.googleapis.com/request_count", codes.OK},
		"is missing when unknown":  {"projects/shop/metricDescriptors/run.googleapis.com/typo", codes.NotFound},
		"needs a whole name":       {"projects/shop", codes.InvalidArgument},
		"needs a project, no less": {"shop/metricDescriptors/run.googleapis.com/request_count", codes.InvalidArgument},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := client.GetMetricDescriptor(t.Context(), &monitoringpb.GetMetricDescriptorRequest{Name: tc.name})
			if status.Code(err) != tc.want {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			if err == nil && d.GetName() != tc.name {
				t.Errorf("got %q", d.GetName())
			}
		})
	}
}
