package kcc

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/configconnector"
)

var (
	risen = map[string]int{newWeb: 5, oldWeb: 95}
	back  = map[string]int{oldWeb: 100}
)

func TestAWriteOwnsTheTrafficListAndNothingElse(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.mustSet(town.rise)
	want := []any{
		object{"type": toRevision, "revision": newWeb, "percent": int64(5)},
		object{"type": toRevision, "revision": oldWeb, "percent": int64(95), "tag": rollout.Tag},
	}
	if diff := cmp.Diff(want, town.specTraffic()); diff != "" {
		t.Errorf("spec.traffic (-want +got):\n%s", diff)
	}
	for _, e := range town.object().GetManagedFields() {
		if e.Manager != Manager {
			continue
		}
		var fields any
		if err := json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(any(object{"f:spec": object{"f:traffic": object{}}}), fields); diff != "" || e.Operation != metav1.ManagedFieldsOperationApply {
			t.Errorf("%s owns by %s (-want +got):\n%s", e.Manager, e.Operation, diff)
		}
	}
	if town.direct() != 0 {
		t.Errorf("%d writes to Cloud Run, want none", town.direct())
	}
}

func TestAWriteIsAskedForAtOnceAndSettledWhenBothSidesAgree(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.mustSet(town.rise)
	s := town.seen(town.target())
	if diff := cmp.Diff(map[string]int64{newWeb: 5, oldWeb: 95}, sums(s.Desired)); diff != "" || !s.Reconciling {
		t.Errorf("before Config Connector acts: reconciling %v, desired (-want +got):\n%s", s.Reconciling, diff)
	}
	if diff := cmp.Diff(map[string]int64{newWeb: 50, oldWeb: 50}, sums(s.Effective)); diff != "" {
		t.Errorf("before Config Connector acts: effective (-want +got):\n%s", diff)
	}
	if why := unsettled(town.seen(town.target())); !strings.Contains(why, "observed generation") {
		t.Errorf("unsettled: %q", why)
	}
	town.run()
	town.wantAsked(risen)
	if why := unsettled(town.seen(town.target())); !strings.Contains(why, "Updating") {
		t.Errorf("unsettled while it is updated: %q", why)
	}
	town.settle()
	if s := town.seen(town.target()); unsettled(s) != "" || len(s.Effective) == 0 {
		t.Errorf("unsettled: %q", unsettled(s))
	}
}

func TestTheSameWriteAgainChangesNothing(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.mustSet(town.wayBack)
	before := town.object().GetResourceVersion()
	town.mustSet(town.wayBack)
	if after := town.object().GetResourceVersion(); after != before {
		t.Errorf("version %s became %s", before, after)
	}
}

// Whose traffic it is.

func TestTrafficOfSomebodyElseIsNotWritten(t *testing.T) {
	t.Parallel()
	for _, manager := range []string{"configsync.gke.io", "argocd-controller", "team-tool"} {
		t.Run(manager, func(t *testing.T) {
			t.Parallel()
			town := newTown(t)
			halves := []any{
				object{"type": toRevision, "revision": newWeb, "percent": int64(50)}, object{"type": toRevision, "revision": oldWeb, "percent": int64(50)},
			}
			town.apply(manager, object{"traffic": halves})
			town.settle()
			err := town.set(town.rise)
			if !errors.Is(err, ErrOwned) || !errors.Is(err, cloudrun.ErrDenied) || !strings.Contains(err.Error(), manager) {
				t.Errorf("error %v, want one that names %s", err, manager)
			}
			if diff := cmp.Diff(halves, town.specTraffic()); diff != "" {
				t.Errorf("spec.traffic (-want +got):\n%s", diff)
			}
			findings := Preflight(town.look(town.target()))
			if len(findings) != 1 || findings[0].Topic != TrafficOwned || !strings.Contains(findings[0].Text, manager) {
				t.Errorf("findings %+v, want the owner", findings)
			}
		})
	}
}

func TestAnEditByHandIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.mustSet(town.rise)
	town.settle()
	town.edit(func(o *unstructured.Unstructured) {
		list := []any{object{"type": toRevision, "revision": newWeb, "percent": int64(100)}}
		_ = unstructured.SetNestedSlice(o.Object, list, "spec", "traffic")
	})
	if err := town.set(town.wayBack); !errors.Is(err, ErrOwned) || !strings.Contains(err.Error(), "kubectl-edit") {
		t.Errorf("error %v, want one that names kubectl-edit", err)
	}
}

func TestSelfHealFromGitTakesTheListAndIsSeen(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.mustSet(town.rise)
	town.settle()
	everything := object{"type": toRevision, "revision": newWeb, "percent": int64(100)}
	town.apply("configsync.gke.io", object{"traffic": []any{everything}})
	s := town.seen(town.target())
	if diff := cmp.Diff(map[string]int64{newWeb: 100}, sums(s.Desired)); diff != "" {
		t.Errorf("desired (-want +got):\n%s", diff)
	}
	if err := town.set(town.wayBack); !errors.Is(err, ErrOwned) {
		t.Errorf("error %v, want ErrOwned", err)
	}
}

func TestTrafficThatConfigConnectorWroteIsTaken(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.edit(annotation(stateIntoSpec, merge))
	town.world.Advance(time.Hour)
	town.settle()
	if diff := cmp.Diff([]string{connector}, town.owners()); diff != "" {
		t.Fatalf("owners (-want +got):\n%s", diff)
	}
	town.mustSet(town.rise)
	if diff := cmp.Diff([]string{Manager}, town.owners()); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	town.settle()
	town.wantAsked(risen)
}

// What a write rests on.

func TestAWriteOnAnotherVersionIsRefused(t *testing.T) {
	t.Parallel()
	elsewhere := []simulator.TrafficTarget{{Revision: newWeb, Percent: 100}}
	for says, meddle := range map[string]func(*town){
		"spec was edited": func(town *town) { town.apply("somebody", object{"description": "edited"}) },
		"the service was edited": func(town *town) {
			if err := town.world.EditTraffic(full, elsewhere, "person@example.com"); err != nil {
				town.Fatal(err)
			}
		},
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			town := newTown(t)
			target := town.target()
			w := town.rise(town.seen(target))
			meddle(town)
			if err := target.SetTraffic(t.Context(), ref, w); !errors.Is(err, cloudrun.ErrConflict) || len(town.specTraffic()) != 0 {
				t.Errorf("error %v, spec.traffic %v; want ErrConflict and nothing written", err, town.specTraffic())
			}
		})
	}
}

// slow is a Cloud Run whose answers take as long as they may by our clock.
type slow struct {
	Live
	clock *clocktesting.FakePassiveClock
	by    time.Duration
}

func (s slow) Service(ctx context.Context, ref rollout.ServiceRef) (rollout.Service, error) {
	s.clock.SetTime(s.clock.Now().Add(s.by))
	return s.Live.Service(ctx, ref)
}

// TestAWriteWhoseReadsTookTooLongIsNotSent: a person may have paused it meanwhile. One that
// may come whenever it does is sent.
func TestAWriteWhoseReadsTookTooLongIsNotSent(t *testing.T) {
	t.Parallel()
	for within, sent := range map[time.Duration]bool{5 * time.Second: false, time.Minute: true, 0: true} {
		t.Run(within.String(), func(t *testing.T) {
			t.Parallel()
			town := newTown(t)
			w := town.rise(town.seen(town.target())).Within(within)
			town.client = town.connect(plane.Config, func(o *Options) { o.Live = slow{o.Live, town.clock, 50 * time.Second} })
			err := town.target().SetTraffic(t.Context(), ref, w)
			if sent != (err == nil) || !sent && !errors.Is(err, rollout.ErrLate) || sent != (len(town.specTraffic()) > 0) {
				t.Errorf("error %v, spec.traffic %v; want it sent: %v", err, town.specTraffic(), sent)
			}
		})
	}
}

// TestARunServiceOfAnotherServiceIsLeftAlone: access is checked for the service that it
// was about when it was looked at first, and a write moves that of now.
func TestARunServiceOfAnotherServiceIsLeftAlone(t *testing.T) {
	t.Parallel()
	for says, edit := range map[string]func(*unstructured.Unstructured) error{
		"another name":    func(o *unstructured.Unstructured) error { return set(o, "salaries", "spec", "resourceID") },
		"another project": func(o *unstructured.Unstructured) error { return set(o, "acme-bank", "spec", "projectRef", "external") },
		"another region":  func(o *unstructured.Unstructured) error { return set(o, "europe-west1", "spec", "location") },
		"no project":      func(o *unstructured.Unstructured) error { return set(o, "123456", "spec", "projectRef", "external") },
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			town := newTown(t)
			target := town.target()
			w := town.rise(town.seen(target))
			town.edit(func(o *unstructured.Unstructured) {
				if err := edit(o); err != nil {
					t.Fatal(err)
				}
			})
			if s, err := target.Service(t.Context(), ref); !errors.Is(err, cloudrun.ErrConflict) {
				t.Errorf("it is read as %+v, error %v", s, err)
			}
			if err := target.SetTraffic(t.Context(), ref, w); !errors.Is(err, cloudrun.ErrConflict) || len(town.specTraffic()) != 0 {
				t.Errorf("error %v, spec.traffic %v; want ErrConflict and nothing written", err, town.specTraffic())
			}
		})
	}
}

func set(o *unstructured.Unstructured, value string, path ...string) error {
	return unstructured.SetNestedField(o.Object, value, path...)
}

func TestAWriteThatIsOvertakenIsRefusedByTheServer(t *testing.T) {
	t.Parallel()
	for says, meddle := range map[string]func(*town){
		"by an edit": func(town *town) { town.apply("somebody", object{"description": "edited"}) },
		"by its deletion": func(town *town) {
			if err := town.objects().Delete(town.Context(), town.key.Name, metav1.DeleteOptions{}); err != nil {
				town.Fatal(err)
			}
		},
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			town := newTown(t)
			w := town.rise(town.seen(town.target()))
			town.client.live = &meddling{town.client.live, func() { meddle(town) }}
			err := town.target().SetTraffic(t.Context(), ref, w)
			if !errors.Is(err, cloudrun.ErrConflict) {
				t.Errorf("error %v, want ErrConflict", err)
			}
			o, err := town.objects().Get(t.Context(), town.key.Name, metav1.GetOptions{})
			if err == nil {
				if _, written, _ := unstructured.NestedSlice(o.Object, "spec", "traffic"); written {
					t.Errorf("spec.traffic was written")
				}
			} else if !apierrors.IsNotFound(err) {
				t.Fatal(err)
			}
		})
	}
}

func TestARunServiceThatIsMissingIsAFact(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	target := town.client.Target(town.key.Namespace, "nobody")
	if s := town.seen(target); s.Presence != rollout.Missing || !strings.Contains(s.Detail, "nobody") {
		t.Errorf("service %+v, want it missing", s)
	}
	if _, s, err := target.Ref(t.Context()); err != nil || s.Presence != rollout.Missing || !strings.Contains(s.Detail, "nobody") {
		t.Errorf("service %+v, error %v", s, err)
	}
	w := town.rise(town.seen(town.target()))
	if err := target.SetTraffic(t.Context(), ref, w); !errors.Is(err, cloudrun.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
	if err := target.Release(t.Context()); err != nil {
		t.Errorf("releasing what is gone: %v", err)
	}
}

func TestItsServiceIsTheOneInSpec(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	if got, s, err := town.target().Ref(t.Context()); err != nil || s.Presence != rollout.Found || got != ref {
		t.Errorf("service %+v, %s, error %v; want %+v", got, s.Presence, err, ref)
	}
	town.edit(func(o *unstructured.Unstructured) {
		unstructured.RemoveNestedField(o.Object, "status")
		_ = unstructured.SetNestedField(o.Object, "123456789", "spec", "projectRef", "external")
	})
	if _, s, err := town.target().Ref(t.Context()); err != nil || s.Presence != rollout.Missing || !strings.Contains(s.Detail, "spec.projectRef.external") {
		t.Errorf("without a project: service %+v, error %v", s, err)
	}
}

// The way back, where Config Connector is late.

func TestAWayBackIsSetDirectlyWhereAnUpdateHoldsConfigConnectorUp(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.mustSet(town.rise)
	town.stuck()
	if stage := town.run(); stage != configconnector.Waiting {
		t.Fatalf("Config Connector is at %s", stage)
	}
	town.mustSet(town.wayBack)
	town.run()
	town.wantAsked(risen)

	town.mustSet(town.wayBack)
	if late := town.target().Late(town.look(town.target())); late != "" || town.direct() != 0 {
		t.Fatalf("late within its patience: %q; %d writes to Cloud Run", late, town.direct())
	}
	town.clock.SetTime(time.Now().Add(2 * DefaultPatience))
	if late := town.target().Late(town.look(town.target())); !strings.Contains(late, "observed generation") {
		t.Errorf("late: %q", late)
	}
	town.mustSet(town.wayBack)
	if town.direct() != 1 {
		t.Errorf("%d writes to Cloud Run, want 1", town.direct())
	}
	town.wantAsked(back)
	town.world.ClearFaults()
	town.settle()
	town.wantAsked(back)
	if why := unsettled(town.seen(town.target())); why != "" {
		t.Errorf("unsettled: %s", why)
	}
}

// stuck keeps Cloud Run from finishing what it is asked for.
func (t *town) stuck() {
	t.Helper()
	if err := t.world.Inject(simulator.Fault{Kind: simulator.FaultStuck, Resource: full}); err != nil {
		t.Fatal(err)
	}
}

func TestAnOldValueThatIsSentOnceMoreIsCorrected(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.mustSet(town.rise)
	town.step(configconnector.Read)
	town.step(configconnector.Announced)
	town.mustSet(town.wayBack)
	town.clock.SetTime(time.Now().Add(2 * DefaultPatience))
	town.mustSet(town.wayBack)
	town.wantAsked(back)
	town.step(configconnector.Waiting) // sends what it read before
	town.wantAsked(risen)
	if s := town.seen(town.target()); !cmp.Equal(sums(s.Desired), map[string]int64{oldWeb: 100}) {
		t.Errorf("desired %v: what was written is still what is asked for", s.Desired)
	}
	town.mustSet(town.wayBack)
	town.wantAsked(back)
	town.settle()
	town.wantAsked(back)
}

func TestAWayBackIsSetDirectlyWhereUpdatesAreRefused(t *testing.T) {
	t.Parallel()
	town := newTown(t, func(sc *simulator.Scenario) { sc.Services[0].Revisions = sc.Services[0].Revisions[:2] })
	town.mustSet(town.rise)
	town.settle()
	town.apply("kubectl", spec("example.com/web:3"))
	town.run()
	if s := town.look(town.target()); s.RunService.Standing() != Failed {
		t.Fatalf("standing %s, want Failed: %+v", s.RunService.Standing(), s.RunService.Ready)
	}
	town.mustSet(town.wayBack)
	town.run()
	town.wantAsked(risen)
	town.mustSet(town.wayBack)
	town.wantAsked(back)
}

func TestSpecIsWrittenBeforeTheServiceIs(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.clock.SetTime(time.Now().Add(24 * time.Hour))
	town.mustSet(town.wayBack)
	if len(town.specTraffic()) == 0 || town.direct() != 0 {
		t.Errorf("spec.traffic %v, %d writes to Cloud Run; want spec alone", town.specTraffic(), town.direct())
	}
	town.mustSet(town.wayBack)
	if town.direct() != 1 {
		t.Errorf("%d writes to Cloud Run, want 1", town.direct())
	}
}

func TestNothingIsSetDirectlyUnlessAllowed(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.client.direct = false
	town.clock.SetTime(time.Now().Add(24 * time.Hour))
	town.mustSet(town.wayBack)
	town.mustSet(town.wayBack)
	if late := town.target().Late(town.look(town.target())); late != "" || town.direct() != 0 {
		t.Errorf("late %q, %d writes to Cloud Run; want none", late, town.direct())
	}
}

// The end of it.

func TestReleasedTrafficIsNobodysAndStays(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.mustSet(town.rise)
	town.settle()
	if err := town.target().Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	town.world.Advance(time.Hour)
	town.settle()
	if len(town.specTraffic()) != 0 || len(town.owners()) != 0 {
		t.Errorf("spec.traffic %v, owners %v; want none", town.specTraffic(), town.owners())
	}
	town.wantAsked(risen)
}

func TestReleasedTrafficThatSomebodyElseOwnsTooIsTheirs(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.mustSet(town.rise)
	list := town.specTraffic()
	town.apply("configsync.gke.io", object{"traffic": list})
	if err := town.target().Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list, town.specTraffic()); diff != "" {
		t.Errorf("spec.traffic (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"configsync.gke.io"}, town.owners()); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
}

func TestReleasedTrafficIsWrittenAgainInMergeMode(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.edit(annotation(stateIntoSpec, merge))
	town.mustSet(town.rise)
	town.settle()
	if err := town.target().Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	town.settle()
	if diff := cmp.Diff([]string{connector}, town.owners()); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	town.wantAsked(risen)
}

func TestNothingIsReleasedThatWasNotOurs(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	before := town.object().GetResourceVersion()
	if err := town.target().Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := town.object().GetResourceVersion(); after != before {
		t.Errorf("version %s became %s", before, after)
	}
}

// What it is allowed to do.

func TestAUserWithTheRightsOfTheManagerCanDoAllOfIt(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.client = town.as("manager-"+town.key.Namespace, "get", "patch")
	town.mustSet(town.rise)
	if s := town.look(town.target()); s.Settings.Unread != "" {
		t.Errorf("settings are unread: %s", s.Settings.Unread)
	}
	if err := town.target().Release(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWithoutRightsItSaysSo(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	w := town.rise(town.seen(town.target()))
	town.client = town.as("reader-"+town.key.Namespace, "get")
	if err := town.target().SetTraffic(t.Context(), ref, w); !errors.Is(err, cloudrun.ErrDenied) || errors.Is(err, ErrOwned) {
		t.Errorf("error %v, want ErrDenied", err)
	}
	town.client = town.as("nobody-" + town.key.Namespace)
	if s := town.seen(town.target()); s.Presence != rollout.Denied {
		t.Errorf("service %+v, want it denied", s)
	}
	if unread := town.target().settings(t.Context(), RunService{Namespace: town.key.Namespace}).Unread; !strings.Contains(unread, "access denied") {
		t.Errorf("settings are unread: %q", unread)
	}
}
