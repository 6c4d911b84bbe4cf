package explorer

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// judge is what is wrong with a decision, whatever happened before. It looks at
// the service as it was read, and not at what the decision says of it.
func (w *worker) judge(s sight, in rollout.Input, d rollout.Decision) string {
	return cmp.Or(
		follows(in.Progress.Phase, d.Progress.Phase),
		hasNextLook(d),
		w.wellFormed(s, d),
		w.deployWellFormed(s, d),
		w.endIsTrue(s, in, d),
		w.servingIsTrue(s, d),
		w.fits(s, in, d),
		w.heedsFreeze(s, d),
		stopsSomething(in, d),
		waitsEnd(s, in, d),
	)
}

// follows: the phases come after each other as the table of edges says.
func follows(from, to rollout.Phase) string {
	if from = cmp.Or(from, rollout.Idle); from == to || slices.Contains(rollout.Edges[from], to) {
		return ""
	}
	return fmt.Sprintf("edges: %s follows %s", to, from)
}

// longestWait is the longest that a rollout may go without being looked at.
const longestWait = time.Minute

// hasNextLook: I16.
func hasNextLook(d rollout.Decision) string {
	if d.LookAt.After(now) && !d.LookAt.After(now.Add(longestWait)) {
		return ""
	}
	return fmt.Sprintf("I16: the next look is %s from now", d.LookAt.Sub(now))
}

// wellFormed: I1.
func (w *worker) wellFormed(s sight, d rollout.Decision) string {
	if d.Write == nil {
		return ""
	}
	if d.Write.ETag() != etagNow {
		return fmt.Sprintf("I2: a write has the etag %q, not that of the service as it was read", d.Write.ETag())
	}
	sum, had, targets, asked := int64(0), map[rollout.Entry]bool{}, d.Write.Targets(), w.lists.at(s.cloud.asked())
	for _, t := range targets {
		key := rollout.Entry{Latest: t.Latest, Revision: t.Revision, Tag: t.Tag}
		r := numberOf(t.Revision)
		health := s.cloud.revisions[r]
		switch {
		case t.Percent < 0, t.Percent > 0 && t.Latest, had[key]:
			return fmt.Sprintf("I1: a write has the entry %v", t)
		case t.Percent > asked.share(r, s.cloud.ready) && (health == absent || health == lost):
			return fmt.Sprintf("I1: a write sends traffic to %s, which does not exist", t.Revision)
		}
		had[key] = true
		sum += t.Percent
	}
	if sum != 100 {
		return fmt.Sprintf("I1: a write sums to %d", sum)
	}
	return keepsTags(asked.tags(), targets)
}

// keepsTags: I1. Nobody's tag is lost or moved.
func keepsTags(tags, targets []rollout.Entry) string {
	for _, tag := range tags {
		kept := slices.ContainsFunc(targets, func(t rollout.Entry) bool { return t.Tag == tag.Tag && t.Revision == tag.Revision })
		if tag.Tag != rollout.Tag && !kept {
			return fmt.Sprintf("I1: a write takes the tag %s from %s", tag.Tag, tag.Revision)
		}
	}
	return ""
}

// endIsTrue: I10. Who says that it is over has seen that.
func (w *worker) endIsTrue(s sight, in rollout.Input, d rollout.Decision) string {
	sole := w.lists.at(s.cloud.effective).sole(s.cloud.ready)
	p := d.Progress
	switch {
	case p.Phase == in.Progress.Phase:
	case p.Phase == rollout.Completed && (names[sole] != p.Candidate || p.Candidate != p.Stable):
		return fmt.Sprintf("I10: Completed with %s, and %q serves everything", p.Candidate, names[sole])
	case p.Phase == rollout.RolledBack && names[sole] != p.Stable:
		return fmt.Sprintf("I10: RolledBack to %s, and %q serves everything", p.Stable, names[sole])
	}
	return ""
}

// servingIsTrue: I10. What is said to serve does.
func (w *worker) servingIsTrue(s sight, d rollout.Decision) string {
	effective := w.lists.at(s.cloud.effective)
	for r := uint8(1); r <= mostRevisions; r++ {
		if d.Serves.Of(names[r]) != effective.share(r, s.cloud.ready) {
			return fmt.Sprintf("I10: it is said that %v serves, and %v does", d.Serves, effective.entries)
		}
	}
	if d.Progress.Generation > seen {
		return fmt.Sprintf("I10: generation %d was seen, and there is none after %d", d.Progress.Generation, seen)
	}
	return ""
}

// fits: I3. What a person asked of one step of an attempt is not obeyed at another.
func (w *worker) fits(s sight, in rollout.Input, d rollout.Decision) string {
	asked, answer := in.Request, d.Progress.LastRequest
	if !s.object.request.bound() || answer.ID != requestID || !answer.Accepted {
		return ""
	}
	serving := w.lists.at(s.cloud.effective).share(numberOf(in.Progress.Candidate), s.cloud.ready)
	step := stepAt(plans[s.object.plan], serving)
	if asked.Attempt == in.Progress.Attempt && (asked.Step < 0 || asked.Step == step) {
		return ""
	}
	return fmt.Sprintf("I3: %s was meant for step %d of attempt %d, and is obeyed at step %d of attempt %d",
		asked.Verb, asked.Step, asked.Attempt, step, in.Progress.Attempt)
}

// heedsFreeze: I9. No rise is decided on while a freeze is there.
func (w *worker) heedsFreeze(s sight, d rollout.Decision) string {
	if !s.shut || d.Write == nil {
		return ""
	}
	if r := w.risen(s.cloud, d.Progress.Stable, w.traffic(d.Write.Targets())); r != 0 {
		return fmt.Sprintf("I9: %s is to rise, and nothing may", names[r])
	}
	return ""
}

// toSettle is how often an unchanged world is looked at before nothing changes any
// more: what is new is seen in one look, and what follows from it in the next.
const toSettle = 2

// judgeQuiet: I12. Who stays where it is and writes nothing goes on like that when
// it looks again at once: neither the service nor, in the end, the status is written.
func (w *worker) judgeQuiet(s sight, d rollout.Decision, short decision) string {
	was := w.statuses.at(s.object.status)
	moves := cmp.Or(was.Phase, rollout.Idle) != d.Progress.Phase || was.Reason != d.Progress.Reason || was.Stable != d.Progress.Stable
	if d.Write != nil || d.Deploy != nil || short.released || short.began || short.answered || moves {
		return ""
	}
	status := short.status
	for look := 0; status != s.object.status; look++ {
		s.object.status = status
		again := w.scope.Decide(w.input(s))
		status = w.status(normal(again.Progress))
		if again.Write != nil || again.Deploy != nil || look == toSettle {
			return fmt.Sprintf("I12: %s/%s is decided again, and something is written that was left alone before",
				d.Progress.Phase, d.Progress.Reason)
		}
	}
	return ""
}
