package rollout

import (
	"cmp"
	"fmt"
)

// undeployed tells whether the template that the spec wants has to be deployed. Each is
// deployed once: a revision that somebody deployed past Git since, with a template of
// their own, stays; one that stable was made from is served already.
func (v view) undeployed() bool {
	want, has := v.Plan.Template.Digest, v.Service.Template
	switch {
	case want == "", has == want, v.wantsStable():
		return false
	case has == "" && v.Progress.Deployed == want:
		return false
	}
	return true
}

// wantsStable tells whether the spec wants the very template that stable was made from.
func (v view) wantsStable() bool {
	return !v.Plan.Template.IsZero() && v.revision(v.Progress.Stable).Template == v.Plan.Template.Digest
}

// deployed remembers the newest template of the spec that was seen to be there.
func (v view) deployed(p Progress) Progress {
	switch {
	case v.Plan.Template.IsZero() && v.Undeployable == "":
		p.Deployed = ""
	case v.Service.Presence == Found && !v.stale() && !v.Plan.Template.IsZero() &&
		(v.Service.Template == v.Plan.Template.Digest || v.wantsStable()):
		p.Deployed = v.Plan.Template.Digest
	}
	return p
}

// outdated tells whether a revision was made from a template that Git wanted before it
// went back to what stable serves.
func (v view) outdated(r Revision) bool {
	return v.wantsStable() && r.Template != "" && r.Template != v.Plan.Template.Digest
}

// notDeployed says why the template of the spec is neither there nor on its way; "" where
// it is, or none is wanted.
func (v view) notDeployed() string {
	if v.Plan.Template.IsZero() || v.undeployed() {
		return v.Undeployable
	}
	return ""
}

// waitsToDeploy says what must be over before the template is deployed; "" for nothing.
func (v view) waitsToDeploy() string {
	switch stable := v.revision(v.Progress.Stable); {
	case v.Plan.Paused:
		return "spec.paused is true"
	case v.Hours.Shut:
		return "nothing new is begun " + v.Hours.since()
	case stable.unread():
		return stable.unreadWhy()
	}
	return ""
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
	return d.tell(Deploying, fmt.Sprintf("spec.template%s is deployed; %s keeps its traffic", v.Plan.Template.title(), v.Progress.Stable), false)
}

// deploysAtRest deploys the template between attempts.
func (v view) deploysAtRest() (Decision, bool) {
	if !v.undeployed() || v.Undeployable != "" || v.waitsToDeploy() != "" || v.pending() {
		return Decision{}, false
	}
	note := fmt.Sprintf("%s serves 100%%; spec.template%s is being deployed", v.Progress.Stable, v.Plan.Template.title())
	return v.deploy(v.at(Idle, Deploying, note).next("Its revision gets no traffic until its rollout starts, which is when Cloud Run reports it ready.")), true
}

// deploys sends a template during an attempt: a new one does not wait for the end of an attempt, because it may be its
// cure. It is sent while nothing moves, and moves nothing itself: the attempt ends when
// the new revision is ready.
func (v view) deploys() (Decision, bool) {
	p := v.Progress
	if !p.active() || p.Candidate == "" || !v.undeployed() || v.Undeployable != "" || v.waitsToDeploy() != "" || v.pending() {
		return Decision{}, false
	}
	quiet := v.Service.settled() && v.desired.Equal(v.effective) && p.Confirmed.Equal(v.desired) && !v.Service.followsLatest()
	if !quiet || p.pausedByPerson() || v.revision(p.Stable).Readiness != Ready {
		return Decision{}, false
	}
	note := fmt.Sprintf("%s at %d%%; spec.template%s is being deployed", p.Candidate, v.weight(), v.Plan.Template.title())
	return v.deploy(v.at(p.Phase, p.Reason, note).next(fmt.Sprintf(
		"Its revision gets no traffic; when it is ready it takes the place of %s, beginning from %s.", p.Candidate, p.Stable))), true
}

// reverted: Git went back to the template that stable was made from. That is a person's
// way back, and the candidate may come again when Git wants it again.
func reverted(v view) (Decision, bool) {
	p := v.Progress
	if !p.active() || p.Candidate == "" || !v.outdated(v.revision(p.Candidate)) {
		return Decision{}, false
	}
	note := fmt.Sprintf("spec.template went back to what %s serves", p.Stable)
	v.Progress.Requested = ""
	if v.untouched() && p.Warmup.Tagged == "" {
		return rest(v.idle()).tell(Superseded, note, false), true
	}
	v.Progress.Cause = note
	return v.sendBack(note).tell(Superseded, note, false), true
}

// asDeployed says between attempts how what serves relates to the spec's template.
func (v view) asDeployed() (Decision, bool) {
	p, serves := v.Progress, v.Progress.Stable+" serves 100%"
	why := v.notDeployed()
	switch {
	case why != "":
		return v.at(Idle, NotDeployed, serves+"; spec.template is not deployed: "+why).next("Traffic stays as it is until that is mended; looked at again every minute."), true
	case v.undeployed():
		return v.at(Idle, Preparing, fmt.Sprintf("%s; spec.template is not deployed yet: %s", serves, cmp.Or(v.waitsToDeploy(), "a request comes first"))).next(
			"It is deployed when that is over; looked at again every minute."), true
	case v.outdated(v.revision(p.Candidate)), v.outdated(v.revision(v.Service.LatestReady)):
		return v.at(Idle, Steady, serves+", and is what spec.template asks for").next("Waits for a new spec.template, or for a new revision."), true
	}
	return Decision{}, false
}

// howToMend says what gives a service a revision that starts.
func (v view) howToMend(failed Revision) string {
	if want := v.Plan.Template.Digest; want != "" && failed.Template == want {
		return "change spec.template so that it starts"
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
