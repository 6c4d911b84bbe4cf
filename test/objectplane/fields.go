package objectplane

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/test/controlplane/assets"
)

// kind is a resource with its objects.
type kind struct {
	definition

	objects map[types.NamespacedName]*unstructured.Unstructured
}

// definition is a resource, and who tells who owns what in its objects. Nothing of it
// changes.
type definition struct {
	schema.GroupVersionResource

	kind         string
	main, status *managedfields.FieldManager
}

// crd is a CustomResourceDefinition, as far as it is read.
type crd struct {
	Spec struct {
		Group string `json:"group"`
		Names struct {
			Kind   string `json:"kind"`
			Plural string `json:"plural"`
		} `json:"names"`
		Versions []struct {
			Name   string `json:"name"`
			Schema struct {
				OpenAPIV3Schema spec.Schema `json:"openAPIV3Schema"`
			} `json:"schema"`
		} `json:"versions"`
	} `json:"spec"`
}

// definitions are those of Config Connector that tests have, read once.
var definitions = sync.OnceValues(func() ([]definition, error) {
	root, err := assets.RepositoryRoot()
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(root, "test", "configconnector", "crd", "*.yaml"))
	if err != nil {
		return nil, err
	}
	var all []definition
	for _, file := range files {
		one, err := define(file)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		all = append(all, one)
	}
	return all, nil
})

func define(file string) (definition, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return definition{}, err
	}
	var from crd
	if err := yaml.Unmarshal(text, &from); err != nil {
		return definition{}, err
	}
	if len(from.Spec.Versions) != 1 {
		return definition{}, errors.New("the model knows one version of each resource; the definition has others")
	}
	version := from.Spec.Versions[0]
	of := schema.GroupVersionKind{Group: from.Spec.Group, Version: version.Name, Kind: from.Spec.Names.Kind}
	d := definition{GroupVersionResource: of.GroupVersion().WithResource(from.Spec.Names.Plural), kind: of.Kind}
	typed, err := managedfields.NewTypeConverter(map[string]*spec.Schema{of.Kind: complete(version.Schema.OpenAPIV3Schema, of)}, false)
	if err != nil {
		return definition{}, err
	}
	manager := func(subresource string) (*managedfields.FieldManager, error) {
		return managedfields.NewDefaultCRDFieldManager(typed, schemaless{}, schemaless{}, schemaless{}, of, of.GroupVersion(), subresource, nil)
	}
	if d.main, err = manager(""); err != nil {
		return definition{}, err
	}
	d.status, err = manager("status")
	return d, err
}

// complete adds to the schema of a definition what a server adds: the kind that it is
// of, and the metadata that people set.
func complete(from spec.Schema, of schema.GroupVersionKind) *spec.Schema {
	from.AddExtension("x-kubernetes-group-version-kind", []any{map[string]any{"group": of.Group, "version": of.Version, "kind": of.Kind}})
	words := spec.MapProperty(spec.StringProperty())
	properties := map[string]spec.Schema{"labels": *words, "annotations": *words}
	for _, name := range []string{"name", "namespace", "generateName", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp"} {
		properties[name] = *spec.StringProperty()
	}
	properties["generation"] = *spec.Int64Property()
	properties["managedFields"] = *spec.ArrayProperty(spec.MapProperty(nil))
	metadata := spec.Schema{SchemaProps: spec.SchemaProps{Type: []string{"object"}, Properties: properties}}
	from.Properties = maps.Clone(from.Properties)
	from.Properties["metadata"] = metadata
	for _, name := range []string{"apiVersion", "kind"} {
		from.Properties[name] = *spec.StringProperty()
	}
	return &from
}

// schemaless converts between the versions of a kind that has one, and knows no
// defaults.
type schemaless struct{ runtime.ObjectConvertor }

// ConvertToVersion implements runtime.ObjectConvertor.
func (schemaless) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return in, nil
}

// Default implements runtime.ObjectDefaulter.
func (schemaless) Default(runtime.Object) {}

// New implements runtime.ObjectCreater.
func (schemaless) New(of schema.GroupVersionKind) (runtime.Object, error) {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(of)
	return o, nil
}

// stamp puts the server's time in the place of the machine's in the entries that an
// operation has written, and puts entries in order again.
func (s *Server) stamp(was, now *unstructured.Unstructured) {
	before, entries := was.GetManagedFields(), now.GetManagedFields()
	at := metav1.NewTime(s.clock.Now().UTC())
	for i, e := range entries {
		kept := func(old metav1.ManagedFieldsEntry) bool { return sameEntry(old, e) && old.Time.Equal(e.Time) }
		if !slices.ContainsFunc(before, kept) {
			entries[i].Time = &at
		}
	}
	slices.SortStableFunc(entries, byTime)
	now.SetManagedFields(entries)
}

// byTime is the order of managed fields: applies first, and the older ones of each.
func byTime(a, b metav1.ManagedFieldsEntry) int {
	if a.Operation != b.Operation {
		if a.Operation == metav1.ManagedFieldsOperationApply {
			return -1
		}
		return 1
	}
	return a.Time.Compare(b.Time.Time)
}

func sameEntry(a, b metav1.ManagedFieldsEntry) bool {
	return a.Manager == b.Manager && a.Operation == b.Operation && a.Subresource == b.Subresource && a.APIVersion == b.APIVersion
}
