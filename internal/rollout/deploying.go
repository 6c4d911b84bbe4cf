package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Sent is the newest template that was sent to the service, until one of those that were
// sent is seen there.
type Sent struct {
	Digest string
	At     time.Time // when it was last sent
	Times  int       // how often
	// Before are those that were sent before it and were not seen either, newest first.
	Before []string
}

// mostBefore is how many of those that were sent before are remembered.
const mostBefore = 2

// then is what was sent once a template is sent.
func (s Sent) then(digest string, now time.Time) Sent {
	next := Sent{Digest: digest, At: now, Times: 1, Before: s.Before}
	switch {
	case s.Digest == digest:
		next.Times = s.Times + 1
	case s.Digest != "":
		before := append([]string{s.Digest}, s.Before...)
		before = slices.DeleteFunc(before, func(one string) bool { return one == digest })
		next.Before = before[:min(len(before), mostBefore)]
	}
	return next
}

// has tells whether a template was sent and was not seen yet.
func (s Sent) has(digest string) bool {
	return digest != "" && (digest == s.Digest || slices.Contains(s.Before, digest))
}

// again is when the template is sent again: later each time, so that one that never
// arrives, or that somebody takes back each time, is not a revision every few seconds.
func (s Sent) again() time.Time {
	return s.At.Add(min(soon<<min(max(s.Times-1, 0), 10), longestAgain))
}

// longestAgain bounds that wait.
const longestAgain = 10 * time.Minute

// manyTimes is how often a template is sent before it is told that something is wrong.
const manyTimes = 3

// undeployed tells whether the template that the spec wants has to be deployed. Each is
// deployed once: what somebody deployed past Git since stays. One that stable was made
// from is served already.
func (v view) undeployed() bool {
	want := v.Plan.Template.Digest
	return want != "" && v.Service.Template != want && v.Progress.Deployed != want && !v.wantsStable()
}

// wantsStable tells whether the spec wants the very template that stable was made from.
func (v view) wantsStable() bool {
	return !v.Plan.Template.IsZero() && v.revision(v.Progress.Stable).Template == v.Plan.Template.Digest
}

// seesTemplates learns what has landed, before anything is decided on it. A revision of a
// template that Git does not want any more is no candidate: of one that was sent and
// landed late, and of one that Git took back for what stable serves. Once one has landed
// no other one can: each rests on the service as it was before.
func (v view) seesTemplates() view {
	if v.Service.Presence != Found || v.stale() {
		return v
	}
	p, want := &v.Progress, v.Plan.Template.Digest
	created := v.revision(v.Service.LatestCreated)
	if landed := v.Service.Template; p.Sent.has(landed) && created.Template == landed && v.Service.settled() {
		if landed != want {
			p.Cutoff = later(p.Cutoff, created.CreatedAt)
		}
		if landed != want && want != "" && !v.wantsStable() {
			p.Deployed = landed // so that what is wanted is deployed over it
		}
		p.Sent = Sent{}
	}
	if v.wentBack() && created.Template != "" && created.Template == v.was.Deployed {
		p.Cutoff = later(p.Cutoff, created.CreatedAt)
	}
	return v
}

// deployed remembers the newest template of the spec that was seen to be there.
func (v view) deployed(p Progress) Progress {
	want := v.Plan.Template.Digest
	if want == "" && v.Undeployable == "" && !p.active() {
		p.Deployed = "" // what Git leaves to others it may want anew
	}
	if v.Service.Presence == Found && !v.stale() && want != "" && (v.Service.Template == want || v.wantsStable()) && !v.turnsBack() {
		p.Deployed = want
	}
	return p
}

// wentBack tells whether Git went back to the template that stable was made from, from
// another one that was deployed.
func (v view) wentBack() bool {
	return v.wantsStable() && v.was.Deployed != "" && v.was.Deployed != v.Plan.Template.Digest
}

// turnsBack tells whether it did so during an attempt of another template.
func (v view) turnsBack() bool {
	made := v.revision(v.Progress.Candidate).Template
	return v.Progress.active() && made != "" && made != v.Plan.Template.Digest && v.wentBack()
}

// unwanted tells whether a revision was made from a template of ours that arrived after
// Git wanted another one.
func (v view) unwanted(r Revision) bool {
	return v.Progress.Sent.has(r.Template) && r.Template != v.Plan.Template.Digest
}

// asGitWants tells whether a revision is what Git wants, whenever it was made: its
// template is on the service, so that none will be made anew.
func (v view) asGitWants(r Revision) bool {
	want := v.Plan.Template.Digest
	return want != "" && r.Template == want && v.Service.Template == want && !v.wantsStable() && r.Name != v.Progress.Stable
}

// notDeployed says why the template of the spec is neither there nor on its way; "" where
// it is, or none is wanted.
func (v view) notDeployed() string {
	switch sent := v.Progress.Sent; {
	case v.Plan.Template.IsZero():
		return v.Undeployable
	case !v.undeployed():
		return ""
	case v.Undeployable == "" && sent.Digest == v.Plan.Template.Digest && sent.Times >= manyTimes:
		return fmt.Sprintf("it was sent %d times and is not there; it is sent again at %s; the log of Sluice says how it failed, or somebody else writes the template", sent.Times, Clock(sent.again()))
	}
	return v.Undeployable
}

// waitsToDeploy says what must be over before the template is deployed; "" for nothing.
func (v view) waitsToDeploy() string {
	stable, sent := v.revision(v.Progress.Stable), v.Progress.Sent
	switch {
	case v.Plan.Paused:
		return "spec.paused is true"
	case v.Hours.Shut:
		return "nothing new is begun " + v.Hours.since()
	case stable.unread():
		return stable.unreadWhy()
	case v.Service.Keeper != "":
		return "the service is kept by " + v.Service.Keeper
	case v.Service.followsLatest():
		return "traffic follows LATEST, which is pinned when " + cmp.Or(v.unpinned(), "nothing else is under way")
	case v.Progress.active() && v.Progress.needsVerb() && !v.Progress.late():
		return "a person has to answer first"
	case sent.Digest == v.Plan.Template.Digest && v.Now.Before(sent.again()):
		return "it was sent and is not seen yet; it is sent again at " + Clock(sent.again())
	}
	return ""
}

// mayDeploy tells whether nothing keeps a template from being sent now.
func (v view) mayDeploy() bool {
	return v.undeployed() && v.Undeployable == "" && v.waitsToDeploy() == "" && !v.pending() && !v.Deleting && v.Plan.RunService == ""
}

// deploy sends the template of the spec, where a traffic write has said before whose the
// service is: two objects that deploy to one service would else undo each other for ever.
// A split of what is gone cannot be said again, and a new revision is its cure.
func (v view) deploy(d Decision) Decision {
	ours := !v.Self.known() || v.Service.Claim != nil && v.Service.Claim.same(v.Self)
	if !ours && !v.servesNothing() {
		d.Next = "Then spec.template is deployed."
		return v.write(d, v.desired).tell(Pinned, fmt.Sprintf("traffic stays %s; the service is marked as ours before spec.template is deployed", v.desired), false)
	}
	deploy, err := NewDeploy(v.Service.ETag, v.Service.Generation, v.Plan.Template)
	if err != nil { // a service that was found has an etag, and a plan has whole templates
		return v.at(d.Progress.Phase, d.Progress.Reason, "spec.template cannot be sent: "+err.Error()).next("Looked at again every minute.")
	}
	d.Deploy = deploy
	d.Progress.Sent = d.Progress.Sent.then(v.Plan.Template.Digest, v.Now)
	if d.Progress.Sent.Times > 1 {
		return d // it was told
	}
	return d.tell(Deploying, fmt.Sprintf("spec.template%s is deployed; %s keeps its traffic", v.Plan.Template.title(), v.Progress.Stable), false)
}

// deploysAtRest deploys the template between attempts.
func (v view) deploysAtRest() (Decision, bool) {
	if !v.mayDeploy() {
		return Decision{}, false
	}
	note := fmt.Sprintf("%s serves 100%%; spec.template%s is being deployed", v.Progress.Stable, v.Plan.Template.title())
	return v.deploy(v.at(Idle, Deploying, note).next("Its revision gets no traffic until its rollout starts, which is when Cloud Run reports it ready.")), true
}

// deploys sends a template during an attempt: a new one does not wait for its end,
// because it may be its cure. It is sent while nothing moves, and moves nothing itself:
// the attempt ends when the new revision is ready.
func (v view) deploys() (Decision, bool) {
	p := v.Progress
	still := v.Service.settled() && v.desired.Equal(v.effective) && p.Confirmed.Equal(v.desired)
	if !p.active() || p.Candidate == "" || !still || !v.mayDeploy() {
		return Decision{}, false
	}
	note := fmt.Sprintf("%s at %d%%; spec.template%s is being deployed", p.Candidate, v.weight(), v.Plan.Template.title())
	return v.deploy(v.at(p.Phase, p.Reason, note).next(fmt.Sprintf(
		"Its revision gets no traffic; when it is ready it takes the place of %s, beginning from %s.", p.Candidate, p.Stable))), true
}

// awaitsDeploy says beside an attempt that a template of Git waits.
func (v view) awaitsDeploy(d Decision) string {
	if !d.Progress.active() || d.Deploy != nil || !v.undeployed() && v.notDeployed() == "" {
		return ""
	}
	return fmt.Sprintf(" spec.template is not deployed yet: %s.",
		cmp.Or(v.notDeployed(), v.waitsToDeploy(), "nothing must move meanwhile, and requests come first"))
}

// reverted: Git went back to the template that stable was made from. That is a person's
// way back, and the candidate comes again only when Git wants it again.
func reverted(v view) (Decision, bool) {
	p := v.Progress
	if p.Candidate == "" || !v.turnsBack() {
		return Decision{}, false
	}
	note := fmt.Sprintf("spec.template went back to what %s serves", p.Stable)
	v.Progress.Requested = ""
	v.Progress.Cutoff = later(p.Cutoff, v.revision(p.Candidate).CreatedAt)
	v.Progress.Deployed = v.Plan.Template.Digest
	if v.untouched() && p.Warmup.Tagged == "" {
		return rest(v.idle()).tell(Superseded, note, false), true
	}
	v.Progress.Cause = note
	return v.sendBack(note).tell(Superseded, note, false), true
}

// asDeployed says between attempts how what serves relates to the spec's template.
func (v view) asDeployed() (Decision, bool) {
	serves := v.Progress.Stable + " serves 100%"
	why := v.notDeployed()
	switch {
	case why != "":
		return v.at(Idle, NotDeployed, serves+"; spec.template is not deployed: "+why).next("Traffic stays as it is until that is mended; looked at again every minute."), true
	case v.undeployed():
		d := v.at(Idle, v.reasonToWait(), fmt.Sprintf("%s; spec.template is not deployed yet: %s", serves, cmp.Or(v.waitsToDeploy(), "it is sent next"))).next(
			"It is deployed when that is over; looked at again every minute.")
		if v.waitsToDeploy() == "" {
			d.LookAt = v.Now.Add(soon)
		}
		return d, true
	case v.wantsStable() && v.Progress.latched(v.Progress.Candidate) && !v.asStable(v.Progress.Candidate):
		return v.at(Idle, Steady, serves+", and is what spec.template asks for").next("Waits for a new spec.template, or for a new revision."), true
	}
	return Decision{}, false
}

// reasonToWait keeps saying that a template is on its way where one was sent.
func (v view) reasonToWait() Reason {
	if v.Progress.Sent.Digest == v.Plan.Template.Digest {
		return Deploying
	}
	return Preparing
}

// asStable tells whether a revision was made from no other template than stable: a hotfix
// past Git, or one of somebody's who knows nothing of templates.
func (v view) asStable(revision string) bool {
	made := v.revision(revision).Template
	return made == "" || made == v.revision(v.Progress.Stable).Template
}

// stillWanted says after a rollback that Git wants what was given up; "" where it does not.
func (v view) stillWanted() string {
	if v.wantsStable() || v.Plan.Template.IsZero() || v.madeFrom(v.Progress.Candidate) != v.Plan.Template.Digest {
		return ""
	}
	return fmt.Sprintf("Git still wants %s%s: revert or change spec.template, or lift it with the request retry.",
		v.Progress.Candidate, v.Plan.Template.title())
}

// madeFrom is the template that a revision was made from. The newest one was made from the
// service's, which says so also when the revision is gone, whoever may remember it or not.
func (v view) madeFrom(revision string) string {
	if made := v.revision(revision).Template; made != "" || revision != v.Service.LatestCreated || !v.Service.settled() {
		return made
	}
	return v.Service.Template
}

// passedOver says why the newest revision is no candidate, and how it becomes one.
func (v view) passedOver(newest string) string {
	switch {
	case v.Plan.Template.IsZero():
		return fmt.Sprintf("Newest revision %s existed before and is no candidate by itself: set spec.candidateRevision to it to roll it out.", newest)
	case v.Progress.latched(newest) && v.revision(newest).Template == v.Plan.Template.Digest:
		return fmt.Sprintf("Git still wants %s%s, which was given up: change spec.template, or lift it with the request retry, with that revision.",
			newest, v.Plan.Template.title())
	}
	if v.wantsStable() {
		return fmt.Sprintf("%s is what spec.template asks for, so that %s, which is newer, is not rolled out.", v.Progress.Stable, newest)
	}
	return fmt.Sprintf("Newest revision %s existed before and is no candidate by itself: write what it is made from into spec.template to roll it out.", newest)
}

// howToMend says what gives a service a revision that starts.
func (v view) howToMend(failed Revision) string {
	if want := v.Plan.Template.Digest; want != "" && failed.Template == want {
		return "change spec.template so that it starts; where the cause lay elsewhere and is mended, any change, such as a label, deploys it again"
	}
	return "deploy a revision that starts"
}

// title is the image of a template, for people; "" where it has none.
func (t Template) title() string {
	if t.Image == "" {
		return ""
	}
	return " (" + t.Image + ")"
}
