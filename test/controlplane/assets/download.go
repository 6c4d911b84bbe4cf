package assets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Index lists the releases of envtest. It is envtest's own default, repeated
// here because envtest takes minutes to compile.
const Index = "https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml"

const (
	// indexPatience is short because most networks that hold the index back
	// drop packets instead of refusing, and building is always possible.
	indexPatience = 3 * time.Second
	// downloadPatience is longer than a slow line needs and shorter than a build.
	downloadPatience = 4 * time.Minute
)

// download lets setup-envtest get the released programs, if its index answers.
func (f *fetcher) download(ctx context.Context) (string, error) {
	if err := answers(ctx, f.index); err != nil {
		return "", err
	}
	staging, err := f.stage()
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(staging) }()
	f.progress.say("downloading the envtest release of Kubernetes %s", f.versions.series())
	ctx, cancel := context.WithTimeout(ctx, downloadPatience)
	defer cancel()
	dir, err := f.setupEnvtest(ctx, staging)
	if err != nil {
		return "", fmt.Errorf("the download failed: %w", err)
	}
	if err := settle(dir, f.downloadedDir()); err != nil {
		return "", err
	}
	return f.downloadedDir(), nil
}

// answers reports whether the index can be reached at all, before a tool is
// built for it that would wait much longer.
func answers(ctx context.Context, index string) error {
	ctx, cancel := context.WithTimeout(ctx, indexPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, index, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return errors.New("the index of envtest releases cannot be reached")
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the index of envtest releases answered %s", response.Status)
	}
	return nil
}

// setupEnvtest returns the directory below staging that holds the programs.
func (f *fetcher) setupEnvtest(ctx context.Context, staging string) (string, error) {
	tool, err := exec.LookPath("go")
	if err != nil {
		return "", errors.New("setup-envtest needs the go command on PATH")
	}
	done := f.progress.working(func() string { return "downloading" })
	defer done()
	// The latest patch of the series: the newest one built here may not be released there.
	cmd := exec.CommandContext(ctx, tool, "tool", "setup-envtest",
		"use", f.versions.series()+".x", "--index", f.index, "--bin-dir", staging, "--print", "path")
	cmd.Dir = filepath.Join(f.root, "hack", "tools", "setup-envtest")
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off", "PWD="+cmd.Dir,
		"ENVTEST_INSTALLED_ONLY=", "ENVTEST_USE_ENV=")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	path, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("setup-envtest: %w%s", err, lastLine(err))
	}
	return strings.TrimSpace(string(path)), nil
}

// lastLine is what a failed program said last, where tools put the cause.
func lastLine(err error) string {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
	return ": " + lines[len(lines)-1]
}
