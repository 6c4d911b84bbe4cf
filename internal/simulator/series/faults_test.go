package series

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func codeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

func TestFailuresAreUsedUp(t *testing.T) {
	t.Parallel()
	store := storeOf(drop("g", "r", 1, 1))
	store.FailNext(2, RateLimited("shop"))
	store.FailAfter(1, 1, &Error{Code: Internal, Message: "page"})
	store.FailNext(0, &Error{Code: Unavailable})
	store.FailNext(1, nil)
	var got []Code
	for range 5 {
		_, err := store.Query(query(drops, 0, 5, Aggregation{}), minute(60))
		got = append(got, codeOf(err))
	}
	want := []Code{ResourceExhausted, ResourceExhausted, "", Internal, ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

func TestFaultsInAnswers(t *testing.T) {
	t.Parallel()
	sums := Aggregation{time.Minute, AlignSum, ReduceSum, nil}
	cases := map[string]struct {
		fault func(*Store) error
		with  Aggregation
		want  []string
	}{
		"a hole in one series": {
			fault: func(s *Store) error { return s.Hide(`metric.labels.reason = "a"`, minute(1), minute(2)) },
			want:  []string{"g/a 3:1 1:1", "g/b 3:10 2:10 1:10"},
		},
		"a hole in one series, reduced": {
			fault: func(s *Store) error { return s.Hide(`metric.labels.reason = "a"`, minute(1), minute(2)) },
			with:  sums, want: []string{"/ 3:11 2:10 1:11"},
		},
		"a hole in all series": {
			fault: func(s *Store) error { return s.Hide("", minute(0), minute(2)) },
			want:  []string{"g/a 3:1", "g/b 3:10"},
		},
		"a value that is no number": {
			fault: func(s *Store) error {
				return s.Corrupt(`metric.labels.reason = "b"`, minute(1), minute(2), Float(math.NaN()))
			},
			want: []string{"g/a 3:1 2:1 1:1", "g/b 3:10 2:NaN 1:10"},
		},
		"a value of another type in a reduced series": {
			fault: func(s *Store) error {
				return s.Corrupt(`metric.labels.reason = "b"`, minute(1), minute(2), Bool(true))
			},
			with: sums, want: []string{"/ 3:11 2:true 1:11"},
		},
		"all healed": {
			fault: func(s *Store) error {
				s.FailNext(9, &Error{Code: Internal})
				if err := s.Hide("", minute(0), minute(9)); err != nil {
					return err
				}
				s.Heal()
				return nil
			},
			with: sums, want: []string{"/ 3:11 2:11 1:11"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := NewStore()
			for n := 1; n <= 3; n++ {
				store.Record(drop("g", "a", n, 1))
				store.Record(drop("g", "b", n, 10))
			}
			if err := tc.fault(store); err != nil {
				t.Fatal(err)
			}
			got := mustQuery(t, store, query(drops, 0, 5, tc.with), minute(60))
			if diff := cmp.Diff(tc.want, told(got)); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFaultsRefuseBadFilters(t *testing.T) {
	t.Parallel()
	store := NewStore()
	if err := store.Hide(`project = `, minute(0), minute(1)); codeOf(err) != InvalidArgument {
		t.Errorf("Hide: %v", err)
	}
	if err := store.Corrupt(`project = `, minute(0), minute(1), Int(1)); codeOf(err) != InvalidArgument {
		t.Errorf("Corrupt: %v", err)
	}
}

func TestPartialAndUnit(t *testing.T) {
	t.Parallel()
	store := storeOf(drop("g", "r", 1, 1))
	store.SetPartial("a cell is away")
	store.SetUnit("{not_a_unit}")
	r := mustQuery(t, store, query(drops, 0, 5, Aggregation{}), minute(60))
	if len(r.ExecutionErrors) != 1 || r.ExecutionErrors[0].Message != "a cell is away" || r.Unit != "{not_a_unit}" {
		t.Errorf("got %+v", r)
	}
	store.SetPartial("")
	store.SetUnit("")
	r = mustQuery(t, store, query(drops, 0, 5, Aggregation{}), minute(60))
	if len(r.ExecutionErrors) != 0 || r.Unit != "{packet}" {
		t.Errorf("after healing: %+v", r)
	}
}

func TestOnePageOfAnAnswerIsPartial(t *testing.T) {
	t.Parallel()
	store := storeOf(drop("g", "r", 1, 1), drop("g", "r", 2, 1), drop("g", "r", 3, 1), drop("h", "r", 1, 1), drop("h", "r", 2, 1))
	store.SetPartialPage("a cell is away", 2, 2)
	q := query(drops, 0, 5, Aggregation{})
	var got []int
	for {
		r := mustQuery(t, store, q, minute(60))
		got = append(got, len(r.ExecutionErrors))
		if q.PageToken = r.NextPageToken; q.PageToken == "" {
			break
		}
	}
	if diff := cmp.Diff([]int{0, 1, 0}, got); diff != "" {
		t.Errorf("execution errors by page (-want +got):\n%s", diff)
	}
}

func TestALimitedQueryIsToldOfItsOwnProject(t *testing.T) {
	t.Parallel()
	store := storeOf(drop("g", "r", 1, 1))
	store.LimitAfter(1, 1, 30*time.Second)
	mustQuery(t, store, query(drops, 0, 5, Aggregation{}), minute(60))
	_, err := store.Query(query(drops, 0, 5, Aggregation{}), minute(60))
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Metadata["consumer"] != "projects/shop" || e.RetryAfter != 30*time.Second {
		t.Errorf("got %+v", err)
	}
	mustQuery(t, store, query(drops, 0, 5, Aggregation{}), minute(60))
}

func TestScope(t *testing.T) {
	t.Parallel()
	elsewhere := drop("g", "r", 1, 1)
	elsewhere.Resource = map[string]string{"project_id": "host", "gateway_name": "shared"}
	cases := map[string]struct {
		query Query
		want  []string
	}{
		"a scoping project sees both":        {query(drops, 0, 5, Aggregation{}), []string{"g/r 1:1", "shared/r 1:1"}},
		"a filter narrows to one":            {query(drops+` project = "host"`, 0, 5, Aggregation{}), []string{"shared/r 1:1"}},
		"grouping by project tells them":     {query(drops, 0, 5, Aggregation{time.Minute, AlignSum, ReduceSum, []string{"project"}}), []string{"/ 1:1", "/ 1:1"}},
		"the monitored project sees its own": {Query{Project: "host", Filter: drops, Start: minute(0), End: minute(5)}, []string{"shared/r 1:1"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := storeOf(drop("g", "r", 1, 1), elsewhere)
			store.SetScope("shop", "host")
			got := mustQuery(t, store, tc.query, minute(60))
			if diff := cmp.Diff(tc.want, told(got)); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRecordRefusesMistakesOfTheWorld(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*Point){
		"an unknown metric":      func(p *Point) { p.Type = "run.googleapis.com/typo" },
		"a resource it lacks":    func(p *Point) { p.ResourceType = ResourceRevision },
		"a value of other types": func(p *Point) { p.Value = Float(1) },
		"no value":               func(p *Point) { p.Value = Value{} },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("Record accepted it")
				}
			}()
			p := drop("g", "r", 1, 1)
			spoil(&p)
			NewStore().Record(p)
		})
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	store := storeOf(drop("g", "r", 1, 1), drop("g", "r", 2, 2), drop("g", "r", 3, 3))
	store.Forget(minute(2))
	got := told(mustQuery(t, store, query(drops, 0, 5, Aggregation{}), minute(60)))
	if diff := cmp.Diff([]string{"g/r 3:3"}, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

func TestDescriptors(t *testing.T) {
	t.Parallel()
	store := NewStore()
	store.SetIngestDelay(RequestCount, 180*time.Second)
	store.SetIngestDelay("unknown", time.Second)
	got, err := store.Descriptors(`metric.type = starts_with("run.googleapis.com/")`)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]time.Duration{}
	for _, d := range got {
		told[d.Type] = d.IngestDelay
	}
	want := map[string]time.Duration{
		InstanceCount: 120 * time.Second, PendingRequests: 120 * time.Second,
		RequestCount: 180 * time.Second, RequestLatencies: 120 * time.Second,
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("delays (-want +got):\n%s", diff)
	}
	if _, err := store.Descriptors("("); codeOf(err) != InvalidArgument {
		t.Errorf("bad filter: %v", err)
	}
}
