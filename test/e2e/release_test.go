package e2e_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

const (
	rollbackOnDelete = "strategy: {steps->strategy: {onDelete: Rollback, steps"
	bound            = 10 * time.Minute
)

// baking is an object whose candidate has 20 % of the traffic.
func baking(t *testing.T, change string) *stage {
	t.Helper()
	s := newStage(t, scenario, replaced(t, manifest, change))
	s.pass()
	s.deploy("example.com/web:2", "web-2")
	s.until(v1alpha1.PhaseBaking)
	return s
}

func (s *stage) finalizers() []string { return s.get().Finalizers }

func (s *stage) edit(change func(*v1alpha1.CloudRunRollout)) {
	s.t.Helper()
	ro := s.get()
	change(ro)
	if err := s.client.Update(s.t.Context(), ro); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) remove() *v1alpha1.CloudRunRollout {
	s.t.Helper()
	ro := s.get()
	if err := s.client.Delete(s.t.Context(), ro.DeepCopy()); err != nil {
		s.t.Fatal(err)
	}
	s.due = 0
	return ro
}

func (s *stage) inject(fault simulator.Fault) {
	s.t.Helper()
	s.world(func(w *simulator.World) {
		if err := w.Inject(fault); err != nil {
			s.t.Fatal(err)
		}
	})
}

// untilGone makes passes until the object is gone, and returns how long that took
// in told time. A pass that failed comes again after a while, as in the manager.
func (s *stage) untilGone() time.Duration {
	s.t.Helper()
	start, _ := s.guard.Now()
	for range 200 {
		ro := &v1alpha1.CloudRunRollout{}
		err := s.client.Get(s.t.Context(), s.key, ro)
		if apierrors.IsNotFound(err) {
			now, _ := s.guard.Now()
			return now.Sub(start)
		}
		if err != nil {
			s.t.Fatal(err)
		}
		s.world(func(w *simulator.World) { w.Advance(s.due) })
		result, err := s.reconciler.Reconcile(s.t.Context(), ro)
		s.due = result.RequeueAfter
		if err != nil || s.due == time.Second { // which would be many passes
			s.due = 30 * time.Second
		}
	}
	s.t.Fatalf("it is still there: %+v", s.get().Status)
	return 0
}

// move sets a split as a person does.
func (s *stage) move(web1, web2 int) {
	s.t.Helper()
	const pinned = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
	s.world(func(w *simulator.World) {
		if err := w.EditTraffic(service, []simulator.TrafficTarget{
			{Type: pinned, Revision: "web-1", Percent: web1}, {Type: pinned, Revision: "web-2", Percent: web2},
		}, ""); err != nil {
			s.t.Fatal(err)
		}
	})
}

// eventsOf takes the events told so far, and returns those of one reason.
func (s *stage) eventsOf(reason string) []string {
	var found []string
	for {
		select {
		case e := <-s.events.Events:
			if strings.Contains(e, " "+reason+" ") {
				found = append(found, e)
			}
		default:
			return found
		}
	}
}

// released wants one event Released with a beginning and a part.
func (s *stage) released(kind string, parts ...string) {
	s.t.Helper()
	events := s.eventsOf(v1alpha1.ReasonReleased)
	if len(events) != 1 || !strings.HasPrefix(events[0], kind+" ") {
		s.t.Fatalf("told %q, want one %s", events, kind)
	}
	for _, part := range append(parts, "gcloud run services update-traffic web --to-latest") {
		if !strings.Contains(events[0], part) {
			s.t.Errorf("told %q, want a part %q", events[0], part)
		}
	}
}

// neverRaised wants that the candidate's share only fell after some writes.
func (s *stage) neverRaised(after int) {
	s.t.Helper()
	writes := s.writes()
	for i := max(after, 1); i < len(writes); i++ {
		if writes[i]["web-2"] > writes[i-1]["web-2"] {
			s.t.Errorf("after the deletion web-2 was raised: %v", writes)
		}
	}
}

// TestDeletedWithFreezeLeavesTrafficAsItIs: the object is gone at once, nothing
// is written, and the deletion itself says where traffic stays.
func TestDeletedWithFreezeLeavesTrafficAsItIs(t *testing.T) {
	t.Parallel()
	s := baking(t, "")
	if got := s.finalizers(); len(got) > 0 {
		t.Fatalf("finalizers %v, want none", got)
	}
	ro := s.remove()
	if took := s.untilGone(); took != 0 {
		t.Errorf("it took %s", took)
	}
	for range 5 { // a cache that has not seen it yet
		s.world(func(w *simulator.World) { w.Advance(5 * time.Minute) })
		if _, err := s.reconciler.Reconcile(t.Context(), ro.DeepCopy()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(back[:1], s.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

func TestDeletedWithRollbackGoesBackFirst(t *testing.T) {
	t.Parallel()
	s := baking(t, rollbackOnDelete)
	if diff := cmp.Diff([]string{v1alpha1.FinalizerRollback}, s.finalizers()); diff != "" {
		t.Fatalf("finalizers (-want +got):\n%s", diff)
	}
	s.remove()
	s.untilGone()
	if diff := cmp.Diff(back, s.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"web-1": 100}, s.serves()); diff != "" {
		t.Errorf("serves (-want +got):\n%s", diff)
	}
	s.released("Normal", "left at web-1 100%; pinned")
}

// TestDeletedWithRollbackSurvivesRestarts kills the process before every look.
func TestDeletedWithRollbackSurvivesRestarts(t *testing.T) {
	t.Parallel()
	s := baking(t, rollbackOnDelete)
	s.remove()
	for range 20 {
		ro := &v1alpha1.CloudRunRollout{}
		if err := s.client.Get(t.Context(), s.key, ro); apierrors.IsNotFound(err) {
			break
		}
		s.restart()
		s.world(func(w *simulator.World) { w.Advance(s.due) })
		result, err := s.reconciler.Reconcile(t.Context(), ro)
		if err != nil {
			t.Fatal(err)
		}
		s.due = result.RequeueAfter
	}
	s.untilGone()
	if diff := cmp.Diff(back, s.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	s.released("Normal", "left at web-1 100%")
}

// TestWhatKeepsAWayBackFromBeingSent: the object goes in bounded time all the
// same, says why, and leaves traffic as it was.
func TestWhatKeepsAWayBackFromBeingSent(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		prepare func(*stage)
		says    []string
		within  time.Duration
		writes  int // after the deletion
	}{
		"Cloud Run is down": {
			func(s *stage) { s.inject(simulator.Fault{Kind: simulator.FaultError, Code: 503, Times: -1}) },
			[]string{"for 10m0s it did not succeed", "unavailable", "left at web-2 20%, web-1 80%; pinned"},
			bound + time.Minute, 0,
		},
		"writes fail": {
			func(s *stage) {
				s.inject(simulator.Fault{Kind: simulator.FaultError, Operation: "services.patch", Code: 503, Times: -1})
			},
			[]string{"for 10m0s it did not succeed", "left at web-2 20%, web-1 80%"},
			bound + time.Minute, 0,
		},
		"Cloud Run is never done with it": {
			func(s *stage) { s.inject(simulator.Fault{Kind: simulator.FaultStuck}) },
			[]string{"for 10m0s it was not confirmed", "serves web-2 20%, web-1 80%"},
			bound + time.Minute, 1,
		},
		"stable is gone": {
			func(s *stage) {
				s.world(func(w *simulator.World) {
					if err := w.LoseRevision(service + "/revisions/web-1"); err != nil {
						s.t.Fatal(err)
					}
				})
			},
			[]string{"web-1 no longer exists"},
			0, 0,
		},
		"access is denied": {
			func(s *stage) { s.inject(simulator.Fault{Kind: simulator.FaultError, Code: 403, Times: -1}) },
			[]string{"access to the service was lost", "left at web-2 20%, web-1 80%"},
			0, 0,
		},
		"writes are denied": {
			func(s *stage) {
				s.inject(simulator.Fault{Kind: simulator.FaultError, Operation: "services.patch", Code: 403, Times: -1})
			},
			[]string{"access to the service was lost", "left at web-2 20%, web-1 80%"},
			30 * time.Second, 0,
		},
		"somebody else moved traffic": {
			func(s *stage) { s.move(40, 60) },
			[]string{"someone else set traffic to web-1 40%, web-2 60%", "left at web-1 40%, web-2 60%"},
			0, 0,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := baking(t, rollbackOnDelete)
			c.prepare(s)
			before := len(s.writes())
			s.remove()
			if took := s.untilGone(); took > c.within {
				t.Errorf("it took %s, want at most %s", took, c.within)
			}
			s.released("Warning", append(c.says, "not sent back: ")...)
			if n := len(s.writes()) - before; n != c.writes {
				t.Errorf("%d writes, want %d: %v", n, c.writes, s.writes())
			}
		})
	}
}

func TestAnOutageThatEndsInTimeGoesBack(t *testing.T) {
	t.Parallel()
	s := baking(t, rollbackOnDelete)
	s.inject(simulator.Fault{Kind: simulator.FaultError, Code: 503, Times: -1})
	s.remove()
	for range 3 {
		if _, err := s.reconciler.Reconcile(t.Context(), s.get()); err == nil {
			t.Error("an outage is no error")
		}
		s.world(func(w *simulator.World) { w.Advance(time.Minute) })
	}
	s.world(func(w *simulator.World) { w.ClearFaults() })
	s.untilGone()
	if diff := cmp.Diff(back, s.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	s.released("Normal", "left at web-1 100%")
}

func TestOnlyAnExposedRollbackCarriesAFinalizer(t *testing.T) {
	t.Parallel()
	s := newStage(t, scenario, replaced(t, manifest, rollbackOnDelete))
	s.pass()
	s.deploy("example.com/web:2", "web-2")
	carried := map[v1alpha1.Phase]bool{}
	for range 200 {
		ro := s.pass()
		carried[ro.Status.Phase] = len(ro.Finalizers) > 0
		if ro.Status.Phase == v1alpha1.PhaseCompleted {
			break
		}
	}
	if diff := cmp.Diff(map[v1alpha1.Phase]bool{
		v1alpha1.PhaseChecking: false, v1alpha1.PhaseHeld: false, v1alpha1.PhaseShifting: true, v1alpha1.PhaseBaking: true, v1alpha1.PhaseCompleted: false,
	}, carried); diff != "" {
		t.Errorf("finalizers by phase (-want +got):\n%s", diff)
	}
	s.remove()
	if err := s.client.Get(t.Context(), s.key, &v1alpha1.CloudRunRollout{}); !apierrors.IsNotFound(err) {
		t.Errorf("an idle object is not gone at once: %v", err)
	}
}

func TestOnDeleteMayBeChangedMidway(t *testing.T) {
	t.Parallel()
	set := func(s *stage, to v1alpha1.OnDelete) {
		s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec.Strategy.OnDelete = to })
	}
	s := baking(t, "")
	for _, to := range []v1alpha1.OnDelete{v1alpha1.OnDeleteRollback, v1alpha1.OnDeleteFreeze, v1alpha1.OnDeleteRollback} {
		set(s, to)
		s.pass()
		if got := slices.Contains(s.finalizers(), v1alpha1.FinalizerRollback); got != (to == v1alpha1.OnDeleteRollback) {
			t.Errorf("with %s the finalizer is there: %t", to, got)
		}
	}
	// A change of mind during the deletion counts too.
	s.inject(simulator.Fault{Kind: simulator.FaultError, Code: 503, Times: -1})
	s.remove()
	_, _ = s.reconciler.Reconcile(t.Context(), s.get())
	set(s, v1alpha1.OnDeleteFreeze)
	if took := s.untilGone(); took > 0 || len(s.writes()) != 1 {
		t.Errorf("gone after %s, writes %v", took, s.writes())
	}
	s.released("Normal", "left at web-2 20%, web-1 80%")
}

// TestADeletionAtEveryLookNeverRaises deletes at each look of a rollout in turn.
func TestADeletionAtEveryLookNeverRaises(t *testing.T) {
	t.Parallel()
	for _, change := range []string{"", rollbackOnDelete} {
		for look := 1; look <= 24; look += 3 {
			s := newStage(t, scenario, replaced(t, manifest, change))
			s.pass()
			s.deploy("example.com/web:2", "web-2")
			for range look {
				s.pass()
			}
			before := len(s.writes())
			s.remove()
			s.untilGone()
			s.neverRaised(before)
			if change != "" && s.serves()["web-2"] != 0 && s.serves()["web-2"] != 100 {
				t.Errorf("deleted at look %d: serves %v", look, s.serves())
			}
			if change == "" && len(s.writes()) != before {
				t.Errorf("deleted at look %d: %v", look, s.writes())
			}
		}
	}
}

// TestWhatGoesWithTheObject deletes what it lives in, which must not hang. It does
// not run beside the others: it takes the definition away from all of them.
func TestWhatGoesWithTheObject(t *testing.T) { //nolint:paralleltest // see above
	cases := map[string]func(*stage) client.Object{
		"the definition": func(*stage) client.Object {
			crd := &unstructured.Unstructured{}
			crd.SetAPIVersion("apiextensions.k8s.io/v1")
			crd.SetKind("CustomResourceDefinition")
			crd.SetName("cloudrunrollouts.rollouts.sluice.dev")
			return crd
		},
		"the namespace": func(s *stage) client.Object {
			space := &corev1.Namespace{}
			space.Name = s.key.Namespace
			return space
		},
	}
	for name, what := range cases {
		t.Run(name, func(t *testing.T) {
			s := baking(t, rollbackOnDelete)
			if err := s.client.Delete(t.Context(), what(s)); err != nil {
				t.Fatal(err)
			}
			if name == "the namespace" { // here nobody carries its deletion out
				s.remove()
			}
			for s.get().DeletionTimestamp.IsZero() {
				time.Sleep(20 * time.Millisecond)
			}
			s.due = 0
			s.untilGone()
			if diff := cmp.Diff(back, s.writes()); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
			s.released("Normal", "left at web-1 100%")
			if name == "the namespace" {
				return
			}
			for !apierrors.IsNotFound(s.client.Get(t.Context(), client.ObjectKeyFromObject(what(s)), what(s).(*unstructured.Unstructured))) {
				time.Sleep(20 * time.Millisecond)
			}
			if _, err := envtest.InstallCRDs(plane.Config, envtest.CRDInstallOptions{
				Paths: []string{filepath.Join("..", "..", "config", "crd", "bases")},
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
}
