package monitoring

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// read is a second, independent reading of the filter language: clauses of the
// form field="value", joined by AND.
func read(text string) ([]clause, error) {
	var list []clause
	for {
		field, rest, ok := strings.Cut(text, `="`)
		if !ok || strings.ContainsAny(field, `" ()`) {
			return nil, errors.New("no field")
		}
		var value strings.Builder
		i := 0
		for ; i < len(rest) && rest[i] != '"'; i++ {
			if rest[i] == '\\' {
				i++
			}
			if i == len(rest) {
				return nil, errors.New("no end of the value")
			}
			value.WriteByte(rest[i])
		}
		if i == len(rest) {
			return nil, errors.New("no end of the value")
		}
		list = append(list, clause{field, value.String()})
		if text = rest[i+1:]; text == "" {
			return list, nil
		}
		if text, ok = strings.CutPrefix(text, " AND "); !ok {
			return nil, errors.New("no AND")
		}
	}
}

// FuzzNamesStayWithinTheirQuotes shows that a name can never become a clause.
func FuzzNamesStayWithinTheirQuotes(f *testing.F) {
	f.Add("shop", "europe-west1", "web", "web-1")
	f.Add(`a" OR metric.type="b`, `\`, `\"`, `"" AND x="`)
	f.Add("ü", "\u202e", "'", "\\\\\"")
	f.Fuzz(func(t *testing.T, project, location, service, name string) {
		sources := []analysis.Source{
			{Project: project, Location: location, Service: service, Revision: name},
			{Project: project, Location: location, Router: service, Gateway: name},
		}
		for kind, m := range metrics {
			source := sources[0]
			if m.resource == resourceGateway {
				source = sources[1]
			}
			want := clauses(m, source)
			text, err := filter(want)
			if err != nil {
				continue
			}
			got, err := read(text)
			if err != nil {
				t.Fatalf("%s: %v: %s", kind, err, text)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(clause{})); diff != "" {
				t.Fatalf("%s: %s (-want +got):\n%s", kind, text, diff)
			}
			wantClauses := map[bool]int{false: 6, true: 5}[m.resource == resourceGateway]
			if m.only != (clause{}) {
				wantClauses++
			}
			if len(got) != wantClauses && !m.siblings {
				t.Fatalf("%s: %d clauses, want %d", kind, len(got), wantClauses)
			}
		}
	})
}
