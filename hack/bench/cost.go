package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
)

// askCost runs the benchmark of what is asked of Cloud Monitoring.
func askCost(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "-", "-bench", "BenchmarkAnswer", "-benchtime", "3x",
		"./internal/monitoring").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("running BenchmarkAnswer in internal/monitoring: %w\n%s", err, out)
	}
	return string(out), nil
}

// measured is a line of a benchmark: what is counted and how much of it, without
// the number of processors, how often it ran, and pairs of value and unit.
var measured = regexp.MustCompile(`^Benchmark\w+/(\w+)=(\w+)(?:-\d+)?\s+\d+\s+(.+)$`)

// costTable keeps what a benchmark counts in a minute. The other figures depend
// on the machine.
func costTable(output string) (table, bool) {
	t := table{title: "Requests to Cloud Monitoring"}
	for line := range strings.SplitSeq(output, "\n") {
		found := measured.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		header, cells := []string{found[1]}, []string{found[2]}
		fields := strings.Fields(found[3])
		for i := 0; i+1 < len(fields); i += 2 {
			if value, unit := fields[i], fields[i+1]; strings.HasSuffix(unit, "/min") {
				header, cells = append(header, unit), append(cells, value)
			}
		}
		t.header = header
		t.row(cells...)
	}
	return t, len(t.rows) > 0
}
