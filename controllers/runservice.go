package controllers

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// serviceOf is the service of a rollout as its spec has it: of one with a RunService the
// name alone, which is the RunService's.
func serviceOf(ro *v1alpha1.CloudRunRollout) v1alpha1.ServiceReference {
	if service := ro.Spec.Target.Service; service != nil {
		return *service
	}
	return v1alpha1.ServiceReference{Name: ro.Spec.Target.RunServiceName()}
}

// elder is the name of the object that moves the same RunService and was made first;
// "" where that is this one. All objects write a RunService under one name, so nothing
// in it tells them apart. It looks in the cache: every object of the cluster is in it.
func (r *Reconciler) elder(ctx context.Context, ro *v1alpha1.CloudRunRollout) (string, error) {
	name := ro.Spec.Target.RunServiceName()
	if name == "" {
		return "", nil
	}
	var all v1alpha1.CloudRunRolloutList
	// Nothing here changes what it reads, so nothing need be copied.
	if err := r.List(ctx, &all, client.InNamespace(ro.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return "", fmt.Errorf("looking for objects with the same RunService: %w", err)
	}
	first := ro
	for i := range all.Items {
		if other := &all.Items[i]; other.Spec.Target.RunServiceName() == name && madeBefore(other, first) {
			first = other
		}
	}
	if first.UID == ro.UID {
		return "", nil
	}
	return first.Name, nil
}

// madeBefore tells whether an object was made before another one.
func madeBefore(a, b *v1alpha1.CloudRunRollout) bool {
	if a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.UID < b.UID
	}
	return a.CreationTimestamp.Before(&b.CreationTimestamp)
}

// giveUp gives spec.traffic of a RunService up for an object that goes, unless it is
// another object's.
func (r *Reconciler) giveUp(ctx context.Context, ro *v1alpha1.CloudRunRollout) error {
	if !controllerutil.ContainsFinalizer(ro, v1alpha1.FinalizerRelease) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	if elder, err := r.elder(ctx, ro); err != nil || elder != "" {
		return err
	}
	cloud, err := r.Connect(ctx, ro)
	if err != nil || cloud.RunService == nil {
		return err
	}
	return cloud.RunService.Release(ctx)
}
