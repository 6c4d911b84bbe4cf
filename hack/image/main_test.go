package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/x509"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const (
	repository    = "../.."
	testedVersion = "v1.2.3-test"
)

// here is the manager for this machine's architecture, compiled once.
var here = sync.OnceValues(func() ([]byte, error) {
	return compile(context.Background(), repository, runtime.GOARCH, testedVersion)
})

// compiled is the manager.
func compiled(t *testing.T) []byte {
	t.Helper()
	binary, err := here()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// built is the image around it, assembled anew.
func built(t *testing.T) v1.Image {
	t.Helper()
	img, err := assemble(compiled(t), runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func digestOf(t *testing.T, of interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	digest, err := of.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

func TestTheSameBinaryGivesTheSameImage(t *testing.T) {
	if first, second := digestOf(t, built(t)), digestOf(t, built(t)); first != second {
		t.Errorf("%s, then %s", first, second)
	}
}

func TestTheSameSourcesGiveTheSameImageWhereverTheyLie(t *testing.T) {
	binary, err := compile(t.Context(), copyOfSources(t), runtime.GOARCH, testedVersion)
	if err != nil {
		t.Fatal(err)
	}
	again, err := assemble(binary, runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	if first, second := digestOf(t, built(t)), digestOf(t, again); first != second {
		t.Errorf("%s, then %s", first, second)
	}
}

func TestTheImageRunsAsNobodyInParticular(t *testing.T) {
	config, err := built(t).ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532:65532" || config.OS != "linux" || config.Architecture != runtime.GOARCH {
		t.Errorf("user %s on %s/%s", config.Config.User, config.OS, config.Architecture)
	}
	if !slices.Equal(config.Config.Entrypoint, []string{"/sluice"}) || len(config.Config.Cmd) > 0 {
		t.Errorf("it starts %v %v", config.Config.Entrypoint, config.Config.Cmd)
	}
	if !config.Created.IsZero() {
		t.Errorf("it carries the time %s", config.Created)
	}
}

func TestTheImageHoldsTheManagerAndNothingToBreakInWith(t *testing.T) {
	files := unpack(t, built(t))
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	if want := []string{"etc/group", "etc/passwd", "etc/ssl/certs/ca-certificates.crt", "sluice"}; !slices.Equal(names, want) {
		t.Errorf("files are %v, want %v", names, want)
	}
	for name, f := range files {
		if f.mode&0o222 != 0 || f.mode&0o7000 != 0 {
			t.Errorf("%s may be written, or changes who runs it: %o", name, f.mode)
		}
	}
}

func TestTheManagerIsOneStaticFile(t *testing.T) {
	binary, err := elf.NewFile(bytes.NewReader(unpack(t, built(t))["sluice"].content))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range binary.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("it needs a loader: %v", p.Type)
		}
	}
}

func TestTheImageTrustsTheRootsOfTheWeb(t *testing.T) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(unpack(t, built(t))[certificates].content) {
		t.Fatal("no certificate can be read")
	}
	if n := bytes.Count(roots(), []byte("BEGIN")); n < 80 {
		t.Errorf("only %d roots", n)
	}
}

// TestTheManagerStartsWithTheImageAlone runs it with the image as its whole file
// system, as the image's user.
func TestTheManagerStartsWithTheImageAlone(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may change the root directory")
	}
	root := t.TempDir()
	for name, f := range unpack(t, built(t)) {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.content, os.FileMode(f.mode))); err != nil {
			t.Fatal(err)
		}
	}
	for dir := root; dir != filepath.Dir(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			break // not ours
		}
	}
	cmd := exec.CommandContext(t.Context(), "/sluice", "-h")
	cmd.Dir, cmd.Env = "/", []string{"SSL_CERT_FILE=/" + certificates}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	said, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "metrics-bind-address") {
		t.Errorf("%v: %s", err, said)
	}
}

func TestWhatIsWrittenCanBeReadAgain(t *testing.T) {
	out := t.TempDir()
	if _, err := run(t.Context(), release{repository, testedVersion}, out, "sluice:devel", []string{runtime.GOARCH}); err != nil {
		t.Fatal(err)
	}
	if binary, err := os.ReadFile(filepath.Join(out, "sluice-"+runtime.GOARCH)); err != nil || !bytes.Equal(binary, compiled(t)) {
		t.Errorf("the binary is another one (%v)", err)
	}
	archive, err := tarball.ImageFromPath(filepath.Join(out, "sluice-"+runtime.GOARCH+".tar"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := built(t).ConfigName()
	if got, err := archive.ConfigName(); err != nil || got != want {
		t.Errorf("the archive holds %s, want %s (%v)", got, want, err)
	}
	index, err := layout.ImageIndexFromPath(filepath.Join(out, "image"))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 || manifest.Manifests[0].Platform.Architecture != runtime.GOARCH {
		t.Errorf("the layout holds %+v (%v)", manifest, err)
	}
}

type unpacked struct {
	content []byte
	mode    int64
}

func unpack(t *testing.T, img v1.Image) map[string]unpacked {
	t.Helper()
	stream := mutate.Extract(img)
	defer stream.Close()
	files := map[string]unpacked{}
	for r := tar.NewReader(stream); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = unpacked{content, header.Mode}
	}
}

// copyOfSources is what the manager is built from, in another directory.
func copyOfSources(t *testing.T) string {
	t.Helper()
	into := t.TempDir()
	for _, part := range []string{"api", "controllers", "internal"} {
		if err := os.CopyFS(filepath.Join(into, part), os.DirFS(filepath.Join(repository, part))); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(repository, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(files, filepath.Join(repository, "go.mod"), filepath.Join(repository, "go.sum")) {
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(filepath.Join(into, filepath.Base(path)), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return into
}
