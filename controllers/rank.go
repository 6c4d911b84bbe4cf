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
// only looks whether anything is new. All mere looks have one rank, that of the objects
// that a new leader finds, and take turns: where there is more to do than can be done, a
// lower one would never be reached, and its release never be seen.
const (
	rankBack = 100
	rankLook = handler.LowPriority
)

// ranked gives the next look at an object its rank, by what was saved of it.
func (r *Reconciler) ranked(ro *v1alpha1.CloudRunRollout, result ctrl.Result) ctrl.Result {
	rank := rankLook
	if r.presses(ro) {
		rank = rankBack
	}
	result.Priority = &rank
	return result
}

// presses tells whether an object must not wait for others.
func (r *Reconciler) presses(ro *v1alpha1.CloudRunRollout) bool {
	return !ro.DeletionTimestamp.IsZero() || goesBack(ro) || r.memory.pressed(ro)
}

// hurries lets through what a person waits for, and ways back that a new leader finds.
func (r *Reconciler) hurries() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool {
			ro, ok := e.Object.(*v1alpha1.CloudRunRollout)
			return ok && r.presses(ro)
		},
		UpdateFunc:  waitedFor,
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// hurried puts an object before all that only look.
func hurried() handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			putFirst(e.Object, q)
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			putFirst(e.ObjectNew, q)
		},
	}
}

func putFirst(object client.Object, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	if queue, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		rank := rankBack
		queue.AddWithOpts(priorityqueue.AddOpts{Priority: &rank}, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(object)})
	}
}
