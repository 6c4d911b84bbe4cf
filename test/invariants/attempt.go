package invariants

import (
	"fmt"
	"slices"
)

// latchHolds: I5. Nothing raises a candidate in an attempt that was given up,
// nor one that was given up for good.
func latchHolds(p *past, e Event) string {
	w, rise := p.sentRise(e)
	switch {
	case !rise:
		return ""
	case p.given[p.saved.Attempt]:
		return fmt.Sprintf("a rise to %v was sent in attempt %d, which was given up", w.Split, p.saved.Attempt)
	}
	for _, revision := range p.risen(w) {
		switch {
		case p.abandoned[revision] && !p.unheard(w):
			return fmt.Sprintf("a rise to %v was sent, %s had been given up, and nobody asked to retry", w.Split, revision)
		case slices.Contains(p.saved.Latched, revision):
			return fmt.Sprintf("a rise to %v was sent, and %s is latched", w.Split, revision)
		}
	}
	return ""
}

// unheard tells whether who sends a rise cannot know what was given up: the status that said
// so was taken away, or its object was, and they have read the service only as it was before
// the claim that does. That is another version, on which the rise does not arrive.
func (p *past) unheard(w Write) bool {
	read := p.reads[w.By]
	return later(p.put, p.anew).After(p.claim.at) && read != nil && read.Stale && p.saved.Generation < p.claim.generation && w.Etag != w.Before.Etag
}

// baselineSavedFirst: I6.
func baselineSavedFirst(p *past, e Event) string {
	w, ok := e.(Write)
	if !ok || w.Landed || p.saved.Stable != "" {
		return ""
	}
	return fmt.Sprintf("%v was sent before a baseline was saved", w.Split)
}

// baselineConstant: I6. It changes with the end of an attempt, or by a person.
func baselineConstant(p *past, e Event) string {
	s, ok := e.(Saved)
	if !ok || !p.savedOnce || s.Attempt != p.saved.Attempt || s.Stable == p.saved.Stable || p.saved.Stable == "" {
		return ""
	}
	whole := func(split Split) bool { return split.sole() == s.Stable }
	switch {
	case s.Phase == phaseCompleted && s.Stable == p.saved.Candidate:
		return ""
	case p.undone(s), p.recalled(s):
		return ""
	case p.plan().StableRevision == s.Stable && s.Stable != "":
		return "" // named by a person
	case (!p.desiredOurs || p.writeForgotten() && !p.underway()) && s.Stable != "" && (p.desired.sole() == s.Stable || p.servedSince(whole, p.toldOf(s))):
		return "" // a person, or LATEST, sent it everything; who reads the past knows of no other
	case p.inherits() && s.Stable == p.claim.stable && (whole(p.serving()) || whole(p.desired)):
		return "" // so says the claim of an object that is gone, and that came after this status
	case p.saved.Phase == phaseIdle && p.saved.Candidate == "" && s.Stable != "" && p.serving().sole() == s.Stable:
		return "" // nothing is under way, and it was read before as it had been in the past
	case s.Stable == "" && p.answered[s.Answered] != s.Accepted:
		return "" // a person said: take the service as new
	}
	return fmt.Sprintf("the baseline changed from %s to %q during attempt %d", p.saved.Stable, s.Stable, s.Attempt)
}

// baselineIsKnown: I6. Where there was none, or with a new attempt, the baseline is a
// revision that had everything, or that a person or the claim on the service names; or
// the one that was asked to have everything and is gone.
func baselineIsKnown(p *past, e Event) string {
	s, ok := e.(Saved)
	began := !p.savedOnce || s.Attempt != p.saved.Attempt || p.saved.Stable == ""
	if !ok || !began || s.Stable == "" || p.savedOnce && s.Stable == p.saved.Stable {
		return ""
	}
	whole := func(split Split) bool { return split.sole() == s.Stable }
	switch {
	case s.Stable == p.plan().StableRevision, s.Stable == p.claim.stable, p.undone(s):
		return ""
	case p.servedSince(whole, p.toldOf(s)), len(p.serving()) == 0 && whole(p.desired):
		return ""
	}
	return fmt.Sprintf("attempt %d begins with the baseline %s, which does not have everything, and which nobody named", s.Attempt, s.Stable)
}

// baselineReachable: I6. At every rise the way back exists, is ready and keeps
// an address.
func baselineReachable(p *past, e Event) string {
	w, rise := p.sentRise(e)
	if !rise {
		return ""
	}
	stable := p.saved.Stable
	if !p.wasReady(stable, p.decided(w)) {
		return fmt.Sprintf("a rise to %v was sent while stable %s was %s", w.Split, stable, p.lives[stable])
	}
	if !slices.ContainsFunc(w.Targets, func(t Target) bool { return t.Revision == stable && (t.Percent > 0 || t.Tag != "") }) {
		return fmt.Sprintf("a rise to %v leaves stable %s without traffic and without a tag", w.Split, stable)
	}
	return ""
}

// endIsTrue: I10. Who is answered from the past cannot know of what somebody else has done
// since, or they themselves where nothing remembers it: no status, or one that was put back
// and announces nothing.
func endIsTrue(p *past, e Event) string {
	s, ok := e.(Saved)
	unsaid := p.put.After(p.askedAt) && p.saved.Intent == nil
	if !ok || s.Phase == p.saved.Phase || s.Generation < p.generation && (!p.desiredOurs || p.memoryLost || unsaid) {
		return ""
	}
	serves := func(revision string) bool {
		return p.servedSince(func(split Split) bool { return split[revision] == 100 }, s.when().Add(-p.delta))
	}
	switch {
	case s.Phase == phaseCompleted && !serves(s.Candidate):
		return fmt.Sprintf("the status says Completed, and %v serves", p.serving())
	case s.Phase == phaseRolledBack && !serves(s.Stable):
		return fmt.Sprintf("the status says RolledBack, and %v serves", p.serving())
	}
	return ""
}

// nothingFromTheFuture: I10. A status knows no generation and no plan that did
// not exist. One that was decided just before etcd was put back can be stored after it, where
// the number of its version comes again; the next look mends it.
func nothingFromTheFuture(p *past, e Event) string {
	s, ok := e.(Saved)
	switch {
	case !ok:
		return ""
	case s.Generation > p.generation:
		return fmt.Sprintf("the status has seen generation %d, the service never had more than %d", s.Generation, p.generation)
	case s.Plan > p.plan().Number && s.when().Sub(p.rewound) > p.delta:
		return fmt.Sprintf("the status was decided on plan %d, the newest is %d", s.Plan, p.plan().Number)
	}
	return ""
}
