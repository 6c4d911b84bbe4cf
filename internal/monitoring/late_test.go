package monitoring

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

func TestALatePassIsAnsweredFromTheNewerMinuteAndThrowsNothingAway(t *testing.T) {
	t.Parallel()
	h := &held{crowd: crowd{services: rolling(2)}}
	d := h.desk()
	known, newcomer := h.crowd.services[0], h.crowd.services[1]
	for _, step := range []struct {
		of    analysis.Source
		since time.Duration
		calls int
	}{
		{known, 3 * time.Minute, 1},
		{known, 0, 1},
		{known, 3*time.Minute + time.Second, 1},
		{newcomer, time.Minute, 2}, // asked up to the newer minute
		{newcomer, 3 * time.Minute, 2},
		{known, 2 * time.Minute, 2},
		{known, 3*time.Minute + 2*time.Second, 2},
	} {
		m := at(step.since)
		wishes := wishFor(t, step.of, m)
		answers := d.ask(t.Context(), wishes, m)
		served(t, answers, wishes)
		if got := answers.Of(wishes[0].series); !got.Through.Equal(m.certain) || !got.Points[len(got.Points)-1].End.Equal(m.certain) {
			t.Errorf("%s: through %s, want %s", step.since, got.Through, m.certain)
		}
		if len(h.requests) != step.calls {
			t.Errorf("%s: %d calls, want %d", step.since, len(h.requests), step.calls)
		}
	}
}

func TestALatePassHasNobodyForgotten(t *testing.T) {
	t.Parallel()
	h := &held{crowd: crowd{services: rolling(3)}}
	d := h.desk()
	for i, since := range []time.Duration{4 * time.Minute, 3*time.Minute + 59*time.Second, 0} {
		m := at(since)
		d.ask(t.Context(), wishFor(t, h.crowd.services[i], m), m)
	}
	m := at(5 * time.Minute)
	wishes := wishFor(t, h.crowd.services[0], m)
	served(t, d.ask(t.Context(), wishes, m), wishes)
	if got := len(h.requests[len(h.requests)-1].GetFilter()); len(d.members) != 2 {
		t.Errorf("%d members, want the two of the last minutes; a filter of %d bytes", len(d.members), got)
	}
}

func TestALatePassDoesNotOpenWhatIsShut(t *testing.T) {
	t.Parallel()
	c, q, at := bucketOf(60)
	for c.take(q, at(noon)).cause == analysis.CauseNone {
	}
	late := at(noon.Add(-3 * time.Minute))
	if c.take(q, late).cause == analysis.CauseNone {
		t.Error("a late pass filled the bucket")
	}
	settle(q, status.Error(codes.Unavailable, "down"), at(noon))
	if got := c.take(q, late); got.cause != analysis.CauseUnavailable {
		t.Errorf("a late pass may ask what is left alone: %+v", got)
	}
}

func TestAMinuteThatWasReadTooEarlyForALongerDelayIsReadAgain(t *testing.T) {
	t.Parallel()
	h := &held{crowd: crowd{services: rolling(1)}}
	d := h.desk()
	d.ask(t.Context(), wishFor(t, h.crowd.services[0], at(0)), at(0))
	for i, since := range []time.Duration{3 * time.Minute, 7 * time.Minute} {
		m := at(since)
		m.certain = m.certain.Add(-time.Duration(i+1) * 4 * time.Minute) // the delay turns out to be 8 minutes, and then 12
		wishes := wishFor(t, h.crowd.services[0], m)
		served(t, d.ask(t.Context(), wishes, m), wishes)
		if len(h.requests) != i+2 {
			t.Errorf("%d calls, want %d", len(h.requests), i+2)
		}
	}
}
