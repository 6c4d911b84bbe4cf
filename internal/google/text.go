package google

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxText is the length of the longest foreign text in our messages, in bytes.
const MaxText = 300

// Clean makes a text of foreign origin fit for a status, an event or a log: one
// line, printable, bounded.
func Clean(text string) string {
	text = strings.Map(printable, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= MaxText {
		return text
	}
	cut := MaxText
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

// Time reads a time as APIs write it (RFC 3339, up to nine digits of a second); zero where
// there is none, or none that can be read.
func Time(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}
