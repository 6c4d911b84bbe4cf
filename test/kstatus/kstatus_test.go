package kstatus

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// expectation opens the first line of each golden file: "# kstatus: InProgress".
const expectation = "# kstatus: "

// TestGoldenObjects computes the status of each golden object, the way Flux
// does, and compares it with the file's first line.
func TestGoldenObjects(t *testing.T) {
	for _, file := range files(t) {
		t.Run(named(file), func(t *testing.T) {
			want, object := golden(t, file)
			got, err := status.Compute(object)
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != want {
				t.Errorf("kstatus = %s (%s), want %s", got.Status, got.Message, want)
			}
		})
	}
}

// files are those of the golden objects.
func files(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no golden objects in test/kstatus/testdata: without any this test proves nothing; " +
			"the test of the condition table in controllers writes them")
	}
	return files
}

func named(file string) string { return strings.TrimSuffix(filepath.Base(file), ".yaml") }

// goldens are the golden objects by the names of their files.
func goldens(t *testing.T) map[string]*unstructured.Unstructured {
	t.Helper()
	all := map[string]*unstructured.Unstructured{}
	for _, file := range files(t) {
		_, all[named(file)] = golden(t, file)
	}
	return all
}

func golden(t *testing.T, file string) (status.Status, *unstructured.Unstructured) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	name, found := strings.CutPrefix(strings.TrimSpace(string(first)), expectation)
	if !found {
		t.Fatalf("the first line is %q, want %q and a status", first, expectation)
	}
	if !slices.Contains(status.Statuses, status.Status(name)) {
		t.Fatalf("%q is no kstatus, want one of %v", name, status.Statuses)
	}
	// By way of JSON: observedGeneration has to arrive as an integer.
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(asJSON); err != nil {
		t.Fatal(err)
	}
	return status.Status(name), object
}
