package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// listing is a watcher that shows a service as it was when the list was made.
type listing struct {
	service   rollout.Service
	revisions map[string]rollout.Revision
	absent    bool
	maxAge    time.Duration // that was allowed last

	listErr, rememberErr error
}

func (l *listing) Listed(_ context.Context, _ rollout.ServiceRef, _ time.Time, maxAge time.Duration) (rollout.Service, bool, error) {
	l.maxAge = maxAge
	return l.service, !l.absent, l.listErr
}

func (l *listing) Remembered(
	context.Context, rollout.ServiceRef, []string, time.Time, time.Duration,
) (map[string]rollout.Revision, error) {
	return l.revisions, l.rememberErr
}

// watched is a rollout that is looked at, with a list that is up to date.
type watched struct {
	t     *testing.T
	r     *Reconciler
	cloud *fakeCloud
	list  *listing
	ro    *v1alpha1.CloudRunRollout
	clock *clocktesting.FakePassiveClock
}

// watching settles a rollout until nothing is left to write, so that the next
// look is one among many.
func watching(t *testing.T) *watched {
	t.Helper()
	clock := clocktesting.NewFakePassiveClock(morning)
	w := &watched{
		t: t, r: &Reconciler{Clock: clock, Process: clock}, cloud: newCloud(), list: &listing{absent: true}, ro: bare(), clock: clock,
	}
	w.look()
	w.look()
	w.list.absent = false
	w.listNow()
	return w
}

func (w *watched) listNow() {
	w.list.service, w.list.revisions = w.cloud.service, w.cloud.revisions
}

// look decides, saves and writes, and returns the live reads that it took.
func (w *watched) look() int {
	w.t.Helper()
	before := w.cloud.reads
	cloud := Cloud{Observer: w.cloud, Actuator: w.cloud, Metrics: w.cloud, Watcher: w.list}
	in, d, err := w.r.decide(w.t.Context(), cloud, w.ro)
	if err != nil {
		w.t.Fatal(err)
	}
	w.ro.Status = statusOf(w.ro, in, d)
	if d.Write != nil {
		if err := w.cloud.SetTraffic(w.t.Context(), in.Plan.Service, *d.Write); err != nil {
			w.t.Fatal(err)
		}
	}
	w.clock.SetTime(w.clock.Now().Add(time.Minute))
	return w.cloud.reads - before
}

// rollOut deploys a revision and waits until its first step bakes.
func (w *watched) rollOut() {
	w.t.Helper()
	w.cloud.deploy("web-2", morning)
	for range 10 {
		w.listNow()
		w.look()
		if w.ro.Status.Phase == v1alpha1.PhaseBaking && w.ro.Status.Attempt.BakedMinutes > 0 {
			w.listNow()
			return
		}
	}
	w.t.Fatalf("it is %s", w.ro.Status.Phase)
}

func TestNothingIsReadLiveWhileNothingHappens(t *testing.T) {
	t.Parallel()
	w := watching(t)
	if n := w.look(); n != 0 {
		t.Errorf("an idle look reads live %d times", n)
	}
	if w.list.maxAge != watchedIdle {
		t.Errorf("an idle look allows a list of %s, want %s", w.list.maxAge, watchedIdle)
	}
	w.rollOut()
	if n := w.look(); n != 0 {
		t.Errorf("a look at a bake reads live %d times", n)
	}
	if w.list.maxAge != watchedActive {
		t.Errorf("a look at a bake allows a list of %s, want %s", w.list.maxAge, watchedActive)
	}
	if got := w.ro.Status.Attempt.BakedMinutes; got < 2 {
		t.Errorf("%d minutes are baked: what is watched must count as evidence", got)
	}
}

func TestWhatChangesSomethingIsDecidedOnALiveRead(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*watched)
		want   v1alpha1.Phase
	}{
		"a new revision in the list": {func(w *watched) {
			w.cloud.deploy("web-2", morning)
			w.listNow()
		}, v1alpha1.PhaseChecking},
		"a new revision that is gone again": {func(w *watched) {
			before := w.cloud.service
			w.cloud.deploy("web-2", morning)
			w.listNow()
			before.Generation, before.ObservedGeneration = w.list.service.Generation+1, w.list.service.Generation+1
			w.cloud.service = before
		}, v1alpha1.PhaseIdle},
		"a candidate that fails": {func(w *watched) {
			w.rollOut()
			w.cloud.errors["web-2"] = 50
			w.listNow()
		}, v1alpha1.PhaseRollingBack},
		"somebody else's split": {func(w *watched) {
			w.rollOut()
			entries := []rollout.Entry{{Revision: "web-1", Percent: 50}, {Revision: "web-2", Percent: 50}}
			w.cloud.service.Desired, w.cloud.service.Effective = entries, entries
			w.cloud.change()
			w.listNow()
		}, v1alpha1.PhasePaused},
		"a person's request": {func(w *watched) {
			w.rollOut()
			w.ro.Annotations = map[string]string{v1alpha1.RequestID: "1", v1alpha1.RequestVerb: "abort"}
		}, v1alpha1.PhaseRollingBack},
		"an edited spec": {func(w *watched) {
			w.rollOut()
			w.ro.Spec.Paused, w.ro.Generation = true, 2
		}, v1alpha1.PhasePaused},
		"a list older than what was seen": {func(w *watched) {
			old := w.cloud.service
			w.rollOut()
			w.list.service = old
		}, v1alpha1.PhaseBaking},
		"a service that is not in the list": {func(w *watched) { w.list.absent = true }, v1alpha1.PhaseIdle},
		"an object that is being deleted": {func(w *watched) {
			w.rollOut()
			at := metav1.NewTime(w.clock.Now())
			w.ro.DeletionTimestamp = &at
		}, v1alpha1.PhaseRollingBack},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := watching(t)
			c.change(w)
			if n := w.look(); n != 1 {
				t.Errorf("it is decided on %d live reads, want 1", n)
			}
			if w.ro.Status.Phase != c.want {
				t.Errorf("it is %s, want %s", w.ro.Status.Phase, c.want)
			}
		})
	}
}

// TestAHotNeighbourAloneChangesNothing: that it was there is remembered anew each
// minute, and many behind one gateway would all read live for it.
func TestAHotNeighbourAloneChangesNothing(t *testing.T) {
	t.Parallel()
	in := rollout.Input{
		Service:  rollout.Service{Presence: rollout.Found},
		Progress: rollout.Progress{Phase: rollout.Baking, Company: rollout.Company{Since: morning, Until: morning}},
	}
	d := rollout.Decision{Progress: in.Progress}
	d.Progress.Company.Until = morning.Add(time.Minute)
	if !routine(in, d) {
		t.Error("it is read live")
	}
	if d.Progress.Step = 2; routine(in, d) {
		t.Error("another step is not")
	}
}

func TestAWriteUnderWayIsFollowedLive(t *testing.T) {
	t.Parallel()
	w := watching(t)
	w.cloud.deploy("web-2", morning)
	for range 20 {
		w.listNow()
		shifting := len(w.ro.Status.Attempt.Intents) > 0
		if n := w.look(); shifting && n != 1 {
			t.Fatalf("with a write under way %d live reads, want 1", n)
		}
	}
}

// TestNoListIsOlderThanTheLastLiveRead: what was told on that must not be told
// otherwise on something older.
func TestNoListIsOlderThanTheLastLiveRead(t *testing.T) {
	t.Parallel()
	w := watching(t) // it was read live a minute ago
	if w.look(); w.list.maxAge != watchedIdle {
		t.Errorf("a list of %s is allowed, want %s", w.list.maxAge, watchedIdle)
	}
	w.list.absent = true
	w.look()
	w.list.absent = false
	w.clock.SetTime(w.clock.Now().Add(-50 * time.Second))
	if w.look(); w.list.maxAge != 10*time.Second {
		t.Errorf("10 s after a live read a list of %s is allowed", w.list.maxAge)
	}
}

// TestALookThatAQuotaKeepsOutIsMadeUpOnlyWhereSomethingIsUnderWay: a live read
// for each of a thousand rollouts at rest would be worse than no look.
func TestALookThatAQuotaKeepsOutIsMadeUpOnlyWhereSomethingIsUnderWay(t *testing.T) {
	t.Parallel()
	refused := notAsked(t, time.Second)
	for what, refuse := range map[string]func(*listing){
		"a list":      func(l *listing) { l.listErr = refused },
		"a revision":  func(l *listing) { l.rememberErr = refused },
		"all of them": func(l *listing) { l.listErr, l.rememberErr = refused, refused },
	} {
		w := watching(t)
		refuse(w.list)
		_, _, err := w.r.decide(t.Context(), Cloud{Observer: w.cloud, Actuator: w.cloud, Metrics: w.cloud, Watcher: w.list}, w.ro)
		var rest restingError
		if !errors.As(err, &rest) || !errors.Is(err, cloudrun.ErrNotAsked) || w.cloud.reads != 2 {
			t.Errorf("%s, at rest: %v after %d live reads", what, err, w.cloud.reads-2)
		}
		*w.list = listing{absent: true}
		w.rollOut()
		w.list.absent = false
		refuse(w.list)
		if n := w.look(); n != 1 {
			t.Errorf("%s, during a bake: %d live reads, want 1", what, n)
		}
	}
}

// TestAFailedLookAtRestIsReadLiveUnlessAQuotaKeptItOut: what a live read finds out
// is said as before.
func TestAFailedLookAtRestIsReadLiveUnlessAQuotaKeptItOut(t *testing.T) {
	t.Parallel()
	w := watching(t)
	w.list.rememberErr = errors.New("the context ended")
	if n := w.look(); n != 1 {
		t.Errorf("%d live reads, want 1", n)
	}
}

// TestAnOldLookIsSavedByNobody: what a quota keeps from being seen may have changed
// since, like a split that a person set.
func TestAnOldLookIsSavedByNobody(t *testing.T) {
	t.Parallel()
	w := watching(t)
	w.rollOut()
	w.list.listErr = notAsked(t, time.Second)
	w.cloud.readErr = notAsked(t, time.Second)
	_, _, err := w.r.decide(t.Context(), Cloud{Observer: w.cloud, Actuator: w.cloud, Metrics: w.cloud, Watcher: w.list}, w.ro)
	if !errors.Is(err, cloudrun.ErrNotAsked) {
		t.Errorf("it was decided: %v", err)
	}
}

// TestWhatAnOldLookAsksToTakeBackStaysUrgentUntilItIsDecidedLive: the next look may be
// too old to show it again.
func TestWhatAnOldLookAsksToTakeBackStaysUrgentUntilItIsDecidedLive(t *testing.T) {
	t.Parallel()
	w := watching(t)
	w.rollOut()
	w.cloud.errors["web-2"] = 50
	w.clock.SetTime(w.clock.Now().Add(5 * time.Minute))
	refused := notAsked(t, time.Second)
	w.list.listErr, w.cloud.readErr = refused, refused
	cloud := Cloud{Observer: w.cloud, Actuator: w.cloud, Metrics: w.cloud, Watcher: w.list}
	for look := range 3 {
		_, _, err := w.r.decide(t.Context(), cloud, w.ro)
		if _, back := errors.AsType[wayBackError](err); !back {
			t.Fatalf("look %d: %v", look+1, err)
		}
		w.list.absent = true // from the second look on there is not even a list
	}
	w.cloud.readErr = nil
	if w.look(); w.ro.Status.Phase != v1alpha1.PhaseRollingBack {
		t.Errorf("it is %s", w.ro.Status.Phase)
	}
	if w.r.memory.pressed(w.ro) {
		t.Error("it was decided, and is still pressing")
	}
}

// TestALiveReadIsNoOlderThanTheListBeforeIt: a person's split in the list is not taken for
// healthy because the live read shows what was before it. Another service of that name is
// as old as it is.
func TestALiveReadIsNoOlderThanTheListBeforeIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		uid  string
		want string
	}{"the same service": {"", "it answered with generation 3, and a list had shown 4"}, "one made anew": {"another", ""}} {
		w := watching(t)
		w.rollOut()
		w.list.service.Generation++
		w.list.service.ObservedGeneration++
		w.list.service.Desired = []rollout.Entry{{Revision: "web-1", Percent: 50}, {Revision: "web-2", Percent: 50}}
		w.list.service.UID += c.uid
		_, _, err := w.r.decide(t.Context(), Cloud{Observer: w.cloud, Actuator: w.cloud, Metrics: w.cloud, Watcher: w.list}, w.ro)
		if told := fmt.Sprint(err); c.want == "" && err != nil || !strings.Contains(told, c.want) {
			t.Errorf("%s: it says %q, want %q", name, told, c.want)
		}
	}
}

// TestOneLateAnswerIsNoOutage: it decides nothing, and is told of only where it goes on.
func TestOneLateAnswerIsNoOutage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	before := s.started()
	list := &listing{service: s.cloud.service, revisions: s.cloud.revisions}
	list.service.Generation++
	list.service.ObservedGeneration++
	list.service.Desired = []rollout.Entry{{Revision: "web-1", Percent: 50}, {Revision: "web-2", Percent: 50}}
	list.service.Effective = list.service.Desired
	s.r.Connect = func(context.Context, *v1alpha1.CloudRunRollout) (Cloud, error) {
		return Cloud{Observer: s.cloud, Actuator: s.cloud, Metrics: s.cloud, Watcher: list}, nil
	}
	s.told()
	for _, after := range []time.Duration{0, 30 * time.Second} {
		s.wait(after)
		result, err := s.r.Reconcile(t.Context(), s.get())
		if told := s.told(); err != nil || len(told) > 0 || result.RequeueAfter < pastWait || result.RequeueAfter > 2*pastWait {
			t.Errorf("after %s: it tells %q and looks again in %s: %v", after, told, result.RequeueAfter, err)
		}
		if now := s.get(); now.ResourceVersion != before.ResourceVersion {
			t.Errorf("after %s it says %s", after, now.Status.NextAction)
		}
	}
	s.wait(time.Minute)
	if _, err := s.r.Reconcile(t.Context(), s.get()); err == nil || !strings.Contains(fmt.Sprint(s.told()), cannotBeRead) {
		t.Errorf("a minute later nobody is told: %v", err)
	}
}

// TestAListIsNotOlderThanWhatWasReadForAnotherObject: one that was let go, and that etcd brings
// back, must not be told what is known to be past; nor must one that comes after it.
func TestAListIsNotOlderThanWhatWasReadForAnotherObject(t *testing.T) {
	t.Parallel()
	w := watching(t)
	w.list.absent = true
	w.look()
	w.list.absent = false
	w.r.memory.forget(w.ro.UID)
	w.ro.UID = "another"
	w.clock.SetTime(w.clock.Now().Add(-50 * time.Second))
	if w.look(); w.list.maxAge != 10*time.Second {
		t.Errorf("10s after a live read a list may be %s old", w.list.maxAge)
	}
}

// TestWhatWasReadLongAgoIsForgotten: no list is so old.
func TestWhatWasReadLongAgoIsForgotten(t *testing.T) {
	t.Parallel()
	var m memory
	m.wasReadLive(rollout.ServiceRef{Name: "web"}, morning)
	m.wasReadLive(rollout.ServiceRef{Name: "cart"}, morning.Add(watchedIdle))
	if len(m.live) != 2 {
		t.Errorf("%v is remembered", m.live)
	}
	m.wasReadLive(rollout.ServiceRef{Name: "api"}, morning.Add(watchedIdle+1))
	if _, known := m.readLive(rollout.ServiceRef{Name: "web"}); known || len(m.live) != 2 {
		t.Errorf("%v is remembered", m.live)
	}
}
