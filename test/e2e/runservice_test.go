package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/controllers"
	"github.com/sluice-rollouts/sluice/internal/cli/show"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/kcc"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/view"
	"github.com/sluice-rollouts/sluice/test/configconnector"
)

const (
	directTarget = "{service: {project: acme-prod, location: asia-northeast1, name: web}}"
	toRunService = directTarget + "->{runServiceRef: {name: web}}"
)

// keptStage is a stage on which Config Connector keeps the service as a RunService
// says. Between two looks of Sluice it does what it can.
type keptStage struct {
	*stage
	connector *configconnector.Connector
	kept      types.NamespacedName           // the RunService
	clock     *clocktesting.FakePassiveClock // the API server's time, as Sluice sees it
	idle      bool                           // Config Connector is busy with something else
	spaces    []string                       // the namespaces of its cluster
}

// newKeptStage is such a stage, with changes to the object.
func newKeptStage(t *testing.T, changes string) *keptStage {
	t.Helper()
	s := &keptStage{stage: newStage(t, scenario, replaced(t, manifest, changes)), clock: clocktesting.NewFakePassiveClock(time.Now())}
	s.kept = types.NamespacedName{Namespace: s.key.Namespace, Name: "web"}
	s.world(func(w *simulator.World) {
		s.connector = configconnector.New(dynamic.NewForConfigOrDie(plane.Config), configconnector.In(w))
	})
	s.bind(s.key.Namespace)
	s.start()
	s.release("example.com/web:1", "web-1")
	s.settle()
	return s
}

// start is a new process, which opens what the manager opens: the RunService in the place
// of its service, behind the gate.
func (s *keptStage) start() {
	s.t.Helper()
	s.restart()
	live, err := cloudrun.New(s.t.Context(), cloudrun.Options{Endpoint: s.run, UserAgent: agent})
	if err != nil {
		s.t.Fatal(err)
	}
	keeper := kcc.New(kcc.Options{API: dynamic.NewForConfigOrDie(plane.Config), Live: live, Clock: s.clock, Direct: true})
	inner := s.reconciler.Connect
	gate := &controllers.Gate{Cache: s.client, Open: func(ctx context.Context, ro *v1alpha1.CloudRunRollout, _ string) (controllers.Cloud, error) {
		cloud, err := inner(ctx, ro)
		if ref := ro.Spec.Target.RunServiceRef; ref != nil {
			target := keeper.Target(ro.Namespace, ref.Name)
			cloud = cloud.Through(target, target, target)
		}
		return cloud, err
	}}
	s.reconciler.Connect, s.reconciler.Cluster = gate.Connect, "here"
	s.reconciler.Client = within{s.client, &s.spaces}
}

// within is the stage's own cluster: the namespaces of other stages are none of its.
type within struct {
	client.Client
	spaces *[]string
}

func (w within) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	err := w.Client.List(ctx, list, options...)
	if all, ok := list.(*v1alpha1.CloudRunRolloutList); ok {
		all.Items = slices.DeleteFunc(all.Items, func(ro v1alpha1.CloudRunRollout) bool { return !slices.Contains(*w.spaces, ro.Namespace) })
	}
	return err
}

// bind lets a namespace roll out the service.
func (s *keptStage) bind(namespace string) {
	s.t.Helper()
	s.spaces = append(s.spaces, namespace)
	a := &v1alpha1.CloudRunAccess{Spec: v1alpha1.CloudRunAccessSpec{
		Namespaces: []string{namespace},
		Services:   []v1alpha1.AccessibleServices{{Project: "acme-prod", Locations: []string{"asia-northeast1"}, Names: []string{"web"}}},
	}}
	a.Name = namespace
	if err := s.client.Create(s.t.Context(), a); err != nil {
		s.t.Fatal(err)
	}
}

func (s *keptStage) runServices() dynamic.ResourceInterface {
	return dynamic.NewForConfigOrDie(plane.Config).Resource(configconnector.RunServices).Namespace(s.key.Namespace)
}

// apply applies a spec of the RunService as somebody does from Git.
func (s *keptStage) apply(manager string, spec map[string]any) {
	s.t.Helper()
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "run.cnrm.cloud.google.com/v1beta1", "kind": "RunService", "spec": spec,
	}}
	o.SetName("web")
	if _, err := s.runServices().Apply(s.t.Context(), "web", o, metav1.ApplyOptions{FieldManager: manager, Force: true}); err != nil {
		s.t.Fatal(err)
	}
}

// release is what Git says of the service, without traffic.
func (s *keptStage) release(image, revision string) {
	s.t.Helper()
	s.releaseAs("git", image, revision)
}

// releaseAs is what a tool applies of it.
func (s *keptStage) releaseAs(manager, image, revision string) {
	s.t.Helper()
	s.apply(manager, map[string]any{
		"location": "asia-northeast1", "projectRef": map[string]any{"external": "acme-prod"},
		"template": map[string]any{"revision": revision, "containers": []any{map[string]any{"image": image}}},
	})
}

// annotate sets an annotation of the RunService to a value in JSON.
func (s *keptStage) annotate(key, value string) {
	s.t.Helper()
	change := []byte(fmt.Sprintf(`{"metadata":{"annotations":{%q:%s}}}`, key, value))
	if _, err := s.runServices().Patch(s.t.Context(), "web", types.MergePatchType, change, metav1.PatchOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// entries are spec.traffic as it stands; nil for none.
func (s *keptStage) entries() []any {
	s.t.Helper()
	o, err := s.runServices().Get(s.t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return trafficOf(o)
}

// traffic is spec.traffic: percent by revision; nil for none.
func (s *keptStage) traffic() map[string]int64 {
	s.t.Helper()
	var split map[string]int64
	for _, one := range s.entries() {
		entry, _ := one.(map[string]any)
		percent, _ := entry["percent"].(int64)
		revision, _ := entry["revision"].(string)
		if split == nil {
			split = map[string]int64{}
		}
		split[revision] += percent
	}
	return split
}

// act lets Config Connector do what it can without time passing.
func (s *keptStage) act() {
	s.t.Helper()
	if s.idle {
		return
	}
	s.world(func(*simulator.World) {
		if _, err := s.connector.Run(s.t.Context(), s.kept); err != nil {
			s.t.Fatal(err)
		}
	})
}

// settle lets Config Connector and Cloud Run finish.
func (s *keptStage) settle() {
	s.t.Helper()
	for range 5 {
		s.act()
		s.world(func(w *simulator.World) { w.Advance(10 * time.Second) })
	}
}

func (s *keptStage) pass() *v1alpha1.CloudRunRollout {
	s.t.Helper()
	s.act()
	ro := s.stage.pass()
	s.act()
	return ro
}

func (s *keptStage) until(phase v1alpha1.Phase) *v1alpha1.CloudRunRollout {
	s.t.Helper()
	return s.repeat(s.pass, phase)
}

// bakesKept is such a stage whose candidate bakes at 20 %.
func bakesKept(t *testing.T, image string) *keptStage {
	t.Helper()
	s := newKeptStage(t, toRunService)
	s.pass()
	s.release(image, "web-2")
	s.until(v1alpha1.PhaseBaking)
	return s
}

// direct counts the writes that Sluice made to Cloud Run itself.
func (s *keptStage) direct() int {
	n := 0
	for _, e := range s.log() {
		if e.Call != nil && e.Call.Operation == "services.patch" && e.Call.Caller != configconnector.Identity {
			n++
		}
	}
	return n
}

// says wants a state and a part of what the object says of it.
func (s *keptStage) says(phase v1alpha1.Phase, reason, part string) {
	s.t.Helper()
	ro := s.get()
	for _, c := range ro.Status.Conditions {
		if c.Type != v1alpha1.ConditionReady {
			continue
		}
		if ro.Status.Phase != phase || c.Reason != reason || !strings.Contains(c.Message, part) {
			s.t.Errorf("%s/%s: %q, want %s/%s and a part %q", ro.Status.Phase, c.Reason, c.Message, phase, reason, part)
		}
		return
	}
	s.t.Error("it says nothing")
}

func TestARunServiceIsRolledOut(t *testing.T) {
	t.Parallel()
	s := bakesKept(t, "example.com/web:2")
	if diff := cmp.Diff(map[string]int{"web-1": 80, "web-2": 20}, s.serves()); diff != "" {
		t.Errorf("serves (-want +got):\n%s", diff)
	}
	s.until(v1alpha1.PhaseCompleted)
	if diff := cmp.Diff(map[string]int64{"web-2": 100}, nonZero(s.traffic())); diff != "" {
		t.Errorf("spec.traffic (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"web-2": 100}, s.serves()); diff != "" || s.direct() != 0 {
		t.Errorf("%d writes to Cloud Run; serves (-want +got):\n%s", s.direct(), diff)
	}
	s.world(func(w *simulator.World) {
		live, err := w.GetService(service)
		if err != nil || live.Annotations[cloudrun.ClaimKey] != "" {
			t.Errorf("claimed by %q, error %v", live.Annotations[cloudrun.ClaimKey], err)
		}
	})
}

func nonZero(split map[string]int64) map[string]int64 {
	some := map[string]int64{}
	for revision, percent := range split {
		if percent > 0 {
			some[revision] = percent
		}
	}
	return some
}

func TestABadCandidateGoesBackThroughItsRunService(t *testing.T) {
	t.Parallel()
	s := bakesKept(t, "example.com/web:bad")
	s.until(v1alpha1.PhaseRolledBack)
	if diff := cmp.Diff(map[string]int{"web-1": 100}, s.serves()); diff != "" || s.direct() != 0 {
		t.Errorf("%d writes to Cloud Run; serves (-want +got):\n%s", s.direct(), diff)
	}
	s.says(v1alpha1.PhaseRolledBack, v1alpha1.ReasonRolledBack, "web-2 was given up")
}

func TestTrafficThatGitWritesIsNotFought(t *testing.T) {
	t.Parallel()
	s := newKeptStage(t, toRunService)
	all := map[string]any{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "web-1", "percent": int64(100)}
	s.apply("configsync.gke.io", map[string]any{"traffic": []any{all}})
	s.settle()
	s.pass()
	s.says(v1alpha1.PhaseIdle, v1alpha1.ReasonOwnedElsewhere, "remove spec.traffic from the RunService in Git")
	s.apply("configsync.gke.io", map[string]any{})
	s.settle()
	s.pass()
	s.says(v1alpha1.PhaseIdle, v1alpha1.ReasonSteady, "web-1 serves 100%")

	s.release("example.com/web:2", "web-2")
	s.until(v1alpha1.PhaseBaking)
	s.apply("configsync.gke.io", map[string]any{"traffic": []any{all}})
	s.settle()
	for range 3 {
		s.pass()
	}
	if diff := cmp.Diff(map[string]int64{"web-1": 100}, s.traffic()); diff != "" || s.direct() != 0 {
		t.Errorf("%d writes to Cloud Run; spec.traffic (-want +got):\n%s", s.direct(), diff)
	}
}

// TestAWayBackThatAnOwnerRefusesSaysWhoHasToLetGo: somebody owns spec.traffic as it stands
// too, so that nothing of it may be changed against their will.
func TestAWayBackThatAnOwnerRefusesSaysWhoHasToLetGo(t *testing.T) {
	t.Parallel()
	s := bakesKept(t, "example.com/web:2")
	s.reconciler.Process = told{s.guard} // a refused write is repeated after a minute
	s.apply("configsync.gke.io", map[string]any{"traffic": s.entries()})
	s.ask(v1alpha1.VerbAbort)
	for range 3 {
		s.pass()
	}
	const owned = `spec.traffic of RunService %s/web is owned by "configsync.gke.io": remove spec.traffic from the RunService in Git`
	s.says(v1alpha1.PhaseRollingBack, v1alpha1.ReasonRollingBack, fmt.Sprintf(owned, s.kept.Namespace))
	s.says(v1alpha1.PhaseRollingBack, v1alpha1.ReasonRollingBack, "until they let go of it, or send everything to web-1 themselves")
	for _, c := range s.get().Status.Conditions {
		if strings.Contains(c.Message, "access to the service") {
			t.Errorf("%s speaks of access: %s", c.Type, c.Message)
		}
	}
	s.apply("configsync.gke.io", map[string]any{})
	s.until(v1alpha1.PhaseRolledBack)
}

// TestAWayBackDoesNotWaitForConfigConnector that is busy with something else: it is
// written to the RunService first, and set on the service once that is late.
func TestAWayBackDoesNotWaitForConfigConnector(t *testing.T) {
	t.Parallel()
	s := bakesKept(t, "example.com/web:2")
	s.idle = true
	s.ask(v1alpha1.VerbAbort)
	for range 4 {
		s.pass()
	}
	s.says(v1alpha1.PhaseRollingBack, v1alpha1.ReasonRollingBack, "Config Connector has observed generation")
	if diff := cmp.Diff(map[string]int64{"web-1": 100}, s.traffic()); diff != "" || s.direct() != 0 {
		t.Fatalf("%d writes to Cloud Run; spec.traffic (-want +got):\n%s", s.direct(), diff)
	}
	s.clock.SetTime(s.clock.Now().Add(time.Hour))
	for range 4 {
		s.pass()
	}
	if diff := cmp.Diff(map[string]int{"web-1": 100}, s.serves()); diff != "" || s.direct() != 1 {
		t.Errorf("%d writes to Cloud Run, want 1; serves (-want +got):\n%s", s.direct(), diff)
	}
	s.says(v1alpha1.PhaseRollingBack, v1alpha1.ReasonRollingBack, "Done when Config Connector has carried it out")
	s.idle = false
	s.until(v1alpha1.PhaseRolledBack)
	if s.direct() != 1 {
		t.Errorf("%d writes to Cloud Run, want 1", s.direct())
	}
}

func TestADeletedRolloutGivesItsRunServiceUp(t *testing.T) {
	t.Parallel()
	s := bakesKept(t, "example.com/web:2")
	s.until(v1alpha1.PhaseCompleted)
	if diff := cmp.Diff([]string{v1alpha1.FinalizerRelease}, s.finalizers()); diff != "" {
		t.Fatalf("finalizers (-want +got):\n%s", diff)
	}
	s.remove()
	s.untilGone()
	if split := s.traffic(); split != nil {
		t.Errorf("spec.traffic is %v, want none", split)
	}
	s.settle()
	if diff := cmp.Diff(map[string]int{"web-2": 100}, s.serves()); diff != "" {
		t.Errorf("serves (-want +got):\n%s", diff)
	}
	if told := s.eventsOf(v1alpha1.ReasonReleased); len(told) != 1 || !strings.Contains(told[0], "left at web-2 100%; pinned; spec.traffic of RunService web") {
		t.Errorf("told %q", told)
	}
}

// younger makes a rollout of a RunService that is younger than that of the stage by the
// API server's clock, which counts seconds.
func (s *keptStage) younger(namespace, name, runService string) *v1alpha1.CloudRunRollout {
	s.t.Helper()
	for elder := s.get(); ; {
		ro := &v1alpha1.CloudRunRollout{Spec: *elder.Spec.DeepCopy()}
		ro.Namespace, ro.Name, ro.Spec.Target.RunServiceRef.Name = namespace, name, runService
		if err := s.client.Create(s.t.Context(), ro); err != nil {
			s.t.Fatal(err)
		}
		if elder.CreationTimestamp.Before(&ro.CreationTimestamp) {
			return ro
		}
		if err := s.client.Delete(s.t.Context(), ro); err != nil {
			s.t.Fatal(err)
		}
	}
}

// look is a pass on the object of the stage, without time passing.
func (s *keptStage) look() ctrl.Result {
	s.t.Helper()
	result, err := s.reconciler.Reconcile(s.t.Context(), s.get())
	if err != nil {
		s.t.Fatal(err)
	}
	return result
}

// TestTwoObjectsOnOneRunServiceAreToldApart: the one that was made first moves it.
func TestTwoObjectsOnOneRunServiceAreToldApart(t *testing.T) {
	t.Parallel()
	s := bakesKept(t, "example.com/web:2")
	before := s.traffic()
	s.key = client.ObjectKeyFromObject(s.younger(s.key.Namespace, "web-too", "web"))
	s.due = 0
	s.look()
	s.says(v1alpha1.PhaseIdle, v1alpha1.ReasonOwnedElsewhere, "is moved by CloudRunRollout web, which is older")
	s.remove()
	s.untilGone()
	if diff := cmp.Diff(before, s.traffic()); diff != "" {
		t.Errorf("spec.traffic after the younger one was deleted (-want +got):\n%s", diff)
	}
	if err := s.client.Get(t.Context(), s.key, &v1alpha1.CloudRunRollout{}); !apierrors.IsNotFound(err) {
		t.Errorf("it is still there: %v", err)
	}
}

// TestTwoRunServicesOfOneServiceAreToldApart: the object that was made first moves the
// service, by whichever RunService; a new process waits until it knows.
func TestTwoRunServicesOfOneServiceAreToldApart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		elsewhere bool
		said      string
	}{
		"of another name":      {false, "the service of RunService web-2 is moved by CloudRunRollout web, which is older"},
		"in another namespace": {true, "the service of RunService web-2 is moved by a CloudRunRollout in another namespace, which is older"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := bakesKept(t, "example.com/web:2")
			first, namespace := s.key, s.key.Namespace
			if c.elsewhere {
				namespace = newNamespace(t, s.client)
				s.bind(namespace)
			}
			another := s.another(namespace)
			second := s.younger(namespace, "web-too", "web-2")
			s.start()
			s.key = client.ObjectKeyFromObject(second)
			if result := s.look(); result.RequeueAfter != time.Second || s.get().Status.Phase != "" {
				t.Errorf("before the older one was looked at it is %s, looked at again in %s", s.get().Status.Phase, result.RequeueAfter)
			}
			s.key = first
			s.look()
			s.key = client.ObjectKeyFromObject(second)
			for range 3 {
				s.look()
			}
			s.says(v1alpha1.PhaseIdle, v1alpha1.ReasonOwnedElsewhere, c.said)
			if o, err := another.Get(t.Context(), "web-2", metav1.GetOptions{}); err != nil || trafficOf(o) != nil {
				t.Errorf("spec.traffic of the younger one's RunService is %v (%v)", trafficOf(o), err)
			}
			s.key = first
			s.until(v1alpha1.PhaseCompleted)
		})
	}
}

// another makes a second RunService of the service in a namespace.
func (s *keptStage) another(namespace string) dynamic.ResourceInterface {
	s.t.Helper()
	all := dynamic.NewForConfigOrDie(plane.Config).Resource(configconnector.RunServices).Namespace(namespace)
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "run.cnrm.cloud.google.com/v1beta1", "kind": "RunService", "spec": map[string]any{
			"location": "asia-northeast1", "projectRef": map[string]any{"external": "acme-prod"}, "resourceID": "web",
			"template": map[string]any{"containers": []any{map[string]any{"image": "example.com/web:1"}}},
		},
	}}
	o.SetName("web-2")
	if _, err := all.Create(s.t.Context(), o, metav1.CreateOptions{}); err != nil {
		s.t.Fatal(err)
	}
	return all
}

func trafficOf(o *unstructured.Unstructured) []any {
	list, _, _ := unstructured.NestedSlice(o.Object, "spec", "traffic")
	return list
}

func TestAServiceThatConfigConnectorKeepsIsNotMovedPastIt(t *testing.T) {
	t.Parallel()
	s := newKeptStage(t, "")
	s.pass()
	s.says(v1alpha1.PhaseIdle, v1alpha1.ReasonOwnedElsewhere, "write runServiceRef with the name of its RunService")
	s.release("example.com/web:2", "web-2")
	s.settle()
	for range 3 {
		s.pass()
	}
	if s.direct() != 0 || s.serves()["web-2"] != 0 {
		t.Errorf("%d writes to Cloud Run, serves %v", s.direct(), s.serves())
	}
	if deeds := view.Deeds(s.get()); len(deeds) != 1 || !strings.Contains(deeds[0].Command, "spec.target.runServiceRef") {
		t.Errorf("a person is offered %v", deeds)
	}
}

func TestARunServiceThatIsNotThereIsTold(t *testing.T) {
	t.Parallel()
	s := newKeptStage(t, directTarget+"->{runServiceRef: {name: nobody}}")
	s.pass()
	s.says(v1alpha1.PhaseIdle, v1alpha1.ReasonServiceNotFound, "Apply the RunService in this namespace")
}

// TestWhatConfigConnectorDoesIsToldWhenARolloutStarts: merge mode keeps nothing from
// starting, nor does traffic that follows LATEST, which is pinned before.
func TestWhatConfigConnectorDoesIsToldWhenARolloutStarts(t *testing.T) {
	t.Parallel()
	latest := []any{map[string]any{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": int64(100)}}
	for name, c := range map[string]struct {
		prepare    func(s *keptStage)
		kind, told string
	}{
		"merge mode": {func(s *keptStage) {
			s.annotate("cnrm.cloud.google.com/state-into-spec", `"merge"`)
		}, "Warning", "Config Connector writes live state into RunService"},
		"LATEST with weight": {func(s *keptStage) {
			s.apply("hand", map[string]any{"traffic": latest})
			s.settle()
			s.apply("hand", map[string]any{})
		}, "Normal Pinned", "traffic followed LATEST and is now pinned to web-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newKeptStage(t, toRunService)
			c.prepare(s)
			s.settle()
			s.pass()
			s.release("example.com/web:2", "web-2")
			s.until(v1alpha1.PhaseBaking)
			var told []string
			for len(s.events.Events) > 0 {
				told = append(told, <-s.events.Events)
			}
			if !slices.ContainsFunc(told, func(e string) bool { return strings.HasPrefix(e, c.kind) && strings.Contains(e, c.told) }) {
				t.Errorf("told %q, want %s with a part %q", told, c.kind, c.told)
			}
		})
	}
}

// TestAPauseOfConfigConnectorHoldsAStart, until it is over.
func TestAPauseOfConfigConnectorHoldsAStart(t *testing.T) {
	t.Parallel()
	s := newKeptStage(t, toRunService)
	s.pass()
	s.release("example.com/web:2", "web-2")
	s.settle()
	s.annotate(configconnector.PausedAnnotation, `"Paused"`)
	for range 20 { // the metrics come first
		s.pass()
	}
	s.says(v1alpha1.PhaseHeld, v1alpha1.ReasonHeldByAnalysis, "before the first write: Config Connector is paused by")
	if split := s.traffic(); split["web-2"] != 0 {
		t.Errorf("spec.traffic is %v", split)
	}
	s.annotate(configconnector.PausedAnnotation, "null")
	s.until(v1alpha1.PhaseBaking)
}

// TestATemplateThatConfigConnectorCannotCarryOutIsTold, with what serves, from when Git says
// so until it is mended; then the release is rolled out. kubectl sluice status says it too.
func TestATemplateThatConfigConnectorCannotCarryOutIsTold(t *testing.T) {
	t.Parallel()
	s := newKeptStage(t, toRunService)
	s.until(v1alpha1.PhaseIdle)
	s.says(v1alpha1.PhaseIdle, v1alpha1.ReasonSteady, "web-1 serves 100%")
	s.release("example.com/web:2", "web-1") // a name that is taken
	s.settle()
	s.pass()
	const waits = "web-1 serves 100%; what RunService web asks for is not carried out: its last update failed: "
	s.says(v1alpha1.PhaseIdle, v1alpha1.ReasonNotDeployed, waits)
	s.says(v1alpha1.PhaseIdle, v1alpha1.ReasonNotDeployed, "Revision named 'web-1' with different configuration already exists")
	ro := s.get()
	if !meta.IsStatusConditionTrue(ro.Status.Conditions, v1alpha1.ConditionStalled) || !meta.IsStatusConditionTrue(ro.Status.Conditions, v1alpha1.ConditionAccepted) {
		t.Errorf("conditions are %+v", ro.Status.Conditions)
	}
	if text := strings.Join(strings.Fields(show.Tree(ro, show.Screen{})), " "); !strings.Contains(text, waits) {
		t.Errorf("kubectl sluice status says %s", text)
	}
	s.release("example.com/web:2", "web-2")
	s.until(v1alpha1.PhaseCompleted)
	s.annotate(configconnector.PausedAnnotation, `"Paused"`)
	s.release("example.com/web:3", "web-3")
	s.settle()
	s.pass()
	s.says(v1alpha1.PhaseIdle, v1alpha1.ReasonNotDeployed, "web-2 serves 100%; what RunService web asks for is not carried out: Config Connector is paused by")
	s.annotate(configconnector.PausedAnnotation, "null")
	s.until(v1alpha1.PhaseCompleted)
	if diff := cmp.Diff(map[string]int{"web-3": 100}, s.serves()); diff != "" {
		t.Errorf("serves (-want +got):\n%s", diff)
	}
}

// TestToolsThatLeaveTrafficOutOfGitLeaveItToSluice applies a RunService without traffic by
// force, as each of docs/gitops does, while its candidate bakes.
func TestToolsThatLeaveTrafficOutOfGitLeaveItToSluice(t *testing.T) {
	t.Parallel()
	for _, manager := range []string{"argocd-controller", "configsync.gke.io", "kustomize-controller"} {
		t.Run(manager, func(t *testing.T) {
			t.Parallel()
			s := newKeptStage(t, toRunService)
			s.pass()
			s.releaseAs(manager, "example.com/web:2", "web-2")
			s.until(v1alpha1.PhaseBaking)
			s.releaseAs(manager, "example.com/web:2", "web-2") // self-heal
			s.settle()
			if diff := cmp.Diff(map[string]int64{"web-1": 80, "web-2": 20}, s.traffic()); diff != "" {
				t.Errorf("spec.traffic (-want +got):\n%s", diff)
			}
			s.until(v1alpha1.PhaseCompleted)
		})
	}
}

// TestArgoCDOwnsWhatItIsToldToIgnore: with RespectIgnoreDifferences it takes an ignored field
// from what is live into what it applies, and so becomes its owner.
func TestArgoCDOwnsWhatItIsToldToIgnore(t *testing.T) {
	t.Parallel()
	s := newKeptStage(t, toRunService)
	s.pass()
	s.release("example.com/web:2", "web-2")
	s.until(v1alpha1.PhaseCompleted)
	s.apply("argocd-controller", map[string]any{"traffic": s.entries()})
	s.settle()
	s.pass()
	s.says(v1alpha1.PhaseIdle, v1alpha1.ReasonOwnedElsewhere, "and from ignoreDifferences: with RespectIgnoreDifferences=true Argo CD applies what is live")
	s.apply("argocd-controller", map[string]any{})
	s.settle()
	for range 2 {
		s.pass()
	}
	s.says(v1alpha1.PhaseIdle, v1alpha1.ReasonSteady, "web-2 serves 100%")
}
