package modelplane_test

import (
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/modelplane"
)

var morning = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func newServer() (*modelplane.Server, *clocktesting.FakePassiveClock) {
	now := clocktesting.NewFakePassiveClock(morning)
	return modelplane.New(now), now
}

func rollout(name string) *v1alpha1.CloudRunRollout {
	return &v1alpha1.CloudRunRollout{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: v1alpha1.CloudRunRolloutSpec{Target: v1alpha1.Target{
			Service: &v1alpha1.ServiceReference{Project: "acme-prod", Location: "asia-northeast1", Name: name},
		}},
	}
}

func TestAStaleStatusIsRefused(t *testing.T) {
	t.Parallel()
	s, _ := newServer()
	ctx := t.Context()
	ro := rollout("web")
	if err := s.Client().Create(ctx, ro); err != nil {
		t.Fatal(err)
	}
	stale := ro.DeepCopy()
	ro.Status.Phase = v1alpha1.PhaseShifting
	if err := s.As("sluice").Status().Update(ctx, ro); err != nil {
		t.Fatal(err)
	}
	if err := s.Client().Status().Update(ctx, stale); !apierrors.IsConflict(err) {
		t.Errorf("error = %v, want a conflict", err)
	}
	c := s.Watch()
	c.Relist()
	var seen v1alpha1.CloudRunRollout
	if err := c.Client().Get(ctx, client.ObjectKeyFromObject(ro), &seen); err != nil || seen.Status.Phase != v1alpha1.PhaseShifting {
		t.Errorf("phase = %q, error %v", seen.Status.Phase, err)
	}
}
