package rollout

import (
	"fmt"
	"time"
)

// Hours says whether rises are let through now. The zero Hours lets all through. What
// lowers the candidate's traffic, and what judges it, knows no hours.
type Hours struct {
	Shut  bool
	Why   string    // a freeze or the windows of the plan, and who wants it
	Opens time.Time // when it ends; zero where nobody can say
}

// closed holds every rise outside of the hours in which it is wanted.
func (v view) closed() (Decision, bool) {
	if !v.Hours.Shut {
		return Decision{}, false
	}
	note := v.stands() + "; nothing rises " + v.Hours.since()
	return v.at(Held, OutsideWindow, note).next(fmt.Sprintf(
		"%s; a breach still leads back, and abort sends everything to %s.", v.Hours.ends(), v.Progress.Stable)), true
}

// since says in which hours nothing rises, as the end of a sentence.
func (h Hours) since() string { return "now: " + h.Why }

// opening says until when, as the end of a refusal.
func (h Hours) opening() string {
	if h.Opens.IsZero() {
		return ""
	}
	return "; ask again at " + Clock(h.Opens)
}

// ends says what comes after them.
func (h Hours) ends() string {
	if h.Opens.IsZero() {
		return "Goes on when it is let through"
	}
	return "Goes on at " + Clock(h.Opens)
}
