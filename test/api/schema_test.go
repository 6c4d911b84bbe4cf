package api_test

import (
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// definition is the one file of the resource.
const definition = "rollouts.sluice.dev_cloudrunrollouts.yaml"

// node is what the tests need to know of an OpenAPI schema.
type node struct {
	Type        string           `json:"type"`
	Description string           `json:"description"`
	Properties  map[string]*node `json:"properties"`
	Items       *node            `json:"items"`
	Required    []string         `json:"required"`
	Enum        []string         `json:"enum"`
	Format      string           `json:"format"`
	Pattern     string           `json:"pattern"`
	MaxLength   *int             `json:"maxLength"`
	MinItems    *int             `json:"minItems"`
	MaxItems    *int             `json:"maxItems"`
	Minimum     *int64           `json:"minimum"`
	Maximum     *int64           `json:"maximum"`
	ListType    string           `json:"x-kubernetes-list-type"`
	Keys        []string         `json:"x-kubernetes-list-map-keys"`
	IntOrString bool             `json:"x-kubernetes-int-or-string"`
	Validations []struct {
		Message   string `json:"message"`
		Rule      string `json:"rule"`
		FieldPath string `json:"fieldPath"`
	} `json:"x-kubernetes-validations"`
}

func schema(t *testing.T) *node {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "crd", "bases", definition))
	if err != nil {
		t.Fatal(err)
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					Root node `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &crd); err != nil {
		t.Fatal(err)
	}
	return &crd.Spec.Versions[0].Schema.Root
}

// walk visits a schema and all below it, with their dotted paths.
func (n *node) walk(path string) iter.Seq2[string, *node] {
	return func(yield func(string, *node) bool) { n.visit(path, yield) }
}

func (n *node) visit(path string, yield func(string, *node) bool) bool {
	if !yield(path, n) {
		return false
	}
	if n.Items != nil && !n.Items.visit(path, yield) {
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
		if !n.Properties[name].visit(path+"."+name, yield) {
			return false
		}
	}
	return true
}

// TestEveryFieldIsDocumented keeps kubectl explain a manual: each field has a
// comment that begins with its name and says more than that.
func TestEveryFieldIsDocumented(t *testing.T) {
	root := schema(t)
	for _, part := range []string{"spec", "status"} {
		for path, n := range root.Properties[part].walk(part) {
			for name, field := range n.Properties {
				foreign := strings.HasPrefix(path, "status.conditions")
				if !begins(field.Description, name) && !foreign {
					t.Errorf("%s.%s: the comment does not begin with the name: %q", path, name, field.Description)
				}
				if len(strings.Fields(field.Description)) < 4 {
					t.Errorf("%s.%s: no real comment: %q", path, name, field.Description)
				}
			}
		}
	}
}

func begins(comment, name string) bool {
	rest, found := strings.CutPrefix(comment, name)
	return found && strings.ContainsAny(rest[:1], " ,")
}

// TestEverythingIsBounded allows no string, list or number without an end, no
// floating point numbers, and no maps.
func TestEverythingIsBounded(t *testing.T) {
	root := schema(t)
	for _, part := range []string{"spec", "status"} {
		for path, n := range root.Properties[part].walk(part) {
			bounded := true
			switch n.Type {
			case "string":
				bounded = n.MaxLength != nil || n.Enum != nil || n.Format == "date-time"
			case "array":
				bounded = n.MaxItems != nil && n.ListType != ""
			case "integer":
				bounded = n.Minimum != nil
			case "object":
				bounded = len(n.Properties) > 0 || path == "spec.template" // internal/template bounds that
			case "boolean":
			default:
				bounded = n.IntOrString && n.MaxLength != nil
			}
			if !bounded && !strings.HasPrefix(path, "status.conditions.") {
				t.Errorf("%s: %s without an end", path, n.Type)
			}
		}
	}
}

// TestNoFieldOfASpecIsAnAddressASecretOrANamespace: who writes a rollout must not
// make the manager ask an address, read a secret, or reach into another namespace.
func TestNoFieldOfASpecIsAnAddressASecretOrANamespace(t *testing.T) {
	n := 0
	for path, field := range schema(t).Properties["spec"].walk("spec") {
		n++
		if field.Type == "integer" {
			continue // how many, and not which
		}
		name := strings.ToLower(path[strings.LastIndex(path, ".")+1:])
		for _, word := range []string{"namespace", "url", "uri", "address", "endpoint", "host", "secret", "token", "password", "account", "header"} {
			if strings.Contains(name, word) {
				t.Errorf("%s may be one", path)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d fields were looked at", n)
	}
}
