package cloudrun

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/internal/google"
)

const (
	// DefaultReadsPerMinute is half of the smallest quota that was seen. A project
	// has ReadPerMinutePerProjectRegion for everybody who reads in a region: 600 in
	// a project of low usage (public code); 3000 is what is told of mature ones,
	// without a source. With what may come at once, the worst minute is 400 reads.
	DefaultReadsPerMinute = 300

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
	// urgent reads are for a way back. Some are made though the API wants to be left
	// alone: it may be somebody else whose calls are too many, and users fail for as
	// long as none is made.
	urgent class = "urgent"
	// shared is a list for looks at rollouts under way: it spares a live read of each.
	shared class = "shared"
	// live reads come before decisions and ways back.
	live class = "live"
	// watching is a look at a revision under way. Whoever may not look reads live.
	watching class = "watching"
	// resting is a read for a rollout at which nothing is under way.
	resting class = "resting"
)

// reserve is which part of the burst, 1/reserve, a class leaves to those who can
// wait less; 0 for none. The looks at rollouts under way get at what the resting
// ones leave, and their list at what live reads leave: those would otherwise keep out
// the one call in whose place they are all made, and never stop.
func (c class) reserve() int {
	switch c {
	case resting:
		return 2
	case watching:
		return 4
	case live:
		return 8
	case shared:
		return 16
	case urgent:
	}
	return 0
}

type (
	restKey   struct{}
	urgentKey struct{}
)

// AtRest marks what is read for a rollout at which nothing is under way: it
// leaves half of what may be read at once to the others. The mark weighs where a
// look begins; who was let in reads to the end, since half a look is no use.
func AtRest(ctx context.Context) context.Context { return context.WithValue(ctx, restKey{}, true) }

// Rests tells whether AtRest has marked it.
func Rests(ctx context.Context) bool { return ctx.Value(restKey{}) != nil }

// Urgent marks what is read to send traffic back: a part of our own limit is kept
// for it, and it need not wait until the API no longer wants to be left alone.
func Urgent(ctx context.Context) context.Context { return context.WithValue(ctx, urgentKey{}, true) }

// classOr is the class of a read: urgent or resting where it is marked so.
func classOr(ctx context.Context, otherwise class) class {
	if Rests(ctx) {
		return resting
	}
	return urgentOr(ctx, otherwise)
}

func urgentOr(ctx context.Context, otherwise class) class {
	if ctx.Value(urgentKey{}) != nil {
		return urgent
	}
	return otherwise
}

// The causes of a read that is not made.
const (
	ownLimit = "limit"
	askedTo  = "asked" // the API asked to be left alone
)

// quotas are the reads of each project and location. Writes have a quota of their
// own, and may be a way back. Of a failure its words are remembered.
type quotas = google.Buckets[place, string]

// limits are those of the reads of a project and location.
func limits(perMinute int, random func() float64) google.Limits {
	return google.Limits{
		PerMinute: perMinute, FirstWait: firstWait, LongestWait: longestWait, LongestTold: longestTold, Random: random,
	}
}

// quota is the bucket of a place; nil, which lets all pass, without a clock.
func (c *Client) quota(at place) *google.Bucket[string] {
	if c.clock == nil {
		return nil
	}
	return c.quotas.Of(at)
}

// withheld is the failure of a read that was not made: ErrThrottled and
// ErrNotAsked.
func (c *Client) withheld(what lookup, no *google.Refusal[string]) *CallError {
	failure := &CallError{Op: what.op, Kind: ErrThrottled, RetryAfter: no.Wait, Cause: ErrNotAsked}
	if no.Told {
		c.counters.withheld.WithLabelValues(string(what.of), askedTo).Inc()
		failure.Detail = google.NotBefore(no.Reason, no.Until)
		return failure
	}
	c.counters.withheld.WithLabelValues(string(what.of), ownLimit).Inc()
	but := map[class]string{shared: " but for ways back", live: " but for ways back", watching: " but for what decisions need", resting: " but for what decisions need"}[what.of]
	failure.Detail = fmt.Sprintf("Sluice's own limit for a project and location, %d reads a minute, is used up%s; "+
		"--cloud-run-reads-per-minute raises it", c.quotas.Limits.PerMinute, but)
	return failure
}

func (c *Client) take(q *google.Bucket[string], of class) *google.Refusal[string] {
	if of == urgent {
		return q.TakeUrgently(c.now)
	}
	return q.Take(c.now, of.reserve())
}

// lookup is one read: what it does, where, and how well it can wait.
type lookup struct {
	op string
	at place
	of class
}

// read makes one read within the quota of its place.
func read[T any](c *Client, what lookup, ask func() (T, error)) (T, *CallError) {
	q := c.quota(what.at)
	if no := c.take(q, what.of); no != nil {
		var none T
		return none, c.withheld(what, no)
	}
	answer, err := ask()
	if err == nil {
		q.Well(c.now)
		return answer, nil
	}
	failure := readError(what.op, err)
	if errors.Is(failure, ErrThrottled) {
		q.Shut(c.now, failure.RetryAfter, failure.Detail)
	}
	return answer, failure
}
