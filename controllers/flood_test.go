package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// TestAFloodOfIdleObjectsWritesNothing: two thousand objects whose services rest,
// restarts in between, and no write to Cloud Run or to the objects. One of them
// in ten waits for a person, which is a rest too.
func TestAFloodOfIdleObjectsWritesNothing(t *testing.T) {
	t.Parallel()
	const objects = 2000
	saved := 0
	at := clocktesting.NewFakePassiveClock(morning)
	clouds, flood := make([]*fakeCloud, objects), make([][]byte, objects)
	for i := range objects {
		clouds[i] = newCloud()
		ro := bare()
		ro.Name, ro.UID, ro.Generation = fmt.Sprintf("web-%d", i), types.UID(strconv.Itoa(i)), 1
		if i%2 == 0 {
			ro.Spec.Strategy.OnDelete = v1alpha1.OnDeleteRollback
		}
		if i%10 == 0 {
			ro.Spec.CandidateRevision = "web-9" // Idle/RevisionNotFound
		}
		flood[i] = kept(t, ro)
	}
	look := func() {
		r := &Reconciler{
			Client: stub{saved: &saved}, Clock: at, Process: at, Recorder: events.NewFakeRecorder(4 * objects),
		}
		for i := range flood {
			r.Connect = func(context.Context, *v1alpha1.CloudRunRollout) (Cloud, error) {
				return Cloud{Observer: clouds[i], Actuator: clouds[i], Metrics: clouds[i]}, nil
			}
			ro := &v1alpha1.CloudRunRollout{}
			if err := json.Unmarshal(flood[i], ro); err != nil {
				t.Fatal(err)
			}
			result, err := r.Reconcile(t.Context(), ro)
			if err != nil || result.RequeueAfter < time.Minute {
				t.Fatalf("object %d: looked at again after %s, %v", i, result.RequeueAfter, err)
			}
			flood[i] = kept(t, ro)
		}
	}
	look() // records the baselines
	look() // and what cannot begin
	settled := saved
	if settled < objects {
		t.Fatalf("%d saves at first, want %d and more", settled, objects)
	}
	for range 3 { // each a restart
		at.SetTime(at.Now().Add(7 * time.Hour))
		look()
	}
	if saved != settled {
		t.Errorf("%d saves of objects at rest", saved-settled)
	}
	for i, cloud := range clouds {
		if n := cloud.sent(); n > 0 {
			t.Fatalf("object %d: %d writes", i, n)
		}
	}
}

// kept is an object as kube-apiserver keeps it.
func kept(t *testing.T, ro *v1alpha1.CloudRunRollout) []byte {
	t.Helper()
	text, err := json.Marshal(ro)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
