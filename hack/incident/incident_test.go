package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// kept fails a test for every claim that is broken.
func kept(t *testing.T, claims []claim) {
	t.Helper()
	var told strings.Builder
	if v := tellClaims(&told, claims); v.broken > 0 || len(claims) == 0 {
		t.Errorf("%d promises are broken:\n%s", v.broken, told.String())
	}
}

// both plays all scenes both ways.
func both(t *testing.T) map[string]pair {
	t.Helper()
	all, err := scenes()
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := playBoth(all)
	if err != nil {
		t.Fatal(err)
	}
	return pairs
}

func TestWhatIsPromisedOfTheIncidentHolds(t *testing.T) {
	t.Parallel()
	pairs := both(t)
	kept(t, claimsOf(pairs))
	pictures(t, pairs["incident"])
}

func TestEachCureAloneLowersTheTrouble(t *testing.T) {
	t.Parallel()
	_, claims, err := playCures()
	if err != nil {
		t.Fatal(err)
	}
	kept(t, claims)
}

func TestTheTroubleDependsOnWhatItIsSaidTo(t *testing.T) {
	t.Parallel()
	_, claims, err := playDials()
	if err != nil {
		t.Fatal(err)
	}
	kept(t, claims)
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

// few is how many worlds a test measures in.
const few = 4

func TestForecastsAreMeasured(t *testing.T) {
	t.Parallel()
	figures, claims, err := playForecasts(few)
	if err != nil {
		t.Fatal(err)
	}
	if len(figures.rows) < 3 {
		t.Errorf("rises were forecast to %d weights, want at least two and their sum", len(figures.rows)-1)
	}
	kept(t, claims)
}

func TestBlameIsMeasured(t *testing.T) {
	t.Parallel()
	for _, by := range []course{byDefault, blameAlone} {
		figures, claims, err := playBlame(2*few, by)
		if err != nil {
			t.Fatal(err)
		}
		if len(figures.rows) != len(causes) {
			t.Errorf("%d causes were played, want %d", len(figures.rows), len(causes))
		}
		kept(t, claims)
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
		figures, _, err := playForecasts(1)
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
