package invariants

import (
	"fmt"
	"slices"
	"time"
)

// The tags that are ours: the one that keeps stable addressable during an attempt,
// and the one that has the candidate's own minimum of instances started.
const (
	ourTag  = "sluice-stable"
	warmTag = "sluice-candidate"
)

// wellFormed: I1.
func wellFormed(p *past, e Event) string {
	w, ok := e.(Write)
	if !ok || !w.Accepted {
		return ""
	}
	switch {
	case !slices.Equal(w.Mask, []string{"traffic"}) && !slices.Equal(w.Mask, []string{"traffic", "annotations"}):
		return fmt.Sprintf("a write has the mask %v, not traffic", w.Mask)
	case w.Etag == "":
		return "a write has no etag"
	case len(w.Targets) == 0:
		return "a write has no traffic: everything would go to the newest revision"
	}
	return wellFormedTargets(w.Targets, p.post(w).gone)
}

// wellFormedTargets judges a list of which some revisions are known to be gone.
func wellFormedTargets(targets []Target, gone []string) string {
	sum, seen := 0, map[Target]bool{}
	for _, t := range targets {
		key := Target{Latest: t.Latest, Revision: t.Revision, Tag: t.Tag}
		switch {
		case t.Percent < 0 || t.Percent > 100:
			return fmt.Sprintf("a write gives %s %d percent", t.Revision, t.Percent)
		case t.Latest && t.Percent > 0:
			return "a write lets traffic follow LATEST"
		case seen[key]:
			return fmt.Sprintf("a write names revision %q with tag %q twice", t.Revision, t.Tag)
		case t.Percent > 0 && slices.Contains(gone, t.Revision):
			return fmt.Sprintf("a write sends traffic to %s, which does not exist", t.Revision)
		}
		seen[key] = true
		sum += t.Percent
	}
	if sum != 100 {
		return fmt.Sprintf("a write's traffic sums to %d, not 100", sum)
	}
	return ""
}

// keepsTags: I1. No write removes or moves a tag of somebody else's.
func keepsTags(p *past, e Event) string {
	w, ok := e.(Write)
	if !ok || !w.Accepted {
		return ""
	}
	for _, had := range w.Before.Traffic {
		ours := had.Tag == ourTag && slices.Contains([]string{p.tagged, p.saved.Stable, p.claim.stable}, had.Revision) ||
			had.Tag == ourTag && p.unexplained != "" && p.unexplained == p.saved.Stable && p.goesBack() ||
			had.Tag == warmTag && had.Revision == p.warmed
		if had.Tag == "" || ours {
			continue
		}
		kept := slices.ContainsFunc(w.Targets, func(t Target) bool {
			return t.Tag == had.Tag && t.Revision == had.Revision && t.Latest == had.Latest
		})
		if !kept {
			return fmt.Sprintf("a write takes the tag %q from %s, which is somebody else's", had.Tag, had.Revision)
		}
	}
	return ""
}

// solves tells whether a person names the baseline that a status does not remember: no
// claim tells whose the tag of our name is, the status says so, and they are to answer.
func (p *past) solves(s Saved) bool {
	riddle := p.savedOnce && p.saved.Reason == reasonStateLost && p.saved.Stable == "" && p.claim.stable == ""
	return riddle && s.Stable != "" && s.Stable == p.plan().StableRevision
}

// warmsWithoutTraffic: I1. A warm-up tags the candidate alone, which has no traffic
// and gets none by it.
func warmsWithoutTraffic(p *past, e Event) string {
	w, ok := e.(Write)
	revision := w.newlyWarmed()
	switch {
	case !ok || w.Landed || revision == "":
		return ""
	case revision != p.saved.Candidate || p.saved.Candidate == p.saved.Stable:
		return fmt.Sprintf("a write warms up %s, and the candidate is %s", revision, p.saved.Candidate)
	case !w.Split.equal(w.Before.Desired) || w.Split[revision] > 0:
		return fmt.Sprintf("a write warms up %s and moves traffic to %v", revision, w.Split)
	}
	return ""
}

// newlyWarmed is the revision that a write gives the tag of a warm-up; "" for none.
func (w Write) newlyWarmed() string {
	for _, t := range w.Targets {
		had := slices.ContainsFunc(w.Before.Traffic, func(b Target) bool { return b.Tag == warmTag && b.Revision == t.Revision })
		if t.Tag == warmTag && !had {
			return t.Revision
		}
	}
	return ""
}

// noWarmUpIsLeft: I5. An attempt that ends leaves no tag of a warm-up behind: it
// would keep instances, and their ports, for nobody.
func noWarmUpIsLeft(p *past, e Event) string {
	s, ok := e.(Saved)
	ends := ok && s.Phase != p.saved.Phase && (s.Phase == phaseRolledBack || s.Phase == phaseCompleted)
	if !ends || p.warmed == "" || p.read == nil || p.read.Stale {
		return ""
	}
	left := func(t Target) bool { return t.Tag == warmTag && t.Revision == p.warmed }
	if slices.ContainsFunc(p.read.State.Traffic, left) {
		return fmt.Sprintf("the status says %s, and %s still carries the tag %s", s.Phase, p.warmed, warmTag)
	}
	return ""
}

// landsOnItsBase: I2. What was written over is what was read.
func landsOnItsBase(_ *past, e Event) string {
	w, ok := e.(Write)
	if !ok || !w.Accepted || w.Etag == w.Before.Etag {
		return ""
	}
	return fmt.Sprintf("a write with the etag %s took effect on a service that had %s", w.Etag, w.Before.Etag)
}

// late tells whether a write was sent too long after a moment. A way back may come
// as late as its pass: no plan and no pause forbids it, and an apiserver that is slow
// must not.
func (p *past) late(w Write, since time.Time) bool {
	if p.goesBack() {
		return w.when().Sub(since) > longestPass*p.delta
	}
	return w.when().Sub(since) > p.delta
}

// longestPass is how long a look may take, from its read to its write, in times of
// Delta: a minute and a half, and Delta. What asks of the metrics may be slow, and
// nobody promises how old a read may be: that the service is the same is for the etag
// to show, and that plan and pause are, for the save, which Delta bounds.
const longestPass = 19

// basedOnTheNewestRead: I2. What is sent rests on what was read last.
func basedOnTheNewestRead(p *past, e Event) string {
	w, ok := e.(Write)
	read := p.reads[w.By]
	switch {
	case !ok || w.Landed:
		return ""
	case read == nil || !read.Stale && read.State.Etag != w.Etag:
		return fmt.Sprintf("a write with the etag %s was sent, which is not that of the newest read", w.Etag)
	case w.when().Sub(read.when()) > longestPass*p.delta:
		return fmt.Sprintf("a write was sent %s after the read it rests on", w.when().Sub(read.when()))
	}
	return ""
}

// savedBeforeSent: I2. What is sent was saved first, and just now, and once.
func savedBeforeSent(p *past, e Event) string {
	w, ok := e.(Write)
	if !ok || w.Landed {
		return ""
	}
	intent := p.saved.Intent
	switch {
	case !intent.announces(w):
		return fmt.Sprintf("a write to %v was sent that the newest saved status does not announce", w.Split)
	case p.sent[w.By]:
		return "a write was sent twice on one saved decision"
	case p.late(w, p.saved.when()):
		return fmt.Sprintf("a write was sent %s after its decision was saved", w.when().Sub(p.saved.when()))
	}
	return ""
}

// planWasCurrent: I2. No write follows a plan that had been replaced.
func planWasCurrent(p *past, e Event) string {
	w, ok := e.(Write)
	if !ok || w.Landed {
		return ""
	}
	for _, plan := range p.plans {
		if plan.Number > p.saved.Plan && p.late(w, plan.when()) {
			return fmt.Sprintf("a write follows plan %d, and plan %d had been there for %s",
				p.saved.Plan, plan.Number, w.when().Sub(plan.when()))
		}
	}
	return ""
}

// settles tells whether a write sends everything to what the spec names, while nothing is
// under way. Whatever split that is written over was let go with it.
func (p *past) settles(w Write) bool {
	named := p.plan().StableRevision
	return p.saved.Candidate == "" && named != "" && named == w.Split.sole()
}

// humanWins: I7.
func humanWins(p *past, e Event) string {
	w, ok := e.(Write)
	if !ok || !w.Accepted || p.foreign == nil || w.Split.equal(p.foreign.Split) {
		return ""
	}
	if p.mayOverwrite(w) {
		return ""
	}
	return fmt.Sprintf("%v was written over %v, which somebody else had set and nobody let go", w.Split, p.foreign.Split)
}

// learnCrossing forgets a split that was let go with a write over it, or that crossed with it:
// nobody knows of that any more.
func (p *past) learnCrossing(w Write) {
	if p.foreign != nil && p.mayOverwrite(w) {
		p.foreign = nil
	}
}

// mayOverwrite tells whether a write over what somebody else has set is no fault of its sender's.
func (p *past) mayOverwrite(w Write) bool { return p.settles(w) || p.crosses(w) }

// crosses tells whether a write to a RunService meets what somebody set on the service a moment
// ago, or what only an answer of the past hides from somebody who has seen nothing newer: nothing
// in a RunService says which version of the service it was decided on, so that Cloud Run cannot
// refuse it.
func (p *past) crosses(w Write) bool {
	read := p.reads[w.By]
	hidden := read != nil && read.Stale && p.saves[w.By].Generation < p.generation
	return w.Unclaimed && (hidden || w.when().Sub(p.foreign.when()) <= p.delta)
}

// pauseIsObeyed: I9.
func pauseIsObeyed(p *past, e Event) string {
	w, rise := p.sentRise(e)
	plan := p.plan()
	if !rise || !plan.Paused || w.when().Sub(plan.when()) <= p.delta {
		return ""
	}
	return fmt.Sprintf("a rise to %v was sent %s after spec.paused was set", w.Split, w.when().Sub(plan.when()))
}

// abortIsObeyed: I9.
func abortIsObeyed(p *past, e Event) string {
	w, rise := p.sentRise(e)
	abort, asked := p.request("abort")
	if !rise || !asked || w.when().Sub(abort.when()) <= p.delta {
		return ""
	}
	if abort != p.requests[len(p.requests)-1] {
		return "" // a person put another request in its place
	}
	if _, answered := p.answered[abort.ID]; answered {
		return "" // refused, or obeyed: then the latch is asked
	}
	return fmt.Sprintf("a rise to %v was sent %s after an abort was asked", w.Split, w.when().Sub(abort.when()))
}
