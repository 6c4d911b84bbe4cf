package series

import (
	"slices"
	"strings"
)

// filter is a parsed monitoring filter. The zero filter matches everything.
type filter struct {
	text string
	root node
}

// node is one part of the filter's tree: a comparison, or all or any of others.
type node struct {
	op    operator
	kids  []node
	field field
	test  test
}

type operator uint8

const (
	opAll operator = iota // all of no kids is true, as an empty filter is
	opAny
	opCompare
)

// field names what a comparison looks at.
type field struct {
	kind fieldKind
	key  string // of a label
}

type fieldKind uint8

const (
	fieldProject fieldKind = iota
	fieldMetricType
	fieldResourceType
	fieldResourceLabel
	fieldMetricLabel
)

// test is the right side of a comparison. Negation counts an absent label as
// different from every value.
type test struct {
	function string // empty for plain equality
	negated  bool
	values   []string
}

// functions are the calls that may stand on the right side.
var functions = map[string]func(text, argument string) bool{
	"one_of":        func(text, argument string) bool { return text == argument },
	"starts_with":   strings.HasPrefix,
	"ends_with":     strings.HasSuffix,
	"has_substring": strings.Contains,
}

func (f filter) matches(id identity) bool { return f.root.matches(id) }

func (n node) matches(id identity) bool {
	switch n.op {
	case opAll:
		return !slices.ContainsFunc(n.kids, func(kid node) bool { return !kid.matches(id) })
	case opAny:
		return slices.ContainsFunc(n.kids, func(kid node) bool { return kid.matches(id) })
	case opCompare:
		text, present := n.field.of(id)
		return (present && n.test.holds(text)) != n.test.negated
	}
	return false
}

func (t test) holds(text string) bool {
	equal, call := functions[t.function]
	if !call {
		return slices.Contains(t.values, text)
	}
	return slices.ContainsFunc(t.values, func(v string) bool { return equal(text, v) })
}

// of reads the field from a series.
func (f field) of(id identity) (value string, present bool) {
	switch f.kind {
	case fieldProject:
		value, present = id.resource["project_id"]
	case fieldMetricType:
		return id.metricType, true
	case fieldResourceType:
		return id.resourceType, true
	case fieldResourceLabel:
		value, present = id.resource[f.key]
	case fieldMetricLabel:
		value, present = id.labels[f.key]
	}
	return value, present
}

// fieldOf resolves a dotted path. Both label and labels are accepted, as in
// Google's own examples.
func fieldOf(path []string) (field, bool) {
	switch {
	case len(path) == 1 && path[0] == "project":
		return field{kind: fieldProject}, true
	case len(path) == 2 && path[1] == "type" && path[0] == "metric":
		return field{kind: fieldMetricType}, true
	case len(path) == 2 && path[1] == "type" && path[0] == "resource":
		return field{kind: fieldResourceType}, true
	case len(path) != 3 || path[1] != "label" && path[1] != "labels":
		return field{}, false
	case path[0] == "resource":
		return field{fieldResourceLabel, path[2]}, true
	case path[0] == "metric":
		return field{fieldMetricLabel, path[2]}, true
	}
	return field{}, false
}

// comparisons walks all comparisons of the tree. Required are those that must
// hold for the filter to hold.
func (n node) comparisons(required bool, visit func(leaf node, required bool)) {
	if n.op == opCompare {
		visit(n, required)
		return
	}
	for _, kid := range n.kids {
		kid.comparisons(required && n.op == opAll, visit)
	}
}

// metricType is the one metric type that a filter of ListTimeSeries must name
// [monpb ListTimeSeriesRequest.filter].
func (f filter) metricType() (string, error) {
	var named []string
	plain := true
	f.root.comparisons(true, func(leaf node, required bool) {
		if leaf.field.kind != fieldMetricType {
			return
		}
		named = append(named, leaf.test.values...)
		plain = plain && required && leaf.test.function == "" && !leaf.test.negated
	})
	if len(named) != 1 || !plain {
		return "", invalidField("filter", f.text,
			`The filter must specify a single metric type, as in metric.type = "run.googleapis.com/request_count".`)
	}
	return named[0], nil
}

// validate checks the filter against the metric that it selects.
func (f filter) validate(d Descriptor, rejectUnknown switchedOn) error {
	var problem error
	f.root.comparisons(true, func(leaf node, required bool) {
		switch {
		case problem != nil:
		case required && leaf.excludes(d):
			// The text is quoted in prometheus-community/stackdriver_exporter #104.
			problem = invalid("The supplied filter does not specify a valid combination of metric and monitored resource descriptors." +
				" The query will not return any time series.")
		case bool(rejectUnknown) && !leaf.field.knownTo(d):
			problem = invalidField("filter", f.text, "Unrecognized label \""+leaf.field.key+"\".")
		}
	})
	return problem
}

// switchedOn is a behaviour of [Switches].
type switchedOn bool

// excludes reports that the comparison wants a resource type that the metric is
// never written against.
func (n node) excludes(d Descriptor) bool {
	return n.field.kind == fieldResourceType && !n.test.negated && !slices.ContainsFunc(d.ResourceTypes, n.test.holds)
}

func (f field) knownTo(d Descriptor) bool {
	switch f.kind {
	case fieldResourceLabel:
		return d.knowsResource(f.key)
	case fieldMetricLabel:
		return d.knows(f.key)
	case fieldProject, fieldMetricType, fieldResourceType:
	}
	return true
}
