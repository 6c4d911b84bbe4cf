package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sluice-rollouts/sluice/hack/internal/commit"
	"github.com/sluice-rollouts/sluice/test/soak"
)

// part is how many rollouts a report is kept of at once: some minutes.
const part = 10_000

// play plays seeds, as soak.Run does.
type play func(context.Context, soak.Options) (soak.Report, error)

// inParts plays what is missing in a directory of reports, writes a report of each part
// into it, and returns the sum. Whoever is interrupted goes on where the reports end.
func inParts(ctx context.Context, dir, of string, o soak.Options, play play) (soak.Report, error) {
	if !commit.Exact(of) {
		return soak.Report{}, fmt.Errorf("this is commit %s: reports add up only where a commit says what was played; commit first, or leave -reports out", of)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return soak.Report{}, fmt.Errorf("making room for reports: %w", err)
	}
	for {
		sum, next, err := soFar(dir, of, o.From)
		if err != nil || sum.Rollouts >= o.Rollouts {
			return sum, err
		}
		following := o
		following.From, following.Rollouts = next, min(part, o.Rollouts-sum.Rollouts)
		r, err := play(ctx, following)
		if r.Commit = of; len(r.Seeds) > 0 {
			if failed := write(dir, r); failed != nil {
				return sum, failed
			}
		}
		if err != nil {
			sum, _, _ = soFar(dir, of, o.From) // what there is, beside the error
			return sum, err
		}
	}
}

// soFar is the sum of the reports in a directory, and the seed to go on with.
func soFar(dir, of string, from uint64) (sum soak.Report, next uint64, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		return soak.Report{Commit: of}, from, err
	}
	sum, err = added(files)
	switch {
	case err != nil:
		return sum, 0, err
	case sum.Commit != of:
		return sum, 0, fmt.Errorf("the reports in %s are of commit %s, and this is %s: name another directory", dir, sum.Commit, of)
	case len(sum.Seeds) != 1 || sum.Seeds[0].From != from:
		return sum, 0, fmt.Errorf("the reports in %s are not of seeds from %d on without a gap: name another directory", dir, from)
	}
	return sum, sum.Seeds[0].To + 1, nil
}

// added adds reports up that were written to files.
func added(files []string) (soak.Report, error) {
	reports := make([]soak.Report, 0, len(files))
	for _, file := range files {
		var r soak.Report
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &r)
		}
		if err != nil {
			return soak.Report{}, fmt.Errorf("reading the report %s: %w", file, err)
		}
		reports = append(reports, r)
	}
	return soak.Sum(reports...)
}

// write writes a report, whole or not at all.
func write(dir string, r soak.Report) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing a report: %w", err)
	}
	name := filepath.Join(dir, fmt.Sprintf("seeds-%09d-%09d.json", r.Seeds[0].From, r.Seeds[0].To))
	if err := os.WriteFile(name+".part", append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing a report: %w", err)
	}
	return os.Rename(name+".part", name)
}
