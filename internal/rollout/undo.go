package rollout

import "fmt"

// undone gives all traffic back to the stable before the last one, and up the
// revision that was completed: a way back in one write, begun by a person.
func (v view) undone() (Decision, bool) {
	p := v.Progress
	if !v.asked(Undo) || !v.was.completed() || v.undoable() != "" {
		return Decision{}, false
	}
	v.Progress.Stable, v.Progress.Former = p.Former, ""
	return v.accept(v.giveUp("undone"+v.by()), "everything goes to "+p.Former), true
}

// completed tells whether the candidate became stable, and nothing has come of it since but
// what waits: a template that is not deployed yet takes no way back away.
func (p Progress) completed() bool {
	return p.Phase == Completed || p.Phase == Idle && p.Former != "" && p.Candidate != "" && p.Candidate == p.Stable
}

// undoable says why a completed rollout cannot be undone, or "".
func (v view) undoable() string {
	p := v.Progress
	former, wanted := v.revision(p.Former), v.Request.Revision
	switch {
	case !v.was.completed():
		return "" // what it says of itself is enough
	case p.Former == "":
		return "which revision was stable before is not remembered: send it 100% with " + v.byHand()
	case wanted != "" && wanted != p.Former:
		return fmt.Sprintf("%s was meant, %s was stable before: look again, and write revision: %[2]s", wanted, p.Former)
	case former.unread():
		return former.unreadWhy()
	case former.Presence != Found:
		return fmt.Sprintf("the former stable %s no longer exists", p.Former)
	case former.Readiness != Ready:
		return fmt.Sprintf("the former stable %s is not ready: %s", p.Former, former.Why)
	}
	return ""
}
