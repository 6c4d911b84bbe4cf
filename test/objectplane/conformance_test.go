package objectplane_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/test/configconnector"
	"github.com/sluice-rollouts/sluice/test/controlplane"
	"github.com/sluice-rollouts/sluice/test/objectplane"
)

var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(controlplane.Main(m, &plane, controlplane.Options{CRDs: []string{"../configconnector/crd"}}))
}

type object = map[string]any

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

func newServer() (*objectplane.Server, *clocktesting.FakePassiveClock) {
	now := clocktesting.NewFakePassiveClock(noon)
	return objectplane.New(now), now
}

// play makes calls in a namespace, and writes down what is answered.
type play struct {
	t     *testing.T
	api   dynamic.ResourceInterface
	told  []string
	known []string // resource versions, as they were first seen
}

// TestConformance makes the same calls at the real apiserver and at the model.
func TestConformance(t *testing.T) {
	t.Parallel()
	for name, acts := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			apiserver := &play{t: t, api: dynamic.NewForConfigOrDie(plane.Config).Resource(configconnector.RunServices).Namespace(newNamespace(t))}
			acts(apiserver)
			s, _ := newServer()
			model := &play{t: t, api: s.As("").Resource(configconnector.RunServices).Namespace("shop")}
			acts(model)
			if diff := cmp.Diff(apiserver.told, model.told); diff != "" {
				t.Errorf("the model differs (-apiserver +model):\n%s", diff)
			}
			t.Logf("\n%s", strings.Join(apiserver.told, "\n"))
		})
	}
}

func newNamespace(t *testing.T) string {
	t.Helper()
	space := &unstructured.Unstructured{Object: object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"generateName": "town-"}}}
	made, err := dynamic.NewForConfigOrDie(plane.Config).Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Create(
		t.Context(), space, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made.GetName()
}

// runService is a RunService with some fields in spec.
func runService(spec object) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: object{"apiVersion": "run.cnrm.cloud.google.com/v1beta1", "kind": "RunService", "spec": spec}}
	o.SetName("web")
	return o
}

func inGit() object {
	return object{
		"location": "asia-northeast1", "projectRef": object{"external": "acme-prod"},
		"template": object{"containers": []any{object{"image": "web:1"}}},
	}
}

// traffic is spec.traffic of one revision.
func traffic(revision string) object {
	return object{"traffic": []any{object{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": revision, "percent": int64(100)}}}
}

func (p *play) say(call string, o *unstructured.Unstructured, err error) *unstructured.Unstructured {
	p.t.Helper()
	var refused apierrors.APIStatus
	switch {
	case errors.As(err, &refused):
		s := refused.Status()
		p.told = append(p.told, fmt.Sprintf("%s: %d %s", call, s.Code, s.Reason))
		if s.Details != nil {
			for _, c := range s.Details.Causes {
				p.told = append(p.told, fmt.Sprintf("  %s %s %s", c.Type, c.Field, c.Message))
			}
		}
		return nil
	case err != nil:
		p.t.Fatalf("%s: %v", call, err)
	}
	p.told = append(p.told, fmt.Sprintf("%s: version %d, generation %d, spec %v, status %v, labels %v", call,
		p.version(o.GetResourceVersion()), o.GetGeneration(), o.Object["spec"], o.Object["status"], o.GetLabels()))
	for _, e := range o.GetManagedFields() {
		p.told = append(p.told, fmt.Sprintf("  %s %s %s %s %s", e.Manager, e.Operation, e.APIVersion, e.Subresource, e.FieldsV1.GetRawBytes()))
	}
	return o
}

// version numbers the resource versions in the order in which they are met.
func (p *play) version(v string) int {
	i := slices.Index(p.known, v)
	if i < 0 {
		p.known = append(p.known, v)
		i = len(p.known) - 1
	}
	return i
}

func (p *play) get() *unstructured.Unstructured {
	p.t.Helper()
	o, err := p.api.Get(p.t.Context(), "web", metav1.GetOptions{})
	return p.say("get", o, err)
}

func (p *play) create(spec object) *unstructured.Unstructured {
	p.t.Helper()
	o := runService(spec)
	o.Object["status"] = object{"observedGeneration": int64(7)}
	o, err := p.api.Create(p.t.Context(), o, metav1.CreateOptions{FieldManager: "kubectl-create"})
	return p.say("create", o, err)
}

func (p *play) apply(manager string, force bool, o *unstructured.Unstructured) *unstructured.Unstructured {
	p.t.Helper()
	o, err := p.api.Apply(p.t.Context(), "web", o, metav1.ApplyOptions{FieldManager: manager, Force: force})
	return p.say("apply by "+manager, o, err)
}

// edit puts what was read back, with a change.
func (p *play) edit(o *unstructured.Unstructured, change func(*unstructured.Unstructured)) *unstructured.Unstructured {
	p.t.Helper()
	o = o.DeepCopy()
	change(o)
	o, err := p.api.Update(p.t.Context(), o, metav1.UpdateOptions{FieldManager: "kubectl-edit"})
	return p.say("update", o, err)
}

func (p *play) status(o *unstructured.Unstructured, change func(*unstructured.Unstructured)) *unstructured.Unstructured {
	p.t.Helper()
	o = o.DeepCopy()
	change(o)
	o, err := p.api.UpdateStatus(p.t.Context(), o, metav1.UpdateOptions{FieldManager: configconnector.Manager})
	return p.say("update status", o, err)
}

func set(path string, value any) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		if err := unstructured.SetNestedField(o.Object, value, strings.Split(path, ".")...); err != nil {
			panic(err)
		}
	}
}

// at is a configuration that rests on what was read.
func at(o *unstructured.Unstructured, spec object) *unstructured.Unstructured {
	next := runService(spec)
	next.SetUID(o.GetUID())
	next.SetResourceVersion(o.GetResourceVersion())
	return next
}

var table = map[string]func(*play){
	"an object is applied, taken in parts, and given up": func(p *play) {
		p.apply("git", true, runService(inGit()))
		p.apply("sluice/traffic", false, runService(traffic("web-1")))
		p.apply("sluice/traffic", false, runService(traffic("web-1")))
		p.apply("sluice/traffic", false, runService(traffic("web-2")))
		p.apply("git", true, runService(inGit()))
		p.apply("sluice/traffic", false, runService(object{}))
		p.get()
	},
	"a list has one owner, or several that agree": func(p *play) {
		p.apply("git", true, runService(inGit()))
		p.apply("sluice/traffic", false, runService(traffic("web-1")))
		p.apply("argocd-controller", false, runService(traffic("web-1")))
		p.apply("sluice/traffic", false, runService(traffic("web-2")))
		p.apply("sluice/traffic", true, runService(traffic("web-2")))
		p.apply("argocd-controller", false, runService(traffic("web-1")))
		p.apply("sluice/traffic", false, runService(object{}))
	},
	"what an update changes is its own": func(p *play) {
		o := p.create(inGit())
		o = p.edit(o, set("spec.resourceID", "web"))
		o = p.edit(o, func(*unstructured.Unstructured) {})
		o = p.edit(o, set("status.observedGeneration", int64(9)))
		p.edit(o, set("metadata.labels", object{"team": "shop"}))
		p.apply("sluice/traffic", false, runService(traffic("web-1")))
		o = p.edit(p.get(), set("spec.traffic", []any{}))
		p.apply("sluice/traffic", false, at(o, traffic("web-2")))
		p.apply("sluice/traffic", true, at(o, traffic("web-2")))
	},
	"a status is written apart": func(p *play) {
		p.apply("git", true, runService(inGit()))
		o := p.get()
		o = p.status(o, set("status", object{"observedGeneration": int64(1), "conditions": []any{object{"type": "Ready", "status": "True"}}}))
		o = p.status(o, func(o *unstructured.Unstructured) {
			set("spec.location", "europe-west1")(o)
			set("status.observedGeneration", int64(2))(o)
		})
		p.status(o, func(*unstructured.Unstructured) {})
		p.apply("sluice/traffic", false, runService(object{"traffic": traffic("web-1")["traffic"]}))
		p.get()
	},
	"what rests on a former version is refused": func(p *play) {
		p.apply("git", true, runService(inGit()))
		old := p.get()
		p.apply("sluice/traffic", false, at(old, traffic("web-1")))
		p.apply("sluice/traffic", false, at(old, traffic("web-2")))
		p.apply("sluice/traffic", false, at(old, traffic("web-1")))
		p.edit(old, set("spec.location", "europe-west1"))
		p.status(old, set("status", object{"observedGeneration": int64(1)}))
		other := old.DeepCopy()
		other.SetUID("00000000-0000-4000-8000-000000000001")
		other.SetResourceVersion("")
		p.apply("sluice/traffic", false, at(other, traffic("web-2")))
		p.get()
	},
	"nothing comes of an apply to what is gone": func(p *play) {
		p.get()
		gone := runService(object{})
		gone.SetUID("00000000-0000-4000-8000-000000000001")
		gone.SetResourceVersion("17")
		p.apply("sluice/traffic", false, at(gone, traffic("web-1")))
		p.get()
		p.create(inGit())
		p.create(inGit())
	},
}
