package series

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestQuery(t *testing.T) {
	t.Parallel()
	late := drop("g", "OUT_OF_RESOURCES", 3, 7)
	late.VisibleAt = minute(30)
	corrected := drop("g", "OUT_OF_RESOURCES", 2, 50)
	corrected.VisibleAt = minute(40)
	points := []Point{
		drop("g", "OUT_OF_RESOURCES", 1, 1), drop("g", "OUT_OF_RESOURCES", 2, 5), late, corrected,
		drop("g", "ENDPOINT_INDEPENDENCE_CONFLICT", 2, 2),
		drop("other", "OUT_OF_RESOURCES", 2, 9),
	}
	onG := drops + ` AND resource.labels.gateway_name = "g"`
	cases := map[string]struct {
		query Query
		now   time.Time
		want  []string
	}{
		"raw points come newest first, each series by itself": {
			query: query(drops, 0, 10, Aggregation{}), now: minute(20),
			want: []string{"g/ENDPOINT_INDEPENDENCE_CONFLICT 2:2", "g/OUT_OF_RESOURCES 2:5 1:1", "other/OUT_OF_RESOURCES 2:9"},
		},
		"a point is not there a moment before it becomes visible": {
			query: query(onG, 0, 10, Aggregation{}), now: minute(1).Add(225*time.Second - 1),
		},
		"a point is there from the moment it becomes visible": {
			query: query(onG, 0, 10, Aggregation{}), now: minute(1).Add(225 * time.Second),
			want: []string{"g/OUT_OF_RESOURCES 1:1"},
		},
		"late data appears in the middle": {
			query: query(onG+` metric.labels.reason = "OUT_OF_RESOURCES"`, 0, 10, Aggregation{}), now: minute(30),
			want: []string{"g/OUT_OF_RESOURCES 3:7 2:5 1:1"},
		},
		"a correction replaces the value once it is visible": {
			query: query(onG+` metric.labels.reason = "OUT_OF_RESOURCES"`, 0, 10, Aggregation{}), now: minute(40),
			want: []string{"g/OUT_OF_RESOURCES 3:7 2:50 1:1"},
		},
		"the interval excludes its start and includes its end": {
			query: query(onG+` metric.labels.reason = "OUT_OF_RESOURCES"`, 1, 2, Aggregation{}), now: minute(20),
			want: []string{"g/OUT_OF_RESOURCES 2:5"},
		},
		"an interval without start is the moment of its end": {
			query: Query{Project: "shop", Filter: drops, End: minute(1)}, now: minute(20),
			want: []string{"g/OUT_OF_RESOURCES 1:1"},
		},
		"a series without points in the interval is absent": {
			query: query(drops, 0, 1, Aggregation{}), now: minute(20),
			want: []string{"g/OUT_OF_RESOURCES 1:1"},
		},
		"aligned and reduced to the gateway": {
			query: query(drops, 0, 10, Aggregation{time.Minute, AlignSum, ReduceSum, []string{"resource.label.gateway_name"}}), now: minute(20),
			want: []string{"g/ 2:7 1:1", "other/ 2:9"},
		},
		"reduced without grouping to one series": {
			query: query(drops, 0, 10, Aggregation{5 * time.Minute, AlignSum, ReduceSum, nil}), now: minute(20),
			want: []string{"/ 5:17"},
		},
		"grouped by two kinds of labels": {
			query: query(drops, 0, 2, Aggregation{2 * time.Minute, AlignSum, ReduceMax, []string{"resource.labels.gateway_name", `metric.labels."reason"`}}),
			now:   minute(20),
			want:  []string{"g/ENDPOINT_INDEPENDENCE_CONFLICT 2:2", "g/OUT_OF_RESOURCES 2:6", "other/OUT_OF_RESOURCES 2:9"},
		},
		"counted across series": {
			query: query(drops, 0, 2, Aggregation{time.Minute, AlignSum, ReduceCount, nil}), now: minute(20),
			want: []string{"/ 2:3 1:1"},
		},
		"another project sees nothing": {
			query: Query{Project: "elsewhere", Filter: drops, Start: minute(0), End: minute(9)}, now: minute(20),
		},
		"points past retention are gone": {
			query: query(drops, 0, 10, Aggregation{}), now: minute(3).Add(retention),
		},
		"headers have no points": {
			query: Query{Project: "shop", Filter: onG, Start: minute(0), End: minute(9), View: Headers}, now: minute(20),
			want: []string{"g/ENDPOINT_INDEPENDENCE_CONFLICT", "g/OUT_OF_RESOURCES"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := storeOf(points...).Query(tc.query, tc.now)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, told(got)); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestQueryRefuses(t *testing.T) {
	t.Parallel()
	valid := query(drops, 0, 5, Aggregation{})
	with := func(change func(*Query)) Query {
		q := valid
		change(&q)
		return q
	}
	bool1 := `metric.type = "router.googleapis.com/nat/nat_allocation_failed"`
	cases := map[string]struct {
		query Query
		want  string
	}{
		"no metric type":              {with(func(q *Query) { q.Filter = `resource.type = "nat_gateway"` }), "a single metric type"},
		"an empty filter":             {with(func(q *Query) { q.Filter = "" }), "a single metric type"},
		"two metric types":            {with(func(q *Query) { q.Filter = drops + ` metric.type = "a"` }), "a single metric type"},
		"one of two metric types":     {with(func(q *Query) { q.Filter = `metric.type = one_of("a", "b")` }), "a single metric type"},
		"a metric type by prefix":     {with(func(q *Query) { q.Filter = `metric.type = starts_with("run")` }), "a single metric type"},
		"an optional metric type":     {with(func(q *Query) { q.Filter = `metric.type = "a" OR resource.type = "b"` }), "a single metric type"},
		"a negated metric type":       {with(func(q *Query) { q.Filter = `metric.type != "a"` }), "a single metric type"},
		"an unknown metric":           {with(func(q *Query) { q.Filter = `metric.type = "run.googleapis.com/typo"` }), "doesn't refer to any known metric"},
		"the wrong resource":          {with(func(q *Query) { q.Filter = drops + ` resource.type = "gce_instance"` }), "valid combination of metric"},
		"no end":                      {with(func(q *Query) { q.End = time.Time{} }), "interval.endTime"},
		"an end before the start":     {with(func(q *Query) { q.End = minute(-1) }), "interval.startTime"},
		"a period below a minute":     {with(func(q *Query) { q.Aggregation = Aggregation{Period: 59 * time.Second, Aligner: AlignSum} }), "at least 60 seconds"},
		"an aligner without a period": {with(func(q *Query) { q.Aggregation.Aligner = AlignSum }), "at least 60 seconds"},
		"a reducer without aligner":   {with(func(q *Query) { q.Aggregation.Reducer = ReduceSum }), "requires a per-series aligner"},
		"an unknown aligner":          {with(func(q *Query) { q.Aggregation = perMinute("ALIGN_STDDEV") }), "not supported"},
		"an unknown reducer":          {with(func(q *Query) { q.Aggregation = Aggregation{time.Minute, AlignSum, "REDUCE_STDDEV", nil} }), "not supported"},
		"a grouping that is no field": {with(func(q *Query) {
			q.Aggregation = Aggregation{time.Minute, AlignSum, ReduceSum, []string{"gateway_name"}}
		}), "groupByFields"},
		"a grouping that is no path": {with(func(q *Query) { q.Aggregation = Aggregation{time.Minute, AlignSum, ReduceSum, []string{"a..b"}} }), "groupByFields"},
		"a sum of booleans":          {with(func(q *Query) { q.Filter, q.Aggregation = bool1, perMinute(AlignSum) }), "kind GAUGE and value type BOOL"},
		"a maximum of booleans":      {with(func(q *Query) { q.Filter, q.Aggregation = bool1, perMinute(AlignMax) }), "kind GAUGE and value type BOOL"},
		"the truth of numbers":       {with(func(q *Query) { q.Aggregation = perMinute(AlignCountTrue) }), "kind DELTA and value type INT64"},
		"an older value of a delta":  {with(func(q *Query) { q.Aggregation = perMinute(AlignNextOlder) }), "kind DELTA and value type INT64"},
		"a sum of aligned booleans": {with(func(q *Query) {
			q.Filter, q.Aggregation = bool1, Aggregation{time.Minute, AlignNextOlder, ReduceSum, nil}
		}), "value type BOOL"},
		"a negative page size": {with(func(q *Query) { q.PageSize = -1 }), "pageSize"},
		"a strange view":       {with(func(q *Query) { q.View = "HALF" }), "view"},
		"a made-up page token": {with(func(q *Query) { q.PageToken = "abc" }), "pageToken"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := storeOf(drop("g", "OUT_OF_RESOURCES", 1, 1)).Query(tc.query, minute(20))
			var refused *Error
			if !errors.As(err, &refused) || refused.Code != InvalidArgument || !strings.Contains(refused.Message, tc.want) {
				t.Errorf("got %v, want INVALID_ARGUMENT with %q", err, tc.want)
			}
		})
	}
}
