package invariants

import "fmt"

// neverRaisesAtTheEnd: I14. An object that is to go raises nothing.
func neverRaisesAtTheEnd(p *past, e Event) string {
	w, rise := p.sentRise(e)
	if !rise || p.deleting.IsZero() || w.when().Sub(p.deleting) <= p.delta {
		return ""
	}
	return fmt.Sprintf("a rise to %v was sent %s after the deletion of the object", w.Split, w.when().Sub(p.deleting))
}

// silentAfterTheEnd: I14. An object that is gone writes nothing, but for a way back that was
// under way in a process that has stood still since. Where another one has gone on meanwhile
// there must be a newer version of the service, on which it does not arrive: that Cloud Run
// refuses it is for [landsOnItsBase] to say, and where it does not nobody can keep it away. Nor can
// they where the other one found that there was nothing to write to the RunService.
func silentAfterTheEnd(p *past, e Event) string {
	w, ok := e.(Write)
	if !ok || w.Landed || p.gone.IsZero() || w.when().Sub(p.gone) <= p.delta {
		return ""
	}
	if p.stoodStill(w) && (!p.wentOn(w) || w.Etag != w.Before.Etag || w.Unclaimed) {
		return ""
	}
	return fmt.Sprintf("%v was sent %s after the object was gone", w.Split, w.when().Sub(p.gone))
}

// stoodStill tells whether a write is a way back whose pass read, and announced it, before the
// object went. What is written to a RunService is read once more just before.
func (p *past) stoodStill(w Write) bool {
	said, read := p.saves[w.By], p.reads[w.By]
	began := read != nil && (w.Unclaimed || !read.when().After(p.gone))
	return said.Phase == phaseRollingBack && said.Intent.announces(w) && w.when().Sub(said.when()) <= longestPass*p.delta &&
		!said.when().After(p.gone) && began
}

// wentOn tells whether another process has saved a status since the one that announced a
// write, which says no more that it may arrive.
func (p *past) wentOn(w Write) bool {
	for other, said := range p.saves {
		if other != w.By && said.when().After(p.saves[w.By].when()) && !said.Intent.announces(w) {
			return true
		}
	}
	return false
}
