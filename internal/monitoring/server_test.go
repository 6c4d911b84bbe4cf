package monitoring

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	metricpb "google.golang.org/genproto/googleapis/api/metric"
	monitoredrespb "google.golang.org/genproto/googleapis/api/monitoredres"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// server is a small Cloud Monitoring: it answers what the test says, and
// remembers what it was asked.
type server struct {
	monitoringpb.UnimplementedMetricServiceServer

	list     func(context.Context, *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error)
	describe func(context.Context, *monitoringpb.GetMetricDescriptorRequest) (*metricpb.MetricDescriptor, error)

	mu        sync.Mutex
	lists     []*monitoringpb.ListTimeSeriesRequest
	describes []string
}

func (s *server) ListTimeSeries(
	ctx context.Context, req *monitoringpb.ListTimeSeriesRequest,
) (*monitoringpb.ListTimeSeriesResponse, error) {
	s.mu.Lock()
	s.lists = append(s.lists, req)
	s.mu.Unlock()
	if s.list == nil {
		return &monitoringpb.ListTimeSeriesResponse{}, nil
	}
	return s.list(ctx, req)
}

func (s *server) GetMetricDescriptor(
	ctx context.Context, req *monitoringpb.GetMetricDescriptorRequest,
) (*metricpb.MetricDescriptor, error) {
	s.mu.Lock()
	s.describes = append(s.describes, req.GetName())
	s.mu.Unlock()
	if s.describe == nil {
		return nil, status.Error(codes.NotFound, "no such descriptor")
	}
	return s.describe(ctx, req)
}

// start serves s on this machine and returns a client of it.
func start(tb testing.TB, s monitoringpb.MetricServiceServer, edits ...func(*Options)) *Client {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	served := grpc.NewServer()
	monitoringpb.RegisterMetricServiceServer(served, s)
	go func() { _ = served.Serve(listener) }()
	tb.Cleanup(served.Stop)
	options := Options{Endpoint: "http://" + listener.Addr().String(), UserAgent: "test", Random: func() float64 { return 1 }}
	for _, edit := range edits {
		edit(&options)
	}
	client, err := New(tb.Context(), options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

var (
	noon     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	revision = analysis.Source{Project: "shop", Location: "europe-west1", Service: "web", Revision: "web-2"}
	gateway  = analysis.Source{Project: "net-host", Location: "europe-west1", Router: "edge", Gateway: "nat-1"}
)

// ask builds a question about the last half hour.
func ask(metric analysis.Metric, of analysis.Source) analysis.Question {
	return analysis.Question{
		Series: analysis.Series{Metric: metric, Source: of}, After: noon.Add(-30 * time.Minute), Until: noon,
	}
}

// one asks a single question at noon.
func one(t *testing.T, c *Client, q analysis.Question) analysis.Answer {
	t.Helper()
	answers, err := c.Answer(t.Context(), []analysis.Question{q}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return answers.Of(q.Series)
}

// point is a value at a number of minutes before noon.
func point(before int, value *monitoringpb.TypedValue) *monitoringpb.Point {
	end := timestamppb.New(noon.Add(-time.Duration(before) * time.Minute))
	return &monitoringpb.Point{Interval: &monitoringpb.TimeInterval{StartTime: end, EndTime: end}, Value: value}
}

func integer(n int64) *monitoringpb.TypedValue {
	return &monitoringpb.TypedValue{Value: &monitoringpb.TypedValue_Int64Value{Int64Value: n}}
}

func double(f float64) *monitoringpb.TypedValue {
	return &monitoringpb.TypedValue{Value: &monitoringpb.TypedValue_DoubleValue{DoubleValue: f}}
}

// class is a series of requests of one response code class.
func class(name string, points ...*monitoringpb.Point) *monitoringpb.TimeSeries {
	return &monitoringpb.TimeSeries{
		Metric: &metricpb.Metric{
			Type: "run.googleapis.com/request_count", Labels: map[string]string{"response_code_class": name},
		},
		Resource: resourceOf(revision),
		Points:   points,
	}
}

// resourceOf is the resource of a revision as it comes back from a query.
func resourceOf(of analysis.Source) *monitoredrespb.MonitoredResource {
	return &monitoredrespb.MonitoredResource{Type: "cloud_run_revision", Labels: map[string]string{
		"project_id": of.Project, "location": of.Location, "service_name": of.Service, "revision_name": of.Revision,
	}}
}

// ports is a series of allocated ports of one gateway.
func ports(router, name string, points ...*monitoringpb.Point) *monitoringpb.TimeSeries {
	return &monitoringpb.TimeSeries{
		Metric: &metricpb.Metric{Type: "router.googleapis.com/nat/allocated_ports"},
		Resource: &monitoredrespb.MonitoredResource{
			Type: "nat_gateway", Labels: map[string]string{
				"project_id": "net-host", "region": "europe-west1", "router_id": router, "gateway_name": name,
			},
		},
		Points: points,
	}
}

// always answers every query with the same series.
func always(series ...*monitoringpb.TimeSeries) *server {
	return &server{list: func(context.Context, *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error) {
		return &monitoringpb.ListTimeSeriesResponse{TimeSeries: series}, nil
	}}
}
