package cloudrun

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// crowd is many rollouts in one project and location, each of which looks at its two
// revisions every 15 seconds.
type crowd struct {
	*testing.T
	watch    *Watch
	at       time.Time
	set      func(time.Time)
	requests func() int
}

func newCrowd(t *testing.T, perMinute int) *crowd {
	t.Helper()
	client, below, clock := limited(t, perMinute, func(req *http.Request) outcome {
		_, name, _ := strings.Cut(req.URL.Path, "/revisions/")
		return outcome{code: http.StatusOK, body: strings.ReplaceAll(revisionJSON, "revisions/web-2", "revisions/"+name)}
	})
	return &crowd{t, NewWatch(client, func(error) {}), tenSharp, clock.SetTime, func() int { return len(below.requests) }}
}

// looks lets so many rollouts look for a while, and returns how many reads that took.
func (c *crowd) looks(rollouts int, maxAge, during time.Duration) int {
	c.Helper()
	before := c.requests()
	for end := c.at.Add(during); c.at.Before(end); c.at = c.at.Add(15 * time.Second) {
		c.set(c.at)
		for i := range rollouts {
			ref := rollout.ServiceRef{Project: web.Project, Location: web.Location, Name: fmt.Sprintf("web%d", i)}
			_, _ = c.watch.Remembered(c.Context(), ref, []string{"one", "two"}, c.at, maxAge) // refused ones count as no read
		}
	}
	return c.requests() - before
}

func TestACrowdLeavesHalfOfTheReadsToAllOthers(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 300)
	c.looks(100, 30*time.Second, 5*time.Minute)
	if n := c.looks(100, 30*time.Second, 20*time.Minute); n > 20*150 || n < 20*100 {
		t.Errorf("%d reads in 20 minutes, want nearly half of the 6,000 that may be made", n)
	}
	newcomer := rollout.ServiceRef{Project: web.Project, Location: web.Location, Name: "newcomer"}
	got, err := c.watch.Remembered(AtRest(t.Context()), newcomer, []string{"one"}, c.at, 10*time.Minute)
	if err != nil || got["one"].Presence != rollout.Found {
		t.Errorf("whoever is at rest is not let in: %+v, %v", got["one"], err)
	}
}

func TestAFewGetWhatTheyWant(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 300)
	if n := c.looks(30, 30*time.Second, 10*time.Minute); n != 30*2*2*10 {
		t.Errorf("%d reads in 10 minutes, want each of 60 revisions every 30 seconds", n)
	}
}

func TestWhenTheCrowdIsGoneNothingGetsOldAnyMore(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 300)
	c.looks(200, 30*time.Second, 10*time.Minute)
	c.looks(1, 30*time.Second, wantedFor)
	if n := c.looks(1, 30*time.Second, 10*time.Minute); n != 2*2*10 {
		t.Errorf("%d reads in 10 minutes, want two revisions every 30 seconds", n)
	}
}

// TestHoweverLargeTheCrowdNothingGetsOlderThanFiveMinutes, nor twice as old as it may
// be where that is more.
func TestHoweverLargeTheCrowdNothingGetsOlderThanFiveMinutes(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 10)
	c.looks(300, 30*time.Second, 15*time.Second)
	for maxAge, want := range map[time.Duration]time.Duration{
		30 * time.Second: 5 * time.Minute, 4 * time.Minute: 8 * time.Minute, 10 * time.Minute: 20 * time.Minute,
	} {
		if got := c.watch.bearable(web, []string{"one"}, c.at, maxAge); got != want {
			t.Errorf("what may be %s old gets %s old, want %s", maxAge, got, want)
		}
	}
}

func TestWithoutALimitNothingGetsOld(t *testing.T) {
	t.Parallel()
	client, _ := dial(t, town())
	w := NewWatch(client, func(error) {})
	names := make([]string, 1000)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	if got := w.bearable(web, names, tenSharp, time.Second); got != time.Second {
		t.Errorf("what may be a second old gets %s old", got)
	}
}
