package rollout

import (
	"cmp"
	"fmt"
	"time"
)

// Verb is what a person asks for.
type Verb string

// The verbs. Pause is the name of an action.
const (
	Approve   Verb = "approve"
	Promote   Verb = "promote"
	VerbPause Verb = "pause"
	Resume    Verb = "resume"
	Abort     Verb = "abort"
	Retry     Verb = "retry"
	Undo      Verb = "undo"
	Adopt     Verb = "adopt"
)

// Request is a person's verb, bound to what the person saw.
type Request struct {
	ID       string
	Verb     Verb
	Attempt  int64 // 0: not bound to an attempt
	Step     int   // -1: not bound to a step
	Revision string
	Full     bool // of a promote: everything in one write
	Override bool // of a promote: past the gateways' ceiling
	By       string
	Reason   string
	// Malformed says what is wrong with the request itself.
	Malformed string
}

// Reply is the one answer to a request.
type Reply struct {
	ID       string
	Verb     Verb
	Accepted bool
	Message  string
	At       time.Time
}

// asked tells whether a person asks for a verb now, in a way that still fits.
func (v view) asked(verb Verb) bool {
	return v.pending() && v.Request.Verb == verb && v.misfit() == ""
}

// pending tells whether there is a request that was not answered yet. Another
// verb is another request, even under the id of the last one.
func (v view) pending() bool {
	last := v.Progress.LastRequest
	return v.Request.ID != "" && (v.Request.ID != last.ID || v.Request.Verb != last.Verb)
}

// misfit says why a request cannot be meant for what is going on now.
func (v view) misfit() string {
	req := v.Request
	switch {
	case req.Malformed != "":
		return req.Malformed
	case req.Attempt != 0 && req.Attempt != v.Progress.Attempt:
		return fmt.Sprintf("attempt %d was meant, attempt %d is the newest: look again, and write attempt: %[2]d", req.Attempt, v.Progress.Attempt)
	case req.Step >= 0 && req.Step != v.Progress.Step:
		return fmt.Sprintf("step %d was meant, step %d is under way: look again, and write step: %[2]d", req.Step, v.Progress.Step)
	case (req.Verb == Approve || req.Verb == Promote) && (req.Attempt == 0 || req.Step < 0):
		return fmt.Sprintf("%s needs the attempt and the step that were looked at: write attempt: %d and step: %d",
			req.Verb, v.Progress.Attempt, v.Progress.Step)
	case req.Verb == Undo && req.Attempt == 0:
		return fmt.Sprintf("undo needs the attempt that was looked at: write attempt: %d", v.Progress.Attempt)
	case req.Verb == Promote && req.Revision != "" && req.Revision != v.Progress.Candidate:
		return fmt.Sprintf("%s was meant, %s is the candidate: look again, and write revision: %[2]s", req.Revision, v.Progress.Candidate)
	case (req.Verb == Resume || req.Verb == Promote) && v.Plan.Paused:
		return "spec.paused is true: set it to false in Git"
	}
	return ""
}

// accept answers the request in a decision.
func (v view) accept(d Decision, message string) Decision {
	d.reply = &Reply{ID: v.Request.ID, Verb: v.Request.Verb, Accepted: true, Message: message, At: v.Now}
	return d
}

// answer gives a pending request its one answer. A request that no rule took up
// is refused, except while it cannot be judged: then it is heard again when the
// facts are clear.
func (v view) answer(d Decision) Decision {
	if !v.pending() {
		return d
	}
	why := v.misfit()
	if d.reply == nil && why == "" && v.postponed() {
		return d
	}
	if d.reply == nil {
		if why == "" {
			why = v.unfit(d)
		}
		d.reply = &Reply{ID: v.Request.ID, Verb: v.Request.Verb, Message: why, At: v.Now}
		d = d.tell(RequestRefused, fmt.Sprintf("%s refused: %s", v.Request.Verb, why), true)
	}
	if d.reply.Accepted {
		d = d.tell(RequestAccepted, fmt.Sprintf("%s%s: %s", v.Request.Verb, v.by(), d.reply.Message), false)
	}
	d.Progress.LastRequest = *d.reply
	return d
}

// postponed tells whether a request must wait for the facts. An abort waits only
// where nothing can be written, and is never forgotten there.
func (v view) postponed() bool {
	svc := v.Service
	if v.Request.Verb == Abort {
		return v.was.underway() && (svc.Presence != Found || v.stale())
	}
	return svc.Presence == Found && (!svc.settled() || v.stale())
}

// unfit says why a verb means nothing in the state that was decided.
func (v view) unfit(d Decision) string {
	why := ""
	switch v.Request.Verb {
	case Approve, Resume, Abort, Retry, Adopt, VerbPause:
	case Promote:
		why = v.unpromoted(d)
	case Undo:
		why = v.undoable()
	default:
		return fmt.Sprintf("unknown verb %q: write approve, promote, pause, resume, abort, retry, undo or adopt", v.Request.Verb)
	}
	return cmp.Or(why, fmt.Sprintf("there is nothing to %s in state %s/%s: %s", v.Request.Verb, d.Progress.Phase, d.Progress.Reason, d.Note))
}

// by is who asked for what happens now, with the reason given; "" when nobody did.
func (v view) by() string {
	if v.Request.ID == "" {
		return ""
	}
	return " by " + v.Request.who()
}

// who names the person behind a request, and the reason given.
func (r Request) who() string {
	by := r.By
	if by == "" {
		by = "a person"
	}
	if r.Reason == "" {
		return by
	}
	return fmt.Sprintf("%s (%q)", by, r.Reason)
}
