package monitoring

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// held is a reading of a crowd that can be held up, and counts.
type held struct {
	crowd   crowd
	release chan struct{} // nil lets everything pass

	mu       sync.Mutex
	requests []*monitoringpb.ListTimeSeriesRequest
	ended    int
}

func (h *held) read(
	ctx context.Context, request *monitoringpb.ListTimeSeriesRequest, _ watch, take func(*monitoringpb.ListTimeSeriesResponse),
) trouble {
	h.mu.Lock()
	h.requests = append(h.requests, request)
	h.mu.Unlock()
	if h.release != nil {
		select {
		case <-h.release:
		case <-ctx.Done():
			return trouble{cause: analysis.CauseUnavailable, detail: inTime}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended++
	response, err := h.crowd.list(request)
	if err != nil {
		return trouble{cause: analysis.CauseInvalid, detail: err.Error()}
	}
	take(response)
	return trouble{}
}

func (h *held) desk() *desk {
	return &desk{
		key: deskKey{"shop", analysis.Requests, 0}, read: h.read, limit: time.Minute, clock: clock.RealClock{}, caught: func() {}, members: members{},
	}
}

// at is the moment some time after noon.
func at(since time.Duration) moment {
	now := noon.Add(since)
	return moment{now, now.Add(-4 * time.Minute).Truncate(time.Minute)}
}

func wishFor(t *testing.T, of analysis.Source, m moment) []wish {
	t.Helper()
	of.Revision = of.Service + "-1"
	w, answer := wishOf(analysis.Question{
		Series: analysis.Series{Metric: analysis.Requests, Source: of}, After: noon.Add(-30 * time.Minute), Until: noon.Add(time.Hour),
	}, m.certain)
	if answer != nil {
		t.Fatal(answer)
	}
	return []wish{w}
}

// served checks that a wish was answered with the values of its own source.
func served(t *testing.T, answers analysis.Answers, wishes []wish) {
	t.Helper()
	for _, w := range wishes {
		right(t, []analysis.Question{{Series: w.series, After: w.after}}, answers)
	}
}

func TestPassesAtTheSameTimeShareOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &held{crowd: crowd{services: rolling(1)}, release: make(chan struct{})}
		d := h.desk()
		for range 10 {
			go func() {
				wishes := wishFor(t, h.crowd.services[0], at(0))
				served(t, d.ask(t.Context(), wishes, at(0)), wishes)
			}()
		}
		synctest.Wait()
		if len(h.requests) != 1 || h.ended != 0 {
			t.Fatalf("%d calls while one is under way", len(h.requests))
		}
		close(h.release)
		synctest.Wait()
		if len(h.requests) != 1 {
			t.Errorf("%d calls for ten passes", len(h.requests))
		}
	})
}

func TestWhatIsMissingWhileACallIsUnderWayComesTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &held{crowd: crowd{services: rolling(10)}, release: make(chan struct{})}
		d := h.desk()
		for _, of := range h.crowd.services {
			go func() {
				wishes := wishFor(t, of, at(0))
				served(t, d.ask(t.Context(), wishes, at(0)), wishes)
			}()
			synctest.Wait()
		}
		close(h.release)
		synctest.Wait()
		if len(h.requests) != 2 || strings.Count(h.requests[1].GetFilter(), "web-") != 9 {
			t.Fatalf("%d calls, want one for the first and one for the others", len(h.requests))
		}
		wishes := wishFor(t, h.crowd.services[3], at(time.Minute))
		served(t, d.ask(t.Context(), wishes, at(time.Minute)), wishes)
		if len(h.requests) != 3 || strings.Count(h.requests[2].GetFilter(), "web-") != 10 {
			t.Errorf("the next minute: %d calls in all, the last %s", len(h.requests), h.requests[len(h.requests)-1].GetFilter())
		}
	})
}

func TestWhoeverLeavesDoesSoAtOnceAndTakesNothingAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &held{crowd: crowd{services: rolling(1)}, release: make(chan struct{})}
		d := h.desk()
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan analysis.Answers, 1)
		wishes := wishFor(t, h.crowd.services[0], at(0))
		go func() { left <- d.ask(ctx, wishes, at(0)) }()
		synctest.Wait()
		go func() { served(t, d.ask(t.Context(), wishes, at(0)), wishes) }()
		synctest.Wait()
		cancel()
		if a := (<-left).Of(wishes[0].series); a.Cause != analysis.CauseUnavailable || h.ended != 0 {
			t.Errorf("answer %+v", a)
		}
		close(h.release)
		synctest.Wait()
		if len(h.requests) != 1 || h.ended != 1 {
			t.Errorf("%d calls, %d ended", len(h.requests), h.ended)
		}
	})
}

func TestASweepThatHangsEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &held{crowd: crowd{services: rolling(1)}, release: make(chan struct{})}
		wishes := wishFor(t, h.crowd.services[0], at(0))
		if a := h.desk().ask(t.Context(), wishes, at(0)).Of(wishes[0].series); a.Cause != analysis.CauseUnavailable || a.Detail != inTime {
			t.Errorf("answer %+v", a)
		}
	})
}

func TestManyNewcomersOfOneMinuteAreMetWithOneQueryForAll(t *testing.T) {
	t.Parallel()
	h := &held{crowd: crowd{services: rolling(50)}}
	d := h.desk()
	for i, of := range h.crowd.services {
		m := at(time.Duration(i) * time.Second)
		wishes := wishFor(t, of, m)
		served(t, d.ask(t.Context(), wishes, m), wishes)
	}
	// One for the first region of those two and one for the other.
	if len(h.requests) != maxSweeps+2 {
		t.Fatalf("%d calls, want %d", len(h.requests), maxSweeps+2)
	}
	for _, request := range h.requests[maxSweeps:] {
		if filter := request.GetFilter(); strings.Contains(filter, labelService) || !strings.Contains(filter, labelLocation) {
			t.Errorf("filter %s", filter)
		}
	}
	m := at(time.Minute)
	wishes := wishFor(t, h.crowd.services[0], m)
	served(t, d.ask(t.Context(), wishes, m), wishes)
	if filter := h.requests[len(h.requests)-1].GetFilter(); strings.Count(filter, `"web-`) != 50 {
		t.Errorf("and the minute after: %s", filter)
	}
}

func TestLongNamesAreAskedForInSeveralFilters(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{20: 1, 60: 2, 130: 4, 300: 1} { // 300 would be more than maxNamed
		t.Run(fmt.Sprintf("%d services", n), func(t *testing.T) {
			t.Parallel()
			services := rolling(n)
			for i := range services {
				services[i].Service += strings.Repeat("x", 40)
			}
			h := &held{crowd: crowd{services: services}}
			d := h.desk()
			var wishes []wish
			for _, of := range services {
				wishes = append(wishes, wishFor(t, of, at(0))...)
			}
			served(t, d.ask(t.Context(), wishes, at(0)), wishes)
			if len(h.requests) != want {
				t.Errorf("%d calls, want %d", len(h.requests), want)
			}
			for _, request := range h.requests {
				if len(request.GetFilter()) > maxFilter {
					t.Errorf("a filter of %d bytes", len(request.GetFilter()))
				}
			}
		})
	}
}

func TestAClockThatWasSetBackDoesNotStopADesk(t *testing.T) {
	t.Parallel()
	h := &held{crowd: crowd{services: rolling(1)}}
	d := h.desk()
	for _, since := range []time.Duration{2 * time.Hour, 0, time.Minute, 2 * time.Hour} {
		m := at(since)
		wishes := wishFor(t, h.crowd.services[0], m)
		before := len(h.requests)
		served(t, d.ask(t.Context(), wishes, m), wishes)
		if got := len(h.requests) - before; got != 1 {
			t.Errorf("%s after noon: %d calls", since, got)
		}
		last := h.requests[len(h.requests)-1]
		if end := last.GetInterval().GetEndTime().AsTime(); !end.Equal(m.certain) {
			t.Errorf("asked up to %s, want %s", end, m.certain)
		}
	}
}

func TestMembersRememberTheFurthestReachOfTheLastMinutes(t *testing.T) {
	t.Parallel()
	m, p := members{}, place{"europe-west1", "web"}
	ask := func(minute, reach int) {
		m.join(p, need{asked: noon.Add(time.Duration(minute) * time.Minute), after: noon.Add(-time.Duration(reach) * time.Minute)})
	}
	reach := func(minute int) int {
		m.forget(noon.Add(time.Duration(minute) * time.Minute))
		if len(m[p]) == 0 {
			return 0
		}
		return int(noon.Sub(m[p][0].after) / time.Minute)
	}
	ask(0, 60)
	ask(1, 10)
	ask(2, 30)
	got := []int{reach(2), reach(4), reach(5), reach(6), reach(7)}
	if want := []int{60, 60, 30, 30, 0}; !slices.Equal(got, want) {
		t.Errorf("reaches %v, want %v", got, want)
	}
	if len(m) != 0 {
		t.Error("nothing is forgotten")
	}
}
