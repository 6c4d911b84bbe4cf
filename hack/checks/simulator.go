package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

const (
	// word is the stem of simulator, simulated and simulation.
	word = "simulat"
	// nearby is how many lines around a mention of the clock belong to it.
	nearby = 6
)

// simulatorMentions returns the places where the shipped program knows that a
// simulator exists. It may not: demo and tests prove something only as long as
// they run what users run. One exception: main.go may let a simulated clock be
// named, or a demo would last as long as a rollout.
func simulatorMentions(tree fs.FS) ([]string, error) {
	var found []string
	for _, dir := range []string{"api", "controllers", "internal"} {
		err := fs.WalkDir(tree, dir, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case name == "internal/simulator":
				return fs.SkipDir
			case entry.IsDir(), playsInAWorld(name):
				return nil
			}
			lines, err := mentions(tree, name)
			found = append(found, lines...)
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	lines, err := mentionsAwayFromClock(tree, "main.go")
	return append(found, lines...), err
}

// playsInAWorld tells whether a file is a test of internal/kcc: what that parses of a
// cluster and of Cloud Run, and exports to nobody, is held against a world of both.
func playsInAWorld(name string) bool {
	return strings.HasPrefix(name, "internal/kcc/") && strings.HasSuffix(name, "_test.go")
}

func mentions(tree fs.FS, name string) ([]string, error) {
	lines, err := readLines(tree, name)
	if err != nil {
		return nil, err
	}
	var found []string
	for i, line := range lines {
		if says(line, word) {
			found = append(found, fmt.Sprintf("%s:%d: says %q: what is shipped does not know the simulator, "+
				"put it under internal/simulator or test", path.Clean(name), i+1, word))
		}
	}
	return found, nil
}

func mentionsAwayFromClock(tree fs.FS, name string) ([]string, error) {
	lines, err := readLines(tree, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []string
	for i, line := range lines {
		around := lines[max(0, i-nearby):min(len(lines), i+nearby+1)]
		if says(line, word) && !slices.ContainsFunc(around, func(l string) bool { return says(l, "clock") }) {
			found = append(found, fmt.Sprintf("%s:%d: says %q: only the flag for the clock may", name, i+1, word))
		}
	}
	return found, nil
}

func says(line, what string) bool { return strings.Contains(strings.ToLower(line), what) }

func readLines(tree fs.FS, name string) ([]string, error) {
	text, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil, err
	}
	return strings.Split(string(text), "\n"), nil
}
