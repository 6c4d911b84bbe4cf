package invariants

import (
	"fmt"
	"time"
)

// post is a write as it was sent: when, and on which status. It may land much later.
type post struct {
	at      time.Time
	attempt int64    // what its claim says: the attempt,
	stable  string   // the baseline,
	split   Split    // what is asked for,
	latched []string // the revisions that its claim says are given up
	gone    []string // and those it sends traffic to though they are not there, as could be known

	generation int64 // of the service, once the write has landed
}

// learnPost remembers a write that is sent. Its claim says what whoever sends it has
// saved, also where somebody has just put another status in the place of that.
func (p *past) learnPost(w Write) {
	if !w.Landed {
		p.posts[w.key()] = p.posted(w)
	}
}

// post returns a write as it was sent. One that lands and that nobody saw being sent
// counts as sent now.
func (p *past) post(w Write) post {
	if sent, known := p.posts[w.key()]; known && w.Landed {
		return sent
	}
	return p.posted(w)
}

// posted is a write as it is sent now.
func (p *past) posted(w Write) post {
	known := p.asOf(w).saved
	return post{
		at: w.when(), attempt: known.Attempt, stable: known.Stable, split: w.Split, latched: known.Latched, gone: p.nowhere(w),
	}
}

// makes is the generation that the service has once a write has taken effect, at least.
func (w Write) makes() int64 {
	if w.Split.equal(w.Before.Desired) {
		return w.Before.Generation
	}
	return w.Before.Generation + 1
}

// key is the same for a write and its landing: who sent what, on which version.
func (w Write) key() string { return fmt.Sprint(w.By, w.Etag, w.Split) }

// recalled tells whether a person let go on from the claim on the service, after the
// status was put back into its past: then the baseline is the one that the claim says.
func (p *past) recalled(s Saved) bool {
	r, ok := p.asked(s.Answered)
	return ok && r.Verb == verbResume && s.Accepted && s.Answered != p.saved.Answered &&
		p.saved.Reason == reasonStateLost && s.Stable != "" && s.Stable == p.claim.stable
}

// overtaken is the past as a process knows it that saved a write and was stopped before
// it sent it: another one has saved since. Nothing forbids it the write, as long as it
// comes in time, and the etag sees to it that it changes nothing.
func (p *past) overtaken(e Event) *past {
	w, ok := e.(Write)
	own := p.saves[w.By]
	inTime := p.delta
	if own.Phase == phaseRollingBack {
		inTime = longestPass * p.delta
	}
	if !ok || w.Landed || w.By == p.saved.By || own.Intent == nil ||
		!own.Intent.announces(w) || w.when().Sub(own.when()) > inTime {
		return p
	}
	then := *p
	then.saved = own
	return &then
}
