package series

import (
	"fmt"
	"strconv"
	"strings"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenString // text holds the value without quotes and escapes
	tokenNumber
	tokenSign
)

// token is a word of a filter. At is its byte offset.
type token struct {
	kind tokenKind
	text string
	at   int
}

func (t token) describe() string {
	if t.kind == tokenEnd {
		return "the end of the filter"
	}
	return fmt.Sprintf("%q at offset %d", t.text, t.at)
}

// isKeyword reports a word that cannot be a selector. Keywords are upper case.
func (t token) isKeyword() bool {
	return t.kind == tokenName && (t.text == "AND" || t.text == "OR" || t.text == "NOT")
}

// opensTerm reports that a term follows without an AND before it.
func (t token) opensTerm() bool {
	return t.kind == tokenName && !t.isKeyword() || t.kind == tokenSign && t.text == "("
}

// lex cuts the text into tokens. The last one is always the end.
func lex(text string) ([]token, error) {
	var tokens []token
	for at := 0; at < len(text); {
		if strings.IndexByte(" \t\r\n", text[at]) >= 0 {
			at++
			continue
		}
		next, length, err := lexOne(text, at)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, next)
		at += length
	}
	return append(tokens, token{kind: tokenEnd, at: len(text)}), nil
}

// lexOne reads the token that begins at the offset.
func lexOne(text string, at int) (next token, length int, err error) {
	rest := text[at:]
	switch c := rest[0]; {
	case c == '"':
		return lexString(text, at)
	case strings.HasPrefix(rest, "!="):
		return token{tokenSign, "!=", at}, 2, nil
	case strings.IndexByte("=().,", c) >= 0:
		return token{tokenSign, rest[:1], at}, 1, nil
	case isDigit(c):
		length = spanOf(rest, func(c byte) bool { return isDigit(c) || c == '.' })
		return token{tokenNumber, rest[:length], at}, length, nil
	case isLetter(c):
		length = spanOf(rest, func(c byte) bool { return isLetter(c) || isDigit(c) })
		return token{tokenName, rest[:length], at}, length, nil
	}
	return token{}, 0, invalidField("filter", text, fmt.Sprintf(
		"Unexpected %q at offset %d. Supported operators are =, !=, AND and OR.", rest[0], at))
}

func lexString(text string, at int) (next token, length int, err error) {
	quoted, err := strconv.QuotedPrefix(text[at:])
	if err != nil {
		return token{}, 0, invalidField("filter", text, fmt.Sprintf(
			"The string at offset %d is not closed or has a bad escape.", at))
	}
	value, err := strconv.Unquote(quoted)
	if err != nil {
		return token{}, 0, invalidField("filter", text, fmt.Sprintf("The string at offset %d has a bad escape.", at))
	}
	return token{tokenString, value, at}, len(quoted), nil
}

func spanOf(text string, belongs func(byte) bool) int {
	for i := range len(text) {
		if !belongs(text[i]) {
			return i
		}
	}
	return len(text)
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }
