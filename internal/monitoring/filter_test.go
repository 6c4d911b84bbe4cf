package monitoring

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// read is a second, independent reading of the filter language: clauses of the
// form field="value" or field=one_of("value","value"), joined by AND.
func read(text string) ([]clause, error) {
	var list []clause
	for {
		field, rest, ok := strings.Cut(text, "=")
		if !ok || strings.ContainsAny(field, `" ()`) {
			return nil, errors.New("no field")
		}
		rest, several := strings.CutPrefix(rest, "one_of(")
		c := clause{field: field}
		for more := true; more; {
			var value string
			var err error
			if value, rest, err = literal(rest); err != nil {
				return nil, err
			}
			c.values = append(c.values, value)
			if rest, more = strings.CutPrefix(rest, ","); more && !several {
				return nil, errors.New("no list")
			}
		}
		if several {
			if rest, ok = strings.CutPrefix(rest, ")"); !ok {
				return nil, errors.New("no end of the list")
			}
		}
		list = append(list, c)
		if text = rest; text == "" {
			return list, nil
		}
		if text, ok = strings.CutPrefix(text, " AND "); !ok {
			return nil, errors.New("no AND")
		}
	}
}

func literal(text string) (value, rest string, err error) {
	text, ok := strings.CutPrefix(text, `"`)
	if !ok {
		return "", "", errors.New("no quote")
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], nil
		case '\\':
			if i++; i == len(text) {
				return "", "", errors.New("nothing after a backslash")
			}
		}
		b.WriteByte(text[i])
	}
	return "", "", errors.New("no end of the value")
}

// FuzzNamesStayWithinTheirQuotes writes filters about any names: read back they say
// what was meant, in as many clauses as for any other names, of the same fields.
// What could not be a name is not asked for at all.
func FuzzNamesStayWithinTheirQuotes(f *testing.F) {
	f.Add("shop", "europe-west1", "web", "api")
	f.Add(`a" OR metric.type="b`, `\`, `\"`, `"" AND x="`)
	f.Add("ü", "\u202e", `")`, `","`)
	f.Add("shop", "l\n", "web\x00", "\xff")
	f.Fuzz(func(t *testing.T, project, location, name, other string) {
		for kind, m := range metrics {
			plain := clauses(m, "shop", []place{{"l", "web"}})
			want := clauses(m, project, []place{{location, name + "."}, {location, other + "."}})
			text := filter(want)
			got, err := read(text)
			if err != nil {
				t.Fatalf("%s: %v: %s", kind, err, text)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(clause{})); diff != "" {
				t.Fatalf("%s: %s (-want +got):\n%s", kind, text, diff)
			}
			if !slices.EqualFunc(plain, got, func(a, b clause) bool { return a.field == b.field }) {
				t.Fatalf("%s: %s has other clauses than %s", kind, text, filter(plain))
			}
		}
		checkAsked(t, analysis.Source{Project: project, Location: location, Service: name, Revision: other})
	})
}

// checkAsked asks about a revision of any name. Where that makes a query, the query
// is about the very names.
func checkAsked(t *testing.T, of analysis.Source) {
	t.Helper()
	q := ask(analysis.Requests, of)
	if askable(q) != nil {
		return
	}
	w, refused := wishOf(q, noon)
	bad := func(name string) bool {
		return name == "" || strings.ContainsFunc(name, unicode.IsControl) || !utf8.ValidString(name)
	}
	if refused == nil && (slices.ContainsFunc([]string{of.Location, of.Service, of.Revision}, bad) || strings.Contains(of.Project, "/")) {
		t.Fatalf("%+v is asked about", of)
	}
	if refused != nil {
		return
	}
	request := query{metric: metrics[q.Metric], project: of.Project, places: []place{w.place}, after: w.after, through: w.through}.request()
	got, err := read(request.GetFilter())
	if err != nil || len(got) != 5 || got[2].values[0] != of.Project || got[3].values[0] != of.Location || got[4].values[0] != of.Service {
		t.Fatalf("%+v is asked about by %s: %v", of, request.GetFilter(), err)
	}
}

func TestLongFiltersAreDividedInOneWay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := metrics[rapid.SampledFrom([]analysis.Metric{analysis.NotFound, analysis.DroppedPackets}).Draw(t, "metric")]
		location := rapid.SampledFrom([]string{"europe-west1", "us-central1", "asia-northeast1", `"`})
		name := rapid.StringMatching(`[a-z"\\]{1,63}`)
		all := map[place]bool{}
		for range rapid.IntRange(1, 300).Draw(t, "places") {
			all[place{location.Draw(t, "location"), name.Draw(t, "name")}] = true
		}
		groups := split(m, "shop", slices.Collect(maps.Keys(all)))
		if diff := cmp.Diff(groups, split(m, "shop", slices.Collect(maps.Keys(all))), cmp.AllowUnexported(place{})); diff != "" {
			t.Fatal(diff)
		}
		count := 0
		for i, group := range groups {
			text := filter(clauses(m, "shop", group))
			if len(text) > maxFilter {
				t.Fatalf("%d bytes: %s", len(text), text)
			}
			if i < len(groups)-1 && len(text) < maxFilter/2 {
				t.Fatalf("%d bytes only, and %d more filters", len(text), len(groups)-1-i)
			}
			for _, p := range group {
				if !all[p] {
					t.Fatalf("%v twice, or not asked for", p)
				}
				delete(all, p)
				count++
			}
		}
		if len(all) > 0 || len(groups) > count {
			t.Fatalf("%d places left out", len(all))
		}
	})
}

func TestTheLongestNamesFitInAFilter(t *testing.T) {
	t.Parallel()
	quotes := strings.Repeat(`"`, maxValue)
	for kind, m := range metrics {
		if text := filter(clauses(m, strings.Repeat("p", 100), []place{{quotes, quotes}})); len(text) > maxFilter {
			t.Errorf("%s: %d bytes", kind, len(text))
		}
	}
}
