package controllers

import (
	"context"
	"errors"
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
// stands; everything else is decided on a live read, which a way back makes though
// Cloud Run wants to be left alone. A look that a quota does not let in is made up by
// a live read only where something is under way: a thousand rollouts at rest would be
// a thousand reads in the place of one list.
func (r *Reconciler) decide(ctx context.Context, cloud Cloud, ro *v1alpha1.CloudRunRollout) (rollout.Input, rollout.Decision, error) {
	rests := atRest(ro)
	if rests {
		ctx = cloudrun.AtRest(ctx)
	}
	in, ok, err := r.glance(ctx, cloud, ro)
	if err != nil && rests {
		return rollout.Input{}, rollout.Decision{}, restingError{err}
	}
	back := goesBack(ro)
	if ok {
		d := rollout.Decide(in)
		if routine(in, d) {
			return in, d, nil
		}
		back = back || d.Progress.Phase == rollout.RollingBack
	}
	if back {
		ctx = cloudrun.Urgent(ctx)
	}
	in, err = r.observe(ctx, cloud, ro)
	switch {
	case err != nil && rests:
		return rollout.Input{}, rollout.Decision{}, restingError{err}
	case err != nil && back:
		return rollout.Input{}, rollout.Decision{}, wayBackError{err}
	case err != nil:
		return rollout.Input{}, rollout.Decision{}, err
	}
	return in, rollout.Decide(in), nil
}

// goesBack tells whether a way back is under way, or somebody asks for one.
func goesBack(ro *v1alpha1.CloudRunRollout) bool {
	p, request := progressOf(ro), requestOf(ro)
	return p.Phase == rollout.RollingBack ||
		request.Verb == rollout.Abort && asked(rollout.Input{Progress: p, Request: request})
}

// atRest tells whether a look at a rollout can wait: nothing is under way, and
// nobody waits for an answer.
func atRest(ro *v1alpha1.CloudRunRollout) bool {
	p := progressOf(ro)
	request := requestOf(ro)
	return resting(p.Phase) && len(p.Intents) == 0 && ro.DeletionTimestamp.IsZero() &&
		!asked(rollout.Input{Progress: p, Request: request})
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
// error is that a quota does not let the look in.
func (r *Reconciler) glance(ctx context.Context, cloud Cloud, ro *v1alpha1.CloudRunRollout) (rollout.Input, bool, error) {
	in, err := started(ro)
	if err != nil || cloud.Watcher == nil || r.liveOnly(ro, in) {
		return rollout.Input{}, false, nil
	}
	ofService, ofRevisions := watchedActive, revisionsActive
	if resting(in.Progress.Phase) {
		ofService, ofRevisions = watchedIdle, revisionsIdle
	}
	ctx, cancel := context.WithTimeout(ctx, glanceTimeout)
	defer cancel()
	listed, ok, err := cloud.Watcher.Listed(ctx, in.Plan.Service, r.now(), ofService)
	if err != nil || !ok || listed.Generation < in.Progress.Generation {
		return rollout.Input{}, false, err
	}
	in.Service = listed
	names := rollout.Involved(in.Plan, in.Progress, in.Service, in.Request)
	in.Revisions, err = cloud.Watcher.Remembered(ctx, in.Plan.Service, names, r.now(), ofRevisions)
	if errors.Is(err, cloudrun.ErrNotAsked) {
		return rollout.Input{}, false, err
	}
	if err == nil {
		wholeSeconds(in.Revisions)
		in.Now = r.now()
		in, err = r.question(ctx, cloud, ro, in)
	}
	return in, err == nil, nil
}

// liveOnly tells whether the watched state may not do.
func (r *Reconciler) liveOnly(ro *v1alpha1.CloudRunRollout, in rollout.Input) bool {
	_, denied := r.memory.writeDenied(ro, r.Process.Now())
	return in.Deleting || asked(in) || ro.Generation != ro.Status.ObservedGeneration ||
		denied || r.memory.wasInterleaved(ro) || len(in.Progress.Intents) > 0 ||
		in.Progress.Phase == rollout.WarmingUp || in.Progress.Phase == rollout.Shifting || in.Progress.Phase == rollout.RollingBack
}

// routine tells whether a decision leaves everything as it was, but for what the
// evidence says of itself.
func routine(in rollout.Input, d rollout.Decision) bool {
	if d.Write != nil || d.Release != nil || len(d.Events) > 0 || in.Service.Presence != rollout.Found {
		return false
	}
	was, now := in.Progress, d.Progress
	now.Baked, now.Judged, now.Breaches = was.Baked, was.Judged, was.Breaches
	now.NoDataSince, now.Generation = was.NoDataSince, was.Generation
	now.Company = was.Company // it changes each minute while a neighbour is hot
	return was.Phase == now.Phase && equality.Semantic.DeepEqual(attemptOf(was), attemptOf(now))
}
