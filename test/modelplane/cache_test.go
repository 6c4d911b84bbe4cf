package modelplane_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/modelplane"
)

// told hears what a view tells, in short.
func told(c *modelplane.Cache) *[]string {
	var said []string
	c.Tell(func(change modelplane.Change) {
		text := change.Key().Name + ": " + phaseOf(change.Was) + " → " + phaseOf(change.Now)
		if change.Was != nil && change.Now != nil && change.Was.UID != change.Now.UID {
			text += ", another object"
		}
		said = append(said, text)
	})
	return &said
}

func phaseOf(o *v1alpha1.CloudRunRollout) string {
	if o == nil {
		return "none"
	}
	return string(o.Status.Phase) + "@" + o.ResourceVersion
}

func keys(names ...string) []types.NamespacedName {
	var found []types.NamespacedName
	for _, name := range names {
		found = append(found, types.NamespacedName{Namespace: "default", Name: name})
	}
	return found
}

// seen is what a view shows of an object.
func seen(t *testing.T, c *modelplane.Cache, name string) string {
	t.Helper()
	var o v1alpha1.CloudRunRollout
	err := c.Client().Get(t.Context(), keys(name)[0], &o)
	if apierrors.IsNotFound(err) {
		return "none"
	}
	if err != nil {
		t.Fatal(err)
	}
	return phaseOf(&o)
}

// store makes objects, and goes with one of them through phases.
func store(t *testing.T, s *modelplane.Server, name string, phases ...v1alpha1.Phase) *v1alpha1.CloudRunRollout {
	t.Helper()
	o := rollout(name)
	if err := s.Client().Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for _, next := range phases {
		o.Status.Phase = next
		if err := s.Client().Status().Update(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func remove(t *testing.T, s *modelplane.Server, o client.Object) {
	t.Helper()
	if err := s.Client().Delete(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestAViewMustListFirst(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	store(t, s, "web")
	c := s.Watch()
	var o v1alpha1.CloudRunRollout
	if err := c.Client().Get(t.Context(), keys("web")[0], &o); err == nil || apierrors.IsNotFound(err) {
		t.Errorf("get says %v, which a controller may take for an answer", err)
	}
	if err := c.Client().List(t.Context(), &v1alpha1.CloudRunRolloutList{}); err == nil {
		t.Error("a list is answered")
	}
	equal(t, "pending", c.Pending(), 0)
	equal(t, "listed", c.Relist(), keys("web"))
	equal(t, "seen", seen(t, c, "web"), "@1")
}

func TestAViewLagsUntilItIsDelivered(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	c := s.Watch()
	c.Relist()
	said := told(c)
	store(t, s, "web", shift, bake)
	equal(t, "pending", c.Pending(), 3)
	equal(t, "seen", seen(t, c, "web"), "none")
	equal(t, "delivered", c.Deliver(2), keys("web"))
	equal(t, "seen", seen(t, c, "web"), "Shifting@2")
	equal(t, "delivered", c.Deliver(9), keys("web"))
	equal(t, "told", *said, []string{"web: none → @1", "web: @1 → Shifting@2", "web: Shifting@2 → Baking@3"})
}

func TestWhatIsDeletedIsToldInTheVersionOfItsDeletion(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	o := store(t, s, "web", shift)
	c := s.Watch()
	c.Relist()
	said := told(c)
	remove(t, s, o)
	equal(t, "delivered", c.Deliver(1), keys("web"))
	equal(t, "told", *said, []string{"web: Shifting@3 → none"})
	equal(t, "seen", seen(t, c, "web"), "none")
}

func TestAListSkipsWhatHappenedMeanwhile(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	gone, again := store(t, s, "gone"), store(t, s, "again", shift)
	store(t, s, "same")
	c := s.Watch()
	c.Relist()
	said := told(c)
	remove(t, s, gone)
	remove(t, s, again)
	store(t, s, "again")
	remove(t, s, store(t, s, "unseen"))
	equal(t, "listed", c.Relist(), keys("again", "gone"))
	equal(t, "told", *said, []string{"again: Shifting@3 → @7, another object", "gone: @1 → none"})
	equal(t, "listed again", len(c.Relist()), 0)
	equal(t, "pending", c.Pending(), 0)
}

func TestAViewGoesBackAndCatchesUp(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	store(t, s, "web", shift)
	store(t, s, "new")
	c := s.Watch()
	c.Relist()
	said := told(c)
	equal(t, "rewound", c.Rewind(2), keys("web", "new"))
	equal(t, "seen", seen(t, c, "web"), "@1")
	equal(t, "seen", seen(t, c, "new"), "none")
	equal(t, "pending", c.Pending(), 2)
	equal(t, "delivered", c.Deliver(1), keys("web"))
	equal(t, "relisted", c.Relist(), keys("new"))
	equal(t, "told", *said, []string{"web: Shifting@2 → @1", "new: @3 → none", "web: @1 → Shifting@2", "new: none → @3"})
	equal(t, "rewound beyond the beginning", c.Rewind(99), keys("new", "web"))
}

func TestANewViewMayBeginInThePast(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	store(t, s, "web", shift, bake)
	c := s.Watch()
	equal(t, "listed", c.Rewind(1), keys("web"))
	equal(t, "seen", seen(t, c, "web"), "Shifting@2")
}

func TestAViewWritesToTheServerAndReadsItsOwnWriteLate(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	store(t, s, "web")
	c := s.Watch()
	c.Relist()
	var o v1alpha1.CloudRunRollout
	if err := c.Client().Get(t.Context(), keys("web")[0], &o); err != nil {
		t.Fatal(err)
	}
	stale := o.DeepCopy()
	o.Status.Phase = shift
	if err := c.As("sluice").Status().Update(t.Context(), &o); err != nil {
		t.Fatal(err)
	}
	equal(t, "seen", seen(t, c, "web"), "@1")
	equal(t, "the caller's copy", phaseOf(&o), "Shifting@2")
	equal(t, "its kind", o.Kind, "CloudRunRollout")
	if err := c.Client().Status().Update(t.Context(), stale); !apierrors.IsConflict(err) {
		t.Errorf("a second write of what was seen: %v, want a conflict", err)
	}
}

func TestWhatIsReadIsACopy(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	store(t, s, "web", shift)
	c := s.Watch()
	c.Relist()
	for _, kube := range []client.Client{c.Client(), s.Client()} {
		var o v1alpha1.CloudRunRollout
		var all v1alpha1.CloudRunRolloutList
		if err := errors.Join(kube.Get(t.Context(), keys("web")[0], &o), kube.List(t.Context(), &all)); err != nil {
			t.Fatal(err)
		}
		o.Spec.Strategy.Steps[0].Weight, all.Items[0].Spec.Strategy.Steps[0].Weight = 77, 77
	}
	if got := s.History(keys("web")[0])[1].Now.Spec.Strategy.Steps[0].Weight; got == 77 {
		t.Error("a reader changed the store")
	}
}

func TestTwoViewsLagEachForItself(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	a, b := s.Watch(), s.Watch()
	a.Relist()
	b.Relist()
	store(t, s, "web", shift)
	a.Deliver(2)
	b.Deliver(1)
	equal(t, "seen", []string{seen(t, a, "web"), seen(t, b, "web")}, []string{"Shifting@2", "@1"})
}

func TestANameIsReturnedOnceAndInOrder(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	c := s.Watch()
	c.Relist()
	store(t, s, "b", shift)
	store(t, s, "a")
	got := c.Deliver(3)
	if !slices.Equal(got, keys("b", "a")) {
		t.Errorf("delivered %v", got)
	}
}
