package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// heldByBreach holds while a threshold is tripped whose policy is to wait.
func (v view) heldByBreach(c Check) Decision {
	c = v.gravest(c)
	d := v.at(Held, HeldByAnalysis, fmt.Sprintf("%s at %d%%: %s, noticed %s%s",
		v.Progress.Candidate, v.weight(), c.dated(), Clock(c.BreachedSince), v.whose(c)))
	if c.Verdict.Stopped {
		return d.next(v.untilDeadline("It has stopped; goes on when the newest minutes are clean"))
	}
	if c.Blame.Role != "" {
		return d.next(v.nextOf(c))
	}
	if after := v.guard(c.Name).RollbackAfter; after > 0 && !c.Verdict.Shared {
		return d.next(fmt.Sprintf("Rolls back at %s unless it stops; goes on by itself when it does.", Clock(c.BreachedSince.Add(after))))
	}
	if c.Verdict.Shared {
		return d.next(v.untilDeadline("Going back would not cure it; goes on when the whole step is within the limit again"))
	}
	return d.next(v.untilDeadline("Goes on when the check passes again"))
}

// noData holds while a metric does not answer.
func (v view) noData(c Check) Decision {
	return v.unseen(c.Name+": "+c.Verdict.Note, "data is back")
}

// unjudged holds while no check could stop a bad revision: time alone never
// lets a step pass.
func (v view) unjudged() (Decision, bool) {
	if slices.ContainsFunc(v.checks, Check.judges) {
		return Decision{}, false
	}
	var why []string
	for _, g := range v.Plan.Guards {
		why = append(why, g.Name+" "+v.idleness(g))
	}
	note := "nothing is judged"
	if len(why) > 0 {
		note += ": " + strings.Join(why, "; ")
	}
	return v.unseen(note, "a check applies: write mode: Enforce in errors under spec.analysis.checks, or leave it out there"), true
}

// idleness is why a check stops nothing.
func (v view) idleness(g Guard) string {
	i := slices.IndexFunc(v.checks, func(c Check) bool { return c.Name == g.Name })
	switch {
	case g.Mode != Enforce:
		return fmt.Sprintf("is %s", g.Mode)
	case i < 0:
		return "is not asked"
	default:
		return "does not apply, " + v.checks[i].Verdict.Note
	}
}

// unseen holds without evidence, and in the end does what the plan says.
func (v view) unseen(why, until string) Decision {
	if v.Progress.NoDataSince.IsZero() {
		v.Progress.NoDataSince = v.Now
	}
	policy := v.Plan.NoData
	limit := v.Progress.NoDataSince.Add(policy.After)
	note := fmt.Sprintf("no evidence since %s: %s", Clock(v.Progress.NoDataSince), why)
	if !v.Now.Before(limit) {
		if policy.Action == Rollback && !v.untouched() {
			return v.giveUp(note)
		}
		return v.pause(NoDataDeadlineExceeded, note).next(v.untilResumed(NoDataDeadlineExceeded))
	}
	outcome := "pauses"
	if policy.Action == Rollback && !v.untouched() {
		outcome = "rolls back"
	}
	return v.at(Held, MetricsUnavailable, note).next(fmt.Sprintf("Goes on when %s; %s at %s.", until, outcome, Clock(limit)))
}

// thin holds a step that has too few requests, unless a person lets it pass.
func (v view) thin(c Check) Decision {
	p := v.Progress
	if p.ThinAccepted == p.Step {
		return v.passed()
	}
	if v.asked(Approve) {
		v.Progress.ThinAccepted = p.Step
		heard := v
		v.Request = Request{} // it passes this one step, not the gate behind it as well
		return heard.accept(v.passed().credited("approved"+heard.by()), "the step passes with "+c.Verdict.Note)
	}
	return v.at(Held, TooFewRequests, fmt.Sprintf("%s at %d%%: %s", p.Candidate, v.weight(), c.Verdict.Note)).next(
		v.untilDeadline(fmt.Sprintf("Goes on when there are enough; approve (attempt %d, step %d) lets this step pass", p.Attempt, p.Step)))
}

// untilDeadline adds when the step's time is over.
func (v view) untilDeadline(sentence string) string {
	expires := v.Progress.Clock.expires(v.Plan.StepDeadline)
	if expires.IsZero() {
		return sentence + "."
	}
	return fmt.Sprintf("%s; pauses at %s.", sentence, Clock(expires))
}

// untouched tells whether the attempt has not moved any traffic.
func (v view) untouched() bool {
	return v.Progress.FirstWrite.IsZero()
}

// giveUp latches the candidate and goes back. An attempt that never wrote needs
// no write; one with a write in flight does, because only a newer version of
// the service keeps that write from landing later.
func (v view) giveUp(cause string) Decision {
	if v.Progress.Candidate != "" {
		v.Progress = v.Progress.latch(v.Progress.Candidate)
	}
	v.Progress.Requested, v.Progress.Cause = "", cause
	if v.untouched() && v.desired.Equal(all(v.Progress.Stable)) && v.Progress.Warmup.Tagged == "" && v.unsaid() == "" {
		return v.nothingToLower()
	}
	return v.sendBack(cause)
}

// mayLand tells whether a write of ours that moves traffic may still take effect,
// when its attempt is over and nobody would know it any more. Only a newer version
// of the service keeps it from that, and what stands in a RunService already makes none.
func (v view) mayLand() bool {
	return !v.unchangeable() && slices.ContainsFunc(v.Progress.unseen(v.Service.ETag), func(i Intent) bool { return !i.Split.Equal(all(v.Progress.Stable)) })
}

// unchangeable tells whether a RunService stayed as it was when stable was sent everything:
// that stood there already. What may still arrive is taken back when it does.
func (v view) unchangeable() bool {
	return v.Plan.RunService != "" && slices.ContainsFunc(v.Progress.Intents, func(i Intent) bool {
		return i.Split.Equal(all(v.Progress.Stable)) && (i.seen() || i.ETag == v.Service.ETag) && !i.At.After(v.Now.Add(-soon))
	})
}

// sendBack sends stable everything. The split it leaves counts as known from
// here on, so that a write that is lost is sent again and not taken for a
// stranger's split.
func (v view) sendBack(cause string) Decision {
	stable := v.Progress.Stable
	if v.revision(stable).Presence == Missing {
		return v.pause(BaselineLost, fmt.Sprintf("%s; stable revision %s no longer exists; traffic is %s", cause, stable, v.desired)).next(v.nameStable())
	}
	v.Progress.Confirmed, v.Progress.Intents = v.desired, v.Progress.unseen("")
	v.Progress.Retreat = Retreat{}
	note, next := fmt.Sprintf("%s; 100%% goes to %s", cause, stable), v.doneWhen(served)
	if r := v.revision(stable); r.Readiness == NotReady {
		note += fmt.Sprintf(", which is not ready itself: %s", r.Why)
		next = "A person must look at stable: it may not serve what it is sent. " + next
	}
	return v.write(v.at(RollingBack, ReasonRollingBack, note).next(next), all(stable))
}

// goBack repeats the way back until it serves.
func goBack(v view) Decision {
	p := v.Progress
	stable := all(p.Stable)
	if v.staged() {
		return v.inStages()
	}
	if !v.desired.Equal(stable) {
		return v.sendBack(v.because() + "traffic is still " + v.desired.String())
	}
	if d, late := delayed(v); late {
		return d
	}
	if v.carries() {
		return v.sendBack(fmt.Sprintf("%s%s still carries the tag %s", v.because(), p.Warmup.Tagged, WarmTag))
	}
	if v.effective.Equal(stable) && v.Service.settled() {
		return v.isBack()
	}
	if v.Service.Failure != "" && !v.Service.Reconciling && v.lastWriteBefore(v.Now.Add(-time.Minute)) {
		return v.sendBack(v.because() + v.applier() + " could not apply it: " + v.Service.Failure)
	}
	if v.effective.Equal(stable) {
		return v.nearlyBack()
	}
	return v.at(RollingBack, ReasonRollingBack, fmt.Sprintf("%straffic goes to %s, serves %s%s",
		v.because(), v.desired, v.effective, v.Service.Kept.waits())).next(v.doneWhen(served))
}

// nearlyBack is a way back that serves, as far as one can tell while a change is applied.
func (v view) nearlyBack() Decision {
	note := v.because() + v.Progress.Stable + " serves 100%; " + v.applying("Cloud Run is still applying a change")
	return v.at(RollingBack, ReasonRollingBack, note).next(v.doneWhen("Cloud Run reports it done"))
}

// isBack ends a way back that serves: the candidate was given up, or the attempt begins
// anew, or is over.
func (v view) isBack() Decision {
	if v.mayLand() {
		return v.sendBack(v.because() + "a write decided earlier may still arrive")
	}
	if why := v.unsaid(); why != "" {
		return v.sendBack(v.because() + why)
	}
	v, waits := v.hears()
	if waits {
		return v.awaitsWord()
	}
	p := v.Progress
	anew := p.sparing()
	p.Confirmed, p.Intents, p.Tagged, p.Retreat = all(p.Stable), p.unseen(v.Service.ETag), v.tagAfter(), Retreat{}
	v.Progress = p
	switch {
	case p.Candidate != "" && p.latched(p.Candidate):
		return v.rolledBack()
	case anew:
		return v.beginsAnew()
	}
	return rest(v.idle())
}

// inStages goes on with a way back that takes several writes, or ends it in one.
func (v view) inStages() Decision {
	if why := v.hurried(); why != "" {
		return v.sendBack(v.because() + why)
	}
	if d, late := delayed(v); late {
		return d
	}
	return v.lowers()
}

// because is why the candidate was given up, as the beginning of a sentence.
func (v view) because() string {
	if v.Progress.Cause == "" {
		return ""
	}
	return v.Progress.Cause + "; "
}

// lastWriteBefore tells whether no write was decided since a time.
func (v view) lastWriteBefore(t time.Time) bool {
	return !slices.ContainsFunc(v.Progress.Intents, func(i Intent) bool { return i.At.After(t) })
}

// rolledBack ends an attempt that was given up.
func (v view) rolledBack() Decision {
	p := v.Progress
	if p.Candidate == "" { // only what was left of an older attempt went back
		return v.at(RolledBack, ReasonRolledBack, v.because()+p.Stable+" serves 100%").next("Waits for a new revision.")
	}
	note := fmt.Sprintf("%s%s was given up; %s serves 100%%", v.because(), p.Candidate, p.Stable)
	if wanted := v.stillWanted(); wanted != "" {
		return v.at(RolledBack, ReasonRolledBack, note).next(wanted)
	}
	return v.at(RolledBack, ReasonRolledBack, note).next(fmt.Sprintf(
		"Stays until a new revision is deployed or the request retry lifts it; what Git wants may still be %s.", p.Candidate))
}

// endedByPerson is a person's own rollback: nothing is left to do, and the
// candidate is not tried again.
func (v view) endedByPerson() Decision {
	p := v.Progress.latch(v.Progress.Candidate)
	p.Confirmed, p.Intents, p.Requested = all(p.Stable), nil, ""
	p.Lowered = v.Now // what was asked for may have served, and nobody saw it
	p.Cause = "someone else sent " + p.Stable + " 100%" + v.Service.changedBy()
	v.Progress = p
	if why := v.unsaid(); why != "" {
		return v.sendBack(why)
	}
	return v.nothingToLower()
}

// nothingToLower ends an attempt without a write: stable was asked to serve
// everything. It is told as done only when it does, nothing is applied any more, and it is there.
func (v view) nothingToLower() Decision {
	if !v.effective.Equal(v.desired) {
		return v.at(RollingBack, ReasonRollingBack, fmt.Sprintf("%sserves %s", v.because(), v.effective)).next(
			v.doneWhen(served))
	}
	if !v.untouched() && !v.Service.settled() { // who sent nothing waits for nobody's change
		return v.nearlyBack()
	}
	if d, ok := v.orphaned(); ok {
		return d
	}
	return v.rolledBack()
}

// takeBack writes our split of the current step again; its evidence starts anew.
// If we were on the way back, that goes on instead. It passes, with the cause in
// its note, where the candidate would rise without a way back.
func (v view) takeBack() (Decision, bool) {
	p := v.Progress
	if d, over := v.isOver(); over {
		return v.resume(d, "everything goes to "+p.Stable), true
	}
	rises := v.wouldRise(p.Confirmed)
	if d, lost := v.noWayBack(); lost && rises {
		return d, false
	}
	switch c := v.revision(p.Candidate); {
	case c.unread() && rises:
		return v.at(Held, HeldByAnalysis, c.unreadWhy()), false
	case v.skew() != "" && rises:
		return v.at(Held, MetricsUnavailable, v.skew()), false
	case v.foreignTag() && rises: // stable would be left without an address
		return v.tagTaken(Tag), false
	case !c.unread() && (c.Presence != Found || c.Readiness != Ready):
		cause := fmt.Sprintf("resumed%s, but candidate %s is not there or not ready", v.resumer(), p.Candidate)
		return v.resume(v.giveUp(cause), "everything goes to "+p.Stable), true
	}
	if d, shut := v.closed(); shut && rises {
		return d, false
	}
	if d, full := v.roomAgain(p.Confirmed.Of(p.Candidate)); full && rises {
		return d, false
	}
	v.Progress = p.anew()
	v.Progress.Approved = 0 // somebody thought otherwise of it since
	if rises {
		v = v.heats(p.Confirmed.Of(p.Candidate))
	}
	v.Progress.Intents, v.Progress.Clock, v.Progress.Cause = p.unseen(""), Stopwatch{}, ""
	d := v.at(Shifting, Progressing, fmt.Sprintf("resumed%s: traffic goes back to %s", v.resumer(), p.Confirmed)).next(
		"Baking starts anew when the split serves.")
	return v.resume(v.write(d, p.Confirmed), "our split is written again"), true
}

// isOver is the way back of an attempt that does not go on when a person resumes.
func (v view) isOver() (Decision, bool) {
	p := v.Progress
	if p.leaving() || v.onItsWayOut() || p.Candidate == "" || p.latched(p.Candidate) {
		return v.sendBack("resumed" + v.resumer()), true
	}
	if v.gaveUp() {
		return v.giveUp(v.gaveUpBefore()), true
	}
	return Decision{}, false
}

// onItsWayOut tells whether a way back was under way, or had arrived, when somebody else
// moved traffic: such an attempt does not go on, whatever a person resumes. One that went
// back to be tried again does.
func (v view) onItsWayOut() bool {
	p := v.Progress
	return p.Trial.At.IsZero() && (p.leaving() || p.Confirmed.Equal(all(p.Stable)) && !v.untouched())
}

// wouldRise tells whether a split gives anything but stable more than it is asked to have:
// the candidate, or what else a damaged memory names.
func (v view) wouldRise(split Split) bool {
	return slices.ContainsFunc(split, func(s Share) bool {
		return s.Revision != v.Progress.Stable && s.Percent > v.desired.Of(s.Revision)
	})
}

// resume answers the request to resume, if it was not answered when its write was
// first decided.
func (v view) resume(d Decision, message string) Decision {
	if !v.asked(Resume) {
		return d
	}
	return v.accept(d, message)
}

// resumer is " by" and who resumed, as far as the present request tells.
func (v view) resumer() string {
	if v.asked(Resume) || v.Request.ID == v.Progress.LastRequest.ID && v.Request.Verb == Resume {
		return v.by()
	}
	return ""
}

// retried lifts the latch and starts a new attempt.
func (v view) retried() (Decision, bool) {
	p := v.Progress
	revision := p.Candidate
	if v.Request.Revision != "" {
		revision = v.Request.Revision
	}
	if revision == "" {
		revision = v.Plan.CandidateRevision
	}
	if !v.asked(Retry) || !p.latched(p.Candidate) && !p.latched(revision) {
		return Decision{}, false
	}
	why := ""
	if d, ok := v.unfitCandidate(revision); ok {
		why = d.Note
	}
	if revision == p.Stable {
		why = fmt.Sprintf("%s serves 100%% already", revision)
	}
	if d, ok := v.orphaned(); ok { // it would begin without a way back
		why = d.Note + ". " + d.Next
	}
	if why != "" {
		refused := v.steady()
		refused.reply = &Reply{ID: v.Request.ID, Verb: Retry, Message: why, At: v.Now}
		return refused.tell(RequestRefused, "retry refused: "+why, true), true
	}
	v.Progress = p.unlatch(revision)
	v.Progress.Requested = revision
	return v.accept(v.start(revision).credited("retried"+v.by()), fmt.Sprintf("attempt %d starts from step 1", p.Attempt+1)), true
}
