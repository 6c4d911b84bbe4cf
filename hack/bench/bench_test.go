package main

import (
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// smaller is the part of the trials that a test plays.
const smaller = 4 * quickly

func small() *bench { return newBench(1, smaller, io.Discard) }

func TestAFewTrialsMissNoTarget(t *testing.T) {
	t.Parallel()
	r, err := small().report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.checked < len(rates) || len(r.missed) > 0 {
		t.Errorf("%d targets checked, missed: %q", r.checked, r.missed)
	}
}

func TestATargetThatIsMissedIsTold(t *testing.T) {
	t.Parallel()
	grid := []played{
		{cell{conditions: conditions{rate: 5, errors: clean}}, tally{n: 100, count: [3]int{90, 10, 0}}},
		{cell{conditions: conditions{rate: sureRate, errors: 0.02}}, tally{n: 100, count: [3]int{10, 90, 0}}},
		{cell{conditions: conditions{rate: 1, errors: 0.02}}, tally{n: 100, count: [3]int{10, 90, 0}}},
		{cell{conditions: conditions{rate: 5, errors: 0.005}}, tally{n: 100, count: [3]int{90, 10, 0}}},
	}
	checked, missed := small().missed(rules[0], grid)
	if checked != 2 || len(missed) != 2 {
		t.Errorf("%d checked, missed %q, want two of two", checked, missed)
	}
	whole := newBench(1, 1, io.Discard)
	if _, missed := whole.missed(rules[0], []played{{cell{conditions: conditions{errors: clean}}, tally{n: 3000}}}); len(missed) != 1 {
		t.Errorf("three thousand trials without an alarm prove it: %q", missed)
	}
	if _, missed := whole.missed(rules[0], []played{{cell{conditions: conditions{errors: clean}}, tally{n: 4000}}}); len(missed) != 0 {
		t.Errorf("four thousand trials without an alarm do not prove it: %q", missed)
	}
}

func TestTheSameSeedGivesTheSameReport(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, workers := range []int{1, 3} {
		b := newBench(7, 2000, io.Discard)
		b.workers = workers
		r, err := b.report(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, r.text)
	}
	if diff := cmp.Diff(texts[0], texts[1]); diff != "" {
		t.Errorf("one worker and three (-one +three):\n%s", diff)
	}
}

// outcomes plays a hundred trials.
func outcomes(t *testing.T, j judge, c conditions) [3]int {
	t.Helper()
	played, err := newBench(1, 1, io.Discard).play(t.Context(), cell{c, j, 100})
	if err != nil {
		t.Fatal(err)
	}
	return played.count
}

func named(t *testing.T, name string) model {
	t.Helper()
	for _, m := range models {
		if m.name == name {
			return m
		}
	}
	t.Fatalf("no model %q", name)
	return model{}
}

func TestWhatSetsTheJudgesApart(t *testing.T) {
	t.Parallel()
	blind := conditions{rate: 50, errors: 0.2, fault: absent}
	uneven := conditions{rate: 5, errors: clean}
	cases := map[string]struct {
		judge judge
		in    conditions
		want  [3]int // promoted, rolled back, held
	}{
		"Sluice holds what it cannot see":                         {standard(), blind, [3]int{0, 0, 100}},
		"nothing counted as zero is promoted":                     {named(t, "empty is zero"), blind, [3]int{100, 0, 0}},
		"nothing counted as failure is rolled back":               {named(t, "interval, fifth, empty fails"), blind, [3]int{0, 100, 0}},
		"Sluice rolls back what arrives late":                     {standard(), conditions{rate: 50, errors: 0.2, fault: late}, [3]int{0, 100, 0}},
		"Sluice holds a candidate whose requests are not counted": {standard(), conditions{rate: 50, errors: 1, fault: uncounted}, [3]int{0, 0, 100}},
		"Sluice goes on after a gap":                              {standard(), conditions{rate: 50, errors: clean, fault: gap}, [3]int{100, 0, 0}},
		"Sluice lets a good candidate pass":                       {standard(), uneven, [3]int{100, 0, 0}},
		"all requests failing are seen by everybody":              {named(t, "mixed counter"), conditions{rate: 50, errors: 1}, [3]int{0, 100, 0}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, outcomes(t, c.judge, c.in)); diff != "" {
				t.Errorf("promoted, rolled back, held (-want +got):\n%s", diff)
			}
		})
	}
	if got := outcomes(t, named(t, "interval, first"), uneven); got[rolledBack] < 50 {
		t.Errorf("one error in a minute of fifteen requests rolled back %d of 100 good candidates, want most", got[rolledBack])
	}
}

// The largest distance between the two distribution functions, with the bound of
// Kolmogorov that chance exceeds once in a thousand.
func TestDrawsFollowThePoissonDistribution(t *testing.T) {
	t.Parallel()
	const draws = 200_000
	for _, mean := range []float64{0.15, 3, 9.99, 10, 42, 1425, 30000} {
		d := newDice(1, "poisson", int(mean*100))
		d.minute(0)
		seen := map[int64]int{}
		for range draws {
			seen[d.poisson(mean)]++
		}
		spread := int64(8*math.Sqrt(mean) + 8)
		low := max(0, int64(mean)-spread)
		var drawn, want, worst float64
		for k := low; k <= int64(mean)+spread; k++ {
			factorial, _ := math.Lgamma(float64(k) + 1)
			drawn += float64(seen[k]) / draws
			want += math.Exp(float64(k)*math.Log(mean) - mean - factorial)
			worst = max(worst, math.Abs(drawn-want))
		}
		if bound := 1.95 / math.Sqrt(draws); worst > bound || drawn != 1 && math.Abs(drawn-1) > 1e-9 {
			t.Errorf("mean %g: %g off, at most %g is chance; %g of the draws are near the mean", mean, worst, bound, drawn)
		}
	}
}

func TestAWorldCountsWhatItsSplitSends(t *testing.T) {
	t.Parallel()
	w := newWorld(conditions{rate: 500, errors: 0.2}, 1, 0)
	w.advance(w.now.Add(30 * time.Second))
	w.shift(50)
	w.advance(w.now.Add(90 * time.Second))
	half, whole := w.minutes[history], w.minutes[history+1]
	near := func(what string, got int64, want float64) {
		t.Helper()
		if math.Abs(float64(got)-want) > 5*math.Sqrt(want) {
			t.Errorf("%s: %d, want about %g", what, got, want)
		}
	}
	near("half a minute at 50 %", half.candidate.all(), 7500)
	near("the rest is stable's", half.stable.all(), 22500)
	near("a minute at 50 %", whole.candidate.all(), 15000)
	near("a fifth of it fails", whole.candidate.bad, 3000)
	near("one in a thousand of stable's fails", whole.stable.bad, 15)
	if got := len(w.arrived(began, w.now, requestLag)); got != history+2-4 {
		t.Errorf("%d minutes have arrived, want all but the newest four of %d", got, history+2)
	}
}

func TestIntervalIsWilsons(t *testing.T) {
	t.Parallel()
	// R: prop.test(10, 100, correct = FALSE)$conf.int
	s := tally{n: 100, count: [3]int{10, 0, 90}}.of(promoted)
	if diff := cmp.Diff([]float64{0.1, 0.05522914, 0.17436566}, []float64{s.value, s.low, s.high},
		cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-6 })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOnlyTheBlockOfTheDocumentIsReplaced(t *testing.T) {
	t.Parallel()
	document := "a\n" + mark("begin", figures) + "\nold\n" + mark("end", figures) + "\nb\n"
	got, err := replace(document, figures, "new")
	if err != nil {
		t.Fatal(err)
	}
	want := "a\n" + mark("begin", figures) + "\n\nnew\n\n" + mark("end", figures) + "\nb\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := replace("a\nb\n", figures, "new"); err == nil || !strings.Contains(err.Error(), mark("begin", figures)) {
		t.Errorf("a document without the block: %v, want an error that says what to write", err)
	}
}

func TestCostKeepsOnlyWhatNoMachineChanges(t *testing.T) {
	t.Parallel()
	output := "goos: linux\n" +
		"BenchmarkAnswer/rollouts=10-2 \t 1\t 123 ns/op\t 2.000 calls/min\t 99 cpu-µs/pass\t 4.000 pages/min\t 8 B/op\nPASS\n"
	got, ok := costTable(output)
	if diff := cmp.Diff([][]string{{"rollouts", "calls/min", "pages/min"}, {"10", "2.000", "4.000"}},
		append([][]string{got.header}, got.rows...)); !ok || diff != "" {
		t.Errorf("%t (-want +got):\n%s", ok, diff)
	}
	if _, ok := costTable("PASS\n"); ok {
		t.Error("nothing measured makes a table")
	}
}
