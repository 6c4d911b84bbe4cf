package analysis

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var rules = []Rule{
	onePercent,
	ServerErrors{MaxRatio: 0.05, MinRequests: 20},
	ServerErrors{MaxRatio: 0.005, MinRequests: 20, RelativeToStable: true},
	ClientErrors{MaxRatio: 0.01, MinRequests: 50},
	Latency{Percentile: 95, MaxMilliseconds: 300, MinRequests: 20},
	InstanceSaturation{MaxPercent: 80, MaxPending: 2},
	drops, allocations,
	NatDroppedPackets{MaxPerMinute: 3, MinMinutes: 1},
	NatAllocationFailures{MaxMinutes: 1},
	NatPortUtilization{MaxPercent: 70},
	NatPortUtilization{MaxPercent: 20},
	checkouts,
}

// anyScene draws a step whose series have gaps, troubles and different delays.
func anyScene(t *rapid.T) scene {
	minutes := rapid.IntRange(0, 25).Draw(t, "minutes")
	s := after(minutes).watching(nat1, nat2)
	s.StepSince = noon.Add(time.Duration(rapid.IntRange(-90, 90).Draw(t, "begin")) * time.Second)
	// A step is judged from a minute after its write took effect, never before.
	s.AttemptSince = s.StepSince.Add(-time.Duration(rapid.IntRange(60, 3600).Draw(t, "since")) * time.Second)
	for _, of := range []Source{candidate, stable} {
		s = s.draw(t, Requests, of, "2xx", 60).draw(t, Requests, of, "5xx", 3)
	}
	for _, m := range []Metric{Instances, ActiveInstances, Pending, NotFound} {
		s = s.draw(t, m, candidate, "", 4)
	}
	s = s.draw(t, Instances, stable, "", 4).draw(t, NotFound, stable, "", 4)
	s = s.draw(t, Latencies, candidate, "", 40).draw(t, Latencies, stable, "", 40)
	s.MaxInstances = 4
	s.Pools = map[Source]Pool{
		nat1: {Ports: 12},
		nat2: rapid.SampledFrom([]Pool{{Ports: 9}, {Automatic: true}, {}}).Draw(t, "pool"),
	}
	s.SeenThrough = at(rapid.IntRange(-5, 25).Draw(t, "seen"))
	s.EarlierSince = rapid.SampledFrom([]time.Time{{}, at(-20)}).Draw(t, "earlier")
	s.EarlierUntil = at(-rapid.IntRange(0, 3).Draw(t, "until"))
	for _, g := range s.Gateways {
		s = s.draw(t, DroppedPackets, g, outOfResources, 5).draw(t, DroppedPackets, g, conflict, 2)
		s = s.draw(t, AllocationFailed, g, "", 1).draw(t, AllocatedPorts, g, "", 9).draw(t, OpenConnections, g, "", 9)
	}
	return s
}

// inOrder lists the series of a scene in one order, so that what is drawn for
// them can be drawn again: a map has no order, and rapid replays draws.
func (s scene) inOrder() []Series {
	return slices.SortedFunc(maps.Keys(s.answers), func(a, b Series) int {
		return cmp.Or(cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Source.String(), b.Source.String()))
	})
}

// draw gives a series points in some of the minutes.
func (s scene) draw(t *rapid.T, m Metric, of Source, label string, most int64) scene {
	name := string(m) + " of " + of.String() + label
	share := rapid.SampledFrom([]int{0, 5, 9, 10, 10}).Draw(t, name)
	from := -35
	if of == candidate {
		from = 0
	}
	var value int64
	gaps := rapid.Uint64().Draw(t, name)
	a := s.answers[Series{m, of}]
	a.Points = slices.Clone(a.Points)
	for n := from; n < 26; n++ {
		if n%8 == 0 || n == from {
			value = rapid.Int64Range(0, most).Draw(t, name)
		}
		if share == 10 || gaps>>(n+35)&1 == 0 && n%10 < share {
			p := Point{End: at(n + 1), Label: label, Value: value}
			if m == Latencies {
				fast := rapid.Int64Range(0, value).Draw(t, name+" fast")
				p.Histogram = took(fast, value-fast)
			}
			a.Points = append(a.Points, p)
		}
	}
	a.Through = at(rapid.IntRange(0, 25).Draw(t, name+" through"))
	if rapid.IntRange(0, 19).Draw(t, name+" trouble") == 0 {
		a.Cause = CausePartial
	}
	return s.answer(Series{m, of}, a)
}

func TestMoreErrorsNeverImproveAVerdict(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := anyScene(t)
		worseScene := s
		for _, series := range s.inOrder() {
			a := s.answers[series]
			if series.Source == stable {
				continue
			}
			b := a
			b.Points = nil
			for _, p := range a.Points {
				turn := rapid.Bool().Draw(t, "turn")
				switch {
				case series.Metric == Requests && p.Label == "2xx" && turn:
					p.Label = "5xx"
				case series.Metric == Latencies && turn:
					p.Histogram = took(0, p.Value)
				case (series.Metric == ActiveInstances || series.Metric == Pending) && turn:
					p.Value++
				case (series.Metric == DroppedPackets || series.Metric == AllocationFailed || series.Metric == AllocatedPorts) && turn && p.End.After(s.StepSince):
					p.Value++
				}
				b.Points = append(b.Points, p)
			}
			worseScene = worseScene.answer(series, b)
		}
		for _, r := range rules {
			was, is := r.Judge(s.Scope, s.answers), r.Judge(worseScene.Scope, worseScene.answers)
			if worse[is.Outcome] < worse[was.Outcome] || len(is.Healthy) > len(was.Healthy) && is.Outcome != Breach {
				t.Fatalf("%T: %s (%s) became %s (%s)", r, was.Outcome, was.Note, is.Outcome, is.Note)
			}
		}
	})
}

func TestDelayNeverAddsEvidence(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := anyScene(t)
		late := s
		lag := time.Duration(rapid.IntRange(1, 10).Draw(t, "lag")) * time.Minute
		for series, a := range s.answers {
			a.Through = a.Through.Add(-lag)
			late = late.answer(series, a)
		}
		for _, r := range rules {
			was, is := r.Judge(s.Scope, s.answers), r.Judge(late.Scope, late.answers)
			if len(was.Healthy) == 0 {
				continue // silence at the end is not yet heard as such
			}
			if is.Through.After(was.Through) && !was.Through.IsZero() {
				t.Fatalf("%T: judged through %v, later than %v", r, is.Through, was.Through)
			}
			if common := Common(is.Healthy, was.Healthy); len(common) != len(is.Healthy) {
				t.Fatalf("%T: healthy minutes %v became %v", r, was.Healthy, is.Healthy)
			}
		}
	})
}

func TestOrderOfPointsDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := anyScene(t)
		shuffled := s
		shuffle := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		for _, series := range s.inOrder() {
			a := s.answers[series]
			points := append([]Point(nil), a.Points...)
			shuffle.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
			a.Points = points
			shuffled = shuffled.answer(series, a)
		}
		for _, r := range rules {
			if diff := gocmp.Diff(r.Judge(s.Scope, s.answers), r.Judge(shuffled.Scope, shuffled.answers)); diff != "" {
				t.Fatalf("%T (-ordered +shuffled):\n%s", r, diff)
			}
		}
	})
}

func TestHealthyMinutesLieInTheStep(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := anyScene(t)
		for _, r := range rules {
			v := r.Judge(s.Scope, s.answers)
			for i, end := range v.Healthy {
				switch {
				case end.Add(-time.Minute).Before(s.StepSince):
					t.Fatalf("%T: the minute to %v began before the step, %v", r, end, s.StepSince)
				case end.After(v.Through):
					t.Fatalf("%T: the minute to %v is newer than %v", r, end, v.Through)
				case i > 0 && !end.After(v.Healthy[i-1]):
					t.Fatalf("%T: minutes not ascending: %v", r, v.Healthy)
				}
			}
			if v.Outcome == Pass && v.Through.IsZero() {
				t.Fatalf("%T: a pass that was judged through nothing", r)
			}
			if v.Outcome == NoData && v.Cause == CauseNone || v.Outcome != NotApplicable && v.Note == "" {
				t.Fatalf("%T: %s without its cause: %q", r, v.Outcome, v.Note)
			}
		}
	})
}

// TestJudgesAreTotal feeds what no adapter sends.
func TestJudgesAreTotal(t *testing.T) {
	t.Parallel()
	anyTime := rapid.Custom(func(t *rapid.T) time.Time {
		return rapid.SampledFrom([]time.Time{
			{}, noon, noon.Add(17 * time.Second), at(7), at(-1e6), time.Unix(1<<40, 0), time.Unix(-1<<40, 0),
		}).Draw(t, "time")
	})
	anyValue := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1, 9))
	rapid.Check(t, func(t *rapid.T) {
		s := after(5).watching(nat1, nat1)
		s.StepSince, s.AttemptSince, s.Now = anyTime.Draw(t, "step"), anyTime.Draw(t, "attempt"), anyTime.Draw(t, "now")
		s.Window = time.Duration(anyValue.Draw(t, "window"))
		s.SeenThrough, s.MaxInstances = anyTime.Draw(t, "seen"), anyValue.Draw(t, "most")
		s.EarlierSince, s.EarlierUntil = anyTime.Draw(t, "earlier"), anyTime.Draw(t, "until")
		s.Pools = map[Source]Pool{nat1: {Ports: anyValue.Draw(t, "ports"), Automatic: rapid.Bool().Draw(t, "automatic")}}
		for _, m := range []Metric{
			Requests, NotFound, Latencies, Instances, ActiveInstances, Pending, DroppedPackets, AllocationFailed, AllocatedPorts,
		} {
			for _, of := range []Source{candidate, stable, nat1} {
				a := Answer{Through: anyTime.Draw(t, "through")}
				for range rapid.IntRange(0, 5).Draw(t, "points") {
					label := rapid.SampledFrom([]string{"", "2xx", "5xx", conflict}).Draw(t, "label")
					p := Point{End: anyTime.Draw(t, "end"), Label: label, Value: anyValue.Draw(t, "value")}
					if rapid.Bool().Draw(t, "histogram") {
						p.Histogram = &Histogram{
							Bounds: rapid.SliceOfN(rapid.Float64(), 0, 4).Draw(t, "bounds"),
							Counts: rapid.SliceOfN(anyValue, 0, 4).Draw(t, "counts"),
						}
					}
					a.Points = append(a.Points, p)
				}
				s = s.answer(Series{m, of}, a)
			}
		}
		odd := []Rule{
			ServerErrors{rapid.Float64().Draw(t, "ratio"), anyValue.Draw(t, "required"), rapid.Bool().Draw(t, "relative")},
			NatDroppedPackets{anyValue.Draw(t, "limit"), anyValue.Draw(t, "minutes")},
			NatAllocationFailures{anyValue.Draw(t, "failures")},
			ClientErrors{rapid.Float64().Draw(t, "ratio"), anyValue.Draw(t, "required"), rapid.Bool().Draw(t, "relative")},
			Latency{rapid.Float64().Draw(t, "percentile"), anyValue.Draw(t, "milliseconds"), anyValue.Draw(t, "required")},
			NatPortUtilization{anyValue.Draw(t, "allocated")},
			InstanceSaturation{anyValue.Draw(t, "percent"), anyValue.Draw(t, "pending")},
		}
		for _, r := range odd {
			r.Questions(s.Scope)
			r.Preflight(s.Scope, s.answers)
			r.Judge(s.Scope, s.answers)
		}
	})
}
