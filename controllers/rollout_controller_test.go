package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// stage is one object on the control plane, a cloud of its own, and the
// reconciler between them, in told time.
type stage struct {
	t       *testing.T
	client  client.Client
	cloud   *fakeCloud
	clock   *clocktesting.FakePassiveClock
	process *clocktesting.FakePassiveClock
	events  *events.FakeRecorder
	r       *Reconciler
	key     client.ObjectKey
	outlets *fakeOutlets // nil for none
}

func newStage(t *testing.T) *stage {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	config := rest.CopyConfig(plane.Config)
	config.QPS = -1
	plain, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	c := &alone{plain}
	s := &stage{t: t, client: c, cloud: newCloud(), clock: clocktesting.NewFakePassiveClock(morning)}
	s.restart()
	ro := bare()
	ro.Name, ro.GenerateName = "", "web-"
	if err := c.Create(t.Context(), ro); err != nil {
		t.Fatal(err)
	}
	s.key = client.ObjectKeyFromObject(ro)
	t.Cleanup(func() {
		if err := client.IgnoreNotFound(c.Delete(context.WithoutCancel(t.Context()), ro)); err != nil {
			t.Error(err)
		}
	})
	return s
}

// restart is a new process: nothing is remembered.
func (s *stage) restart() {
	s.process, s.events = clocktesting.NewFakePassiveClock(morning), events.NewFakeRecorder(1000)
	s.r = &Reconciler{
		Random: unspread,
		Client: s.client, Clock: s.clock, Process: s.process, Recorder: s.events,
		Connect: func(context.Context, *v1alpha1.CloudRunRollout) (Cloud, error) {
			return Cloud{Observer: s.cloud, Actuator: s.cloud, Metrics: s.cloud}, nil
		},
	}
}

func (s *stage) get() *v1alpha1.CloudRunRollout {
	s.t.Helper()
	ro := &v1alpha1.CloudRunRollout{}
	if err := s.client.Get(s.t.Context(), s.key, ro); err != nil {
		s.t.Fatal(err)
	}
	return ro
}

// pass is one pass on the newest object.
func (s *stage) pass() ctrl.Result {
	s.t.Helper()
	result, err := s.r.Reconcile(s.t.Context(), s.get())
	if err != nil {
		s.t.Fatal(err)
	}
	return result
}

func (s *stage) wait(d time.Duration) {
	s.clock.SetTime(s.clock.Now().Add(d))
	s.process.SetTime(s.process.Now().Add(d))
}

// until makes passes, each when the one before asked for it, until a phase.
func (s *stage) until(phase v1alpha1.Phase) *v1alpha1.CloudRunRollout {
	s.t.Helper()
	for range 1000 {
		if ro := s.get(); ro.Status.Phase == phase {
			return ro
		}
		s.wait(s.pass().RequeueAfter)
	}
	s.t.Fatalf("never %s; it is %+v", phase, s.get().Status)
	return nil
}

// checking brings a candidate to the checks before its first write.
func (s *stage) checking() {
	s.t.Helper()
	s.pass()
	s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
	s.until(v1alpha1.PhaseChecking)
}

// started brings a candidate to the first step's bake.
func (s *stage) started() *v1alpha1.CloudRunRollout {
	s.t.Helper()
	s.pass()
	s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
	return s.until(v1alpha1.PhaseBaking)
}

// edit changes the object as a person does.
func (s *stage) edit(change func(*v1alpha1.CloudRunRollout)) {
	s.t.Helper()
	ro := s.get()
	change(ro)
	if err := s.client.Update(s.t.Context(), ro); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) request(id string, fields map[string]string) {
	s.t.Helper()
	s.edit(func(ro *v1alpha1.CloudRunRollout) {
		ro.Annotations = map[string]string{v1alpha1.RequestID: id}
		for field, value := range fields {
			ro.Annotations["request.rollouts.sluice.dev/"+field] = value
		}
	})
}

// told drains the events.
func (s *stage) told() []string {
	var all []string
	for len(s.events.Events) > 0 {
		all = append(all, <-s.events.Events)
	}
	return all
}

func TestAHealthyRolloutCompletes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.started()
	ro := s.until(v1alpha1.PhaseCompleted)
	if !meta.IsStatusConditionTrue(ro.Status.Conditions, v1alpha1.ConditionReady) || ro.Status.Stable.Revision != "web-2" || ro.Status.Stable.Percent != 100 {
		t.Errorf("status = %+v", ro.Status)
	}
	if got := s.cloud.sent(); got != 4 {
		t.Errorf("%d writes, want one for each step", got)
	}
}

func TestTheIntentIsSavedBeforeTheWrite(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.pass()
	s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
	seen := false
	s.cloud.onWrite = func() {
		ro := s.get()
		want := v1alpha1.Intent{
			Split:    []v1alpha1.Share{{Revision: "web-1", Percent: 95}, {Revision: "web-2", Percent: 5}},
			BaseEtag: s.cloud.service.ETag, BaseGeneration: s.cloud.service.Generation,
			Seq: 1,
		}
		got := ro.Status.Attempt.Intents
		if len(got) != 1 || ro.Status.Phase != v1alpha1.PhaseShifting {
			t.Fatalf("saved intents %+v in phase %s", got, ro.Status.Phase)
		}
		want.SavedAt = got[0].SavedAt
		if diff := cmp.Diff(want, got[0]); diff != "" {
			t.Errorf("intent (-want +got):\n%s", diff)
		}
		seen = true
	}
	s.until(v1alpha1.PhaseBaking)
	if !seen {
		t.Error("nothing was written")
	}
}

func TestAPauseBetweenReadAndWritePreventsTheWrite(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.checking()
	s.cloud.onRead = func() { s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec.Paused = true }) }
	if result := s.pass(); result.RequeueAfter != staleWait {
		t.Errorf("result = %+v", result)
	}
	s.pass()
	if ro := s.get(); s.cloud.sent() != 0 || ro.Status.Phase != v1alpha1.PhasePaused || ro.Status.Attempt.Intents != nil {
		t.Errorf("%d writes, phase %s", s.cloud.sent(), ro.Status.Phase)
	}
}

// TestAnUnchangedStatusIsNoExcuse: the decision to send the same write again
// changes nothing in status; a pause that came meanwhile must be seen all the same.
func TestAnUnchangedStatusIsNoExcuse(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.checking()
	s.cloud.setErr = &cloudrun.CallError{Op: "setting traffic", Kind: cloudrun.ErrAmbiguous}
	s.pass() // decided, saved, and lost on the way
	version := s.get().ResourceVersion
	s.pass() // the same again
	if s.get().ResourceVersion != version || s.cloud.sent() != 2 {
		t.Fatalf("%d writes; the object changed: %t; the test is to send the same twice", s.cloud.sent(), s.get().ResourceVersion != version)
	}
	s.cloud.onRead = func() { s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec.Paused = true }) }
	if result := s.pass(); result.RequeueAfter != staleWait || s.cloud.sent() != 2 {
		t.Errorf("result %+v, %d writes", result, s.cloud.sent())
	}
}

func TestAConflictEndsThePassWithoutAWrite(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.checking()
	s.cloud.onRead = func() { s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Labels = map[string]string{"team": "shop"} }) }
	s.told()
	if result := s.pass(); result.RequeueAfter != staleWait || s.cloud.sent() != 0 || len(s.told()) > 0 {
		t.Errorf("result %+v, %d writes", result, s.cloud.sent())
	}
}

func TestASlowSavePreventsTheWrite(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.checking()
	s.r.Client = slow{s.client, func() { s.process.SetTime(s.process.Now().Add(delta + time.Second)) }}
	s.told()
	if result := s.pass(); result.RequeueAfter != again || s.cloud.sent() != 0 {
		t.Errorf("result %+v, %d writes", result, s.cloud.sent())
	}
	if told := s.told(); len(told) != 1 || !strings.HasPrefix(told[0], "Normal Progressing ") {
		t.Errorf("told %q, want the state that was saved", told)
	}
	s.r.Client = s.client
	s.until(v1alpha1.PhaseBaking)
}

func TestASlowSaveDoesNotPreventAWayBack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.started()
	s.cloud.set(func() { s.cloud.errors["web-2"] = 50 })
	s.r.Client = slow{s.client, func() { s.process.SetTime(s.process.Now().Add(delta + time.Second)) }}
	s.until(v1alpha1.PhaseRolledBack)
}

// slow is a client whose status updates take long.
type slow struct {
	client.Client
	meanwhile func()
}

func (s slow) Status() client.SubResourceWriter { return slowWriter{s.Client.Status(), s.meanwhile} }

type slowWriter struct {
	client.SubResourceWriter
	meanwhile func()
}

func (s slowWriter) Update(ctx context.Context, o client.Object, options ...client.SubResourceUpdateOption) error {
	s.meanwhile()
	return s.SubResourceWriter.Update(ctx, o, options...)
}

func TestAStaleCacheIsNotDecidedOn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	cached := s.get()
	s.pass()
	reads := s.cloud.reads
	result, err := s.r.Reconcile(t.Context(), cached)
	if err != nil || result.RequeueAfter != staleWait || s.cloud.reads != reads {
		t.Errorf("result %+v, %v, %d reads", result, err, s.cloud.reads-reads)
	}
}

func TestAStaleCacheOfANewProcessCannotSave(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.pass()
	s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
	cached := s.until(v1alpha1.PhaseChecking)
	s.until(v1alpha1.PhaseBaking)
	sent := s.cloud.sent()
	s.restart()
	result, err := s.r.Reconcile(t.Context(), cached)
	if err != nil || result.RequeueAfter != staleWait || s.cloud.sent() != sent {
		t.Errorf("result %+v, %v, %d writes", result, err, s.cloud.sent()-sent)
	}
}

// TestASecondPassWritesNothing looks twice at an unchanged world in every state
// that lasts: no status, no event, no write.
func TestASecondPassWritesNothing(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*stage){
		"steady":  func(s *stage) { s.pass() },
		"baking":  func(s *stage) { s.started() },
		"paused":  func(s *stage) { s.started(); s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec.Paused = true }) },
		"breach":  func(s *stage) { s.cloud.errors["web-2"] = 5; s.started(); s.until(v1alpha1.PhaseRolledBack) },
		"done":    func(s *stage) { s.started(); s.until(v1alpha1.PhaseCompleted) },
		"missing": func(s *stage) { s.cloud.service = rollout.Service{Presence: rollout.Missing} },
		"denied":  func(s *stage) { s.cloud.service = rollout.Service{Presence: rollout.Denied, Detail: "no"} },
		"denied midway": func(s *stage) {
			s.started()
			s.cloud.set(func() { s.cloud.service.Presence, s.cloud.service.Detail = rollout.Denied, "no" })
		},
		"unowned": func(s *stage) {
			split := []rollout.Entry{{Revision: "web-1", Percent: 50}, {Revision: "web-2", Percent: 50}}
			s.cloud.deploy("web-2", created)
			s.cloud.set(func() { s.cloud.service.Desired, s.cloud.service.Effective = split, split })
		},
		"foreign": func(s *stage) {
			s.started()
			split := []rollout.Entry{{Revision: "web-1", Percent: 50}, {Revision: "web-2", Percent: 50}}
			s.cloud.set(func() { s.cloud.service.Desired, s.cloud.service.Effective = split, split; s.cloud.change() })
		},
	}
	for name, prepare := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			prepare(s)
			s.pass()
			s.pass()
			s.clock.SetTime(s.clock.Now().Truncate(time.Minute).Add(time.Minute + time.Second))
			s.pass()
			want, sent := s.get(), s.cloud.sent()
			s.told()
			for range 3 {
				s.wait(15 * time.Second)
				s.pass()
			}
			s.restart()
			s.pass()
			if diff := cmp.Diff(want, s.get()); diff != "" || s.cloud.sent() != sent {
				t.Errorf("%d writes; the object:\n%s", s.cloud.sent()-sent, diff)
			}
			if told := s.told(); len(told) > 0 {
				t.Errorf("told %q", told)
			}
		})
	}
}

// TestAnotherMinuteIsNoTurn: a minute more of evidence changes numbers, and
// neither history nor events nor traffic.
func TestAnotherMinuteIsNoTurn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.started()
	s.wait(7 * time.Minute)
	s.pass()
	before, sent := s.get(), s.cloud.sent()
	s.told()
	s.wait(time.Minute)
	s.pass()
	after := s.get()
	if after.Status.Attempt.BakedMinutes != before.Status.Attempt.BakedMinutes+1 {
		t.Errorf("baked %d, then %d minutes", before.Status.Attempt.BakedMinutes, after.Status.Attempt.BakedMinutes)
	}
	if diff := cmp.Diff(before.Status.History, after.Status.History); diff != "" || len(s.told()) > 0 || s.cloud.sent() != sent {
		t.Errorf("%d writes, history:\n%s", s.cloud.sent()-sent, diff)
	}
	ready := func(ro *v1alpha1.CloudRunRollout) time.Time {
		return meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady).LastTransitionTime.Time
	}
	if !ready(before).Equal(ready(after)) {
		t.Error("SINCE moved")
	}
}

func TestEventsHaveTheSavedReasonOrNameATransition(t *testing.T) {
	t.Parallel()
	transitions := []string{"RolloutStarted", "TrafficShifted", "StepPassed"}
	s := newStage(t)
	var told []string
	for i := range 1000 {
		s.wait(s.pass().RequeueAfter)
		ro := s.get()
		for _, event := range s.told() {
			fields := strings.Fields(event)
			told = append(told, fields[0]+" "+fields[1])
			if !slices.Contains(transitions, fields[1]) && fields[1] != ro.Status.Attempt.Reason {
				t.Errorf("%q while the saved reason is %s", event, ro.Status.Attempt.Reason)
			}
		}
		if ro.Status.Phase == v1alpha1.PhaseRolledBack {
			break
		}
		if i == 0 {
			s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
		}
		if ro.Status.Weight == "25%" {
			s.cloud.set(func() { s.cloud.errors["web-2"] = 30 })
		}
	}
	want := []string{
		"Normal Steady", "Normal RolloutStarted", "Normal Preparing", "Normal Progressing", "Normal TrafficShifted",
		"Normal StepPassed", "Normal TrafficShifted", "Warning RollingBack", "Warning RolledBack",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestTheStateIsToldAlthoughTheAnswerWasLost(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.started()
	s.cloud.set(func() { s.cloud.errors["web-2"], s.cloud.lose = 30, true })
	s.told()
	s.until(v1alpha1.PhaseRolledBack)
	var reasons []string
	for _, event := range s.told() {
		reasons = append(reasons, strings.Fields(event)[1])
	}
	if diff := cmp.Diff([]string{"RollingBack", "RolledBack"}, reasons); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if got := s.cloud.sent(); got != 2 {
		t.Errorf("%d writes, want the rise and one way back", got)
	}
}

func TestARequestIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.started()
	s.request("one", map[string]string{"verb": "approve", "attempt": "1", "step": "1"})
	s.told()
	s.pass()
	want := &v1alpha1.RequestStatus{ID: "one", Verb: "approve", Result: v1alpha1.RequestRefused}
	got := s.get().Status.LastRequest
	if got == nil || got.ID != want.ID || got.Verb != want.Verb || got.Result != want.Result || got.Message == "" {
		t.Fatalf("answer = %+v", got)
	}
	if told := s.told(); len(told) != 1 || !strings.HasPrefix(told[0], "Warning RequestRefused approve refused") {
		t.Errorf("told %q", told)
	}
	s.pass()
	s.restart()
	s.pass()
	if told := s.told(); len(told) > 0 {
		t.Errorf("told again: %q", told)
	}
	s.request("two", map[string]string{"verb": "abort", "by": "alice"})
	ro := s.until(v1alpha1.PhaseRolledBack)
	if ro.Status.LastRequest.ID != "two" || ro.Status.LastRequest.Result != v1alpha1.RequestAccepted {
		t.Errorf("answer = %+v", ro.Status.LastRequest)
	}
	if diff := cmp.Diff(rollout.NewSplit(map[string]int64{"web-1": 100}), s.cloud.serves()); diff != "" {
		t.Errorf("traffic:\n%s", diff)
	}
}

func TestADeletedObjectMovesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.pass()
	s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
	cached := s.until(v1alpha1.PhaseChecking)
	if len(cached.Finalizers) > 0 {
		t.Errorf("finalizers %v, want none", cached.Finalizers)
	}
	if err := s.client.Delete(t.Context(), cached.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	result, err := s.r.Reconcile(t.Context(), cached)
	if err != nil || s.cloud.sent() != 0 {
		t.Errorf("result %+v, %v, %d writes", result, err, s.cloud.sent())
	}
	if err := s.client.Get(t.Context(), s.key, cached); !apierrors.IsNotFound(err) {
		t.Errorf("the object: %v", err)
	}
}

func TestAnObjectThatIsBeingDeletedMovesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.pass()
	s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Finalizers = []string{"example.com/theirs"} })
	if err := s.client.Delete(t.Context(), s.get()); err != nil {
		t.Fatal(err)
	}
	s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
	reads := s.cloud.reads
	if result := s.pass(); result != (ctrl.Result{}) || s.cloud.reads != reads {
		t.Errorf("result %+v, %d reads", result, s.cloud.reads-reads)
	}
	s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Finalizers = nil })
}

// TestARevisionFromBeforeIsNoCandidate: creation times have fractions of a
// second, and status does not.
func TestARevisionFromBeforeIsNoCandidate(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.cloud.deploy("web-2", created.Add(300*time.Millisecond))
	for range 4 {
		s.wait(s.pass().RequeueAfter)
	}
	ro := s.get()
	if ro.Status.Phase != v1alpha1.PhaseIdle || ro.Status.Attempt.ID != 0 || !strings.Contains(ro.Status.NextAction, "web-2 existed before") {
		t.Errorf("phase %s, attempt %d: %s", ro.Status.Phase, ro.Status.Attempt.ID, ro.Status.NextAction)
	}
}

func TestADeniedWriteHoldsAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.pass()
	s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
	s.cloud.setErr = &cloudrun.CallError{Op: "setting traffic", Kind: cloudrun.ErrDenied, Detail: "Permission 'run.services.update' denied"}
	ro := s.until(v1alpha1.PhaseHeld)
	ready := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady)
	if ready.Reason != v1alpha1.ReasonAccessDenied || !strings.Contains(ready.Message, "run.services.update") ||
		!meta.IsStatusConditionTrue(ro.Status.Conditions, v1alpha1.ConditionReconciling) {
		t.Errorf("Ready = %+v", ready)
	}
	s.wait(s.pass().RequeueAfter)
	s.wait(s.pass().RequeueAfter)
	if s.cloud.sent() != 1 {
		t.Errorf("%d writes within the first minute", s.cloud.sent())
	}
	s.cloud.set(func() { s.cloud.setErr = nil })
	s.until(v1alpha1.PhaseBaking)
}

func TestAnOutageLeavesReadyAsItIs(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	before := s.started()
	ports := 40000
	for range 3 {
		ports++
		s.cloud.readErr = &cloudrun.CallError{Op: "reading", Kind: cloudrun.ErrUnavailable, Detail: "read tcp 127.0.0.1:" + string(rune(ports))}
		_, err := s.r.Reconcile(t.Context(), s.get())
		if !errors.Is(err, cloudrun.ErrUnavailable) {
			t.Fatalf("got %v", err)
		}
	}
	during := s.get()
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionReconciling} {
		was, is := meta.FindStatusCondition(before.Status.Conditions, kind), meta.FindStatusCondition(during.Status.Conditions, kind)
		if !strings.Contains(is.Message, "Cloud Run cannot be read since") {
			t.Errorf("%s does not say it: %s", kind, is.Message)
		}
		was.Message = is.Message
		if diff := cmp.Diff(was, is); diff != "" {
			t.Errorf("%s changed:\n%s", kind, diff)
		}
	}
	inSync := meta.FindStatusCondition(during.Status.Conditions, v1alpha1.ConditionTrafficInSync)
	if inSync.Reason != v1alpha1.ReasonTrafficUnknown {
		t.Errorf("TrafficInSync = %+v", inSync)
	}
	s.cloud.readErr = nil
	s.pass()
	if !meta.IsStatusConditionTrue(s.get().Status.Conditions, v1alpha1.ConditionTrafficInSync) {
		t.Error("it is still unknown after the outage")
	}
}

func TestConditionsAndStatusNameTheGeneration(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	if got := s.get().Status.ObservedGeneration; got != -1 {
		t.Errorf("before the first look %d, want -1", got)
	}
	s.pass()
	s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec.Strategy.StepDeadline = "2h" })
	s.pass()
	ro := s.get()
	if ro.Status.ObservedGeneration != ro.Generation || ro.Generation != 2 {
		t.Errorf("observed %d of %d", ro.Status.ObservedGeneration, ro.Generation)
	}
	for _, c := range ro.Status.Conditions {
		if c.ObservedGeneration != ro.Generation {
			t.Errorf("%s observed %d", c.Type, c.ObservedGeneration)
		}
	}
}

// TestAFullStatusIsAdmitted sends the largest status there can be.
func TestAFullStatusIsAdmitted(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ro := s.get()
	ro.Status = largest(t, ro)
	if err := s.client.Status().Update(t.Context(), ro); err != nil {
		t.Error(err)
	}
	text, err := json.Marshal(s.get().Status)
	if err != nil || len(text) > 32<<10 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}
