package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// saved is what an object tells of how far its rollout has come, and what is asked of it.
func saved(ro *v1alpha1.CloudRunRollout) rollout.Input {
	return rollout.Input{Progress: progressOf(ro), Request: requestOf(ro), Deleting: !ro.DeletionTimestamp.IsZero()}
}

// started is what is known of a decision before anything is read. Where the spec is
// wrong, it is without a plan.
func started(ro *v1alpha1.CloudRunRollout) (rollout.Input, error) {
	in := saved(ro)
	var err error
	in.Plan, err = planOf(ro)
	in.Plan.Template, in.Undeployable = templateOf(ro)
	return in, err
}

// asked tells whether a person waits for an answer, who is heard at once.
func asked(in rollout.Input) bool {
	return in.Request.ID != "" && in.Request.ID != in.Progress.LastRequest.ID
}

// observe completes what was started with everything the decision may depend on. The
// time is read last and once, in whole seconds as the API saves them: what was read is
// not newer.
func (r *Reconciler) observe(ctx context.Context, cloud Cloud, ro *v1alpha1.CloudRunRollout, in rollout.Input) (rollout.Input, error) {
	if err := look(ctx, cloud, &in); err != nil {
		return rollout.Input{}, err
	}
	r.memory.moves(ro, in)
	if detail, denied := r.memory.writeDenied(ro, r.Process.Now()); denied && !asked(in) && in.Service.Presence == rollout.Found {
		in.Service.Presence, in.Service.Detail = rollout.Denied, detail
	}
	if in.Service.Presence == rollout.Found {
		in.Service.Interleaved = r.memory.wasInterleaved(ro)
		names := rollout.Involved(in.Plan, in.Progress, in.Service, in.Request)
		var err error
		if in.Revisions, err = cloud.Revisions(ctx, in.Plan.Service, names); err != nil {
			return rollout.Input{}, err
		}
		wholeSeconds(in.Revisions)
	}
	in.Now = r.now()
	r.memory.wasReadLive(in.Plan.Service, in.Now)
	return r.question(ctx, cloud, ro, in)
}

// look reads the service of a rollout, and before that, where the target is a
// RunService, which one it is.
func look(ctx context.Context, cloud Cloud, in *rollout.Input) error {
	if cloud.RunService != nil {
		ref, none, err := cloud.RunService.Ref(ctx)
		if err != nil || none.Presence != rollout.Found {
			in.Service = none
			return err
		}
		in.Plan.Service = ref
	}
	var err error
	in.Service, err = cloud.Service(ctx, in.Plan.Service)
	return err
}

// now is the time of a decision: whole seconds, as the API saves them.
func (r *Reconciler) now() time.Time { return r.Clock.Now().UTC().Truncate(time.Second) }

// question completes what was read of the service with who we are, what the metrics
// say and where its traffic leaves. Once traffic was moved the metrics come first: a
// way back must not wait for the Compute API, whatever that does. Where nothing leaves by
// NAT that is all there is to ask.
func (r *Reconciler) question(ctx context.Context, cloud Cloud, ro *v1alpha1.CloudRunRollout, in rollout.Input) (rollout.Input, error) {
	if err := r.identify(ctx, ro, &in); err != nil {
		return rollout.Input{}, err
	}
	in.Hours = r.hours(ctx, ro, in.Now)
	if err := r.deployable(ctx, cloud, ro, &in); err != nil {
		return rollout.Input{}, err
	}
	var err error
	if in.Peers, err = r.peers(ctx, ro, in); err != nil {
		return rollout.Input{}, err
	}
	var asked []analysis.Question
	if !in.Progress.FirstWrite.IsZero() {
		asked = rollout.Questions(in)
		if in.Answers, err = answers(ctx, cloud, asked, asOf(in)); err != nil || len(rollout.Leaving(in)) == 0 || rollout.Pressing(in) {
			return in, err
		}
	}
	in.Outlet = outlet(ctx, cloud, in)
	if questions := rollout.Questions(in); !slices.Equal(questions, asked) {
		in.Answers, err = answers(ctx, cloud, questions, asOf(in))
	}
	return in, err
}

// asOf is when measurements are asked for: by Google's clock where ours is ahead. A
// minute that seems to have arrived by ours may be half there.
func asOf(in rollout.Input) time.Time { return in.Now.Add(-max(0, in.Service.Skew)) }

// answers asks for measurements, if there is anything to ask.
func answers(ctx context.Context, cloud Cloud, questions []analysis.Question, now time.Time) (analysis.Answers, error) {
	if len(questions) == 0 {
		return nil, nil
	}
	got, err := cloud.Answer(ctx, questions, now)
	if err != nil {
		return nil, fmt.Errorf("asking Cloud Monitoring: %w", err)
	}
	return got, nil
}

// identify says who we are, who moves the service of our RunService before us, and whether the object
// that claims the service is there. It looks in the cache: every object of the cluster is in it.
func (r *Reconciler) identify(ctx context.Context, ro *v1alpha1.CloudRunRollout, in *rollout.Input) error {
	in.Self = rollout.Holder{Cluster: r.Cluster, Namespace: ro.Namespace, Name: ro.Name, UID: string(ro.UID)}
	var err error
	if in.Elder, err = r.elder(ctx, ro, *in); err != nil {
		return err
	}
	claim := in.Service.Claim
	if claim == nil || claim.Cluster != r.Cluster || claim.UID == string(ro.UID) {
		return nil
	}
	var all v1alpha1.CloudRunRolloutList
	if err := r.List(ctx, &all); err != nil {
		return fmt.Errorf("looking for the object that claims the service: %w", err)
	}
	in.Rival = rollout.Missing
	for _, other := range all.Items {
		if string(other.UID) == claim.UID {
			in.Rival = rollout.Found
		}
	}
	return nil
}

// wholeSeconds cuts creation times to what status can save. Otherwise a revision
// would seem to be created after the cutoff that was made from it.
func wholeSeconds(revisions map[string]rollout.Revision) {
	for name, revision := range revisions {
		revision.CreatedAt = revision.CreatedAt.Truncate(time.Second)
		revisions[name] = revision
	}
}
