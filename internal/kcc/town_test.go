package kcc

import (
	"context"
	"maps"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
	"github.com/sluice-rollouts/sluice/test/configconnector"
	"github.com/sluice-rollouts/sluice/test/controlplane"
)

var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(controlplane.Main(m, &plane, controlplane.Options{CRDs: []string{"../../test/configconnector/crd"}}))
}

const (
	oldWeb = "web-old"
	newWeb = "web-new"
	image  = "example.com/web:2"
	full   = "projects/acme-prod/locations/asia-northeast1/services/web"
)

var ref = rollout.ServiceRef{Project: "acme-prod", Location: "asia-northeast1", Name: "web"}

// town is a RunService on a real API server, its service in a simulated Cloud Run,
// Config Connector between them, and the client under test. Its traffic is halved
// at first.
type town struct {
	*testing.T
	api       dynamic.Interface
	world     *simulator.World
	connector *configconnector.Connector
	key       types.NamespacedName
	clock     *clocktesting.FakePassiveClock
	client    *Client
}

func newTown(t *testing.T, edits ...func(*simulator.Scenario)) *town {
	t.Helper()
	sc := simulator.Scenario{Seed: 1, Services: []simulator.Hosted{{
		Project: ref.Project, Location: ref.Location, Name: ref.Name,
		Revisions: []simulator.Deployment{
			{Image: "example.com/web:1", Revision: oldWeb}, {Image: image, Revision: newWeb}, {Image: image},
		},
		Traffic: []simulator.TrafficTarget{{Revision: newWeb, Percent: 50}, {Revision: oldWeb, Percent: 50}},
	}}}
	for _, edit := range edits {
		edit(&sc)
	}
	world, err := simulator.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	town := &town{T: t, api: dynamic.NewForConfigOrDie(plane.Config), world: world, clock: clocktesting.NewFakePassiveClock(time.Now())}
	town.connector = configconnector.New(town.api, configconnector.In(world))
	town.key = types.NamespacedName{Namespace: town.namespace(), Name: "web"}
	town.client = town.connect(plane.Config, func(*Options) {})
	town.apply("kubectl", spec(image))
	town.settle()
	return town
}

// spec is what a team writes of its service, without traffic.
func spec(image string) object {
	return object{
		"location": ref.Location, "projectRef": object{"external": ref.Project},
		"template": object{"containers": []any{object{"image": image}}},
	}
}

func (t *town) namespace() string {
	t.Helper()
	space := &unstructured.Unstructured{Object: object{
		"apiVersion": "v1", "kind": "Namespace", "metadata": object{"generateName": "town-"},
	}}
	made, err := t.api.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Create(
		t.Context(), space, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made.GetName()
}

// connect makes a client that reaches Cloud Run over loopback, through the adapter
// that the manager uses.
func (t *town) connect(config *rest.Config, edit func(*Options)) *Client {
	t.Helper()
	guard := wire.NewGuard(t.world, clocktesting.NewFakePassiveClock(t.world.Now()))
	server := httptest.NewServer(wire.CloudRun(guard))
	t.Cleanup(server.Close)
	live, err := cloudrun.New(t.Context(), cloudrun.Options{Endpoint: server.URL, UserAgent: "sluice"})
	if err != nil {
		t.Fatal(err)
	}
	options := Options{API: dynamic.NewForConfigOrDie(config), Live: live, Clock: t.clock, Direct: true}
	edit(&options)
	return New(options)
}

func (t *town) target() *Target { return t.client.Target(t.key.Namespace, t.key.Name) }

func (t *town) objects() dynamic.ResourceInterface {
	return t.api.Resource(runServices).Namespace(t.key.Namespace)
}

func (t *town) object() *unstructured.Unstructured {
	t.Helper()
	o, err := t.objects().Get(t.Context(), t.key.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// apply applies a spec as somebody else, over whoever owns what is in it.
func (t *town) apply(manager string, spec object) {
	t.Helper()
	o := &unstructured.Unstructured{Object: object{"apiVersion": "run.cnrm.cloud.google.com/v1beta1", "kind": kind, "spec": spec}}
	o.SetName(t.key.Name)
	if _, err := t.objects().Apply(t.Context(), t.key.Name, o, metav1.ApplyOptions{FieldManager: manager, Force: true}); err != nil {
		t.Fatal(err)
	}
}

// edit changes the object as a person does with kubectl edit.
func (t *town) edit(change func(*unstructured.Unstructured)) {
	t.Helper()
	o := t.object()
	change(o)
	if _, err := t.objects().Update(t.Context(), o, metav1.UpdateOptions{FieldManager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
}

func annotation(key, value string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) { o.SetAnnotations(map[string]string{key: value}) }
}

// step lets Config Connector do one thing.
func (t *town) step(want configconnector.Stage) {
	t.Helper()
	if stage, err := t.connector.Step(t.Context(), t.key); err != nil || stage != want {
		t.Fatalf("Config Connector is at %s, want %s; error %v", stage, want, err)
	}
}

func (t *town) run() configconnector.Stage {
	t.Helper()
	stage, err := t.connector.Run(t.Context(), t.key)
	if err != nil {
		t.Fatal(err)
	}
	return stage
}

// settle lets Config Connector and Cloud Run finish what is due now.
func (t *town) settle() {
	t.Helper()
	for range 10 {
		done := t.run() == configconnector.Idle
		again := t.run() // what it wrote into spec itself is one more generation
		if done && again == configconnector.Idle && !t.live().Reconciling {
			return
		}
		t.world.Advance(10 * time.Second)
	}
	t.Fatalf("Config Connector is not done: %v", t.object().Object["status"])
}

func (t *town) live() simulator.Service {
	t.Helper()
	live, err := t.world.GetService(full)
	if err != nil {
		t.Fatal(err)
	}
	return live
}

// asked is who was asked to have how much of the traffic.
func (t *town) asked() map[string]int {
	t.Helper()
	split := map[string]int{}
	for _, one := range t.live().Traffic {
		if one.Percent > 0 {
			split[one.Revision] += one.Percent
		}
	}
	return split
}

func (t *town) wantAsked(want map[string]int) {
	t.Helper()
	if diff := cmp.Diff(want, t.asked()); diff != "" {
		t.Fatalf("Cloud Run was asked for (-want +got):\n%s", diff)
	}
}

// gcloud sets traffic directly, as a person does, and waits until it serves.
func (t *town) gcloud(split map[string]int) {
	t.Helper()
	var targets []simulator.TrafficTarget
	for _, revision := range slices.Sorted(maps.Keys(split)) {
		targets = append(targets, simulator.TrafficTarget{Revision: revision, Percent: split[revision]})
	}
	if err := t.world.EditTraffic(full, targets, "person@example.com"); err != nil {
		t.Fatal(err)
	}
	t.world.Advance(10 * time.Second)
}

// direct counts what we wrote to Cloud Run ourselves.
func (t *town) direct() int {
	n := 0
	for _, e := range t.world.Log() {
		if e.Call != nil && e.Call.Operation == "services.patch" && e.Call.UserAgent != "" && e.Call.Caller != configconnector.Identity {
			n++
		}
	}
	return n
}

// specTraffic is spec.traffic to the letter.
func (t *town) specTraffic() []any {
	t.Helper()
	list, _, err := unstructured.NestedSlice(t.object().Object, "spec", "traffic")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (t *town) owners() []string {
	t.Helper()
	var names []string
	for _, o := range ownersOf(t.object().GetManagedFields()) {
		names = append(names, o.Manager)
	}
	return names
}

// seen reads what the core would be shown.
func (t *town) seen(target *Target) rollout.Service {
	t.Helper()
	s, err := target.Service(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (t *town) look(target *Target) Sight {
	t.Helper()
	s, err := target.Look(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rise is what the core writes to give the new revision its 5 % where a person
// halved the traffic and then resumes.
func (t *town) rise(s rollout.Service) rollout.Write {
	t.Helper()
	return t.decide(s, rollout.Progress{Phase: rollout.Paused, Reason: rollout.TrafficConflict}, rollout.Request{ID: "1", Verb: rollout.Resume, Attempt: 1, Step: -1})
}

// wayBack is what the core writes to give the old revision everything.
func (t *town) wayBack(s rollout.Service) rollout.Write {
	t.Helper()
	return t.decide(s, rollout.Progress{Phase: rollout.Baking, Reason: rollout.Progressing}, rollout.Request{ID: "2", Verb: rollout.Abort, Attempt: 1, Step: -1})
}

func (t *town) decide(s rollout.Service, p rollout.Progress, asked rollout.Request) rollout.Write {
	t.Helper()
	p.Stable, p.Candidate, p.Attempt, p.FirstWrite = oldWeb, newWeb, 1, t.world.Now()
	p.Confirmed, p.Tagged = rollout.NewSplit(map[string]int64{newWeb: 5, oldWeb: 95}), oldWeb
	ready := func(name string) rollout.Revision {
		return rollout.Revision{Presence: rollout.Found, Name: name, Readiness: rollout.Ready}
	}
	d := rollout.Decide(rollout.Input{
		Plan:     rollout.Plan{Service: ref, RunService: "web", Steps: []rollout.Step{{Weight: 5, Bake: time.Minute}, {Weight: 100, Bake: time.Minute}}, StepDeadline: time.Hour},
		Progress: p, Service: s, Request: asked, Now: t.world.Now(),
		Revisions: map[string]rollout.Revision{oldWeb: ready(oldWeb), newWeb: ready(newWeb)},
	})
	if d.Write == nil {
		t.Fatalf("the core writes nothing: %s/%s: %s", d.Progress.Phase, d.Progress.Reason, d.Note)
	}
	return *d.Write
}

// set reads, and writes what is made of it: one pass.
func (t *town) set(decide func(rollout.Service) rollout.Write) error {
	target := t.target()
	return target.SetTraffic(t.Context(), ref, decide(t.seen(target)))
}

func (t *town) mustSet(decide func(rollout.Service) rollout.Write) {
	t.Helper()
	if err := t.set(decide); err != nil {
		t.Fatal(err)
	}
}

// meddling is Cloud Run where something happens before the next read is answered.
type meddling struct {
	Live

	before func()
}

func (m *meddling) Service(ctx context.Context, ref rollout.ServiceRef) (rollout.Service, error) {
	if m.before != nil {
		m.before()
		m.before = nil
	}
	return m.Live.Service(ctx, ref)
}

// as is the client in the hands of a user who may do such things to RunServices,
// and with any of them read Config Connector's settings.
func (t *town) as(name string, verbs ...string) *Client {
	t.Helper()
	config, err := plane.User(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(verbs) > 0 {
		t.allow(name, verbs)
	}
	return t.connect(config, func(*Options) {})
}

func (t *town) allow(name string, verbs []string) {
	t.Helper()
	rbac := schema.GroupVersion{Group: "rbac.authorization.k8s.io", Version: "v1"}
	var may []any
	for _, verb := range verbs {
		may = append(may, verb)
	}
	role := object{
		"apiVersion": rbac.String(), "kind": "ClusterRole", "metadata": object{"name": name},
		"rules": []any{
			object{"apiGroups": []any{"run.cnrm.cloud.google.com"}, "resources": []any{"runservices"}, "verbs": may},
			object{"apiGroups": []any{"core.cnrm.cloud.google.com"}, "resources": []any{"configconnectors", "configconnectorcontexts"}, "verbs": []any{"get"}},
		},
	}
	binding := object{
		"apiVersion": rbac.String(), "kind": "ClusterRoleBinding", "metadata": object{"name": name},
		"roleRef":  object{"apiGroup": rbac.Group, "kind": "ClusterRole", "name": name},
		"subjects": []any{object{"apiGroup": rbac.Group, "kind": "User", "name": name}},
	}
	for resource, o := range map[string]object{"clusterroles": role, "clusterrolebindings": binding} {
		if _, err := t.api.Resource(rbac.WithResource(resource)).Create(t.Context(), &unstructured.Unstructured{Object: o}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}
