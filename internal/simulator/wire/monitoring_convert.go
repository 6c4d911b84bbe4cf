package wire

import (
	"encoding/json"
	"errors"
	"strconv"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/genproto/googleapis/api"
	"google.golang.org/genproto/googleapis/api/distribution"
	"google.golang.org/genproto/googleapis/api/label"
	"google.golang.org/genproto/googleapis/api/metric"
	"google.golang.org/genproto/googleapis/api/monitoredres"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// statusOf gives an error the form it has on the wire. An ErrorInfo is attached
// where the store names a reason, a RetryInfo where it names a time to wait.
func statusOf(err error) error {
	var e *series.Error
	if !errors.As(err, &e) {
		return status.Convert(err).Err()
	}
	st := status.New(codeOf(e.Code), e.Message)
	var details []protoadapt.MessageV1
	if e.Reason != "" {
		details = append(details, &errdetails.ErrorInfo{Reason: e.Reason, Domain: "googleapis.com", Metadata: e.Metadata})
	}
	if e.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)})
	}
	if len(details) == 0 {
		return st.Err()
	}
	detailed, err := st.WithDetails(details...)
	if err != nil {
		return st.Err()
	}
	return detailed.Err()
}

// strangeField is a number that no message of the API uses.
const strangeField = 19_999_999

// makeStrange adds a field that no client knows to a message, as a newer server
// may.
func makeStrange(m proto.Message) {
	field := protowire.AppendTag(nil, strangeField, protowire.BytesType)
	m.ProtoReflect().SetUnknown(protowire.AppendString(field, "something new"))
}

// codeOf reads the canonical name of a code.
func codeOf(name series.Code) codes.Code {
	code := codes.Unknown
	if quoted, err := json.Marshal(string(name)); err != nil || code.UnmarshalJSON(quoted) != nil {
		return codes.Unknown
	}
	return code
}

func timeSeriesOf(s series.Series) *monitoringpb.TimeSeries {
	points := make([]*monitoringpb.Point, 0, len(s.Points))
	for _, p := range s.Points {
		points = append(points, &monitoringpb.Point{
			Interval: &monitoringpb.TimeInterval{StartTime: timestamppb.New(p.Start), EndTime: timestamppb.New(p.End)},
			Value:    typedValueOf(p.Value),
		})
	}
	return &monitoringpb.TimeSeries{
		Metric:     &metric.Metric{Type: s.Type, Labels: s.Labels},
		Resource:   &monitoredres.MonitoredResource{Type: s.ResourceType, Labels: s.Resource},
		MetricKind: kindOf(s.Kind),
		ValueType:  valueTypeOf(s.ValueType),
		Points:     points,
		Unit:       s.Unit,
	}
}

// typedValueOf leaves a value without type empty, which no client expects.
func typedValueOf(v series.Value) *monitoringpb.TypedValue {
	switch v.Type() {
	case series.TypeBool:
		return &monitoringpb.TypedValue{Value: &monitoringpb.TypedValue_BoolValue{BoolValue: v.Bool()}}
	case series.TypeInt64:
		return &monitoringpb.TypedValue{Value: &monitoringpb.TypedValue_Int64Value{Int64Value: v.Int64()}}
	case series.TypeDouble:
		return &monitoringpb.TypedValue{Value: &monitoringpb.TypedValue_DoubleValue{DoubleValue: v.Float64()}}
	case series.TypeDistribution:
		return &monitoringpb.TypedValue{Value: &monitoringpb.TypedValue_DistributionValue{DistributionValue: distributionOf(v.Distribution())}}
	case series.TypeUnspecified:
	}
	return &monitoringpb.TypedValue{}
}

// distributionOf leaves out the counts of empty buckets at the end, as the API
// may [google.api.Distribution.bucket_counts].
func distributionOf(d series.Distribution) *distribution.Distribution {
	return &distribution.Distribution{
		Count: d.Count(), Mean: d.Mean(), SumOfSquaredDeviation: d.SquaredDeviation(), BucketCounts: d.Buckets(),
		BucketOptions: &distribution.Distribution_BucketOptions{
			Options: &distribution.Distribution_BucketOptions_ExponentialBuckets{
				ExponentialBuckets: &distribution.Distribution_BucketOptions_Exponential{
					NumFiniteBuckets: series.BucketsFinite, GrowthFactor: series.BucketGrowth, Scale: series.BucketScale,
				},
			},
		},
	}
}

func descriptorOf(project string, d series.Descriptor) *metric.MetricDescriptor {
	labels := make([]*label.LabelDescriptor, 0, len(d.Labels))
	for _, l := range d.Labels {
		labels = append(labels, &label.LabelDescriptor{Key: l.Key, Description: l.Description})
	}
	return &metric.MetricDescriptor{
		Name:        "projects/" + project + "/metricDescriptors/" + d.Type,
		Type:        d.Type,
		Labels:      labels,
		MetricKind:  kindOf(d.Kind),
		ValueType:   valueTypeOf(d.ValueType),
		Unit:        d.Unit,
		Description: d.Description,
		DisplayName: d.DisplayName,
		LaunchStage: api.LaunchStage_GA,
		Metadata: &metric.MetricDescriptor_MetricDescriptorMetadata{
			SamplePeriod: durationpb.New(d.SamplePeriod),
			IngestDelay:  durationpb.New(d.IngestDelay),
		},
		MonitoredResourceTypes: d.ResourceTypes,
	}
}

func kindOf(k series.Kind) metric.MetricDescriptor_MetricKind {
	return metric.MetricDescriptor_MetricKind(metric.MetricDescriptor_MetricKind_value[string(k)])
}

func valueTypeOf(t series.ValueType) metric.MetricDescriptor_ValueType {
	return metric.MetricDescriptor_ValueType(metric.MetricDescriptor_ValueType_value[t.String()])
}

// descriptorPage cuts a page out of the descriptors. The token is the number of
// those before it; 10,000 is the default and the most [monpb
// ListMetricDescriptorsRequest.page_size].
func descriptorPage(all []series.Descriptor, req *monitoringpb.ListMetricDescriptorsRequest) (page []series.Descriptor, next string, err error) {
	size := int(req.GetPageSize())
	if size <= 0 || size > 10_000 {
		size = 10_000
	}
	from := 0
	if token := req.GetPageToken(); token != "" {
		from, err = strconv.Atoi(token)
		if err != nil || from < 0 || from > len(all) {
			return nil, "", status.Errorf(codes.InvalidArgument, "Page token %q is not one that was given.", token)
		}
	}
	to := min(len(all), from+size)
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	return all[from:to], next, nil
}
