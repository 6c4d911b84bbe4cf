package monitoring

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// Answer answers questions, in the pass that asks them. Of several questions
// about one series, the answer covers all. Every question has an answer, and what
// failed says so in its cause. The error is the context's alone.
//
// Passes share what they ask for: of each metric of a project one query a minute
// names everything that was lately asked about, and whoever asks again within
// that minute is answered from it. A minute is one of the told time, now. A question
// about no whole minute makes no query.
//
// Nobody waits longer than the client's patience. What has not come by then is
// answered with CauseUnavailable, and serves the next pass when it comes.
//
// The slices and maps of answers are the caller's own. Histograms are shared and
// must not be changed.
func (c *Client) Answer(ctx context.Context, questions []analysis.Question, now time.Time) (analysis.Answers, error) {
	limited, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()

	queries, merged := apart(merge(questions))
	results := make([]analysis.Answers, len(queries), len(questions)+len(queries))
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		each(len(queries), func(i int) {
			results[i] = c.valued(limited, queries[i], now)
		})
	}()
	c.learn(limited, merged, now)
	answers, orders := c.orders(merged, now)
	filled := make([]analysis.Answers, len(orders))
	each(len(orders), func(i int) {
		filled[i] = c.fill(limited, orders[i], now)
	})
	<-asked
	results = append(results, filled...)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("asking Cloud Monitoring: %w", err)
	}
	for _, result := range results {
		maps.Copy(answers, result)
	}
	for series, answer := range answers {
		answer.Delay = c.delay(series)
		answers[series] = answer
	}
	return answers, nil
}

// delay is the age at which a minute of a series has surely arrived; 0 of one that
// nobody can ask for.
func (c *Client) delay(of analysis.Series) time.Duration {
	if of.Source.IsQuery() {
		return analysis.Value.Delay()
	}
	return c.lags.of(lagKey{of.Source.Project, of.Metric})
}

// apart parts the queries that people wrote from what is measured.
func apart(questions []analysis.Question) (queries, others []analysis.Question) {
	for _, q := range questions {
		if q.Source.IsQuery() {
			queries = append(queries, q)
		} else {
			others = append(others, q)
		}
	}
	return queries, others
}

// valued answers a query.
func (c *Client) valued(ctx context.Context, q analysis.Question, now time.Time) analysis.Answers {
	var answer analysis.Answer
	panicked := guarded("answering", func() { c.counters.panic(methodQuery) }, func() { answer = c.value(ctx, q, now) })
	if panicked.cause != analysis.CauseNone {
		answer = analysis.Answer{Cause: panicked.cause, Detail: panicked.detail}
	}
	return analysis.Answers{q.Series: answer}
}

// fill has a desk answer an order.
func (c *Client) fill(ctx context.Context, o order, now time.Time) (answers analysis.Answers) {
	panicked := guarded("answering", c.caught, func() {
		answers = c.desks.of(o.key, now, c.newDesk).ask(ctx, o.wishes, moment{now, o.certain})
	})
	if panicked.cause == analysis.CauseNone {
		return answers
	}
	answers = analysis.Answers{}
	for _, w := range o.wishes {
		answers[w.series] = analysis.Answer{Through: w.through, Cause: panicked.cause, Detail: panicked.detail}
	}
	return answers
}

func (c *Client) caught() { c.counters.panic(methodList) }

// orders sorts questions by the desks that answer them. What needs no query is
// answered at once.
func (c *Client) orders(questions []analysis.Question, now time.Time) (analysis.Answers, []order) {
	answers := make(analysis.Answers, len(questions))
	var orders []order
	at := map[deskKey]int{}
	for _, q := range questions {
		if refused := askable(q); refused != nil {
			answers[q.Series] = *refused
			continue
		}
		certain := now.Add(-c.lags.of(lagKey{q.Source.Project, q.Metric})).Truncate(time.Minute).UTC()
		w, answer := wishOf(q, certain)
		if answer != nil {
			answers[q.Series] = *answer
			continue
		}
		key := deskKey{q.Source.Project, q.Metric, spanOf(certain.Sub(w.after))}
		i, known := at[key]
		if !known {
			i = len(orders)
			at[key] = i
			orders = append(orders, order{key: key, certain: certain})
		}
		orders[i].wishes = append(orders[i].wishes, w)
	}
	return answers, orders
}

func (c *Client) newDesk(key deskKey) *desk {
	return &desk{
		key: key, read: c.list, limit: batch * c.timeout, clock: c.clock, caught: c.caught, members: members{},
	}
}

// desks holds the desks that somebody asks.
type desks struct {
	mu    sync.Mutex
	known map[deskKey]*desk
	asked map[deskKey]time.Time
}

// of returns a desk, and forgets those that nobody asked for so long that they
// have no members left, with all they hold.
func (d *desks) of(key deskKey, now time.Time, build func(deskKey) *desk) *desk {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil {
		d.known, d.asked = map[deskKey]*desk{}, map[deskKey]time.Time{}
	}
	d.asked[key] = now
	for other, last := range d.asked {
		if now.Sub(last).Abs() > memberAge {
			delete(d.asked, other)
			delete(d.known, other)
		}
	}
	if d.known[key] == nil {
		d.known[key] = build(key)
	}
	return d.known[key]
}

// each calls f for 0 to n-1, a few at a time, and waits for all.
func each(n int, f func(int)) {
	var group sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i := range n {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			f(i)
		})
	}
	group.Wait()
}
