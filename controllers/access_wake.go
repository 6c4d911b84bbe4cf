package controllers

import (
	"context"
	"maps"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// accessChanged wakes the rollouts of the namespaces that a CloudRunAccess binds, or
// bound before.
func (r *Reconciler) accessChanged() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		a, ok := o.(*v1alpha1.CloudRunAccess)
		if !ok {
			return nil
		}
		return r.rolloutsIn(ctx, func(namespace string) bool { return mayBind(a, namespace) })
	})
}

// mayBind tells whether a namespace may be bound. Those that are bound by labels are not
// looked for: waking too many costs a look.
func mayBind(a *v1alpha1.CloudRunAccess, namespace string) bool {
	return len(a.Spec.NamespaceLabels) > 0 ||
		slices.Contains(a.Spec.Namespaces, "*") || slices.Contains(a.Spec.Namespaces, namespace)
}

// labelsChanged wakes the rollouts of a namespace, which labels may have bound.
func (r *Reconciler) labelsChanged() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		return r.rolloutsIn(ctx, func(namespace string) bool { return namespace == o.GetName() })
	})
}

// relabels lets through the namespaces whose labels were changed. A new one has no
// rollouts yet, and those of one that goes are deleted with it.
func relabels() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		UpdateFunc:  func(e event.UpdateEvent) bool { return !maps.Equal(e.ObjectOld.GetLabels(), e.ObjectNew.GetLabels()) },
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// rolloutsIn asks for a look at the rollouts of some namespaces.
func (r *Reconciler) rolloutsIn(ctx context.Context, some func(namespace string) bool) []reconcile.Request {
	var all v1alpha1.CloudRunRolloutList
	if err := r.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		log.FromContext(ctx).Error(err, "Listing rollouts to look at; each is looked at within a minute anyway")
		return nil
	}
	var requests []reconcile.Request
	for i := range all.Items {
		if some(all.Items[i].Namespace) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&all.Items[i])})
		}
	}
	return requests
}
