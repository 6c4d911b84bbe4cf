package series

import (
	"errors"
	"strings"
	"testing"
)

func TestFilterMatches(t *testing.T) {
	t.Parallel()
	web := identity{
		metricType: RequestCount, resourceType: ResourceRevision,
		resource: map[string]string{"project_id": "shop", "service_name": "web", "odd": `a"b`},
		labels:   map[string]string{"response_code": "500", "response_code_class": "5xx"},
	}
	cases := map[string]struct {
		filter string
		want   bool
	}{
		"nothing matches everything":          {``, true},
		"space matches everything":            {" \n\t", true},
		"equality":                            {`resource.labels.service_name = "web"`, true},
		"equality without spaces":             {`resource.labels.service_name="web"`, true},
		"equality is of the whole value":      {`resource.labels.service_name = "we"`, false},
		"singular label":                      {`resource.label.service_name = "web"`, true},
		"quoted label":                        {`resource.label."service_name" = "web"`, true},
		"metric label":                        {`metric.label.response_code_class = "5xx"`, true},
		"number without quotes":               {`metric.labels.response_code = 500`, true},
		"difference":                          {`resource.labels.service_name != "api"`, true},
		"difference from an absent label":     {`resource.labels.region != "r"`, true},
		"equality with an absent label":       {`resource.labels.region = ""`, false},
		"project":                             {`project = "shop"`, true},
		"another project":                     {`project = "other"`, false},
		"resource type":                       {`resource.type = "cloud_run_revision"`, true},
		"escaped quote":                       {`resource.labels.odd = "a\"b"`, true},
		"one of several":                      {`metric.labels.response_code = one_of("404", "500")`, true},
		"none of several":                     {`metric.labels.response_code = one_of("404", "403")`, false},
		"not one of several":                  {`metric.labels.response_code != one_of("404", "403")`, true},
		"prefix":                              {`metric.type = starts_with("run.googleapis.com/")`, true},
		"suffix":                              {`metric.type = ends_with("_count")`, true},
		"substring":                           {`metric.type = has_substring("request")`, true},
		"both by AND":                         {`project = "shop" AND resource.labels.service_name = "api"`, false},
		"both by standing together":           {`project = "shop" resource.labels.service_name = "api"`, false},
		"either by OR":                        {`project = "other" OR resource.labels.service_name = "web"`, true},
		"OR binds tighter than AND":           {`project = "shop" OR project = "x" AND resource.labels.service_name = "api"`, false},
		"parentheses change that":             {`project = "shop" OR (project = "x" AND resource.labels.service_name = "api")`, true},
		"AND inside parentheses may be space": {`(project = "shop" resource.labels.service_name = "web")`, true},
		"a term may follow parentheses":       {`(project = "shop") (project = "x")`, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := parseFilter(tc.filter)
			if err != nil {
				t.Fatal(err)
			}
			if got := f.matches(web); got != tc.want {
				t.Errorf("%s: got %v", tc.filter, got)
			}
		})
	}
}

func TestFilterRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ filter, want string }{
		"a value without quotes":       {`metric.type = run`, "must be quoted"},
		"an open string":               {`metric.type = "run`, "not closed"},
		"a bad escape":                 {`metric.type = "\q"`, "not closed or has a bad escape"},
		"a line break in a string":     {"metric.type = \"a\nb\"", "not closed"},
		"single quotes":                {`metric.type = 'run'`, "Unexpected '\\''"},
		"regular expressions":          {`metric.labels.x = monitoring.regex.full_match("a.*")`, "monitoring.regex.full_match is not supported"},
		"an unknown function":          {`metric.labels.x = lower("a")`, "lower is not supported"},
		"a function without arguments": {`metric.labels.x = one_of()`, "a quoted argument"},
		"a prefix of two":              {`metric.labels.x = starts_with("a", "b")`, "takes one argument"},
		"an open call":                 {`metric.labels.x = one_of("a"`, `Expected "," or ")"`},
		"a call without comma":         {`metric.labels.x = one_of("a" "b")`, `Expected "," or ")"`},
		"greater than":                 {`metric.labels.x > "1"`, "Unexpected '>'"},
		"the has operator":             {`metric.labels.x : "1"`, "Unexpected ':'"},
		"a match operator":             {`metric.labels.x =~ "1"`, "Unexpected '~'"},
		"NOT":                          {`NOT metric.type = "a"`, "a selector"},
		"lower case and":               {`project = "a" and project = "b"`, "Unknown selector and"},
		"a group":                      {`group.id = "a"`, "Unknown selector group.id"},
		"a label too deep":             {`resource.labels.a.b = "c"`, "Unknown selector resource.labels.a.b"},
		"no operator":                  {`metric.type "a"`, "Expected = or !="},
		"no value":                     {`metric.type =`, "the end of the filter"},
		"no selector":                  {`= "a"`, "a selector"},
		"a dot at the end":             {`metric. = "a"`, "a name after the dot"},
		"AND at the end":               {`project = "a" AND`, "a selector"},
		"OR at the end":                {`project = "a" OR`, "a selector"},
		"AND before nothing":           {`AND project = "a"`, "a selector"},
		"an open parenthesis":          {`(project = "a"`, `")"`},
		"a closing parenthesis":        {`project = "a")`, "AND, OR or the end"},
		"deep nesting":                 {strings.Repeat("(", 99) + `project = "a"` + strings.Repeat(")", 99), "nested too deeply"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parseFilter(tc.filter)
			var refused *Error
			if !errors.As(err, &refused) || refused.Code != InvalidArgument || !strings.Contains(refused.Message, tc.want) {
				t.Errorf("%s: got %v, want INVALID_ARGUMENT with %s", tc.filter, err, tc.want)
			}
		})
	}
}

// FuzzFilter looks for texts that crash or hang the parser, and for values that
// come out of their quotes: a filter that names a revision by a quoted text must
// select that revision and no other, whatever the text.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		drops, `a" OR project = "shop`, `\`, `"`, `metric.type = one_of("a", "b") OR (project != "x")`, "((((", "resource.label.\"a\"=1.5.2", "é=\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if parsed, err := parseFilter(text); err == nil {
			parsed.matches(identity{})
			if name, err := parsed.metricType(); err == nil && !parsed.matches(identity{metricType: name}) && parsed.root.op == opCompare {
				t.Errorf("%q does not match its own metric type %q", text, name)
			}
		}
		quoted := `resource.labels.revision_name = "` + quote(text) + `"`
		parsed, err := parseFilter(quoted)
		if err != nil {
			t.Fatalf("%s: %v", quoted, err)
		}
		if !parsed.matches(identity{resource: map[string]string{"revision_name": text}}) {
			t.Errorf("%s does not select its own value", quoted)
		}
		if parsed.matches(identity{resource: map[string]string{"revision_name": text + "x"}}) {
			t.Errorf("%s selects more than its value", quoted)
		}
	})
}

// quote escapes what a filter needs escaped, byte by byte.
func quote(text string) string {
	var b strings.Builder
	for i := range len(text) {
		const hex = "0123456789abcdef"
		b.WriteString(`\x`)
		b.WriteByte(hex[text[i]>>4])
		b.WriteByte(hex[text[i]&15])
	}
	return b.String()
}
