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
// announced before by a process that has stood still since.
func silentAfterTheEnd(p *past, e Event) string {
	w, ok := e.(Write)
	if !ok || w.Landed || p.gone.IsZero() || w.when().Sub(p.gone) <= p.delta {
		return ""
	}
	if said := p.saves[w.By]; said.Phase == phaseRollingBack && said.Intent.announces(w) && w.when().Sub(said.when()) <= longestPass*p.delta {
		return ""
	}
	return fmt.Sprintf("%v was sent %s after the object was gone", w.Split, w.when().Sub(p.gone))
}
