package view

import (
	"strconv"
	"strings"
)

// Quantity reads a number with its unit, as the value and the limit of a check show
// it: "0.4%" is 0.4 and "%". A text of another form, such as a limit that is
// relative to stable, or more than one number, is none.
func Quantity(text string) (number float64, unit string, ok bool) {
	end := strings.IndexFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end < 0 {
		end = len(text)
	}
	number, err := strconv.ParseFloat(text[:end], 64)
	unit = strings.TrimSpace(text[end:])
	if err != nil || strings.Contains(unit, ",") {
		return 0, "", false
	}
	return number, unit, true
}
