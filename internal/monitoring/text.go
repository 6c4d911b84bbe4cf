package monitoring

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDetail is the length of the longest foreign text in our messages, in bytes.
const maxDetail = 300

// clean makes a text of foreign origin fit for a status, an event or a log: one
// line, printable, bounded.
func clean(text string) string {
	text = strings.Map(printable, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= maxDetail {
		return text
	}
	cut := maxDetail
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}

// printable turns what does not print, direction marks among it, into a space.
func printable(r rune) rune {
	if r == utf8.RuneError || !unicode.IsPrint(r) {
		return ' '
	}
	return r
}
