package invariants

import (
	"fmt"
	"slices"
)

// risen are the revisions that a write gives more than they had, stable apart, in the
// order of their names. It does not matter which of them the controller calls its
// candidate.
func (p *past) risen(w Write) []string {
	var more []string
	for revision, percent := range w.Split {
		if revision != p.saved.Stable && percent > w.Before.Desired[revision] {
			more = append(more, revision)
		}
	}
	slices.Sort(more)
	return more
}

// isRise tells whether a write gives any revision but stable more.
func (p *past) isRise(w Write) bool { return len(p.risen(w)) > 0 }

// sentRise returns a write that was sent now and is a rise.
func (p *past) sentRise(e Event) (Write, bool) {
	w, ok := e.(Write)
	return w, ok && !w.Landed && p.isRise(w) && !p.repeats(w) && !p.deceived(w)
}

// deceived tells whether a write says again what an answer of the past said, to somebody who
// has seen nothing newer: it is no rise to them, and only a version that counts keeps it away.
func (p *past) deceived(w Write) bool {
	read := p.reads[w.By]
	return read != nil && read.Stale && p.saves[w.By].Generation < p.generation &&
		w.Etag != w.Before.Etag && w.Split.equal(p.versions[w.Etag])
}

// repeats tells whether a write asks for what stood in the version that it is based on, which
// is of the past by now: it raises nothing there, like one that puts a name on a service, and
// never arrives.
func (p *past) repeats(w Write) bool {
	return p.restsOnThePast(w) && w.Split.equal(p.versions[w.Etag])
}

// restsOnThePast tells whether the version that a write is based on was read, and is of the
// past by now: Cloud Run refuses it.
func (p *past) restsOnThePast(w Write) bool {
	read := p.reads[w.By]
	rests := read != nil && (read.Stale || read.State.Etag == w.Etag)
	return p.etagsHeld && w.Etag != w.Before.Etag && rests
}

// risesFrom is the weight that a rise goes on from: what serves, or, of one that never
// arrives, what its version of the service asks for. Its sender knows of nothing newer.
func (p *past) risesFrom(w Write, revision string) int {
	if then, known := p.versions[w.Etag]; known && p.restsOnThePast(w) {
		return then[revision]
	}
	return p.serving()[revision]
}

// raisesTheCandidate: I3. A rise is one of the candidate that the newest status names,
// and of nothing beside it.
func raisesTheCandidate(p *past, e Event) string {
	w, rise := p.sentRise(e)
	if !rise {
		return ""
	}
	if more := p.risen(w); !slices.Equal(more, []string{p.saved.Candidate}) {
		return fmt.Sprintf("a rise of %q was sent, and the candidate is %q", more, p.saved.Candidate)
	}
	return ""
}
