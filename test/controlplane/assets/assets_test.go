package assets

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// testFetcher is a fetcher with an empty cache and a release index at index.
func testFetcher(t *testing.T, index string) (*fetcher, *bytes.Buffer) {
	t.Helper()
	t.Setenv(cacheVariable, t.TempDir())
	heard := &bytes.Buffer{}
	f, err := newFetcher(heard)
	if err != nil {
		t.Fatal(err)
	}
	f.index = index
	return f, heard
}

func TestVersionsComeFromTheBuildingModule(t *testing.T) {
	f, _ := testFetcher(t, "")
	if got := f.versions.series(); got != "1.37" {
		t.Errorf("series = %q, want 1.37", got)
	}
	if !strings.HasPrefix(f.versions.etcd, "v3.") {
		t.Errorf("etcd = %q, want v3.something", f.versions.etcd)
	}
	if want := "k8s.io/component-base/version.gitVersion=v1.37."; !strings.Contains(f.versions.linkerFlags(), want) {
		t.Errorf("linker flags lack %s", want)
	}
}

func TestNamedDirectoryWithoutProgramsIsRefused(t *testing.T) {
	t.Setenv(assetsVariable, t.TempDir())
	_, err := Dir(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "has no kube-apiserver: name a directory that has it") {
		t.Errorf("err = %v, want one that says what to do", err)
	}
}

func TestDownloadFillsTheCache(t *testing.T) {
	f, _ := testFetcher(t, releases(t))
	dir, err := f.fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if dir != f.downloadedDir() {
		t.Errorf("dir = %s, want the one of downloads", dir)
	}
	again, err := f.fetch(t.Context())
	if err != nil || again != dir {
		t.Errorf("second fetch = %s, %v, want %s from the cache", again, err, dir)
	}
	left, err := filepath.Glob(filepath.Join(f.cache, "unfinished-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestUnreachableIndexFailsFast(t *testing.T) {
	silent := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-silent }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(silent) })
	f, _ := testFetcher(t, server.URL)
	start := time.Now()
	if _, err := f.download(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("err = %v, want one that says the index cannot be reached", err)
	}
	if waited := time.Since(start); waited > 5*time.Second {
		t.Errorf("waited %s, want at most 5s", waited)
	}
}

func TestLockLetsOneWorkAtATime(t *testing.T) {
	f, _ := testFetcher(t, "")
	var inside, most atomic.Int32
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			unlock, err := lock(t.Context(), filepath.Join(f.cache, "lock"), f.progress)
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			if n := inside.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(10 * time.Millisecond)
			inside.Add(-1)
		})
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d held the lock at once", most.Load())
	}
}

func TestWaitingIsTold(t *testing.T) {
	heard := &bytes.Buffer{}
	p := newProgress(heard)
	p.every = time.Millisecond
	report := &buildReport{name: "etcd"}
	report.follow(strings.NewReader("go: downloading go.etcd.io/raft/v3 v3.7.0\ngo.etcd.io/raft/v3\n"))
	done := p.working(report.line)
	time.Sleep(50 * time.Millisecond)
	done()
	if want := "building etcd, 1 packages compiled, at go.etcd.io/raft/v3\n"; !strings.Contains(heard.String(), want) {
		t.Errorf("heard %q, want %q in it", heard, want)
	}
}

// releases serves an index like envtest's, with a release that holds scripts.
func releases(t *testing.T) string {
	t.Helper()
	archive := releaseArchive(t)
	name := fmt.Sprintf("envtest-v1.37.0-%s-%s.tar.gz", runtime.GOOS, runtime.GOARCH)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("/index.yaml", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "releases:\n  v1.37.0:\n    %s:\n      hash: %x\n      selfLink: %s/archive\n",
			name, sha512.Sum512(archive), server.URL)
	})
	mux.HandleFunc("/archive", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive) })
	return server.URL + "/index.yaml"
}

func releaseArchive(t *testing.T) []byte {
	t.Helper()
	packed := &bytes.Buffer{}
	zipped := gzip.NewWriter(packed)
	files := tar.NewWriter(zipped)
	for _, name := range []string{"kube-apiserver", "etcd", "kubectl"} {
		text := "#!/bin/sh\n"
		header := &tar.Header{Name: "controller-tools/envtest/" + name, Mode: 0o755, Size: int64(len(text))}
		if err := files.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}
