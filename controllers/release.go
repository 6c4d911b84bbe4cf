package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// releaseWithin bounds how long a deletion waits for Cloud Run. One pass more is
// always made, so that a manager that was away longer still sends traffic back.
const releaseWithin = 10 * time.Minute

// afterwards is when it is looked whether an object that was let go is gone: if etcd is
// put back in that moment, no watch tells of the object that is there again.
const afterwards = time.Minute

// awaitsRollback tells whether an object waits for its traffic to be sent back when it is
// deleted.
func awaitsRollback(ro *v1alpha1.CloudRunRollout) bool {
	return ro.Spec.Strategy.OnDelete == v1alpha1.OnDeleteRollback && controllerutil.ContainsFinalizer(ro, v1alpha1.FinalizerRollback)
}

// hold puts the finalizer on before the first write of an attempt, and takes it
// off when there is nothing left to send back or nobody wants that. It compares
// versions like the save that follows: together they are one decision.
func (r *Reconciler) hold(ctx context.Context, ro *v1alpha1.CloudRunRollout, d rollout.Decision) error {
	if !ro.DeletionTimestamp.IsZero() {
		return nil
	}
	wanted := ro.Spec.Strategy.OnDelete == v1alpha1.OnDeleteRollback && d.Progress.Exposed()
	if wanted == controllerutil.ContainsFinalizer(ro, v1alpha1.FinalizerRollback) {
		return nil
	}
	was := ro.DeepCopy()
	if wanted {
		controllerutil.AddFinalizer(ro, v1alpha1.FinalizerRollback)
	} else {
		controllerutil.RemoveFinalizer(ro, v1alpha1.FinalizerRollback)
	}
	return r.patchFinalizers(ctx, ro, was)
}

func (r *Reconciler) patchFinalizers(ctx context.Context, ro, was *v1alpha1.CloudRunRollout) error {
	if len(ro.Finalizers) == len(was.Finalizers) {
		return nil
	}
	if err := r.Patch(ctx, ro, client.MergeFromWithOptions(was, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("setting the finalizer %s: %w", v1alpha1.FinalizerRollback, err)
	}
	r.sight.wrote(ro, r.Process.Now())
	return nil
}

// release sends traffic back before an object goes, and lets it go when that is
// done, cannot be done, or takes too long.
func (r *Reconciler) release(ctx context.Context, ro *v1alpha1.CloudRunRollout) (ctrl.Result, error) {
	left := releaseWithin - max(
		r.Clock.Now().Sub(r.memory.deletedSince(ro, r.Clock.Now())), // the core's time, which may be told
		r.Process.Now().Sub(ro.DeletionTimestamp.Time),              // what a restart does not forget
	)
	in, d, err := r.goBack(ctx, ro)
	var invalid invalidSpecError
	switch {
	case err == nil && d.Release != nil:
		return r.letGo(ctx, ro, *d.Release)
	case errors.As(err, &invalid):
		return r.letGo(ctx, ro, rollout.Release{Stuck: err.Error()})
	case err != nil && left <= 0:
		return r.letGo(ctx, ro, rollout.Release{Stuck: fmt.Sprintf("for %s it did not succeed: %s", releaseWithin, err)})
	case err != nil:
		result, err := r.explain(ctx, ro, err)
		result.RequeueAfter = min(result.RequeueAfter, max(left, again))
		return result, err
	case left <= 0 && d.Write == nil:
		return r.letGo(ctx, ro, rollout.Release{Left: d.Serves, Stuck: fmt.Sprintf("for %s it was not confirmed: %s", releaseWithin, d.Note)})
	}
	return ctrl.Result{RequeueAfter: min(wait(in, d), max(left, again))}, nil
}

// goBack is a pass on an object that is being deleted.
func (r *Reconciler) goBack(ctx context.Context, ro *v1alpha1.CloudRunRollout) (rollout.Input, rollout.Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	cloud, err := r.Connect(ctx, ro)
	if err != nil {
		return rollout.Input{}, rollout.Decision{}, err
	}
	in, err := r.observe(cloudrun.Urgent(ctx), cloud, ro)
	if err != nil {
		return in, rollout.Decision{}, wayBackError{err}
	}
	d := rollout.Decide(in)
	return in, d, r.act(ctx, cloud, ro, in, d)
}

// letGo takes our finalizer off, if it is there, and says where traffic stays.
func (r *Reconciler) letGo(ctx context.Context, ro *v1alpha1.CloudRunRollout, release rollout.Release) (ctrl.Result, error) {
	first := r.memory.firstRelease(ro) // before the deletion is seen, which would tell less
	was := ro.DeepCopy()
	controllerutil.RemoveFinalizer(ro, v1alpha1.FinalizerRollback)
	if err := r.patchFinalizers(ctx, ro, was); client.IgnoreNotFound(err) != nil {
		if first {
			r.memory.unreleased(ro)
		}
		return r.explain(ctx, was, err)
	}
	if first {
		r.tellReleased(ro, release)
	}
	if len(ro.Finalizers) == len(was.Finalizers) {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{RequeueAfter: afterwards}, nil
}

// tellReleased says where traffic stays when an object goes. It is silent about a
// service that was never read, or is not ours to speak of. The log line remains
// where the namespace goes too and takes no more events.
func (r *Reconciler) tellReleased(ro *v1alpha1.CloudRunRollout, release rollout.Release) {
	note := leftAt(ro, release)
	if note == "" && release.Stuck == "" {
		return
	}
	if note == "" {
		note = "it is not known where traffic stays"
	}
	if release.Stuck != "" {
		note = fmt.Sprintf("not sent back: %s; %s", shorten(release.Stuck, maxEventNote/2), note)
	}
	ctrl.Log.Info("Released", "namespace", ro.Namespace, "name", ro.Name, "note", note)
	r.event(ro, rollout.Event{Reason: v1alpha1.ReasonReleased, Note: note, Warning: release.Stuck != ""})
}

// leftAt is where traffic stays: as just read, else as last saved.
func leftAt(ro *v1alpha1.CloudRunRollout, release rollout.Release) string {
	p := progressOf(ro)
	split, unsure := release.Left, ""
	if split == nil && (p.Reason == rollout.OwnedElsewhere || p.Reason == rollout.ServiceNotFound) {
		return ""
	}
	if split == nil {
		split = p.Confirmed
		for _, i := range p.Intents {
			if !i.Split.Equal(split) {
				unsure = fmt.Sprintf(" or, if the last write took effect, %s", i.Split)
			}
		}
	}
	if len(split) == 0 || ro.Spec.Target.Service == nil {
		return ""
	}
	return fmt.Sprintf("left at %s%s; pinned; gcloud run services update-traffic %s --to-latest follows LATEST again",
		split, unsure, ro.Spec.Target.Service.Name)
}
