package invariants

import (
	"fmt"
	"strings"
	"time"
)

// The verbs that exempt from a rule, or bring one.
const (
	verbApprove = "approve"
	verbPromote = "promote"
	verbPause   = "pause"
	verbResume  = "resume"
	verbRetry   = "retry"
	verbUndo    = "undo"
)

// full tells whether a promote goes to the end in one write.
func (r Request) full() bool { return strings.Contains(r.Mode, "full") }

// wishes are the requests that were accepted and still count.
type wishes struct {
	promote Request // the newest promote
	attempt int64   // of which it is
	again   int     // the weight that it goes to after its status was put back, until that serves
	paused  int64   // the attempt that a person paused; 0 for none
}

// learn notes an accepted request, and what ends an earlier one.
func (w *wishes) learn(r Request, s Saved) {
	switch r.Verb {
	case verbPromote:
		w.promote, w.attempt, w.again = r, s.Attempt, 0
	case verbPause:
		w.paused = s.Attempt
	case verbResume:
		w.paused = 0
	}
}

// asked returns a request by its id.
func (p *past) asked(id string) (Request, bool) {
	for _, r := range p.requests {
		if r.ID == id {
			return r, true
		}
	}
	return Request{}, false
}

// promoted returns the accepted promote that a rise to a weight, or the end of a bake at
// weight 0, answers, if there is one: that of the weight that serves, or, for everything
// at once, that to the end until it serves.
func (p *past) promoted(weight int) (Request, bool) {
	r := p.wishes.promote
	meant := !r.when().Before(p.promotableSince())
	switch {
	case r.full():
		meant = weight == 100 && p.serving()[p.saved.Candidate] < 100
	case p.wishes.again > 0:
		meant = weight == p.wishes.again
	}
	return r, r.ID != "" && p.wishes.attempt == p.saved.Attempt && meant
}

// bringsBack tells whether a status announces a split again that served in the attempt.
func (p *past) bringsBack(s Saved) bool {
	return s.Intent != nil && p.servedSince(s.Intent.Split.equal, p.firstWrite)
}

// promotableSince is since when a promote is meant for the weight that serves: since it does,
// or since a resume was accepted that writes it again after somebody else's split, or since
// its attempt was taken up from the claim on the service while it was on its way. Its step is
// under way all that time, and whoever promotes it then need not wait until it serves.
func (p *past) promotableSince() time.Time {
	serves, told := p.servesSince(), p.stepTold
	first := len(p.effective) < 2 || !p.effective[len(p.effective)-2].when().After(told.when())
	if len(told.Split) > 0 && first && p.serving().equal(told.Split) && told.when().Before(serves) {
		return told.when()
	}
	return serves
}

// stood ends a promote: nothing that was promoted before a hold or a pause rises after it.
func (w *wishes) stood(s Saved) {
	switch s.Phase {
	case "Held", "Paused", "AwaitingApproval":
		w.promote = Request{}
	}
}

// endsByPromote tells whether a status answers a promote of the last weight.
func (p *past) endsByPromote(s Saved) bool {
	r, ok := p.asked(s.Answered)
	return ok && r.Verb == verbPromote && !r.full() && s.Accepted && s.Answered != p.saved.Answered
}

// undone tells whether a status is the answer to an undo: the baseline is then the
// one before.
func (p *past) undone(s Saved) bool {
	r, ok := p.asked(s.Answered)
	return ok && r.Verb == verbUndo && s.Accepted && s.Phase == phaseRollingBack && (p.saved.Phase == phaseCompleted || p.saved.Phase == phaseIdle)
}

// requestedPauseIsObeyed: I9. From a pause that was asked for until somebody resumes
// nothing rises in its attempt.
func requestedPauseIsObeyed(p *past, e Event) string {
	w, rise := p.sentRise(e)
	if !rise {
		return ""
	}
	if p.wishes.paused != 0 && p.wishes.paused == p.saved.Attempt {
		return fmt.Sprintf("a rise to %v was sent, and a person had paused attempt %d", w.Split, p.saved.Attempt)
	}
	if since, waiting := p.unheardPause(); waiting && w.when().Sub(since) > p.delta {
		return fmt.Sprintf("a rise to %v was sent %s after a pause was asked", w.Split, w.when().Sub(since))
	}
	return ""
}

// unheardPause is since when a pause waits for its answer.
func (p *past) unheardPause() (time.Time, bool) {
	if len(p.requests) == 0 {
		return time.Time{}, false
	}
	newest := p.requests[len(p.requests)-1]
	_, answered := p.answered[newest.ID]
	return newest.when(), newest.Verb == verbPause && !answered
}
