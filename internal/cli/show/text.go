package show

import (
	"strings"
	"text/tabwriter"

	"github.com/sluice-rollouts/sluice/internal/view"
)

// Screen is what text is written for.
type Screen struct {
	view.Reader
	// Width is how many columns a line may have; 0 is any number.
	Width int
	// Paint tells whether colours may be used.
	Paint bool
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
