package invariants

import (
	"slices"
	"time"
)

// learnDesired notes what is asked for, by whom, and where a candidate is to lose traffic by
// that.
func (p *past) learnDesired(d Desired) {
	p.learnTakenBack(d)
	p.lowering = time.Time{}
	c := p.saved.Candidate
	if d.Split[c] < p.desired[c] {
		switch {
		case d.Ours:
			p.lowered, p.loweredByUs = d.when(), true
		case p.underway() && p.sawMore(c, d.Split[c]):
			p.lowering = d.when()
		}
	}
	if i := p.resumption.Intent; i != nil && d.Ours && p.resumedAt.IsZero() && d.Split.equal(i.Split) {
		p.resumedAt = d.when()
	}
	p.desired, p.desiredOurs, p.askedBefore, p.askedAt = d.Split, d.Ours, p.askedAt, d.when()
	switch {
	case d.Ours:
		p.known, p.untold.known = d.Split, d.Split
	case slices.ContainsFunc(p.intents, d.Split.equal):
		p.foreign = nil // somebody put a split of ours back
	default:
		p.foreign = &d
	}
}

// sawMore tells whether a revision has served more than a percent while what is asked for now
// was, and somebody could know: it was a write of ours that a status or a claim tells of, or was
// read since then.
func (p *past) sawMore(revision string, percent int) bool {
	since, served := p.servesFrom(func(s Split) bool { return s[revision] > percent }, p.askedAt)
	return served && (p.desiredOurs && !p.writeForgotten() || p.readSince(since))
}

// writeForgotten tells whether neither a status nor a claim says any more that what is asked for
// is ours: a RunService carries no claim, and the status was put back into its past.
func (p *past) writeForgotten() bool { return p.unclaimed && p.put.After(p.askedAt) }

// learnEffective notes what serves. What somebody else asked for has no effect before:
// Config Connector may not have carried it out when it is taken back.
func (p *past) learnEffective(e Effective) {
	p.effective = append(p.effective, e)
	p.learnAgain()
	if e.Split[p.saved.Candidate] >= p.wishes.again {
		p.wishes.again = 0 // it has arrived
	}
	if !p.lowering.IsZero() && e.Split.equal(p.desired) {
		if !p.unseen() {
			p.lowered, p.loweredByUs = p.lowering, false
		}
		p.lowering = time.Time{}
	}
}
