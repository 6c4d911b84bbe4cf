package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/nat"
)

// kept fails a test for every claim that is broken.
func kept(t *testing.T, claims []claim) {
	t.Helper()
	var told strings.Builder
	if v := tellClaims(&told, claims); v.broken > 0 || len(claims) == 0 {
		t.Errorf("%d promises are broken:\n%s", v.broken, told.String())
	}
}

func TestWhatIsPromisedOfTheIncidentHolds(t *testing.T) {
	t.Parallel()
	all, err := scenes()
	if err != nil {
		t.Fatal(err)
	}
	worlds, err := playWorlds(all, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, pairs := range worlds {
		if got, want := pairs["incident"].atOnce.scene.world.Seed, all[0].world.Seed+uint64(i); got != want {
			t.Errorf("world %d is of seed %d, want %d", i, got, want)
		}
		kept(t, claimsOf(pairs))
	}
	pictures(t, worlds[0]["incident"])
}

func TestEachCureAloneLowersTheTrouble(t *testing.T) {
	t.Parallel()
	_, claims, err := playCures()
	if err != nil {
		t.Fatal(err)
	}
	warm, err := playWarm()
	if err != nil {
		t.Fatal(err)
	}
	kept(t, append(claims, warm))
}

func TestTheTroubleDependsOnWhatItIsSaidTo(t *testing.T) {
	t.Parallel()
	_, claims, err := playDials()
	if err != nil {
		t.Fatal(err)
	}
	held, err := playHeld()
	if err != nil {
		t.Fatal(err)
	}
	kept(t, append(claims, held...))
}

// TestATroubleOfAnotherLengthIsNotPutDownToWhatLingers, by more than two minutes.
func TestATroubleOfAnotherLengthIsNotPutDownToWhatLingers(t *testing.T) {
	t.Parallel()
	for minutes, want := range map[int]bool{12: false, 13: true, 17: true, 18: false} {
		r := run{minutes: make([]minute, minutes)}
		for i := range r.minutes {
			r.minutes[i] = minute{end: time.Unix(60, 0), asked: 100, failed: 2}
		}
		if c := (dial{scene: "incident", lasts: []int{15}}).follows([]run{r}, ""); c.holds != want {
			t.Errorf("%d minutes in place of 15: got %t, want %t", minutes, c.holds, want)
		}
	}
}

func TestEveryScenarioSaysWhatItIsAbout(t *testing.T) {
	t.Parallel()
	all, err := scenes()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if !strings.HasSuffix(s.sentence, ".") || len(s.sentence) > 200 {
			t.Errorf("%s begins with %q, want one sentence", s.name, s.sentence)
		}
	}
}

// pictures wants them small, whole, and readable on dark pages.
func pictures(t *testing.T, of pair) {
	t.Helper()
	pictures := picturesOf(of)
	if len(pictures) != 2 {
		t.Errorf("%d pictures, want 2", len(pictures))
	}
	for name, text := range pictures {
		if len(text) > largestPicture || !strings.Contains(text, "prefers-color-scheme: dark") {
			t.Errorf("%s has %d bytes, want at most %d, and colours for dark pages", name, len(text), largestPicture)
		}
		d := xml.NewDecoder(strings.NewReader(text))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s is no XML: %v", name, err)
			}
		}
	}
}

func TestAClaimThatFailsIsBroken(t *testing.T) {
	t.Parallel()
	var told strings.Builder
	got := tellClaims(&told, []claim{
		{text: "holds", holds: true}, {text: "does not"},
	})
	if got != (verdict{kept: 1, broken: 1}) {
		t.Errorf("%+v", got)
	}
	for _, want := range []string{"kept: holds", "BROKEN: does not"} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, told.String())
		}
	}
}

// TestFiguresAddUpWhatIsCountedAndTakeTheMostOfWhatIsThere, from the release on.
func TestFiguresAddUpWhatIsCountedAndTakeTheMostOfWhatIsThere(t *testing.T) {
	t.Parallel()
	r := run{released: time.Unix(60, 0)}
	for i, of := range []truth{{ports: 900, dropped: 50}, {ports: 64, endpoints: 3, dropped: 5}, {ports: 128, endpoints: 2, dropped: 7}} {
		r.minutes = append(r.minutes, minute{end: time.Unix(60*int64(i+1), 0), asked: 100, failed: i, truth: of})
	}
	want := figures{asked: 200, failed: 3, trouble: 1, truth: truth{ports: 128, endpoints: 3, dropped: 12}}
	if got := r.figures(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// few is how many worlds a test measures in.
const few = 4

func TestForecastsAreMeasured(t *testing.T) {
	t.Parallel()
	figures, claims, err := playForecasts(seeds{1, few})
	if err != nil {
		t.Fatal(err)
	}
	if len(figures.rows) < 3 {
		t.Errorf("rises were forecast to %d weights, want at least two and their sum", len(figures.rows)-1)
	}
	kept(t, claims)
}

// TestWhatGrowsIsForeseenBehindATightGateway: in these worlds the ports of new endpoints
// grow to more than the reserve.
func TestWhatGrowsIsForeseenBehindATightGateway(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{37, 69} {
		rises, err := forecastTrial(seed)
		if err != nil {
			t.Fatal(err)
		}
		if len(rises) < 3 || !rises[0].Dynamic || rises[0].Grown == 1 {
			t.Errorf("seed %d: %d rises, of which the first is %+v", seed, len(rises), rises)
		}
		if over := overdrawn(rises); len(over) > 0 {
			t.Errorf("seed %d: %d of %d rises took more than was kept", seed, len(over), len(rises))
		}
	}
}

func TestBlameIsMeasured(t *testing.T) {
	t.Parallel()
	for _, by := range []course{byDefault, blameAlone} {
		figures, claims, err := playBlame(seeds{1, 2 * few}, by)
		if err != nil {
			t.Fatal(err)
		}
		if len(figures.rows) != len(causes) {
			t.Errorf("%d causes were played, want %d", len(figures.rows), len(causes))
		}
		kept(t, claims)
	}
}

// TestWhoIsTroubledWhilePortsGrowIsSpared: in this world requests fail in the very minutes
// in which the gateway drops packets because a step's instances need more ports.
func TestWhoIsTroubledWhilePortsGrowIsSpared(t *testing.T) {
	t.Parallel()
	j, err := blameTrial(152, byDefault)
	if err != nil {
		t.Fatal(err)
	}
	if j.cause.guilty || !j.cause.grows || !j.troubled || j.back || !j.spared {
		t.Errorf("%+v", j)
	}
}

func TestFiveServicesShareAGateway(t *testing.T) {
	t.Parallel()
	_, claims, err := playSharing()
	if err != nil {
		t.Fatal(err)
	}
	kept(t, claims)
}

func TestTheSameSeedGivesTheSameFigures(t *testing.T) {
	t.Parallel()
	var told []string
	for range 2 {
		figures, _, err := playForecasts(seeds{1, 1})
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		figures.write(&text)
		told = append(told, text.String())
	}
	if told[0] != told[1] {
		t.Errorf("first:\n%s\nsecond:\n%s", told[0], told[1])
	}
}

func TestPartsAreChosenByName(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"":              "scenarios cures sensitivity forecast blame sharing",
		"blame,cures":   "cures blame",
		"forecast":      "forecast",
		"blame,foresee": `no part is called "foresee"; write some of scenarios,cures,sensitivity,forecast,blame,sharing`,
	} {
		chosen, err := chosenParts(list)
		var names []string
		for _, p := range chosen {
			names = append(names, p.name)
		}
		got := strings.Join(names, " ")
		if err != nil {
			got = err.Error()
		}
		if !strings.HasSuffix(got, want) {
			t.Errorf("%q: got %q, want %q", list, got, want)
		}
	}
}

// TestASeededWorldIsFoundByItsName, the same that the measurement plays.
func TestASeededWorldIsFoundByItsName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"blame/7": "", "forecast/500": "", "incident": "",
		"blame/0":   "write a seed from 1 on after the slash, such as blame/7",
		"blame/x":   "write a seed from 1 on after the slash, such as blame/7",
		"unheard/7": "reading scenario",
	} {
		s, err := namedScene(name)
		if want == "" && (err != nil || len(s.releases()) == 0) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %d releases, %v", name, len(s.releases()), err)
		}
	}
	if err := report(options{}, io.Discard); err == nil || !strings.Contains(err.Error(), "seeds begin with 1") {
		t.Errorf("of seed 0 it says %v", err)
	}
}

// TestABrokenPromiseNamesItsSeeds, so that they can be played alone.
func TestABrokenPromiseNamesItsSeeds(t *testing.T) {
	t.Parallel()
	guilty, innocent := counts{troubled: 1, kept: []uint64{3}}, counts{troubled: 4, unknown: 1, back: []uint64{2, 14}}
	growing := counts{troubled: 9, lowered: 3, spared: 2, back: []uint64{4, 6}, unheard: []uint64{6}}
	short := foreseen{Forecast: nat.Forecast{Capacity: 60, Taken: 30, Adds: 10, Worst: 10, Kept: 5}, seed: 9, peak: 46}
	enough := short // what is kept for the worst is
	enough.Worst = 16
	var told strings.Builder
	tellClaims(&told, append(claimsOfBlame(byDefault, guilty, innocent, growing), claimsOfForecasts([]foreseen{short, enough})...))
	for _, want := range []string{
		"unknown in the end: 1, which is 25%; 0 before anything was known; seeds 2 14", "unknown in the end: 0, which is 0%; seeds 3",
		"BROKEN: nor where ports grow", "2 given up and 3 lowered, 2 of them to 0%, of 9 in trouble", "1 before anything was known; seeds 4 6", "BROKEN: never is the truth above it (taken + adds) by more than max(reserve of 20%, worst - adds): 1 of 2; by more than the reserve alone in 2, by 10% of the capacity at most; seeds 9",
	} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, told.String())
		}
	}
}
