package controllers

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
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
	wakes := (&Reconciler{}).Wakes()
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

func TestADeletedObjectIsForgotten(t *testing.T) {
	t.Parallel()
	r := &Reconciler{}
	ro := object()
	ro.UID, ro.ResourceVersion = "one", "10"
	r.sight.wrote(ro, morning)
	r.memory.deny(ro, "no", morning)
	older := ro.DeepCopy()
	older.ResourceVersion = "9"
	if r.sight.of(older, morning) != lagging {
		t.Error("version 9 does not lag after 10 was written")
	}
	if r.Wakes().Delete(event.DeleteEvent{Object: ro}) {
		t.Error("a deletion wakes the reconciler")
	}
	if _, denied := r.memory.writeDenied(ro, morning); denied || len(r.sight.seen)+len(r.memory.denied) > 0 {
		t.Error("it is remembered")
	}
}

// TestADeletionSaysWhereTrafficStays: with onDelete Freeze nothing but the end of
// the object itself tells of it.
func TestADeletionSaysWhereTrafficStays(t *testing.T) {
	t.Parallel()
	under := func(reason rollout.Reason, confirmed rollout.Split, intents ...rollout.Intent) *v1alpha1.CloudRunRollout {
		ro := object()
		ro.UID = "one"
		ro.Status.Attempt = attemptOf(rollout.Progress{Reason: reason, Confirmed: confirmed, Intents: intents})
		return ro
	}
	split := rollout.NewSplit(map[string]int64{"web-2": 25, "web-1": 75})
	all := rollout.NewSplit(map[string]int64{"web-2": 100})
	const follow = "; pinned; gcloud run services update-traffic web --to-latest follows LATEST again"
	for name, c := range map[string]struct {
		ro   *v1alpha1.CloudRunRollout
		want string
	}{
		"mid-rollout":       {under(rollout.Progressing, split), "Normal Released left at web-2 25%, web-1 75%" + follow},
		"with a write sent": {under(rollout.Progressing, split, rollout.Intent{Split: all}), "Normal Released left at web-2 25%, web-1 75% or, if the last write took effect, web-2 100%" + follow},
		"never read":        {object(), ""},
		"not ours":          {under(rollout.OwnedElsewhere, split), ""},
		"no service":        {under(rollout.ServiceNotFound, split), ""},
	} {
		recorder := events.NewFakeRecorder(10)
		r := &Reconciler{Recorder: recorder}
		r.Wakes().Delete(event.DeleteEvent{Object: c.ro})
		got := ""
		if len(recorder.Events) > 0 {
			got = <-recorder.Events
		}
		if got != c.want {
			t.Errorf("%s: told %q, want %q", name, got, c.want)
		}
		if n := len(r.memory.released); n != 0 {
			t.Errorf("%s: %d objects that are gone are remembered", name, n)
		}
	}

	recorder := events.NewFakeRecorder(10)
	clock := clocktesting.NewFakePassiveClock(morning)
	r := &Reconciler{Recorder: recorder, Clock: clock, Process: clock}
	ro := under(rollout.Progressing, split)
	ro.DeletionTimestamp, ro.Finalizers = &metav1.Time{Time: morning}, []string{"example.com/theirs"}
	for range 2 {
		if _, err := r.Reconcile(t.Context(), ro.DeepCopy()); err != nil {
			t.Fatal(err)
		}
	}
	r.Wakes().Delete(event.DeleteEvent{Object: ro})
	if n := len(recorder.Events); n != 1 {
		t.Errorf("held by somebody else's finalizer it is told %d times, want once", n)
	}
}
