package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"io"
	"log"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// TestWhatIsPublishedIsWhatWasBuilt: a registry has it under the digest that is left
// in the file.
func TestWhatIsPublishedIsWhatWasBuilt(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	out := t.TempDir()
	index := mutate.AppendManifests(v1.ImageIndex(empty.Index), mutate.IndexAddendum{Add: built(t)})
	if err := push(t.Context(), index, strings.TrimPrefix(server.URL, "http://")+"/sluice:v1", out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, reference))
	if err != nil {
		t.Fatal(err)
	}
	published, err := name.NewDigest(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := remote.Index(published, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := digestOf(t, got), digestOf(t, index); got != want {
		t.Errorf("published %s, want %s", got, want)
	}
	if err := push(t.Context(), index, "sluice", out); err == nil {
		t.Error("it is published without saying where to")
	}
}

// TestTheBillOfMaterialsListsWhatIsInTheBinary: each module that the linker saw, with
// its version, and nothing else; made twice it is the same.
func TestTheBillOfMaterialsListsWhatIsInTheBinary(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "sluice")
	if err := os.WriteFile(binary, compiled(t), 0o755); err != nil {
		t.Fatal(err)
	}
	text := billOf(t, binary)
	if !bytes.Equal(text, billOf(t, binary)) {
		t.Error("made again it is another one")
	}
	var bill struct {
		BOMFormat  string
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		t.Fatal(err)
	}
	got, want := map[string]bool{}, map[string]bool{}
	for _, c := range bill.Components {
		got[c.Name+" "+c.Version] = true
	}
	info, err := buildinfo.Read(bytes.NewReader(compiled(t)))
	if err != nil {
		t.Fatal(err)
	}
	want["std "+info.GoVersion] = true
	for _, dep := range info.Deps {
		want[dep.Path+" "+dep.Version] = true
	}
	if len(info.Deps) < 50 || bill.BOMFormat != "CycloneDX" || !maps.Equal(got, want) {
		t.Errorf("%s lists\n%s\n\nand the binary has\n%s", bill.BOMFormat,
			strings.Join(slices.Sorted(maps.Keys(got)), "\n"), strings.Join(slices.Sorted(maps.Keys(want)), "\n"))
	}
}

// billOf makes a bill of materials as make release does.
func billOf(t *testing.T, binary string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-s", "sbom", "BINARY="+binary)
	cmd.Dir = repository
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("on %s: %v", runtime.GOOS, err)
	}
	return text
}

// TestAReleaseSaysWhichItIs: the manager and the plugin, which are built without what the
// repository says of them.
func TestAReleaseSaysWhichItIs(t *testing.T) {
	if !bytes.Contains(compiled(t), []byte(testedVersion)) {
		t.Error("the manager does not know its version")
	}
	would := exec.CommandContext(t.Context(), "make", "-n", "-s", "release", "VERSION=9.8.7")
	would.Dir = repository
	steps, err := would.Output()
	if err != nil {
		t.Fatal(err)
	}
	const told = "-X " + released + "=v9.8.7"
	if !bytes.Contains(steps, []byte(told)) || !bytes.Contains(steps, []byte("-version=v9.8.7")) {
		t.Fatalf("make release tells the linker no version:\n%s", steps)
	}
	plugin := filepath.Join(t.TempDir(), "kubectl-sluice")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-ldflags="+told, "-o", plugin, "./cmd/kubectl-sluice")
	build.Dir = repository
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	says, err := exec.CommandContext(t.Context(), plugin, "version").Output()
	if err != nil || !bytes.Contains(says, []byte("v9.8.7")) {
		t.Errorf("the plugin says %q, %v", says, err)
	}
}
