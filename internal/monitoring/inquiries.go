package monitoring

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/promql"
)

// part of the burst of calls that queries of people's own leave to the built-in checks.
const leftToOthers = 2

// inquiry is a query that was asked for a minute. It does not change once it is done.
type inquiry struct {
	rangeQuery
	asked  time.Time
	done   chan struct{}
	values values
}

// come tells whether its answer is there.
func (i *inquiry) come() bool {
	select {
	case <-i.done:
		return true
	default:
		return false
	}
}

// inquiries remembers what was asked: who asks the same in the same minute is answered
// from it, whether it went well or not.
type inquiries struct {
	mu    sync.Mutex
	known map[string]*inquiry // by project and text
}

// of returns the inquiry for a query, and whether it is new, so that it has to be made.
func (i *inquiries) of(q rangeQuery, now time.Time) (*inquiry, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known == nil {
		i.known = map[string]*inquiry{}
	}
	maps.DeleteFunc(i.known, func(_ string, one *inquiry) bool { return now.Sub(one.asked).Abs() > memberAge })
	key := q.project + "\n" + q.text
	if one := i.known[key]; one != nil && one.through.Equal(q.through) && !one.after.After(q.after) {
		return one, false
	}
	one := &inquiry{rangeQuery: q, asked: now, done: make(chan struct{})}
	i.known[key] = one
	return one, true
}

// value answers a question in PromQL.
func (c *Client) value(ctx context.Context, q analysis.Question, now time.Time) analysis.Answer {
	through := now.Add(-analysis.Value.Delay()).Truncate(time.Minute).UTC()
	if until := q.Until.Truncate(time.Minute).UTC(); until.Before(through) {
		through = until
	}
	asked, err := rangeOf(q, through)
	switch {
	case err != nil:
		return analysis.Answer{Cause: analysis.CauseInvalid, Detail: google.Clean(err.Error())}
	case !through.After(asked.after):
		return analysis.Answer{Through: through}
	case !scopeOf(ctx).admits(q.Source):
		return analysis.Answer{Through: through, Cause: analysis.CauseDenied, Detail: "no CloudRunAccess lets this namespace ask that"}
	}
	one, fresh := c.inquiries.of(asked, now)
	if fresh {
		go c.inquire(context.WithoutCancel(ctx), one, newWatch(c.clock, now))
	}
	select {
	case <-one.done:
	case <-ctx.Done():
		if !one.come() { // of two that are ready, one is taken by lot
			return analysis.Answer{Through: through, Cause: analysis.CauseUnavailable, Detail: inTime}
		}
	}
	answer := analysis.Answer{
		Through: through, Cause: one.values.trouble.cause, Detail: one.values.trouble.detail,
		Points: slices.DeleteFunc(slices.Clone(one.values.points), func(p analysis.Point) bool { return !p.End.After(asked.after) }),
	}
	if answer.Cause == analysis.CauseNone {
		answer.Detail = one.values.note
	}
	return answer
}

// rangeOf fills a question's placeholders. Names that are none are not sent, although
// no name could end the string that it stands in.
func rangeOf(q analysis.Question, through time.Time) (rangeQuery, error) {
	of := q.Source
	if !projectID.MatchString(of.Project) {
		return rangeQuery{}, fmt.Errorf("no such project: %s", of.Project)
	}
	template, err := promql.Parse(of.Query)
	if err != nil {
		return rangeQuery{}, err
	}
	names := promql.Names{
		promql.Service: of.Service, promql.Candidate: of.Revision, promql.Stable: of.Beside,
		promql.Location: of.Location, promql.Project: of.Project,
	}
	for _, what := range slices.Sorted(maps.Keys(names)) {
		if err := sendable(names[what]); err != nil {
			return rangeQuery{}, fmt.Errorf("filling in {{%s}}: %w", what, err)
		}
	}
	after := q.After.Truncate(time.Minute).UTC()
	if oldest := through.Add(-mostMinutes * time.Minute); after.Before(oldest) {
		after = oldest
	}
	return rangeQuery{project: of.Project, text: template.Fill(names), after: after, through: through}, nil
}

// inquire makes a call, within the project's quota. What it is answered may shut nobody
// out but queries: a query that takes too long is its author's doing.
func (c *Client) inquire(ctx context.Context, one *inquiry, w watch) {
	defer close(one.done)
	panicked := guarded("asking a query", func() { c.counters.panic(methodQuery) }, func() {
		one.values = c.called(ctx, one.rangeQuery, w)
	})
	if panicked.cause != analysis.CauseNone {
		one.values = values{trouble: panicked}
	}
}

func (c *Client) called(ctx context.Context, q rangeQuery, w watch) values {
	apart := c.quotas.Of("queries of " + q.project)
	for _, bucket := range []*quota{apart, c.quotas.Of(q.project)} {
		if t := c.takeLeaving(bucket, w, leftToOthers); t.cause != analysis.CauseNone {
			return values{trouble: t}
		}
	}
	answer, err := c.web.QueryRange(ctx, q, c.timeout)
	c.counters.call(methodQuery, err)
	if err == nil {
		apart.Well(w.now)
		return valuesOf(q, answer)
	}
	if isThrottled(err) {
		return values{trouble: settle(apart, err, w)}
	}
	cause, detail := causeOf(err)
	return values{trouble: trouble{cause: cause, detail: detail}}
}
