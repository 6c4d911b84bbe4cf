package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// hold puts finalizers on before a write that is to be taken back, or given up, when
// the object goes, and takes them off when there is nothing left of that or nobody
// wants it. It compares versions like the save that follows: together they are one
// decision.
func (r *Reconciler) hold(ctx context.Context, ro *v1alpha1.CloudRunRollout, d rollout.Decision) error {
	if !ro.DeletionTimestamp.IsZero() {
		return nil
	}
	wanted := finalizersFor(ro, d)
	if slices.Equal(wanted, ro.Finalizers) {
		return nil
	}
	was := ro.DeepCopy()
	ro.Finalizers = wanted
	return r.patchFinalizers(ctx, ro, was)
}

// finalizersFor are those that an object has once a decision is saved: those of others
// as they are, and ours.
func finalizersFor(ro *v1alpha1.CloudRunRollout, d rollout.Decision) []string {
	var ours []string
	if ro.Spec.Strategy.OnDelete == v1alpha1.OnDeleteRollback && d.Progress.Exposed() {
		ours = append(ours, v1alpha1.FinalizerRollback)
	}
	if ro.Spec.Target.RunServiceName() != "" && d.Progress.Seq > 0 {
		ours = append(ours, v1alpha1.FinalizerRelease)
	}
	finalizers := slices.DeleteFunc(slices.Clone(ro.Finalizers), func(f string) bool {
		return !slices.Contains(ours, f) && (f == v1alpha1.FinalizerRollback || f == v1alpha1.FinalizerRelease)
	})
	for _, f := range ours {
		if !slices.Contains(finalizers, f) {
			finalizers = append(finalizers, f)
		}
	}
	return finalizers
}

func (r *Reconciler) patchFinalizers(ctx context.Context, ro, was *v1alpha1.CloudRunRollout) error {
	if slices.Equal(ro.Finalizers, was.Finalizers) {
		return nil
	}
	if err := r.Patch(ctx, ro, client.MergeFromWithOptions(was, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("setting the finalizers: %w", err)
	}
	r.sight.wrote(ro, r.Process.Now())
	return nil
}

// release sends traffic back before an object goes, and lets it go when that is
// done, cannot be done, or takes too long.
func (r *Reconciler) release(ctx context.Context, ro *v1alpha1.CloudRunRollout) (ctrl.Result, error) {
	left := r.timeLeft(ro)
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

// timeLeft is how long a deletion may still wait; 0 or less where it has waited enough.
func (r *Reconciler) timeLeft(ro *v1alpha1.CloudRunRollout) time.Duration {
	return releaseWithin - max(
		r.Clock.Now().Sub(r.memory.deletedSince(ro, r.Clock.Now())), // the core's time, which may be told
		r.Process.Now().Sub(ro.DeletionTimestamp.Time),              // what a restart does not forget
	)
}

// goBack is a pass on an object that is being deleted.
func (r *Reconciler) goBack(ctx context.Context, ro *v1alpha1.CloudRunRollout) (rollout.Input, rollout.Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	cloud, err := r.Connect(ctx, ro)
	if err != nil {
		return rollout.Input{}, rollout.Decision{}, err
	}
	in, err := started(ro)
	if err == nil {
		in, err = r.observe(cloudrun.Urgent(ctx), cloud, ro, in)
	}
	if err != nil {
		return in, rollout.Decision{}, wayBackError{err}
	}
	d := rollout.Decide(in)
	return in, d, r.act(ctx, cloud, ro, in, dated{d, r.Process.Now()})
}

// letGo gives up what the object owns elsewhere, takes our finalizers off, and says
// where traffic stays.
func (r *Reconciler) letGo(ctx context.Context, ro *v1alpha1.CloudRunRollout, release rollout.Release) (ctrl.Result, error) {
	switch gone, err := r.gone(ctx, ro); {
	case err != nil:
		return ctrl.Result{}, err
	case gone:
		return ctrl.Result{RequeueAfter: goneWait}, nil
	}
	kept := r.giveUp(ctx, ro)
	if kept != nil && r.timeLeft(ro) > 0 {
		result, err := r.explain(ctx, ro, kept)
		result.RequeueAfter = min(max(result.RequeueAfter, again), longestBackoff)
		return result, err
	}
	first := r.memory.firstRelease(ro) // before the deletion is seen, which would tell less
	was := ro.DeepCopy()
	controllerutil.RemoveFinalizer(ro, v1alpha1.FinalizerRollback)
	controllerutil.RemoveFinalizer(ro, v1alpha1.FinalizerRelease)
	if err := r.patchFinalizers(ctx, ro, was); client.IgnoreNotFound(err) != nil {
		if first {
			r.memory.unreleased(ro)
		}
		return r.explain(ctx, was, err)
	}
	if first {
		r.tellReleased(ro, release, kept)
	}
	if len(ro.Finalizers) == len(was.Finalizers) {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{RequeueAfter: afterwards}, nil
}

// tellReleased says where traffic stays when an object goes, and why its RunService was
// not given up. It is silent about a
// service that was never read, or is not ours to speak of. The log line remains
// where the namespace goes too and takes no more events.
func (r *Reconciler) tellReleased(ro *v1alpha1.CloudRunRollout, release rollout.Release, kept error) {
	note := leftAt(ro, release)
	if note == "" && release.Stuck == "" && kept == nil {
		return
	}
	if note == "" {
		note = "it is not known where traffic stays"
	}
	if release.Stuck != "" {
		note = fmt.Sprintf("not sent back: %s; %s", shorten(release.Stuck, maxEventNote/2), note)
	}
	if kept != nil {
		note = fmt.Sprintf("spec.traffic of RunService %s was not given up: %s; %s", ro.Spec.Target.RunServiceName(), shorten(kept.Error(), maxEventNote/4), note)
	}
	ctrl.Log.Info("Released", "namespace", ro.Namespace, "name", ro.Name, "note", note)
	r.event(ro, rollout.Event{Reason: v1alpha1.ReasonReleased, Note: note, Warning: release.Stuck != "" || kept != nil})
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
	if len(split) == 0 {
		return ""
	}
	return fmt.Sprintf("left at %s%s; pinned; %s", split, unsure, unpin(ro))
}

// unpin says how traffic follows LATEST again.
func unpin(ro *v1alpha1.CloudRunRollout) string {
	if name := ro.Spec.Target.RunServiceName(); name != "" {
		return fmt.Sprintf("spec.traffic of RunService %s in Git says what follows", name)
	}
	return fmt.Sprintf("gcloud run services update-traffic %s --to-latest follows LATEST again", ro.Spec.Target.Service.Name)
}
