package invariants

import "fmt"

// dismissal is a person's end of an attempt: they gave stable everything, and the
// candidate nothing.
type dismissal struct {
	candidate string          // "" while there is none
	seen      map[string]bool // by process: it has read the service since
}

// ends tells whether a split of somebody else's ends the attempt under way: its
// candidate was given traffic, and stable has everything now. What the newest status
// announces nobody can tell from a write of ours whose answer was lost.
func (p *past) ends(d Desired) bool {
	announced := p.saved.Intent != nil && p.saved.Intent.Split.equal(d.Split)
	given := p.reached || p.sawServed(p.saved.Candidate) // by us, or before the attempt was taken up
	return p.underway() && given && p.saved.Stable != "" && d.Split.sole() == p.saved.Stable && !announced
}

// sawServed tells whether the split that is asked for gives a revision traffic, and has
// served: what comes and goes between two looks nobody sees.
func (p *past) sawServed(revision string) bool {
	return p.desired[revision] > 0 && p.servedSince(func(s Split) bool { return s[revision] > 0 }, p.askedAt)
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

// dismissalHolds: I7. Whoever has seen that a person ended an attempt does not raise
// its candidate again, until the person gives it traffic or asks for that.
func dismissalHolds(p *past, e Event) string {
	w, rise := p.sentRise(e)
	if !rise || p.dismissed.candidate == "" || !p.dismissed.seen[w.By] || w.Split[p.dismissed.candidate] <= w.Before.Desired[p.dismissed.candidate] {
		return ""
	}
	return fmt.Sprintf("a rise to %v was sent, and a person had given stable everything", w.Split)
}
