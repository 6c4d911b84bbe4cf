package modelplane

import (
	"errors"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/test/controlplane/assets"
)

// node is one node of a structural OpenAPI schema: what defaulting needs, and the
// limits that a status can meet.
type node struct {
	Default    any             `json:"default"`
	Nullable   bool            `json:"nullable"`
	Properties map[string]node `json:"properties"`
	Items      *node           `json:"items"`

	Required  []string `json:"required"`
	Enum      []any    `json:"enum"`
	Pattern   string   `json:"pattern"`
	MinLength int      `json:"minLength"`
	MaxLength *int     `json:"maxLength"`
	Minimum   *float64 `json:"minimum"`
	Maximum   *float64 `json:"maximum"`
	MinItems  int      `json:"minItems"`
	MaxItems  *int     `json:"maxItems"`
	ListKeys  []string `json:"x-kubernetes-list-map-keys"`
}

// resourceDefinition is a CustomResourceDefinition, as far as it is read.
type resourceDefinition struct {
	Spec struct {
		Versions []struct {
			Schema struct {
				OpenAPIV3Schema node `json:"openAPIV3Schema"`
			} `json:"schema"`
		} `json:"versions"`
	} `json:"spec"`
}

// readSchema reads the repository's own resource definition.
func readSchema() (node, error) {
	root, err := assets.RepositoryRoot()
	if err != nil {
		return node{}, err
	}
	text, err := os.ReadFile(filepath.Join(root, "config", "crd", "bases", "rollouts.sluice.dev_cloudrunrollouts.yaml"))
	if err != nil {
		return node{}, err
	}
	var crd resourceDefinition
	if err := yaml.Unmarshal(text, &crd); err != nil {
		return node{}, err
	}
	if len(crd.Spec.Versions) != 1 {
		return node{}, errors.New("the model knows one version of the resource; the definition has others")
	}
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema, nil
}

// fill adds defaults where values are missing, outside in, as the apiserver does
// (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting).
func (n node) fill(value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, property := range n.Properties {
			property.fillIn(value, name)
		}
	case []any:
		for i := 0; i < len(value) && n.Items != nil; i++ {
			n.Items.fill(value[i])
		}
	}
}

// fillIn fills one property of an object.
func (n node) fillIn(object map[string]any, name string) {
	there, found := object[name]
	if n.Default != nil && (!found || there == nil && !n.Nullable) {
		there = runtime.DeepCopyJSONValue(n.Default)
		object[name] = there
	}
	n.fill(there)
}
