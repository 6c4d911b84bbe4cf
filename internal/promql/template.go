package promql

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// Longest is the length of the longest template, in bytes.
const Longest = 2000

// The names that a template may have in it, each in double braces.
const (
	Service   = "service"
	Candidate = "candidate"
	Stable    = "stable"
	Location  = "location"
	Project   = "project"
)

var placeholders = []string{Service, Candidate, Stable, Location, Project}

// sample are names of the placeholders' own lengths, so that a mistake is where the
// parser says. They go on with no escape that is begun before them.
var sample = Names{
	Service: "zzservicezz", Candidate: "zzcandidatezz", Stable: "zzstablezz", Location: "zzlocationzz", Project: "zzprojectzz",
}

// allowed lists the placeholders for people.
const allowed = "{{service}}, {{candidate}}, {{stable}}, {{location}} and {{project}}"

// Names are what is put in the place of placeholders, by the placeholder's name.
type Names map[string]string

// Template is a query with placeholders. The zero Template is none.
type Template struct {
	parts []part
	tail  string
}

// part is text of the query, and the placeholder that follows it.
type part struct {
	text, name string
	quote      byte // of the literal that it stands in
	pattern    bool // the literal is a regular expression
}

// Parse reads a template. The error says what to write instead.
func Parse(text string) (Template, error) {
	if len(text) > Longest {
		return Template{}, fmt.Errorf("it has %d bytes: write at most %d", len(text), Longest)
	}
	t, err := cut(text)
	if err != nil {
		return Template{}, err
	}
	expr, err := parser.ParseExpr(t.Fill(sample))
	if err != nil {
		return Template{}, fmt.Errorf("it is no PromQL: %s; write one such as %s", mistake(err), example)
	}
	if kind := expr.Type(); kind != parser.ValueTypeVector && kind != parser.ValueTypeScalar {
		return Template{}, fmt.Errorf("it gives a %s, not a number for each minute: write one such as %s", parser.DocumentedType(kind), example)
	}
	if why := outOfTime(expr); why != "" {
		return Template{}, fmt.Errorf("%s: each minute is asked for by itself, when its values have arrived; write it without", why)
	}
	if !selects(expr) {
		return Template{}, fmt.Errorf("it asks for no metric, so that it would say nothing of the candidate: write one such as %s", example)
	}
	return t, nil
}

// example is what a query may look like.
const example = `sum(rate(run_googleapis_com:request_count{monitored_resource="cloud_run_revision",revision_name="{{candidate}}"}[5m]))`

// mistake is the parser's words, without the query, which whoever reads it has.
func mistake(err error) string {
	if list, ok := errors.AsType[parser.ParseErrors](err); ok && len(list) > 0 {
		one := list[0]
		return fmt.Sprintf("at character %d, %v", one.PositionRange.Start+1, one.Err)
	}
	return err.Error()
}

// outOfTime says what makes a query read other minutes than those that are judged: a fixed
// time has the same value for each, and a negative offset reads what has not come yet.
func outOfTime(expr parser.Expr) string {
	why := ""
	look := func(at *int64, edge parser.ItemType, offset time.Duration) {
		switch {
		case at != nil || edge != 0:
			why = "it has the modifier @"
		case offset < 0:
			why = "it has a negative offset"
		}
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			look(n.Timestamp, n.StartOrEnd, n.OriginalOffset)
		case *parser.SubqueryExpr:
			look(n.Timestamp, n.StartOrEnd, n.OriginalOffset)
		}
		return nil
	})
	return why
}

// selects tells whether a query reads any metric.
func selects(expr parser.Expr) bool {
	found := false
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		_, is := node.(*parser.VectorSelector)
		found = found || is
		return nil
	})
	return found
}

// Fill puts names in the place of placeholders.
func (t Template) Fill(names Names) string {
	var b strings.Builder
	for _, p := range t.parts {
		value := names[p.name]
		if p.pattern {
			value = regexp.QuoteMeta(value)
		}
		b.WriteString(p.text)
		escape(&b, value, p.quote)
	}
	b.WriteString(t.tail)
	return b.String()
}

// escape writes a value for a literal in quotes, byte by byte: what is neither a
// plain character nor printable ASCII is written as a number, and nothing of it can
// end the literal or begin an escape.
func escape(b *strings.Builder, value string, quote byte) {
	for i := range len(value) {
		switch c := value[i]; {
		case c == quote || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
}

// cut finds the placeholders.
func cut(text string) (Template, error) {
	var t Template
	begin, s := 0, scanner{}
	for i := 0; i < len(text); {
		if !strings.HasPrefix(text[i:], "{{") || s.quote == '#' {
			i += s.step(text, i)
			continue
		}
		name, _, closed := strings.Cut(text[i+len("{{"):], "}}")
		if err := s.placed(name, closed); err != nil {
			return Template{}, err
		}
		t.parts = append(t.parts, part{text[begin:i], name, s.quote, s.pattern})
		i += len("{{") + len(name) + len("}}")
		begin = i
	}
	t.tail = text[begin:]
	return t, nil
}

// placed refuses a placeholder that is none, or that stands where none may.
func (s scanner) placed(name string, closed bool) error {
	written := fmt.Sprintf("{{%.40s}}", name)
	switch {
	case s.quote == 0 && closed && slices.Contains(placeholders, name):
		return fmt.Errorf("%s stands outside of a string: write it between double quotes, such as revision_name=\"{{candidate}}\"", written)
	case s.quote == 0:
		return errors.New("{{ stands outside of a string: write { for labels, and placeholders between double quotes, such as revision_name=\"{{candidate}}\"")
	case !closed || !slices.Contains(placeholders, name):
		return fmt.Errorf("%s is no placeholder: write one of %s", written, allowed)
	case s.quote == '`':
		return fmt.Errorf("%s stands between backticks, where nothing can be escaped: write double quotes", written)
	}
	return nil
}

// scanner knows what of a query is a string literal, as Prometheus' lexer has it:
// between double or single quotes, with escapes, or between backticks, without; and a
// comment goes to the end of its line.
type scanner struct {
	quote   byte // of the literal, '#' in a comment, 0 in neither
	pattern bool
}

// step goes on from a character, and says by how many.
func (s *scanner) step(text string, i int) int {
	c := text[i]
	switch {
	case s.quote == 0 && (c == '"' || c == '\'' || c == '`'):
		before := strings.TrimRight(text[:i], " \t\r\n")
		s.quote, s.pattern = c, strings.HasSuffix(before, "=~") || strings.HasSuffix(before, "!~")
	case s.quote == 0 && c == '#':
		s.quote = c
	case s.quote == '#' && (c == '\n' || c == '\r'), s.quote != '#' && s.quote == c:
		s.quote = 0
	case (s.quote == '"' || s.quote == '\'') && c == '\\' && i+1 < len(text):
		return len(`\"`)
	}
	return 1
}
