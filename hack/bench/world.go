package main

import (
	"fmt"
	"time"
)

const (
	// stableErrors is the share of stable's requests that fail.
	stableErrors = 0.001
	// requestLag is the age at which a minute of request_count has arrived: a
	// sample every 60 s, visible up to 180 s later (Google Cloud metrics list).
	requestLag = 4 * time.Minute
	// instanceLag is the same for container/instance_count, up to 120 s later.
	instanceLag = 3 * time.Minute
	// idle is how long an instance is kept without a request at the most (Cloud
	// Run docs, about instance autoscaling).
	idle = 15
	// history is how many minutes of the service are known before the candidate.
	history = 40
)

// began is when every trial begins. The date means nothing.
var began = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// conditions is what a world is like.
type conditions struct {
	rate   float64 // requests per second of the service
	errors float64 // share of the candidate's requests that fail, on average
	bursts burst
	fault  fault
}

// burst gathers errors in some minutes: each minute has them with the chance of
// one in every, and then all of them. 0 spreads them evenly.
type burst struct {
	every  float64
	shared bool // stable fails alike in these minutes
}

// fault is what is wrong with the data.
type fault string

const (
	noFault   fault = ""
	absent    fault = "absent"    // no series from the first shift on
	late      fault = "late"      // everything arrives ten minutes later than it should
	gap       fault = "gap"       // the third to the seventh minute after a shift never arrive
	uncounted fault = "uncounted" // the candidate's requests are not counted, its instances are
)

// meaning says what is wrong with the data.
func (f fault) meaning() string {
	return map[fault]string{
		noFault: "whole", absent: "no series from the first shift on", late: "ten minutes later than the metric's delay",
		gap: "five minutes of each step missing", uncounted: "the candidate's requests are not counted, its instances are",
	}[f]
}

// longLate is how much later than it should everything arrives.
const longLate = 10 * time.Minute

// String names the world; its luck hangs on the name.
func (c conditions) String() string {
	return fmt.Sprintf("%g/s %g%% %v %s", c.rate, c.errors*100, c.bursts, c.fault)
}

// counts are one revision's requests of one minute.
type counts struct{ good, bad int64 }

func (c counts) all() int64 { return c.good + c.bad }

func (c counts) plus(d counts) counts { return counts{c.good + d.good, c.bad + d.bad} }

// ratio is the share that failed, 0 of none.
func (c counts) ratio() float64 {
	if c.all() == 0 {
		return 0
	}
	return float64(c.bad) / float64(c.all())
}

// minute is what was counted in one minute, named by its end.
type minute struct {
	end               time.Time
	candidate, stable counts
	instance          bool // the candidate had one
}

// world is one service, minute by minute. It knows traffic and what is counted
// of it, and nothing of who looks at it.
type world struct {
	conditions
	dice    dice
	now     time.Time
	weight  int64     // percent of the candidate
	shifted time.Time // since when it serves; zero before the first shift
	owed    float64   // seconds of the present minute, weighed with the candidate's share
	asked   int       // minute of the candidate's newest request or start
	minutes []minute
	failing time.Time // end of the first minute that shows an error of the candidate
}

// newWorld is a service that stable has served for a while.
func newWorld(c conditions, seed uint64, trial int) *world {
	w := &world{conditions: c, dice: newDice(seed, c.String(), trial), now: began}
	w.minutes = make([]minute, 0, 3*history)
	w.advance(began.Add(history * time.Minute))
	w.asked = len(w.minutes) // it was started to become ready
	return w
}

// shift gives the candidate a weight, from now on.
func (w *world) shift(weight int64) { w.weight, w.shifted = weight, w.now }

// advance lets time pass.
func (w *world) advance(to time.Time) {
	for w.now.Before(to) {
		end := w.now.Truncate(time.Minute).Add(time.Minute)
		until := end
		if to.Before(until) {
			until = to
		}
		w.owed += until.Sub(w.now).Seconds() * float64(w.weight) / 100
		w.now = until
		if until.Equal(end) {
			w.count(end)
			w.owed = 0
		}
	}
}

// count draws what happened in the minute that ends now.
func (w *world) count(end time.Time) {
	i := len(w.minutes)
	w.dice.minute(i)
	mine, theirs := w.rate*w.owed, w.rate*(60-w.owed)
	mineBad, theirsBad := w.shares()
	m := minute{end: end, candidate: w.requests(mine, mineBad), stable: w.requests(theirs, theirsBad)}
	if m.candidate.all() > 0 {
		w.asked = i
	}
	m.instance = w.owed > 0 && i-w.asked <= idle
	m = w.spoil(m)
	if m.candidate.bad > 0 && w.failing.IsZero() {
		w.failing = end
	}
	w.minutes = append(w.minutes, m)
}

// requests draws a minute's requests where mean are expected. Arrivals are Poisson
// and each fails by itself, so that successes and errors are two independent
// Poisson counts.
func (w *world) requests(mean, bad float64) counts {
	return counts{w.dice.poisson(mean * (1 - bad)), w.dice.poisson(mean * bad)}
}

// shares are the shares of errors in this minute.
func (w *world) shares() (candidate, stable float64) {
	if w.bursts.every == 0 {
		return w.errors, stableErrors
	}
	if w.dice.Float64()*w.bursts.every >= 1 {
		return 0, stableErrors
	}
	all := min(1, w.errors*w.bursts.every)
	if w.bursts.shared {
		return all, all
	}
	return all, stableErrors
}

// spoil takes away what the fault keeps from being counted.
func (w *world) spoil(m minute) minute {
	if w.shifted.IsZero() {
		return m
	}
	age := m.end.Sub(w.shifted).Truncate(time.Minute) / time.Minute
	switch {
	case w.fault == absent, w.fault == gap && age >= 2 && age <= 6:
		return minute{end: m.end}
	case w.fault == uncounted:
		m.candidate = counts{}
	}
	return m
}

// delay is how late data are, beyond what is known of the metric.
func (w *world) delay() time.Duration {
	if w.fault == late && !w.shifted.IsZero() {
		return longLate
	}
	return 0
}

// arrived lists the minutes that end in (after, until] and have arrived, for a
// metric with a lag.
func (w *world) arrived(after, until time.Time, lag time.Duration) []minute {
	if newest := w.now.Add(-lag - w.delay()); newest.Before(until) {
		until = newest
	}
	return w.minutes[w.first(after):max(w.first(after), w.first(until))]
}

// first is the index of the first minute that ends after a time.
func (w *world) first(after time.Time) int {
	return min(len(w.minutes), max(0, int(after.Sub(began)/time.Minute)))
}

// visible is when the candidate's first error could be seen; zero for never.
func (w *world) visible() time.Time {
	if w.failing.IsZero() {
		return time.Time{}
	}
	return w.failing.Add(requestLag + w.delay())
}
