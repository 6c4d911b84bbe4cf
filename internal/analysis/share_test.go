package analysis

import (
	"math"
	"strings"
	"testing"
	"time"
)

// verdictCase is a rule that judges a scene.
type verdictCase struct {
	rule  Rule
	scene scene
	want  Outcome
	note  string // a part of it
}

func (c verdictCase) check(t *testing.T) {
	t.Helper()
	t.Parallel()
	v := c.rule.Judge(c.scene.Scope, c.scene.answers)
	if v.Outcome != c.want || !strings.Contains(v.Note, c.note) {
		t.Errorf("got %s %q, want %s %q", v.Outcome, v.Note, c.want, c.note)
	}
}

func TestNewcombe(t *testing.T) {
	t.Parallel()
	// The two Wilson bounds of each pair were found by bisection, see TestWilson.
	cases := []struct {
		k1, n1, k2, n2 int64
		want           float64
	}{
		{3, 100, 0, 100, 0.03 - math.Hypot(0.03-0.006287247569, 0.082568807339)},
		{250, 10000, 50, 5000, 0.015 - math.Hypot(0.025-0.020726030430, 0.015188908336-0.01)},
		{0, 0, 1, 5, -1},
		{1, 5, 0, 0, -1},
	}
	for _, c := range cases {
		if got := newcombeLower(c.k1, c.n1, c.k2, c.n2); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("newcombeLower(%d/%d - %d/%d) = %.12f, want %.12f", c.k1, c.n1, c.k2, c.n2, got, c.want)
		}
	}
}

// beside is a candidate and a stable with errors of a class among a thousand
// requests in each of ten minutes.
func beside(class string, ofCandidate, ofStable int64) scene {
	return after(10).says(Instances, candidate, each(1), 0, 10).
		says(Requests, candidate, each(1000-ofCandidate, "2xx"), 0, 10).says(Requests, candidate, each(ofCandidate, class), 0, 10).
		says(Requests, stable, each(1000-ofStable, "2xx"), 0, 10).says(Requests, stable, each(ofStable, class), 0, 10).
		silent(NotFound, candidate).silent(NotFound, stable)
}

func TestServerErrorsRelativeToStable(t *testing.T) {
	t.Parallel()
	half := ServerErrors{MaxRatio: 0.005, MinRequests: 100, RelativeToStable: true}
	last := after(10).says(Instances, candidate, each(1), 0, 10).
		says(Requests, candidate, each(996, "2xx"), 0, 10).says(Requests, candidate, each(4, "5xx"), 0, 10)
	for name, c := range map[string]verdictCase{
		"as many errors as stable pass, however many": {half, beside("5xx", 200, 200), Pass, "5xx 20% of 10000 requests, stable 20% of 10000, limit stable+0.5%"},
		"fewer pass": {half, beside("5xx", 10, 200), Pass, "5xx 1% of 10000"},
		"certainly more than allowed is a breach":      {half, beside("5xx", 30, 10), Breach, "5xx 3% of 5000 requests, limit stable+0.5%; stable web-1: 1% of 5000"},
		"a little more than allowed is not certain":    {half, beside("5xx", 16, 10), Undecided, "5xx 1.6% of 10000 requests, stable 1% of 10000, limit stable+0.5%, not certain"},
		"a little more, but within the limit, passes":  {half, beside("5xx", 14, 10), Pass, ""},
		"what the absolute limit lets through is seen": {ServerErrors{MaxRatio: 0.001, MinRequests: 100, RelativeToStable: true}, beside("5xx", 6, 0), Breach, "5xx 0.6%"},
		"the absolute one does let it through":         {onePercent, beside("5xx", 6, 0), Pass, "limit 1%"},
		"two errors prove nothing": {
			ServerErrors{MinRequests: 10, RelativeToStable: true},
			after(10).serving(10, 0, 0, 10).says(Requests, candidate, each(1, "5xx"), 8, 10), Undecided, "not certain",
		},
		"a stable that no longer serves is taken as it was before": {
			half, last.says(Requests, stable, each(100, "2xx"), -20, -1), Pass, "5xx 0.4% of 10000 requests, stable 0% of 1900, limit stable+0.5%",
		},
		"and a breach beside it counts": {
			half, last.says(Requests, candidate, each(50, "5xx"), 0, 10).says(Requests, stable, each(100, "2xx"), -20, -1), Breach, "; stable web-1: 0% of 1900",
		},
		"too few requests of stable are nothing to compare with": {
			half, last.says(Requests, stable, each(3, "2xx"), -20, -1), Insufficient, "5xx 0.4% of 10000 requests; 57 of 100 requests of stable web-1 to compare with",
		},
		"and nobody may wave a failure through for that": {
			half, last.says(Requests, candidate, each(500, "5xx"), 0, 10).says(Requests, stable, each(3, "2xx"), -20, -1), Undecided, "57 of 100 requests of stable",
		},
	} {
		t.Run(name, c.check)
	}
}

func TestARelativeBreachIsNotShared(t *testing.T) {
	t.Parallel()
	s := beside("5xx", 300, 100)
	v := ServerErrors{MaxRatio: 0.05, MinRequests: 100, RelativeToStable: true}.Judge(s.Scope, s.answers)
	if v.Outcome != Breach || v.Shared {
		t.Errorf("got %s, shared %v, want a breach of the candidate alone: the comparison is the check", v.Outcome, v.Shared)
	}
}

func TestClientErrors(t *testing.T) {
	t.Parallel()
	five := ClientErrors{MaxRatio: 0.05, MinRequests: 100, RelativeToStable: true}
	for name, c := range map[string]verdictCase{
		"what clients did wrong before is no breach":    {five, beside("4xx", 300, 290), Pass, "4xx 30% (404 apart: 0%) of 10000 requests, stable 29% of 10000, limit stable+5%"},
		"certainly more is":                             {five, beside("4xx", 200, 100), Breach, "4xx 20% (404 apart: 0%)"},
		"assets that the other revision has are apart":  {five, beside("4xx", 200, 100).says(NotFound, candidate, each(150), 0, 10), Pass, "4xx 5% (404 apart: 15%) of 10000 requests"},
		"404 of stable does not raise the limit":        {five, beside("4xx", 200, 200).says(NotFound, stable, each(190), 0, 10), Breach, "; stable web-1: 1% of 5000"},
		"5xx are no client errors":                      {five, beside("5xx", 500, 0), Pass, "4xx 0%"},
		"an absolute limit needs no stable":             {ClientErrors{MaxRatio: 0.05, MinRequests: 100}, beside("4xx", 200, 200), Breach, "limit 5%; stable web-1 fails too"},
		"without the count of 404 nothing is known":     {five, beside("4xx", 10, 10).troubled(NotFound, candidate, CauseDenied, "403"), NoData, "web-2: access denied (403)"},
		"more 404 than client errors is not below zero": {five, beside("4xx", 10, 10).says(NotFound, candidate, each(99), 0, 10), Pass, "4xx 0% (404 apart: 9.9%)"},
	} {
		t.Run(name, c.check)
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	rule := Latency{Percentile: 95, MaxMilliseconds: 400, MinRequests: 100}
	timed := func(ofCandidate, ofStable *Histogram) scene {
		return after(10).says(Instances, candidate, each(1), 0, 10).timed(candidate, ofCandidate, 0, 10).timed(stable, ofStable, 0, 10)
	}
	fine := took(1000, 0)
	for name, c := range map[string]verdictCase{
		"fast requests pass":                     {rule, timed(fine, fine), Pass, "p95 195 ms of 10000 requests, limit 400 ms"},
		"a few slow ones pass":                   {rule, timed(took(960, 40), fine), Pass, "p95 199 ms"},
		"too many are a breach":                  {rule, timed(took(900, 100), fine), Breach, "p95 600 ms of 5000 requests, limit 400 ms"},
		"a limit inside a bucket is not certain": {Latency{Percentile: 95, MaxMilliseconds: 500, MinRequests: 100}, timed(took(900, 100), fine), Undecided, "p95 600 ms of 10000 requests, limit 500 ms, not certain: the limit lies inside a bucket"},
		"few requests are too few":               {rule, timed(took(5, 0), fine), Insufficient, "50 of 100 requests"},
		"three slow ones of five are enough":     {rule, after(1).says(Instances, candidate, each(1), 0, 1).timed(candidate, took(2, 3), 0, 1).timed(stable, fine, 0, 1), Breach, "of 5 requests"},
		"a stable that is as slow is told":       {rule, timed(took(900, 100), took(900, 100)), Breach, "; stable web-1 fails too, 600 ms of 5000"},
		"no distribution is no data":             {rule, timed(fine, fine).troubled(Latencies, candidate, CauseWrongType, "no buckets"), NoData, "unusable values (no buckets)"},
		"minutes without a request, but an instance": {
			rule, timed(fine, fine).says(Latencies, candidate, each(0), 0, 0), Pass, "of 10000 requests",
		},
	} {
		t.Run(name, c.check)
	}
	v := rule.Preflight(before().Scope, before().answers)
	if v.Outcome != NoData {
		t.Errorf("before the first write without stable's latencies: %s, want no data", v.Outcome)
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	endless := &Histogram{Bounds: []float64{100}, Counts: []int64{1, 9}}
	other := &Histogram{Bounds: []float64{50, 300}, Counts: []int64{0, 100, 0}}
	cases := map[string]struct {
		of   []*Histogram
		q    float64
		want float64
	}{
		"nothing":                        {nil, 0.5, 0},
		"a missing histogram":            {[]*Histogram{nil}, 0.5, 0},
		"counts that do not fit bounds":  {[]*Histogram{{Bounds: []float64{1}, Counts: []int64{7}}}, 0.5, 0},
		"evenly in its bucket":           {[]*Histogram{took(100, 0)}, 0.25, 125},
		"in the second bucket":           {[]*Histogram{took(50, 50)}, 0.75, 600},
		"minutes are added up":           {[]*Histogram{took(50, 0), took(0, 50)}, 0.75, 600},
		"a bucket without an end":        {[]*Histogram{endless}, 0.99, 100},
		"buckets of another layout join": {[]*Histogram{took(100, 0), other}, 1, 200},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := quantile(c.of, c.q); math.Abs(got-c.want) > 1e-9 {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestWhatNobodyLookedAtIsJudged(t *testing.T) {
	t.Parallel()
	// A failure in the middle of an hour in which nobody looked; the newest
	// window and the whole hour are fine.
	burst := after(60).serving(2000, 0, 0, 30).serving(96, 4, 30, 35).serving(2000, 0, 35, 60)
	seen := burst
	burst.SeenThrough = at(20)
	first := seen
	first.SeenThrough = time.Time{}
	dropped := after(60).watching(nat1).gateway(nat1, -40, 60).says(DroppedPackets, nat1, each(5, outOfResources), 30, 33)
	missed := dropped
	missed.SeenThrough = at(20)
	for name, c := range map[string]verdictCase{
		"a failure that came and went unseen is a breach": {onePercent, burst, Breach, "5xx 4% of 500 requests, limit 1%, in the minutes up to Mar 1 12:35Z"},
		"and so at the very first look":                   {onePercent, first, Breach, "in the minutes up to Mar 1 12:35Z"},
		"what was judged before is not judged again":      {onePercent, seen, Pass, ""},
		"drops that came and went unseen are a breach":    {drops, missed, Breach, "in 2 of the last 5 minutes, limit: 2 minutes above 0 packets/min, up to Mar 1 12:36Z"},
		"drops that were judged before are not":           {drops, dropped, Pass, "dropped nothing"},
	} {
		t.Run(name, c.check)
	}
	if v := drops.Judge(missed.Scope, missed.answers); !v.Stopped {
		t.Error("drops that have stopped are no reason to go back")
	}
}

func TestLateDataOfEarlierStepsIsJudged(t *testing.T) {
	t.Parallel()
	// The step began at noon, the first step of the attempt half an hour before.
	earlierStep := func(good, bad int64, from, to int) scene {
		s := after(3).serving(500, 0, 0, 3).says(Requests, candidate, each(good, "2xx"), from, to).says(Requests, candidate, each(bad, "5xx"), from, to)
		s.EarlierSince, s.EarlierUntil = at(-30), noon
		return s
	}
	shifting := earlierStep(0, 100, -1, 0)
	shifting.EarlierUntil = at(-1)
	fresh := earlierStep(100, 0, -30, 0)
	gateway := after(1).watching(nat1).gateway(nat1, -70, 1).says(DroppedPackets, nat1, each(5, outOfResources), -2, 0)
	shifted := gateway
	shifted.EarlierSince, shifted.EarlierUntil = at(-30), noon
	settling := shifted
	settling.EarlierUntil = at(-1)
	for name, c := range map[string]verdictCase{
		"errors before the shift whose data came after it are a breach": {onePercent, earlierStep(90, 10, -4, 0), Breach, "5xx 10% of 400 requests, limit 1%, in the minutes up to Mar 1 12:00Z"},
		"errors of a whole step that were missing when it passed":       {onePercent, earlierStep(95, 5, -30, 0), Breach, "5xx 5%"},
		"an earlier step as good as it seemed changes nothing":          {onePercent, fresh, Pass, "5xx 0% of 1500 requests"},
		"what served before the attempt does not count":                 {onePercent, earlierStep(0, 100, -60, -30), Pass, "of 1500 requests"},
		"what failed while the split took effect is nobody's":           {onePercent, shifting, Pass, "of 1500 requests"},
		"drops while the split took effect are neither":                 {drops, settling, Pass, "in 1 of the last"},
		"drops just before the shift hold the step after it":            {drops, shifted, Breach, "in 2 of the last 5 minutes"},
		"in the first step there is no earlier one":                     {drops, gateway, Pass, "dropped nothing"},
	} {
		t.Run(name, c.check)
	}
	if v := onePercent.Judge(fresh.Scope, fresh.answers); len(v.Healthy) != 3 {
		t.Errorf("%d healthy minutes, want the three of the step", len(v.Healthy))
	}
}

func TestCausesOfSilence(t *testing.T) {
	t.Parallel()
	busy := after(10).serving(50, 0, 0, 6)
	cases := map[string]struct {
		rule  Rule
		scene scene
		want  Cause
	}{
		"it runs, and nobody asks anything":       {onePercent, busy.says(Instances, candidate, each(1), 6, 10), CauseNoTraffic},
		"it was seen, and is not any more":        {onePercent, busy, CauseLate},
		"it was never seen":                       {onePercent, after(10).silent(Requests, candidate).silent(Instances, candidate).silent(Requests, stable), CauseAbsent},
		"a gateway was seen, and is not any more": {drops, after(10).watching(nat1).gateway(nat1, -40, 6), CauseLate},
		"a gateway was never seen":                {drops, after(10).watching(nat1).gateway(nat1, 0, 0), CauseAbsent},
		"access is denied":                        {onePercent, after(10).troubled(Requests, candidate, CauseDenied, ""), CauseDenied},
		"the quota is used up":                    {onePercent, after(10).troubled(Requests, candidate, CauseThrottled, ""), CauseThrottled},
		"the answer is partial":                   {onePercent, after(10).troubled(Requests, candidate, CausePartial, ""), CausePartial},
		"the values are unusable":                 {onePercent, after(10).troubled(Requests, candidate, CauseWrongType, ""), CauseWrongType},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := c.rule.Judge(c.scene.Scope, c.scene.answers)
			if v.Outcome != NoData || v.Cause != c.want {
				t.Errorf("got %s because of %q (%s), want no data because of %q", v.Outcome, v.Cause, v.Note, c.want)
			}
		})
	}
}
