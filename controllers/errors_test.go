package controllers

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

func TestWhatFollowsFromEachKindOfError(t *testing.T) {
	t.Parallel()
	resource := schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "cloudrunrollouts"}
	call := func(kind error, after time.Duration) error {
		return fmt.Errorf("wrapped: %w", &cloudrun.CallError{Op: "doing", Kind: kind, Detail: "so it said", RetryAfter: after})
	}
	type outcome struct {
		After   time.Duration // until the next look
		Failed  bool          // the queue backs off
		Denied  bool          // the next pass holds as AccessDenied
		Unknown bool          // TrafficInSync says that the split is not known
		Stalled bool
		Saved   int
	}
	backOff := outcome{Failed: true, Unknown: true, Saved: 1}
	written := outcome{Failed: true} // the service can be read
	cases := map[string]struct {
		err  error
		want outcome
	}{
		"the object changed":           {fmt.Errorf("saving: %w", apierrors.NewConflict(resource, "web", nil)), outcome{After: staleWait}},
		"the object is gone":           {fmt.Errorf("saving: %w", apierrors.NewNotFound(resource, "web")), outcome{After: goneWait}},
		"the spec is invalid":          {invalidSpecError{errors.New("spec.target: write service")}, outcome{After: invalidWait, Stalled: true, Saved: 1}},
		"the save took too long":       {rollout.ErrLate, outcome{After: again}},
		"access went before the write": {writeError{error: fmt.Errorf("%w: nobody lets it", errBarred)}, outcome{After: again}},
		"the service changed":          {writeError{error: call(cloudrun.ErrConflict, 0)}, outcome{After: again}},
		"somebody wrote in between":    {writeError{error: call(cloudrun.ErrInterleaved, 0)}, outcome{After: again}},
		"the answer was lost":          {writeError{error: call(cloudrun.ErrAmbiguous, 0)}, outcome{After: again}},
		"over quota":                   {call(cloudrun.ErrThrottled, 0), outcome{After: throttledWait, Unknown: true, Saved: 1}},
		"over quota, come back soon":   {call(cloudrun.ErrThrottled, time.Second), outcome{After: throttledWait, Unknown: true, Saved: 1}},
		"over quota, come back late":   {call(cloudrun.ErrThrottled, 90*time.Second), outcome{After: 90 * time.Second, Unknown: true, Saved: 1}},
		"over quota for very long":     {call(cloudrun.ErrThrottled, time.Hour), outcome{After: 96 * time.Second, Unknown: true, Saved: 1}},
		"a write over quota":           {writeError{error: call(cloudrun.ErrThrottled, 45*time.Second)}, outcome{After: 45 * time.Second}},
		"a write was denied":           {writeError{error: call(cloudrun.ErrDenied, 0)}, outcome{After: again, Denied: true}},
		"a read was not authenticated": {call(cloudrun.ErrDenied, 0), backOff},
		"a read got no answer":         {call(cloudrun.ErrUnavailable, 0), backOff},
		"a write was not sent":         {writeError{error: call(cloudrun.ErrUnavailable, 0)}, written},
		"the answer is garbled":        {call(cloudrun.ErrGarbled, 0), backOff},
		"the write is invalid":         {writeError{error: call(cloudrun.ErrInvalid, 0)}, written},
		"the written service is gone":  {writeError{error: call(cloudrun.ErrNotFound, 0)}, written},
		"a revision of that name":      {writeError{error: call(cloudrun.ErrNamedConflict, 0)}, written},
		"the firewall refused":         {writeError{error: call(cloudrun.ErrRefused, 0)}, written},
		"the apiserver is down":        {apierrors.NewServiceUnavailable("no"), backOff},
		"anything else":                {errors.New("what is this"), backOff},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			saved := 0
			told := events.NewFakeRecorder(9)
			r := Reconciler{
				Client: stub{saved: &saved}, Recorder: told, Random: unspread,
				Clock: clocktesting.NewFakePassiveClock(morning), Process: clocktesting.NewFakePassiveClock(morning),
			}
			ro := standingAt(t, rollout.Baking, rollout.Progressing)
			ro.UID = "one"
			before := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady).DeepCopy()

			result, err := r.explain(t.Context(), ro, c.err)
			_, denied := r.memory.writeDenied(ro, morning.Add(time.Second))
			inSync := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionTrafficInSync)
			got := outcome{
				After: result.RequeueAfter, Failed: err != nil, Denied: denied, Saved: saved,
				Unknown: inSync.Status == metav1.ConditionUnknown,
				Stalled: meta.IsStatusConditionTrue(ro.Status.Conditions, v1alpha1.ConditionStalled),
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			ready := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady)
			if c.want.Unknown {
				if !strings.Contains(ready.Message, "cannot be read since Jan 5 09:00Z") || ro.Status.NextAction == "" || len(told.Events) != 1 {
					t.Errorf("Ready = %+v, next %q, %d events", ready, ro.Status.NextAction, len(told.Events))
				}
				before.Message = ready.Message
			}
			if diff := cmp.Diff(before, ready); diff != "" && !c.want.Stalled {
				t.Errorf("Ready changed:\n%s", diff)
			}
			_, _ = r.explain(t.Context(), ro, fmt.Errorf("other words: %w", c.err))
			if saved > max(c.want.Saved, 0) && !c.want.Stalled {
				t.Errorf("saved %d times, want each outage said once", saved)
			}
		})
	}
}

func TestAnInvalidSpecIsSaidOnce(t *testing.T) {
	t.Parallel()
	saved, told := 0, events.NewFakeRecorder(9)
	r := Reconciler{Client: stub{saved: &saved}, Clock: clocktesting.NewFakePassiveClock(morning), Process: clocktesting.NewFakePassiveClock(morning), Recorder: told}
	ro := object()
	for range 3 {
		if result, err := r.explain(t.Context(), ro, invalidSpecError{errors.New("write it well")}); err != nil ||
			result != (ctrl.Result{RequeueAfter: invalidWait}) {
			t.Errorf("got %v, %v", result, err)
		}
	}
	if saved != 1 || len(told.Events) != 1 || <-told.Events != "Warning InvalidSpec write it well" {
		t.Errorf("saved %d times", saved)
	}
	if ro.Status.Phase != v1alpha1.PhaseIdle || ro.Status.ObservedGeneration != ro.Generation || ro.Status.NextAction == "" {
		t.Errorf("status = %+v", ro.Status)
	}
}

func TestAFailedSaveOfAnOutageIsNotHidden(t *testing.T) {
	t.Parallel()
	r := Reconciler{Client: stub{err: errors.New("no apiserver")}, Clock: clocktesting.NewFakePassiveClock(morning), Process: clocktesting.NewFakePassiveClock(morning)}
	_, err := r.explain(t.Context(), standingAt(t, rollout.Baking, rollout.Progressing), errors.New("no Cloud Run"))
	if err == nil || err.Error() != "no Cloud Run\nno apiserver" {
		t.Errorf("got %v", err)
	}
}

func TestAnOutageBeforeTheFirstLookIsSaidOnce(t *testing.T) {
	t.Parallel()
	saved := 0
	r := Reconciler{Client: stub{saved: &saved}, Recorder: events.NewFakeRecorder(9), Clock: clocktesting.NewFakePassiveClock(morning), Process: clocktesting.NewFakePassiveClock(morning)}
	ro := object()
	for range 2 {
		if _, err := r.explain(t.Context(), ro, errors.New("no Cloud Run")); err == nil || saved != 1 {
			t.Errorf("got %v, saved %d times", err, saved)
		}
	}
	ready := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.Reason != v1alpha1.ReasonPreparing || !strings.Contains(ready.Message, "no Cloud Run") {
		t.Errorf("Ready = %+v", ready)
	}
}

func TestRefusedWritesAreTriedLessAndLess(t *testing.T) {
	t.Parallel()
	var m memory
	ro := object()
	ro.UID = "one"
	waits := func(phase v1alpha1.Phase) (minutes int) {
		ro.Status.Phase = phase
		m.deny(ro, "no", morning)
		for denied := true; denied; minutes++ {
			_, denied = m.writeDenied(ro, morning.Add(time.Duration(minutes+1)*time.Minute))
		}
		return minutes
	}
	var got []int
	for range 6 {
		got = append(got, waits(v1alpha1.PhaseShifting))
	}
	got = append(got, waits(v1alpha1.PhaseRollingBack))
	m.allowed(ro)
	got = append(got, waits(v1alpha1.PhaseShifting))
	if diff := cmp.Diff([]int{1, 2, 4, 8, 10, 10, 1, 1}, got); diff != "" {
		t.Errorf("minutes between tries (-want +got):\n%s", diff)
	}
}

func TestADenialIsForgottenAfterAWhile(t *testing.T) {
	t.Parallel()
	var m memory
	ro := object()
	ro.UID = "one"
	m.deny(ro, "no", morning)
	if detail, ok := m.writeDenied(ro, morning.Add(deniedFor-time.Second)); !ok || detail != "a write was refused, the next is tried at Jan 5 09:01Z: no" {
		t.Errorf("got %q, %t while it is fresh", detail, ok)
	}
	if _, ok := m.writeDenied(ro, morning.Add(deniedFor)); ok {
		t.Error("it is still denied")
	}
}

func TestCollisionsAreTriedLessAndLessAndTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		phase  v1alpha1.Phase
		random float64
		want   []float64
	}{
		{v1alpha1.PhaseShifting, 0, []float64{1, 2, 4, 8, 16, 24, 24}},
		{v1alpha1.PhaseShifting, 1, []float64{1.25, 2.5, 5, 10, 20, 30, 30}},
		{v1alpha1.PhaseRollingBack, 0, []float64{1, 2, 4, 4, 4, 4, 4}},
		{v1alpha1.PhaseRollingBack, 1, []float64{1.25, 2.5, 5, 5, 5, 5, 5}},
	} {
		told := events.NewFakeRecorder(9)
		clock := clocktesting.NewFakePassiveClock(morning)
		r := Reconciler{Recorder: told, Clock: clock, Process: clock, Random: func() float64 { return c.random }}
		ro := standingAt(t, rollout.Baking, rollout.Progressing)
		ro.Status.Phase = c.phase
		var got []float64
		for n := range c.want {
			result, err := r.explain(t.Context(), ro, writeError{error: &cloudrun.CallError{Op: "setting traffic", Kind: cloudrun.ErrConflict}})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, result.RequeueAfter.Seconds())
			if wanted := min(1, (n+1)/5); len(told.Events) != wanted {
				t.Errorf("%s: %d events after %d collisions", c.phase, len(told.Events), n+1)
			}
			clock.SetTime(clock.Now().Add(result.RequeueAfter))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: seconds between tries (-want +got):\n%s", c.phase, diff)
		}
		if event := <-told.Events; !strings.HasPrefix(event, "Warning Progressing Since Jan 5 09:00Z every write met") {
			t.Error(event)
		}
		r.memory.allowed(ro)
		if r.memory.failures(ro).told() {
			t.Error("it is told after a write was accepted")
		}
	}
}

func TestSomebodyElsesWriteIsToldUntilItIsSaved(t *testing.T) {
	t.Parallel()
	r := &Reconciler{}
	ro := object()
	r.memory.interleave(ro)
	r.seen(ro, rollout.Input{})
	for range 2 {
		if !r.memory.wasInterleaved(ro) {
			t.Error("a pass that failed lost it")
		}
	}
	r.seen(ro, rollout.Input{Service: rollout.Service{Interleaved: true}})
	if r.memory.wasInterleaved(ro) {
		t.Error("it is told once")
	}
}
