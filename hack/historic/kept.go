package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/sluice-rollouts/sluice/hack/internal/commit"
	"github.com/sluice-rollouts/sluice/test/historic"
)

// kept is what was found at one commit, in a file, so that a hunt that was interrupted
// goes on where it ended. Only what went as it should is kept.
type kept struct {
	file string
	mu   sync.Mutex

	Commit string
	Went   map[string]outcome // by the name of a bug, or "control " and the detector
}

// outcome is what of a result the document tells.
type outcome struct {
	Found  string
	Effort int
	Took   time.Duration
}

// open reads what was kept at a commit. Without a file nothing is kept, and what was kept
// at another commit is forgotten.
func open(file, of string) (*kept, error) {
	fresh := &kept{file: file, Commit: of, Went: map[string]outcome{}}
	if file == "" {
		return fresh, nil
	}
	if !commit.Exact(of) {
		return nil, fmt.Errorf("this is commit %s: results are kept of one commit; commit first, or leave -results out", of)
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	k := kept{file: file}
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading results: %w; remove %s to begin anew", err, file)
	case k.Commit != of || k.Went == nil:
		return fresh, nil
	}
	return &k, nil
}

// result is what is kept under a name.
func (k *kept) result(name string, b historic.Bug) (historic.Result, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	went, ok := k.Went[name]
	return historic.Result{Bug: b, Found: went.Found, Finding: historic.Finding{Effort: went.Effort}, Took: went.Took}, ok
}

// or is what is kept under a name, or what trying comes to.
func (k *kept) or(name string, b historic.Bug, try func() historic.Result) historic.Result {
	if r, ok := k.result(name, b); ok {
		return r
	}
	r := try()
	if r.Err == nil {
		r.Err = k.keep(name, outcome{r.Found, r.Finding.Effort, r.Took})
	}
	return r
}

func (k *kept) keep(name string, went outcome) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.Went[name] = went
	if k.file == "" {
		return nil
	}
	text, err := json.MarshalIndent(k, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(k.file), 0o750)
	}
	if err == nil {
		err = os.WriteFile(k.file+".part", append(text, '\n'), 0o600)
	}
	if err == nil {
		err = os.Rename(k.file+".part", k.file)
	}
	if err != nil {
		return fmt.Errorf("keeping a result: %w", err)
	}
	return nil
}

// control is the name under which a detector's run without a bug is kept.
func control(d historic.Detector) string { return "control " + d.String() }

// all are the results of every bug and of every control, and how many are still missing.
func (k *kept) all(bugs []historic.Bug) (found, clean []historic.Result, missing int) {
	for _, b := range bugs {
		if r, ok := k.result(b.Name, b); ok {
			found = append(found, r)
		} else {
			missing++
		}
	}
	for _, d := range historic.Controls(bugs) {
		if r, ok := k.result(control(d), historic.Bug{Name: "control", Detector: d}); ok {
			clean = append(clean, r)
		} else {
			missing++
		}
	}
	return found, clean, missing
}
