package soak

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Range is some seeds, the first and the last one of them.
type Range struct{ From, To uint64 }

// Report is what seeds came to. Reports add up: see [Sum].
type Report struct {
	Commit     string  // what was played, where whoever keeps the report has said so
	Seeds      []Range // in order; none where it was ended before there were any
	Rollouts   int     // attempts that moved traffic
	Passes     int
	Faults     map[string]int
	Sometimes  map[string]int
	Violations int
	Broken     []string  // stories of seeds that broke something, at most a few
	Backs      Latencies // without faults
	Afterwards Latencies // after them
	Took       time.Duration
}

// Latencies is how often something took so many seconds.
type Latencies map[int]int

// count counts times, each as a whole number of seconds, and no part of one for less.
func (l Latencies) count(times ...time.Duration) {
	for _, took := range times {
		l[int(math.Ceil(took.Seconds()))]++
	}
}

// Times is how many there are.
func (l Latencies) Times() int {
	n := 0
	for _, times := range l {
		n += times
	}
	return n
}

// Quantile is the shortest of the times that a share of all, from 0 to 1, does not
// exceed; 0 of none.
func (l Latencies) Quantile(share float64) time.Duration {
	rank, seen := max(1, int(math.Ceil(share*float64(l.Times())))), 0
	for _, seconds := range slices.Sorted(maps.Keys(l)) {
		if seen += l[seconds]; seen >= rank {
			return time.Duration(seconds) * time.Second
		}
	}
	return 0
}

// Sum adds reports up. They must be of one commit, and no seed may be in two of them.
func Sum(reports ...Report) (Report, error) {
	all := Report{Faults: map[string]int{}, Sometimes: map[string]int{}, Backs: Latencies{}, Afterwards: Latencies{}}
	if len(reports) == 0 {
		return all, errors.New("there are no reports to add up")
	}
	all.Commit = reports[0].Commit
	for _, r := range reports {
		if r.Commit != all.Commit {
			return all, fmt.Errorf("one report is of commit %s, another of %s: what was played differs, add up each by itself", all.Commit, r.Commit)
		}
		all.Seeds = append(all.Seeds, r.Seeds...)
		all.Rollouts, all.Passes, all.Violations = all.Rollouts+r.Rollouts, all.Passes+r.Passes, all.Violations+r.Violations
		all.Broken = append(all.Broken, r.Broken[:min(len(r.Broken), mostStories-len(all.Broken))]...)
		all.Took += r.Took
		merge(all.Faults, r.Faults)
		merge(all.Sometimes, r.Sometimes)
		merge(all.Backs, r.Backs)
		merge(all.Afterwards, r.Afterwards)
	}
	var err error
	all.Seeds, err = joined(all.Seeds)
	return all, err
}

func merge[K comparable](into, from map[K]int) {
	for what, n := range from {
		into[what] += n
	}
}

// joined puts ranges in order, and those together that follow each other.
func joined(seeds []Range) ([]Range, error) {
	slices.SortFunc(seeds, func(a, b Range) int { return cmp.Compare(a.From, b.From) })
	var all []Range
	for _, next := range seeds {
		last := len(all) - 1
		switch {
		case last >= 0 && next.From <= all[last].To:
			return nil, fmt.Errorf("seed %d is in two reports: leave one of them out", next.From)
		case last >= 0 && next.From == all[last].To+1:
			all[last].To = next.To
		default:
			all = append(all, next)
		}
	}
	return all, nil
}

// Missing are the rare paths that were not reached.
func (r Report) Missing() []string {
	var missing []string
	for _, what := range Sometimes {
		if r.Sometimes[what] == 0 {
			missing = append(missing, what)
		}
	}
	return missing
}

// faults is how many faults and deeds there were.
func (r Report) faults() int {
	n := 0
	for _, times := range r.Faults {
		n += times
	}
	return n
}

// seeds says which seeds were played.
func (r Report) seeds() string {
	parts := make([]string, 0, len(r.Seeds))
	for _, s := range r.Seeds {
		parts = append(parts, fmt.Sprintf("%d to %d", s.From, s.To))
	}
	return cmp.Or(strings.Join(parts, ", "), "none")
}

// aMinute is how many rollouts were played in a minute, 0 where nothing was.
func (r Report) aMinute() float64 {
	if r.Took <= 0 {
		return 0
	}
	return float64(r.Rollouts) / r.Took.Minutes()
}

// String is the report.
func (r Report) String() string {
	var text strings.Builder
	if r.Commit != "" {
		fmt.Fprintf(&text, "commit %s\n", r.Commit)
	}
	fmt.Fprintf(&text, "%d rollouts in seeds %s, %d faults and deeds, %d looks, %d violations\n",
		r.Rollouts, r.seeds(), r.faults(), r.Passes, r.Violations)
	fmt.Fprintf(&text, "%.0f rollouts a minute\n", r.aMinute())
	latency(&text, "without faults", r.Backs)
	latency(&text, "after all faults", r.Afterwards)
	table(&text, "faults and deeds", r.Faults)
	table(&text, "rare paths", r.Sometimes)
	return text.String()
}

// Head names the columns of [Report.Row], in Markdown.
const Head = `| Seeds | Rollouts | Faults and deeds | Violations found | Back without faults: p50, p99, max | After all faults: p50, p99, max | Rollouts a minute | Commit |
|---|---|---|---|---|---|---|---|
`

// Row is the report as a row of a table in Markdown.
func (r Report) Row() string {
	back := func(l Latencies) string {
		if len(l) == 0 {
			return "none"
		}
		return fmt.Sprintf("%s, %s, %s, %d times", l.Quantile(0.5), l.Quantile(0.99), l.Quantile(1), l.Times())
	}
	return fmt.Sprintf("| %s | %d | %d | %d | %s | %s | %.0f | %s |\n",
		r.seeds(), r.Rollouts, r.faults(), r.Violations, back(r.Backs), back(r.Afterwards), r.aMinute(), cmp.Or(r.Commit, "not said"))
}

// latency tells how long ways back took.
func latency(text *strings.Builder, when string, l Latencies) {
	if len(l) > 0 {
		fmt.Fprintf(text, "%s, from a visible breach until stable serves everything, %d times: p50 %s, p99 %s, max %s\n",
			when, l.Times(), l.Quantile(0.5), l.Quantile(0.99), l.Quantile(1))
	}
}

func table(text *strings.Builder, title string, counts map[string]int) {
	fmt.Fprintf(text, "%s\n", title)
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(text, "  %7d  %s\n", counts[what], what)
	}
}
