package cloudrun

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/clock"
)

const (
	// DefaultReadsPerMinute is half of the smallest quota that was seen. A project
	// has ReadPerMinutePerProjectRegion for everybody who reads in a region: 600 in
	// a project of low usage (public code); 3000 is what is told of mature ones,
	// without a source. With what may come at once, the worst minute is 400 reads.
	DefaultReadsPerMinute = 300
	// burstOf is the part of a minute's reads that may be made at once.
	burstOf = 3

	// The wait after a first answer that the quota is used up, and the longest
	// after many, when the API does not say how long to wait: it counts minutes.
	firstWait   = 5 * time.Second
	longestWait = time.Minute
	// longestTold is the longest wait that is kept when the API says it, because a
	// way back may be waiting behind it.
	longestTold = 2 * time.Minute
)

// class is how well a read can wait.
type class string

const (
	// live reads come before decisions and ways back.
	live class = "live"
	// watching is a look at a rollout under way. Whoever may not look reads live.
	watching class = "watching"
	// resting is a read for a rollout at which nothing is under way.
	resting class = "resting"
)

// reserve is how much of the burst a class leaves to those who can wait less.
// The looks at rollouts under way get at what the resting ones leave: one list
// spares the live reads of all of them.
func (c class) reserve(burst int) int {
	switch c {
	case resting:
		return burst / 2
	case watching:
		return burst / 4
	case live:
	}
	return 0
}

type restKey struct{}

// AtRest marks what is read for a rollout at which nothing is under way: it
// leaves half of what may be read at once to the others. The mark weighs where a
// look begins; who was let in reads to the end, since half a look is no use.
func AtRest(ctx context.Context) context.Context { return context.WithValue(ctx, restKey{}, true) }

func rests(ctx context.Context) bool { return ctx.Value(restKey{}) != nil }

// classOr is the class of a read: resting where it is marked so.
func classOr(ctx context.Context, otherwise class) class {
	if rests(ctx) {
		return resting
	}
	return otherwise
}

// The causes of a read that is not made.
const (
	ownLimit = "limit"
	askedTo  = "asked" // the API asked to be left alone
)

// refusal says why a read is not made, and when one can be.
type refusal struct {
	cause, detail string
	wait          time.Duration
}

// quota decides whether the services of a project and location may be read. It
// never waits: who may not read is told why. It knows nothing of writes, which
// have a quota of their own and may be a way back. A nil quota lets all pass.
type quota struct {
	clock  clock.PassiveClock
	random func() float64

	mu      sync.Mutex
	limiter *rate.Limiter

	// The API wants to be left alone from the one time until the other.
	from, until time.Time
	words       string
	failures    int // in a row
}

// take takes one read out of the quota, or says why not. The clock is read under
// the lock, so that nobody who was overtaken gives tokens for the same seconds
// again.
func (q *quota) take(of class) *refusal {
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	if q.shut(now) {
		detail := fmt.Sprintf("%s; not asked again before %s", q.words, q.until.UTC().Format(time.RFC3339))
		return &refusal{cause: askedTo, detail: detail, wait: q.until.Sub(now)}
	}
	missing := float64(1+of.reserve(q.limiter.Burst())) - q.limiter.TokensAt(now)
	if missing <= 0 && q.limiter.AllowN(now, 1) {
		return nil
	}
	but := ""
	if of != live {
		but = " but for what decisions need"
	}
	perSecond := float64(q.limiter.Limit())
	return &refusal{
		cause: ownLimit, wait: time.Duration(missing / perSecond * float64(time.Second)),
		detail: fmt.Sprintf("Sluice's own limit for a project and location, %.0f reads a minute, is used up%s; "+
			"--cloud-run-reads-per-minute raises it", perSecond*60, but),
	}
}

// shut tells whether the API is left alone. A clock that was set back opens.
func (q *quota) shut(now time.Time) bool { return now.Before(q.until) && !now.Before(q.from) }

// settle notes how a read ended: nil is well.
func (q *quota) settle(failure *CallError) {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	shut := q.shut(now)
	if failure == nil && !shut {
		q.failures = 0
	}
	if failure == nil || !errors.Is(failure.Kind, ErrThrottled) {
		return
	}
	wait := min(failure.RetryAfter, longestTold)
	switch {
	case wait > 0:
	case shut: // it was under way beside the one that failed first
		return
	default:
		q.failures++
		wait = q.backoff()
	}
	if until := now.Add(wait); !shut || until.After(q.until) {
		q.from, q.until, q.words = now, until, failure.Detail
	}
}

// backoff doubles with every failure. Between half and the whole of it is waited,
// so that many managers do not come back at once.
func (q *quota) backoff() time.Duration {
	wait := min(firstWait<<min(q.failures-1, 10), longestWait)
	return wait/2 + time.Duration(q.random()*float64(wait/2))
}

// quotas holds the quota of each project and location. Without a clock there is
// no limit.
type quotas struct {
	perMinute int
	clock     clock.PassiveClock
	random    func() float64

	mu    sync.Mutex
	known map[place]*quota
}

func (q *quotas) of(at place) *quota {
	if q.clock == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.known == nil {
		q.known = map[place]*quota{}
	}
	if q.known[at] == nil {
		q.known[at] = &quota{
			clock: q.clock, random: q.random,
			limiter: rate.NewLimiter(rate.Limit(float64(q.perMinute)/60), max(1, q.perMinute/burstOf)),
		}
	}
	return q.known[at]
}

// lookup is one read: what it does, where, and how well it can wait.
type lookup struct {
	op string
	at place
	of class
}

// read makes one read within the quota of its place. The failure of one that was
// not made is ErrThrottled and ErrNotAsked.
func read[T any](c *Client, what lookup, ask func() (T, error)) (T, *CallError) {
	q := c.quotas.of(what.at)
	if no := q.take(what.of); no != nil {
		c.counters.withheld.WithLabelValues(string(what.of), no.cause).Inc()
		var none T
		return none, &CallError{Op: what.op, Kind: ErrThrottled, Detail: no.detail, RetryAfter: no.wait, cause: ErrNotAsked}
	}
	answer, err := ask()
	if err == nil {
		q.settle(nil)
		return answer, nil
	}
	failure := readError(what.op, err)
	q.settle(failure)
	return answer, failure
}
