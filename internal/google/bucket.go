package google

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// burstOf is the part of a minute's calls that may be made at once.
	burstOf = 3
	// probesOf is the part of a minute's calls that may be made though the API wants
	// to be left alone, by those who may not wait; a few of them at once.
	probesOf   = 3
	probeBurst = 10
)

// Limits say how much a Bucket holds, and how long it stays shut after a failure.
type Limits struct {
	// PerMinute is the most calls of a minute, of which a third may come at once.
	PerMinute int
	// FirstWait is the wait after a first failure, and LongestWait the longest after
	// many, when the API does not say how long to wait.
	FirstWait, LongestWait time.Duration
	// LongestTold is the longest wait that is believed when the API says it.
	LongestTold time.Duration
	// Overtaken is how much earlier than the latest a time may be without being that
	// of a clock that was set back.
	Overtaken time.Duration
	// Random spreads the waits, so that many managers do not come back at once: each
	// lies between half and the whole. It returns numbers from 0 to 1; nil means 1.
	Random func() float64
}

// Bucket is our share of a quota: it holds calls, fills with time, and is shut
// while the API asks to be left alone. It never waits: who may not call is told
// why. R is what is remembered of the failure that shut it. A nil Bucket lets all
// pass.
//
// The clock is read under the lock, so that nobody who was overtaken gives tokens
// for the same seconds again.
type Bucket[R any] struct {
	limits Limits

	mu      sync.Mutex
	limiter *rate.Limiter
	probes  *rate.Limiter // while the API wants to be left alone
	told    time.Time     // the latest time that was read

	// The API wants to be left alone from the one time until the other.
	from, until time.Time
	reason      R
	failures    int // in a row
}

// NewBucket makes a full one.
func NewBucket[R any](limits Limits) *Bucket[R] {
	b := &Bucket[R]{limits: limits}
	b.fill()
	return b
}

// fill makes it as full as a new one.
func (b *Bucket[R]) fill() {
	perSecond := rate.Limit(float64(b.limits.PerMinute) / 60)
	b.limiter = rate.NewLimiter(perSecond, max(1, b.limits.PerMinute/burstOf))
	b.probes = rate.NewLimiter(perSecond/probesOf, max(1, min(probeBurst, b.limits.PerMinute/burstOf)))
}

// Refusal says why a call must not be made.
type Refusal[R any] struct {
	// Told says that the API asked to be left alone; else our own limit is used up.
	Told   bool
	Reason R         // if Told
	Until  time.Time // when a call may be made, if nobody else makes it
	Wait   time.Duration
}

// Take takes one call out and returns nil, or says why not. A part of what may
// come at once, 1/reserve, is left to others; 0 leaves nothing.
func (b *Bucket[R]) Take(clock func() time.Time, reserve int) *Refusal[R] {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := clock()
	if b.shut(now) {
		return &Refusal[R]{Told: true, Reason: b.reason, Until: b.until, Wait: b.until.Sub(now)}
	}
	left := 0
	if reserve > 0 {
		left = b.limiter.Burst() / reserve
	}
	return b.spend(now, left)
}

// TakeUrgently is Take for who may not wait until the API no longer wants to be
// left alone. It then lets a few calls through nevertheless.
func (b *Bucket[R]) TakeUrgently(clock func() time.Time) *Refusal[R] {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := clock()
	if !b.shut(now) {
		return b.spend(now, 0)
	}
	b.tell(now)
	if missing := 1 - b.probes.TokensAt(b.told); missing > 0 {
		wait := time.Duration(missing / float64(b.probes.Limit()) * float64(time.Second))
		return &Refusal[R]{Told: true, Reason: b.reason, Until: b.told.Add(wait), Wait: wait}
	}
	no := b.spend(now, 0)
	if no == nil {
		b.probes.AllowN(b.told, 1)
	}
	return no
}

// spend takes one call out where so many are left to others. The lock is held.
func (b *Bucket[R]) spend(now time.Time, left int) *Refusal[R] {
	b.tell(now)
	missing := float64(1+left) - b.limiter.TokensAt(b.told)
	if missing <= 0 && b.limiter.AllowN(b.told, 1) {
		return nil
	}
	wait := time.Duration(missing / float64(b.limiter.Limit()) * float64(time.Second))
	return &Refusal[R]{Until: b.told.Add(wait), Wait: wait}
}

// tell notes the time. A clock that was set back begins anew.
func (b *Bucket[R]) tell(now time.Time) {
	if now.Before(b.told.Add(-b.limits.Overtaken)) {
		b.fill()
		b.told = now
	}
	if now.After(b.told) {
		b.told = now
	}
}

// shut tells whether the API is left alone. A clock that was set back opens.
func (b *Bucket[R]) shut(now time.Time) bool {
	return now.Before(b.until) && !now.Before(b.from.Add(-b.limits.Overtaken))
}

// Well notes that a call went well, which ends a row of failures.
func (b *Bucket[R]) Well(clock func() time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.shut(clock()) {
		b.failures = 0
	}
}

// Shut notes a failure after which the API must be left alone, for as long as it
// asks to or, if that is 0, for a wait that doubles with every failure in a row. It
// returns until when. The failure of a call that was under way beside the one that
// failed first only counts where the API asks for longer.
func (b *Bucket[R]) Shut(clock func() time.Time, asked time.Duration, reason R) time.Time {
	if b == nil {
		return time.Time{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := clock()
	shut := b.shut(now)
	wait := min(max(asked, 0), b.limits.LongestTold)
	switch {
	case wait > 0:
	case shut:
		return b.until
	default:
		b.failures++
		wait = b.backoff()
	}
	if until := now.Add(wait); !shut || until.After(b.until) {
		b.from, b.until, b.reason = now, until, reason
	}
	return b.until
}

func (b *Bucket[R]) backoff() time.Duration {
	wait := min(b.limits.FirstWait<<min(b.failures-1, 10), b.limits.LongestWait)
	if b.limits.Random == nil {
		return wait
	}
	return wait/2 + time.Duration(b.limits.Random()*float64(wait/2))
}

// NotBefore says of a call that was not made when it will be.
func NotBefore(words string, until time.Time) string {
	return fmt.Sprintf("%s; not asked again before %s", words, until.UTC().Format(time.RFC3339))
}

// Buckets are those of one API, by what its quota is counted by. R is as in Bucket.
type Buckets[K comparable, R any] struct {
	Limits Limits

	mu    sync.Mutex
	known map[K]*Bucket[R]
}

// Of returns the bucket of a key.
func (b *Buckets[K, R]) Of(key K) *Bucket[R] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known == nil {
		b.known = map[K]*Bucket[R]{}
	}
	if b.known[key] == nil {
		b.known[key] = NewBucket[R](b.Limits)
	}
	return b.known[key]
}
