package monitoring

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	metricpb "google.golang.org/genproto/googleapis/api/metric"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// long makes the names so long that four filters are needed for 130 of them.
func long(services []analysis.Source) []analysis.Source {
	for i := range services {
		services[i].Service += strings.Repeat("x", 40)
	}
	return services
}

// hanging answers descriptors, and queries when it is released.
func hanging(release chan struct{}) *server {
	return &server{list: func(ctx context.Context, _ *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error) {
		select {
		case <-release:
			return &monitoringpb.ListTimeSeriesResponse{}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
}

func TestACallWithoutAnAnswerInTimeStartsAWait(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"of the API": status.Error(codes.DeadlineExceeded, "too slow"), "of our own": context.DeadlineExceeded,
	} {
		c, q, at := bucketOf(60)
		if got := settle(q, err, at(noon)); !got.until.Equal(noon.Add(firstWait)) || got.detail != inTime {
			t.Errorf("%s: %+v", name, got)
		}
		if got := c.take(q, at(noon.Add(firstWait-time.Second))); got.cause != analysis.CauseUnavailable || !strings.HasPrefix(got.detail, inTime) {
			t.Errorf("%s: asked again too early: %+v", name, got)
		}
		if got := c.take(q, at(noon.Add(firstWait))); got.cause != analysis.CauseNone {
			t.Errorf("%s: not asked again: %+v", name, got)
		}
	}
}

func TestManyFiltersWaitOnceForASilentMonitoring(t *testing.T) {
	t.Parallel()
	s := hanging(nil)
	client := start(t, s, func(o *Options) { o.Timeout = time.Second })
	var questions []analysis.Question
	for _, of := range long(rolling(130)) {
		of.Revision = of.Service + "-1"
		questions = append(questions, ask(analysis.Requests, of))
	}
	answers, err := client.Answer(t.Context(), questions, noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range questions {
		if got := answers.Of(q.Series); got.Cause != analysis.CauseUnavailable || !strings.HasPrefix(got.Detail, inTime) {
			t.Fatalf("%+v", got)
		}
	}
	if calls := s.calls(); len(calls) != 1 || calls["run.googleapis.com/request_count"] != 1 {
		t.Errorf("%v calls, want one that hangs", calls)
	}
}

func TestAWaitAndAnErrorsAgeCountFromTheEndOfTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &held{crowd: crowd{services: rolling(1)}, release: make(chan struct{})}
		d := h.desk()
		d.limit = 10 * time.Second // after which the reading gives up
		for _, step := range []struct {
			since time.Duration
			calls int
		}{{0, 1}, {11 * time.Second, 1}, {24 * time.Second, 1}, {25 * time.Second, 2}} {
			m := at(step.since)
			d.ask(t.Context(), wishFor(t, h.crowd.services[0], m), m)
			if len(h.requests) != step.calls {
				t.Errorf("%s: %d calls, want %d", step.since, len(h.requests), step.calls)
			}
		}
		w := newWatch(d.clock, noon)
		time.Sleep(9*time.Second + 999*time.Millisecond) // of the test's own time
		if got := w.now(); !got.Equal(noon.Add(9 * time.Second)) {
			t.Errorf("a call of ten seconds that began at noon ends at %s", got)
		}
	})
}

func TestAPassDoesNotWaitForASilentMonitoring(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := hanging(release)
	client := start(t, s, func(o *Options) { o.Timeout, o.Patience = time.Minute, 100*time.Millisecond })
	q := ask(analysis.Requests, revision)
	if got := one(t, client, q); got.Cause != analysis.CauseUnavailable || got.Detail != inTime {
		t.Fatalf("%+v", got)
	}
	close(release)
	client.patience = time.Minute
	if got := one(t, client, q); got.Cause != analysis.CauseNone {
		t.Errorf("the next pass: %+v", got)
	}
	if len(s.lists) != 1 {
		t.Errorf("%d calls, want the first one's answer for both", len(s.lists))
	}
}

func TestADescriptorThatHangsLeavesTimeForTheQuestion(t *testing.T) {
	t.Parallel()
	s := always(class("2xx", point(9, integer(1))))
	s.describe = func(ctx context.Context, _ *monitoringpb.GetMetricDescriptorRequest) (*metricpb.MetricDescriptor, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	client := start(t, s, func(o *Options) { o.Timeout, o.Patience = time.Minute, 3*time.Second })
	if got := one(t, client, ask(analysis.Requests, revision)); got.Cause != analysis.CauseNone || len(got.Points) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestWhatHasComeInTimeIsAnsweredBesideWhatHasNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &held{crowd: crowd{services: long(rolling(60))}} // two filters
		d := h.desk()
		known := wishFor(t, h.crowd.services[0], at(0))
		served(t, d.ask(t.Context(), known, at(0)), known)
		h.release = make(chan struct{}, 1)
		h.release <- struct{}{} // for the first filter, and not the second
		var wishes []wish
		for _, of := range h.crowd.services[1:] {
			wishes = append(wishes, wishFor(t, of, at(0))...)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		answers := d.ask(ctx, append(wishes, known...), at(0))
		served(t, answers, known)
		came := 0
		for _, w := range wishes {
			if a := answers.Of(w.series); a.Cause == analysis.CauseNone {
				served(t, answers, []wish{w})
				came++
			} else if a.Detail != inTime {
				t.Errorf("%+v", a)
			}
		}
		if came == 0 || came == len(wishes) {
			t.Errorf("%d of %d came", came, len(wishes))
		}
		close(h.release)
		synctest.Wait()
		served(t, d.ask(t.Context(), wishes, at(time.Second)), wishes)
		if len(h.requests) != 3 {
			t.Errorf("%d calls", len(h.requests))
		}
	})
}
