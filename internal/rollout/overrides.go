package rollout

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// targetGone: without the service there is nothing to decide, and a service
// that was created anew is not the one we know.
func targetGone(v view) (Decision, bool) {
	svc, p := v.Service, v.Progress
	switch {
	case svc.Presence == Denied && svc.Kept.Owner != "":
		return v.refusedByOwner(), true
	case svc.Presence == Denied && (v.stillPaused() || p.Phase == RollingBack):
		return v.at(p.Phase, p.Reason, "access to the service was lost: "+svc.Detail).next(
			v.denied("Traffic stays as it is until access is back.")), true
	case svc.Presence == Denied && p.active():
		return v.at(Held, AccessDenied, "access to the service was lost: "+svc.Detail).next(
			v.denied("Traffic stays as it is; goes on when access is back.")), true
	case svc.Presence == Denied:
		return v.at(Idle, AccessDenied, "access to the service is denied: "+svc.Detail).next(cmp.Or(svc.Remedy,
			fmt.Sprintf("Grant %s; looked at again every minute.", v.rights()))), true
	case svc.Presence != Found:
		return v.serviceMissing(), true
	case p.ServiceUID != "" && p.ServiceUID != svc.UID:
		if v.asked(Resume) {
			v.Progress = Progress{Attempt: p.Attempt, LastRequest: p.LastRequest, Phase: p.Phase, Reason: p.Reason, Since: p.Since}
			return v.accept(rest(v).credited("resumed"+v.by()), "the service is taken as new"), true
		}
		return v.pause(StateLost, "the service was deleted and created anew").next(
			"Waits for the request resume, which takes it as new."), true
	}
	return Decision{}, false
}

// rights are what is needed to move traffic.
func (v view) rights() string {
	if v.Plan.RunService != "" {
		return "run.services.get and run.revisions.get, and in the cluster what config/config-connector does"
	}
	return "run.services.get, run.services.update and run.revisions.get"
}

// denied says what goes on while an attempt has no access: as given where Google denies
// it, and where we do ourselves also that users stay where they are.
func (v view) denied(otherwise string) string {
	if v.Service.Remedy == "" {
		return otherwise
	}
	return "Nothing is sent until access is back, and so nothing is sent back. " + v.Service.Remedy
}

// serviceMissing says so, and forgets nothing: a pause that waits for a person,
// or a way back, is still one when the service is seen again.
func (v view) serviceMissing() Decision {
	p := v.Progress
	note := fmt.Sprintf("service %s does not exist in %s of project %s", v.Plan.Service.Name, v.Plan.Service.Location, v.Plan.Service.Project)
	next := "Deploy it, or correct spec.target; looked at again every minute."
	if v.Plan.RunService != "" {
		note = fmt.Sprintf("the service of RunService %s is not there: %s", v.Plan.RunService, v.Service.Detail)
		next = "Apply the RunService in this namespace and let Config Connector make its service; looked at again every minute."
	}
	if v.stillPaused() || p.Phase == RollingBack {
		return v.at(p.Phase, p.Reason, note).next(next)
	}
	return v.at(Idle, ServiceNotFound, note).next(next)
}

// stateLost: our tag is on the service, and we do not remember an attempt. A
// baseline must not be guessed: it could be the revision that was failing.
func stateLost(v view) (Decision, bool) {
	tagged := v.Service.tagged(Tag)
	if v.Progress.Stable != "" || tagged == "" {
		return Decision{}, false
	}
	v = v.doubts(tagged)
	return v.unlessNamed(v.pause(StateLost, fmt.Sprintf(
		"the tag %s on revision %s shows a rollout that this object does not remember; traffic is %s", Tag, tagged, v.desired)).next(
		v.nameStable())), true
}

// nameLost goes on waiting for the way back of a rollout that was forgotten, where
// neither a tag nor a claim shows it any more: a person's edit of the traffic list
// takes both along.
func (v view) nameLost() Decision {
	return v.unlessNamed(v.at(Paused, StateLost, cmp.Or(v.Progress.Cause, unexplained)).next(v.untilResumed(StateLost) + " " + v.nameStable()))
}

// staleRead: the answer is older than one we had before; nothing is decided on
// the past.
func staleRead(v view) (Decision, bool) {
	if !v.stale() {
		return Decision{}, false
	}
	d := v.at(v.Progress.Phase, v.Progress.Reason, fmt.Sprintf("Cloud Run answered with generation %d, %d was seen before",
		v.Service.Generation, v.Progress.Generation)).next("Read again in a few seconds.")
	d.LookAt = v.Now.Add(soon)
	return d, true
}

// stableGone tells whether the way back is gone. What was seen to be gone, and said to be
// for a reason, does not come back by not being readable. That nobody knows the baseline is
// said of a person's split as well, in which others serve.
func (v view) stableGone(said Reason) bool {
	stable := v.revision(v.Progress.Stable)
	told := v.was.Reason == said && (said != BaselineUnknown || v.was.Elsewhere == 0)
	return v.Progress.Stable != "" && (stable.Presence == Missing || stable.unread() && (told || v.missesStable()))
}

// stableGone: without the way back there is no rise, and no guess at another.
func stableGone(v view) (Decision, bool) {
	if !v.Progress.active() || !v.stableGone(BaselineLost) {
		return Decision{}, false
	}
	cause := fmt.Sprintf("stable revision %s no longer exists; traffic is %s", v.Progress.Stable, v.desired)
	return v.unlessNamed(v.pause(BaselineLost, cause).next(v.nameStable())), true
}

// missesStable tells whether Cloud Run says itself, of a split that it could not apply, that
// stable is gone. There is no code that says so, only the words of
// https://github.com/terraform-google-modules/terraform-docs-samples/issues/269.
func (v view) missesStable() bool {
	why := v.Service.Failure
	return strings.Contains(why, "'"+v.Progress.Stable+"'") && strings.Contains(why, "does not exist")
}

// abortAsked: a person's stop is obeyed in every phase of an attempt, over
// foreign edits too.
func abortAsked(v view) (Decision, bool) {
	if !v.asked(Abort) || !v.Progress.underway() || v.Progress.Stable == "" {
		return Decision{}, false
	}
	note := "aborted" + v.by()
	return v.accept(v.giveUp(note), "everything goes to "+v.Progress.Stable), true
}

// foreignChange: a split that is neither confirmed nor meant by us belongs to a
// person. Stable at 100 % is the person's abort; anything else waits for one.
func foreignChange(v view) (Decision, bool) {
	p := v.Progress
	if !p.active() || p.Stable == "" {
		return Decision{}, false
	}
	if v.Service.Interleaved && p.Phase != RollingBack {
		return v.pause(TrafficConflict, fmt.Sprintf(
			"someone else changed the service between our read and our write; traffic is now %s", v.desired)).next(
			"Look at what they changed. Waits: resume goes on, abort sends everything to " + p.Stable + "."), true
	}
	if p.ours(v.desired) {
		return Decision{}, false
	}
	sole, ok := v.desired.sole()
	if ok && sole == p.Stable {
		return v.endedByPerson(), true
	}
	if ok && v.Plan.StableRevision == sole && p.SettledBy != sole {
		return v.rebase(sole), true
	}
	cause := fmt.Sprintf("someone else set traffic to %s; ours was %s%s", v.desired, p.Confirmed, v.Service.changedBy())
	if v.mayTakeBack() {
		d, ok := v.takeBack()
		if ok {
			return d, true
		}
		cause += "; " + d.Note
	}
	next := "Waits: resume writes our split again, abort sends everything to " + p.Stable
	if ok {
		next += v.keeping(sole)
	}
	d := v.pause(TrafficConflict, cause).next(next + ".")
	if c, failing := v.find(analysis.Breach); failing && c.BreachedSince.Equal(v.Now) {
		d = d.tell(UnownedSplitFailing, "the split that someone else set is failing: "+c.Verdict.Note, true)
	}
	return d, true
}

// keeping says how a person keeps a revision that they sent everything, as the end of a sentence.
func (v view) keeping(sole string) string {
	how := ", spec.stableRevision: " + sole + " keeps it"
	if v.Plan.StableRevision == sole { // it was used once already
		how += ", once its present value is removed"
	}
	return how
}

// mayTakeBack tells whether a person lets our split go over the one that is there: now,
// or before, with a write that was saved on this very version of the service and was
// not carried out. A crash or a failed call is no reason to ask the person again; a
// pause that came in between is.
func (v view) mayTakeBack() bool {
	p := v.Progress
	let := p.LastRequest.Verb == Resume && p.LastRequest.Accepted && p.Phase != Paused && !v.Plan.Paused
	return v.asked(Resume) || let && len(p.unseen(v.Service.ETag)) > 0
}

// ownRollback finishes what was decided before anything else is looked at. A
// candidate that was given up only goes back, whatever came in between.
func ownRollback(v view) (Decision, bool) {
	p := v.Progress
	givenUp := p.active() && p.Candidate != "" && p.latched(p.Candidate)
	if p.Phase != RollingBack && !givenUp {
		return Decision{}, false
	}
	return goBack(v), true
}

// breached: once traffic was moved, the candidate's own failure and every
// enforced breach that asks for it lead back. A gateway's breach does so only where
// the candidate is to blame; where nobody can tell, it goes back by one weight. Where
// users fail while a gateway suffers that the candidate may have nothing to do with, they
// are relieved at once, and nothing is given up, or not before it is known that none does.
func breached(v view) (Decision, bool) {
	p := v.Progress
	if !p.active() || v.scope.AttemptSince.IsZero() {
		return Decision{}, false
	}
	if why, ok := v.failed(); ok {
		return v.giveUp(why), true
	}
	if c, ok := v.failing(); ok {
		if d, spared := v.spare(c); spared {
			return d, true
		}
		if d, waits := v.accuse(c); waits {
			return d, true
		}
		return v.giveUp(c.dated() + v.again()), true
	}
	if c, ok := v.judgedBy(nat.Culprit); ok {
		return v.retreat(c.dated() + v.whose(c)), true
	}
	if c, ok := v.judgedBy(nat.Unknown); ok {
		return v.stepDown(c)
	}
	return Decision{}, false
}

// notApplied tells whether Cloud Run gave up on a split of ours: it would
// otherwise poison the next deployment.
func (v view) notApplied() bool {
	return v.Service.Failure != "" && !v.Service.Reconciling &&
		v.desired.Of(v.Progress.Candidate) > 0 && !v.effective.Equal(v.desired)
}

// newer is the revision that takes the candidate's place now, or "".
func (v view) newer() string {
	wanted := v.wanted()
	r := v.revision(wanted)
	if wanted == v.Progress.Candidate || wanted != v.Progress.Stable && (r.Presence != Found || r.Readiness != Ready) {
		return ""
	}
	return wanted
}

// superseded: evidence and latch belong to a revision, so a newer candidate
// starts from stable, never from where the older one had come.
func superseded(v view) (Decision, bool) {
	p, newer := v.Progress, v.newer()
	waits := p.pausedByPerson() || p.needsVerb() && p.Reason == StateLost
	resumes := waits && v.asked(Resume)
	if !p.active() || p.Candidate == "" || newer == "" || waits && !resumes {
		return Decision{}, false
	}
	note := fmt.Sprintf("%s is superseded by %s", p.Candidate, newer)
	var d Decision
	if v.untouched() && p.Warmup.Tagged == "" {
		d = rest(v.idle())
	} else {
		v.Progress.Cause, v.Progress.Trial = note, Trial{} // it does not go back to be tried again
		d = v.sendBack(note)
	}
	if resumes {
		d = v.accept(d, note)
	}
	return d.tell(Superseded, note, false), true
}

// unsettled: while Cloud Run applies a change, its fields disagree with each
// other and nothing is raised.
func unsettled(v view) (Decision, bool) {
	p := v.Progress
	if !p.active() || v.Service.settled() {
		return Decision{}, false
	}
	if p.Phase != Paused && (v.awaited() || p.Phase == Shifting && !v.effective.Equal(v.desired)) {
		return v.shifting(), true
	}
	phase, reason := p.Phase, p.Reason
	switch {
	case p.needsVerb():
		return v.at(phase, reason, p.Cause).next("Waits for a person; " + v.applying("Cloud Run is applying a change") + "."), true
	case phase != Shifting && reason != AccessDenied:
	case p.Step == 0:
		phase, reason = Checking, Preparing
	default:
		phase, reason = Baking, Progressing
	}
	if phase == Baking && v.desired.Equal(p.Confirmed) && !v.effective.Equal(p.Confirmed) {
		v.Progress = p.again() // somebody else's split was in between, or it never served yet
		return v.shifting(), true
	}
	return v.at(phase, reason, v.applying("Cloud Run is applying a change")).next("Goes on when it is done."), true
}

// paused: guards stay armed above; nothing rises. A pause that waits for a
// person's verb outlives this one, so it keeps its reason.
func paused(v view) (Decision, bool) {
	p := v.Progress
	if !p.active() || !v.Plan.Paused || p.needsVerb() {
		return Decision{}, false
	}
	if v.awaited() && v.effective.Equal(v.desired) {
		v.Progress = v.confirmed() // it serves, and is judged, whoever waits
	}
	v.Progress.Cause = ""
	return v.at(Paused, ReasonPaused, fmt.Sprintf("spec.paused is true; traffic stays at %s", v.desired)).next(
		"Waits for spec.paused: false; thresholds still roll back."), true
}
