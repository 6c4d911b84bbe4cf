package soak

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

// promised is how long it may take, with everything at work, from a visible breach
// until stable serves everything: a look a minute, a write and its effect, and what
// is left of a backoff.
const promised = 5 * time.Minute

// exposure is one stretch in which a revision other than the first had traffic, and
// how it failed at its present weight.
type exposure struct {
	share
	weight  int
	settled time.Time // minutes that began before it are not judged
	seen    time.Time // when a breach could first be seen; zero for never
	beside  share     // of those that would take its traffic
}

// share is how many of some requests failed.
type share struct{ requests, failed float64 }

// looked is how long it may take until a status says that a split serves.
const looked = 15 * time.Second

// straightBacks measures I15: for every revision that fails, how long it was from the moment
// at which that could be seen until it had no traffic any more. What the world
// counted is seen when its metric is promised to have arrived, also after a rise; the
// minutes in which a rise took effect and settled are nobody's. Each weight is judged by
// itself, until the attempt is complete: what is seen later of what is stable by then asks
// for no way back.
func straightBacks(log []simulator.Event, trace invariants.Trace, delay time.Duration, limit float64) []time.Duration {
	var all []time.Duration
	exposed, completed := map[string]*exposure{}, completions(trace)
	for _, e := range log {
		switch e.Kind { //nolint:exhaustive // the others say nothing about it
		case simulator.EventTally:
			visible := e.At.Add(delay)
			end, done := completed[e.Revision]
			if x := exposed[e.Revision]; x != nil && !e.At.Add(-time.Minute).Before(x.settled) && (!done || !visible.After(end)) {
				x.count(*e.Tally, visible, limit)
			}
		case simulator.EventEffective:
			all = append(all, ended(exposed, e)...)
			expose(exposed, e)
		}
	}
	return all
}

// completions is when each revision became stable.
func completions(trace invariants.Trace) map[string]time.Time {
	ends := map[string]time.Time{}
	for _, e := range trace {
		if s, ok := e.(invariants.Saved); ok && s.Phase == string(v1alpha1.PhaseCompleted) && ends[s.Candidate].IsZero() {
			ends[s.Candidate] = invariants.When(s)
		}
	}
	return ends
}

// expose begins a stretch, or a weight of it. What showed at the weight before is not
// forgotten.
func expose(exposed map[string]*exposure, e simulator.Event) {
	for revision, percent := range e.Split {
		if percent == 0 || revision == first {
			continue
		}
		switch x := exposed[revision]; {
		case x == nil:
			exposed[revision] = &exposure{weight: percent, settled: e.At.Add(invariants.Settle + looked)}
		case percent > x.weight:
			exposed[revision] = &exposure{weight: percent, settled: e.At.Add(invariants.Settle + looked), seen: x.seen}
		default:
			x.weight = percent
		}
	}
}

// ended takes out the revisions that have no traffic any more, and returns how long
// that took where they failed.
func ended(exposed map[string]*exposure, e simulator.Event) []time.Duration {
	var all []time.Duration
	for _, revision := range slices.Sorted(maps.Keys(exposed)) {
		x := exposed[revision]
		if e.Split[revision] > 0 {
			continue
		}
		if !x.seen.IsZero() && e.At.After(x.seen) {
			all = append(all, e.At.Sub(x.seen))
		}
		delete(exposed, revision)
	}
	return all
}

// count adds a minute, which can be seen from a time on.
func (x *exposure) count(t simulator.Tally, visible time.Time, limit float64) {
	x.add(t)
	if x.seen.IsZero() && x.breached(limit) && !x.shared(limit) {
		x.seen = visible
	}
}

// shared tells whether those beside it fail as well, and it is not certainly worse: a way
// back relieves nobody then.
func (x *exposure) shared(limit float64) bool {
	_, most := x.beside.bounds()
	return x.beside.breached(limit) && !x.breached(most)
}

func (s *share) add(t simulator.Tally) {
	s.requests, s.failed = s.requests+float64(t.Ended), s.failed+float64(t.Failed)
}

func (s *stage) limit() float64 { return float64(s.script.Setting.Spec.MaxPercent) / 100 }

func (s *stage) requestDelay() time.Duration {
	if s.script.Setting.Switches["requestCountVisible"] == "after120s" {
		return 2 * time.Minute
	}
	return 3 * time.Minute
}

// breached tells whether the share of failures is certainly above a limit.
func (s *share) breached(limit float64) bool {
	least, _ := s.bounds()
	return s.failed >= 3 && least > limit
}

// bounds are the ends of Wilson's interval, three standard deviations wide to both sides.
func (s *share) bounds() (least, most float64) {
	n := s.requests
	if n == 0 {
		return 0, 1
	}
	const z = 3
	p := s.failed / n
	middle, width := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return (middle - width) / (1 + z*z/n), (middle + width) / (1 + z*z/n)
}
