package assets

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// commands maps each program to the main package it is built from.
var commands = map[string]string{
	"kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
	"etcd":           "go.etcd.io/etcd/server/v3",
	"kubectl":        "k8s.io/kubernetes/cmd/kubectl",
}

// build compiles the programs from their modules and moves them into the cache.
func (f *fetcher) build(ctx context.Context) (string, error) {
	names := required
	if _, err := exec.LookPath("kubectl"); err != nil {
		names = append([]string{"kubectl"}, required...)
	}
	staging, err := f.stage()
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(staging) }()
	f.progress.say("building %s from source (Kubernetes %s, etcd %s): about six minutes on two cores, once",
		strings.Join(names, ", "), f.versions.kubernetes, f.versions.etcd)
	start := time.Now()
	for _, name := range names {
		if err := f.compile(ctx, name, staging); err != nil {
			return "", err
		}
	}
	if err := settle(staging, f.builtDir()); err != nil {
		return "", err
	}
	f.progress.say("built in %s, kept in the cache", time.Since(start).Round(time.Second))
	return f.builtDir(), nil
}

// compile builds one program into dir. Static, so that a machine with a C
// compiler and one without build the same.
func (f *fetcher) compile(ctx context.Context, name, dir string) error {
	tool, err := exec.LookPath("go")
	if err != nil {
		return errors.New("building needs the go command on PATH: install Go, or set " + assetsVariable)
	}
	cmd := exec.CommandContext(ctx, tool, "build", "-v", "-buildvcs=false",
		"-ldflags", f.versions.linkerFlags(), "-o", filepath.Join(dir, name), commands[name])
	cmd.Dir = filepath.Join(f.root, "hack", "controlplane")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOWORK=off", "PWD="+cmd.Dir)
	// The go command stops its compilers on an interrupt, not when it is killed.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	report := &buildReport{name: name}
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	var reading sync.WaitGroup
	reading.Go(func() { report.follow(read) })
	done := f.progress.working(report.line)
	err = cmd.Run()
	_ = write.Close()
	reading.Wait()
	done()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("building %s in hack/controlplane: %w\n%s", name, err, report.tail())
	}
	return nil
}

// linkerFlags put the version into the programs. Without them the server calls
// itself v0.0.0-master, and clients that compare versions misbehave.
func (v versions) linkerFlags() string {
	major, minor := v.majorMinor()
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags,
			"-X", pkg+".gitVersion="+v.kubernetes,
			"-X", pkg+".gitMajor="+major,
			"-X", pkg+".gitMinor="+minor,
			"-X", pkg+".gitTreeState=clean")
	}
	return strings.Join(flags, " ")
}

// buildReport understands what "go build -v" prints: a package on a line of its
// own when it is compiled, and notes and errors among them.
type buildReport struct {
	name string

	mu       sync.Mutex
	compiled int
	last     []string // the latest lines, for the error
}

// tailLines is how much of a failed build is shown: the error and its surroundings.
const tailLines = 20

func (r *buildReport) follow(output io.Reader) {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		r.add(lines.Text())
	}
	// A line too long for the scanner must not block the build.
	_, _ = io.Copy(io.Discard, output)
}

func (r *buildReport) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !strings.Contains(line, " ") {
		r.compiled++
	}
	r.last = append(r.last, line)
	if len(r.last) > tailLines {
		r.last = r.last[1:]
	}
}

func (r *buildReport) line() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.last) == 0 {
		return fmt.Sprintf("building %s, reading its modules or linking", r.name)
	}
	at := strings.TrimPrefix(r.last[len(r.last)-1], "go: ")
	return fmt.Sprintf("building %s, %d packages compiled, at %s", r.name, r.compiled, at)
}

func (r *buildReport) tail() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.last, "\n")
}
