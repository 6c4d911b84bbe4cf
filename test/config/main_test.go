package config

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/controlplane"
)

const (
	home    = "sluice-system"
	account = "sluice-manager"
)

var (
	plane     *controlplane.ControlPlane
	installed []unstructured.Unstructured
)

// installing renders config/default and applies it before any test runs, to a
// control plane that knows nothing of Sluice, and what Config Connector's kinds are.
type installing struct{ *testing.M }

func (m installing) Run() int {
	var err error
	if installed, err = render("../../config/default"); err == nil {
		err = apply(context.Background(), installed)
	}
	if err == nil {
		err = served(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "installing config/default:", err)
		return 1
	}
	return m.M.Run()
}

func TestMain(m *testing.M) {
	os.Exit(controlplane.Main(installing{m}, &plane, controlplane.Options{CRDs: []string{"../configconnector/crd"}}))
}

// render makes what kubectl apply -k sends.
func render(dir string) ([]unstructured.Unstructured, error) {
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified // as written in the kustomization
	result, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, err
	}
	var objects []unstructured.Unstructured
	for _, r := range result.Resources() {
		text, err := r.MarshalJSON()
		if err != nil {
			return nil, err
		}
		var o unstructured.Unstructured
		if err := o.UnmarshalJSON(text); err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	return objects, nil
}

func apply(ctx context.Context, objects []unstructured.Unstructured) error {
	return each(objects, func(where dynamic.ResourceInterface, o *unstructured.Unstructured) error {
		_, err := where.Create(ctx, o, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
		return err
	})
}

// each does something with objects where they belong, in their order.
func each(objects []unstructured.Unstructured, do func(dynamic.ResourceInterface, *unstructured.Unstructured) error) error {
	config := rest.CopyConfig(plane.Config)
	config.QPS = -1
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))
	for i := range objects {
		o := objects[i].DeepCopy()
		kind := o.GroupVersionKind()
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			return err
		}
		where := dynamic.ResourceInterface(client.Resource(mapping.Resource))
		if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
			where = client.Resource(mapping.Resource).Namespace(o.GetNamespace())
		}
		if err := do(where, o); err != nil {
			return fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}

// served waits until the control plane serves rollouts, which it does a moment
// after it has taken their definition: what kubectl wait
// --for=condition=Established is for.
func served(ctx context.Context) error {
	client, err := dynamic.NewForConfig(plane.Config)
	if err != nil {
		return err
	}
	rollouts := client.Resource(v1alpha1.GroupVersion.WithResource("cloudrunrollouts"))
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := rollouts.List(ctx, metav1.ListOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
}

func TestWhatIsInstalled(t *testing.T) {
	same(t, namesOf(installed), `Namespace /sluice-system
CustomResourceDefinition /cloudrunaccesses.rollouts.sluice.dev
CustomResourceDefinition /cloudrunrollouts.rollouts.sluice.dev
CustomResourceDefinition /rolloutfreezes.rollouts.sluice.dev
ServiceAccount sluice-system/sluice-manager
Role sluice-system/sluice-leader-election
ClusterRole /sluice-configure
ClusterRole /sluice-manager
ClusterRole /sluice-metrics-access
ClusterRole /sluice-metrics-reader
ClusterRole /sluice-oncall
ClusterRole /sluice-view
RoleBinding sluice-system/sluice-leader-election
ClusterRoleBinding /sluice-manager
ClusterRoleBinding /sluice-metrics-access
Service sluice-system/sluice-metrics
Deployment sluice-system/sluice-manager
ValidatingAdmissionPolicy /sluice-requests
ValidatingAdmissionPolicy /sluice-status
ValidatingAdmissionPolicyBinding /sluice-requests
ValidatingAdmissionPolicyBinding /sluice-status`)
}

// namesOf are objects as kind, namespace and name.
func namesOf(objects []unstructured.Unstructured) []string {
	var names []string
	for i := range objects {
		o := &objects[i]
		names = append(names, strings.Trim(o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName(), "/"))
	}
	return names
}

// same compares lines with those that are wanted.
func same(t *testing.T, got []string, want string) {
	t.Helper()
	if lines := strings.Join(got, "\n"); lines != want {
		t.Errorf("got\n%s\n\nwant\n%s", lines, want)
	}
}

// find is the one installed object of a kind and name, as its own type.
func find[T any](t *testing.T, kind, name string) *T {
	t.Helper()
	return among[T](t, installed, kind, name)
}

// among is the one object of a kind and name, as its own type.
func among[T any](t *testing.T, objects []unstructured.Unstructured, kind, name string) *T {
	t.Helper()
	for i := range objects {
		if objects[i].GetKind() == kind && objects[i].GetName() == name {
			return convert[T](t, &objects[i])
		}
	}
	t.Fatalf("there is no %s %s", kind, name)
	return nil
}
