package rollout

// Release is the end of a rollout that is being deleted: the object may go.
type Release struct {
	Left  Split  // what was asked of the service when it was last read; nil when it was not
	Stuck string // why traffic could not be sent back; "" when there is nothing to send back
}

// Exposed tells whether the candidate may hold traffic, or a tag of ours, that was
// not taken back: whether there is something to do when the rollout is deleted.
func (p Progress) Exposed() bool {
	return p.Warmup.Tagged != "" || p.Candidate != "" && p.Candidate != p.Stable && !p.FirstWrite.IsZero() &&
		(p.active() || p.Confirmed.Of(p.Candidate) > 0)
}

// quiet drops what a person still asks of a rollout that is being deleted, and
// what would be measured: it only goes back.
func (in Input) quiet() Input {
	if in.Deleting {
		in.Request, in.Plan.StableRevision, in.Plan.Guards = Request{}, "", nil
	}
	return in
}

// deleted acts like an abort, except that a split of somebody else's stays. It
// always speaks while the rollout is being deleted, so that nothing rises.
func deleted(v view) (Decision, bool) {
	p := v.Progress
	const stays = "The rollout is being deleted; traffic stays as it is."
	switch {
	case !v.Deleting:
		return Decision{}, false
	case p.Candidate == "" && p.active():
		return v.idle().at(Idle, Preparing, "no attempt is under way").next(stays), true
	case !p.active() && !p.Exposed():
		return v.at(p.Phase, p.Reason, "no attempt is under way").next(stays), true
	case p.Stable == "":
		return v.pause(BaselineLost, "it is not known which revision is the way back").next(stays), true
	case !p.ours(v.desired):
		return v.pause(TrafficConflict, "someone else set traffic to "+v.desired.String()+v.Service.changedBy()).next(stays), true
	case p.Phase == RollingBack, p.active() && p.latched(p.Candidate):
		v.Progress = p.latch(p.Candidate)
		return goBack(v), true
	}
	return v.giveUp("the rollout is being deleted"), true
}

// release tells whether a decision is the last one of a rollout that is being
// deleted: it moves nothing, and no later one would.
func (v view) release(d Decision) *Release {
	found, p := v.Service.Presence == Found, d.Progress
	switch {
	case !v.Deleting || d.Write != nil:
		return nil
	case found && (v.stale() || p.active() && p.Phase != Paused):
		return nil
	}
	r := &Release{}
	if found {
		r.Left = v.desired
	}
	if p.Phase == Paused || p.Exposed() || p.Reason == OwnedElsewhere && v.was.Exposed() {
		r.Stuck = d.Note
	}
	return r
}
