package invariants

import "fmt"

// freezeIsObeyed: I9. Nothing rises in a freeze, by the clock of whoever sends it.
func freezeIsObeyed(p *past, e Event) string {
	w, rise := p.sentRise(e)
	if !rise {
		return ""
	}
	apart := Settle - p.settle
	for _, f := range p.freezes {
		if w.when().Sub(f.when()) > p.delta+apart && w.when().Before(f.Until.Add(-apart)) {
			return fmt.Sprintf("a rise to %v was sent in a freeze of %s", w.Split, f.when().UTC().Format("15:04:05"))
		}
	}
	return ""
}
