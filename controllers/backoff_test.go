package controllers

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// unspread leaves every wait as it is at least.
func unspread() float64 { return 0 }

func TestAWaitIsSpreadByUpToAQuarterAndNeverBeyondItsLongest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wait, longest int
		want          [3]float64 // seconds, with 0, a half and 1
	}{
		{8, 120, [3]float64{8, 9, 10}},
		{96, 120, [3]float64{96, 108, 120}},
		{120, 120, [3]float64{96, 108, 120}},
		{3600, 5, [3]float64{4, 4.5, 5}},
		{0, 5, [3]float64{}},
	} {
		var got [3]float64
		for i, random := range []float64{0, 0.5, 1} {
			got[i] = spread(time.Duration(c.wait)*time.Second, time.Duration(c.longest)*time.Second, random).Seconds()
		}
		if got != c.want {
			t.Errorf("%d s of at most %d: %v, want %v", c.wait, c.longest, got, c.want)
		}
	}
}

func TestTheQueueBacksOffAndSpreadsItsWaits(t *testing.T) {
	t.Parallel()
	for random, want := range map[float64][]float64{
		0: {1, 2, 4, 8, 16, 24, 24, 1},
		1: {1.25, 2.5, 5, 10, 20, 30, 30, 1.25},
	} {
		r := &Reconciler{Random: func() float64 { return random }}
		queue, web := r.backoff(), reconcile.Request{NamespacedName: types.NamespacedName{Name: "web"}}
		var got []float64
		for i := range want {
			if i == len(want)-1 {
				queue.Forget(web)
			}
			got = append(got, queue.When(web).Seconds())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("random %v, seconds (-want +got):\n%s", random, diff)
		}
	}
}

func TestWithoutAnotherSourceWaitsAreSpreadAtRandom(t *testing.T) {
	t.Parallel()
	waits := map[time.Duration]bool{}
	for range 100 {
		wait := (&Reconciler{}).quietAgain(nil)
		if wait < restingWait || wait >= 2*restingWait {
			t.Errorf("a wait of %s", wait)
		}
		waits[wait] = true
	}
	if len(waits) < 50 {
		t.Errorf("%d different waits of 100", len(waits))
	}
}

// notAsked is a read that a quota kept from being made.
func notAsked(t *testing.T, after time.Duration) error {
	t.Helper()
	clock := clocktesting.NewFakePassiveClock(morning)
	client, err := cloudrun.New(t.Context(), cloudrun.Options{
		Endpoint: "http://127.0.0.1:1", Clock: clock, ReadsPerMinute: 1, Transport: newPlace(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ref := rollout.ServiceRef{Project: "acme-prod", Location: "asia-northeast1", Name: "web"}
	_, _ = client.Service(t.Context(), ref)
	clock.SetTime(morning.Add(time.Minute - after))
	_, err = client.Service(t.Context(), ref)
	if call, ok := errors.AsType[*cloudrun.CallError](err); !ok || call.RetryAfter.Round(time.Second) != after {
		t.Fatal(err)
	}
	return err
}

func TestALiveReadThatWasNotMadeIsSoonMadeUpFor(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]time.Duration{time.Second: notAskedWait, 20 * time.Second: 20 * time.Second} {
		saved, told := 0, events.NewFakeRecorder(9)
		clock := clocktesting.NewFakePassiveClock(morning)
		r := Reconciler{Client: stub{saved: &saved}, Recorder: told, Clock: clock, Process: clock, Random: unspread}
		ro := standingAt(t, rollout.Baking, rollout.Progressing)
		result, err := r.explain(t.Context(), ro, notAsked(t, after))
		if err != nil || result.RequeueAfter.Round(time.Second) != want || saved != 1 {
			t.Errorf("room in %s: again after %s, saved %d times, %v", after, result.RequeueAfter, saved, err)
		}
		if event := <-told.Events; !strings.Contains(event, "Sluice's own limit") || !strings.Contains(event, "--cloud-run-reads-per-minute raises it") {
			t.Error(event)
		}
	}
}

// TestAWayBackTriesAgainInSeconds: however long Cloud Run wants to be left alone,
// and whether reading or writing was too much.
func TestAWayBackTriesAgainInSeconds(t *testing.T) {
	t.Parallel()
	busy := &cloudrun.CallError{Op: "reading", Kind: cloudrun.ErrThrottled, RetryAfter: 90 * time.Second}
	for what, c := range map[string]struct {
		phase  rollout.Phase
		reason rollout.Reason
		err    error
	}{
		"a read of a way back that is under way": {rollout.RollingBack, rollout.ReasonRollingBack, busy},
		"its write":                              {rollout.RollingBack, rollout.ReasonRollingBack, writeError{error: busy}},
		"the read that would begin it":           {rollout.Baking, rollout.Progressing, wayBackError{busy}},
	} {
		saved, told := 0, events.NewFakeRecorder(9)
		clock := clocktesting.NewFakePassiveClock(morning)
		r := Reconciler{Client: stub{saved: &saved}, Recorder: told, Clock: clock, Process: clock, Random: unspread}
		ro := standingAt(t, c.phase, c.reason)
		result, err := r.explain(t.Context(), ro, c.err)
		if err != nil || result.RequeueAfter > longestWayBack || result.RequeueAfter < longestWayBack/2 {
			t.Errorf("%s: again after %s, %v", what, result.RequeueAfter, err)
		}
		if saved > 0 && ro.Status.NextAction != "Traffic stays as it is; tried again at least every 15 seconds." {
			t.Errorf("%s: %s", what, ro.Status.NextAction)
		}
	}
}

func TestARolloutAtRestIsLookedAtLaterWithoutAWord(t *testing.T) {
	t.Parallel()
	for _, phase := range []rollout.Phase{rollout.Idle, rollout.Completed, rollout.RolledBack} {
		saved, told := 0, events.NewFakeRecorder(9)
		clock := clocktesting.NewFakePassiveClock(morning)
		r := Reconciler{Client: stub{saved: &saved}, Recorder: told, Clock: clock, Process: clock, Random: unspread}
		ro := standingAt(t, phase, rollout.Reason(phase))
		ro.UID = "one"
		before := ro.DeepCopy()
		refused := restingError{notAsked(t, time.Second)}
		for range 59 {
			if result, err := r.explain(t.Context(), ro, refused); err != nil || result.RequeueAfter != restingWait {
				t.Fatalf("%s: again after %s, %v", phase, result.RequeueAfter, err)
			}
			clock.SetTime(clock.Now().Add(restingWait))
		}
		if diff := cmp.Diff(before, ro); diff != "" || saved != 0 || len(told.Events) != 0 {
			t.Errorf("%s: saved %d times, %d events:\n%s", phase, saved, len(told.Events), diff)
		}
		r.memory.looked(ro) // one look in between, and half an hour begins anew
		if _, err := r.explain(t.Context(), ro, refused); err != nil || saved != 0 {
			t.Errorf("%s: saved %d times, %v", phase, saved, err)
		}
		clock.SetTime(clock.Now().Add(restingLongest))
		if _, err := r.explain(t.Context(), ro, refused); err != nil || saved != 1 || len(told.Events) != 1 {
			t.Errorf("%s: after half an hour it is not said: %v", phase, err)
		}
	}
}

func TestWhatCannotWaitIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	refused := notAsked(t, time.Second)
	asked := &cloudrun.CallError{Op: "reading", Kind: cloudrun.ErrThrottled, Detail: "so it said"}
	for name, c := range map[string]struct {
		of  func() *v1alpha1.CloudRunRollout
		err error
	}{
		"it was never looked at":     {object, restingError{refused}},
		"something is under way":     {func() *v1alpha1.CloudRunRollout { return standingAt(t, rollout.Baking, rollout.Progressing) }, refused},
		"the API itself said so":     {func() *v1alpha1.CloudRunRollout { return standingAt(t, rollout.Completed, rollout.ReasonCompleted) }, restingError{asked}},
		"another failure of a look ": {func() *v1alpha1.CloudRunRollout { return standingAt(t, rollout.Completed, rollout.ReasonCompleted) }, restingError{errors.New("no")}},
	} {
		saved, told := 0, events.NewFakeRecorder(9)
		clock := clocktesting.NewFakePassiveClock(morning)
		r := Reconciler{Client: stub{saved: &saved}, Recorder: told, Clock: clock, Process: clock, Random: unspread}
		_, _ = r.explain(t.Context(), c.of(), c.err)
		if saved != 1 || len(told.Events) != 1 {
			t.Errorf("%s: saved %d times, %d events", name, saved, len(told.Events))
		}
	}
}

func TestWhoCanWaitIsWhoRests(t *testing.T) {
	t.Parallel()
	for phase := range rollout.Edges {
		want := phase == rollout.Idle || phase == rollout.Completed || phase == rollout.RolledBack
		ro := standingAt(t, phase, rollout.Progressing)
		if atRest(ro) != want {
			t.Errorf("%s: at rest is %t", phase, !want)
		}
		ro.Annotations = map[string]string{v1alpha1.RequestID: "1", v1alpha1.RequestVerb: "retry"}
		if atRest(ro) {
			t.Errorf("%s: a person waits for an answer", phase)
		}
		ro.Annotations = nil
		ro.Status.Attempt.Intents = []v1alpha1.Intent{{}}
		if atRest(ro) {
			t.Errorf("%s: a write is on its way", phase)
		}
	}
	if !atRest(object()) {
		t.Error("a new object, one of a thousand perhaps, does not wait")
	}
}
