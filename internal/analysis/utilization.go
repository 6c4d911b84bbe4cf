package analysis

import (
	"fmt"
	"strings"
)

// NatPortUtilization limits how much of a gateway's ports are allocated. It does
// not apply to a gateway that takes further addresses by itself, since that has
// no fixed number of them.
//
// It is a breach when two of the newest five complete minutes of the step exceed
// the limit: with static allocation ports follow the number of instances, so this
// is seen before packets are dropped.
type NatPortUtilization struct {
	// MaxPercent of the gateway's ports may be allocated; 0..100.
	MaxPercent int64
}

// Pool is what a gateway has to give.
type Pool struct {
	Ports     int64  // of its addresses; 0: not known
	Automatic bool   // it takes further addresses by itself
	Why       string // nothing is known, for people
}

// Questions asks each gateway with a fixed number of ports how many it gave away.
func (r NatPortUtilization) Questions(s Scope) []Question {
	var questions []Question
	for _, g := range s.Gateways {
		if !s.Pools[g].Automatic {
			questions = append(questions, s.ask(AllocatedPorts, g, s.preflightAfter()))
		}
	}
	return questions
}

// Preflight holds a start behind a gateway that has too little left.
func (r NatPortUtilization) Preflight(s Scope, answers Answers) Verdict {
	return r.each(s, func(g Source, ports int64) Verdict {
		e := levels(answers, Series{AllocatedPorts, g}, s)
		return e.preflight(func(minutes []minute) Verdict { return r.judge(e, minutes, ports) })
	})
}

// Judge judges what each gateway gave away since the step took effect.
func (r NatPortUtilization) Judge(s Scope, answers Answers) Verdict {
	return r.each(s, func(g Source, ports int64) Verdict {
		e := levels(answers, Series{AllocatedPorts, g}, s)
		v := e.sinceLastLook(s, r.limit(ports), func(minutes []minute) Verdict { return r.judge(e, minutes, ports) })
		return e.troubled(v, r.limit(ports), 0)
	})
}

// each judges the gateways with a fixed number of ports. One whose number is not
// known is no data, whatever the others say.
func (r NatPortUtilization) each(s Scope, judge func(g Source, ports int64) Verdict) Verdict {
	var verdicts []Verdict
	var growing []string
	for _, g := range s.Gateways {
		switch pool := s.Pools[g]; {
		case pool.Automatic:
			growing = append(growing, g.String())
		case pool.Ports <= 0:
			verdicts = append(verdicts, unknown(g, Answer{Cause: CauseUnread, Detail: pool.Why}))
		default:
			verdicts = append(verdicts, judge(g, pool.Ports))
		}
	}
	switch {
	case len(verdicts) > 0:
		return Worst(verdicts)
	case len(growing) > 0:
		return Verdict{Outcome: NotApplicable, Note: strings.Join(growing, ", ") + " takes further addresses by itself, so the number of its ports is not fixed"}
	}
	return Verdict{Outcome: NotApplicable, Note: s.Unwatched}
}

// limit is how many ports may be allocated. It does not overflow.
func (r NatPortUtilization) limit(ports int64) int64 {
	of := min(max(r.MaxPercent, 0), 100)
	return ports/100*of + ports%100*of/100
}

func (r NatPortUtilization) judge(e gatewayEvidence, minutes []minute, ports int64) Verdict {
	over, most := exceeding(minutes, r.limit(ports))
	v := Verdict{
		Outcome: Pass, Source: e.gateway.String(), Through: e.answer.Through,
		Value: percent(tenths(most, ports)), Limit: fmt.Sprintf("%d%%", r.MaxPercent),
	}
	v.Note = fmt.Sprintf("%s allocated at most %d of %d ports (%s) in %s, limit %s",
		e.gateway, most, ports, v.Value, lastMinutes(len(minutes)), v.Limit)
	if over > 0 {
		v.Note = fmt.Sprintf("%s allocated up to %d of %d ports (%s), %s over the limit of %s",
			e.gateway, most, ports, v.Value, inMinutes(over, len(minutes)), v.Limit)
	}
	if over >= saturated {
		v.Outcome = Breach
	}
	return v
}

// tenths is a share in tenths of a percent, rounded up: what is over a limit is
// not shown as the limit.
func tenths(part, whole int64) float64 {
	share := float64(part) / float64(whole) * 1000
	up := float64(int64(share))
	if up < share {
		up++
	}
	return up / 1000
}

// levels gathers a gauge's complete minutes: those in which it has a value. No
// witness proves that there is none.
func levels(answers Answers, series Series, s Scope) gatewayEvidence {
	a, after := answers.Of(series), s.preflightAfter()
	e := gatewayEvidence{gateway: series.Source, answer: a, after: after, heard: a.Through, names: a.Names}
	values := byMinute(a, every)
	for _, end := range span(after, a.Through, values) {
		e.complete = append(e.complete, minute{end: end, value: values.at(end)})
	}
	return e
}
