package historic

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Detector is a part of the harness, with its seeds or its scope.
type Detector struct {
	Name    string   // explorer, simulation, crashmatrix or test
	Package string   // of its program, or of its tests
	Args    []string // what it is run with
}

// kind is how a kind of detector is run and read.
type kind struct {
	program string         // package of its program; "" for tests
	found   *regexp.Regexp // a line that reports a violation; the first group is the violation
	effort  *regexp.Regexp // what it took; nil where nothing is counted
	counts  string         // what the effort counts
}

var kinds = map[string]kind{
	"explorer": {
		program: "./hack/explorer",
		found:   regexp.MustCompile(`(?m)^((?:I\d+|edges|reachability): .*)$`),
		effort:  regexp.MustCompile(`(?m)acts,? .*: (\d+) states`),
		counts:  "states",
	},
	"simulation": {
		program: "./hack/soak",
		found:   regexp.MustCompile(`(?m)VIOLATION \S+ (.*)$`),
		effort:  regexp.MustCompile(`(?m)^seed (\d+):`),
		counts:  "seeds",
	},
	"crashmatrix": {
		program: "./hack/crashmatrix",
		found:   regexp.MustCompile(`(?m)^  VIOLATION (.*)$`),
		effort:  regexp.MustCompile(`(?m)/(\d+) cells`),
		counts:  "cells",
	},
	"test": {
		found: regexp.MustCompile(`(?m)^\s*--- FAIL: (.*) \(`),
	},
}

// parseDetector reads "explorer -faults 1", "simulation -rollouts 500" or "test
// ./package Name".
func parseDetector(text string) (Detector, error) {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return Detector{}, errors.New("no detector")
	}
	d := Detector{Name: fields[0], Args: fields[1:]}
	k, known := kinds[d.Name]
	switch {
	case !known:
		return d, fmt.Errorf("unknown detector %q", d.Name)
	case k.program != "":
		d.Package = k.program
	case len(d.Args) != 2:
		return d, errors.New("a test needs its package and its name")
	default:
		d.Package, d.Args = d.Args[0], []string{"-test.count=1", "-test.run=^" + d.Args[1] + "$"}
	}
	return d, nil
}

// tests tells whether it runs the tests of its package.
func (d Detector) tests() bool { return kinds[d.Name].program == "" }

// oracles are what the detectors beside the tests report.
var oracles = regexp.MustCompile(`^(I\d+|edges|reachability)$`)

// reports tells whether a detector may report that something is broken.
func (d Detector) reports(what string) bool {
	if d.tests() {
		return slices.Contains(d.Args, "-test.run=^"+what+"$")
	}
	return oracles.MatchString(what)
}

// String says it as it is written in a bug's file.
func (d Detector) String() string {
	if !d.tests() {
		return strings.Join(append([]string{d.Name}, d.Args...), " ")
	}
	name := strings.TrimSuffix(strings.TrimPrefix(d.Args[len(d.Args)-1], "-test.run=^"), "$")
	return fmt.Sprintf("%s %s", d.Package, name)
}

// crashed tells whether a program ended without its own verdict. What it reports
// then is not its own finding.
var crashed = regexp.MustCompile(`(?m)^(panic: |fatal error: |unexpected fault)`)

// Finding is what a detector reported.
type Finding struct {
	Violations []string // one line each, the first one first
	Effort     int      // seeds or states that it took; 0 where nothing is counted
	Crashed    bool
}

// read reads a detector's report.
func (d Detector) read(output string) Finding {
	k := kinds[d.Name]
	f := Finding{Crashed: crashed.MatchString(output)}
	for _, match := range k.found.FindAllStringSubmatch(output, -1) {
		f.Violations = append(f.Violations, strings.TrimSpace(match[1]))
	}
	if k.effort != nil {
		if match := k.effort.FindStringSubmatch(output); match != nil {
			f.Effort, _ = strconv.Atoi(match[1]) // it is digits
		}
	}
	return f
}

// breaks is the first reported violation of an invariant, or of a test; "" for none.
func (f Finding) breaks(what string) string {
	i := slices.IndexFunc(f.Violations, func(v string) bool { return strings.HasPrefix(v+":", what+":") })
	if f.Crashed || i < 0 {
		return ""
	}
	return f.Violations[i]
}
