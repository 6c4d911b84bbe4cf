package monitoring

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metricpb "google.golang.org/genproto/googleapis/api/metric"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// neighbours are two services of one name in two regions, and one of another name.
func neighbours() (web, far, api analysis.Source) {
	web, far, api = revision, revision, revision
	far.Location = "us-central1"
	api.Service = "api"
	return web, far, api
}

// requestsOf is a series of requests of a revision.
func requestsOf(of analysis.Source, points ...*monitoringpb.Point) *monitoringpb.TimeSeries {
	series := class("2xx", points...)
	series.Resource = resourceOf(of)
	return series
}

func together(t *testing.T, s *server, sources ...analysis.Source) (analysis.Answers, []analysis.Question) {
	t.Helper()
	var questions []analysis.Question
	for _, of := range sources {
		questions = append(questions, ask(analysis.Requests, of))
	}
	answers, err := start(t, s).Answer(t.Context(), questions, noon)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.lists) != 1 {
		t.Fatalf("%d calls, want one for all", len(s.lists))
	}
	return answers, questions
}

func TestServicesOfOneNameInTwoRegionsDoNotBlend(t *testing.T) {
	t.Parallel()
	web, far, api := neighbours()
	stray := api
	stray.Location = far.Location // the filter asks for it, nobody else does
	answers, questions := together(t, always(
		requestsOf(far, point(9, integer(2))), requestsOf(api, point(9, integer(3))),
		requestsOf(web, point(9, integer(1))), requestsOf(stray, point(9, double(math.NaN()))),
	), web, far, api)
	for i, q := range questions {
		answer := answers.Of(q.Series)
		if len(answer.Points) != 1 || answer.Points[0].Value != int64(i+1) || answer.Cause != analysis.CauseNone {
			t.Errorf("%v: %+v", q.Source, answer)
		}
	}
}

func TestWhatIsWrongWithOneServiceConcernsNoOther(t *testing.T) {
	t.Parallel()
	web, far, api := neighbours()
	sibling := web
	sibling.Revision = "web-1"
	unlabelled := requestsOf(web, point(9, integer(1)))
	unlabelled.Metric.Labels = nil
	within := point(9, integer(1))
	within.Interval.EndTime.Seconds++
	for name, bad := range map[string]*monitoringpb.TimeSeries{
		"a wrong type":           requestsOf(web, point(9, double(1))),
		"a negative value":       requestsOf(web, point(9, integer(-1))),
		"two values":             requestsOf(web, point(9, integer(1)), point(9, integer(2))),
		"a point in a minute":    requestsOf(web, within),
		"a point out of range":   requestsOf(web, point(90, integer(2))),
		"no response code class": unlabelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			others := []analysis.Source{far, api, sibling}
			series := []*monitoringpb.TimeSeries{bad}
			for _, of := range others {
				series = append(series, requestsOf(of, point(9, integer(5))))
			}
			answers, questions := together(t, always(series...), append(others, web)...)
			for _, q := range questions[:3] {
				if answer := answers.Of(q.Series); answer.Cause != analysis.CauseNone || len(answer.Points) != 1 {
					t.Errorf("%v: %+v", q.Source, answer)
				}
			}
			if answer := answers[questions[3].Series]; answer.Cause != analysis.CauseWrongType {
				t.Errorf("of the one: %+v", answer)
			}
		})
	}
}

func TestWhatIsWrongWithAQueryConcernsAll(t *testing.T) {
	t.Parallel()
	web, far, api := neighbours()
	nameless := requestsOf(web, point(9, integer(1)))
	delete(nameless.GetResource().GetLabels(), "revision_name")
	foreign := requestsOf(web, point(9, integer(1)))
	foreign.GetResource().GetLabels()["project_id"] = "other"
	for name, c := range map[string]struct {
		response *monitoringpb.ListTimeSeriesResponse
		want     analysis.Cause
		detail   string
	}{
		"an execution error": {&monitoringpb.ListTimeSeriesResponse{ExecutionErrors: []*rpcstatus.Status{{Message: "zone lost"}}}, analysis.CausePartial, "zone lost"},
		"different units":    {&monitoringpb.ListTimeSeriesResponse{Unit: notAUnit}, analysis.CauseWrongType, "different units"},
		"nobody's series": {
			&monitoringpb.ListTimeSeriesResponse{TimeSeries: []*monitoringpb.TimeSeries{nameless}}, analysis.CauseWrongType, "where it was measured",
		},
		"another project's series": {
			&monitoringpb.ListTimeSeriesResponse{TimeSeries: []*monitoringpb.TimeSeries{foreign}}, analysis.CauseWrongType, `project "other"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := c
			c.response.TimeSeries = append(c.response.TimeSeries, requestsOf(api, point(9, integer(5))))
			s := &server{list: func(context.Context, *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error) {
				return c.response, nil
			}}
			answers, questions := together(t, s, web, far, api)
			for _, q := range questions {
				if answer := answers.Of(q.Series); answer.Cause != c.want || !strings.Contains(answer.Detail, c.detail) {
					t.Errorf("%v: %+v", q.Source, answer)
				}
			}
			if got := answers.Of(questions[2].Series).Points; len(got) != 1 {
				t.Errorf("what came is lost: %v", got)
			}
		})
	}
}

func TestAWrongMinuteSpoilsOnlyQuestionsAboutIt(t *testing.T) {
	t.Parallel()
	s := always(requestsOf(revision, point(9, integer(1)), point(20, double(1))))
	client := start(t, s)
	recent, whole := ask(analysis.Requests, revision), ask(analysis.Requests, revision)
	recent.After = noon.Add(-15 * time.Minute)
	for _, c := range []struct {
		q    analysis.Question
		want analysis.Cause
	}{{whole, analysis.CauseWrongType}, {recent, analysis.CauseNone}} {
		if got := one(t, client, c.q); got.Cause != c.want || len(got.Points) != 1 {
			t.Errorf("after %s: %+v", c.q.After, got)
		}
	}
	if len(s.lists) != 1 {
		t.Errorf("%d calls", len(s.lists))
	}
}

func TestAnswersAreCopies(t *testing.T) {
	t.Parallel()
	client := start(t, always(
		requestsOf(revision, point(9, integer(1))), requestsOf(revision, point(8, integer(2))),
	))
	q := ask(analysis.Requests, revision)
	first := one(t, client, q)
	want := one(t, client, q)
	first.Points[0].Value = 99
	_ = append(first.Points[:1], analysis.Point{Value: 98})
	if diff := cmp.Diff(want, one(t, client, q)); diff != "" || want.Points[0].Value != 1 {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestTwoProjectsDoNotShare(t *testing.T) {
	t.Parallel()
	other := revision
	other.Project = "other"
	s := &server{list: func(_ context.Context, req *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error) {
		of, value := revision, int64(1)
		if req.GetName() == "projects/other" {
			of, value = other, 2
		}
		return &monitoringpb.ListTimeSeriesResponse{TimeSeries: []*monitoringpb.TimeSeries{requestsOf(of, point(9, integer(value)))}}, nil
	}}
	client := start(t, s)
	for i, of := range []analysis.Source{revision, other} {
		if got := one(t, client, ask(analysis.Requests, of)); len(got.Points) != 1 || got.Points[0].Value != int64(i+1) {
			t.Errorf("%s: %+v", of.Project, got)
		}
	}
	for _, request := range s.lists {
		if strings.Contains(request.GetFilter(), "one_of") || !strings.Contains(request.GetFilter(), `project_id="`+request.GetName()[len("projects/"):]+`"`) {
			t.Errorf("filter %s", request.GetFilter())
		}
	}
	if len(s.lists) != 2 {
		t.Errorf("%d calls", len(s.lists))
	}
}

func TestADescriptorIsReadOnceByAllWhoWait(t *testing.T) {
	t.Parallel()
	var l lags
	key := lagKey{"shop", analysis.Requests}
	first, pending := l.due([]lagKey{key, key}, noon)
	second, waiting := l.due([]lagKey{key}, noon)
	if len(first) != 1 || len(second) != 0 || len(pending) != 2 || len(waiting) != 1 || pending[0] != waiting[0] {
		t.Fatalf("%d and %d read it, %d and %d wait", len(first), len(second), len(pending), len(waiting))
	}
	l.keep(key, delayed(60, 60), noon)
	<-waiting[0]
	if _, pending := l.due([]lagKey{key}, noon); len(pending) != 0 || l.of(key) != 2*time.Minute {
		t.Errorf("%d wait after it was read", len(pending))
	}
}

func TestDesksThatNobodyAsksAreForgotten(t *testing.T) {
	t.Parallel()
	var d desks
	build := func(key deskKey) *desk { return &desk{key: key} }
	old := d.of(deskKey{project: "old"}, noon, build)
	if d.of(deskKey{project: "old"}, noon.Add(memberAge), build) != old {
		t.Error("forgotten too early")
	}
	d.of(deskKey{project: "new"}, noon.Add(2*memberAge+time.Second), build)
	if len(d.known) != 1 || len(d.asked) != 1 {
		t.Errorf("%d desks", len(d.known))
	}
}

func TestCallsPagesAndSeriesAreCounted(t *testing.T) {
	t.Parallel()
	s := pages(
		&monitoringpb.ListTimeSeriesResponse{TimeSeries: []*monitoringpb.TimeSeries{class("2xx", point(9, integer(1))), class("5xx", point(9, integer(1)))}},
		&monitoringpb.ListTimeSeriesResponse{TimeSeries: []*monitoringpb.TimeSeries{class("2xx", point(8, integer(1)))}},
	)
	s.describe = func(context.Context, *monitoringpb.GetMetricDescriptorRequest) (*metricpb.MetricDescriptor, error) {
		return nil, status.Error(codes.PermissionDenied, "no")
	}
	client := start(t, s)
	one(t, client, ask(analysis.Requests, revision))
	s.list = func(context.Context, *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error) {
		return nil, status.Error(codes.ResourceExhausted, "no")
	}
	one(t, client, ask(analysis.Instances, revision))
	want := `
# HELP sluice_gcp_requests_total Calls of Google's APIs by this process, by method and by the code they were answered with.
# TYPE sluice_gcp_requests_total counter
sluice_gcp_requests_total{api="monitoring",code="OK",method="ListTimeSeries"} 2
sluice_gcp_requests_total{api="monitoring",code="PermissionDenied",method="GetMetricDescriptor"} 2
sluice_gcp_requests_total{api="monitoring",code="ResourceExhausted",method="ListTimeSeries"} 1
# HELP sluice_monitoring_pages_total Pages of time series that were read from Cloud Monitoring.
# TYPE sluice_monitoring_pages_total counter
sluice_monitoring_pages_total 2
# HELP sluice_monitoring_series_total Time series that were read from Cloud Monitoring, one for every page that a series is on.
# TYPE sluice_monitoring_series_total counter
sluice_monitoring_series_total 3
`
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(client.Counters())
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
