package assets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// cacheVariable moves the cache, for a machine whose home is small or read-only.
const cacheVariable = "SLUICE_CACHE"

// cacheDir returns the directory all control planes are kept in, and makes it.
// The user's cache comes first, so that a fresh clone finds what another clone
// built; a machine without one keeps them in the repository.
func cacheDir(root string) (string, error) {
	if base := os.Getenv(cacheVariable); base != "" {
		dir, err := filepath.Abs(filepath.Join(base, "controlplane"))
		if err == nil {
			err = os.MkdirAll(dir, 0o755)
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", cacheVariable, err)
		}
		return dir, nil
	}
	if base, err := os.UserCacheDir(); err == nil {
		dir := filepath.Join(base, "sluice", "controlplane")
		if writable(dir) {
			return dir, nil
		}
	}
	dir := filepath.Join(root, ".cache", "controlplane")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("no cache directory, set %s to one that can be written: %w", cacheVariable, err)
	}
	return dir, nil
}

func writable(dir string) bool {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return false
	}
	// The lock is the file that will be written in any case.
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return false
	}
	return file.Close() == nil
}

func (f *fetcher) builtDir() string {
	return filepath.Join(f.cache, fmt.Sprintf("%s-etcd-%s-%s-%s",
		f.versions.kubernetes, f.versions.etcd, runtime.GOOS, runtime.GOARCH))
}

func (f *fetcher) downloadedDir() string {
	return filepath.Join(f.cache, fmt.Sprintf("envtest-%s-%s-%s",
		f.versions.series(), runtime.GOOS, runtime.GOARCH))
}

// stage makes an empty directory beside the final ones, so that moving it into
// place is one rename. The caller removes what is left of it.
func (f *fetcher) stage() (string, error) {
	dir, err := os.MkdirTemp(f.cache, "unfinished-")
	if err != nil {
		return "", fmt.Errorf("making room in the cache: %w", err)
	}
	return dir, nil
}

// settle gives a complete directory its final name.
func settle(from, to string) error {
	if err := checkNamed(from); err != nil {
		return err
	}
	// What is at the destination lacks a program, else it had been used.
	if err := os.RemoveAll(to); err != nil {
		return fmt.Errorf("clearing the cache: %w", err)
	}
	if err := os.Chmod(from, 0o755); err != nil {
		return fmt.Errorf("opening the cache: %w", err)
	}
	return os.Rename(from, to)
}

// lock waits until this process alone may fill the cache. The kernel drops the
// lock with the process, so a killed build never leaves a stale one.
func lock(ctx context.Context, path string, p *progress) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking the cache: %w", err)
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	done := p.working(func() string { return "another process is getting the control plane, waiting for it" })
	defer done()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("locking the cache: %w", err), file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		case <-tick.C:
		}
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
