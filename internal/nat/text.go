package nat

import (
	"strconv"
	"time"
)

// thousands writes a number with separators: "64,512".
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	first := 1
	if n < 0 {
		first = 2
	}
	for i := len(digits) - 3; i >= first; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// plural writes a number of things.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// minutes writes a span in whole minutes: "14 min".
func minutes(d time.Duration) string {
	return thousands(int64(d/time.Minute)) + " min"
}
