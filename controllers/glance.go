package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// How old the watched state may be: of a service, while an attempt is under way
// and when nothing is, and of revisions, which seldom change.
const (
	watchedActive   = 15 * time.Second
	watchedIdle     = time.Minute
	revisionsActive = 30 * time.Second
	revisionsIdle   = 10 * time.Minute
)

// glanceTimeout bounds a look at the watched state: whatever is slow must leave
// the pass its time for the live read and the write.
const glanceTimeout = 10 * time.Second

// decide looks at the watched state first. Where that leads nowhere new, it
// stands; everything else is decided on a live read. A look that a quota does not
// let in is made up by a live read only where something is under way: a thousand
// rollouts at rest would be a thousand reads in the place of one list.
//
// What is to take traffic from the candidate is read urgently until it was decided on
// a live read, however old the look was that showed it.
func (r *Reconciler) decide(ctx context.Context, cloud Cloud, ro *v1alpha1.CloudRunRollout) (rollout.Input, rollout.Decision, error) {
	in, err := started(ro)
	rests := rests(in)
	if rests {
		ctx = cloudrun.AtRest(ctx)
	}
	var seen noticed
	var kept error
	if err == nil {
		seen, kept = r.notice(ctx, cloud, ro, in)
	}
	switch {
	case kept != nil && rests:
		return rollout.Input{}, rollout.Decision{}, restingError{kept}
	case seen.stands:
		return seen.in, seen.decision, nil
	}
	back := wantedBack(in) || r.memory.pressed(ro)
	if back || unsettled(in.Progress) {
		ctx = cloudrun.Urgent(ctx)
	}
	if err == nil {
		in, err = r.observe(ctx, cloud, ro, in)
	}
	if err == nil {
		err = afterList(in.Service, seen.in.Service)
	}
	switch {
	case err != nil && rests:
		return rollout.Input{}, rollout.Decision{}, restingError{err}
	case err != nil && back:
		return rollout.Input{}, rollout.Decision{}, wayBackError{err}
	case err != nil:
		return rollout.Input{}, rollout.Decision{}, err
	}
	if whole(in) {
		r.memory.relieve(ro)
	}
	return in, rollout.Decide(in), nil
}

// afterList tells that a live read is older than the list before it, of the same service: it shows
// nothing that is so, and is made once more.
func afterList(live, listed rollout.Service) error {
	if listed.UID != live.UID || listed.Generation <= live.Generation {
		return nil
	}
	return pastError{&cloudrun.CallError{
		Op: "reading the service", Kind: cloudrun.ErrUnavailable,
		Detail: fmt.Sprintf("it answered with generation %d, and a list had shown %d", live.Generation, listed.Generation),
	}}
}

// pastError is the failure of a read that shows what is past.
type pastError struct{ error }

func (e pastError) Unwrap() error { return e.error }

// noticed is what was decided on the watched state, and whether that stands.
type noticed struct {
	in       rollout.Input
	decision rollout.Decision
	stands   bool
}

// notice decides on the watched state, and remembers where that takes traffic from
// the candidate. It fails as a glance does.
func (r *Reconciler) notice(ctx context.Context, cloud Cloud, ro *v1alpha1.CloudRunRollout, in rollout.Input) (noticed, error) {
	in, ok, kept := r.glance(ctx, cloud, ro, in)
	if !ok {
		return noticed{}, kept
	}
	d := rollout.Decide(in)
	if d.Lowers() {
		r.memory.press(ro)
	}
	return noticed{in, d, kept == nil && routine(in, d)}, kept
}

// whole tells whether each revision that a decision may depend on could be read.
func whole(in rollout.Input) bool {
	for _, revision := range in.Revisions {
		if revision.Presence == rollout.Unknown {
			return false
		}
	}
	return true
}

// goesBack tells whether a way back is under way, or somebody asks for one.
func goesBack(ro *v1alpha1.CloudRunRollout) bool { return wantedBack(saved(ro)) }

func wantedBack(in rollout.Input) bool {
	return in.Progress.Phase == rollout.RollingBack || in.Request.Verb == rollout.Abort && asked(in)
}

// unsettled tells whether users may be on the candidate, and only a live read tells
// how they fare there: it is not known whether the newest write serves.
func unsettled(p rollout.Progress) bool {
	return p.Exposed() && (p.Phase == rollout.Shifting || len(p.Intents) > 0)
}

// atRest tells whether a look at a rollout can wait: nothing is under way, and
// nobody waits for an answer.
func atRest(ro *v1alpha1.CloudRunRollout) bool { return rests(saved(ro)) }

func rests(in rollout.Input) bool {
	p := in.Progress
	return resting(p.Phase) && p.Reason != rollout.Deploying && len(p.Intents) == 0 && !in.Deleting && !asked(in)
}

// resting are the phases that end by themselves only when something new is there.
func resting(phase rollout.Phase) bool {
	switch phase {
	case rollout.Idle, rollout.Completed, rollout.RolledBack:
		return true
	case rollout.Checking, rollout.WarmingUp, rollout.Shifting, rollout.Baking, rollout.AwaitingApproval, rollout.Held, rollout.Paused, rollout.RollingBack:
	}
	return false
}

// glance gathers what a decision may depend on from the watched state, where
// that may do: not when a person waits for an answer, when a write of ours is on
// its way, or when there is something to find out about the last one. The only
// error is that a quota does not let the look in. With it and ok, what is known is
// minutes older than it may be: it shows whether the candidate has to give up traffic,
// and no more.
func (r *Reconciler) glance(
	ctx context.Context, cloud Cloud, ro *v1alpha1.CloudRunRollout, in rollout.Input,
) (seen rollout.Input, ok bool, kept error) {
	if cloud.Watcher == nil || r.liveOnly(ro, in) {
		return rollout.Input{}, false, nil
	}
	ofService, ofRevisions := watchedActive, revisionsActive
	if resting(in.Progress.Phase) {
		ofService, ofRevisions = watchedIdle, revisionsIdle
	}
	if live, known := r.memory.readLive(in.Plan.Service); known { // a list before that would take back what was told
		ofService = min(ofService, r.now().Sub(live))
	}
	ctx, cancel := context.WithTimeout(ctx, glanceTimeout)
	defer cancel()
	listed, ok, kept := cloud.Watcher.Listed(ctx, in.Plan.Service, r.now(), ofService)
	if !ok || listed.Generation < in.Progress.Generation {
		return rollout.Input{}, false, kept
	}
	in.Service = listed
	names := rollout.Involved(in.Plan, in.Progress, in.Service, in.Request)
	var err error
	in.Revisions, err = cloud.Watcher.Remembered(ctx, in.Plan.Service, names, r.now(), ofRevisions)
	if errors.Is(err, cloudrun.ErrThrottled) {
		kept, err = err, nil
	}
	if err != nil || kept != nil && resting(in.Progress.Phase) {
		return rollout.Input{}, false, kept
	}
	wholeSeconds(in.Revisions)
	in.Now = r.now()
	in, err = r.question(ctx, cloud, ro, in)
	return in, err == nil, kept
}

// liveOnly tells whether the watched state may not do.
func (r *Reconciler) liveOnly(ro *v1alpha1.CloudRunRollout, in rollout.Input) bool {
	_, denied := r.memory.writeDenied(ro, r.Process.Now())
	return in.Deleting || asked(in) || ro.Generation != ro.Status.ObservedGeneration ||
		denied || r.memory.wasInterleaved(ro) || len(in.Progress.Intents) > 0 ||
		in.Progress.Reason == rollout.Deploying || in.Progress.Phase == rollout.WarmingUp || in.Progress.Phase == rollout.Shifting || in.Progress.Phase == rollout.RollingBack
}

// routine tells whether a decision leaves everything as it was, but for what the
// evidence says of itself.
func routine(in rollout.Input, d rollout.Decision) bool {
	if d.Write != nil || d.Deploy != nil || d.Release != nil || len(d.Events) > 0 || in.Service.Presence != rollout.Found {
		return false
	}
	was, now := in.Progress, d.Progress
	now.Baked, now.Judged, now.Breaches = was.Baked, was.Judged, was.Breaches
	now.NoDataSince, now.Generation = was.NoDataSince, was.Generation
	now.Company = was.Company // it changes each minute while a neighbour is hot
	return was.Phase == now.Phase && equality.Semantic.DeepEqual(attemptOf(was), attemptOf(now))
}
