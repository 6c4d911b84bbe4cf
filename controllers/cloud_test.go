package controllers

import (
	"cmp"
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// fakeCloud is a small Cloud Run and its metrics: one service, compare-and-swap
// on the etag, splits that serve at once, one hundred requests a minute for every
// revision.
type fakeCloud struct {
	mu        sync.Mutex
	service   rollout.Service
	revisions map[string]rollout.Revision
	errors    map[string]int64 // of a hundred requests, per revision
	torn      time.Time        // since when a tenth of all requests asks the wrong revision; zero for never
	requests  int64            // of every revision in a minute; 0 means 100
	silent    bool             // metrics have stopped
	stuck     bool             // splits are accepted and never serve
	egress    rollout.Egress   // of every revision, if it is said

	reads    int
	writes   []rollout.Write // accepted or not
	onRead   func()          // once, while the service is read
	onWrite  func()          // once, before a write arrives
	onAnswer func()          // once, while metrics are asked
	readErr  error           // of every read, while set
	setErr   error           // of every write, while set; it does nothing
	lose     bool            // the answers of writes
}

// created has a fraction of a second, as Cloud Run's times do.
var created = morning.Add(-time.Hour + 123456*time.Microsecond)

func newCloud() *fakeCloud {
	c := &fakeCloud{revisions: map[string]rollout.Revision{}, errors: map[string]int64{}}
	c.deploy("web-1", created)
	entries := []rollout.Entry{{Revision: "web-1", Percent: 100}}
	c.service = rollout.Service{
		Presence: rollout.Found, UID: "uid-1", LatestReady: "web-1", LatestCreated: "web-1",
		Generation: 1, ObservedGeneration: 1, ETag: `"1"`, Desired: entries, Effective: entries,
	}
	return c
}

// deploy adds a ready revision without traffic.
func (c *fakeCloud) deploy(name string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revisions[name] = rollout.Revision{
		Presence: rollout.Found, Name: name, CreatedAt: at, Readiness: rollout.Ready, Egress: rollout.EgressNone,
		Timeout: time.Minute, Image: "example.com/" + name,
	}
	c.service.LatestReady, c.service.LatestCreated = name, name
	c.change()
}

// edit changes a revision.
func (c *fakeCloud) edit(name string, change func(*rollout.Revision)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	revision := c.revisions[name]
	change(&revision)
	c.revisions[name] = revision
}

func (c *fakeCloud) change() {
	c.service.Generation++
	c.service.ObservedGeneration = c.service.Generation
	c.service.ETag = strconv.Quote(strconv.FormatInt(c.service.Generation, 10))
}

func (c *fakeCloud) serves() rollout.Split {
	c.mu.Lock()
	defer c.mu.Unlock()
	percents := map[string]int64{}
	for _, e := range c.service.Effective {
		percents[e.Revision] += e.Percent
	}
	return rollout.NewSplit(percents)
}

// sent counts the writes that arrived.
func (c *fakeCloud) sent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.writes)
}

func (c *fakeCloud) set(edit func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	edit()
}

// once takes a hook, so that it runs one time.
func (c *fakeCloud) once(hook *func()) {
	c.mu.Lock()
	run := *hook
	*hook = nil
	c.mu.Unlock()
	if run != nil {
		run()
	}
}

func (c *fakeCloud) Service(context.Context, rollout.ServiceRef) (rollout.Service, error) {
	c.once(&c.onRead)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	if c.readErr != nil {
		return rollout.Service{}, c.readErr
	}
	return c.service, nil
}

func (c *fakeCloud) Revisions(_ context.Context, _ rollout.ServiceRef, names []string) (map[string]rollout.Revision, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := map[string]rollout.Revision{}
	for _, name := range names {
		revision, ok := c.revisions[name]
		if !ok {
			revision = rollout.Revision{Presence: rollout.Missing, Name: name}
		}
		if c.egress != "" {
			revision.Egress = c.egress
		}
		found[name] = revision
	}
	return found, nil
}

func (c *fakeCloud) SetTraffic(_ context.Context, _ rollout.ServiceRef, w rollout.Write) error {
	c.once(&c.onWrite)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes = append(c.writes, w)
	if c.setErr != nil {
		return c.setErr
	}
	if w.ETag() != c.service.ETag {
		return &cloudrun.CallError{Op: "setting traffic", Kind: cloudrun.ErrConflict}
	}
	c.service.Desired = w.Targets()
	c.change()
	if c.stuck {
		c.service.ObservedGeneration--
	} else {
		c.service.Effective = w.Targets()
	}
	if c.lose {
		return &cloudrun.CallError{Op: "setting traffic", Kind: cloudrun.ErrAmbiguous}
	}
	return nil
}

func (c *fakeCloud) Answer(_ context.Context, questions []analysis.Question, now time.Time) (analysis.Answers, error) {
	c.once(&c.onAnswer)
	c.mu.Lock()
	defer c.mu.Unlock()
	answers := analysis.Answers{}
	for _, q := range questions {
		// Four minutes late, in whole minutes.
		through := now.Add(-4 * time.Minute).Truncate(time.Minute)
		if q.Until.Before(through) {
			through = q.Until
		}
		if c.silent {
			answers[q.Series] = analysis.Answer{Through: q.After, Cause: analysis.CauseUnavailable, Detail: "down"}
			continue
		}
		answer := analysis.Answer{Through: through}
		for end := q.After.Add(time.Minute); !end.After(through); end = end.Add(time.Minute) {
			if q.Metric == analysis.DroppedPackets || q.Metric == analysis.AllocationFailed {
				break // the gateway is well
			}
			bad := c.errors[q.Source.Revision]
			answer.Points = append(answer.Points, analysis.Point{End: end, Label: "2xx", Value: cmp.Or(c.requests, 100) - bad})
			if !c.torn.IsZero() && end.After(c.torn) && q.Metric == analysis.Requests {
				answer.Points = append(answer.Points, analysis.Point{End: end, Label: "4xx", Value: cmp.Or(c.requests, 100) / 10})
			}
			if bad > 0 && q.Metric == analysis.Requests {
				answer.Points = append(answer.Points, analysis.Point{End: end, Label: "5xx", Value: bad})
			}
		}
		answers[q.Series] = answer
	}
	return answers, nil
}
