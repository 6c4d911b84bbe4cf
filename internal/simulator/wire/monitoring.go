package wire

import (
	"context"
	"strings"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/genproto/googleapis/api/metric"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// Source answers with the world's data at the world's time. Implementations must
// be safe for concurrent use, as gRPC calls them from many goroutines. An error
// may be a [series.Error], or carry a gRPC status, which is passed on as it is.
type Source interface {
	Query(q series.Query) (series.Result, error)
	Descriptors(filter string) ([]series.Descriptor, error)
}

// personal is a Source that answers each caller for itself.
type personal interface {
	As(ctx context.Context) (Source, error)
}

// monitoring is the part of the MetricService that a reader of metrics needs.
// All other methods answer UNIMPLEMENTED.
type monitoring struct {
	monitoringpb.UnimplementedMetricServiceServer
	source Source
}

// NewMonitoring puts the gRPC surface of Cloud Monitoring before a source.
func NewMonitoring(source Source) monitoringpb.MetricServiceServer {
	return &monitoring{source: source}
}

// ListTimeSeries implements monitoringpb.MetricServiceServer.
func (m *monitoring) ListTimeSeries(ctx context.Context, req *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error) {
	q, err := queryOf(req)
	if err != nil {
		return nil, err
	}
	source := m.source
	if each, ok := source.(personal); ok {
		if source, err = each.As(ctx); err != nil {
			return nil, err
		}
	}
	result, err := source.Query(q)
	if err != nil {
		return nil, statusOf(err)
	}
	resp := &monitoringpb.ListTimeSeriesResponse{NextPageToken: result.NextPageToken, Unit: result.Unit}
	for _, s := range result.Series {
		resp.TimeSeries = append(resp.TimeSeries, timeSeriesOf(s))
	}
	if result.Strange {
		makeStrange(resp)
		for _, ts := range resp.GetTimeSeries() {
			makeStrange(ts)
		}
	}
	for _, e := range result.ExecutionErrors {
		resp.ExecutionErrors = append(resp.ExecutionErrors, &statuspb.Status{Code: int32(codeOf(e.Code)), Message: e.Message}) //nolint:gosec // codes are small numbers
	}
	return resp, nil
}

// queryOf refuses what is not modelled, rather than to ignore it.
func queryOf(req *monitoringpb.ListTimeSeriesRequest) (series.Query, error) {
	project, err := projectOf(req.GetName())
	if err != nil {
		return series.Query{}, err
	}
	switch {
	case req.GetOrderBy() != "":
		return series.Query{}, status.Error(codes.InvalidArgument, "Field orderBy is unsupported: it must be left blank.")
	case req.GetSecondaryAggregation() != nil:
		return series.Query{}, status.Error(codes.Unimplemented, "secondaryAggregation is not simulated.")
	}
	q := series.Query{
		Project: project, Filter: req.GetFilter(), View: series.View(req.GetView().String()),
		PageSize: int(req.GetPageSize()), PageToken: req.GetPageToken(),
	}
	if at := req.GetInterval().GetStartTime(); at != nil {
		q.Start = at.AsTime()
	}
	if at := req.GetInterval().GetEndTime(); at != nil {
		q.End = at.AsTime()
	}
	if a := req.GetAggregation(); a != nil {
		q.Aggregation = series.Aggregation{
			Period:  a.GetAlignmentPeriod().AsDuration(),
			Aligner: series.Aligner(a.GetPerSeriesAligner().String()),
			Reducer: series.Reducer(a.GetCrossSeriesReducer().String()),
			GroupBy: a.GetGroupByFields(),
		}
	}
	return q, nil
}

// projectOf reads projects/ID. Organisations and folders are not simulated.
func projectOf(name string) (string, error) {
	project, ok := strings.CutPrefix(name, "projects/")
	if !ok || project == "" || strings.Contains(project, "/") {
		return "", status.Errorf(codes.InvalidArgument, "Name %q must have the form projects/PROJECT_ID.", name)
	}
	return project, nil
}

// ListMetricDescriptors implements monitoringpb.MetricServiceServer.
func (m *monitoring) ListMetricDescriptors(_ context.Context, req *monitoringpb.ListMetricDescriptorsRequest) (*monitoringpb.ListMetricDescriptorsResponse, error) {
	project, err := projectOf(req.GetName())
	if err != nil {
		return nil, err
	}
	if req.GetActiveOnly() {
		return nil, status.Error(codes.Unimplemented, "activeOnly is not simulated.")
	}
	known, err := m.source.Descriptors(req.GetFilter())
	if err != nil {
		return nil, statusOf(err)
	}
	page, next, err := descriptorPage(known, req)
	if err != nil {
		return nil, err
	}
	resp := &monitoringpb.ListMetricDescriptorsResponse{NextPageToken: next}
	for _, d := range page {
		resp.MetricDescriptors = append(resp.MetricDescriptors, descriptorOf(project, d))
	}
	return resp, nil
}

// GetMetricDescriptor implements monitoringpb.MetricServiceServer.
func (m *monitoring) GetMetricDescriptor(_ context.Context, req *monitoringpb.GetMetricDescriptorRequest) (*metric.MetricDescriptor, error) {
	parent, metricType, ok := strings.Cut(req.GetName(), "/metricDescriptors/")
	if !ok {
		return nil, status.Errorf(codes.InvalidArgument,
			"Name %q must have the form projects/PROJECT_ID/metricDescriptors/METRIC_TYPE.", req.GetName())
	}
	project, err := projectOf(parent)
	if err != nil {
		return nil, err
	}
	known, err := m.source.Descriptors("")
	if err != nil {
		return nil, statusOf(err)
	}
	for _, d := range known {
		if d.Type == metricType {
			return descriptorOf(project, d), nil
		}
	}
	return nil, status.Errorf(codes.NotFound, "Could not find descriptor for metric '%s'.", metricType)
}
