package modelplane_test

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

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
			Service: &v1alpha1.ServiceReference{Project: "acme-prod", Location: "asia-northeast1", Name: "graphql-api"},
		}},
	}
}
