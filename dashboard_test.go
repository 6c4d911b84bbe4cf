package main

import (
	"context"
	"errors"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/internal/dashboard"
)

// leases answers with one lease, or with an error.
type leases struct {
	client.Reader
	spec  coordinationv1.LeaseSpec
	err   error
	reads int
}

// Get implements client.Reader.
func (l *leases) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	l.reads++
	if want := (client.ObjectKey{Namespace: "sluice-system", Name: "sluice.rollouts.sluice.dev"}); key != want {
		return errors.New("another lease is asked for: " + key.String())
	}
	into.(*coordinationv1.Lease).Spec = l.spec
	return l.err
}

func TestThePulseIsWhatTheLeaseSays(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 19, 10, 58, 0, 0, time.UTC)
	clock := clocktesting.NewFakePassiveClock(now)
	there := &leases{spec: coordinationv1.LeaseSpec{
		HolderIdentity: new("sluice-manager-a_0b1c"), RenewTime: &metav1.MicroTime{Time: now}, LeaseDurationSeconds: new(int32(15)),
	}}
	l := &lease{reader: there, namespace: "sluice-system", clock: clock}
	want := dashboard.Pulse{Leader: "sluice-manager-a", Renewed: now, Patience: 30 * time.Second}
	for range 3 {
		if got := l.pulse(t.Context()); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if there.reads != 1 {
		t.Errorf("three pages at once read the lease %d times", there.reads)
	}
	there.err = errors.New("kube-apiserver is away")
	clock.SetTime(now.Add(time.Minute))
	if got := l.pulse(t.Context()); got.Err == nil || got.Leader != want.Leader {
		t.Errorf("while it cannot be read: %+v", got)
	}
	there.err, there.spec = apierrors.NewNotFound(schema.GroupResource{Resource: "leases"}, leaseName), coordinationv1.LeaseSpec{}
	clock.SetTime(now.Add(2 * time.Minute))
	if got := l.pulse(t.Context()); got.Err != nil || got.Leader != "" {
		t.Errorf("where nobody has ever led: %+v", got)
	}
}
