package monitoring

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFilter is the length of the longest filter that is sent, in bytes. None is
// documented for ListTimeSeries; filters of the same language in alerting
// policies may have 2048 characters (monitoringpb, AlertPolicy.Condition).
const maxFilter = 2048

// clause compares one field with values, of which one must be equal.
type clause struct {
	field  string // from this package's constants, never from outside
	values []string
}

// place is where a metric is measured: a service or a gateway of a location, or,
// without a name, all there are.
type place struct{ location, name string }

// clauses pins the series at places: metric and resource type, project, location
// and name. A metrics scope may hold several projects, and services of one name
// in several regions, so nothing is left open but what the places leave open.
// Either all places have a name or none. Of several locations and names, every
// name of every location is asked for; who takes the answer leaves out the rest.
func clauses(m metric, project string, places []place) []clause {
	list := []clause{
		{"metric.type", []string{m.name}},
		{"resource.type", []string{m.resource}},
		{labelProject, []string{project}},
	}
	if len(m.only.values) > 0 {
		list = append(list, m.only)
	}
	var locations, names []string
	for _, p := range places {
		locations = append(locations, p.location)
		names = append(names, p.name)
	}
	list = append(list, clause{m.locationLabel(), distinct(locations)})
	if places[0].name == "" {
		return list
	}
	return append(list, clause{m.nameLabel(), distinct(names)})
}

func distinct(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}

// filter writes clauses in the API's language.
func filter(list []clause) string {
	parts := make([]string, 0, len(list))
	for _, c := range list {
		quoted := make([]string, 0, len(c.values))
		for _, value := range c.values {
			quoted = append(quoted, quote(value))
		}
		if len(quoted) == 1 {
			parts = append(parts, c.field+"="+quoted[0])
			continue
		}
		parts = append(parts, c.field+"=one_of("+strings.Join(quoted, ",")+")")
	}
	return strings.Join(parts, " AND ")
}

// quote writes a string literal. Between the quotes only the quote itself and
// the backslash have a meaning of their own.
func quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// split divides places into groups whose filters are not too long. Equal sets of
// places are divided in one way: they are sorted by location and name, so that
// few locations come together.
func split(m metric, project string, places []place) [][]place {
	places = slices.Clone(places)
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(strings.Compare(a.location, b.location), strings.Compare(a.name, b.name))
	})
	bare := len(filter(clauses(m, project, []place{{}}))) + len(" AND "+m.nameLabel()+"=one_of()one_of()")
	var groups [][]place
	begin, length := 0, bare
	for i, p := range places {
		added := len(quote(p.name)) + 1
		if i == begin || places[i-1].location != p.location {
			added += len(quote(p.location)) + 1
		}
		if i > begin && length+added > maxFilter {
			groups = append(groups, places[begin:i])
			begin, length = i, bare
			added = len(quote(p.name)) + len(quote(p.location)) + 2
		}
		length += added
	}
	return append(groups, places[begin:])
}

// maxValue is the length of the longest name that is sent, in bytes.
const maxValue = 200

// sendable refuses a value that is empty or could not be a name.
func sendable(value string) error {
	switch {
	case value == "":
		return errors.New("empty name")
	case len(value) > maxValue:
		return errors.New("name too long")
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return errors.New("name with control characters")
	}
	return nil
}
