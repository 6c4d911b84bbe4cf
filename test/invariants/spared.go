package invariants

import (
	"fmt"
	"slices"
	"time"
)

// mayBeSparing tells whether a status goes back and may give nothing up.
func (s Saved) mayBeSparing() bool {
	return s.Phase == phaseRollingBack && !s.Spared.IsZero() && !slices.Contains(s.Latched, s.Candidate)
}

// spares tells whether a status begins a way back that gives nothing up.
func (p *past) spares(s Saved) bool {
	return s.mayBeSparing() &&
		(s.Attempt != p.saved.Attempt || !s.Spared.Equal(p.saved.Spared))
}

// learnSpared follows such a way back, over a wait for a person too, until it is over or
// gives the candidate up after all.
func (p *past) learnSpared(s Saved) {
	goes := s.Phase == phaseRollingBack || s.Phase == phasePaused
	switch {
	case p.spares(s):
		p.sparing, p.spared[s.Attempt] = true, true
	case !goes, s.Attempt != p.saved.Attempt, slices.Contains(s.Latched, s.Candidate):
		p.sparing = false
	}
}

// sparedBefore tells whether a status that is put back is in the middle of such a way back,
// from which nothing was given up since.
func (p *past) sparedBefore(s Saved) bool {
	return s.mayBeSparing() && p.spared[s.Attempt] && !p.given[s.Attempt]
}

// sparedOnce: I5. A candidate whose users fail again in the same attempt is given up.
func sparedOnce(p *past, e Event) string {
	if s, ok := e.(Saved); ok && p.spares(s) && p.spared[s.Attempt] {
		return fmt.Sprintf("attempt %d sends everything back for the second time, and gives nothing up", s.Attempt)
	}
	return ""
}

// fewestErrors is with how many errors a candidate's users fail, by anybody's reckoning.
const fewestErrors = 3

// sparedForAReason: I5. A way back that gives nothing up takes one write, and whoever
// decides on it sees that the candidate's users fail and that a gateway suffers.
func sparedForAReason(p *past, e Event) string {
	w, ok := e.(Write)
	c := p.saved.Candidate
	if !ok || w.Landed || !p.sparing || !p.goesBack() || w.Before.Desired[c] == 0 || p.resumes(w) {
		return ""
	}
	var errors int64
	for _, m := range p.evidence.Candidate {
		errors += m.Errors
	}
	suffers := slices.ContainsFunc(p.used().Gateways, func(name string) bool { return p.suffered(name, p.firstWrite.Add(-longestLook)) })
	switch {
	case w.Split.sole() != p.saved.Stable:
		return fmt.Sprintf("%s is spared, and %v is sent, not everything to %s", c, w.Split, p.saved.Stable)
	case p.used().Errors != nil && errors < fewestErrors:
		return fmt.Sprintf("%s is spared, and %d of its requests were seen to fail", c, errors)
	case !suffers:
		return fmt.Sprintf("%s is spared, and no gateway was seen to suffer", c)
	}
	return ""
}

// longestLook is how far before an attempt a trouble may have begun that lasts into it.
const longestLook = 5 * time.Minute

// suffered tells whether a gateway dropped more packets than is usual, or failed to
// allocate, in any minute after a time.
func (p *past) suffered(gateway string, after time.Time) bool {
	usual := p.usual(gateway)
	return slices.ContainsFunc(p.evidence.minutesOf(gateway, after), func(m GatewayMinute) bool { return m.Failed || m.Drops > usual })
}
