package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// quarter is a cluster whose rollouts are listed from here.
type quarter struct {
	stub

	t      *testing.T
	clock  *clocktesting.FakePassiveClock
	r      *Reconciler
	events *events.FakeRecorder
	saved  int
	ros    []*v1alpha1.CloudRunRollout
	listed int
	fails  error
	asked  []string // whose clouds were opened
}

func quarterOf(t *testing.T, most int) *quarter {
	t.Helper()
	q := &quarter{t: t, clock: clocktesting.NewFakePassiveClock(morning), events: events.NewFakeRecorder(1000)}
	q.stub.saved = &q.saved
	q.restart(most)
	return q
}

// restart is a new process, with a limit.
func (q *quarter) restart(most int) {
	cloud := newCloud()
	q.r = &Reconciler{
		Client: q, Clock: q.clock, Process: q.clock, Recorder: q.events, MostRollouts: most,
		Connect: func(_ context.Context, ro *v1alpha1.CloudRunRollout) (Cloud, error) {
			q.asked = append(q.asked, ro.Name)
			return Cloud{Observer: cloud, Actuator: cloud, Metrics: cloud}, nil
		},
	}
}

// List implements client.Reader, of rollouts.
func (q *quarter) List(_ context.Context, into client.ObjectList, options ...client.ListOption) error {
	q.listed++
	var of client.ListOptions
	of.ApplyOptions(options)
	list, ok := into.(*v1alpha1.CloudRunRolloutList)
	if !ok {
		return fmt.Errorf("%T is listed", into)
	}
	for _, ro := range q.ros {
		if ro.Namespace == of.Namespace {
			list.Items = append(list.Items, *ro)
		}
	}
	return q.fails
}

// add makes a rollout, some seconds into the morning.
func (q *quarter) add(namespace, name string, seconds int) *v1alpha1.CloudRunRollout {
	ro := bare()
	ro.Namespace, ro.Name, ro.UID, ro.Generation = namespace, name, types.UID(namespace+"/"+name), 1
	ro.CreationTimestamp = metav1.NewTime(morning.Add(time.Duration(seconds) * time.Second))
	q.ros = append(q.ros, ro)
	return ro
}

// remove takes one away.
func (q *quarter) remove(ro *v1alpha1.CloudRunRollout) {
	q.ros = slices.DeleteFunc(q.ros, func(other *v1alpha1.CloudRunRollout) bool { return other == ro })
}

// followed looks at every rollout and names those whose clouds were opened.
func (q *quarter) followed() string {
	q.t.Helper()
	q.asked = nil
	for _, ro := range q.ros {
		if _, err := q.r.Reconcile(q.t.Context(), ro); err != nil {
			q.t.Fatalf("%s: %v", ro.Name, err)
		}
	}
	return strings.Join(q.asked, " ")
}

// TestTheOldestOfANamespaceAreFollowed, whoever is looked at first, and each namespace has
// its own.
func TestTheOldestOfANamespaceAreFollowed(t *testing.T) {
	t.Parallel()
	q := quarterOf(t, 2)
	young, old, same, twin := q.add("shop", "a", 9), q.add("shop", "z", 1), q.add("shop", "d", 5), q.add("shop", "c", 5)
	other := q.add("bank", "own", 99)
	if got := q.followed(); got != "z c own" {
		t.Errorf("%q are followed", got)
	}
	for _, ro := range []*v1alpha1.CloudRunRollout{young, same} {
		if got := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionAccepted); got == nil || got.Status != metav1.ConditionFalse || got.Reason != v1alpha1.ReasonTooManyRollouts ||
			got.Message != "namespace shop has more than 2 rollouts, and this one is not among its 2 oldest, which are followed: delete others that are not needed, "+
				"or have the platform team raise --max-rollouts-per-namespace of the manager" {
			t.Errorf("%s says %+v", ro.Name, got)
		}
		for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionStalled} {
			if got := meta.FindStatusCondition(ro.Status.Conditions, kind); got == nil || got.Reason != v1alpha1.ReasonTooManyRollouts {
				t.Errorf("%s of %s says %+v", kind, ro.Name, got)
			}
		}
	}
	for _, ro := range []*v1alpha1.CloudRunRollout{old, twin, other} {
		if !meta.IsStatusConditionTrue(ro.Status.Conditions, v1alpha1.ConditionAccepted) {
			t.Errorf("%s is not accepted: %+v", ro.Name, ro.Status.Conditions)
		}
	}
	saved, told := q.saved, len(q.events.Events)
	q.clock.SetTime(morning.Add(time.Hour))
	if q.followed(); q.saved != saved || len(q.events.Events) != told {
		t.Errorf("it is said again: %d saves, %d events", q.saved-saved, len(q.events.Events)-told)
	}
}

// TestWhoeverIsTooManyIsFollowedWhenThereIsRoom, and is accepted then. What is about to go
// takes no room.
func TestWhoeverIsTooManyIsFollowedWhenThereIsRoom(t *testing.T) {
	t.Parallel()
	q := quarterOf(t, 2)
	first, second, third := q.add("shop", "a", 1), q.add("shop", "b", 2), q.add("shop", "c", 3)
	q.add("shop", "d", 4)
	if got := q.followed(); got != "a b" {
		t.Fatalf("%q are followed", got)
	}
	q.remove(first)
	second.Finalizers = []string{"somebody.example/waits"}
	going := metav1.NewTime(morning)
	second.DeletionTimestamp = &going
	q.clock.SetTime(morning.Add(talliedFor))
	if got := q.followed(); got != "c d" {
		t.Errorf("%q are followed", got)
	}
	if accepted := meta.FindStatusCondition(third.Status.Conditions, v1alpha1.ConditionAccepted); accepted.Status != metav1.ConditionTrue {
		t.Errorf("it says %+v", accepted)
	}
}

// TestWhatIsUnderWayIsNeverTooMany: neither a rise nor a way back ends because a limit was
// lowered, nor does a template on its way.
func TestWhatIsUnderWayIsNeverTooMany(t *testing.T) {
	t.Parallel()
	for phase, followed := range map[v1alpha1.Phase]bool{
		v1alpha1.PhaseIdle: false, v1alpha1.PhaseCompleted: false, v1alpha1.PhaseRolledBack: false, "": false,
		v1alpha1.PhaseChecking: true, v1alpha1.PhaseWarmingUp: true, v1alpha1.PhaseShifting: true, v1alpha1.PhaseBaking: true,
		v1alpha1.PhaseAwaitingApproval: true, v1alpha1.PhaseHeld: true, v1alpha1.PhasePaused: true, v1alpha1.PhaseRollingBack: true,
	} {
		q := quarterOf(t, 1)
		q.add("shop", "a", 1)
		late := q.add("shop", "b", 2)
		late.Status.Phase = phase
		if err := q.r.follows(t.Context(), late); (err == nil) != followed {
			t.Errorf("%q: %v", phase, err)
		}
		late.Status.Attempt = &v1alpha1.Attempt{SentTemplate: v1alpha1.SentTemplate{Digest: "0123456789abcdef"}}
		if err := q.r.follows(t.Context(), late); err != nil {
			t.Errorf("%q, with a template on its way: %v", phase, err)
		}
	}
}

// TestWhatWasLostFromSightIsNeverTooMany: an attempt whose service could not be found has no
// phase of its own and goes on when the service is back.
func TestWhatWasLostFromSightIsNeverTooMany(t *testing.T) {
	t.Parallel()
	began := metav1.NewTime(morning)
	lost := func(edits ...func(*v1alpha1.CloudRunRollout)) *v1alpha1.CloudRunRollout {
		q := quarterOf(t, 1)
		q.add("shop", "a", 1)
		ro := q.add("shop", "b", 2)
		ro.Status.Phase = v1alpha1.PhaseIdle
		ro.Status.Attempt = &v1alpha1.Attempt{
			ID: 1, Reason: v1alpha1.ReasonServiceNotFound, Candidate: "web-2", Baseline: &v1alpha1.Baseline{Revision: "web-1"}, FirstWrite: &began,
			Confirmed: []v1alpha1.Share{{Revision: "web-2", Percent: 25}, {Revision: "web-1", Percent: 75}},
		}
		for _, edit := range edits {
			edit(ro)
		}
		return ro
	}
	back := func(ro *v1alpha1.CloudRunRollout) { ro.Status.Attempt.Confirmed = ro.Status.Attempt.Confirmed[1:] }
	undo := func(ro *v1alpha1.CloudRunRollout) {
		ro.Status.Phase = v1alpha1.PhaseCompleted
		ro.Annotations = map[string]string{v1alpha1.RequestID: "r1", v1alpha1.RequestVerb: v1alpha1.VerbUndo}
	}
	unseen := func(ro *v1alpha1.CloudRunRollout) { ro.Status = v1alpha1.CloudRunRolloutStatus{} }
	for name, c := range map[string]struct {
		ro       *v1alpha1.CloudRunRollout
		followed bool
	}{
		"a candidate that has traffic":      {lost(), true},
		"one that has none":                 {lost(back), false},
		"a person's undo":                   {lost(back, undo), true},
		"a request to what nobody followed": {lost(back, undo, unseen), false},
	} {
		q := quarterOf(t, 1)
		q.add("shop", "a", 1)
		q.ros = append(q.ros, c.ro)
		if err := q.r.follows(t.Context(), c.ro); (err == nil) != c.followed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWhoWasFollowedStaysSo, whatever is made later, and after a restart.
func TestWhoWasFollowedStaysSo(t *testing.T) {
	t.Parallel()
	q := quarterOf(t, 3)
	for i := range 3 {
		q.add("shop", fmt.Sprintf("first-%d", i), i)
	}
	before := q.followed()
	for i := range 50 {
		q.add("shop", fmt.Sprintf("a-flood-%d", i), 3+i%7)
	}
	for range 2 {
		if got := q.followed(); got != before {
			t.Errorf("%q are followed, and before the flood %q", got, before)
		}
		q.restart(3)
	}
}

// TestAFloodIsSeldomListed: each of thousands asks every minute.
func TestAFloodIsSeldomListed(t *testing.T) {
	t.Parallel()
	q := quarterOf(t, 500)
	for i := range 2000 {
		q.add("shop", fmt.Sprintf("web-%d", i), i)
	}
	var refused int
	for range 6 { // a minute
		refused = 0
		for _, ro := range q.ros {
			if q.r.follows(t.Context(), ro) != nil {
				refused++
			}
		}
		q.clock.SetTime(q.clock.Now().Add(talliedFor))
	}
	if q.listed > 6 || refused != 1500 {
		t.Errorf("listed %d times, and %d were refused", q.listed, refused)
	}
}

// TestWhatCannotBeCountedIsNotSentFor, and is no refusal.
func TestWhatCannotBeCountedIsNotSentFor(t *testing.T) {
	t.Parallel()
	q := quarterOf(t, 1)
	q.fails = errors.New("the cache is not there")
	ro := q.add("shop", "a", 1)
	if _, err := q.r.Reconcile(t.Context(), ro); !errors.Is(err, q.fails) || len(q.asked) > 0 {
		t.Errorf("%v, and %v were asked", err, q.asked)
	}
}
