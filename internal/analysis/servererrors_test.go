package analysis

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var onePercent = ServerErrors{MaxRatio: 0.01, MinRequests: 100}

func TestWilson(t *testing.T) {
	t.Parallel()
	// Found by bisection of |k/n - p| = 3 sqrt(p(1-p)/n) with 40 decimal digits,
	// not by the closed form that the code uses.
	cases := []struct {
		k, n int64
		want float64
	}{
		{0, 100, 0},
		{1, 1, 0.100000000000},
		{3, 3, 0.250000000000},
		{3, 20, 0.031976872756},
		{3, 100, 0.006287247569},
		{5, 100, 0.014337119879},
		{10, 100, 0.040712789920},
		{100, 100, 0.917431192661},
		{12, 400, 0.013005410533},
		{60, 5000, 0.008178814493},
		{50, 5000, 0.006571922169},
		{250, 10000, 0.020726030430},
		{1, 1000000, 0.000000091673},
		{20000, 1000000, 0.019584299635},
	}
	for _, c := range cases {
		if got := wilsonLower(c.k, c.n); math.Abs(got-c.want) > 1e-11 {
			t.Errorf("wilsonLower(%d, %d) = %.12f, want %.12f", c.k, c.n, got, c.want)
		}
	}
	if got := wilsonLower(0, 0); got != 0 {
		t.Errorf("of nothing: %v, want 0", got)
	}
	// What is no success is a failure: the ends mirror each other.
	for _, c := range cases {
		if got := wilsonUpper(c.n-c.k, c.n); math.Abs(got-(1-c.want)) > 1e-11 {
			t.Errorf("wilsonUpper(%d, %d) = %.12f, want %.12f", c.n-c.k, c.n, got, 1-c.want)
		}
	}
	if got := wilsonUpper(0, 0); got != 1 {
		t.Errorf("of nothing: %v, want 1", got)
	}
}

func TestServerErrorsJudge(t *testing.T) {
	t.Parallel()
	type want struct {
		outcome Outcome
		note    string // a part of it
		healthy int
	}
	cases := map[string]struct {
		rule  ServerErrors
		scene scene
		want  want
	}{
		"enough requests without an error pass": {
			onePercent, after(10).serving(50, 0, 0, 10),
			want{Pass, "5xx 0% of 500 requests, limit 1%", 10},
		},
		"exactly at the limit passes": {
			onePercent, after(10).serving(99, 1, 0, 10),
			want{Pass, "5xx 1% of 1000 requests", 10},
		},
		"exactly the required number of requests is enough": {
			onePercent, after(10).serving(10, 0, 0, 10),
			want{Pass, "of 100 requests", 10},
		},
		"one request less is not": {
			ServerErrors{MaxRatio: 0.01, MinRequests: 101},
			after(10).serving(10, 0, 0, 10),
			want{Insufficient, "100 of 101 requests, 2% of the service's; at this rate 1 more minute", 10},
		},
		"too few requests say how long it will take at this rate": {
			onePercent, after(10).serving(3, 0, 0, 10).says(Requests, candidate, each(4, "2xx"), 0, 1),
			want{Insufficient, "34 of 100 requests, 0.7% of the service's; at this rate 20 more minutes", 10},
		},
		"two errors are never a breach, however small the limit": {
			ServerErrors{MaxRatio: 0, MinRequests: 100},
			after(2).serving(0, 1, 0, 2),
			want{Insufficient, "2 of 100 requests", 2},
		},
		"three errors are one, if the share is certain": {
			ServerErrors{MaxRatio: 0, MinRequests: 100},
			after(3).serving(0, 1, 0, 3),
			want{Breach, "5xx 100% of 3 requests, limit 0%", 3},
		},
		"three errors in a hundred are not certain at one percent": {
			onePercent, after(1).serving(97, 3, 0, 1),
			want{Undecided, "5xx 3% of 100 requests, limit 1%, not certain", 1},
		},
		"four errors in a hundred are": {
			onePercent, after(1).serving(96, 4, 0, 1),
			want{Breach, "5xx 4% of 100 requests", 1},
		},
		"a breach needs no minimum of requests": {
			onePercent, after(1).serving(5, 5, 0, 1),
			want{Breach, "5xx 50% of 10 requests", 1},
		},
		"slightly above the limit is undecided": {
			onePercent, after(10).serving(494, 6, 0, 10),
			want{Undecided, "5xx 1.2% of 5000 requests, limit 1%, not certain", 10},
		},
		"the window finds what the whole step hides": {
			onePercent, after(60).serving(1000, 0, 0, 55).serving(95, 5, 55, 60),
			want{Breach, "5xx 5% of 500 requests", 60},
		},
		"two days of few good requests do not hide a sudden failure": {
			onePercent, after(60*48+1).serving(12, 0, 0, 60*48).serving(0, 12, 60*48, 60*48+1),
			want{Breach, "5xx 11.11% of 108 requests", 60*48 + 1},
		},
		"a window of few requests reaches back until it has enough": {
			onePercent, after(60*48+1).serving(12, 0, 0, 60*48).serving(8, 4, 60*48, 60*48+1),
			want{Pass, "of 34572 requests", 60*48 + 1},
		},
		"a window with enough reaches no further": {
			onePercent, after(60).serving(20, 0, 0, 55).serving(19, 1, 55, 60),
			want{Breach, "5xx 5% of 100 requests", 60},
		},
		"errors that arrive before their successes do not fake a failure": {
			onePercent, after(60).serving(12, 0, 0, 59).serving(0, 3, 59, 60),
			want{Pass, "of 711 requests", 60},
		},
		"the whole step finds what the window has forgotten": {
			onePercent, after(60).serving(80, 20, 0, 30).serving(100, 0, 30, 60),
			want{Breach, "5xx 10% of 6000 requests", 60},
		},
		"a step older than its errors passes only on the whole": {
			onePercent, after(60).serving(97, 3, 0, 20).serving(2000, 0, 20, 60),
			want{Pass, "of 82000 requests", 60},
		},
		"before the first minute arrived it is incomplete": {
			onePercent, after(0).serving(50, 5, -5, 0),
			want{Incomplete, "web-2: first minute not arrived yet", 0},
		},
		"before the first minute ended even a refused question is only incomplete": {
			onePercent, func() scene {
				s := after(0).troubled(Requests, candidate, CauseInvalid, "")
				s.Now = at(0)
				return s
			}(),
			want{Incomplete, "first minute not arrived yet", 0},
		},
		"minutes before the step do not count": {
			onePercent, after(2).serving(0, 100, -30, 0).serving(50, 0, 0, 2),
			want{Pass, "5xx 0% of 100 requests", 2},
		},
		"points after Through are ignored": {
			onePercent, after(5).serving(50, 0, 0, 5).serving(0, 100, 5, 7),
			want{Pass, "5xx 0% of 250 requests", 5},
		},
		"a silent minute with a witness is a healthy zero": {
			onePercent, idleFor(3), want{Pass, "of 350 requests", 10},
		},
		"an instance alone is no witness": {
			onePercent, after(10).serving(50, 0, 0, 7).says(Instances, candidate, each(1), 7, 10),
			want{NoData, "web-2: no request to either revision, though it runs, up to Mar 1 12:10Z", 0},
		},
		"stable alone is no witness": {
			onePercent, after(10).serving(50, 0, 0, 7).says(Requests, stable, each(9, "2xx"), 7, 10),
			want{NoData, "no requests that can be told from missing data", 0},
		},
		"a late witness earns nothing yet, and is no silence": {
			onePercent, idleFor(3).late(Requests, stable, 7), want{Pass, "of 350 requests", 7},
		},
		"a witness that has said nothing of the step yet is waited for": {
			onePercent, after(10).silent(Requests, candidate).serving(0, 0, 0, 0).late(Instances, candidate, 0),
			want{Incomplete, "web-2: first minute not arrived yet", 0},
		},
		"silence is heard up to where the latest witness is": {
			onePercent, after(10).serving(50, 0, 0, 4).late(Instances, candidate, 7),
			want{NoData, "no requests that can be told from missing data since Mar 1 12:04Z up to Mar 1 12:07Z", 0},
		},
		"a short gap earns nothing and changes nothing": {
			onePercent, after(10).serving(50, 0, 0, 5).serving(50, 0, 7, 10),
			want{Pass, "of 400 requests", 8},
		},
		"silence is blamed on the witness that does not answer": {
			onePercent, after(10).serving(50, 0, 0, 5).troubled(Instances, candidate, CauseDenied, "monitoring.timeSeries.list"),
			want{NoData, "web-2: access denied (monitoring.timeSeries.list)", 0},
		},
		"a partial answer never passes": {
			onePercent, after(10).serving(50, 0, 0, 10).troubled(Requests, candidate, CausePartial, ""),
			want{NoData, "web-2: partial result", 0},
		},
		"a breach in a partial answer counts": {
			onePercent, after(10).serving(50, 50, 0, 10).troubled(Requests, candidate, CausePartial, ""),
			want{Breach, "5xx 50% of 500 requests", 10},
		},
		"a denied answer has its reason": {
			onePercent, after(10).troubled(Requests, candidate, CauseDenied, "403 for project acme"),
			want{NoData, "web-2: access denied (403 for project acme)", 0},
		},
		"what was not asked is no data": {
			onePercent, after(10), want{NoData, "web-2: not asked", 0},
		},
		"negative counts are no data": {
			onePercent, after(10).serving(50, 0, 0, 10).says(Requests, candidate, each(-1, "4xx"), 3, 4),
			want{NoData, "web-2: unusable values (negative values)", 0},
		},
		"classes other than 5xx are no errors": {
			onePercent, after(10).serving(50, 0, 0, 10).says(Requests, candidate, each(400, "4xx"), 0, 10),
			want{Pass, "5xx 0% of 4500 requests", 10},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := c.rule.Judge(c.scene.Scope, c.scene.answers)
			if v.Outcome != c.want.outcome || !strings.Contains(v.Note, c.want.note) || len(v.Healthy) != c.want.healthy {
				t.Errorf("got %s %q with %d healthy minutes, want %+v", v.Outcome, v.Note, len(v.Healthy), c.want)
			}
			if v.Shared {
				t.Errorf("shared with a healthy stable")
			}
		})
	}
}

// idleFor is a candidate without requests in the last of ten minutes.
func idleFor(minutes int) scene {
	return after(10).serving(50, 0, 0, 10-minutes).
		says(Instances, candidate, each(1), 10-minutes, 10).says(Requests, stable, each(9, "2xx"), 10-minutes, 10)
}

func TestServerErrorsSharedWithStable(t *testing.T) {
	t.Parallel()
	// fails is a share of bad ones among a hundred requests a minute.
	fails := func(s scene, of Source, percent int64, from, to int) scene {
		return s.says(Requests, of, each(100-percent, "2xx"), from, to).says(Requests, of, each(percent, "5xx"), from, to)
	}
	half := fails(after(10), candidate, 50, 0, 10)
	sudden := fails(fails(after(60), candidate, 0, 0, 58), candidate, 30, 58, 60)
	cases := map[string]struct {
		scene scene
		want  bool
		note  string
	}{
		"stable is healthy":                  {fails(half, stable, 0, 0, 10), false, "limit 1%"},
		"stable fails as well":               {fails(half, stable, 48, 0, 10), true, "; stable web-1 fails too, 48% of 500"},
		"stable fails more":                  {fails(half, stable, 80, 0, 10), true, "fails too"},
		"stable has errors of its own":       {fails(fails(after(10), candidate, 80, 0, 10), stable, 2, 0, 10), false, "stable web-1 fails too, but certainly less, 2% of 500"},
		"the candidate doubles them":         {fails(fails(after(10), candidate, 6, 0, 10), stable, 3, 0, 10), true, "fails too"},
		"in ten times as many requests":      {fails(fails(after(100), candidate, 6, 0, 100), stable, 3, 0, 100), false, "certainly less"},
		"both began to fail in this window":  {fails(fails(sudden, stable, 0, 0, 58), stable, 30, 58, 60), true, "fails too"},
		"stable failed, and is well again":   {fails(fails(sudden, stable, 30, 0, 20), stable, 0, 20, 60), false, "certainly less, 0% of 500"},
		"stable failed, and has no requests": {fails(sudden, stable, 30, 0, 20), false, "certainly less, 0% of 0"},
		"stable fails, but not certainly":    {half.says(Requests, stable, each(500, "2xx"), 0, 10).says(Requests, stable, each(2, "5xx"), 0, 1), false, "limit 1%"},
		"stable failed before the step":      {half.says(Requests, stable, each(500, "2xx"), 0, 10).says(Requests, stable, each(500, "5xx"), -10, 0), false, "limit 1%"},
		"stable is not seen":                 {half.troubled(Requests, stable, CauseUnavailable, ""), false, "limit 1%"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := onePercent.Judge(c.scene.Scope, c.scene.answers)
			if v.Outcome != Breach || v.Shared != c.want || !strings.Contains(v.Note, c.note) {
				t.Errorf("got %s, shared %v (%s), want a breach, shared %v (%s)", v.Outcome, v.Shared, v.Note, c.want, c.note)
			}
		})
	}
}

func TestServerErrorsPreflight(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		scene scene
		want  Outcome
		note  string
	}{
		"stable's requests are counted": {before().says(Requests, stable, each(1, "2xx"), -10, -9), Pass, "requests of web-1 are counted"},
		"an idle service does not start": {
			before().silent(Requests, stable), NoData, "web-1: no request counted in the last 30 minutes up to Mar 1 11:57Z",
		},
		"what lies too far back is no proof": {before().says(Requests, stable, each(1, "2xx"), -90, -60), NoData, "no request counted"},
		"neither is a minute that is not certain to be whole": {
			before().says(Requests, stable, each(1, "2xx"), -3, 0), NoData, "no request counted",
		},
		"a partial answer does not start": {before().says(Requests, stable, each(1, "2xx"), -9, -3).troubled(Requests, stable, CausePartial, ""), NoData, "partial result"},
		"an unanswered question neither":  {before(), NoData, "not asked"},
		"stable's own errors do not prevent, and are told": {
			before().says(Requests, stable, each(95, "2xx"), -9, -3).says(Requests, stable, each(5, "5xx"), -9, -3), Pass,
			"stable web-1 itself is over the limit, 5xx 5% of 500 requests, limit 1%",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := onePercent.Preflight(c.scene.Scope, c.scene.answers)
			if v.Outcome != c.want || !strings.Contains(v.Note, c.note) {
				t.Errorf("got %s %q, want %s %q", v.Outcome, v.Note, c.want, c.note)
			}
		})
	}
}

func TestServerErrorsQuestions(t *testing.T) {
	t.Parallel()
	s := after(10)
	s.StepSince, s.Now = noon.Add(30*time.Second), at(13).Add(20*time.Second)
	want := []Question{
		{Series{Requests, candidate}, at(1), at(13)},
		{Series{Instances, candidate}, at(1), at(13)},
		{Series{Requests, stable}, at(1), at(13)},
	}
	if diff := cmp.Diff(want, onePercent.Questions(s.Scope)); diff != "" {
		t.Errorf("during a step, in whole minutes (-want +got):\n%s", diff)
	}
	want = []Question{{Series{Requests, stable}, at(-35), noon}}
	if diff := cmp.Diff(want, onePercent.Questions(before().Scope)); diff != "" {
		t.Errorf("before the first write (-want +got):\n%s", diff)
	}
}
