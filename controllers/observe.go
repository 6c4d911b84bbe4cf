package controllers

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// observe gathers everything the decision may depend on. The time is read last
// and once, in whole seconds as the API saves them: what was read is not newer.
func (r *Reconciler) observe(ctx context.Context, cloud Cloud, ro *v1alpha1.CloudRunRollout) (rollout.Input, error) {
	plan, err := planOf(ro)
	if err != nil {
		return rollout.Input{}, err
	}
	in := rollout.Input{Plan: plan, Progress: progressOf(ro), Request: requestOf(ro)}

	in.Service, err = cloud.Service(ctx, plan.Service)
	if err != nil {
		return rollout.Input{}, err
	}
	if detail, denied := r.memory.writeDenied(ro, r.Process.Now()); denied && in.Service.Presence == rollout.Found {
		in.Service.Presence, in.Service.Detail = rollout.Denied, detail
	}
	if in.Service.Presence == rollout.Found {
		in.Service.Interleaved = r.memory.wasInterleaved(ro)
		names := rollout.Involved(plan, in.Progress, in.Service, in.Request)
		if in.Revisions, err = cloud.Revisions(ctx, plan.Service, names); err != nil {
			return rollout.Input{}, err
		}
		wholeSeconds(in.Revisions)
	}
	in.Now = r.Clock.Now().UTC().Truncate(time.Second)
	if questions := rollout.Questions(in); len(questions) > 0 {
		if in.Answers, err = cloud.Answer(ctx, questions, in.Now); err != nil {
			return rollout.Input{}, fmt.Errorf("asking Cloud Monitoring: %w", err)
		}
	}
	return in, nil
}

// wholeSeconds cuts creation times to what status can save. Otherwise a revision
// would seem to be created after the cutoff that was made from it.
func wholeSeconds(revisions map[string]rollout.Revision) {
	for name, revision := range revisions {
		revision.CreatedAt = revision.CreatedAt.Truncate(time.Second)
		revisions[name] = revision
	}
}
