package controllers

import (
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// Wakes lets through what a person changed: the spec, a request, a deletion. A
// status that we wrote wakes nobody.
func (r *Reconciler) Wakes() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() || waitedFor(e)
		},
		DeleteFunc: func(e event.DeleteEvent) bool {
			if ro, ok := e.Object.(*v1alpha1.CloudRunRollout); ok && r.memory.firstRelease(ro) {
				r.tellReleased(ro, rollout.Release{}, nil)
			}
			r.memory.forget(e.Object.GetUID())
			r.sight.forget(e.Object.GetUID())
			r.ledger.forget(e.Object.GetUID())
			return false
		},
	}
}

// waitedFor tells whether a change is one that a person waits for: a new request, or a
// deletion.
func waitedFor(e event.UpdateEvent) bool {
	return requestChanged(e.ObjectOld, e.ObjectNew) ||
		e.ObjectOld.GetDeletionTimestamp().IsZero() && !e.ObjectNew.GetDeletionTimestamp().IsZero()
}

func requestChanged(was, now client.Object) bool {
	return slices.ContainsFunc(requestAnnotations, func(key string) bool {
		return was.GetAnnotations()[key] != now.GetAnnotations()[key]
	})
}
