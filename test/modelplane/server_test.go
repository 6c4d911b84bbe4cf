package modelplane_test

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/modelplane"
)

var errCrash = errors.New("crash")

func TestACallThatDiesBeforeItsEffectHasNone(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	o := store(t, s, "web")
	s.Before = func(c modelplane.Call) error {
		if c.Status {
			return errCrash
		}
		return nil
	}
	o.Status.Phase = shift
	if err := s.Client().Status().Update(t.Context(), o); !errors.Is(err, errCrash) {
		t.Errorf("error = %v", err)
	}
	equal(t, "history", len(s.History(keys("web")[0])), 1)
	equal(t, "the caller's version", o.ResourceVersion, "1")
}

func TestACallWhoseAnswerIsLostHasItsEffect(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	o := store(t, s, "web")
	s.After = func(_ modelplane.Call, err error) error {
		if err != nil {
			t.Errorf("the hook hears of %v", err)
		}
		return errCrash
	}
	o.Status.Phase = shift
	if err := s.Client().Status().Update(t.Context(), o); !errors.Is(err, errCrash) {
		t.Errorf("error = %v", err)
	}
	equal(t, "stored", phaseOf(s.History(keys("web")[0])[1].Now), "Shifting@2")
	equal(t, "the caller's version", o.ResourceVersion, "1")
}

func TestAHookHearsWhatWasRefused(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	var heard error
	s.After = func(_ modelplane.Call, err error) error {
		heard = err
		return nil
	}
	if err := s.Client().Delete(t.Context(), rollout("ghost")); !apierrors.IsNotFound(err) || !apierrors.IsNotFound(heard) {
		t.Errorf("the caller hears %v, the hook %v", err, heard)
	}
}

func TestHooksHearEveryCallOnce(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	var heard []string
	s.Before = func(c modelplane.Call) error {
		text := c.By + " " + string(c.Verb) + " " + c.Resource
		if c.Status {
			text += "/status"
		}
		heard = append(heard, text+" "+c.Key.String())
		return nil
	}
	kube, o := s.As("me"), rollout("web")
	ctx := t.Context()
	err := errors.Join(
		kube.Create(ctx, o), kube.Get(ctx, keys("web")[0], o), kube.List(ctx, &v1alpha1.CloudRunRolloutList{}),
		kube.Update(ctx, o), kube.Status().Update(ctx, o), kube.Patch(ctx, o, client.MergeFrom(o.DeepCopy())), kube.Delete(ctx, o),
		kube.Get(ctx, types.NamespacedName{Name: "kube-system"}, &corev1.Namespace{}),
	)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "heard", heard, []string{
		"me create cloudrunrollouts default/web", "me get cloudrunrollouts default/web", "me list cloudrunrollouts /",
		"me update cloudrunrollouts default/web", "me update cloudrunrollouts/status default/web",
		"me patch cloudrunrollouts default/web", "me delete cloudrunrollouts default/web", "me get namespaces /kube-system",
	})
}

func TestACallOfSomebodyGoneIsNotMade(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Client().Create(ctx, rollout("web")); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	equal(t, "revision", s.Revision(), int64(0))
}

func TestHistoryTellsWhoChangedWhatAndWhen(t *testing.T) {
	t.Parallel()
	s, now := newServer()
	o := store(t, s, "web")
	now.SetTime(morning.Add(time.Minute))
	o.Status.Phase = shift
	if err := s.As("sluice").Status().Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	store(t, s, "other")
	remove(t, s, o)
	history := s.History(keys("web")[0])
	equal(t, "changes", len(history), 3)
	equal(t, "who", history[1].Call, modelplane.Call{
		By: "sluice", Verb: modelplane.Update, Status: true, Resource: "cloudrunrollouts", Key: keys("web")[0],
	})
	equal(t, "when", history[1].At, morning.Add(time.Minute))
	equal(t, "what", phaseOf(history[1].Was)+" → "+phaseOf(history[1].Now), "@1 → Shifting@2")
	equal(t, "the deletion", history[2].Revision, int64(4))
}

func TestStoredVersionsStayAsTheyWere(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	o := store(t, s, "web", shift)
	o.Status.Advice = append(o.Status.Advice, v1alpha1.Advice{Code: "a", Message: "b"})
	if err := s.Client().Status().Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	o.Status.Advice[0].Code, o.Spec.Strategy.Steps[0].Weight = "changed", 77
	last := s.History(keys("web")[0])[2].Now
	equal(t, "advice", last.Status.Advice[0].Code, "a")
	equal(t, "weight", last.Spec.Strategy.Steps[0].Weight, int32(5))
}

func TestARestoreBringsThePastBack(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	web := store(t, s, "web", shift)
	gone := store(t, s, "gone")
	at := s.Revision()
	web.Status.Phase = bake
	if err := s.Client().Status().Update(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	remove(t, s, gone)
	store(t, s, "new")
	c := s.Watch()
	c.Relist()
	said := told(c)

	s.Restore(at, 0)
	equal(t, "revision", s.Revision(), at)
	equal(t, "pending", c.Pending(), 0)
	equal(t, "a view that has not listed", seen(t, c, "web"), "Baking@4")
	equal(t, "listed", c.Relist(), keys("gone", "web", "new"))
	equal(t, "told", *said, []string{"gone: none → @3", "web: Baking@4 → Shifting@2", "new: @6 → none"})

	if err := s.Client().Status().Update(t.Context(), web); !apierrors.IsConflict(err) {
		t.Errorf("a status of the lost future: %v, want a conflict", err)
	}
}

func TestARestoreGivesVersionsOutTwiceUnlessBumped(t *testing.T) {
	t.Parallel()
	for bump, want := range map[int64]string{0: "Baking@3", 1000: "Baking@1003"} {
		s, _ := newServer()
		o := store(t, s, "web", shift)
		restored := o.DeepCopy()
		o.Status.Phase = v1alpha1.PhaseIdle
		if err := s.Client().Status().Update(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		s.Restore(2, bump)
		restored.Status.Phase = bake
		if err := s.Client().Status().Update(t.Context(), restored); err != nil {
			t.Fatal(err)
		}
		equal(t, "stored", phaseOf(restored), want)
	}
}

func TestARestoreCanBeRestored(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	store(t, s, "web", shift, bake)
	s.Restore(2, 0)
	store(t, s, "other")
	s.Restore(1, 0)
	c := s.Watch()
	equal(t, "broken before it lists", c.Broken(), false)
	equal(t, "listed", c.Relist(), keys("web"))
	equal(t, "seen", seen(t, c, "web"), "@1")
	equal(t, "broken", c.Broken(), false)
	equal(t, "rewound before both", c.Rewind(len(s.Log())-3), keys("web"))
	equal(t, "seen", seen(t, c, "web"), "Baking@3")
	equal(t, "pending", c.Pending(), 0)
	equal(t, "broken", c.Broken(), true)
	equal(t, "listed again", c.Relist(), keys("web"))
	equal(t, "broken", c.Broken(), false)
}

func TestEventsAreKeptInOrder(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	o := store(t, s, "web")
	s.Recorder("sluice").Eventf(o, nil, corev1.EventTypeWarning, "RolledBack", "Rollout", "%s at %d%%", "web", 5)
	equal(t, "events", s.Events(), []modelplane.Event{{
		At: morning, By: "sluice", Regarding: keys("web")[0], UID: o.UID,
		Type: "Warning", Reason: "RolledBack", Action: "Rollout", Note: "web at 5%",
	}})
}

func TestTheClusterHasAUID(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	var space corev1.Namespace
	if err := s.Client().Get(t.Context(), types.NamespacedName{Name: metav1.NamespaceSystem}, &space); err != nil {
		t.Fatal(err)
	}
	equal(t, "uid", space.UID, types.UID(modelplane.Cluster))
}

func TestWhatIsNotModelledSaysSo(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	ctx, kube, o := t.Context(), s.Client(), store(t, s, "web")
	for what, err := range map[string]error{
		"a dry run":       kube.Create(ctx, o, client.DryRunAll),
		"a JSON patch":    kube.Patch(ctx, o, client.RawPatch(types.JSONPatchType, []byte("[]"))),
		"a status patch":  kube.Status().Patch(ctx, o, client.MergeFrom(o)),
		"foreground":      kube.Delete(ctx, o, client.PropagationPolicy(metav1.DeletePropagationForeground)),
		"a collection":    kube.DeleteAllOf(ctx, o),
		"a selector":      kube.List(ctx, &v1alpha1.CloudRunRolloutList{}, client.MatchingLabels{"a": "b"}),
		"a page":          kube.List(ctx, &v1alpha1.CloudRunRolloutList{}, client.Limit(1)),
		"another kind":    kube.Get(ctx, keys("web")[0], &corev1.Secret{}),
		"another cache":   s.Watch().Client().Get(ctx, keys("web")[0], &corev1.Namespace{}),
		"another kind's":  kube.Update(ctx, &corev1.Secret{}),
		"other namespace": kube.Get(ctx, types.NamespacedName{Name: "default"}, &corev1.Namespace{}),
	} {
		if !errors.Is(err, modelplane.ErrNotModelled) {
			t.Errorf("%s: %v", what, err)
		}
	}
	equal(t, "revision", s.Revision(), int64(1))
}

func TestTheSameCallsGiveTheSameStore(t *testing.T) {
	t.Parallel()
	var logs [2]string
	for i := range logs {
		s, _ := newServer()
		remove(t, s, store(t, s, "web", shift, bake))
		store(t, s, "web")
		s.Restore(2, 0)
		logs[i] = toJSON(t, s.Log())
	}
	equal(t, "log", logs[1], logs[0])
}
