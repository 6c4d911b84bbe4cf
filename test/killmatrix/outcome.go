package killmatrix

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
	"github.com/sluice-rollouts/sluice/test/witness"
)

// outcome is what a play came to.
type outcome struct {
	end      []string // facts that must be the same
	splits   []string // that served, one after the other
	problems []string // that must not be there in any play
	lines    []line
}

// outcome reads it from the world and the stored status.
func (p *play) outcome() (outcome, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen.Catchup()
	var state simulator.State
	var err error
	p.guard.Do(func(w *simulator.World) { state, err = w.State(fullName) })
	s := &p.status
	fact := func(name string, value any) string { return fmt.Sprintf("%s: %v", name, value) }
	o := outcome{lines: p.lines, problems: slices.Clone(p.repeats), end: []string{
		fact("phase", s.Phase), fact("baseline", witness.BaselineOf(s)), fact("asked for", entries(state.Traffic)),
		fact("desired", split(state.Desired)), fact("effective", split(state.Effective)),
	}}
	if a := s.Attempt; a != nil {
		o.end = append(o.end, fact("candidate", a.Candidate), fact("attempt", a.ID), fact("latched", a.Latched), fact("reason", a.Reason))
	}
	for _, l := range p.lines {
		if text, ok := strings.CutSuffix(l.what, " serves"); ok && (len(o.splits) == 0 || o.splits[len(o.splits)-1] != text) {
			o.splits = append(o.splits, text)
		}
	}
	if p.endedAt.IsZero() {
		o.problems = append(o.problems, "it did not end in time")
	}
	struck := slices.ContainsFunc(p.lines, func(l line) bool { return strings.HasPrefix(l.what, killed) })
	if p.ledger.kill != nil && !struck {
		o.problems = append(o.problems, "the call to be killed at was never made")
	}
	for _, v := range invariants.JudgeHurried(p.seen.Trace(), p.speed) {
		o.problems = append(o.problems, v.String())
	}
	return o, err
}

// differences compares a play with the reference.
func (o outcome) differences(reference outcome) []string {
	different := slices.Clone(o.problems)
	for _, fact := range o.end {
		name, _, _ := strings.Cut(fact, ":")
		i := slices.IndexFunc(reference.end, func(f string) bool { return strings.HasPrefix(f, name+":") })
		if i < 0 || reference.end[i] != fact {
			different = append(different, "at the end "+fact+"; the reference says "+quoted(reference.end, i))
		}
	}
	if !slices.Equal(o.splits, reference.splits) {
		different = append(different, fmt.Sprintf("what served: %s; in the reference: %s",
			strings.Join(o.splits, " > "), strings.Join(reference.splits, " > ")))
	}
	return different
}

func quoted(facts []string, i int) string {
	if i < 0 {
		return "nothing of it"
	}
	return facts[i]
}

// story tells a play around the place where it first differs from the reference.
func (o outcome) story(reference outcome) string {
	at := 0
	for _, l := range o.lines {
		if strings.HasPrefix(l.what, killed) {
			at++
			continue
		}
		// A line may come twice where the same was done again.
		if !slices.ContainsFunc(reference.lines, func(r line) bool { return r.what == l.what }) {
			break
		}
		at++
	}
	var told strings.Builder
	from, to := max(0, at-6), min(len(o.lines), at+4)
	for i, l := range o.lines[from:to] {
		mark := "  "
		if from+i == at {
			mark = "> "
		}
		fmt.Fprintf(&told, "      %s+%s  %s\n", mark, l.at.Sub(morning).Round(1e9), l.what)
	}
	return told.String()
}
