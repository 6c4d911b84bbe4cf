package soak_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/test/soak"
)

// TestReportsAddUp, written and read in between, to what one report of all seeds says.
func TestReportsAddUp(t *testing.T) {
	t.Parallel()
	first := soak.Report{
		Commit: "abc", Seeds: []soak.Range{{From: 1, To: 64}}, Rollouts: 70, Passes: 7000, Took: time.Minute,
		Faults: map[string]int{"crash": 5, "deploy": 1}, Sometimes: map[string]int{soak.Sometimes[0]: 1},
		Backs: soak.Latencies{15: 3}, Afterwards: soak.Latencies{90: 1},
	}
	second := soak.Report{
		Commit: "abc", Seeds: []soak.Range{{From: 65, To: 128}}, Rollouts: 30, Passes: 3000, Took: time.Minute,
		Faults: map[string]int{"crash": 2}, Sometimes: map[string]int{soak.Sometimes[1]: 4}, Violations: 1, Broken: []string{"a story"},
		Backs: soak.Latencies{15: 1, 141: 1},
	}
	whole := soak.Report{
		Commit: "abc", Seeds: []soak.Range{{From: 1, To: 128}}, Rollouts: 100, Passes: 10000, Took: 2 * time.Minute,
		Faults: map[string]int{"crash": 7, "deploy": 1}, Sometimes: map[string]int{soak.Sometimes[0]: 1, soak.Sometimes[1]: 4}, Violations: 1,
		Broken: []string{"a story"}, Backs: soak.Latencies{15: 4, 141: 1}, Afterwards: soak.Latencies{90: 1},
	}
	sum, err := soak.Sum(kept(t, second), kept(t, first))
	if diff := cmp.Diff(whole, sum); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	want := "| 1 to 128 | 100 | 8 | 1 | 15s, 2m21s, 2m21s, 5 times | 1m30s, 1m30s, 1m30s, 1 times | 50 | abc |\n"
	if row := sum.Row(); row != want || strings.Count(row, "|") != strings.Count(strings.Split(soak.Head, "\n")[0], "|") {
		t.Errorf("its row is\n%s, want\n%s", row, want)
	}
	if missing := sum.Missing(); len(missing) != len(soak.Sometimes)-2 {
		t.Errorf("%d rare paths are missing", len(missing))
	}
}

// kept is a report that was written and read.
func kept(t *testing.T, r soak.Report) (read soak.Report) {
	t.Helper()
	text, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(text, &read)
	}
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// TestWhatDoesNotAddUp: what was played twice, and what was not the same.
func TestWhatDoesNotAddUp(t *testing.T) {
	t.Parallel()
	of := func(commit string, from, to uint64) soak.Report {
		return soak.Report{Commit: commit, Seeds: []soak.Range{{From: from, To: to}}}
	}
	for want, reports := range map[string][]soak.Report{
		"seed 64 is in two reports": {of("a", 1, 64), of("a", 64, 70)},
		"of commit a":               {of("a", 1, 64), of("b", 65, 70)},
		"no reports":                {},
	} {
		if _, err := soak.Sum(reports...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if r, err := soak.Sum(of("a", 129, 192), of("a", 1, 64), of("a", 65, 100)); err != nil || !strings.Contains(r.String(), "seeds 1 to 100, 129 to 192,") {
		t.Errorf("%s: %v", r, err)
	}
}

// TestQuantiles are those of the nearest rank.
func TestQuantiles(t *testing.T) {
	t.Parallel()
	hundred := soak.Latencies{}
	for seconds := range 100 {
		hundred[seconds+1] = 1
	}
	for _, c := range []struct {
		of    soak.Latencies
		share float64
		want  time.Duration
	}{
		{hundred, 0.5, 50 * time.Second},
		{hundred, 0.99, 99 * time.Second},
		{hundred, 1, 100 * time.Second},
		{soak.Latencies{15: 99, 150: 1}, 0.99, 15 * time.Second},
		{soak.Latencies{15: 98, 150: 2}, 0.99, 150 * time.Second},
		{soak.Latencies{7: 1}, 0, 7 * time.Second},
		{soak.Latencies{}, 0.5, 0},
	} {
		if got := c.of.Quantile(c.share); got != c.want {
			t.Errorf("%g of %v is %s, want %s", c.share, c.of, got, c.want)
		}
	}
}

// TestARangeThatIsInterruptedAtOnce came to nothing, and says so in numbers.
func TestARangeThatIsInterruptedAtOnce(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	r, err := soak.Run(ctx, soak.Options{From: 1, Rollouts: 10})
	if !errors.Is(err, context.Canceled) || !strings.Contains(r.String(), "0 rollouts in seeds none") || !strings.Contains(r.String(), "\n0 rollouts a minute") {
		t.Errorf("%v\n%s", err, r)
	}
}

// TestARangeThatIsInterruptedLater says what it came to until then, and how long that took.
func TestARangeThatIsInterruptedLater(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays some seconds")
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	r, err := soak.Run(ctx, soak.Options{From: 1, Rollouts: 1_000_000, First: true, Counted: func(soak.Report) { interrupt() }})
	if !errors.Is(err, context.Canceled) || len(r.Seeds) != 1 || r.Rollouts == 0 || r.Took <= 0 || strings.Contains(r.String(), "Inf") {
		t.Errorf("%v\n%s", err, r)
	}
}
