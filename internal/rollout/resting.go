package rollout

import (
	"fmt"
	"slices"
	"time"
)

// rest is the rule between attempts: keep the baseline true, look for a
// candidate.
func rest(v view) Decision {
	p := v.Progress
	if p.Stable == "" {
		return v.admit()
	}
	if why := v.unfinished(); why != "" {
		return v.sendBack(why)
	}
	if p.interrupted() && p.Confirmed.Equal(v.desired) {
		return v.pickUp()
	}
	if v.takenBack() {
		return v.endedByPerson()
	}
	v = v.cooling()
	for _, first := range []rule{view.baseline, view.retried, view.undone, view.deploysAtRest, view.orphaned} {
		if d, ok := first(v); ok {
			return d
		}
	}
	wanted := v.wanted()
	if wanted == "" || wanted == p.Stable {
		return v.steady()
	}
	if d, ok := v.unfitCandidate(wanted); ok {
		return d
	}
	if v.unwatchable(wanted) && v.passing() {
		return v.at(Idle, Preparing, v.leads(wanted)).next(
			fmt.Sprintf("Traffic stays as it is; the rollout of %s starts when that is known; looked at again every minute.", wanted))
	}
	if v.unwatchable(wanted) {
		return v.natUnwatched(wanted)
	}
	return v.start(wanted)
}

// unfinished says what is left of an attempt that is over, and may give somebody else than
// stable traffic; "" for nothing.
func (v view) unfinished() string {
	p := v.Progress
	if _, late := p.landed(v.desired); late && !p.Confirmed.Equal(v.desired) {
		return "a write decided earlier arrived late"
	}
	if v.mayLand() {
		return "a write decided earlier may still arrive"
	}
	return v.unsaid()
}

// pickUp goes on where an attempt was interrupted, with a bake anew. What the candidate
// served before is judged still.
func (v view) pickUp() Decision {
	if v.Progress.latched(v.Progress.Candidate) {
		return v.sendBack(v.Progress.Candidate + " was given up")
	}
	watched := v.Progress.Watched
	v.Progress = v.Progress.anew()
	v.Progress.Watched, v.Progress.Clock = watched, Stopwatch{}
	if !v.effective.Equal(v.desired) {
		return v.shifting()
	}
	return v.at(Baking, Progressing, "the service is back; traffic is "+v.desired.String()).next(bakesAnew)
}

// takenBack tells whether somebody gave stable everything while the service of an attempt
// could not be found. Its candidate had traffic, so that is a person's rollback, seen or not.
func (v view) takenBack() bool {
	p := v.Progress
	sole, whole := v.desired.sole()
	_, ours := p.landed(v.desired)
	if p.Reason != ServiceNotFound || p.Candidate == "" || ours || !whole || sole != p.Stable || sole == p.Candidate {
		return false
	}
	return p.interrupted() || slices.ContainsFunc(p.Intents, func(i Intent) bool { return i.seen() && i.Split.Of(p.Candidate) > 0 })
}

// cooling begins the cool-down where one revision took over: what the others were given
// meanwhile ran instances.
func (v view) cooling() view {
	if v.tookOver() {
		v.Progress.Lowered = v.Now
	}
	return v
}

// tookOver tells whether one revision serves everything again after a time in which
// others may have served, and nobody knows who ended that: a split of a person's, or
// one of ours in a service that could not be found for a while.
func (v view) tookOver() bool {
	p := v.Progress
	sole, whole := v.desired.sole()
	switch {
	case !whole || v.arriving() || sole == p.Stable && v.stableGone(BaselineUnknown):
		return false
	case p.Reason == ServiceNotFound:
		return !p.Confirmed.Equal(all(sole)) || slices.ContainsFunc(p.Intents, func(i Intent) bool { return !i.Split.Equal(all(sole)) })
	case p.Reason == OwnedElsewhere: // whoever owned the traffic moved it meanwhile
		return sole != p.Stable
	}
	return p.Reason == BaselineUnknown
}

// idle ends an attempt without a word about its candidate.
func (v view) idle() view {
	v.Progress = v.Progress.ended()
	v.Progress.Candidate, v.Progress.Phase, v.Progress.Reason = "", Idle, Preparing
	return v
}

// arriving tells whether a split that one revision was given is on its way.
func (v view) arriving() bool {
	_, ok := v.desired.sole()
	return !v.Service.settled() || ok && !v.effective.Equal(v.desired) && v.Service.Failure == ""
}

// admit records the baseline of a service seen for the first time.
func (v view) admit() Decision {
	sole, ok := v.desired.sole()
	created := v.revision(v.Service.LatestCreated)
	switch {
	case v.arriving(), v.Service.followsLatest() && v.Service.LatestCreated != v.Service.LatestReady && created.Readiness == Pending:
		return v.at(Idle, Preparing, "the service is not settled yet").next("Its baseline is recorded when it is.")
	case !ok || !v.effective.Equal(v.desired):
		if d, ok := v.settleBaseline(); ok {
			return d
		}
		return v.baselineUnknown()
	}
	if d, ok := v.unread(sole, v.Service.LatestReady, v.Service.LatestCreated); ok {
		return d
	}
	return v.rebase(sole)
}

// unread waits until revisions can be read: without the times of their creation
// nobody knows later what was there already.
func (v view) unread(names ...string) (Decision, bool) {
	for _, name := range names {
		if r := v.revision(name); r.unread() {
			return v.unreadable(r), true
		}
	}
	return Decision{}, false
}

func (v view) unreadable(r Revision) Decision {
	if r.Presence == Denied {
		return v.at(Idle, AccessDenied, r.unreadWhy()).next(
			"Traffic stays as it is. Grant run.revisions.get; looked at again every minute.")
	}
	return v.at(Idle, Preparing, r.unreadWhy()).next("Traffic stays as it is; looked at again every minute.")
}

// baseline keeps the recorded baseline true to what a person did since.
func (v view) baseline() (Decision, bool) {
	p := v.Progress
	sole, ok := v.desired.sole()
	switch {
	case v.arriving():
		if d, ok := v.restsAllTheSame(); ok {
			return d, true
		}
		return v.at(p.Phase, p.Reason, v.applying("Cloud Run is applying a change")).next("Looked at again when it is done."), true
	case !ok || !v.effective.Equal(v.desired):
		if d, ok := v.settleBaseline(); ok {
			return d, true
		}
		return v.baselineUnknown(), true
	case sole != p.Stable:
		return v.rebase(sole), true
	case v.carries():
		return v.untag(v.at(p.Phase, p.Reason, fmt.Sprintf("%s still carried the tag %s of an earlier warm-up", p.Warmup.Tagged, WarmTag)).next(
			"Its instances end when the tag is gone.")), true
	case v.Service.followsLatest() && v.unpinned() == "":
		return v.pin(v.at(p.Phase, p.Reason, "")), true
	}
	return Decision{}, false
}

// restsAllTheSame tells what keeps an attempt from beginning while stable serves and Config
// Connector is not through: it tries the template of a revision that does not start again
// and again, which is no news.
func (v view) restsAllTheSame() (Decision, bool) {
	if !v.effective.Equal(all(v.Progress.Stable)) {
		return Decision{}, false
	}
	if d, ok := v.stuck(); ok || v.Service.Kept.Waits == "" || v.stableGone(BaselineUnknown) {
		return d, ok
	}
	if v.revision(v.wanted()).Readiness != NotReady {
		return Decision{}, false
	}
	return v.unfitCandidate(v.wanted())
}

func (v view) baselineUnknown() Decision {
	serves := ""
	if !v.effective.Equal(v.desired) {
		serves = fmt.Sprintf(", serves %s (%s)", v.effective, v.Service.Failure)
	}
	return v.at(Idle, BaselineUnknown, fmt.Sprintf("traffic is %s%s and no rollout of ours did that; nothing says which revision is the way back",
		v.desired, serves)).next(v.anotherBaseline())
}

// nameStable says how a person names the way back.
func (v view) nameStable() string {
	how := "Set spec.stableRevision to the revision that should serve 100%; Sluice then sends it all traffic."
	named := v.Plan.StableRevision
	switch {
	case named == "" || named != v.Progress.SettledBy:
		return how
	case v.Progress.Stable == "":
		return how + " Its present value " + named + " was there before, and may be an old one: remove it first, or name another."
	}
	return how + " Its present value " + named + " was used once already: remove it first."
}

// doubts takes a name in spec.stableRevision for an old one where the status was lost, unless
// it answers that, or is the one that the service itself knows of: nobody remembers whether
// it was used, and it must not move traffic once more.
func (v view) doubts(known string) view {
	if named := v.Plan.StableRevision; v.was.Reason != StateLost && named != known {
		v.Progress.SettledBy = named
	}
	return v
}

// rebase takes a revision that serves everything as the baseline. Whatever
// exists now is no candidate by itself.
func (v view) rebase(stable string) Decision {
	was := v.Progress
	p := was.ended()
	p.Stable, p.Confirmed, p.Candidate, p.Requested = stable, all(stable), "", ""
	p.Intents = nil
	p.Cutoff = later(p.Cutoff, v.newest(stable))
	if v.Plan.StableRevision != "" {
		p.SettledBy = v.Plan.StableRevision
	}
	moved := was.Stable != "" && was.Stable != stable
	if moved { // as many instances as serve everything end now
		p.Lowered = v.Now
	}
	if v.stillNames(was.Stable, stable) {
		p = p.latch(was.Stable) // a person went back from what the spec still names
	}
	v.Progress = p
	d := v.steady()
	if moved {
		d = d.tell(Steady, fmt.Sprintf("baseline is now %s, which got 100%% without us; it was %s", stable, was.Stable), false)
	}
	if v.Service.followsLatest() && v.unpinned() == "" {
		return v.pin(d)
	}
	return d
}

// stillNames tells whether the spec asks for the revision that was stable, by its name or
// by its template, and not for the one that is now.
func (v view) stillNames(was, now string) bool {
	want := v.Plan.Template.Digest
	return v.Plan.CandidateRevision != "" && v.Plan.CandidateRevision == was ||
		want != "" && was != "" && was != now && v.revision(was).Template == want && v.revision(now).Template != want
}

// unpinned says what must be over before LATEST is pinned; "" for nothing.
func (v view) unpinned() string {
	if v.Plan.Paused {
		return "spec.paused is false"
	}
	if len(v.Service.Kept.Blocks) > 0 {
		return "this is over: " + v.obstacles()
	}
	if v.servesNothing() {
		return "LATEST stands for a revision that exists: deploy one, or send one 100% with " + v.byHand()
	}
	if i := slices.IndexFunc(v.desired, func(s Share) bool { return v.revision(s.Revision).unread() }); i >= 0 {
		return v.desired[i].Revision + ", which LATEST stands for, can be read" // it may be gone
	}
	return ""
}

// pin replaces LATEST by the revision it stands for. The split stays; a new
// revision no longer takes it by itself.
func (v view) pin(d Decision) Decision {
	stable := d.Progress.Stable
	d.Note = fmt.Sprintf("%s serves 100%%; the traffic is being pinned to it", stable)
	d.Next = "New revisions will wait for a rollout."
	return v.write(d, all(stable)).tell(Pinned,
		fmt.Sprintf("traffic followed LATEST and is now pinned to %s, which it stood for", stable), false)
}

// settleBaseline obeys spec.stableRevision where nothing else says which
// revision is the way back. Each value is used once, so that an old one cannot
// move traffic later.
func (v view) settleBaseline() (Decision, bool) {
	named := v.Plan.StableRevision
	if named == "" || named == v.Progress.SettledBy {
		return Decision{}, false
	}
	if r := v.revision(named); r.unread() {
		return v.unreadable(r), true
	} else if r.Presence != Found || r.Readiness != Ready {
		return v.at(Idle, RevisionNotReady, fmt.Sprintf("spec.stableRevision names %s, which is not there or not ready", named)).next(
			"Name a ready revision of this service."), true
	}
	p := v.Progress.ended()
	if p.Stable == "" { // forgotten; else we know where we put it
		p.Warmup.Tagged = v.Service.tagged(WarmTag)
		if c := v.Service.Claim; c == nil || c.Stable == "" { // where it says so we know whose the tag is
			p.Tagged = v.Service.tagged(Tag)
		}
	}
	if v.was.Elsewhere > 0 { // what had traffic beside the former stable has instances that idle on
		p.Lowered = v.Now
	}
	p.Stable, p.Candidate, p.Requested, p.SettledBy = named, "", "", named
	p.Cutoff = later(p.Cutoff, v.newest(named))
	p.Cause = "spec.stableRevision names " + named
	v.Progress = p
	return v.sendBack(p.Cause), true
}

// steady is the state in which nothing is wanted.
func (v view) steady() Decision {
	p := v.Progress
	phase, reason := p.Phase, p.Reason
	for _, first := range []rule{view.orphaned, view.asDeployed, view.stuck} {
		if d, ok := first(v); ok {
			return d
		}
	}
	note, next := fmt.Sprintf("%s serves 100%%", p.Stable), "Waits for a new revision."
	switch {
	case phase == Completed && reason == ReasonCompleted && p.Candidate == p.Stable:
		note = fmt.Sprintf("%s serves 100%% and is the new stable", p.Stable)
	case v.givenUp():
		return v.rolledBack()
	case p.latched(v.Plan.CandidateRevision) && v.Plan.CandidateRevision != p.Stable:
		phase, reason = Idle, Steady
		next = fmt.Sprintf("spec.candidateRevision names %s, which was given up: the request retry with that revision starts it again.", v.Plan.CandidateRevision)
	case v.Service.followsLatest() && v.unpinned() != "":
		phase, reason = Idle, Steady
		note += followsLatest
		next = "It is pinned when " + v.unpinned() + "."
	default:
		phase, reason = Idle, Steady
		if newest := v.Service.LatestReady; newest != p.Stable && v.revision(newest).unread() {
			next = fmt.Sprintf("Whether %s is a candidate is seen when it can be read: %s.", newest, v.revision(newest).unreadWhy())
		} else if newest != "" && newest != p.Stable {
			next = v.passedOver(newest)
		}
	}
	return v.at(phase, reason, note).next(next)
}

// followsLatest is what is dangerous about a service that is not pinned.
const followsLatest = " and follows LATEST: a new revision takes everything at once"

// givenUp tells whether the last attempt ended without its candidate.
func (v view) givenUp() bool {
	return v.Progress.latched(v.Progress.Candidate) && v.Progress.Candidate != v.Progress.Stable
}

// youngest is when the newest revision was created that needs no more thought: what came
// before stable, and before the candidate under way. A read of the past, and a newest
// revision that is deleted, name one that is older as the latest.
func (v view) youngest() time.Time {
	p := v.Progress
	candidate := v.revision(p.Candidate)
	if !p.active() || candidate.Presence != Found || p.Candidate == v.Service.LatestReady {
		return p.Cutoff
	}
	return later(p.Cutoff, candidate.CreatedAt)
}

// wanted is the revision that should be rolled out, or "".
func (v view) wanted() string {
	p := v.Progress
	if named := v.Plan.CandidateRevision; named != "" {
		return v.unless(named)
	}
	newest := v.revision(v.Service.LatestReady)
	if v.unwanted(newest) {
		return ""
	}
	if newest.Presence == Found && (newest.CreatedAt.After(v.youngest()) || v.asGitWants(newest)) && newest.Name != p.Stable && !p.latched(newest.Name) {
		return newest.Name
	}
	if p.Requested != "" {
		return v.unless(p.Requested)
	}
	if p.active() {
		return p.Candidate
	}
	if created := v.revision(v.Service.LatestCreated); created.CreatedAt.After(p.Cutoff) && created.Name != p.Stable &&
		created.Readiness != Ready && !v.unwanted(created) {
		return v.unless(created.Name)
	}
	return ""
}

// unless returns a revision unless it was given up.
func (v view) unless(revision string) string {
	if v.Progress.latched(revision) {
		return ""
	}
	return revision
}

// unfitCandidate says why a wanted revision cannot be rolled out.
func (v view) unfitCandidate(name string) (Decision, bool) {
	r := v.revision(name)
	switch {
	case r.unread():
		return v.unreadable(r), true
	case r.Presence != Found:
		return v.at(Idle, RevisionNotFound, fmt.Sprintf("revision %s does not exist", name)).next(
			"Deploy it, or correct spec.candidateRevision; looked at again every minute."), true
	case r.Readiness == NotReady:
		return v.at(Idle, RevisionNotReady, fmt.Sprintf("revision %s is not ready: %s", name, r.Why)).next(
			fmt.Sprintf("%s keeps all traffic; %s.", v.Progress.Stable, v.howToMend(r))), true
	case r.Readiness != Ready:
		return v.at(Idle, Preparing, fmt.Sprintf("revision %s was created and is not ready yet", name)).next(
			"Its rollout starts when Cloud Run reports it ready."), true
	}
	return Decision{}, false
}

// start begins an attempt.
func (v view) start(candidate string) Decision {
	p := v.Progress.ended()
	p.Attempt++
	p.Candidate = candidate
	p.Intents, p.Clock = nil, Stopwatch{}
	v.Progress = p
	d := v.at(Checking, Preparing, fmt.Sprintf("%s is to follow %s", candidate, p.Stable)).next("Its preconditions are checked next.")
	d.LookAt = v.Now.Add(soon)
	for _, note := range v.Service.Kept.Notes {
		d = d.tell(Preparing, note, true)
	}
	return d.tell(RolloutStarted, fmt.Sprintf("attempt %d: %s is to follow %s", p.Attempt, candidate, p.Stable), false)
}

// ended forgets what belongs to an attempt, and keeps what outlives it.
func (p Progress) ended() Progress {
	p = p.anew()
	p.Step, p.FirstWrite, p.Baked = 0, time.Time{}, 0
	p.Watches, p.Waiting, p.Hot = nil, time.Time{}, time.Time{}
	p.Approved, p.ThinAccepted, p.Cause, p.WaitTold = 0, 0, "", false
	p.Former, p.Promoted = "", Promotion{}
	p.NoDataSince, p.Breaches = time.Time{}, nil
	p.Warmup = Warmup{Tagged: p.Warmup.Tagged}
	return p.unblamed()
}

// newest is the creation time of the newest revision that is known to exist
// when one becomes the baseline.
func (v view) newest(stable string) time.Time {
	created := v.revision(stable).CreatedAt
	for _, name := range []string{v.Service.LatestCreated, v.Service.LatestReady} {
		r := v.revision(name)
		created = later(created, r.CreatedAt)
		if r.unread() {
			created = later(created, v.Now) // it is there, so it was created before
		}
	}
	return created
}
