package invariants

import (
	"slices"
	"testing"
	"time"
)

// burst is what could be seen in the first bake of the good rollout while others have the
// gateway's last ports: so many errors a minute of the candidate's, and the gateway's trouble.
func burst(errors int64, failed bool) Evidence {
	e := Evidence{At: after("15m"), Candidate: minutes(11, 14), Stable: minutes(1, 14), Gateways: gatewayMinutes(1, 14)}
	for i := range e.Candidate {
		e.Candidate[i].Errors = errors
	}
	for i := range e.Gateways["nat-1"] {
		e.Gateways["nat-1"][i].Failed = failed && i > 10
	}
	return e
}

// spared is the good rollout whose users are relieved in its first bake: by a write of some
// targets, after which the attempt stands before its first step again.
func spared(seen Evidence, targets ...Target) Trace {
	now := snap("b", 2, nth[Write](good(), 1).Targets...)
	targets = append(targets, Target{Revision: "web-1", Tag: "blue"})
	then := snap("c", 3, targets...)
	back := Saved{
		At: after("15m"), Plan: 1, Generation: 2, Phase: "RollingBack", Attempt: 1, Stable: "web-1", Candidate: "web-2",
		Spared: start.Add(15 * time.Minute), Intent: &Intent{then.Desired, "b", nil},
	}
	anew := back
	anew.At, anew.Phase, anew.Generation, anew.Intent = after("15m10s"), "Checking", 3, nil
	return slices.Concat(until[Saved](good(), 3), Trace{Read{At: after("15m"), State: now}, seen, back},
		written("15m", "b", now, targets), Trace{Effective{after("15m5s"), then.Desired}, Read{At: after("15m10s"), State: then}, anew})
}

// everythingBack gives stable everything.
func everythingBack() Target { return Target{Revision: "web-1", Percent: 100, Tag: ourTag} }

// triedAgain raises the candidate of a trace again, in the same attempt.
func triedAgain(trace Trace) Trace {
	last := snap("c", 3, everythingBack(), Target{Revision: "web-1", Tag: "blue"})
	rise := nth[Saved](good(), 2)
	rise.At, rise.Generation, rise.Spared = after("40m"), 3, start.Add(15*time.Minute)
	rise.Intent = &Intent{rise.Intent.Split, "c", nil}
	return slices.Concat(trace, Trace{
		Read{At: after("40m"), State: last}, Evidence{At: after("40m"), Stable: minutes(1, 37), Gateways: gatewayMinutes(1, 36)}, rise,
	}, written("40m", "c", last, append(tenth(), Target{Revision: "web-1", Tag: "blue"})))
}

func TestACandidateIsSparedOnceAndForAReason(t *testing.T) {
	t.Parallel()
	whole := everythingBack()
	half := []Target{{Revision: "web-1", Percent: 95, Tag: ourTag}, {Revision: "web-2", Percent: 5}}
	once := spared(burst(5, true), whole)
	// more is the trace with its way back saved anew, changed.
	more := func(change func(*Saved)) Trace {
		back := nth[Saved](once, 4)
		change(&back)
		return slices.Concat(once, Trace{back})
	}
	// putBack is a trace after which somebody puts the beginning of its way back there again.
	putBack := func(trace Trace) Trace {
		back := nth[Saved](once, 4)
		back.At, back.Intent = after("20m"), nil
		return slices.Concat(trace, Trace{Put{Saved: back, Past: true}})
	}
	for name, c := range map[string]struct {
		trace Trace
		want  string // "" for nothing wrong
	}{
		"it is spared and tried again":              {triedAgain(once), ""},
		"and its status is put back":                {triedAgain(putBack(once)), ""},
		"and its status is put back, once given up": {triedAgain(putBack(more(func(s *Saved) { s.At = after("16m") }))), "which was given up"},
		"though its users were well":                {spared(burst(0, true), whole), "0 of its requests were seen to fail"},
		"though no gateway suffered":                {spared(burst(5, false), whole), "no gateway was seen to suffer"},
		"and goes back by less than all":            {spared(burst(5, true), half...), "not everything to web-1"},
		"a second time":                             {more(func(s *Saved) { s.Spared = s.Spared.Add(time.Minute) }), "for the second time"},
		"and goes back for another reason after it": {triedAgain(more(func(s *Saved) { s.At = after("16m") })), "which was given up"},
		"and is given up on the way":                {triedAgain(edit(once, 4, func(s *Saved) { s.Latched = []string{"web-2"} })), "given up"},
	} {
		if c.want == "" {
			if found := Judge(c.trace); len(found) > 0 {
				t.Errorf("%s: %v", name, found)
			}
		} else if !finds(c.trace, c.want) {
			t.Errorf("%s: %v, want one that says %q", name, Judge(c.trace), c.want)
		}
	}
}
