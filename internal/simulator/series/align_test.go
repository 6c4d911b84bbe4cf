package series

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAlignment(t *testing.T) {
	t.Parallel()
	const oneSeries = drops
	const allocations = `metric.type = "router.googleapis.com/nat/nat_allocation_failed"`
	const allocated = `metric.type = "router.googleapis.com/nat/allocated_ports"`
	points := []Point{
		drop("g", "r", 1, 10), drop("g", "r", 2, 20), drop("g", "r", 6, 40),
		failed(1, true), failed(2, false), failed(3, true), failed(4, false), failed(7, false),
		ports(1, 64), ports(2, 128), ports(6, 256),
	}
	now := minute(60)
	cases := map[string]struct {
		filter   string
		from, to int
		with     Aggregation
		want     []string
	}{
		"a sum leaves gaps as gaps":            {oneSeries, 0, 7, perMinute(AlignSum), []string{"g/r 6:40 2:20 1:10"}},
		"a sum of three minutes":               {oneSeries, 0, 6, Aggregation{Period: 3 * time.Minute, Aligner: AlignSum}, []string{"g/r 6:40 3:30"}},
		"periods count back from the end":      {oneSeries, 0, 7, Aggregation{Period: 3 * time.Minute, Aligner: AlignSum}, []string{"g/r 7:40 4:20 1:10"}},
		"a delta invents what a gap held":      {oneSeries, 0, 7, perMinute(AlignDelta), []string{"g/r 6:40 5:35 4:30 3:25 2:20 1:10"}},
		"a rate invents it too":                {oneSeries, 0, 6, Aggregation{Period: 2 * time.Minute, Aligner: AlignRate}, []string{"g/r 6:0.3333333333333333 4:0.2916666666666667 2:0.25"}},
		"no aligner invents before or after":   {oneSeries, -10, 20, perMinute(AlignDelta), []string{"g/r 6:40 5:35 4:30 3:25 2:20 1:10"}},
		"a maximum":                            {allocated, 0, 6, Aggregation{Period: 2 * time.Minute, Aligner: AlignMax}, []string{"g/ 6:256 2:128"}},
		"a minimum":                            {allocated, 0, 6, Aggregation{Period: 2 * time.Minute, Aligner: AlignMin}, []string{"g/ 6:256 2:64"}},
		"a mean":                               {allocated, 0, 6, Aggregation{Period: 2 * time.Minute, Aligner: AlignMean}, []string{"g/ 6:256 2:96"}},
		"a count":                              {allocated, 0, 6, Aggregation{Period: 2 * time.Minute, Aligner: AlignCount}, []string{"g/ 6:1 2:2"}},
		"a sum of gauges":                      {allocated, 0, 6, Aggregation{Period: 2 * time.Minute, Aligner: AlignSum}, []string{"g/ 6:256 2:192"}},
		"the newest of a period":               {allocated, 0, 6, Aggregation{Period: 2 * time.Minute, Aligner: AlignNextOlder}, []string{"g/ 6:256 2:128"}},
		"a line through gauges":                {allocated, 0, 6, perMinute(AlignInterpolate), []string{"g/ 6:256 5:224 4:192 3:160 2:128 1:64"}},
		"a line read at every second minute":   {allocated, 0, 7, Aggregation{Period: 2 * time.Minute, Aligner: AlignInterpolate}, []string{"g/ 5:224 3:160 1:64"}},
		"how often true":                       {allocations, 0, 4, Aggregation{Period: 4 * time.Minute, Aligner: AlignCountTrue}, []string{"g/ 4:2"}},
		"how often false":                      {allocations, 0, 4, Aggregation{Period: 4 * time.Minute, Aligner: AlignCountFalse}, []string{"g/ 4:2"}},
		"which share is true":                  {allocations, 0, 4, Aggregation{Period: 4 * time.Minute, Aligner: AlignFractionTrue}, []string{"g/ 4:0.5"}},
		"never true is zero where points are":  {allocations, 3, 8, perMinute(AlignCountTrue), []string{"g/ 7:0 4:0"}},
		"how many gateways, true":              {allocations, 0, 2, Aggregation{time.Minute, AlignNextOlder, ReduceCountTrue, nil}, []string{"/ 2:0 1:1"}},
		"how many gateways, false":             {allocations, 0, 2, Aggregation{time.Minute, AlignNextOlder, ReduceCountFalse, nil}, []string{"/ 2:1 1:0"}},
		"the share of gateways":                {allocations, 0, 1, Aggregation{time.Minute, AlignNextOlder, ReduceFractionTrue, nil}, []string{"/ 1:1"}},
		"the mean of series":                   {allocated, 0, 1, Aggregation{time.Minute, AlignMax, ReduceMean, nil}, []string{"/ 1:64"}},
		"the least of series":                  {allocated, 0, 1, Aggregation{time.Minute, AlignMax, ReduceMin, nil}, []string{"/ 1:64"}},
		"a period longer than the interval":    {oneSeries, 1, 3, Aggregation{Period: time.Hour, Aligner: AlignSum}, []string{"g/r 3:20"}},
		"an interval without points is absent": {oneSeries, 2, 5, perMinute(AlignDelta), nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := mustQuery(t, storeOf(points...), query(tc.filter, tc.from, tc.to, tc.with), now)
			if diff := cmp.Diff(tc.want, told(got)); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKindsTypesAndUnits(t *testing.T) {
	t.Parallel()
	const allocations = `metric.type = "router.googleapis.com/nat/nat_allocation_failed"`
	type header struct {
		Kind       Kind
		Type       ValueType
		Unit       string
		Start, End int
	}
	cases := map[string]struct {
		filter string
		with   Aggregation
		want   header
	}{
		"raw deltas span their interval":    {drops, Aggregation{}, header{Delta, TypeInt64, "{packet}", 0, 1}},
		"raw gauges are moments":            {allocations, Aggregation{}, header{Gauge, TypeBool, "", 1, 1}},
		"a sum of deltas spans its period":  {drops, Aggregation{2 * time.Minute, AlignSum, ReduceSum, nil}, header{Delta, TypeInt64, "{packet}", -1, 1}},
		"a rate is a gauge of doubles":      {drops, perMinute(AlignRate), header{Gauge, TypeDouble, "{packet}/s", 1, 1}},
		"counting truth gives whole gauges": {allocations, perMinute(AlignCountTrue), header{Gauge, TypeInt64, "1", 1, 1}},
		"a count of series has no unit":     {drops, Aggregation{time.Minute, AlignMean, ReduceCount, nil}, header{Gauge, TypeInt64, "1", 1, 1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := storeOf(drop("g", "r", 1, 10), failed(1, true))
			r := mustQuery(t, store, query(tc.filter, -5, 1, tc.with), minute(60))
			s := r.Series[0]
			at := func(m time.Time) int { return int(m.Sub(noon) / time.Minute) }
			got := header{s.Kind, s.ValueType, s.Unit, at(s.Points[0].Start), at(s.Points[0].End)}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if s.Points[0].Value.Type() != s.ValueType || r.Unit != s.Unit {
				t.Errorf("point %v, unit %q do not agree with the header", s.Points[0], r.Unit)
			}
		})
	}
}

func TestExtremesDoNotHideNaN(t *testing.T) {
	t.Parallel()
	in := []sample{{value: Float(1)}, {value: Float(math.NaN())}, {value: Float(2)}}
	if got := greatest(in); !got.Equal(Float(math.NaN())) {
		t.Errorf("greatest is %v", got)
	}
}

func TestSwitches(t *testing.T) {
	t.Parallel()
	sum5 := Aggregation{5 * time.Minute, AlignSum, ReduceSum, []string{"resource.label.gateway_name"}}
	typo := `metric.type = "run.googleapis.com/typo"`
	cases := map[string]struct {
		with  Switches
		query Query
		want  []string
		fails Code
	}{
		"periods count back from the end":   {Switches{}, query(drops, 0, 7, sum5), []string{"g/ 7:4 2:3"}, ""},
		"periods begin at round times":      {Switches{PeriodsFromEpoch: true}, query(drops, 0, 7, sum5), []string{"g/ 5:7"}, ""},
		"an unknown metric is bad":          {Switches{}, query(typo, 0, 7, Aggregation{}), nil, InvalidArgument},
		"an unknown metric is not there":    {Switches{UnknownMetricNotFound: true}, query(typo, 0, 7, Aggregation{}), nil, NotFound},
		"an unknown label matches nothing":  {Switches{}, query(drops+` metric.labels.raeson = "x"`, 0, 7, Aggregation{}), nil, ""},
		"an unknown label is refused":       {Switches{RejectUnknownLabels: true}, query(drops+` metric.labels.raeson = "x"`, 0, 7, Aggregation{}), nil, InvalidArgument},
		"an unknown resource label, too":    {Switches{RejectUnknownLabels: true}, query(drops+` resource.labels.gateway = "x"`, 0, 7, Aggregation{}), nil, InvalidArgument},
		"an unknown grouping is refused":    {Switches{RejectUnknownLabels: true}, query(drops, 0, 7, Aggregation{time.Minute, AlignSum, ReduceSum, []string{"metric.label.x"}}), nil, InvalidArgument},
		"known labels pass where it counts": {Switches{RejectUnknownLabels: true}, query(drops, 0, 7, sum5), []string{"g/ 7:4 2:3"}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := storeOf(drop("g", "r", 1, 1), drop("g", "r", 2, 2), drop("g", "r", 4, 4))
			store.Switches = tc.with
			got, err := store.Query(tc.query, minute(60))
			if code := codeOf(err); code != tc.fails {
				t.Fatalf("got %v, want %q", err, tc.fails)
			}
			if diff := cmp.Diff(tc.want, told(got)); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKeepProject(t *testing.T) {
	t.Parallel()
	for keep, want := range map[bool]map[string]string{false: {}, true: {"project_id": "shop"}} {
		store := storeOf(drop("g", "r", 1, 1))
		store.Switches.KeepProject = keep
		r := mustQuery(t, store, query(drops, 0, 7, Aggregation{time.Minute, AlignSum, ReduceSum, nil}), minute(60))
		if diff := cmp.Diff(want, r.Series[0].Resource); diff != "" {
			t.Errorf("labels when KeepProject is %v (-want +got):\n%s", keep, diff)
		}
	}
}
