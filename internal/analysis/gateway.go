package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// NatDroppedPackets limits the packets that a gateway drops on the way out.
//
// It is a breach when at least MinMinutes of the newest five complete minutes
// of the step exceed the larger of MaxPerMinute and the median of the thirty
// minutes before the attempt: what was usual before is not the candidate's.
type NatDroppedPackets struct {
	MaxPerMinute int64
	MinMinutes   int64
}

// NatAllocationFailures limits the minutes in which a gateway could not
// allocate addresses: a breach when more than MaxMinutes of the newest five
// complete minutes of the step show a failure.
type NatAllocationFailures struct {
	MaxMinutes int64
}

// Questions asks each gateway for its drops and its witnesses.
func (r NatDroppedPackets) Questions(s Scope) []Question { return askGateways(s, DroppedPackets) }

// Questions asks each gateway for failed allocations and its witnesses.
func (r NatAllocationFailures) Questions(s Scope) []Question {
	return askGateways(s, AllocationFailed)
}

// Preflight holds a start behind a gateway that drops packets already.
func (r NatDroppedPackets) Preflight(s Scope, answers Answers) Verdict {
	return eachGateway(s, func(g Source) Verdict {
		e := evidence(answers, Series{DroppedPackets, g}, s.preflightAfter())
		return e.preflight(func(minutes []minute) Verdict { return r.judge(e, minutes, 0) })
	})
}

// Preflight holds a start behind a gateway that fails to allocate already.
func (r NatAllocationFailures) Preflight(s Scope, answers Answers) Verdict {
	return eachGateway(s, func(g Source) Verdict {
		e := evidence(answers, Series{AllocationFailed, g}, s.preflightAfter())
		return e.preflight(func(minutes []minute) Verdict { return r.judge(e, minutes) })
	})
}

// Judge judges each gateway's drops since the step took effect.
func (r NatDroppedPackets) Judge(s Scope, answers Answers) Verdict {
	return eachGateway(s, func(g Source) Verdict {
		e := evidence(answers, Series{DroppedPackets, g}, s.preflightAfter())
		usual := median(within(e.complete, s.AttemptSince.Add(-Lookback), s.AttemptSince))
		v := e.sinceLastLook(s, r.limit(usual), func(minutes []minute) Verdict { return r.judge(e, minutes, usual) })
		return e.troubled(v, r.limit(usual), usual)
	})
}

// Judge judges each gateway's failed allocations since the step took effect.
func (r NatAllocationFailures) Judge(s Scope, answers Answers) Verdict {
	return eachGateway(s, func(g Source) Verdict {
		e := evidence(answers, Series{AllocationFailed, g}, s.preflightAfter())
		return e.troubled(e.sinceLastLook(s, 0, func(minutes []minute) Verdict { return r.judge(e, minutes) }), 0, 0)
	})
}

func (r NatDroppedPackets) limit(usual int64) int64 { return max(r.MaxPerMinute, usual) }

func (r NatDroppedPackets) judge(e gatewayEvidence, minutes []minute, usual int64) Verdict {
	limit := r.limit(usual)
	over, most := exceeding(minutes, limit)
	v := Verdict{
		Outcome: Pass, Source: e.gateway.String(), Through: e.answer.Through,
		Value: fmt.Sprintf("%d packets/min", most), Limit: fmt.Sprintf("%d packets/min", limit),
		Note: fmt.Sprintf("%s dropped nothing in %s", e.gateway, lastMinutes(len(minutes))),
	}
	if most > 0 {
		v.Note = fmt.Sprintf("%s dropped at most %d packets/min in %s, limit %d", e.gateway, most, lastMinutes(len(minutes)), limit)
	}
	if over > 0 {
		v.Note = fmt.Sprintf("%s dropped up to %d packets/min%s %s, limit: %d minutes above %d packets/min",
			e.gateway, most, e.reasons(minutes), inMinutes(over, len(minutes)), r.MinMinutes, limit)
	}
	if over >= max(1, r.MinMinutes) {
		v.Outcome = Breach
	}
	return v
}

func (r NatAllocationFailures) judge(e gatewayEvidence, minutes []minute) Verdict {
	over, _ := exceeding(minutes, 0)
	v := Verdict{
		Outcome: Pass, Source: e.gateway.String(), Through: e.answer.Through,
		Value: fmt.Sprintf("%d min", over), Limit: fmt.Sprintf("%d min", r.MaxMinutes),
		Note: fmt.Sprintf("%s failed to allocate NAT IPs %s, limit %d",
			e.gateway, inMinutes(over, len(minutes)), r.MaxMinutes),
	}
	if over == 0 {
		v.Note = fmt.Sprintf("%s allocated NAT IPs without failure in %s", e.gateway, lastMinutes(len(minutes)))
	}
	if over > max(0, r.MaxMinutes) {
		v.Outcome = Breach
	}
	return v
}

// askGateways asks every gateway for one metric and the two witnesses, from
// before the attempt on.
func askGateways(s Scope, m Metric) []Question {
	questions := slices.Grow([]Question(nil), 3*len(s.Gateways))
	for _, g := range s.Gateways {
		for _, metric := range [...]Metric{m, AllocatedPorts, OpenConnections} {
			questions = append(questions, s.ask(metric, g, s.preflightAfter()))
		}
	}
	return questions
}

// eachGateway judges every watched gateway; without one there is nothing to do.
func eachGateway(s Scope, judge func(Source) Verdict) Verdict {
	if len(s.Gateways) == 0 {
		return Verdict{Outcome: NotApplicable, Note: s.Unwatched}
	}
	verdicts := make([]Verdict, 0, len(s.Gateways))
	for _, g := range s.Gateways {
		verdicts = append(verdicts, judge(g))
	}
	return Worst(verdicts)
}

// gatewayEvidence is what is known of one series of one gateway.
type gatewayEvidence struct {
	gateway  Source
	answer   Answer
	after    time.Time
	heard    time.Time // up to which its silence would have been heard
	complete []minute  // minutes in which the gateway is known to have reported
	names    []string  // gateways that report where this one was looked for
}

// evidence gathers the complete minutes of a gateway's series after a time.
func evidence(answers Answers, series Series, after time.Time) gatewayEvidence {
	a := answers.Of(series)
	ports := answers.Of(Series{AllocatedPorts, series.Source})
	connections := answers.Of(Series{OpenConnections, series.Source})
	values, allocated, open := byMinute(a, every), byMinute(ports, every), byMinute(connections, every)

	e := gatewayEvidence{gateway: series.Source, answer: a, after: after, heard: heard(a, ports, connections)}
	e.names = slices.Compact(slices.Sorted(slices.Values(slices.Concat(a.Names, ports.Names, connections.Names))))
	if e.answer.Cause == CauseNone {
		e.answer.Cause, e.answer.Detail = ports.Cause, ports.Detail
	}
	e.answer.Delay = max(a.Delay, min(ports.Delay, connections.Delay)) // either shows that it reported
	ends := span(after, a.Through, values, allocated, open)
	e.complete = make([]minute, 0, len(ends))
	for _, end := range ends {
		e.complete = append(e.complete, minute{end: end, value: values.at(end)})
	}
	return e
}

// sinceLastLook judges the step by the newest minutes, and by those that were
// the newest while nobody looked. They reach back over the last shift, whose data
// arrive after it, but not before the attempt's first step.
func (e gatewayEvidence) sinceLastLook(s Scope, limit int64, judge func([]minute) Verdict) Verdict {
	step := e.since(s.stepAfter())
	attempt := slices.DeleteFunc(slices.Clone(e.since(s.earlierAfter()).complete), func(m minute) bool { return !s.judged(m.end) })
	v := judge(newest(attempt))
	for i := len(attempt) - 1; i > max(0, len(attempt)-catchUp) && v.Outcome != Breach; i-- {
		if end := attempt[i-1].end; !end.After(s.SeenThrough) || !end.After(s.stepAfter()) {
			break
		}
		if missed := judge(newest(attempt[:i])); missed.Outcome == Breach {
			v = missed
			v.Note += ", up to " + Clock(attempt[i-1].end)
		}
	}
	v.Stopped = v.Outcome == Breach && attempt[len(attempt)-1].value <= limit
	return step.verdict(v, limit)
}

// since narrows the evidence to the minutes after a time.
func (e gatewayEvidence) since(after time.Time) gatewayEvidence {
	e.complete, e.after = within(e.complete, after, e.answer.Through), after
	return e
}

// preflight judges the newest minutes before the first write.
func (e gatewayEvidence) preflight(judge func([]minute) Verdict) Verdict {
	if e.answer.Cause != CauseNone {
		return unknown(e.gateway, e.answer)
	}
	if len(e.complete) == 0 {
		return absent(e.gateway, "NAT metrics in the last 30 minutes", e.heard, e.names)
	}
	return judge(newest(e.complete))
}

// verdict tells a judgement of the step from not knowing. Minutes over limit
// do not count as bake.
func (e gatewayEvidence) verdict(judged Verdict, limit int64) Verdict {
	judged.Delay = e.answer.Delay
	for _, m := range e.complete {
		if m.value <= limit {
			judged.Healthy = append(judged.Healthy, m.end)
		}
	}
	switch {
	case judged.Outcome == Breach:
		return judged
	case e.answer.Cause != CauseNone:
		return unknown(e.gateway, e.answer)
	case !e.heard.After(e.after):
		return e.incomplete(judged.Limit)
	case silent(e.complete, e.after, e.heard) && len(e.complete) > 0:
		what := "NAT metrics since " + Clock(e.complete[len(e.complete)-1].end)
		return absent(e.gateway, what, e.heard, e.names).because(CauseLate)
	case silent(e.complete, e.after, e.heard):
		return absent(e.gateway, "NAT metrics", e.heard, e.names)
	case len(e.complete) == 0: // a gap at the very beginning
		return e.incomplete(judged.Limit)
	}
	return judged
}

func (e gatewayEvidence) incomplete(limit string) Verdict {
	return Verdict{
		Outcome: Incomplete, Source: e.gateway.String(), Limit: limit, Delay: e.answer.Delay,
		Note: fmt.Sprintf("%s: first minute not arrived yet", e.gateway),
	}
}

// reasons names why packets were dropped, because ports do not cure them all.
func (e gatewayEvidence) reasons(minutes []minute) string {
	named := e.labels(minutes)
	if len(named) == 0 {
		return ""
	}
	return " (" + strings.Join(named, ", ") + ")"
}

// exceeding counts the minutes over the limit and finds the largest value.
func exceeding(minutes []minute, limit int64) (over, most int64) {
	for _, m := range minutes {
		most = max(most, m.value)
		if m.value > limit {
			over++
		}
	}
	return over, most
}

// median of the minutes' values, the lower one of two middles; 0 without any.
func median(minutes []minute) int64 {
	if len(minutes) == 0 {
		return 0
	}
	sorted := slices.SortedFunc(slices.Values(minutes), func(a, b minute) int { return cmp.Compare(a.value, b.value) })
	return sorted[(len(sorted)-1)/2].value
}
