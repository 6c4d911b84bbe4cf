package monitoring

import (
	"math"
	"math/big"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/genproto/googleapis/api/distribution"
	metricpb "google.golang.org/genproto/googleapis/api/metric"
	monitoredrespb "google.golang.org/genproto/googleapis/api/monitoredres"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// subject is a check, and the one metric of it whose response is made up. Of all
// others the check hears that all is well.
type subject struct {
	rule   analysis.Rule
	metric analysis.Metric
	of     analysis.Source
	value  *monitoringpb.TypedValue // of each minute when all is well
}

var (
	former   = analysis.Source{Project: "shop", Location: "europe-west1", Service: "web", Revision: "web-1"}
	subjects = []subject{
		{analysis.ServerErrors{MaxRatio: 0.01, MinRequests: 100}, analysis.Requests, revision, integer(50)},
		{analysis.Latency{Percentile: 99, MaxMilliseconds: 800, MinRequests: 100}, analysis.Latencies, revision, spread(samples(explicit(100, 800), 50, 20, 30))},
		{analysis.NatAllocationFailures{}, analysis.AllocationFailed, gateway, integer(0)},
		{analysis.NatDroppedPackets{MinMinutes: 2}, analysis.DroppedPackets, gateway, integer(0)},
	}
)

// judged is the time when the checks look: what ended by noon has arrived. The
// step began half an hour before noon.
var judged = analysis.Scope{
	Candidate: revision, Stable: former, Gateways: []analysis.Source{gateway},
	StepSince: noon.Add(-30 * time.Minute), AttemptSince: noon.Add(-31 * time.Minute), SeenThrough: noon.Add(-time.Minute),
	Window: 5 * time.Minute, Now: noon.Add(4 * time.Minute),
}

// FuzzResponsesThatPass judges any response of the API: whatever passes is whole,
// counts without contradiction, and holds what the check asks for, by a second
// reading of the response.
func FuzzResponsesThatPass(f *testing.F) {
	for kind, s := range subjects {
		if v := s.judge(f, s.response()); v.Outcome != analysis.Pass {
			f.Fatalf("%s: all is well, and the verdict is %s: %s", s.metric, v.Outcome, v.Note)
		}
		for _, spoil := range spoils {
			response := s.response()
			spoil(response)
			raw, err := proto.Marshal(response)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(kind), raw)
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, raw []byte) {
		s, response := subjects[int(kind)%len(subjects)], &monitoringpb.ListTimeSeriesResponse{}
		if proto.Unmarshal(raw, response) != nil {
			return
		}
		v := s.judge(t, response)
		if v.Outcome != analysis.Pass {
			return
		}
		if complaint := s.complaint(response); complaint != "" {
			t.Fatalf("%s: passes (%s) with %s: %v", s.metric, v.Note, complaint, response)
		}
	})
}

// spoils are the ways in which an answer goes wrong, and the one in which it does not.
var spoils = []func(*monitoringpb.ListTimeSeriesResponse){
	func(*monitoringpb.ListTimeSeriesResponse) {},
	func(r *monitoringpb.ListTimeSeriesResponse) { r.TimeSeries = nil },
	func(r *monitoringpb.ListTimeSeriesResponse) { r.Unit = notAUnit },
	func(r *monitoringpb.ListTimeSeriesResponse) { r.ExecutionErrors = []*rpcstatus.Status{{Code: 14}} },
	func(r *monitoringpb.ListTimeSeriesResponse) { r.ProtoReflect().SetUnknown([]byte{0x92, 0x3f, 1, 'x'}) },
	func(r *monitoringpb.ListTimeSeriesResponse) { r.TimeSeries[0].Points[0].Value = integer(-1) },
	func(r *monitoringpb.ListTimeSeriesResponse) { r.TimeSeries[0].Points[0].Value = double(math.NaN()) },
	func(r *monitoringpb.ListTimeSeriesResponse) { r.TimeSeries[0].Points[0].Value = double(math.Inf(1)) },
	func(r *monitoringpb.ListTimeSeriesResponse) {
		r.TimeSeries[0].Points[0].Value = spread(samples(explicit(1, math.NaN()), 5, 5))
	},
	func(r *monitoringpb.ListTimeSeriesResponse) {
		r.TimeSeries[0].Points[0].Value = spread(samples(explicit(9, 1), 5, 5))
	},
	func(r *monitoringpb.ListTimeSeriesResponse) { // the sum of both does not fit
		errors := class("5xx", point(5, integer(math.MaxInt64)), point(6, integer(math.MaxInt64)))
		errors.Resource, errors.Metric.Type = r.GetTimeSeries()[0].GetResource(), ""
		r.TimeSeries = append(r.TimeSeries, errors)
	},
	func(r *monitoringpb.ListTimeSeriesResponse) { // a minute twice, and they differ
		r.TimeSeries[0].Points = append(r.TimeSeries[0].Points, point(0, integer(7)))
	},
	func(r *monitoringpb.ListTimeSeriesResponse) { // the newest last
		points := r.TimeSeries[0].Points
		points[0], points[len(points)-1] = points[len(points)-1], points[0]
	},
	func(r *monitoringpb.ListTimeSeriesResponse) { r.TimeSeries[0].Points[0].Interval = nil },
	func(r *monitoringpb.ListTimeSeriesResponse) { r.TimeSeries[0].Metric.Labels = nil },
	func(r *monitoringpb.ListTimeSeriesResponse) { r.TimeSeries[0].Resource = nil },
}

// response is what the API says of a subject that is well.
func (s subject) response() *monitoringpb.ListTimeSeriesResponse {
	series := &monitoringpb.TimeSeries{Metric: &metricpb.Metric{Type: metrics[s.metric].name, Labels: map[string]string{"response_code_class": "2xx"}}}
	series.Resource = resourceOf(s.of)
	if s.of.IsGateway() {
		series.Resource = &monitoredrespb.MonitoredResource{Labels: map[string]string{
			"project_id": s.of.Project, "region": s.of.Location, "router_id": "1", "gateway_name": s.of.Gateway,
		}}
	}
	for before := range 25 {
		series.Points = append(series.Points, point(before, proto.CloneOf(s.value)))
	}
	return &monitoringpb.ListTimeSeriesResponse{TimeSeries: []*monitoringpb.TimeSeries{series}}
}

// judge answers the questions of a check, the one about the subject from a response.
func (s subject) judge(tb testing.TB, response *monitoringpb.ListTimeSeriesResponse) analysis.Verdict {
	tb.Helper()
	answers := analysis.Answers{}
	for _, q := range s.rule.Questions(judged) {
		if q.Metric != s.metric || q.Source != s.of {
			answers[q.Series] = well()
			continue
		}
		w, refused := wishOf(q, noon)
		if refused != nil {
			tb.Fatalf("%+v", refused)
		}
		h := newHaul(query{metrics[q.Metric], q.Source.Project, []place{w.place}, w.after, w.through}, &boundsPool{})
		h.page(response)
		h.finish()
		answers[q.Series] = h.answer(w)
	}
	return s.rule.Judge(judged, answers)
}

// well is an answer with something in every minute.
func well() analysis.Answer {
	answer := analysis.Answer{Through: noon}
	for end := noon.Add(-29 * time.Minute); !end.After(noon); end = end.Add(time.Minute) {
		answer.Points = append(answer.Points, analysis.Point{End: end, Label: "2xx", Value: 10})
	}
	return answer
}

// complaint is the second reading: why a response must not pass, or "".
func (s subject) complaint(response *monitoringpb.ListTimeSeriesResponse) string {
	if response.GetUnit() == "{not_a_unit}" || len(response.GetExecutionErrors()) > 0 || len(response.ProtoReflect().GetUnknown()) > 0 {
		return "a part missing"
	}
	type key struct {
		end   int64
		label string
	}
	values := map[key]*monitoringpb.TypedValue{}
	for _, series := range response.GetTimeSeries() {
		if !s.measured(series) {
			continue
		}
		label := series.GetMetric().GetLabels()[metrics[s.metric].label]
		for _, p := range series.GetPoints() {
			at := key{p.GetInterval().GetEndTime().GetSeconds(), label}
			before, twice := values[at]
			switch {
			case p.GetInterval().GetEndTime().GetNanos() != 0 || at.end%60 != 0 || at.end > noon.Unix() || at.end < noon.Add(-2*time.Hour).Unix():
				return "a point at no minute of the step"
			case label == "" && s.metric == analysis.Requests:
				return "requests of no response code"
			case s.badValue(p.GetValue()):
				return "a value that is none"
			case twice && !proto.Equal(before, p.GetValue()) && before.GetDistributionValue() == nil:
				return "two values of one minute"
			}
			values[at] = p.GetValue()
		}
	}
	bad, all := new(big.Int), new(big.Int)
	for at, v := range values {
		n := big.NewInt(v.GetInt64Value() + v.GetDistributionValue().GetCount())
		if all.Add(all, n); at.label == "5xx" {
			bad.Add(bad, n)
		}
	}
	return s.tooMuch(bad, all)
}

// measured tells whether a series is about the subject.
func (s subject) measured(series *monitoringpb.TimeSeries) bool {
	labels := series.GetResource().GetLabels()
	if s.of.IsGateway() {
		return labels["region"] == s.of.Location && labels["gateway_name"] == s.of.Gateway
	}
	return labels["location"] == s.of.Location && labels["service_name"] == s.of.Service && labels["revision_name"] == s.of.Revision
}

// badValue tells whether a value is no count of anything.
func (s subject) badValue(v *monitoringpb.TypedValue) bool {
	if s.metric != analysis.Latencies {
		_, number := v.GetValue().(*monitoringpb.TypedValue_Int64Value)
		return !number || v.GetInt64Value() < 0
	}
	d := v.GetDistributionValue()
	sum := new(big.Int)
	for _, n := range d.GetBucketCounts() {
		if n < 0 {
			return true
		}
		sum.Add(sum, big.NewInt(n))
	}
	return d == nil || d.GetCount() < 0 || sum.Cmp(big.NewInt(d.GetCount())) != 0 || badBounds(d.GetBucketOptions())
}

func badBounds(options *distribution.Distribution_BucketOptions) bool {
	last := math.Inf(-1)
	for _, bound := range options.GetExplicitBuckets().GetBounds() {
		if !(bound > last) || math.IsInf(bound, 0) {
			return true
		}
		last = bound
	}
	for _, number := range []float64{
		options.GetLinearBuckets().GetWidth(), options.GetLinearBuckets().GetOffset(),
		options.GetExponentialBuckets().GetGrowthFactor(), options.GetExponentialBuckets().GetScale(),
	} {
		if math.IsNaN(number) || math.IsInf(number, 0) {
			return true
		}
	}
	return false
}

// tooMuch compares the sums with what the check asks for.
func (s subject) tooMuch(bad, all *big.Int) string {
	if !s.of.IsGateway() && all.Cmp(big.NewInt(100)) < 0 {
		return "too few requests"
	}
	if s.metric == analysis.Requests && new(big.Int).Mul(bad, big.NewInt(100)).Cmp(all) > 0 {
		return "too many errors"
	}
	return ""
}
