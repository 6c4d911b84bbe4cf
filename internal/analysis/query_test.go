package analysis

import (
	"math"
	"testing"
	"time"
)

// share of checkouts that fail.
var checkouts = Query{PromQL: "x", Max: Bound{"0.02", 0.02}}

func asked(r Query) Source { return r.source(after(0).Scope) }

// values gives a query a value in each of the minutes (from, to].
func (s scene) values(value float64, from, to int) scene {
	series := Series{Value, asked(checkouts)}
	a := s.answers[series]
	points := append([]Point(nil), a.Points...)
	for n := from + 1; n <= to; n++ {
		points = append(points, Point{End: at(n), Number: value})
	}
	a.Points, a.Through = points, s.through
	return s.answer(series, a)
}

func TestQuery(t *testing.T) {
	t.Parallel()
	atLeast := Query{PromQL: "x", Min: Bound{"10", 10}}
	between := Query{PromQL: "x", Min: Bound{"-1", -1}, Max: Bound{"0.02", 0.02}}
	away := after(30).values(0.01, 0, 3).values(0.03, 3, 4).values(0.01, 4, 30)
	away.SeenThrough = at(2)
	seen := away
	seen.SeenThrough = at(29)
	earlier := after(5).values(0.03, -4, -3).values(0.01, -3, 5)
	earlier.EarlierSince, earlier.EarlierUntil, earlier.SeenThrough = at(-10), at(-2), at(-6)
	nobodys := after(5).values(0.03, -2, 0).values(0.01, 0, 5)
	nobodys.EarlierSince, nobodys.EarlierUntil, nobodys.SeenThrough = at(-10), at(-2), at(-6)
	numbers := after(5).values(0.01, 0, 2).values(math.NaN(), 2, 5)
	for name, c := range map[string]verdictCase{
		"within the limit":                        {checkouts, after(10).values(0.01, 0, 10), Pass, "0.01 in the minute up to Mar 1 12:10Z, limit 0.02, within it in the last 5 of 10 minutes"},
		"at the limit":                            {checkouts, after(10).values(0.02, 0, 10), Pass, ""},
		"above it in the newest minute":           {checkouts, after(10).values(0.01, 0, 9).values(0.035, 9, 10), Breach, "0.035 in the minute up to Mar 1 12:10Z, limit 0.02, outside of it in 1 of 10 minutes"},
		"above it by little":                      {checkouts, after(10).values(0.0200001, 0, 10), Breach, "0.0200001 in the minute"},
		"below the least":                         {atLeast, after(10).values(9.5, 0, 10), Breach, "9.5 in the minute up to Mar 1 12:06Z, limit at least 10"},
		"between two":                             {between, after(10).values(-0.5, 0, 10), Pass, "limit -1 to 0.02"},
		"below the lower of two":                  {between, after(10).values(-2, 0, 10), Breach, ""},
		"a minute outside while nobody looked":    {checkouts, away, Breach, "0.03 in the minute up to Mar 1 12:04Z"},
		"one that was seen and is over":           {checkouts, seen, Pass, ""},
		"one of an earlier step that came late":   {checkouts, earlier, Breach, "0.03 in the minute up to Mar 1 11:57Z"},
		"the minute in which the split changed":   {checkouts, nobodys, Pass, ""},
		"no value is no zero":                     {atLeast, after(10).values(0, 0, 0), NoData, "the query gives no value up to Mar 1 12:10Z"},
		"no value is not within the limit either": {checkouts, after(10).values(0, 0, 0), NoData, "the query gives no value up to Mar 1 12:10Z"},
		"values that stop":                        {checkouts, after(10).values(0.01, 0, 7), NoData, "the query gives no value since Mar 1 12:07Z, up to Mar 1 12:10Z"},
		"a gap of two minutes":                    {checkouts, after(10).values(0.01, 0, 8), Pass, ""},
		"what is no number is no value":           {checkouts, numbers, NoData, "no value since Mar 1 12:02Z"},
		"nothing has arrived yet":                 {checkouts, after(0).values(0, 0, 0), Incomplete, "first minute not arrived yet"},
		"an answer that is not whole":             {checkouts, after(10).values(0.01, 0, 10).troubled(Value, asked(checkouts), CauseInvalid, "it gives 3 series"), NoData, "query refused: it gives 3 series"},
		"nobody asked":                            {checkouts, after(10), NoData, "not asked"},
	} {
		t.Run(name, c.check)
	}
}

// TestSilenceHasJudgedNothing: what arrives late, after minutes without a value, is new to
// everybody.
func TestSilenceHasJudgedNothing(t *testing.T) {
	t.Parallel()
	silent := after(20).values(0, 0, 0)
	if v := checkouts.Judge(silent.Scope, silent.answers); v.Outcome != NoData || !v.Through.IsZero() {
		t.Errorf("%s up to %s", v.Outcome, v.Through)
	}
	stopped := after(20).values(0.01, 0, 7)
	v := checkouts.Judge(stopped.Scope, stopped.answers)
	if v.Outcome != NoData || !v.Through.Equal(at(7)) {
		t.Errorf("%s up to %s", v.Outcome, v.Through)
	}
	late := after(30).values(0.01, 0, 7).values(0.9, 7, 20).values(0.01, 20, 30)
	late.SeenThrough = v.Through
	if v := checkouts.Judge(late.Scope, late.answers); v.Outcome != Breach || v.Value != "0.9" {
		t.Errorf("%s: %s", v.Outcome, v.Note)
	}
}

func TestAMinuteOutsideIsNoBake(t *testing.T) {
	t.Parallel()
	s := after(10).values(0.01, 0, 7).values(0.03, 7, 9).values(0.01, 9, 10)
	v := checkouts.Judge(s.Scope, s.answers)
	if v.Outcome != Breach || !v.Stopped || len(v.Healthy) != 8 || v.Value != "0.03" || v.Limit != "0.02" {
		t.Errorf("%+v, want a breach that has stopped, and 8 healthy minutes", v)
	}
}

func TestQueryPreflight(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scene scene
		want  Outcome
	}{
		"it is answered, with nothing":      {before().values(0, 0, 0), Pass},
		"a value over the limit is no hurt": {before().values(9, -10, -5), Pass},
		"it is refused":                     {before().troubled(Value, asked(checkouts), CauseInvalid, "no such function"), NoData},
		"nobody may ask":                    {before().troubled(Value, asked(checkouts), CauseDenied, ""), NoData},
		"it was not asked":                  {before(), NoData},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if v := checkouts.Preflight(c.scene.Scope, c.scene.answers); v.Outcome != c.want {
				t.Errorf("got %s %q, want %s", v.Outcome, v.Note, c.want)
			}
		})
	}
}

func TestAQueryIsAboutBothRevisionsOfTheAttempt(t *testing.T) {
	t.Parallel()
	s := after(10)
	s.EarlierSince = at(-20)
	want := Source{Project: "acme", Location: "asia-northeast1", Service: "web", Revision: "web-2", Query: "x", Beside: "web-1"}
	questions := checkouts.Questions(s.Scope)
	if len(questions) != 1 || questions[0].Source != want || !questions[0].After.Equal(at(-20)) || !questions[0].Until.Equal(at(13)) {
		t.Errorf("asks %+v", questions)
	}
	if q := checkouts.Questions(before().Scope); len(q) != 1 || !q[0].After.Equal(noon.Add(-35*time.Minute)) {
		t.Errorf("before the first write it asks %+v", q)
	}
}

func TestNumbersAreShort(t *testing.T) {
	t.Parallel()
	for value, want := range map[float64]string{
		0: "0", 0.0251234: "0.02512", 1234567: "1235000", -3.5: "-3.5", 1e15: "1e+15", 2e-12: "2e-12", 0.02000001: "0.02000001", 0.0199999999: "0.02",
	} {
		if got := checkouts.number(value); got != want {
			t.Errorf("%v is shown as %s, want %s", value, got, want)
		}
	}
}
