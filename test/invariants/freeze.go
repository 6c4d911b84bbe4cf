package invariants

import (
	"fmt"
	"time"
)

// freezeIsObeyed: I9. Nothing rises in a freeze, by the clock of whoever sends it.
func freezeIsObeyed(p *past, e Event) string {
	w, rise := p.sentRise(e)
	if !rise {
		return ""
	}
	if f, frozen := p.freeze(w.By, w.when()); frozen {
		return fmt.Sprintf("a rise to %v was sent in a freeze of %s", w.Split, f.when().UTC().Format("15:04:05"))
	}
	return ""
}

// freeze is the one that a moment is in for a process, whatever clock it is looked up on. Who stood
// still since it began may not have heard of it.
func (p *past) freeze(by string, at time.Time) (Frozen, bool) {
	apart, stood := p.apart(), p.stood[by]
	for _, f := range p.freezes {
		patience := p.delta + apart
		if stood.when().After(f.when()) {
			patience += stood.For
		}
		if at.Sub(f.when()) > patience && at.Before(f.Until.Add(-apart)) {
			return f, true
		}
	}
	return Frozen{}, false
}
