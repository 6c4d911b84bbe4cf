package configconnector_test

import (
	"os"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/configconnector"
	"github.com/sluice-rollouts/sluice/test/controlplane"
)

var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(controlplane.Main(m, &plane, controlplane.Options{CRDs: []string{"crd"}}))
}

const (
	project  = "acme-prod"
	location = "asia-northeast1"
	service  = "projects/" + project + "/locations/" + location + "/services/web"

	oldImage = "example.com/web:1"
	newImage = "example.com/web:2"
)

// town is one RunService, the service that it is about, and Config Connector
// between them.
type town struct {
	*testing.T
	client    dynamic.Interface
	world     *simulator.World
	connector *configconnector.Connector
	key       types.NamespacedName
	// old and new are the revisions of the service: all traffic is old's.
	old, new string
}

// newTown has a RunService without traffic that is up to date.
func newTown(t *testing.T, edits ...func(*simulator.Scenario)) *town {
	t.Helper()
	sc := simulator.Scenario{
		Seed: 1,
		Services: []simulator.Hosted{{
			Project: project, Location: location, Name: "web",
			Revisions: []simulator.Deployment{{Image: oldImage}, {Image: newImage}},
			Traffic:   []simulator.TrafficTarget{{Revision: "#1", Percent: 100}},
		}},
	}
	for _, edit := range edits {
		edit(&sc)
	}
	world, err := simulator.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	client := dynamic.NewForConfigOrDie(plane.Config)
	town := &town{T: t, client: client, world: world, connector: configconnector.New(client, configconnector.In(world))}
	town.key = types.NamespacedName{Namespace: town.namespace(), Name: "web"}
	revisions, err := world.ListRevisions(service)
	if err != nil {
		t.Fatal(err)
	}
	town.old, town.new = short(revisions[len(revisions)-1].Name), short(revisions[0].Name)
	town.apply("kubectl", runService(newImage))
	town.settle()
	return town
}

func (t *town) namespace() string {
	t.Helper()
	space := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"generateName": "town-"},
	}}
	made, err := t.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Create(
		t.Context(), space, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made.GetName()
}

// runService is what a team writes of its service, without traffic.
func runService(image string) map[string]any {
	return map[string]any{
		"location":   location,
		"projectRef": map[string]any{"external": project},
		"template":   map[string]any{"containers": []any{map[string]any{"image": image}}},
	}
}

// with is a spec with one more field.
func with(spec map[string]any, key string, value any) map[string]any {
	spec[key] = value
	return spec
}

// entry is one of spec.traffic, written in full.
func entry(revision string, percent int64) map[string]any {
	return map[string]any{"type": simulator.AllocateRevision, "revision": revision, "percent": percent}
}

func (t *town) tryApply(manager string, spec map[string]any, force bool) error {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "run.cnrm.cloud.google.com/v1beta1", "kind": "RunService", "spec": spec,
	}}
	object.SetName(t.key.Name)
	_, err := t.resource().Apply(t.Context(), t.key.Name, object, metav1.ApplyOptions{FieldManager: manager, Force: force})
	return err
}

// apply applies a spec, over whoever else owns what is in it.
func (t *town) apply(manager string, spec map[string]any) {
	t.Helper()
	if err := t.tryApply(manager, spec, true); err != nil {
		t.Fatal(err)
	}
}

// applyTraffic applies spec.traffic alone.
func (t *town) applyTraffic(manager string, entries ...any) {
	t.Helper()
	t.apply(manager, map[string]any{"traffic": append([]any{}, entries...)})
}

func (t *town) resource() dynamic.ResourceInterface {
	return t.client.Resource(configconnector.RunServices).Namespace(t.key.Namespace)
}

func (t *town) object() *unstructured.Unstructured {
	t.Helper()
	object, err := t.resource().Get(t.Context(), t.key.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// edit changes the object as a person does who is not asked for fields.
func (t *town) edit(change func(*unstructured.Unstructured)) {
	t.Helper()
	object := t.object()
	change(object)
	if _, err := t.resource().Update(t.Context(), object, metav1.UpdateOptions{FieldManager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
}

func annotate(key, value string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		all := o.GetAnnotations()
		if all == nil {
			all = map[string]string{}
		}
		all[key] = value
		o.SetAnnotations(all)
	}
}

// step lets Config Connector do one thing and expects it to be at a stage then.
func (t *town) step(want configconnector.Stage) {
	t.Helper()
	stage, err := t.connector.Step(t.Context(), t.key)
	if err != nil || stage != want {
		t.Fatalf("stage %s, want %s; error %v", stage, want, err)
	}
}

// run lets Config Connector do what it can without time passing.
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
		generation := t.object().GetGeneration()
		if t.run() == configconnector.Idle && t.object().GetGeneration() == generation && t.run() == configconnector.Idle {
			return
		}
		t.world.Advance(10 * time.Second)
	}
	t.Fatalf("Config Connector is not done: %v", t.object().Object["status"])
}

func (t *town) live() simulator.Service {
	t.Helper()
	live, err := t.world.GetService(service)
	if err != nil {
		t.Fatal(err)
	}
	return live
}

// serves is who has how much of the traffic that is asked for.
func (t *town) serves() map[string]int {
	t.Helper()
	split := map[string]int{}
	for _, one := range t.live().Traffic {
		split[one.Revision] += one.Percent
	}
	return split
}

// gcloud sets traffic directly, as a person does.
func (t *town) gcloud(entries ...simulator.TrafficTarget) {
	t.Helper()
	if err := t.world.EditTraffic(service, entries, "person@example.com"); err != nil {
		t.Fatal(err)
	}
	t.world.Advance(10 * time.Second)
}

// updates are the updates that Config Connector has sent since a number in the
// world's log.
func (t *town) updates(since int) []*simulator.Call {
	var calls []*simulator.Call
	for _, e := range t.world.LogSince(since) {
		if e.Call != nil && e.Call.Operation == "services.patch" && e.Call.Caller == configconnector.Identity {
			calls = append(calls, e.Call)
		}
	}
	return calls
}

func (t *town) logged() int { return len(t.world.Log()) }

// condition is reason and message of the object's condition Ready.
func (t *town) condition() (reason, message string) {
	t.Helper()
	conditions, _, _ := unstructured.NestedSlice(t.object().Object, "status", "conditions")
	if len(conditions) != 1 {
		t.Fatalf("conditions = %v, want one", conditions)
	}
	ready, _ := conditions[0].(map[string]any)
	reason, _ = ready["reason"].(string)
	message, _ = ready["message"].(string)
	return reason, message
}

func (t *town) observed() int64 {
	t.Helper()
	observed, _, _ := unstructured.NestedInt64(t.object().Object, "status", "observedGeneration")
	return observed
}

// owners are the managers of spec.traffic.
func (t *town) owners() []string {
	t.Helper()
	var owners []string
	for _, e := range t.object().GetManagedFields() {
		if e.FieldsV1 != nil && e.Subresource == "" && slices.Contains(fieldsOfSpec(t, e.FieldsV1.GetRawBytes()), "f:traffic") {
			owners = append(owners, e.Manager)
		}
	}
	slices.Sort(owners)
	return owners
}

// configure writes one of Config Connector's own settings, which all towns share
// unless they belong to a namespace.
func (t *town) configure(of schema.GroupVersionResource, kind, name string, spec map[string]any) {
	t.Helper()
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "core.cnrm.cloud.google.com/v1beta1", "kind": kind, "spec": spec,
	}}
	object.SetName(name)
	namespace := t.key.Namespace
	if of == configconnector.Clusters {
		namespace = ""
	}
	_, err := t.client.Resource(of).Namespace(namespace).Create(t.Context(), object, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
}
