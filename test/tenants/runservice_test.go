package tenants_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/configconnector"
	"github.com/sluice-rollouts/sluice/test/objectplane"
)

// keptService is the name of the services that RunServices are about.
const keptService = "web-kept"

// manager is whose calls of the Kubernetes API are judged.
const manager = "manager"

// kept are the RunServices of all namespaces, and Config Connector, which keeps their
// services.
type kept struct {
	server    *objectplane.Server
	connector *configconnector.Connector
	about     map[types.NamespacedName]v1alpha1.ServiceReference
}

func newKept(now clock.PassiveClock, l *listener, world *simulator.World) *kept {
	k := &kept{server: objectplane.New(now), about: map[types.NamespacedName]v1alpha1.ServiceReference{}}
	k.connector = configconnector.New(k.server.As("connector"), configconnector.In(world))
	k.server.Before = func(c objectplane.Call) error {
		if c.By == manager && c.Verb != objectplane.Get {
			l.note(sent{api: "kubernetes", method: string(c.Verb), what: c.Key.String()})
		}
		return nil
	}
	return k
}

func (k *kept) api() dynamic.Interface { return k.server.As(manager) }

// target is a RunService of a service that a namespace has by some name; it is made where
// there is none.
func (s *stage) target(namespace string, of v1alpha1.ServiceReference) v1alpha1.Target {
	s.t.Helper()
	key := types.NamespacedName{Namespace: namespace, Name: fmt.Sprintf("kept-%s-%s-%s", of.Name, of.Project, of.Location)}
	s.kept.about[key] = of
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "run.cnrm.cloud.google.com/v1beta1", "kind": "RunService", "spec": map[string]any{
			"location": of.Location, "projectRef": map[string]any{"external": of.Project}, "resourceID": of.Name,
			"template": map[string]any{"timeout": "60s"},
		},
	}}
	_, err := s.kept.server.As("git").Resource(configconnector.RunServices).Namespace(namespace).Apply(
		s.t.Context(), key.Name, o, metav1.ApplyOptions{FieldManager: "git", Force: true})
	if err != nil {
		s.t.Fatal(err)
	}
	return v1alpha1.Target{RunServiceRef: &v1alpha1.RunServiceReference{Name: key.Name}}
}

// keep lets Config Connector do what it can now. It reads the time of the world, which the
// guard tells, and nobody else calls meanwhile.
func (s *stage) keep() {
	s.t.Helper()
	keys := make([]types.NamespacedName, 0, len(s.kept.about))
	for key := range s.kept.about {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		if _, err := s.kept.connector.Run(s.t.Context(), key); err != nil {
			s.t.Fatal(err)
		}
	}
}

// of is the service that a rollout is about: its own, or that of its RunService.
func (k *kept) of(ro v1alpha1.CloudRunRollout) v1alpha1.ServiceReference {
	if ref := ro.Spec.Target.RunServiceRef; ref != nil {
		return k.about[types.NamespacedName{Namespace: ro.Namespace, Name: ref.Name}]
	}
	return *ro.Spec.Target.Service
}

// mayApply tells whether spec.traffic of a RunService may be written for one of the
// rollouts that there are: one in its namespace that names it, to whose service that is
// bound.
func (c *town) mayApply(what string, rollouts []v1alpha1.CloudRunRollout) bool {
	return slices.ContainsFunc(rollouts, func(ro v1alpha1.CloudRunRollout) bool {
		ref := ro.Spec.Target.RunServiceRef
		if ref == nil || what != (types.NamespacedName{Namespace: ro.Namespace, Name: ref.Name}).String() {
			return false
		}
		_, agreed := c.account(ro.Namespace, c.kept.of(ro))
		return agreed
	})
}

// TestWithoutABindingNoRunServiceIsWritten, nor is its service read. With one it is.
func TestWithoutABindingNoRunServiceIsWritten(t *testing.T) {
	t.Parallel()
	s := newStage(t, 1)
	web := v1alpha1.ServiceReference{Project: "acme-prod", Location: "europe-west1", Name: "web"}
	s.applyTo("shop", "web", s.target("shop", web))
	s.release(dice{rand.New(rand.NewPCG(1, 1))})
	for range 5 {
		s.minute()
	}
	if ready := s.rollouts()[0].Status.Conditions[0]; len(s.judged) > 0 || ready.Reason != v1alpha1.ReasonAccessDenied {
		t.Errorf("sent %v; %s: %s", s.judged, ready.Reason, ready.Message)
	}
	s.town.accesses = []v1alpha1.CloudRunAccess{{ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: v1alpha1.CloudRunAccessSpec{
		Namespaces: []string{"shop"}, NetworkProjects: networks,
		Services: []v1alpha1.AccessibleServices{{Project: web.Project, Locations: []string{web.Location}, Names: []string{web.Name}}},
	}}}
	for range 3 {
		s.minute()
	}
	s.deploy(web, "fine")
	for range 12 {
		s.minute()
	}
	if s.judged["kubernetes apply"] == 0 {
		t.Errorf("with a binding nothing is written: %v", s.judged)
	}
}
