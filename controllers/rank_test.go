package controllers

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// TestWhatMustNotWait: what leads back comes before all that only looks, and no look
// before another, or some would never be reached.
func TestWhatMustNotWait(t *testing.T) {
	t.Parallel()
	in := func(phase v1alpha1.Phase) *v1alpha1.CloudRunRollout {
		ro := bare()
		ro.UID, ro.Status.Phase = "uid-1", phase
		ro.Status.Attempt = &v1alpha1.Attempt{ID: 1}
		return ro
	}
	asked := in(v1alpha1.PhaseBaking)
	asked.Annotations = map[string]string{v1alpha1.RequestID: "r1", v1alpha1.RequestVerb: "abort"}
	leaves := in(v1alpha1.PhaseBaking)
	leaves.DeletionTimestamp = &metav1.Time{Time: morning}
	for name, c := range map[string]struct {
		ro      *v1alpha1.CloudRunRollout
		pressed bool
		want    int
	}{
		"a way back":                    {in(v1alpha1.PhaseRollingBack), false, rankBack},
		"an abort":                      {asked, false, rankBack},
		"a deletion":                    {leaves, false, rankBack},
		"a breach that an old look saw": {in(v1alpha1.PhaseBaking), true, rankBack},
		"a bake":                        {in(v1alpha1.PhaseBaking), false, rankLook},
		"a pause":                       {in(v1alpha1.PhasePaused), false, rankLook},
		"what is at rest":               {in(v1alpha1.PhaseCompleted), false, rankLook},
	} {
		r := &Reconciler{}
		if c.pressed {
			r.memory.press(c.ro)
		}
		if got := r.ranked(c.ro, ctrl.Result{}); *got.Priority != c.want {
			t.Errorf("%s has the rank %d, want %d", name, *got.Priority, c.want)
		}
	}
}

// TestWhoAsksComesFirst: a request puts its object before all that wait, and an edit of
// the spec waits like them.
func TestWhoAsksComesFirst(t *testing.T) {
	t.Parallel()
	queue := priorityqueue.New[reconcile.Request]("")
	defer queue.ShutDown()
	var q workqueue.TypedRateLimitingInterface[reconcile.Request] = queue
	was, other := bare(), bare()
	was.Name, other.Name = "asked", "other"
	now := was.DeepCopy()
	now.Generation++
	hurries := (&Reconciler{}).hurries()
	if hurries.Update(event.UpdateEvent{ObjectOld: was, ObjectNew: now}) {
		t.Error("an edit hurries")
	}
	now.Annotations = map[string]string{v1alpha1.RequestID: "r1", v1alpha1.RequestVerb: "pause"}
	asks := event.UpdateEvent{ObjectOld: was, ObjectNew: now}
	if !hurries.Update(asks) {
		t.Fatal("a request does not hurry")
	}
	look := rankLook
	for _, ro := range []*v1alpha1.CloudRunRollout{other, now} {
		queue.AddWithOpts(priorityqueue.AddOpts{Priority: &look}, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(ro)})
	}
	hurried().Update(t.Context(), asks, q)
	for _, want := range []struct {
		name string
		rank int
	}{{"asked", rankBack}, {"other", rankLook}} {
		if item, rank, _ := queue.GetWithPriority(); item.Name != want.name || rank != want.rank {
			t.Errorf("next is %s with %d, want %+v", item.Name, rank, want)
		}
	}
}

// TestAWayBackThatANewLeaderFindsComesFirst: it may have thousands to look at.
func TestAWayBackThatANewLeaderFindsComesFirst(t *testing.T) {
	t.Parallel()
	queue := priorityqueue.New[reconcile.Request]("")
	defer queue.ShutDown()
	hurries := (&Reconciler{}).hurries()
	for phase, want := range map[v1alpha1.Phase]bool{v1alpha1.PhaseRollingBack: true, v1alpha1.PhaseBaking: false, v1alpha1.PhaseIdle: false} {
		ro := bare()
		ro.Name, ro.UID, ro.Status.Phase = string(phase), "uid-1", phase
		ro.Status.Attempt = &v1alpha1.Attempt{ID: 1}
		found := event.CreateEvent{Object: ro, IsInInitialList: true}
		if got := hurries.Create(found); got != want {
			t.Errorf("%s hurries: %t", phase, got)
		}
		(&handler.EnqueueRequestForObject{}).Create(t.Context(), found, queue)
		if want {
			hurried().Create(t.Context(), found, queue)
		}
	}
	for _, want := range []int{rankBack, rankLook, rankLook} {
		if item, rank, _ := queue.GetWithPriority(); rank != want {
			t.Errorf("next is %s with %d, want %d", item.Name, rank, want)
		}
	}
}
