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
	if f, frozen := p.freeze(w.when()); frozen {
		return fmt.Sprintf("a rise to %v was sent in a freeze of %s", w.Split, f.when().UTC().Format("15:04:05"))
	}
	return ""
}

// freeze is the one that a moment is in, whatever clock it is looked up on.
func (p *past) freeze(at time.Time) (Frozen, bool) {
	apart := p.apart()
	for _, f := range p.freezes {
		if at.Sub(f.when()) > p.delta+apart && at.Before(f.Until.Add(-apart)) {
			return f, true
		}
	}
	return Frozen{}, false
}
