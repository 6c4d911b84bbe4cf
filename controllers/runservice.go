package controllers

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// serviceOf is the service of a rollout as its spec has it: of one with a RunService the
// name alone, which is the RunService's.
func serviceOf(ro *v1alpha1.CloudRunRollout) v1alpha1.ServiceReference {
	if service := ro.Spec.Target.Service; service != nil {
		return *service
	}
	return v1alpha1.ServiceReference{Name: ro.Spec.Target.RunServiceName()}
}

// errEarly is a look that came before those at older objects, of which one may be found to
// move the same service.
var errEarly = errors.New("which services older objects move is not known yet")

// elder is the object that moves the service of a RunService and was made first; the zero
// Elder where that is this one. Which service a RunService is about is known once a pass
// has read it, which each object has soon; it counts from when its namespace may read that
// service, so that nobody keeps others from a service by naming it. Until this attempt has
// written, it fails with errEarly while some older object was not looked at.
func (r *Reconciler) elder(ctx context.Context, ro *v1alpha1.CloudRunRollout, in rollout.Input) (rollout.Elder, error) {
	if in.Plan.RunService == "" {
		return rollout.Elder{}, nil
	}
	early := false
	first, err := r.first(ctx, ro, func(other *v1alpha1.CloudRunRollout) bool {
		moved, tried := r.memory.moved(other)
		early = early || !tried && other.DeletionTimestamp.IsZero()
		return sameRunService(other, ro) || in.Service.Presence == rollout.Found && moved == in.Plan.Service
	})
	switch {
	case err != nil:
		return rollout.Elder{}, err
	case first != nil:
		return rollout.Elder{Namespace: first.Namespace, Name: first.Name, RunService: first.Spec.Target.RunServiceName()}, nil
	case early && in.Progress.FirstWrite.IsZero():
		return rollout.Elder{}, errEarly
	}
	return rollout.Elder{}, nil
}

// first is the object that was made first among those that were made before one, move a
// RunService and are like it; nil where there is none. It looks in the cache: every object
// of the cluster is in it.
func (r *Reconciler) first(
	ctx context.Context, ro *v1alpha1.CloudRunRollout, like func(*v1alpha1.CloudRunRollout) bool,
) (*v1alpha1.CloudRunRollout, error) {
	var all v1alpha1.CloudRunRolloutList
	// Nothing here changes what it reads, so nothing need be copied.
	if err := r.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("looking for objects with the same RunService: %w", err)
	}
	var first *v1alpha1.CloudRunRollout
	for i := range all.Items {
		other := &all.Items[i]
		if other.Spec.Target.RunServiceName() == "" || !madeBefore(other, ro) || !like(other) {
			continue
		}
		if first == nil || madeBefore(other, first) {
			first = other
		}
	}
	return first, nil
}

// sameRunService tells whether two objects write one RunService.
func sameRunService(a, b *v1alpha1.CloudRunRollout) bool {
	return a.Namespace == b.Namespace && a.Spec.Target.RunServiceName() == b.Spec.Target.RunServiceName()
}

// madeBefore tells whether an object was made before another one.
func madeBefore(a, b *v1alpha1.CloudRunRollout) bool {
	if a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.UID < b.UID
	}
	return a.CreationTimestamp.Before(&b.CreationTimestamp)
}

// gone tells whether an object that has something to give up is there no more, past the
// cache. A cache that went back shows it still, and its RunService may be that of an
// object of the same name by now.
func (r *Reconciler) gone(ctx context.Context, ro *v1alpha1.CloudRunRollout) (bool, error) {
	if r.Live == nil || !controllerutil.ContainsFinalizer(ro, v1alpha1.FinalizerRelease) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	now := &v1alpha1.CloudRunRollout{}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(ro), now); err != nil {
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, fmt.Errorf("looking whether the object is still there: %w", err)
	}
	return now.UID != ro.UID, nil
}

// giveUp gives spec.traffic of a RunService up for an object that goes, unless it is
// another object's.
func (r *Reconciler) giveUp(ctx context.Context, ro *v1alpha1.CloudRunRollout) error {
	if !controllerutil.ContainsFinalizer(ro, v1alpha1.FinalizerRelease) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	elder, err := r.first(ctx, ro, func(other *v1alpha1.CloudRunRollout) bool { return sameRunService(other, ro) })
	if err != nil || elder != nil {
		return err
	}
	cloud, err := r.Connect(ctx, ro)
	if err != nil || cloud.RunService == nil {
		return err
	}
	return cloud.RunService.Release(ctx)
}
