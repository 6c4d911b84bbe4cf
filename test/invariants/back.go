package invariants

import (
	"fmt"
	"slices"
	"time"
)

const (
	// mostLowerings is how many writes a way back takes at most, and longestBack how
	// long it may take, with the time that Cloud Run needs.
	mostLowerings = 3
	longestBack   = 3*time.Minute + 15*time.Second
)

// back is a way back: what was lowered since the candidate was given up.
type back struct {
	began  time.Time // of the first write that was accepted
	writes int
}

// learnBack follows a way back. What a person does in between begins another one.
func (p *past) learnBack(e Event) {
	switch e := e.(type) {
	case Write:
		if e.Accepted && !e.Landed && p.goesBack() && p.lowers(e) {
			if p.back.writes == 0 {
				p.back.began = e.when()
			}
			p.back.writes++
		}
	case Desired:
		if !e.Ours {
			p.back = back{}
		}
	case Restored:
		p.back = back{}
	case Saved:
		if e.Attempt != p.saved.Attempt || e.Phase != phaseRollingBack {
			p.back = back{}
		}
	}
}

// goesBack tells whether the newest status says that it is on its way back.
func (p *past) goesBack() bool { return p.saved.Phase == phaseRollingBack }

// lowers tells whether a write gives the candidate less.
func (p *past) lowers(w Write) bool {
	c := p.saved.Candidate
	return c != "" && w.Split[c] < w.Before.Desired[c]
}

// backOnlyLowers: I5. Each write of a way back gives the candidate less, and there
// are three at most.
func backOnlyLowers(p *past, e Event) string {
	w, ok := e.(Write)
	c := p.saved.Candidate
	switch {
	case !ok || !w.Accepted || w.Landed || !p.goesBack() || w.Before.Desired[c] == 0:
		return ""
	case !p.lowers(w):
		return fmt.Sprintf("on the way back %s goes from %d%% to %d%%", c, w.Before.Desired[c], w.Split[c])
	case p.back.writes >= mostLowerings:
		return fmt.Sprintf("a way back takes more than %d writes", mostLowerings)
	}
	return ""
}

// backEndsInTime: I5. No status waits on a way back that has had its time.
func backEndsInTime(p *past, e Event) string {
	s, ok := e.(Saved)
	if !ok || s.Phase != phaseRollingBack || s.Intent != nil || p.back.writes == 0 || p.read != nil && p.read.Stale {
		return ""
	}
	if took := s.when().Sub(p.back.began); p.desired[s.Candidate] > 0 && took > longestBack {
		return fmt.Sprintf("%s after a way back began %s still has %d%%", took, s.Candidate, p.desired[s.Candidate])
	}
	return ""
}

// lowersByOneStep: I3. A candidate that is not given up goes back to the weight of
// the plan below its own, and to no other. A write that meets another state than it was
// decided on is refused, and lowers nothing.
func lowersByOneStep(p *past, e Event) string {
	w, ok := e.(Write)
	c := p.saved.Candidate
	if !ok || w.Landed || w.Etag != w.Before.Etag || !p.lowers(w) || p.goesBack() || p.resumes(w) || slices.Contains(p.saved.Latched, c) {
		return ""
	}
	if below := p.used().below(w.Before.Desired[c]); w.Split[c] != below {
		return fmt.Sprintf("%s goes from %d%% to %d%%; the plan has %d%% below", c, w.Before.Desired[c], w.Split[c], below)
	}
	return ""
}

// below is the largest weight of the plan below another; 0 for none.
func (p Plan) below(weight int) int {
	below := 0
	for _, s := range p.Steps {
		if s.Weight < weight {
			below = max(below, s.Weight)
		}
	}
	return below
}

// grace is how long a write that was sent before its candidate was given up and
// lands afterwards may serve.
const grace = 3 * time.Minute

// overdue is a rise that landed after its revision had been given up, and stands.
type overdue struct {
	landed   time.Time
	revision string // "" while there is none
}

// learnLateRise notes such a rise. It does not matter which attempt the newest status
// names: that may be an earlier one, where the status was put back into its past.
func (p *past) learnLateRise(w Write) {
	for _, revision := range p.risen(w) {
		if p.givenUp(revision) && !p.triedAnew(revision, p.post(w)) {
			p.lateRise = overdue{w.when(), revision}
		}
	}
}

// triedAnew tells whether what a later attempt sent is no late rise of its revision: that was
// given up before it, and not since, as far as the status or the claim on the service says.
func (p *past) triedAnew(revision string, sent post) bool {
	since := p.claim.attempt >= sent.attempt && slices.Contains(p.claim.latched, revision)
	return sent.attempt > p.saved.Attempt && !since
}

// givenUp tells whether a revision was given up: with its attempt, which is still the
// newest, or for good.
func (p *past) givenUp(revision string) bool {
	return p.abandoned[revision] || p.given[p.saved.Attempt] && revision == p.saved.Candidate
}

// forgetLateRise drops a late rise where neither the status nor the claim on the service says
// any more that its revision was given up.
func (p *past) forgetLateRise() {
	if !p.givenUp(p.lateRise.revision) {
		p.lateRise = overdue{}
	}
}

// learnTakenBack ends a late rise with the split that gives its revision less.
func (p *past) learnTakenBack(d Desired) {
	if late := p.lateRise.revision; d.Split[late] < p.desired[late] {
		p.lateRise = overdue{}
	}
}

// lateRiseIsTakenBack: I5. Such a write is taken back, unless the way back is gone: then a
// person is waited for.
func lateRiseIsTakenBack(p *past, e Event) string {
	late := p.lateRise
	if late.revision == "" || e.when().Sub(late.landed) <= grace || p.lives[p.saved.Stable] == Lost {
		return ""
	}
	p.lateRise = overdue{}
	return fmt.Sprintf("a rise of %s that landed at %s, after it was given up, still stands", late.revision, late.landed.UTC().Format(time.TimeOnly))
}
