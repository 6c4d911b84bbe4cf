package assets

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Kubectl returns the path of a kubectl: the one on PATH, else the one beside
// the other programs, else one built from source, which takes about a minute
// where kube-apiserver was built before.
func Kubectl(ctx context.Context, progress io.Writer) (string, error) {
	if path, err := exec.LookPath("kubectl"); err == nil {
		return path, nil
	}
	dir, err := Dir(ctx, progress)
	if err != nil {
		return "", err
	}
	if path := filepath.Join(dir, "kubectl"); isFile(path) {
		return path, nil
	}
	f, err := newFetcher(progress)
	if err != nil {
		return "", err
	}
	path, err := f.kubectl(ctx)
	if err != nil {
		return "", fmt.Errorf("getting kubectl: %w", err)
	}
	return path, nil
}

// kubectl builds kubectl into the cache. It has a directory of its own, because
// the others count as complete without it.
func (f *fetcher) kubectl(ctx context.Context) (string, error) {
	dir := f.builtDir() + "-kubectl"
	path := filepath.Join(dir, "kubectl")
	unlock, err := lock(ctx, filepath.Join(f.cache, "lock"), f.progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	if isFile(path) {
		return path, nil
	}
	staging, err := f.stage()
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(staging) }()
	if err := f.compile(ctx, "kubectl", staging); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return path, os.Rename(filepath.Join(staging, "kubectl"), path)
}
