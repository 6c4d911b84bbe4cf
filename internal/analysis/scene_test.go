package analysis

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// noon is when the steps of these tests begin to be judged.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var (
	candidate = Source{Project: "acme", Location: "asia-northeast1", Service: "web", Revision: "web-2"}
	stable    = Source{Project: "acme", Location: "asia-northeast1", Service: "web", Revision: "web-1"}
	nat1      = Source{Project: "acme", Location: "asia-northeast1", Router: "r1", Gateway: "nat-1"}
	nat2      = Source{Project: "acme", Location: "asia-northeast1", Router: "r1", Gateway: "nat-2"}
)

// at is the end of the n-th minute of the step; 0 and below lie before it.
func at(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

// scene is a step that began at noon, looked at a number of minutes later.
type scene struct {
	Scope
	answers Answers
	through time.Time
}

// after is a scene in which everything up to the n-th minute has arrived.
func after(n int) scene {
	return scene{
		Scope: Scope{
			Candidate: candidate, Stable: stable, StepSince: noon, AttemptSince: at(-1),
			Window: 5 * time.Minute, Now: at(n + 3), SeenThrough: at(n - 1),
		},
		answers: Answers{}, through: at(n),
	}
}

// before is a scene before the attempt's first write, at noon.
func before() scene {
	s := after(0)
	s.StepSince, s.AttemptSince, s.Now, s.through = time.Time{}, time.Time{}, noon, at(-3)
	return s
}

func (s scene) watching(gateways ...Source) scene {
	s.Gateways = gateways
	return s
}

// amount is what a series says in a minute, for a label.
type amount struct {
	value int64
	label string
}

func each(value int64, label ...string) amount { return amount{value, strings.Join(label, "")} }

// says gives a series the same value in each of the minutes (from, to].
func (s scene) says(m Metric, of Source, each amount, from, to int) scene {
	series := Series{m, of}
	a := s.answers[series]
	a.Points = slices.Clone(a.Points)
	for n := from + 1; n <= to; n++ {
		a.Points = append(a.Points, Point{End: at(n), Label: each.label, Value: each.value})
	}
	a.Through = s.through
	return s.answer(series, a)
}

func (s scene) answer(series Series, a Answer) scene {
	answers := maps.Clone(s.answers)
	answers[series] = a
	s.answers = answers
	return s
}

// silent makes a series whole and empty.
func (s scene) silent(m Metric, of Source) scene { return s.says(m, of, each(0), 0, 0) }

// late makes a series arrive only up to the n-th minute.
func (s scene) late(m Metric, of Source, n int) scene {
	a := s.answers[Series{m, of}]
	a.Through = at(n)
	return s.answer(Series{m, of}, a)
}

// troubled marks an answer as not whole.
func (s scene) troubled(m Metric, of Source, cause Cause, detail string) scene {
	a := s.answers[Series{m, of}]
	a.Through, a.Cause, a.Detail = s.through, cause, detail
	return s.answer(Series{m, of}, a)
}

// serving is a candidate with good and bad requests in each of the minutes
// (from, to], beside a healthy stable.
func (s scene) serving(good, bad int64, from, to int) scene {
	if good > 0 {
		s = s.says(Requests, candidate, each(good, "2xx"), from, to)
	}
	if bad > 0 {
		s = s.says(Requests, candidate, each(bad, "5xx"), from, to)
	}
	return s.says(Instances, candidate, each(1), from, to).says(Requests, stable, each(500, "2xx"), from, to)
}

// gateway is a NAT that reports its ports in each of the minutes (from, to].
func (s scene) gateway(g Source, from, to int) scene {
	return s.says(AllocatedPorts, g, each(640), from, to).
		silent(OpenConnections, g).silent(DroppedPackets, g).silent(AllocationFailed, g)
}

// took is how long requests took: some 100 to 200 ms, the others 400 to 800.
func took(fast, slow int64) *Histogram {
	return &Histogram{Bounds: []float64{100, 200, 400, 800}, Counts: []int64{0, fast, 0, slow, 0}}
}

// timed gives a revision requests of known duration in each of the minutes
// (from, to].
func (s scene) timed(of Source, h *Histogram, from, to int) scene {
	s = s.says(Latencies, of, each(h.samples()), from, to)
	a := s.answers[Series{Latencies, of}]
	for i := range a.Points {
		if !a.Points[i].End.Before(at(from+1)) && !a.Points[i].End.After(at(to)) {
			a.Points[i].Histogram = h
		}
	}
	return s.answer(Series{Latencies, of}, a)
}
