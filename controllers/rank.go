package controllers

import (
	"context"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// The ranks in the queue. Where thousands are under way each look waits for those before
// it; what takes users off a bad revision, and a person who asks, must not wait for what
// only looks whether anything is new.
const (
	rankBack     = 100
	rankUnderWay = 0 // that of an edit, too
	rankAtRest   = handler.LowPriority
)

// ranked gives the next look at an object its rank, by what was saved of it.
func (r *Reconciler) ranked(ro *v1alpha1.CloudRunRollout, result ctrl.Result) ctrl.Result {
	rank := rankUnderWay
	switch {
	case !ro.DeletionTimestamp.IsZero(), goesBack(ro), r.memory.pressed(ro):
		rank = rankBack
	case atRest(ro):
		rank = rankAtRest
	}
	result.Priority = &rank
	return result
}

// hurries lets through what a person waits for.
func hurries() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		UpdateFunc:  waitedFor,
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// hurried puts an object before all that only look.
func hurried() handler.EventHandler {
	return handler.Funcs{UpdateFunc: func(_ context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		if queue, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
			rank := rankBack
			queue.AddWithOpts(priorityqueue.AddOpts{Priority: &rank}, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(e.ObjectNew)})
		}
	}}
}
