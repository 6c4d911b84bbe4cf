package invariants

import (
	"maps"
	"slices"
	"time"
)

func (p *past) learnPut(e Put) {
	sparing := p.sparedBefore(e.Saved)
	if e.Attempt == 0 || e.Past {
		p.forgotten()
	}
	if p.heir = (time.Time{}); e.Past && e.Of.Before(p.anew) {
		p.heir = p.anew
	}
	p.memoryLost = e.Attempt == 0
	if p.memoryLost {
		p.named(p.plan())
		p.claimed()
	}
	if p.memoryLost || e.Past && p.lowered.After(e.Of) {
		p.nothingSaysSo()
	}
	if e.Past && p.lowered.After(e.Of) && !p.loweredByUs { // no claim tells of what a person did
		p.lowered = time.Time{}
	}
	p.overwritten, p.put = p.saved, e.when()
	p.looks.forget()
	p.wished, p.wishes = p.wishes, wishes{} // what the status forgot is asked again by the annotation
	if sparing {
		p.sparing, p.spared[e.Attempt] = true, true
	}
	p.learnSaved(e.Saved)
	p.known = e.Confirmed // nobody else has seen anything
	p.forgetLateRise()
	if e.Past { // nobody took anything up: it is what was said once
		p.rewound = e.when()
		b := p.remembered(e.Of)
		p.deleting, p.takenUp, p.seen = time.Time{}, b.takenUp, b.seen
		p.learnAgain()
		p.promotesAgain(b.promote, e.Of)
		p.announcedBefore(b.intents)
	}
}

// promotesAgain lets a promote be carried out whose write the status announces that was put
// back, and that was saved at a moment: nothing says that it was sent already. A claim on the
// service that was written since would.
func (p *past) promotesAgain(promote Request, saved time.Time) {
	if promote.ID != "" && p.saved.Intent != nil && !p.claim.at.After(saved) {
		p.wishes = wishes{promote: promote, attempt: p.saved.Attempt, again: p.saved.Intent.Split[p.saved.Candidate]}
	}
}

// announcedBefore lets a split stand for ours again that a status announced which was put back:
// where no claim tells of the writes since, it is like one of ours that arrived.
func (p *past) announcedBefore(intents []Split) {
	if p.unclaimed && p.foreign != nil && slices.ContainsFunc(intents, p.foreign.Split.equal) {
		p.intents, p.foreign = append(p.intents, p.foreign.Split), nil
	}
}

// inherits tells whether the claim on the service is of an object that is gone, and that
// came after the one that was put back: what the claim says was never in this one's status,
// and to whoever reads it a split of the later one is somebody else's. Its write may have been
// on its way just then.
func (p *past) inherits() bool {
	return !p.heir.IsZero() && p.claim.at.After(p.heir) && !p.claim.at.After(p.put)
}

// learnRewound notes what Config Connector is to carry out again: a split of ours, and a
// tag of ours, where we wrote it.
func (p *past) learnRewound(e Rewound) {
	switch {
	case e.Ours:
		p.intents, p.tagged = append(p.intents, e.Split), e.Tagged
		if p.foreign != nil && p.foreign.Split.equal(e.Split) {
			p.foreign = nil // it is there already, and ours again
		}
	case !e.Split.equal(p.desired):
		p.foreign = &Desired{e.At, e.Split, false}
	}
}

// learnRestored notes what Config Connector carries out: what somebody has set, and a person
// has let go, is not set anew by that, nor is a split of which that only says what LATEST
// stands for.
func (p *past) learnRestored(d Desired) {
	foreign, latest, before, asked := p.foreign, p.desired[""] > 0, p.askedBefore, p.askedAt
	p.learnDesired(d)
	if latest {
		p.askedBefore, p.askedAt = before, asked
	}
	if foreign == nil {
		p.foreign = nil
	}
}

// claimed takes what somebody else has set for ours where the claim on the service says the
// same: whoever forgot what went before knows no better.
func (p *past) claimed() {
	if p.foreign != nil && p.foreign.Split.equal(p.claim.split) {
		p.foreign = nil
	}
}

// named lets a plan that names stable overrule what somebody else has set: whoever forgot
// what went before knows no better.
func (p *past) named(plan Plan) {
	if plan.StableRevision != "" {
		p.foreign = nil
	}
}

// nothingSaysSo forgets the cool-down where neither a status nor a claim says that there was
// an attempt. A service that Config Connector keeps has no claim.
func (p *past) nothingSaysSo() {
	if p.claim.attempt == 0 {
		p.lowered = time.Time{}
	}
}

// forgotten is what is left of a status that is there no more: what the claim on the
// service says. Attempts are counted anew, or go on from it.
func (p *past) forgotten() {
	p.dismissed = dismissal{}
	clear(p.given)
	clear(p.spared)
	maps.DeleteFunc(p.abandoned, func(revision string, _ bool) bool { return !slices.Contains(p.claim.latched, revision) })
}
