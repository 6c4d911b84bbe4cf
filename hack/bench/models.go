package main

import "time"

// The models are ours, and small. Each takes one idea from tools that exist,
// named in its comment with the place where it was read; none of them is a tool.
// They walk the same plan as Sluice: its weights, with the bake as the time that
// a step is held, and its limit.

// opinion is what a model thinks of a step at one look.
type opinion int

const (
	wait opinion = iota
	pass
	abort
)

// model rolls out by an opinion each minute.
type model struct {
	name, meaning string
	// begin returns what judges one rollout: at each whole minute, a step that
	// has been held for some time.
	begin func() func(w *world, s step, age time.Duration) opinion
}

// judge plays one rollout to its end.
func (m model) judge(w *world) result {
	think := m.begin()
	for _, s := range steps {
		w.shift(s.weight)
		since := w.now
		for verdict := wait; verdict != pass; {
			w.advance(w.now.Add(time.Minute))
			if verdict = think(w, s, w.now.Sub(since)); verdict == abort {
				return w.ended(rolledBack)
			}
		}
	}
	return w.ended(promoted)
}

// models are what Sluice is compared with.
var models = []model{
	{
		"interval, first", "each minute by itself, when it has arrived; the first one over the limit aborts; an empty one succeeds",
		intervals{failures: 1}.begin,
	},
	{
		"interval, fifth", "the same, the fifth one over the limit aborts, counted over the whole rollout",
		intervals{failures: 5}.begin,
	},
	{
		"interval, fifth, empty fails", "the same, and a minute without requests counts as one over the limit",
		intervals{failures: 5, empty: 1}.begin,
	},
	{
		"empty is zero", "every minute the candidate's errors over its requests of the last ten minutes, as far as they have " +
			"arrived; nothing there is no error; over the limit aborts, else the bake's end passes",
		emptyIsZero,
	},
	{
		"mixed counter", "errors over requests of both revisions together, in the newest five minutes that have arrived; " +
			"over the limit aborts",
		mixedCounter,
	},
}

// intervals models a point estimate for each interval with a failure limit, like
// the analyses of Argo Rollouts (9f8d111: failureLimit, 0 by default; an empty
// result is whatever the user's condition makes of it, and success in the usual
// "len(result) == 0 || ...") and Flagger (15bd6ad, pkg/controller/scheduler.go:
// threshold failed checks in all, never reset, no data among them). Both ask for
// "now"; here each interval waits until its data have arrived, which is better
// than what they do on metrics this late.
type intervals struct {
	failures int // that abort
	empty    int // failures that an interval without requests counts as
}

func (i intervals) begin() func(*world, step, time.Duration) opinion {
	failed := 0
	return func(w *world, s step, age time.Duration) opinion {
		if age <= requestLag {
			return wait
		}
		newest := w.now.Add(-requestLag)
		c := both(w.arrived(newest.Add(-time.Minute), newest, requestLag)).candidate
		switch {
		case c.all() == 0:
			failed += i.empty
		case c.ratio() > limit:
			failed++
		}
		return i.opinion(failed, age-requestLag >= s.bake)
	}
}

func (i intervals) opinion(failed int, over bool) opinion {
	switch {
	case failed >= i.failures:
		return abort
	case over:
		return pass
	}
	return wait
}

// emptyIsZero models cloud-run-release-manager (c49be44): errors over requests of
// the candidate in a window that ends now, without regard to what is still on its
// way; no series is a rate of 0 (internal/metrics/stackdriver/stackdriver.go,
// ErrorRate), and the code asks for no least number of requests by default
// (cmd/operator/main.go:101). There window and wait are 30 minutes each by
// default; here they are as long as the bake of the first step.
func emptyIsZero() func(*world, step, time.Duration) opinion {
	return func(w *world, s step, age time.Duration) opinion {
		c := both(w.arrived(w.now.Add(-steps[0].bake), w.now, requestLag)).candidate
		switch {
		case c.ratio() > limit:
			return abort
		case age >= s.bake:
			return pass
		}
		return wait
	}
}

// mixedCounter models a guard that counts the service and not the revision, like
// an alert policy on a service's request_count that a rollout tool heeds: Cloud
// Deploy's canary analysis watches alert policies and ends with the first active
// one (its documentation).
func mixedCounter() func(*world, step, time.Duration) opinion {
	return func(w *world, s step, age time.Duration) opinion {
		newest := w.now.Add(-requestLag)
		m := both(w.arrived(newest.Add(-5*time.Minute), newest, requestLag))
		switch {
		case m.candidate.plus(m.stable).ratio() > limit:
			return abort
		case age-requestLag >= s.bake:
			return pass
		}
		return wait
	}
}

// both sums up minutes, revision by revision.
func both(minutes []minute) minute {
	var sum minute
	for _, m := range minutes {
		sum.candidate, sum.stable = sum.candidate.plus(m.candidate), sum.stable.plus(m.stable)
	}
	return sum
}
