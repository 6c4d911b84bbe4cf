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
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "-", "-bench", "BenchmarkAnswer", "-benchtime", "1x",
		"./internal/monitoring").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("running BenchmarkAnswer in internal/monitoring: %w\n%s", err, out)
	}
	return string(out), nil
}

// measured is a line of a benchmark: its name without the number of processors,
// how often it ran, and pairs of value and unit.
var measured = regexp.MustCompile(`^Benchmark\w+/(\S+?)(?:-\d+)?\s+\d+\s+(.+)$`)

// costTable keeps the figures of a benchmark that do not depend on the machine.
func costTable(output string) (table, bool) {
	t := table{title: "Requests to Cloud Monitoring"}
	for line := range strings.SplitSeq(output, "\n") {
		found := measured.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		header, cells := []string{"case"}, []string{strings.ReplaceAll(found[1], "_", " ")}
		fields := strings.Fields(found[2])
		for i := 0; i+1 < len(fields); i += 2 {
			value, unit := fields[i], fields[i+1]
			if unit == "ns/op" || unit == "B/op" || unit == "allocs/op" || unit == "MB/s" {
				continue
			}
			header, cells = append(header, unit), append(cells, value)
		}
		t.header = header
		t.row(cells...)
	}
	return t, len(t.rows) > 0
}
