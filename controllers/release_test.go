package controllers

import (
	"context"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// refusing is a client whose patches fail.
type refusing struct{ client.Client }

func (refusing) Patch(context.Context, client.Object, client.Patch, ...client.PatchOption) error {
	return apierrors.NewInternalError(errors.New("etcd is not there"))
}

// TestAFinalizerThatStaysIsTriedAgain: an object that is to go is not forgotten
// because the apiserver failed once.
func TestAFinalizerThatStaysIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.pass()
	s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Finalizers = []string{v1alpha1.FinalizerRollback} })
	if err := s.client.Delete(t.Context(), s.get()); err != nil {
		t.Fatal(err)
	}
	s.r.Client = refusing{s.client}
	if result, err := s.r.Reconcile(t.Context(), s.get()); err == nil && (result.RequeueAfter == 0 || result.RequeueAfter >= afterwards) {
		t.Errorf("it is taken for gone, and looked at again after %s", result.RequeueAfter)
	}
	s.r.Client = s.client
	// Whether it is gone is looked at again: if etcd is put back in this moment, no watch
	// tells that it is there once more.
	if result, err := s.r.Reconcile(t.Context(), s.get()); err != nil || result.RequeueAfter != afterwards {
		t.Errorf("let go with %v (%v), want another look after %s", result, err, afterwards)
	}
	if err := s.client.Get(t.Context(), s.key, &v1alpha1.CloudRunRollout{}); !apierrors.IsNotFound(err) {
		t.Errorf("the object: %v, want it gone", err)
	}
}

// TestWhatIsGoneHidesNothing: a silent cache shows an object that was let go, and another
// one of its name is there by now. It is looked at, once a write has met it.
func TestWhatIsGoneHidesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.r.Live = s.client
	s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Finalizers = []string{v1alpha1.FinalizerRollback} })
	if err := s.client.Delete(t.Context(), s.get()); err != nil {
		t.Fatal(err)
	}
	gone := s.get()
	s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Finalizers = nil })
	again := bare()
	again.Name, again.Namespace = s.key.Name, s.key.Namespace
	if err := s.client.Create(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.client.Delete(context.WithoutCancel(t.Context()), again) })
	for range 2 {
		result, err := s.r.Reconcile(t.Context(), gone.DeepCopy())
		if err != nil {
			t.Fatal(err)
		}
		s.wait(result.RequeueAfter)
	}
	if phase := s.get().Status.Phase; phase == "" {
		t.Error("the one that is there was never looked at")
	}
}
