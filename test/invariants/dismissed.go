package invariants

import (
	"fmt"
	"time"
)

// dismissal is a person's end of an attempt: they gave stable everything, and the
// candidate nothing.
type dismissal struct {
	candidate string          // "" while there is none
	seen      map[string]bool // by process: it has read the service since
}

// ends tells whether a split of somebody else's ends the attempt under way: its
// candidate was given traffic, and stable has everything now. What the newest status
// announces nobody can tell from a write of ours whose answer was lost, and what was asked for
// when anybody looked last, or when we wrote, from what has been asked for ever since. Where no
// claim tells that our write arrived, and nobody has read it since, nobody can tell the split of
// before from one that was lost.
func (p *past) ends(d Desired) bool {
	announced := p.saved.Intent != nil && p.saved.Intent.Split.equal(d.Split)
	given := p.reached || p.sawServed(p.saved.Candidate) // by us, or before the attempt was taken up
	before := p.unclaimed && d.Split.equal(p.saved.Confirmed) && !p.readSince(p.askedAt)
	told := !announced && !before && !d.Split.equal(p.known)
	return p.underway() && given && p.saved.Stable != "" && d.Split.sole() == p.saved.Stable && told
}

// sawServed tells whether the split that is asked for gives a revision traffic, has
// served, and was read then: what comes and goes between two looks nobody sees.
func (p *past) sawServed(revision string) bool {
	since, ok := p.servesFrom(func(s Split) bool { return s[revision] > 0 }, p.askedAt)
	return ok && p.desired[revision] > 0 && p.readSince(since)
}

// readSince tells whether somebody read the service as it was, at a moment since a time. A
// list that shows somebody else's split is a reason to read, and no more.
func (p *past) readSince(t time.Time) bool {
	return p.read != nil && !p.read.Stale && !p.read.when().Before(t)
}

// dismiss notes a split of somebody else's that ends an attempt, or that gives the
// candidate of an ended one traffic again.
func (p *past) dismiss(d Desired) {
	switch {
	case p.ends(d):
		p.dismissed = dismissal{p.saved.Candidate, map[string]bool{}}
	case d.Split[p.dismissed.candidate] > 0:
		p.dismissed = dismissal{}
	}
}

// announces takes a person's end of an attempt for ours where we announce the same before
// we know of it: what is asked for afterwards tells nobody whose it is.
func (p *past) announces(s Saved) {
	if s.Intent != nil && s.Intent.Split.equal(p.desired) && len(p.dismissed.seen) == 0 {
		p.dismissed = dismissal{}
	}
}

// dismissalHolds: I7. Whoever has seen that a person ended an attempt does not raise
// its candidate again, until the person gives it traffic or asks for that.
func dismissalHolds(p *past, e Event) string {
	w, rise := p.sentRise(e)
	if !rise || p.dismissed.candidate == "" || !p.dismissed.seen[w.By] || w.Split[p.dismissed.candidate] <= w.Before.Desired[p.dismissed.candidate] {
		return ""
	}
	return fmt.Sprintf("a rise to %v was sent, and a person had given stable everything", w.Split)
}
