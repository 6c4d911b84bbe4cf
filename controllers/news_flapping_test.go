package controllers

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/notify"
)

// piece is news and how long after the ones before the manager told of them.
type piece struct {
	news notify.News
	wait time.Duration
}

// TestAHoldThatComesAndGoesEachMinuteIsFewMessages: Monitoring answers every other minute
// for half an hour, and then that the candidate fails. The manager has as much to tell as
// there were turns; whoever is paged hears of the hold at once, of what is still so after
// ten minutes, of the hold at the next weight, and of the way back.
func TestAHoldThatComesAndGoesEachMinuteIsFewMessages(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.started()
	last := s.clock.Now()
	var told []piece
	s.r.Tell = func(n notify.News) {
		told = append(told, piece{n, s.clock.Now().Sub(last)})
		last = s.clock.Now()
	}
	for minute := range 30 {
		s.cloud.set(func() { s.cloud.silent = minute%2 == 0 })
		s.pass()
		s.wait(time.Minute)
	}
	s.cloud.set(func() { s.cloud.silent, s.cloud.errors["web-2"] = false, 50 })
	s.until(v1alpha1.PhaseRolledBack)
	if holds := count(told, "MetricsUnavailable"); holds < 10 {
		t.Fatalf("it was held %d times, so that nothing comes and goes", holds)
	}
	heard := pagers(t, told)
	// At 22 minutes it has gone on to the next weight and is held there for the first time.
	const want = "4m0s MetricsUnavailable, 14m0s MetricsUnavailable, 22m0s MetricsUnavailable, 30m0s RollingBack, 30m5s RolledBack"
	if got := strings.Join(heard, ", "); got != want {
		t.Errorf("heard %s, want %s", got, want)
	}
}

func count(told []piece, reason string) int {
	return len(slices.DeleteFunc(slices.Clone(told), func(p piece) bool { return p.news.Reason != reason }))
}

// pagers is what a sink with level Warnings hears.
func pagers(t *testing.T, told []piece) (heard []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		begun := time.Now()
		text := map[string]string{"url": "https://hooks.example.com/T0"}
		sinks, err := notify.Parse([]byte("sinks: [{name: pager, urlFile: url}]"), func(file string) ([]byte, error) { return []byte(text[file]), nil })
		if err != nil {
			t.Fatal(err)
		}
		sender := notify.New(sinks, clock.RealClock{}, hears(func(kind string) {
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, time.Since(begun).String()+" "+kind)
		}), nil)
		go func() { _ = sender.Start(t.Context()) }()
		for _, p := range told {
			time.Sleep(p.wait)
			sender.Tell(p.news)
			synctest.Wait()
		}
		time.Sleep(time.Hour)
	})
	return heard
}

// hears is a webhook that takes each message.
type hears func(kind string)

func (h hears) RoundTrip(req *http.Request) (*http.Response, error) {
	var event struct{ Type string }
	if err := json.NewDecoder(req.Body).Decode(&event); err != nil {
		return nil, err
	}
	h(strings.TrimPrefix(event.Type, "dev.sluice.rollouts."))
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: req}, nil
}
