package invariants

import (
	"slices"
	"time"
)

func (p *past) learnSaved(s Saved) {
	if s.Attempt != p.saved.Attempt || !p.savedOnce {
		p.firstWrite, p.reached, p.intents = time.Time{}, false, nil
		if s.Stable != "" {
			p.intents = append(p.intents, Split{s.Stable: 100})
		}
	}
	if p.solves(s) {
		p.unexplained = s.Stable
	}
	if s.Stable != p.saved.Stable {
		p.settledBy = p.plan().StableRevision
		p.intents = append(p.intents, Split{s.Stable: 100})
	}
	p.learnIntent(s)
	p.learnGiven(s)
	if s.Phase == phaseCompleted && (s.when().Sub(p.lowered) <= p.delta || !p.firstWrite.IsZero() && p.lowered.After(p.firstWrite)) {
		p.lowered = time.Time{} // what the candidate lost it has again; who lowered it as it became stable lowered stable
	}
	p.learnTakenUp(s)
	p.learnSeen(s)
	p.learnAnswer(s)
	p.wishes.stood(s)
	if p.foreign != nil && p.foreign.Split.sole() != "" && p.foreign.Split.sole() == s.Stable {
		p.foreign = nil // it is the baseline now
	}
	p.raised = false
	p.saved, p.savedOnce = s, true
	p.learnBegin(s)
}

// learnGiven notes which attempts and candidates were given up.
func (p *past) learnGiven(s Saved) {
	p.learnSpared(s)
	if s.Phase == phaseRollingBack && !p.sparing || s.Phase == phaseRolledBack {
		p.given[s.Attempt] = true
	}
	if s.Phase == phaseRolledBack || s.Phase == phaseRollingBack && slices.Contains(s.Latched, s.Candidate) {
		p.abandoned[s.Candidate] = true
	}
}

// learnIntent notes what is about to be written. Where somebody has set the same, it is
// nobody's but ours.
func (p *past) learnIntent(s Saved) {
	if s.Intent == nil {
		return
	}
	p.intents = append(p.intents, s.Intent.Split)
	p.announced(s.By)
	p.announces(s)
	if p.foreign != nil && p.foreign.Split.equal(s.Intent.Split) {
		p.foreign = nil
	}
}

// learnAnswer notes what became of a person's request.
func (p *past) learnAnswer(s Saved) {
	if s.Answered == "" || s.Answered == p.saved.Answered {
		return
	}
	p.answered[s.Answered] = s.Accepted
	r, ok := p.asked(s.Answered)
	if !s.Accepted || !ok {
		return
	}
	if r.Verb == verbResume && p.bringsBack(s) {
		p.stepTold = Desired{s.At, s.Intent.Split, true}
	}
	if _, before := p.acceptedIn[r.ID]; !before {
		p.acceptedIn[r.ID] = s.Attempt
	}
	if p.acceptedIn[r.ID] != s.Attempt { // a status that was put back says so still
		return
	}
	p.wishes.learn(r, s)
	if r.Verb == verbResume {
		p.resumption, p.resumedAt = s, time.Time{}
	}
	if !slices.Contains([]string{verbApprove, verbPromote, verbPause}, r.Verb) {
		p.foreign = nil
	}
	switch r.Verb {
	case verbRetry:
		clear(p.abandoned)
		p.dismissed = dismissal{}
	case verbResume:
		p.dismissed = dismissal{}
	}
}
