// Package assets gets the programs of a control plane: kube-apiserver, etcd and
// kubectl. It needs nothing but the standard library, so that the command which
// fetches them compiles within seconds and has something to say while the rest
// of the world is still being compiled.
package assets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// assetsVariable is envtest's own way to be told where the programs are.
const assetsVariable = "KUBEBUILDER_ASSETS"

// required are the programs without which nothing starts. kubectl is a
// convenience and comes through Kubectl.
var required = []string{"kube-apiserver", "etcd"}

// Dir returns a directory which holds kube-apiserver and etcd, and gets or
// builds them if there is none yet. What takes time is told to progress, a line
// at a time. Any number of processes may call it at once: one works, the others
// wait for it.
func Dir(ctx context.Context, progress io.Writer) (dir string, err error) {
	if dir = os.Getenv(assetsVariable); dir != "" {
		return dir, checkNamed(dir)
	}
	f, err := newFetcher(progress)
	if err != nil {
		return "", fmt.Errorf("getting a control plane: %w", err)
	}
	if dir, err = f.fetch(ctx); err != nil {
		return "", fmt.Errorf("getting a control plane (kube-apiserver and etcd): %w", err)
	}
	return dir, nil
}

// checkNamed reports what is missing in a directory somebody named on purpose.
// Falling back to another one would hide the mistake.
func checkNamed(dir string) error {
	for _, name := range required {
		if !isFile(filepath.Join(dir, name)) {
			return fmt.Errorf("%s is %q, which has no %s: name a directory that has it, or unset the variable",
				assetsVariable, dir, name)
		}
	}
	return nil
}

// fetcher gets the programs into the cache.
type fetcher struct {
	root     string // the repository
	cache    string // where this user's control planes are kept
	versions versions
	index    string // lists the envtest releases
	progress *progress
}

func newFetcher(out io.Writer) (*fetcher, error) {
	root, err := RepositoryRoot()
	if err != nil {
		return nil, err
	}
	v, err := readVersions(root)
	if err != nil {
		return nil, err
	}
	cache, err := cacheDir(root)
	if err != nil {
		return nil, err
	}
	return &fetcher{root: root, cache: cache, versions: v, index: Index, progress: newProgress(out)}, nil
}

func (f *fetcher) fetch(ctx context.Context) (string, error) {
	if dir, ok := f.cached(); ok {
		return dir, nil
	}
	unlock, err := lock(ctx, filepath.Join(f.cache, "lock"), f.progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	// Whoever held the lock before us has most likely done the work.
	if dir, ok := f.cached(); ok {
		return dir, nil
	}
	f.progress.say("Kubernetes %s is not in the cache yet (%s is not set)", f.versions.kubernetes, assetsVariable)
	dir, err := f.download(ctx)
	if err == nil {
		return dir, nil
	}
	if ctx.Err() != nil {
		return "", errors.Join(err, ctx.Err())
	}
	f.progress.say("%v; building from source instead", err)
	return f.build(ctx)
}

// cached returns the directory of an earlier build or download. Directories get
// their names only when they are complete, so one look at the programs is enough.
func (f *fetcher) cached() (string, bool) {
	for _, dir := range []string{f.builtDir(), f.downloadedDir()} {
		if checkNamed(dir) == nil {
			return dir, true
		}
	}
	return "", false
}
