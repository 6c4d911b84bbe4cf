package controllers

import (
	"context"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// village has a rollout in each of three namespaces.
type village struct{ client.Client }

func (village) List(_ context.Context, into client.ObjectList, _ ...client.ListOption) error {
	for _, namespace := range []string{"bank", "labs", "shop"} {
		ro := v1alpha1.CloudRunRollout{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web"}}
		list := into.(*v1alpha1.CloudRunRolloutList)
		list.Items = append(list.Items, ro)
	}
	return nil
}

// woken are the namespaces whose rollouts a change wakes.
func woken(t *testing.T, h handler.EventHandler, was, now client.Object) []string {
	t.Helper()
	queue := priorityqueue.New[reconcile.Request]("test")
	defer queue.ShutDown()
	h.Update(t.Context(), event.UpdateEvent{ObjectOld: was, ObjectNew: now}, queue)
	var namespaces []string
	for range queue.Len() {
		request, _, _ := queue.GetWithPriority()
		namespaces = append(namespaces, request.Namespace)
	}
	slices.Sort(namespaces)
	return namespaces
}

func TestAChangedAccessWakesWhomItConcerns(t *testing.T) {
	t.Parallel()
	of := func(namespaces ...string) *v1alpha1.CloudRunAccess {
		return &v1alpha1.CloudRunAccess{Spec: v1alpha1.CloudRunAccessSpec{Namespaces: namespaces}}
	}
	labelled := of()
	labelled.Spec.NamespaceLabels = []v1alpha1.NamespaceLabel{{Name: "team", Value: "shop"}}
	r := &Reconciler{Client: village{}}
	for name, c := range map[string]struct {
		was, now *v1alpha1.CloudRunAccess
		want     []string
	}{
		"who is bound":            {of("shop"), of("shop"), []string{"shop"}},
		"who is bound now":        {of("nobody"), of("shop"), []string{"shop"}},
		"who is bound no more":    {of("shop", "bank"), of("shop"), []string{"bank", "shop"}},
		"everybody":               {of("nobody"), of("*"), []string{"bank", "labs", "shop"}},
		"whoever may be labelled": {of("nobody"), labelled, []string{"bank", "labs", "shop"}},
		"nobody":                  {of("nobody"), of("nobody"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := woken(t, r.accessChanged(), c.was, c.now); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestChangedLabelsOfANamespaceWakeItsRollouts(t *testing.T) {
	t.Parallel()
	labelled := func(team string) *corev1.Namespace {
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: "shop", Labels: map[string]string{"team": team},
		}}
	}
	r := &Reconciler{Client: village{}}
	if got := woken(t, r.labelsChanged(), labelled("bank"), labelled("shop")); !slices.Equal(got, []string{"shop"}) {
		t.Errorf("%q", got)
	}
	for want, now := range map[bool]*corev1.Namespace{true: labelled("bank"), false: labelled("shop")} {
		if got := relabels().Update(event.UpdateEvent{ObjectOld: labelled("shop"), ObjectNew: now}); got != want {
			t.Errorf("from shop to %s wakes: %t", now.Labels["team"], got)
		}
	}
	if relabels().Create(event.CreateEvent{}) || relabels().Delete(event.DeleteEvent{}) || relabels().Generic(event.GenericEvent{}) {
		t.Error("a namespace that comes or goes wakes rollouts")
	}
}
