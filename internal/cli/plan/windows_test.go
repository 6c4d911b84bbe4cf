package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/cli/plan"
)

// inTokyo are steps of 15 minutes each, which rise in the given windows.
func inTokyo(windows string) string {
	return `  nat: {discovery: "Off"}` + "\n  strategy: {steps: [{weight: 5}, {weight: 50, approval: Required}, {weight: 100}], windows: [" + windows + "]}"
}

const (
	work = `{schedule: "0 9 * * 1-5", duration: 8h, timeZone: Asia/Tokyo}`
	late = `{schedule: "0 22 * * *", duration: 20m, timeZone: Etc/UTC}`
)

// TestAStepWaitsForTheNextWindow, as it does for the operator, and a bake for none.
func TestAStepWaitsForTheNextWindow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		windows string
		now     time.Time
		starts  []time.Duration
		begins  string
		ends    string
	}{
		"in the evening it begins in the morning": {
			work, monday, []time.Duration{0, 15 * time.Minute, 30 * time.Minute}, "2026-03-03T00:00:00Z", "2026-03-03T00:45:00Z",
		},
		"in a window it begins at once": {
			work, monday.Add(-4 * time.Hour), []time.Duration{0, 15 * time.Minute, 30 * time.Minute}, "2026-03-02T06:00:00Z", "2026-03-02T06:45:00Z",
		},
		"the last step bakes after the end of the day": {
			work, monday.Add(-160 * time.Minute),
			[]time.Duration{0, 15 * time.Minute, 30 * time.Minute},
			"2026-03-02T07:20:00Z", "2026-03-02T08:05:00Z",
		},
		"a step after it waits for the next day": {
			work, monday.Add(-140 * time.Minute),
			[]time.Duration{0, 15 * time.Minute, 16*time.Hour + 20*time.Minute},
			"2026-03-02T07:40:00Z", "2026-03-03T00:15:00Z",
		},
		"of two windows the next": {
			work + ", " + late, monday, []time.Duration{0, 15 * time.Minute, 2 * time.Hour}, "2026-03-02T22:00:00Z", "2026-03-03T00:15:00Z",
		},
		"over a weekend": {
			work, monday.AddDate(0, 0, -3), []time.Duration{0, 15 * time.Minute, 30 * time.Minute}, "2026-03-02T00:00:00Z", "2026-03-02T00:45:00Z",
		},
	} {
		p := plan.Of(rollout(t, inTokyo(c.windows)), nil, c.now)
		var starts []time.Duration
		for _, s := range p.Steps {
			starts = append(starts, s.Starts)
		}
		got := []string{p.Calendar.Begins.UTC().Format(time.RFC3339), p.Calendar.Ends.UTC().Format(time.RFC3339)}
		if diff := cmp.Diff(c.starts, starts) + cmp.Diff([]string{c.begins, c.ends}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if p := plan.Of(rollout(t, ""), nil, monday); p.Calendar != nil || strings.Contains(p.String(), "indow") {
		t.Errorf("without windows it speaks of them:\n%s", p)
	}
}

// TestAPlanIsToldInTheZoneOfItsWindows, and in UTC where there are several zones.
func TestAPlanIsToldInTheZoneOfItsWindows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		windows string
		now     time.Time
		want    []string
	}{
		"none is open": {work, monday, []string{
			"None is open now, Mon 2026-03-02 19:00+09:00: the next opens Tue 2026-03-03 09:00+09:00; begun then, it is done Tue 2026-03-03 09:45+09:00 at the earliest.\n",
			"  0 9 * * 1-5  for 8h  Asia/Tokyo\n",
		}},
		"one is open for a part": {work, monday.Add(-140 * time.Minute), []string{
			"One is open now, Mon 2026-03-02 16:40+09:00; begun then, it is done Tue 2026-03-03 09:15+09:00 at the earliest.\n",
			"3/3   100%    10m   +16h20m  15m    not forecast  the window of Tue 2026-03-03 09:00+09:00\n",
		}},
		"two zones": {work + ", " + late, monday, []string{
			"  0 22 * * *   for 20m  Etc/UTC\n", "the next opens Mon 2026-03-02 22:00Z;",
		}},
		"a person is waited for as well": {late, monday.Add(12*time.Hour + 10*time.Minute), []string{
			"a person's approval, the window of Tue 2026-03-03 22:00Z\n",
		}},
	} {
		text := plan.Of(rollout(t, inTokyo(c.windows)), nil, c.now).String()
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is missing in\n%s", name, want, text)
			}
		}
	}
}

// TestAPlanThatGetsStuckNamesNoEnd, and still says when it begins.
func TestAPlanThatGetsStuckNamesNoEnd(t *testing.T) {
	t.Parallel()
	full, err := plan.ParseScene([]byte(strings.Replace(scene, "34", "50", 1)))
	if err != nil {
		t.Fatal(err)
	}
	ro := rollout(t, "  strategy: {steps: [{weight: 50}, {weight: 100}], windows: ["+work+"]}")
	text := plan.Of(ro, full, monday).String()
	if !strings.Contains(text, "the next opens Tue 2026-03-03 09:00+09:00.\n") || strings.Contains(text, "it is done") {
		t.Errorf("got\n%s", text)
	}
}
