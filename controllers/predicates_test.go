package controllers

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

func TestWhatWakesTheReconciler(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		edit func(*v1alpha1.CloudRunRollout)
		want bool
	}{
		"nothing":              {func(*v1alpha1.CloudRunRollout) {}, false},
		"our own status":       {func(ro *v1alpha1.CloudRunRollout) { ro.Status.Phase, ro.ResourceVersion = v1alpha1.PhaseBaking, "2" }, false},
		"a label":              {func(ro *v1alpha1.CloudRunRollout) { ro.Labels = map[string]string{"a": "b"} }, false},
		"a foreign annotation": {func(ro *v1alpha1.CloudRunRollout) { ro.Annotations = map[string]string{"a": "b"} }, false},
		"the spec":             {func(ro *v1alpha1.CloudRunRollout) { ro.Generation++ }, true},
	}
	for _, key := range requestAnnotations {
		cases[key] = struct {
			edit func(*v1alpha1.CloudRunRollout)
			want bool
		}{func(ro *v1alpha1.CloudRunRollout) { ro.Annotations = map[string]string{key: "1"} }, true}
	}
	wakes := (&Reconciler{}).wakes()
	for name, c := range cases {
		was, now := object(), object()
		c.edit(now)
		if got := wakes.Update(event.UpdateEvent{ObjectOld: was, ObjectNew: now}); got != c.want {
			t.Errorf("%s: wakes = %t", name, got)
		}
	}
	if !wakes.Create(event.CreateEvent{Object: object()}) {
		t.Error("a new object wakes nobody")
	}
}

func TestACacheThatNeverCatchesUpIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	r := &Reconciler{}
	ro := object()
	ro.UID, ro.ResourceVersion = "one", "10"
	r.memory.saved(ro, morning)
	ro.ResourceVersion = "9"
	if !r.memory.stale(ro, morning.Add(staleFor)) || r.memory.stale(ro, morning.Add(staleFor+time.Second)) {
		t.Error("an older version is waited for, but for a minute only")
	}
}

func TestSomebodyElsesWriteIsToldOnce(t *testing.T) {
	t.Parallel()
	r := &Reconciler{}
	ro := object()
	r.memory.interleave(ro)
	if !r.memory.wasInterleaved(ro) || r.memory.wasInterleaved(ro) {
		t.Error("it is told once")
	}
}

func TestADeletedObjectIsForgotten(t *testing.T) {
	t.Parallel()
	r := &Reconciler{}
	ro := object()
	ro.UID, ro.ResourceVersion = "one", "10"
	r.memory.saved(ro, morning)
	r.memory.deny(ro, "no", morning)
	older := ro.DeepCopy()
	older.ResourceVersion = "9"
	if !r.memory.stale(older, morning) {
		t.Error("version 9 is not stale after 10 was written")
	}
	if r.wakes().Delete(event.DeleteEvent{Object: ro}) {
		t.Error("a deletion wakes the reconciler")
	}
	if _, denied := r.memory.writeDenied(ro, morning); denied || r.memory.stale(older, morning) || len(r.memory.wrote)+len(r.memory.denied) > 0 {
		t.Error("it is remembered")
	}
}
