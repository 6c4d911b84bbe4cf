package gateway

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/clock"
)

const (
	// DefaultCallsPerMinute is a quarter of what a project has for everybody who
	// reads in it: 1,500 a minute (docs compute/api-quota).
	DefaultCallsPerMinute = 375
	// burstOf is the part of a minute's calls that may be made at once.
	burstOf = 3

	// wait is how long a project is left alone that is over quota and does not say
	// how long: the quota is counted by the minute. longestWait is the longest that
	// is believed when it says.
	wait        = 30 * time.Second
	longestWait = 10 * time.Minute
)

// quota decides whether a project may be asked. It never waits: who may not ask
// is told why. A nil quota lets all pass.
type quota struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	limiter *rate.Limiter
	// The API wants to be left alone from the one time until the other.
	from, until time.Time
	words       string
}

// take takes one call out of the quota, or says why not. The clock is read under
// the lock, so that nobody who was overtaken gives tokens for the same seconds
// again.
func (q *quota) take(op string) *CallError {
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	if now.Before(q.until) && !now.Before(q.from) {
		return &CallError{
			Op: op, Kind: ErrThrottled, RetryAfter: q.until.Sub(now),
			Detail: fmt.Sprintf("%s; not asked again before %s", q.words, q.until.UTC().Format(time.RFC3339)),
		}
	}
	if q.limiter.AllowN(now, 1) {
		return nil
	}
	return &CallError{Op: op, Kind: ErrThrottled, Detail: fmt.Sprintf(
		"Sluice's own limit for a project, %.0f calls of Compute a minute, is used up", float64(q.limiter.Limit())*60)}
}

// settle notes that a call failed.
func (q *quota) settle(failure *CallError) {
	if q == nil || !errors.Is(failure.Kind, ErrThrottled) {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	alone := wait
	if failure.RetryAfter > 0 {
		alone = min(failure.RetryAfter, longestWait)
	}
	now := q.clock.Now()
	q.from, q.until, q.words = now, now.Add(alone), failure.Detail
}

// quotas holds the quota of each project. Without a clock there is no limit.
type quotas struct {
	perMinute int
	clock     clock.PassiveClock

	mu    sync.Mutex
	known map[string]*quota
}

func (q *quotas) of(project string) *quota {
	if q.clock == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.known == nil {
		q.known = map[string]*quota{}
	}
	if q.known[project] == nil {
		q.known[project] = &quota{clock: q.clock, limiter: rate.NewLimiter(
			rate.Limit(float64(q.perMinute)/60), max(1, q.perMinute/burstOf))}
	}
	return q.known[project]
}
