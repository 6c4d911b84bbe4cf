package analysis

import (
	"maps"
	"slices"
	"time"
)

// Trouble is what a gateway's breach is made of: the bad minutes that belong
// together, the newest last.
type Trouble struct {
	Gateway Source
	// Began is the end of the first bad minute; zero where minutes are missing, so
	// that nobody knows.
	Began time.Time
	// Usual is the level before the attempt, Worst the largest one since Began, in
	// the unit of the limit.
	Usual, Worst int64
	// Reasons of the drops, as Cloud NAT names them.
	Reasons []string
	// Stopped is set when the newest minute is within the limit.
	Stopped bool
}

// trouble gathers the newest minutes over a limit, back to the first one that has
// as many good ones before it as a rule looks at: what comes and goes is one
// trouble. It reaches back before the attempt, because what was there before is
// not the attempt's.
func (e gatewayEvidence) trouble(limit int64) Trouble {
	t := Trouble{Gateway: e.gateway}
	var bad []minute
	good := 0
	for _, m := range slices.Backward(e.complete) {
		if m.value > limit {
			bad, good = append(bad, m), 0
			t.Began, t.Worst = m.end, max(t.Worst, m.value)
			continue
		}
		if good++; len(bad) > 0 && good >= recent {
			break
		}
	}
	t.Reasons = e.labels(bad)
	t.Stopped = len(bad) == 0 || bad[0].end.Before(e.complete[len(e.complete)-1].end)
	if e.answer.Cause != CauseNone {
		t.Began = time.Time{}
	}
	return t
}

// Dropping is what a gateway suffered in the newest five minutes up to one that ends at a
// time, be it a breach or not, and how many packets it has dropped since that began. Began is
// zero where it dropped none beyond what is usual, or where that is not known.
func (r NatDroppedPackets) Dropping(s Scope, answers Answers, gateway Source, until time.Time) (t Trouble, packets int64) {
	e := evidence(answers, Series{DroppedPackets, gateway}, s.preflightAfter())
	usual := median(within(e.complete, s.AttemptSince.Add(-Lookback), s.AttemptSince))
	all := e.complete
	e.complete = newest(within(all, e.after, until))
	if over, _ := exceeding(e.complete, r.limit(usual)); over == 0 {
		return Trouble{Gateway: gateway, Usual: usual}, 0
	}
	t = e.trouble(r.limit(usual))
	t.Usual = usual
	for _, m := range within(all, t.Began.Add(-time.Minute), e.answer.Through) {
		packets += m.value
	}
	return t, packets
}

// troubled adds to a breach what it is made of.
func (e gatewayEvidence) troubled(v Verdict, limit, usual int64) Verdict {
	if v.Outcome == Breach {
		t := e.trouble(limit)
		t.Usual = usual
		v.Troubles = []Trouble{t}
	}
	return v
}

// labels lists the labels of what was counted in some minutes.
func (e gatewayEvidence) labels(minutes []minute) []string {
	named := map[string]bool{}
	for _, m := range minutes {
		for _, p := range e.answer.Points {
			if p.End.Equal(m.end) && p.Value > 0 && p.Label != "" {
				named[p.Label] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(named))
}

// Faring is how the users of a revision fared in some minutes.
type Faring struct {
	Requests, Failed int64         // those that ended, and those of them that were answered 5xx
	Slow             time.Duration // what one request in twenty took at least; 0: not known
}

// Fares counts the requests of a revision in the minutes (after, until], without
// the one in which most failed: an instance that starts may fail for a moment, and
// what a gateway does to it goes on. It is not known where an answer is not whole
// or does not reach so far.
func Fares(answers Answers, revision Source, after, until time.Time) (f Faring, known bool) {
	requests, times := answers.Of(Series{Requests, revision}), answers.Of(Series{Latencies, revision})
	if requests.Cause != CauseNone || requests.Through.Before(until) {
		return Faring{}, false
	}
	f = faring(within(listed(requests, "5xx"), after, until))
	var sizes []*Histogram
	for _, p := range times.Points {
		if p.Histogram != nil && p.End.After(after) && !p.End.After(until) {
			sizes = append(sizes, p.Histogram)
		}
	}
	if times.Cause == CauseNone && !times.Through.Before(until) {
		f.Slow = time.Duration(quantile(sizes, 0.95)) * time.Millisecond
	}
	return f, true
}

// Failures counts the requests of a revision that were answered 5xx in the minutes after a
// time, as far as they are known.
func Failures(answers Answers, revision Source, after time.Time) int64 {
	requests, failed := answers.Of(Series{Requests, revision}), int64(0)
	for _, m := range within(listed(requests, "5xx"), after, requests.Through) {
		failed += m.bad
	}
	return failed
}

// listed lists the minutes of an answer that counts requests. Those of a class of
// response codes are the bad ones.
func listed(requests Answer, class string) []minute {
	all, bad := byMinute(requests, every), byMinute(requests, func(of string) bool { return of == class })
	list := make([]minute, 0, len(all))
	for _, one := range all {
		m := minute{end: one.end, value: one.value}
		if len(bad) > 0 && bad[0].end.Equal(m.end) { // each minute of these is one of all
			m.bad, bad = bad[0].value, bad[1:]
		}
		list = append(list, m)
	}
	return list
}

// faring adds up minutes without the worst of them.
func faring(minutes []minute) Faring {
	var f Faring
	var worst minute
	for _, m := range minutes {
		f.Requests, f.Failed = f.Requests+m.value, f.Failed+m.bad
		if m.bad > worst.bad {
			worst = m
		}
	}
	return Faring{Requests: f.Requests - worst.value, Failed: f.Failed - worst.bad}
}
