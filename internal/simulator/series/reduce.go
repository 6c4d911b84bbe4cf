package series

import (
	"cmp"
	"maps"
	"slices"
)

// Reducer combines aligned series into one for each group.
type Reducer string

// Reducers that the store models, named as in the API.
const (
	ReduceNone         Reducer = "REDUCE_NONE"
	ReduceMean         Reducer = "REDUCE_MEAN"
	ReduceMin          Reducer = "REDUCE_MIN"
	ReduceMax          Reducer = "REDUCE_MAX"
	ReduceSum          Reducer = "REDUCE_SUM"
	ReduceCount        Reducer = "REDUCE_COUNT"
	ReduceCountTrue    Reducer = "REDUCE_COUNT_TRUE"
	ReduceCountFalse   Reducer = "REDUCE_COUNT_FALSE"
	ReduceFractionTrue Reducer = "REDUCE_FRACTION_TRUE"
)

// reduction is what a reducer accepts, does and yields. The zero reduction is
// REDUCE_NONE.
type reduction struct {
	name   Reducer
	types  []ValueType
	result ValueType // unspecified means as the input
	unit   string    // of the result; empty means as the input
	fold   func([]sample) Value
}

// reductions restate the comments of Aggregation_Reducer [monpb common.pb.go].
var reductions = map[Reducer]reduction{
	ReduceNone:         {},
	ReduceMean:         {types: numbers, result: TypeDouble, fold: mean},
	ReduceMin:          {types: numbers, fold: least},
	ReduceMax:          {types: numbers, fold: greatest},
	ReduceSum:          {types: sizes, fold: sum},
	ReduceCount:        {types: append(bools, sizes...), result: TypeInt64, unit: "1", fold: count},
	ReduceCountTrue:    {types: bools, result: TypeInt64, unit: "1", fold: countTrue},
	ReduceCountFalse:   {types: bools, result: TypeInt64, unit: "1", fold: countFalse},
	ReduceFractionTrue: {types: bools, result: TypeDouble, unit: "10^2.%", fold: fractionTrue},
}

func reductionFor(name Reducer) (reduction, error) {
	r, ok := reductions[name]
	if !ok {
		return reduction{}, invalidField("aggregation.crossSeriesReducer", string(name),
			"The reducer is unknown or not supported here.")
	}
	r.name = name
	return r, nil
}

func (r reduction) accepts(aligned ValueType) error {
	if r.fold == nil || slices.Contains(r.types, aligned) {
		return nil
	}
	return invalidField("aggregation.crossSeriesReducer", string(r.name),
		"The reducer cannot be applied to aligned series with value type "+aligned.String()+".")
}

func (r reduction) typeOf(aligned ValueType) ValueType {
	if r.result == TypeUnspecified {
		return aligned
	}
	return r.result
}

func (r reduction) unitOf(unit string) string {
	if r.unit == "" {
		return unit
	}
	return r.unit
}

// group is the series that are reduced into one.
type group struct {
	id      identity
	samples []sample
	corrupt []corruption
}

// reduced combines the strands group by group. Every moment that at least one of
// them has a point for yields one; a series that is missing there is not zero.
func (p plan) reduced(strands []strand, sw Switches) []strand {
	groups := map[string]*group{}
	for _, t := range strands {
		id := p.kept(t.id, sw)
		key := id.key()
		g := groups[key]
		if g == nil {
			g = &group{id: id}
			groups[key] = g
		}
		g.corrupt = append(g.corrupt, t.corrupt...)
		g.samples = append(g.samples, t.samples...)
	}
	out := make([]strand, 0, len(groups))
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, p.fold(groups[key]))
	}
	return out
}

// fold makes one sample of those of each moment, in the order of the strands.
func (p plan) fold(g *group) strand {
	slices.SortStableFunc(g.samples, func(a, b sample) int { return cmp.Compare(a.end, b.end) })
	out := strand{id: g.id, corrupt: g.corrupt}
	for left := g.samples; len(left) > 0; {
		at := left[0]
		n := slices.IndexFunc(left, func(s sample) bool { return s.end != at.end })
		if n < 0 {
			n = len(left)
		}
		out.samples = append(out.samples, sample{start: at.start, end: at.end, value: p.reduce.fold(left[:n])})
		left = left[n:]
	}
	return out
}

// kept is the identity of the group: the fields grouped by, and the resource type,
// which is implied. All other labels are aggregated away.
func (p plan) kept(id identity, sw Switches) identity {
	kept := identity{metricType: id.metricType, resourceType: id.resourceType, resource: map[string]string{}, labels: map[string]string{}}
	keep := func(into map[string]string, key, value string, present bool) {
		if present {
			into[key] = value
		}
	}
	for _, by := range p.groupBy {
		value, present := by.of(id)
		switch by.kind {
		case fieldProject:
			keep(kept.resource, "project_id", value, present)
		case fieldResourceLabel:
			keep(kept.resource, by.key, value, present)
		case fieldMetricLabel:
			keep(kept.labels, by.key, value, present)
		case fieldMetricType, fieldResourceType:
		}
	}
	if sw.KeepProject {
		kept.resource["project_id"] = id.project()
	}
	return kept
}
