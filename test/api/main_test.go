// Package api_test holds the API to its word against a real kube-apiserver:
// what it refuses and what it says then, what it fills in, what it shows.
package api_test

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/lint"
	"github.com/sluice-rollouts/sluice/test/controlplane"
)

const (
	samples = "../../config/samples"
	// minimal is the sample of a target alone, full a manifest with every field.
	minimal = samples + "/target-only.yaml"
	full    = "testdata/full.yaml"
)

var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(controlplane.Main(m, &plane, controlplane.Options{}))
}

// rollouts is what kubectl uses: untyped, so that tests can send anything.
func rollouts(t *testing.T) dynamic.ResourceInterface {
	t.Helper()
	client, err := dynamic.NewForConfig(plane.Config)
	if err != nil {
		t.Fatal(err)
	}
	return client.Resource(v1alpha1.GroupVersion.WithResource("cloudrunrollouts")).Namespace("default")
}

// sample reads a manifest.
func sample(t *testing.T, file string) *unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(text))
}

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = json.Unmarshal(asJSON, &obj.Object)
	}
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return obj
}

// with lays a fragment over a copy of an object: maps are merged, lists and
// values replaced.
func with(t *testing.T, obj *unstructured.Unstructured, fragment string) *unstructured.Unstructured {
	t.Helper()
	merged := obj.DeepCopy()
	merge(merged.Object, parse(t, fragment).Object)
	return merged
}

func merge(into, from map[string]any) {
	for key, value := range from {
		below, isMap := value.(map[string]any)
		if there, ok := into[key].(map[string]any); ok && isMap {
			merge(there, below)
			continue
		}
		into[key] = value
	}
}

// try says what the server thinks of a new object, without keeping it.
func try(t *testing.T, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	t.Helper()
	created, err := rollouts(t).Create(t.Context(), obj, metav1.CreateOptions{
		DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict,
	})
	agree(t, obj, err)
	return created, err
}

// agree holds kubectl sluice lint to the server: it takes what the server takes,
// and says in the server's words what is wrong with the rest.
func agree(t *testing.T, obj *unstructured.Unstructured, answer error) {
	t.Helper()
	text, err := yaml.Marshal(obj.Object)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := lint.Manifest(t.Context(), bytes.NewReader(text))
	if err != nil || len(findings) != 1 {
		t.Fatalf("lint finds %v, %v in:\n%s", findings, err, text)
	}
	problems := findings[0].Problems
	said := func(problem string) bool { return answer != nil && strings.Contains(answer.Error(), problem) }
	if (answer == nil) != (len(problems) == 0) || answer != nil && !slices.ContainsFunc(problems, said) {
		t.Errorf("lint says %q, the server %v, of:\n%s", problems, answer, text)
	}
}

// create makes an object that lives as long as the test.
func create(t *testing.T, obj *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	obj = obj.DeepCopy()
	obj.SetName("")
	obj.SetGenerateName("test-")
	created, err := rollouts(t).Create(t.Context(), obj, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rollouts(t).Delete(context.WithoutCancel(t.Context()), created.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	return created
}
