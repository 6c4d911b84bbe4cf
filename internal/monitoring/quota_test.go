package monitoring

import (
	"context"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	metricpb "google.golang.org/genproto/googleapis/api/metric"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/google"
)

// failing answers descriptors, and queries with the error that is set.
func failing(err *error) *server {
	return &server{
		describe: func(context.Context, *monitoringpb.GetMetricDescriptorRequest) (*metricpb.MetricDescriptor, error) {
			return delayed(60, 180), nil
		},
		list: func(_ context.Context, req *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error) {
			if *err != nil && strings.Contains(req.GetName(), "projects/shop") {
				return nil, *err
			}
			return &monitoringpb.ListTimeSeriesResponse{}, nil
		},
	}
}

func refused(t *testing.T, code codes.Code, wait time.Duration) error {
	t.Helper()
	answer, err := status.New(code, "no: thanks").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Err()
}

// causeAt asks about the revision at some time after noon.
func causeAt(t *testing.T, c *Client, of analysis.Source, since time.Duration) analysis.Answer {
	t.Helper()
	q := ask(analysis.Requests, of)
	q.Until = noon.Add(time.Hour)
	answers, err := c.Answer(t.Context(), []analysis.Question{q}, noon.Add(since))
	if err != nil {
		t.Fatal(err)
	}
	return answers.Of(q.Series)
}

func TestAWaitThatTheAPIAsksForIsKept(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{codes.ResourceExhausted, codes.Unavailable} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			err := refused(t, code, 90*time.Second)
			s := failing(&err)
			client := start(t, s)
			first := causeAt(t, client, revision, 0)
			if first.Cause == analysis.CauseNone || first.Detail != "no: thanks" {
				t.Fatalf("first %+v", first)
			}
			err = nil
			other := revision
			other.Service = "api"
			for _, of := range []analysis.Source{revision, other} {
				for _, since := range []time.Duration{0, time.Second, 60 * time.Second, 89 * time.Second} {
					if got := causeAt(t, client, of, since); got.Cause != first.Cause || !strings.HasPrefix(got.Detail, "no: thanks") {
						t.Errorf("%s later, of %s: %+v", since, of.Service, got)
					}
				}
			}
			if got := causeAt(t, client, other, time.Second); got.Detail != "no: thanks; not asked again before 2026-03-01T12:01:30Z" {
				t.Errorf("detail %q", got.Detail)
			}
			if len(s.lists) != 1 {
				t.Errorf("%d calls before the time", len(s.lists))
			}
			elsewhere := revision
			elsewhere.Project = "other"
			if got := causeAt(t, client, elsewhere, time.Second); got.Cause != analysis.CauseNone {
				t.Errorf("of another project: %+v", got)
			}
			if got := causeAt(t, client, revision, 90*time.Second); got.Cause != analysis.CauseNone {
				t.Errorf("at the time: %+v", got)
			}
		})
	}
}

// bucketOf is a project's quota, and the time at which it is asked.
func bucketOf(perMinute int) (*Client, *google.Bucket[trouble], func(time.Time) watch) {
	c := &Client{quotas: quotas{Limits: limits(perMinute, func() float64 { return 1 })}}
	return c, c.quotas.Of("shop"), func(now time.Time) watch { return newWatch(clocktesting.NewFakePassiveClock(now), now) }
}

func TestAWaitBeyondReasonIsNotKept(t *testing.T) {
	t.Parallel()
	c, q, at := bucketOf(60)
	settle(q, refused(t, codes.Unavailable, 24*time.Hour), at(noon))
	if c.take(q, at(noon.Add(longestTold-time.Second))).cause == analysis.CauseNone || c.take(q, at(noon.Add(longestTold))).cause != analysis.CauseNone {
		t.Error("ten minutes are not what is kept")
	}
	later := noon.Add(time.Hour)
	if got := settle(q, refused(t, codes.Unavailable, -time.Hour), at(later)); !got.until.Equal(later.Add(firstWait)) {
		t.Errorf("a negative wait: until %s", got.until)
	}
}

func TestWhileTheAPIIsLeftAloneAFullMinuteStillAnswers(t *testing.T) {
	t.Parallel()
	var err error
	s := failing(&err)
	client := start(t, s)
	if got := causeAt(t, client, revision, 0); got.Cause != analysis.CauseNone {
		t.Fatal(got)
	}
	err = refused(t, codes.ResourceExhausted, 2*time.Minute)
	other := revision
	other.Service = "api"
	if got := causeAt(t, client, other, time.Second); got.Cause != analysis.CauseThrottled {
		t.Error(got)
	}
	if got := causeAt(t, client, revision, 2*time.Second); got.Cause != analysis.CauseNone {
		t.Errorf("what was read this minute is known: %+v", got)
	}
}

func TestAnErrorIsAskedAgainAfterAFewSeconds(t *testing.T) {
	t.Parallel()
	err := status.Error(codes.PermissionDenied, "no: thanks")
	s := failing(&err)
	client := start(t, s)
	steps := []struct {
		since time.Duration
		want  analysis.Cause
		calls int
	}{
		{0, analysis.CauseDenied, 1},
		{14 * time.Second, analysis.CauseDenied, 1},
		{15 * time.Second, analysis.CauseNone, 2},
		{16 * time.Second, analysis.CauseNone, 2},
	}
	for _, step := range steps {
		got := causeAt(t, client, revision, step.since)
		if got.Cause != step.want || len(s.lists) != step.calls {
			t.Errorf("%s: %d calls, cause %q, want %d and %q", step.since, len(s.lists), got.Cause, step.calls, step.want)
		}
		err = nil
	}
}

func TestOurOwnLimitSaysThatItIsOurs(t *testing.T) {
	t.Parallel()
	var err error
	s := failing(&err)
	client := start(t, s, func(o *Options) { o.PerMinute = 6 }) // 2 at once: the descriptor and one query
	if got := causeAt(t, client, revision, 0); got.Cause != analysis.CauseNone {
		t.Fatal(got)
	}
	other := revision
	other.Service = "api"
	got := causeAt(t, client, other, 0)
	if got.Cause != analysis.CauseThrottled || got.Detail != "Sluice's own limit for a project, 6 calls a minute, is used up" {
		t.Errorf("got %+v", got)
	}
	elsewhere := revision
	elsewhere.Project = "other"
	if got := causeAt(t, client, elsewhere, 0); got.Cause != analysis.CauseNone {
		t.Errorf("another project has its own: %+v", got)
	}
	if got := causeAt(t, client, other, 15*time.Second); got.Cause != analysis.CauseNone {
		t.Errorf("later there is one again: %+v", got)
	}
}
