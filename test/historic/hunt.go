package historic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Hunt runs detectors on the product with a bug, and on the product as it is.
type Hunt struct {
	Root string // of the repository
	Dir  string // where what is built is put for a while
	// Patience is how long one detector may run.
	Patience time.Duration
}

// Result is what became of one bug, or of a control.
type Result struct {
	Bug      Bug // a control has only its Detector
	Found    string
	Finding  Finding
	Building time.Duration
	Took     time.Duration // until the detector had reported
	Err      error         // why it could not be tried, or is not found
}

// After says what it took until the bug was found: "4711 states"; "" where nothing
// is counted.
func (r Result) After() string {
	if r.Finding.Effort == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", r.Finding.Effort, kinds[r.Bug.Detector.Name].counts)
}

// ErrMissed is a bug that its detector does not report.
var ErrMissed = errors.New("not found")

// Try compiles a bug in and runs its detector.
func (h Hunt) Try(ctx context.Context, b Bug) Result {
	r := h.attempt(ctx, b)
	r.Found = r.Finding.breaks(b.Breaks)
	switch {
	case r.Err != nil || r.Found != "":
	case r.Finding.Crashed:
		r.Err = fmt.Errorf("%w: %s panics, and no oracle says why", ErrMissed, b.Detector)
	default:
		r.Err = fmt.Errorf("%w: %s reports %q, not %s", ErrMissed, b.Detector, r.Finding.Violations, b.Breaks)
	}
	return r
}

// Control runs a detector on the product as it is. It must report nothing.
func (h Hunt) Control(ctx context.Context, d Detector) Result {
	r := h.attempt(ctx, Bug{Name: "control", Detector: d})
	if r.Err == nil && (r.Finding.Crashed || len(r.Finding.Violations) > 0) {
		r.Err = fmt.Errorf("without a bug %s reports %q", d, r.Finding.Violations)
	}
	return r
}

func (h Hunt) attempt(ctx context.Context, b Bug) Result {
	r := Result{Bug: b}
	dir, err := os.MkdirTemp(h.Dir, b.Name+"-")
	if err != nil {
		r.Err = fmt.Errorf("making room: %w", err)
		return r
	}
	defer func() { r.Err = errors.Join(r.Err, os.RemoveAll(dir)) }()
	began := time.Now()
	program, err := h.build(ctx, b, dir)
	r.Building = time.Since(began)
	if err != nil {
		r.Err = err
		return r
	}
	began = time.Now()
	output, failed, err := h.run(ctx, b.Detector, program)
	r.Took, r.Finding = time.Since(began), b.Detector.read(output)
	if r.Err = err; err == nil && failed != (len(r.Finding.Violations) > 0 || r.Finding.Crashed) {
		r.Err = fmt.Errorf("%s ends with an error and says:\n%s", b.Detector, output)
	}
	return r
}

// build compiles a bug's detector with the bug.
func (h Hunt) build(ctx context.Context, b Bug, dir string) (string, error) {
	program := filepath.Join(dir, "detector")
	args := []string{"build", "-o", program}
	if b.Detector.tests() {
		args = []string{"test", "-c", "-o", program}
	}
	if len(b.Hunks) > 0 {
		overlay, err := b.Overlay(h.Root, dir)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	return program, h.compile(ctx, append(args, b.Detector.Package))
}

func (h Hunt) compile(ctx context.Context, args []string) error {
	compiler := exec.CommandContext(ctx, "go", args...)
	compiler.Dir = h.Root
	if output, err := compiler.CombinedOutput(); err != nil {
		return fmt.Errorf("it does not compile: %w\n%s", err, output)
	}
	return nil
}

// run runs a detector, and tells whether it ended with an error.
func (h Hunt) run(ctx context.Context, d Detector, program string) (output string, failed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, h.Patience)
	defer cancel()
	detector := exec.CommandContext(ctx, program, d.Args...)
	detector.Dir = h.Root
	if d.tests() {
		detector.Dir = filepath.Join(h.Root, strings.TrimPrefix(d.Package, "./"))
	}
	var all bytes.Buffer
	detector.Stdout, detector.Stderr = &all, &all
	err = detector.Run()
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return all.String(), true, fmt.Errorf("%s did not end within %s", d, h.Patience)
	case errors.As(err, &ended):
		return all.String(), true, nil
	}
	return all.String(), false, err
}
