package rollout

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// proceed is the rule of an attempt under way. Where it stands follows from the
// facts, not from the phase: what serves, and what was meant to serve.
func proceed(v view) Decision {
	p := v.Progress
	if p.Candidate == "" {
		return rest(v.idle())
	}
	if v.awaited() {
		if !v.effective.Equal(v.desired) {
			return v.shifting()
		}
		return v.confirm()
	}
	if !v.effective.Equal(v.desired) {
		return v.shifting()
	}
	if d, ok := v.promoted(); ok {
		return d
	}
	if v.Service.followsLatest() {
		return v.pinned()
	}
	if d, ok := v.deploys(); ok {
		return d
	}
	if p.Step == 0 {
		return v.check()
	}
	return v.tellsGap(v.bake())
}

// pinned writes the split of an attempt again where somebody let a part of it
// follow LATEST: it is the same split now, and another one with the next revision.
func (v view) pinned() Decision {
	d := v.at(v.Progress.Phase, v.Progress.Reason, "traffic followed LATEST and is being pinned to "+v.desired.String()).next(
		"Goes on when that serves.")
	return v.write(d, v.desired).tell(Pinned, "somebody let traffic follow LATEST; it is pinned again to "+v.desired.String(), false)
}

// named holds an attempt while the spec names another revision that cannot be
// rolled out: what was asked for is exactly that one.
func (v view) named() (Decision, bool) {
	name, p := v.Plan.CandidateRevision, v.Progress
	if name == "" || name == p.Candidate {
		return Decision{}, false
	}
	reason, why := RevisionNotReady, "is not ready"
	switch {
	case p.latched(name):
		why = "was given up"
	case v.revision(name).unread():
		why = "could not be read: " + v.revision(name).Why
	case v.revision(name).Presence != Found:
		reason, why = RevisionNotFound, "does not exist"
	}
	return v.at(Held, reason, fmt.Sprintf("%s at %d%%; spec.candidateRevision now names %s, which %s", p.Candidate, v.weight(), name, why)).next(
		v.untilDeadline("Nothing rises until it names a revision that can be rolled out; abort sends everything to " + p.Stable)), true
}

// awaited tells whether the split that is asked for is a write of ours that was
// not seen to serve yet.
func (v view) awaited() bool {
	_, meant := v.Progress.landed(v.desired)
	return meant && !v.Progress.Confirmed.Equal(v.desired)
}

func (v view) shifting() Decision {
	return v.at(Shifting, Progressing, fmt.Sprintf("traffic goes to %s, serves %s%s", v.desired, v.effective, v.Service.Kept.waits())).next(
		"Baking starts when the split serves.")
}

// confirmed is the step whose split is seen to serve: its evidence begins now.
func (v view) confirmed() Progress {
	p := v.Progress
	intent, _ := p.landed(v.desired)
	p.Watched = v.watchedSince()
	p.Confirmed, p.Step, p.Intents = intent.Split, v.Plan.stepAt(intent.Split.Of(p.Candidate)), nil
	p.Effective, p.Baked, p.Tagged, p.ThinAccepted = v.Now, 0, v.tagAfter(), 0
	p.NoDataSince, p.Breaches, p.Clock = time.Time{}, nil, Stopwatch{}
	if v.skew() != "" { // nobody knows when it began to serve
		p = p.anew()
	}
	return p
}

// watchedSince is since when what served is evidence besides the step that begins: the
// step before it, whose data may come late. Those before that one were judged again with
// it, and what failed while it settled is nobody's, at this step as at that one.
func (v view) watchedSince() time.Time {
	p := v.Progress
	if v.weight() > 0 && !p.Effective.IsZero() {
		return p.Effective
	}
	return cmp.Or(p.Watched, v.Now)
}

// confirm starts the bake of a step whose split is seen to serve.
func (v view) confirm() Decision {
	p := v.confirmed()
	v.Progress = p
	if p.Step == 0 { // what served before is not held against a new beginning
		v.Progress.Watched, v.Progress.Judged = time.Time{}, time.Time{}
		return v.at(Checking, Preparing, "traffic is back at "+p.Confirmed.String()).next("Its preconditions are checked next.")
	}
	if v.inserted() {
		return v.fresh().tell(TrafficShifted, fmt.Sprintf("on the way to step %s: %s%s", v.Plan.progressOf(p.Step), p.Confirmed, v.short()), false)
	}
	return v.fresh().tell(TrafficShifted, fmt.Sprintf("step %s: %s", v.Plan.progressOf(p.Step), p.Confirmed), false)
}

// fresh is a step whose evidence begins now.
func (v view) fresh() Decision {
	p := v.Progress
	if v.inserted() {
		return v.at(Baking, Progressing, fmt.Sprintf("%s at %d%%, on the way to %d%%%s; the first evidence comes in a few minutes",
			p.Candidate, v.weight(), v.Plan.step(p.Step).Weight, v.short())).next(v.untilReported(0, time.Time{}))
	}
	return v.at(Baking, Progressing, fmt.Sprintf("%s at %d%%, the first evidence comes in a few minutes", p.Candidate, v.weight())).next(
		v.toBake())
}

// weight is the candidate's percent that serves.
func (v view) weight() int64 { return v.Progress.Confirmed.Of(v.Progress.Candidate) }

// tagAfter is the revision on which our tag is ours, now that a write of ours is seen,
// which put it on stable or left it alone because it was somebody else's. Anywhere else it
// is somebody else's, also where it was ours before.
func (v view) tagAfter() string {
	if tagged := v.Service.tagged(Tag); tagged == v.Progress.Stable {
		return tagged
	}
	return ""
}

// check looks at the preconditions of the first write.
func (v view) check() Decision {
	p := v.Progress
	if r := v.revision(p.Candidate); r.Presence == Unknown {
		return v.at(Held, HeldByAnalysis, "before the first write: "+r.unreadWhy()).next(v.untilDeadline("Starts by itself when it can"))
	}
	if d, ok := v.unready(); ok {
		return d
	}
	if d, ok := v.unfitCandidate(p.Candidate); ok {
		return v.unbegun(d)
	}
	if v.blind && v.passing() {
		return v.noData(v.lost())
	}
	if v.blind {
		return v.unbegun(v.natUnwatched(p.Candidate))
	}
	if d, ok := v.barred(); ok {
		return d
	}
	if d, ok := v.undated(); ok {
		return d
	}
	if until := p.Lowered.Add(coolDown); !p.Lowered.IsZero() && len(v.scope.Gateways) > 0 && v.Now.Before(until) {
		return v.at(Held, WaitingForNat, v.atNothing()+fmt.Sprintf("instances of the last attempt may hold NAT ports until %s", Clock(until))).next(
			"Starts then by itself.")
	}
	if d, ok := v.unjudged(); ok {
		return d
	}
	if c, ok := v.find(analysis.NoData); ok {
		return v.noData(c)
	}
	if c, ok := v.find(analysis.Breach); ok {
		return v.relieve(v.heldBefore(c))
	}
	if d, ok := v.lacking(); ok {
		return v.relieve(d)
	}
	return v.raise(v.Plan.after(0))
}

// unbegun ends an attempt that cannot begin. A tag of ours is taken back first.
func (v view) unbegun(d Decision) Decision {
	if v.mayLand() || v.Progress.Warmup.Tagged != "" {
		v.Progress.Cause = d.Note
		return v.sendBack(d.Note)
	}
	d.Progress = d.Progress.ended()
	return d
}

// tagTaken waits until a tag of ours is free: without the one on stable it has no
// address once the candidate serves everything, and Cloud Run may delete it.
func (v view) tagTaken(tag string) Decision {
	return v.pause(TrafficConflict, fmt.Sprintf("someone else put the tag %s on revision %s", tag, v.Service.tagged(tag))).next(
		fmt.Sprintf("Remove it (gcloud run services update-traffic %s --remove-tags %s), then resume.", v.Plan.Service.Name, tag))
}

// natUnwatched refuses to begin, because nobody could see what a step does.
func (v view) natUnwatched(candidate string) Decision {
	next := "Name it in spec.nat.gateways (project, region, router, name), or set spec.nat.discovery: \"Off\" to roll out without watching NAT."
	if v.Outlet.Presence == Denied {
		next = "Grant that, or name the gateway in spec.nat.gateways (project, region, router, name), or set spec.nat.discovery: \"Off\" to roll out without watching NAT."
	}
	return v.at(Idle, NatUnwatched, v.leads(candidate)).next(next)
}

// leads says that it is not known where traffic leads.
func (v view) leads(candidate string) string {
	return fmt.Sprintf("%s or %s sends all its traffic through the VPC, and %s", candidate, v.Progress.Stable, v.astray())
}

// lost is what is said of a gateway that was known, or of one that will be.
func (v view) lost() Check {
	note := v.astray()
	if v.Outlet.Presence == "" {
		note += " any more"
	}
	return Check{Name: "nat", Verdict: analysis.Verdict{Note: note}}
}

// bake looks at the evidence of the step that serves.
func (v view) bake() Decision {
	v = v.seesServing()
	p := v.Progress
	if p.Effective.Equal(v.Now) && !v.bakesFromNow() {
		return v.fresh()
	}
	step := v.Plan.step(p.Step)
	minutes, through := v.evidence()
	if v.bakesFromNow() {
		minutes, through = 0, time.Time{}
	}
	v.Progress.Baked = min(minutes, step.minutes())
	if c, ok := v.find(analysis.Breach); ok {
		return v.heldByBreach(c)
	}
	if d, ok := v.undated(); ok {
		return d
	}
	if v.blind {
		return v.noData(v.lost())
	}
	if d, ok := v.unjudged(); ok {
		return d
	}
	if c, ok := v.find(analysis.NoData); ok {
		return v.noData(c)
	}
	if v.inserted() {
		return v.onTheWay(minutes, through)
	}
	if wait := v.unbaked(minutes, through); wait != "" {
		upTo := ""
		if through.After(p.Effective) {
			upTo = " up to " + Clock(through)
		}
		return v.at(Baking, Progressing, fmt.Sprintf("%s at %d%%, %d of %d minutes healthy%s%s",
			p.Candidate, v.weight(), v.Progress.Baked, step.minutes(), upTo, v.findings())).next(wait)
	}
	if c, ok := v.find(analysis.Undecided); ok {
		return v.at(Held, HeldByAnalysis, fmt.Sprintf("%s at %d%%: %s", p.Candidate, v.weight(), c.dated())).next(
			v.untilDeadline("Goes on when more requests decide it"))
	}
	if c, ok := v.find(analysis.Insufficient); ok {
		return v.thin(c)
	}
	return v.passed()
}

// passed ends a step whose evidence is complete.
func (v view) passed() Decision {
	if d, ok := v.named(); ok {
		return d
	}
	n := v.Plan.after(v.weight())
	if c := v.revision(v.Progress.Candidate); c.Presence != Found || c.Readiness != Ready {
		note := fmt.Sprintf("candidate %s is not known to be ready", v.Progress.Candidate)
		if c.unread() {
			note = c.unreadWhy()
		}
		return v.at(Held, HeldByAnalysis, note).next(v.untilDeadline("Goes on when it is"))
	}
	if n == 0 {
		return v.complete()
	}
	if v.foreignTag() {
		return v.tagTaken(Tag)
	}
	return v.raise(n)
}

// raise begins a step: with a way back, and once a person has approved its weight
// where the plan asks for that. Smaller weights on the way to it are approved with
// it.
func (v view) raise(n int) Decision {
	p, step := v.Progress, v.Plan.step(n)
	if d, ok := v.noWayBack(); ok {
		return d
	}
	if d, ok := v.breaksMore(step.Weight); ok {
		return d
	}
	if !step.Approval || p.Approved == step.Weight {
		return v.begin(step)
	}
	if !v.asked(Approve) {
		return v.awaitApproval(step)
	}
	v.Progress.Approved = step.Weight
	return v.accept(v.begin(step).credited("approved"+v.by()), fmt.Sprintf("step %s may begin", v.Plan.progressOf(n)))
}

// noWayBack holds every rise while stable could not take the traffic back.
func (v view) noWayBack() (Decision, bool) {
	stable := v.revision(v.Progress.Stable)
	if stable.Readiness == Ready {
		return Decision{}, false
	}
	note := fmt.Sprintf("stable %s is not ready", v.Progress.Stable)
	switch {
	case stable.unread():
		note = stable.unreadWhy()
	case stable.Why != "":
		note += ": " + stable.Why
	}
	return v.at(Held, HeldByAnalysis, note+"; traffic is not raised without a way back").next(v.untilDeadline("Goes on when it is")), true
}

func (v view) awaitApproval(step Step) Decision {
	p := v.Progress
	note := fmt.Sprintf("%d%% needs a person's approval", step.Weight)
	if v.inserted() {
		note = v.stands() + "; " + note
	} else if p.Step > 0 {
		note = fmt.Sprintf("step %s passed; %s", v.Plan.progressOf(p.Step), note)
	}
	return v.at(AwaitingApproval, ReasonAwaitingApproval, note).next(fmt.Sprintf(
		"Waits: approve (attempt %d, step %d) lets it begin, abort sends everything to %s.", p.Attempt, p.Step, p.Stable))
}

// send writes a higher weight, now that the step has passed.
func (v view) send(split Split) Decision {
	d := v.lift(split)
	if p := v.Progress; p.Step > 0 && !v.inserted() {
		d = d.tell(StepPassed, fmt.Sprintf("step %s passed%s", v.Plan.progressOf(p.Step), v.findings()), false)
	}
	return d
}

// lift writes a higher weight. One that was decided and not seen, sent again, does
// not give the step its time again.
func (v view) lift(split Split) Decision {
	v.Progress = v.Progress.moving()
	p := v.Progress
	again := v.sent() > 0
	if !again {
		v.Progress.Clock = Stopwatch{}
	}
	if !again || p.Hot.IsZero() {
		v = v.heats(split.Of(p.Candidate))
	}
	if p.FirstWrite.IsZero() {
		v.Progress.FirstWrite = v.Now
	}
	v.Progress.Cause = ""
	d := v.at(Shifting, Progressing, fmt.Sprintf("%s goes from %d%% to %d%%", p.Candidate, p.Confirmed.Of(p.Candidate), split.Of(p.Candidate))).next(
		"Baking starts when the split serves.")
	return v.write(d, split)
}

// complete makes the candidate stable. What was created after it stays a
// candidate.
func (v view) complete() Decision {
	p := v.Progress
	former := p.Stable
	p.Stable, p.Confirmed, p.Cutoff = p.Candidate, all(p.Candidate), later(p.Cutoff, v.revision(p.Candidate).CreatedAt)
	p.Requested, p.Former = "", former
	v.Progress = p
	d := v.at(Completed, ReasonCompleted, fmt.Sprintf("%s serves 100%% and is the new stable; it was %s%s",
		p.Stable, former, v.findings()))
	return d.next("Waits for a new revision.")
}

// findings lists what the checks say, for a message. What does not apply is
// shown with the checks.
func (v view) findings() string {
	var text strings.Builder
	for _, c := range v.checks {
		if c.enforced() && c.Verdict.Note != "" && c.Verdict.Outcome != analysis.NotApplicable {
			text.WriteString("; " + c.Name + ": " + c.Verdict.Note)
		}
	}
	return text.String()
}

// untilResumed says what a person can do about a pause.
func (v view) untilResumed(reason Reason) string {
	does := "goes on"
	switch reason { //nolint:exhaustive // the others have nothing to add
	case StepDeadlineExceeded:
		does = "gives the step its time again"
	case NoDataDeadlineExceeded:
		does = "waits for data again"
	}
	if v.Progress.Stable == "" {
		return "Waits: resume " + does + "."
	}
	return "Waits: resume " + does + ", abort sends everything to " + v.Progress.Stable + "."
}

// resumed goes on where a pause began. What served while traffic was somebody
// else's is no evidence, and what served while nobody knew what for is none to go on with.
func (v view) resumed() Decision {
	p := v.Progress
	switch p.Reason { //nolint:exhaustive // the minutes of other pauses count
	case TrafficConflict:
		v.Progress = v.Progress.anew()
	case StateLost:
		v.Progress = v.Progress.again()
	}
	v.Progress.Clock, v.Progress.NoDataSince, v.Progress.Cause = Stopwatch{}, time.Time{}, ""
	if p.Reason == TrafficConflict && v.onItsWayOut() && (p.leaving() || v.desired.Equal(all(p.Stable))) {
		return goBack(v)
	}
	return proceed(v)
}
