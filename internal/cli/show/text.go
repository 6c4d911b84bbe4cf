package show

import (
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// Screen is what text is written for.
type Screen struct {
	// Now is the reader's time.
	Now time.Time
	// Width is how many columns a line may have; 0 is any number.
	Width int
	// Paint tells whether colours may be used.
	Paint bool
}

// clock writes a time as messages of a status do: "03:01Z", with the day unless it
// is the reader's.
func (s Screen) clock(t time.Time) string {
	t = t.UTC()
	if now := s.Now.UTC(); t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04Z")
	}
	return t.Format("Jan 2 15:04Z")
}

// away writes how far a time is from the reader's: "6m ago", "in 9m".
func (s Screen) away(t time.Time) string {
	if t.After(s.Now) {
		return "in " + span(t.Sub(s.Now))
	}
	return span(s.Now.Sub(t)) + " ago"
}

// at writes a time both ways: "03:01Z (6m ago)".
func (s Screen) at(t time.Time) string { return s.clock(t) + " (" + s.away(t) + ")" }

// atOr writes a time both ways, or something else where there is none.
func (s Screen) atOr(t *metav1.Time, otherwise string) string {
	if t == nil || t.IsZero() {
		return otherwise
	}
	return s.at(t.Time)
}

// span writes a length of time the way kubectl does: "6m", "3h20m".
func span(d time.Duration) string { return duration.HumanDuration(d) }

// number writes a number with separators: "64,512".
func number[T int32 | int64](n T) string {
	digits := strconv.FormatInt(int64(n), 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// table lays rows out in columns.
func table(rows [][]string) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		_, _ = w.Write([]byte(strings.Join(row, "\t") + "\n")) // a builder does not fail
	}
	_ = w.Flush()
	return trimLines(text.String())
}

// trimLines takes the blanks off the ends of lines.
func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// wrap writes a text behind a margin, in as many lines as the width needs.
func (s Screen) wrap(margin, text string) string {
	var out strings.Builder
	left := strings.Repeat(" ", len([]rune(margin)))
	line, used := margin, 0
	for word := range strings.FieldsSeq(text) {
		if used > 0 && s.Width > 0 && len([]rune(line))+len([]rune(word)) >= s.Width {
			out.WriteString(strings.TrimRight(line, " ") + "\n")
			line = left
		}
		line += word + " "
		used++
	}
	out.WriteString(strings.TrimRight(line, " ") + "\n")
	return out.String()
}

// cut bounds a text to a number of characters.
func cut(text string, most int) string {
	runes := []rune(text)
	if most <= 0 || len(runes) <= most {
		return text
	}
	return string(runes[:max(0, most-1)]) + "…"
}

// dash stands where there is nothing.
func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
