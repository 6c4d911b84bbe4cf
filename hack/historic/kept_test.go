package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/test/historic"
)

func some(t *testing.T) []historic.Bug {
	t.Helper()
	bugs, err := historic.Bugs()
	if err != nil || len(bugs) < 2 {
		t.Fatalf("%d bugs: %v", len(bugs), err)
	}
	return bugs[:2]
}

func opened(t *testing.T, file, of string) *kept {
	t.Helper()
	k, err := open(file, of)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestAHuntGoesOnWhereItEnded: what was found is not looked for again at the same commit,
// and what was not found is.
func TestAHuntGoesOnWhereItEnded(t *testing.T) {
	t.Parallel()
	file, bugs := filepath.Join(t.TempDir(), "cache", "results.json"), some(t)
	found := historic.Result{Bug: bugs[0], Found: "I1: odd", Finding: historic.Finding{Effort: 42}, Took: time.Second}
	k := opened(t, file, "abc")
	k.or(bugs[0].Name, bugs[0], func() historic.Result { return found })
	k.or(bugs[1].Name, bugs[1], func() historic.Result { return historic.Result{Bug: bugs[1], Err: historic.ErrMissed} })
	tried := 0
	again := func() historic.Result { tried++; return historic.Result{Err: errors.New("again")} }

	k = opened(t, file, "abc")
	if r := k.or(bugs[0].Name, bugs[0], again); r.Err != nil || r.Found != found.Found || r.After() != found.After() || r.Took != found.Took || tried != 0 {
		t.Errorf("what was found is %+v, tried %d times", r, tried)
	}
	if k.or(bugs[1].Name, bugs[1], again); tried != 1 {
		t.Error("what was not found is not looked for again")
	}
	if k.or(control(bugs[0].Detector), bugs[0], again); tried != 2 {
		t.Error("a control passes for its bug")
	}
	k = opened(t, file, "def")
	if k.or(bugs[0].Name, bugs[0], again); tried != 3 {
		t.Error("what was found at another commit is not looked for again")
	}
}

// TestTheTableIsWrittenOnceNothingIsMissing: a part of the bugs is no table.
func TestTheTableIsWrittenOnceNothingIsMissing(t *testing.T) {
	t.Parallel()
	document := filepath.Join(t.TempDir(), "reliability.md")
	write := func(text string) {
		if err := os.WriteFile(document, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n" + begin + "\nold\n" + end + "\nafter\n")
	bugs, err := historic.Bugs()
	if err != nil {
		t.Fatal(err)
	}
	k := opened(t, "", "abc")
	for _, d := range historic.Controls(bugs) {
		k.or(control(d), historic.Bug{Detector: d}, func() historic.Result { return historic.Result{} })
	}
	for i, b := range bugs {
		if i == len(bugs)-1 {
			if text := reported(t, document, k); !strings.Contains(text, "\nold\n") {
				t.Errorf("it was written though a bug is missing:\n%s", text)
			}
		}
		k.or(b.Name, b, func() historic.Result { return historic.Result{Bug: b, Found: b.Breaks + ": odd"} })
	}
	text := reported(t, document, k)
	for _, want := range []string{"before\n", "\nafter\n", "Commit abc.", bugs[0].Change, bugs[len(bugs)-1].Change} {
		if !strings.Contains(text, want) || strings.Contains(text, "\nold\n") {
			t.Errorf("it has no %q, or the old table:\n%s", want, text)
		}
	}
	write("no table")
	if err := report(options{document: document}, k); err == nil {
		t.Error("a document without a place for the table is written")
	}
}

func reported(t *testing.T, document string, k *kept) string {
	t.Helper()
	if err := report(options{document: document}, k); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestResultsThatCannotBeKept are refused, with what to do instead.
func TestResultsThatCannotBeKept(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "results.json")
	if _, err := open(file, "abc, changed"); err == nil || !strings.Contains(err.Error(), "commit first") {
		t.Errorf("a tree that was changed: %v", err)
	}
	if err := os.WriteFile(file, []byte("no JSON"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(file, "abc"); err == nil || !strings.Contains(err.Error(), "remove "+file) {
		t.Errorf("a file that is none of ours: %v", err)
	}
}
