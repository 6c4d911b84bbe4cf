package promql_test

import (
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/sluice-rollouts/sluice/internal/promql"
)

var names = promql.Names{
	promql.Service: "web", promql.Candidate: "web-2", promql.Stable: "web-1", promql.Location: "asia-northeast1", promql.Project: "acme-prod",
}

func TestPlaceholdersAreFilledInsideStrings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`up`:                                `up`,
		`up{r="{{candidate}}"}`:             `up{r="web-2"}`,
		`up{r='{{stable}}'}`:                `up{r='web-1'}`,
		`up{r=~"{{candidate}}|{{stable}}"}`: `up{r=~"web-2|web-1"}`,
		`up{r="a{{service}}b", p!="\"{{project}}"}`: `up{r="awebb", p!="\"acme-prod"}`,
		`up{l="{{location}}"} # of {{nothing}}`:     `up{l="asia-northeast1"} # of {{nothing}}`,
		"up{l=`a`} # \"\n / up{l=\"{{location}}\"}": "up{l=`a`} # \"\n / up{l=\"asia-northeast1\"}",
	} {
		template, err := promql.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := template.Fill(names); got != want {
			t.Errorf("%s is filled to %s, want %s", text, got, want)
		}
	}
}

func TestAMistakeSaysWhatToWrite(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`up{r={{candidate}}}`:                `{{candidate}} stands outside of a string: write it between double quotes`,
		`rate({{metric}}[5m])`:               `{{ stands outside of a string`,
		`up{r="{{revision}}"}`:               `{{revision}} is no placeholder: write one of {{service}}, {{candidate}}, {{stable}}, {{location}} and {{project}}`,
		`up{r="{{ candidate }}"}`:            `{{ candidate }} is no placeholder`,
		`up{r="{{candidate"}`:                `is no placeholder`,
		"up{r=`{{candidate}}`}":              `stands between backticks, where nothing can be escaped: write double quotes`,
		`up{r="\x{{candidate}}"}`:            `it is no PromQL`,
		`sum(up{r="{{candidate}}"}`:          `it is no PromQL: at character 26, unclosed left parenthesis; write one such as sum(`,
		`up @ end()`:                         `it has the modifier @: each minute is asked for by itself`,
		`up @ 1700000000`:                    `it has the modifier @`,
		`sum(rate(up[5m] offset -1m))`:       `it has a negative offset`,
		`max_over_time(up[5m:1m] @ start())`: `it has the modifier @`,
		`up[5m]`:                             `it gives a range vector, not a number for each minute`,
		`"text"`:                             `it gives a string`,
		`1`:                                  `it asks for no metric`,
		`vector(0)`:                          `it asks for no metric`,
		``:                                   `it is no PromQL`,
		strings.Repeat("up+", 1000):          `it has 3000 bytes: write at most 2000`,
		`up{r="{{candidate}}"} or {`:         `it is no PromQL: at character 27`,
	} {
		_, err := promql.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// shape is what a query is made of, without what its strings say.
func shape(query string) (parts []string, complete bool) {
	lexer := parser.Lex(query)
	for {
		var item parser.Item
		lexer.NextItem(&item)
		switch item.Typ {
		case parser.EOF:
			return parts, true
		case parser.ERROR:
			return parts, false
		case parser.STRING:
			parts = append(parts, "a string")
		default:
			parts = append(parts, item.Val)
		}
	}
}

// FuzzNoNameChangesAQuery: whatever the names are, and whatever somebody wrote, a query
// that was admitted has the shape that it was admitted with, and names are in it to the
// letter or not at all.
func FuzzNoNameChangesAQuery(f *testing.F) {
	for _, text := range []string{
		`sum(rate(a:b{r="{{candidate}}"}[5m])) / sum(rate(a:b{r='{{stable}}',c=~"{{service}}.*"}[5m]))`,
		"up{a=`x`,b=\"\\\"{{project}}\\\\\"} # \"{{location}}\n", `{"my.metric", "my.label"="{{service}}"}`,
		`label_replace(up, "a", "{{service}}", "b", "(.*)")`, `up{a="\x{{candidate}}"}`, `up{a!~'{{location}}'}`,
	} {
		for _, name := range []string{"web-1", `"} or vector(1) or up{a="`, `\`, `'`, "\n", "`", ".*", "(", "{{stable}}", "\xff", "é", ""} {
			f.Add(text, name, "web")
		}
	}
	f.Fuzz(func(t *testing.T, text, one, other string) {
		template, err := promql.Parse(text)
		if err != nil {
			return
		}
		plain, ok := shape(template.Fill(names))
		if !ok {
			t.Fatalf("%s was admitted, and cannot be read", text)
		}
		filled := template.Fill(promql.Names{
			promql.Service: one, promql.Candidate: other, promql.Stable: one, promql.Location: other, promql.Project: one,
		})
		got, ok := shape(filled)
		if !ok || strings.Join(got, "\x00") != strings.Join(plain, "\x00") {
			t.Fatalf("%s with %q and %q became %s", text, one, other, filled)
		}
		if _, err := parser.ParseExpr(template.Fill(names)); err != nil {
			t.Fatalf("%s: ordinary names: %v", text, err)
		}
	})
}

// TestANameIsInTheQueryToTheLetter, however odd it is.
func TestANameIsInTheQueryToTheLetter(t *testing.T) {
	t.Parallel()
	for _, quote := range []string{`"`, `'`} {
		template, err := promql.Parse("up{r=" + quote + "{{candidate}}" + quote + "}")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"web-2", `a"b`, `a'b`, `a\b`, "a\nb", "é", `"}#`, "\x00"} {
			expr, err := parser.ParseExpr(template.Fill(promql.Names{promql.Candidate: name}))
			if err != nil {
				t.Errorf("%q: %v", name, err)
				continue
			}
			selector, ok := expr.(*parser.VectorSelector)
			if !ok || selector.LabelMatchers[0].Value != name {
				t.Errorf("%q is read as %v", name, expr)
			}
		}
	}
}
