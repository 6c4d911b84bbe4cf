package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const (
	// retryAfter is how long what could not be read is not read again, twice as long
	// after each further failure, up to retryLongest: a call that hangs holds up a
	// worker, which rollouts that need no Compute API wait for as well. retryFact is
	// the same where the API said that it is missing or denied. Somebody may just be
	// mending that.
	retryAfter   = 15 * time.Second
	retryLongest = 2 * time.Minute
	retryFact    = time.Minute
	// forgetAfter is how long something is kept that nobody asks for.
	forgetAfter = 24 * time.Hour
)

// ages say how old an answer may be: fresh, to be given without asking the API
// again; stale, to be given when the API cannot say.
type ages struct{ fresh, stale time.Duration }

// shelf keeps the newest answers to one kind of question. Its zero value is empty.
type shelf[K comparable, V any] struct {
	mu    sync.Mutex
	items map[K]*item[V]
}

// item is the newest answer to one question. Its turn is held by whoever reads or
// renews it, so that concurrent passes share one call.
type item[V any] struct {
	turn  chan struct{}
	asked time.Time // by anybody; guarded by the shelf

	value V
	at    time.Time // of value; zero before the first

	failure       *CallError // of the newest try
	failures      int        // in a row that say nothing of what was asked
	tried, resume time.Time  // of that failure, and before which it is not tried again
}

// get gives the answer to a question and the time when it was read. It asks the
// API when what is kept is not fresh.
func (s *shelf[K, V]) get(
	ctx context.Context, key K, now time.Time, age ages, read func(context.Context) (V, *CallError),
) (V, time.Time, *CallError) {
	it := s.item(key, now)
	var none V
	select {
	case it.turn <- struct{}{}:
	case <-ctx.Done():
		return none, time.Time{}, &CallError{
			Op: "waiting for a read", Kind: google.ErrUnavailable, Detail: google.Detail(ctx.Err()), Cause: ctx.Err(),
		}
	}
	defer func() { <-it.turn }()
	if !fresh(it.at, now, age.fresh) && !it.resting(now) {
		value, failure := read(ctx)
		if failure != nil && ctx.Err() != nil { // then it says nothing about what was asked
			return none, time.Time{}, failure
		}
		it.renew(value, failure, now)
	}
	if it.failure == nil || presence(it.failure) == rollout.Unknown && fresh(it.at, now, age.stale) {
		return it.value, it.at, nil
	}
	return none, time.Time{}, it.failure
}

// last gives the newest answer that there was, up to an age, and asks nobody.
func (s *shelf[K, V]) last(ctx context.Context, key K, now time.Time, maxAge time.Duration) (value V, known bool) {
	it := s.item(key, now)
	select {
	case it.turn <- struct{}{}:
	case <-ctx.Done():
		return value, false
	}
	defer func() { <-it.turn }()
	if !fresh(it.at, now, maxAge) {
		return value, false
	}
	return it.value, true
}

func (it *item[V]) resting(now time.Time) bool {
	return it.failure != nil && now.Before(it.resume) && !now.Before(it.tried)
}

func (it *item[V]) renew(value V, failure *CallError, now time.Time) {
	it.failure = failure
	if failure == nil {
		it.value, it.at, it.failures = value, now, 0
		return
	}
	rest := max(min(retryAfter<<min(it.failures, 10), retryLongest), min(failure.RetryAfter, longestWait))
	switch {
	case presence(failure) != rollout.Unknown:
		rest, it.failures = retryFact, 0
	case !errors.Is(failure.Kind, google.ErrThrottled): // which costs nobody any time
		it.failures++
	}
	it.tried, it.resume = now, now.Add(rest)
}

func (s *shelf[K, V]) item(key K, now time.Time) *item[V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	it, ok := s.items[key]
	if !ok {
		if s.items == nil {
			s.items = map[K]*item[V]{}
		}
		for other, have := range s.items {
			if !fresh(have.asked, now, forgetAfter) {
				delete(s.items, other)
			}
		}
		it = &item[V]{turn: make(chan struct{}, 1)}
		s.items[key] = it
	}
	it.asked = now
	return it
}

// fresh tells whether something was read less than maxAge before now, or after
// it, by a pass that was a little later. What seems to come from further in the
// future was read before the clock was set back.
func fresh(at, now time.Time, maxAge time.Duration) bool {
	return !at.IsZero() && now.Sub(at).Abs() < maxAge
}
