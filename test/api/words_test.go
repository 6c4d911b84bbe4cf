package api_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

var root = filepath.Join("..", "..")

// TestEveryWordIsInTheManual: a condition or reason that kubectl shows is
// explained in docs/conditions.md.
func TestEveryWordIsInTheManual(t *testing.T) {
	manual, err := os.ReadFile(filepath.Join(root, "docs", "conditions.md"))
	if err != nil {
		t.Fatal(err)
	}
	words := stringConstants(t, filepath.Join(root, "api", "v1alpha1", "conditions.go"))
	if len(words) < 30 {
		t.Fatalf("found only %d words", len(words))
	}
	for _, word := range words {
		if !strings.Contains(string(manual), "`"+word+"`") {
			t.Errorf("%s is not in docs/conditions.md", word)
		}
	}
}

// TestTheCoreUsesTheSameWords compares the two vocabularies, which do not know
// each other.
func TestTheCoreUsesTheSameWords(t *testing.T) {
	words := stringConstants(t, filepath.Join(root, "api", "v1alpha1", "conditions.go"))
	var phases []string
	for _, phase := range rollout.Phases {
		phases = append(phases, string(phase))
	}
	for _, word := range stringConstants(t, filepath.Join(root, "internal", "rollout", "phase.go")) {
		if !slices.Contains(phases, word) && !slices.Contains(words, word) {
			t.Errorf("the core's %s is neither a phase nor in api/v1alpha1/conditions.go", word)
		}
	}
	slices.Sort(phases)
	enum := slices.Sorted(slices.Values(schema(t).Properties["status"].Properties["phase"].Enum))
	if diff := cmp.Diff(phases, enum); diff != "" {
		t.Errorf("phases (-core +definition):\n%s", diff)
	}
}

// stringConstants lists the values of a file's string constants.
func stringConstants(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			for _, expr := range spec.(*ast.ValueSpec).Values {
				literal, ok := expr.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					continue
				}
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, value)
			}
		}
	}
	return values
}
