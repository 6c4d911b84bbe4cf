package dashboard_test

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestTextsStandOutFromTheirGround: every colour of the style sheet that a text has, on
// every colour that is behind texts, light and dark, has the contrast of 4.5 to 1 that
// WCAG 2.2 asks for (1.4.3, level AA).
func TestTextsStandOutFromTheirGround(t *testing.T) {
	t.Parallel()
	const least = 4.5
	text, err := os.ReadFile(filepath.Join("assets", "page.css"))
	if err != nil {
		t.Fatal(err)
	}
	sheet := string(text)
	inks, grounds := named(sheet, `[{;\s]color: ([^;]+);`), named(sheet, `[{;\s]background: ([^;]+);`)
	delete(grounds, "none")
	schemes := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(sheet, -1)
	if len(inks) < 6 || len(grounds) < 5 || len(schemes) != 2 {
		t.Fatalf("read %v on %v in %d schemes", inks, grounds, len(schemes))
	}
	for i, scheme := range schemes {
		colours := map[string]string{}
		for _, c := range regexp.MustCompile(`(--[a-z-]+): (#[0-9a-f]+);`).FindAllStringSubmatch(scheme[1], -1) {
			colours["var("+c[1]+")"] = c[2]
		}
		for ink := range inks {
			for ground := range grounds {
				if ratio := contrast(t, colours[ink], colours[ground]); ratio < least {
					t.Errorf("scheme %d: %s on %s has %.2f", i+1, ink, ground, ratio)
				}
			}
		}
	}
}

// named are the values of a property in a style sheet.
func named(sheet, pattern string) map[string]bool {
	found := map[string]bool{}
	for _, value := range regexp.MustCompile(pattern).FindAllStringSubmatch(sheet, -1) {
		found[value[1]] = true
	}
	return found
}

// contrast is the ratio of two colours (WCAG 2.2, contrast ratio): 1 of equal ones, 21 of
// black and white.
func contrast(t *testing.T, one, other string) float64 {
	t.Helper()
	a, b := luminance(t, one), luminance(t, other)
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

// luminance is how bright a colour is, from 0 to 1 (WCAG 2.2, relative luminance).
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	digits := strings.TrimPrefix(colour, "#")
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	number, err := strconv.ParseUint(digits, 16, 24)
	if err != nil || len(digits) != 6 {
		t.Fatalf("%q is no colour of the scheme", colour)
	}
	linear := func(shift int) float64 {
		c := float64(number>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
}

// TestContrastIsThatOfTheStandard, at its ends and at a grey that is known to fail by little.
func TestContrastIsThatOfTheStandard(t *testing.T) {
	t.Parallel()
	for colour, want := range map[string]float64{"#fff": 1, "#000000": 21, "#777": 4.48, "#767676": 4.54} {
		if got := contrast(t, colour, "#ffffff"); math.Abs(got-want) > 0.005 {
			t.Errorf("%s on white has %.3f, not %.2f", colour, got, want)
		}
	}
}
