package view

import (
	"regexp"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// Reader is who reads, and when.
type Reader struct {
	// Now is the reader's time.
	Now time.Time
}

// Clock writes a time as messages of a status do: "03:01Z", with the day unless it
// is the reader's.
func (r Reader) Clock(t time.Time) string {
	t = t.UTC()
	if now := r.Now.UTC(); t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04Z")
	}
	return t.Format("Jan 2 15:04Z")
}

// Away writes how far a time is from the reader's: "6m ago", "in 9m".
func (r Reader) Away(t time.Time) string {
	if t.After(r.Now) {
		return "in " + Span(t.Sub(r.Now))
	}
	return Span(r.Now.Sub(t)) + " ago"
}

// At writes a time both ways: "03:01Z (6m ago)".
func (r Reader) At(t time.Time) string { return r.Clock(t) + " (" + r.Away(t) + ")" }

// stamp is a time as messages of a status write it: to the minute, and without its year.
var stamp = regexp.MustCompile(`\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{1,2} \d\d:\d\dZ`)

// Told writes the times in a message of a status both ways, as only a reader can: the
// message is as old as what it says.
func (r Reader) Told(message string) string {
	return stamp.ReplaceAllStringFunc(message, func(text string) string {
		at, err := time.Parse("Jan 2 15:04Z", text)
		if err != nil { // no such day or hour
			return text
		}
		return r.At(r.nearest(at))
	})
}

// nearest is the time of the year in which it is the least far from the reader's.
func (r Reader) nearest(at time.Time) time.Time {
	var best time.Time
	for year := r.Now.UTC().Year() - 1; year <= r.Now.UTC().Year()+1; year++ {
		in := time.Date(year, at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
		if best.IsZero() || in.Sub(r.Now).Abs() < best.Sub(r.Now).Abs() {
			best = in
		}
	}
	return best
}

// AtOr writes a time both ways, or something else where there is none.
func (r Reader) AtOr(t *metav1.Time, otherwise string) string {
	if t == nil || t.IsZero() {
		return otherwise
	}
	return r.At(t.Time)
}

// Span writes a length of time the way kubectl does: "6m", "3h20m".
func Span(d time.Duration) string { return duration.HumanDuration(d) }

// Number writes a number with separators: "64,512".
func Number[T int32 | int64](n T) string {
	digits := strconv.FormatInt(int64(n), 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Plural writes a number of things.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(int64(n)) + " " + many
}

// Dash stands where there is nothing.
func Dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
