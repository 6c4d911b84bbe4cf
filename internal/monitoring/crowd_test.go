package monitoring

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	metricpb "google.golang.org/genproto/googleapis/api/metric"
	monitoredrespb "google.golang.org/genproto/googleapis/api/monitoredres"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// crowd is a Cloud Monitoring with many services, each of two revisions, and one
// gateway. It reads filters, and answers in pages. Every minute of every series
// has the value that valueOf says.
type crowd struct {
	services []analysis.Source // of which the revision is not looked at
	page     int               // points in a page; 0 means as many as are asked for
	minutes  int               // points that a series has; 0 means in every minute
	pages    atomic.Int64
	read     atomic.Int64 // series
	bytes    atomic.Int64
	points   atomic.Int64
}

// rolling is n services of a project, spread over two regions.
func rolling(n int) []analysis.Source {
	services := make([]analysis.Source, 0, n)
	for i := range n {
		services = append(services, analysis.Source{
			Project: "shop", Location: []string{"europe-west1", "us-central1"}[i%2], Service: fmt.Sprintf("web-%04d", i),
		})
	}
	return services
}

// valueOf is different for every source and minute.
func valueOf(of analysis.Source, end time.Time) int64 {
	value := end.Unix() / 60 % 1000
	for _, c := range of.Location + of.Service + of.Revision + of.Gateway {
		value = (value*31 + int64(c)) % 1_000_000
	}
	return value
}

// server puts the crowd behind the test server.
func (c *crowd) server() *server {
	return &server{list: func(_ context.Context, req *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error) {
		return c.list(req)
	}}
}

func (c *crowd) list(req *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error) {
	clauses, err := read(req.GetFilter())
	if err != nil {
		return nil, err
	}
	wanted := map[string][]string{}
	for _, clause := range clauses {
		wanted[clause.field] = clause.values
	}
	minutes := int(req.GetInterval().GetEndTime().AsTime().Sub(req.GetInterval().GetStartTime().AsTime()) / time.Minute)
	if c.minutes > 0 {
		minutes = min(minutes, c.minutes)
	}
	all := c.series(wanted, req.GetAggregation().GetGroupByFields())
	from := 0
	if token := req.GetPageToken(); token != "" {
		if from, err = strconv.Atoi(token); err != nil {
			return nil, err
		}
	}
	size := int(req.GetPageSize())
	if c.page > 0 {
		size = c.page
	}
	to := min(from+max(1, size/max(1, minutes)), len(all)) // whole series in a page
	response := &monitoringpb.ListTimeSeriesResponse{}
	for _, s := range all[from:to] {
		response.TimeSeries = append(response.TimeSeries, s.filled(req.GetInterval(), minutes))
		c.points.Add(int64(minutes))
	}
	if to < len(all) {
		response.NextPageToken = strconv.Itoa(to)
	}
	c.pages.Add(1)
	c.read.Add(int64(to - from))
	c.bytes.Add(int64(proto.Size(response)))
	return response, nil
}

type crowdSeries struct {
	of     analysis.Source
	metric *metricpb.Metric
}

// series lists what a filter selects.
func (c *crowd) series(wanted map[string][]string, groups []string) []crowdSeries {
	has := func(field, value string) bool { return wanted[field] == nil || slices.Contains(wanted[field], value) }
	name := wanted["metric.type"][0]
	if wanted["resource.type"][0] == resourceGateway {
		return []crowdSeries{{gateway, &metricpb.Metric{Type: name}}}
	}
	var list []crowdSeries
	for _, of := range c.services {
		if !has(labelProject, of.Project) || !has(labelLocation, of.Location) || !has(labelService, of.Service) {
			continue
		}
		for _, revision := range []string{"-1", "-2"} {
			of.Revision = of.Service + revision
			labels := map[string]string{}
			if slices.Contains(groups, "metric.label.response_code_class") {
				labels["response_code_class"] = "2xx"
			}
			list = append(list, crowdSeries{of, &metricpb.Metric{Type: name, Labels: labels}})
		}
	}
	return list
}

// filled is the series with its points, the newest first.
func (s crowdSeries) filled(interval *monitoringpb.TimeInterval, minutes int) *monitoringpb.TimeSeries {
	resource := resourceOf(s.of)
	if s.of.IsGateway() {
		resource = &monitoredrespb.MonitoredResource{Type: "nat_gateway", Labels: map[string]string{
			"project_id": s.of.Project, "region": s.of.Location, "router_id": "7", "gateway_name": s.of.Gateway,
		}}
	}
	series := &monitoringpb.TimeSeries{Metric: s.metric, Resource: resource}
	for i := range minutes {
		end := interval.GetEndTime().AsTime().Add(-time.Duration(i) * time.Minute)
		series.Points = append(series.Points, &monitoringpb.Point{
			Interval: &monitoringpb.TimeInterval{EndTime: timestamppb.New(end)}, Value: integer(valueOf(s.of, end)),
		})
	}
	return series
}

// pass asks what one rollout asks: two revisions, and the gateway that all share.
func pass(of analysis.Source, now time.Time, reach time.Duration) []analysis.Question {
	until := now.Truncate(time.Minute)
	var questions []analysis.Question
	add := func(metric analysis.Metric, of analysis.Source) {
		questions = append(questions, analysis.Question{
			Series: analysis.Series{Metric: metric, Source: of}, After: until.Add(-reach), Until: until,
		})
	}
	for _, revision := range []string{"-1", "-2"} {
		of.Revision = of.Service + revision
		add(analysis.Requests, of)
		add(analysis.Instances, of)
	}
	for _, metric := range []analysis.Metric{
		analysis.DroppedPackets, analysis.AllocationFailed, analysis.AllocatedPorts, analysis.OpenConnections,
	} {
		add(metric, gateway)
	}
	return questions
}

// metricsOfAPass is how many metrics pass asks about.
const metricsOfAPass = 6

// right checks that answers hold every minute, each with the value of its source.
func right(t *testing.T, questions []analysis.Question, answers analysis.Answers) {
	t.Helper()
	for _, q := range questions {
		answer := answers.Of(q.Series)
		if want := int(answer.Through.Sub(q.After) / time.Minute); answer.Cause != analysis.CauseNone || len(answer.Points) != want || want < 1 {
			t.Fatalf("%s of %s: %d points, want %d; cause %q: %s", q.Metric, q.Source, len(answer.Points), want, answer.Cause, answer.Detail)
		}
		for _, p := range answer.Points {
			if want := valueOf(q.Source, p.End); p.Value != want {
				t.Fatalf("%s of %v at %s: %d, want %d", q.Metric, q.Source, p.End, p.Value, want)
			}
		}
	}
}

// calls counts the queries among requests, by metric; pages of one count once.
func (s *server) calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counted := map[string]int{}
	for _, request := range s.lists {
		if request.GetPageToken() == "" {
			name, _, _ := cut(request.GetFilter())
			counted[name]++
		}
	}
	return counted
}

func cut(filter string) (metric string, clauses []clause, err error) {
	if clauses, err = read(filter); err != nil {
		return "", nil, err
	}
	return clauses[0].values[0], clauses, nil
}

func (s *server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lists = nil
}

func TestCallsAMinuteDoNotGrowWithTheRollouts(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 10, 100, 1000} {
		t.Run(fmt.Sprintf("%d rollouts in one project", n), func(t *testing.T) {
			t.Parallel()
			c := &crowd{services: rolling(n), page: 5000, minutes: 12}
			s := c.server()
			client := start(t, s)
			for minute := range 3 {
				s.forget()
				for i, of := range c.services {
					now := noon.Add(time.Duration(minute)*time.Minute + time.Duration(i)*59*time.Second/time.Duration(n))
					questions := pass(of, now, 10*time.Minute)
					answers, err := client.Answer(t.Context(), questions, now)
					if err != nil {
						t.Fatal(err)
					}
					right(t, questions, answers)
				}
				// The certain minute of some metrics changes within a minute of the
				// clock, so a minute of the clock may see two of theirs.
				most := 2
				if minute == 0 { // nobody had asked before
					most = 2 * (maxSweeps + 1)
				}
				calls := s.calls()
				for metric, count := range calls {
					if count > most {
						t.Errorf("minute %d: %d calls for %s, want at most %d", minute, count, metric, most)
					}
				}
				if len(calls) != metricsOfAPass {
					t.Errorf("minute %d: %d metrics", minute, len(calls))
				}
			}
		})
	}
}

func TestAMinuteCostsOneCallForEachMetricAndThenNothing(t *testing.T) {
	t.Parallel()
	c := &crowd{services: rolling(10)}
	s := c.server()
	client := start(t, s)
	round := func(now time.Time) map[string]int {
		t.Helper()
		s.forget()
		for _, of := range c.services {
			questions := pass(of, now, 10*time.Minute)
			answers, err := client.Answer(t.Context(), questions, now)
			if err != nil {
				t.Fatal(err)
			}
			right(t, questions, answers)
		}
		return s.calls()
	}
	round(noon)
	if again := round(noon.Add(10 * time.Second)); len(again) != 0 {
		t.Errorf("the same minute again: %v", again)
	}
	for minute := 1; minute < 4; minute++ {
		want := map[string]int{}
		for metric := range round(noon.Add(time.Duration(minute) * time.Minute)) {
			want[metric] = 1
		}
		if got := s.calls(); !maps.Equal(got, want) || len(got) != metricsOfAPass {
			t.Errorf("a new minute: %v", got)
		}
	}
}

// named returns the services that the last query of a metric named.
func (s *server) named(metric string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, request := range slices.Backward(s.lists) {
		name, clauses, err := cut(request.GetFilter())
		if last := clauses[len(clauses)-1]; err == nil && name == metric && last.field == labelService {
			return last.values
		}
	}
	return nil
}

func TestARolloutThatEndedLeavesTheFilter(t *testing.T) {
	t.Parallel()
	c := &crowd{services: rolling(3)}
	s := c.server()
	client := start(t, s)
	for minute := range 7 {
		for i, of := range c.services {
			if i == 1 && minute > 0 {
				continue // it ended
			}
			now := noon.Add(time.Duration(minute) * time.Minute)
			if _, err := client.Answer(t.Context(), pass(of, now, 10*time.Minute), now); err != nil {
				t.Fatal(err)
			}
		}
		named := s.named("run.googleapis.com/request_count")
		if got, want := slices.Contains(named, "web-0001"), minute > 0 && minute <= 4; minute > 0 && got != want {
			t.Errorf("minute %d: named %v", minute, named)
		}
	}
}

func TestAPassThatWasToldTheTimeBeforeTheMinuteEndedIsAnsweredFromTheNext(t *testing.T) {
	t.Parallel()
	c := &crowd{services: rolling(2)}
	s := c.server()
	client := start(t, s)
	for _, of := range c.services {
		if _, err := client.Answer(t.Context(), pass(of, noon, 10*time.Minute), noon); err != nil {
			t.Fatal(err)
		}
	}
	s.forget()
	late := noon.Add(-time.Second)
	questions := pass(c.services[0], late, 8*time.Minute)
	answers, err := client.Answer(t.Context(), questions, late)
	if err != nil {
		t.Fatal(err)
	}
	right(t, questions, answers)
	if got := answers.Of(questions[0].Series).Through; !got.Equal(late.Add(-4 * time.Minute).Truncate(time.Minute)) {
		t.Errorf("through %s, which was not certain when it asked", got)
	}
	if calls := s.calls(); len(calls) > 0 {
		t.Errorf("asked %v", calls)
	}
}

func TestAnOldRolloutDoesNotLengthenTheQueriesOfOthers(t *testing.T) {
	t.Parallel()
	c := &crowd{services: rolling(3)}
	s := c.server()
	client := start(t, s)
	for minute := range 2 {
		s.forget()
		for i, of := range c.services {
			now := noon.Add(time.Duration(minute) * time.Minute)
			questions := pass(of, now, []time.Duration{10 * time.Minute, 3 * time.Hour, 48 * time.Hour}[i])
			answers, err := client.Answer(t.Context(), questions, now)
			if err != nil {
				t.Fatal(err)
			}
			right(t, questions, answers)
		}
	}
	reach := map[time.Duration][]string{}
	for _, request := range s.lists {
		metric, clauses, err := cut(request.GetFilter())
		if err != nil {
			t.Fatal(err)
		}
		if metric == "run.googleapis.com/request_count" {
			reach[noon.Add(-3*time.Minute).Sub(request.GetInterval().GetStartTime().AsTime()).Round(time.Hour)] = clauses[len(clauses)-1].values
		}
	}
	want := map[time.Duration][]string{0: {"web-0000"}, 3 * time.Hour: {"web-0001"}, 48 * time.Hour: {"web-0002"}}
	if !maps.EqualFunc(reach, want, slices.Equal) {
		t.Errorf("reach %v, want %v", reach, want)
	}
}
