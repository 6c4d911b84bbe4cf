package controllers

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
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
// stands; everything else is decided on a live read.
func (r *Reconciler) decide(ctx context.Context, cloud Cloud, ro *v1alpha1.CloudRunRollout) (rollout.Input, rollout.Decision, error) {
	if in, ok := r.glance(ctx, cloud, ro); ok {
		if d := rollout.Decide(in); routine(in, d) {
			return in, d, nil
		}
	}
	in, err := r.observe(ctx, cloud, ro)
	if err != nil {
		return rollout.Input{}, rollout.Decision{}, err
	}
	return in, rollout.Decide(in), nil
}

// glance gathers what a decision may depend on from the watched state, where
// that may do: not when a person waits for an answer, when a write of ours is on
// its way, or when there is something to find out about the last one.
func (r *Reconciler) glance(ctx context.Context, cloud Cloud, ro *v1alpha1.CloudRunRollout) (rollout.Input, bool) {
	in, err := started(ro)
	if err != nil || cloud.Watcher == nil || in.Deleting || asked(in) || ro.Generation != ro.Status.ObservedGeneration {
		return rollout.Input{}, false
	}
	_, denied := r.memory.writeDenied(ro, r.Process.Now())
	if denied || r.memory.wasInterleaved(ro) || len(in.Progress.Intents) > 0 {
		return rollout.Input{}, false
	}
	ofService, ofRevisions := watchedActive, revisionsActive
	switch in.Progress.Phase {
	case rollout.Idle, rollout.Completed, rollout.RolledBack:
		ofService, ofRevisions = watchedIdle, revisionsIdle
	case rollout.Shifting, rollout.RollingBack:
		return rollout.Input{}, false
	case rollout.Checking, rollout.Baking, rollout.AwaitingApproval, rollout.Held, rollout.Paused:
	}
	ctx, cancel := context.WithTimeout(ctx, glanceTimeout)
	defer cancel()
	listed, ok := cloud.Watcher.Listed(ctx, in.Plan.Service, r.now(), ofService)
	if !ok || listed.Generation < in.Progress.Generation {
		return rollout.Input{}, false
	}
	in.Service = listed
	names := rollout.Involved(in.Plan, in.Progress, in.Service, in.Request)
	in.Revisions, err = cloud.Watcher.Remembered(ctx, in.Plan.Service, names, r.now(), ofRevisions)
	if err != nil {
		return rollout.Input{}, false
	}
	wholeSeconds(in.Revisions)
	in.Now = r.now()
	in, err = r.question(ctx, cloud, ro, in)
	return in, err == nil
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
	return was.Phase == now.Phase && equality.Semantic.DeepEqual(attemptOf(was), attemptOf(now))
}
