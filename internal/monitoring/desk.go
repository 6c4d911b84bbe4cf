package monitoring

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

const (
	// maxNamed is the number of queries that may name their places in one sweep.
	// Where more would be needed, one query asks for everything in the locations:
	// it brings what nobody asked for, but the calls do not grow with the places.
	// Where nobody may know everything there, the names are sent all the same.
	maxNamed = 4
	// maxSweeps is the number of sweeps of a minute after which the next one asks
	// for everything as well. So it goes when a process starts among many rollouts
	// and hears of them one after the other.
	maxSweeps = 4
)

// spans divide questions by how far back they reach, so that one old rollout does
// not make the queries of all others long. What is older than the last is the
// third kind.
var spans = []time.Duration{time.Hour, 6 * time.Hour}

// deskKey says what a desk is about: a metric of a project, and questions of one
// of the spans.
type deskKey struct {
	project string
	metric  analysis.Metric
	span    int
}

func spanOf(reach time.Duration) int {
	for i, span := range spans {
		if reach <= span {
			return i
		}
	}
	return len(spans)
}

// reading is how a desk asks: it hands every page to take, and returns what went
// wrong. The watch goes on from what was told of the time.
type reading func(ctx context.Context, request *monitoringpb.ListTimeSeriesRequest, w watch,
	take func(*monitoringpb.ListTimeSeriesResponse)) trouble

// desk asks for everybody who wants to know of one metric in one project. It
// remembers who was asked about, asks for all of them once a minute, and answers
// from that until the next minute of the metric is certain. It makes one sweep at
// a time: what is missing meanwhile waits, and comes together in the next.
//
// A minute is what the callers are told it is. The clock only says how long a call
// took.
type desk struct {
	key   deskKey
	read  reading
	limit time.Duration // of one sweep
	clock clock.PassiveClock
	// caught is told of every panic.
	caught func()

	mu      sync.Mutex
	members members
	sweeps  []*sweep // done, of the newest minute
	flight  *sweep   // under way; nil if none is
}

// moment is the time that a pass was told, and the end of the newest minute that
// is certain then.
type moment struct{ now, certain time.Time }

// ask answers wishes. It waits for sweeps until ctx ends, which ends no sweep:
// others may wait for it too.
func (d *desk) ask(ctx context.Context, wishes []wish, at moment) analysis.Answers {
	d.join(wishes, at, scopeOf(ctx))
	answers := make(analysis.Answers, len(wishes))
	for len(wishes) > 0 {
		s := d.next(ctx, wishes[0], at)
		select {
		case <-s.done:
		case <-ctx.Done():
			for _, w := range wishes {
				answers[w.series] = d.hurried(w, at)
			}
			return answers
		}
		wishes = s.settle(wishes, at, answers)
	}
	return answers
}

// hurried answers a wish from what has come so far: done, or of the sweep that is
// under way.
func (d *desk) hurried(w wish, at moment) analysis.Answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	sweeps := d.sweeps
	if d.flight != nil {
		sweeps = append(slices.Clone(sweeps), d.flight)
	}
	for _, s := range sweeps {
		if h := s.of(w.place, w.after); h != nil && s.suits(at) && h.good() {
			return h.answer(w)
		}
	}
	return analysis.Answer{Through: w.through, Cause: analysis.CauseUnavailable, Detail: inTime}
}

func (d *desk) join(wishes []wish, at moment, scope Scope) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range wishes {
		d.members.join(w.place, need{asked: at.now, after: w.after, of: w.series.Source, scope: scope})
	}
}

// next returns a sweep that answers a wish, or one that must end before another
// can begin.
func (d *desk) next(ctx context.Context, w wish, at moment) *sweep {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.sweeps {
		if h := s.of(w.place, w.after); h != nil && s.suits(at) && h.fresh(at.now, s.asked) {
			return s
		}
	}
	if d.flight == nil {
		at = d.newest(at)
		d.flight = newSweep(d.plan(w, at), at.now)
		go d.fly(context.WithoutCancel(ctx), d.flight)
	}
	return d.flight
}

// newest is the moment of a pass, or the later one of what was asked already:
// nobody goes back to a minute that is over.
func (d *desk) newest(at moment) moment {
	newest := at
	for _, s := range d.sweeps {
		if s.suits(at) {
			newest = moment{latest(newest.now, s.asked), latest(newest.certain, s.certain)}
		}
	}
	return newest
}

// plan returns the queries for a wish and for all members that lack an answer.
func (d *desk) plan(w wish, at moment) []query {
	d.members.forget(at.now)
	d.sweeps = slices.DeleteFunc(d.sweeps, func(s *sweep) bool { return !s.certain.Equal(at.certain) || !s.suits(at) || !s.useful(at.now) })

	after, places := w.after, map[place]bool{w.place: true}
	for p, needs := range d.members {
		if !d.knows(p, needs[0].after, at.now) {
			places[p] = true
			after = earliest(after, needs[0].after)
		}
	}
	parts, whole := d.parts(places)
	if whole && d.key.span < len(spans) { // so that whoever comes later in this minute is answered too
		after = earliest(after, at.certain.Add(-spans[d.key.span]-time.Minute))
	}
	m := metrics[d.key.metric]
	queries := make([]query, 0, len(parts))
	for _, part := range parts {
		queries = append(queries, query{metric: m, project: d.key.project, places: part, after: after, through: at.certain})
	}
	return queries
}

// parts divides places into queries, and tells whether they ask for whole locations.
func (d *desk) parts(places map[place]bool) (parts [][]place, whole bool) {
	if !d.members.everything(places) {
		return d.apart(places), false
	}
	m := metrics[d.key.metric]
	parts = split(m, d.key.project, slices.Collect(maps.Keys(places)))
	if len(parts) > maxNamed || len(d.sweeps) >= maxSweeps {
		return split(m, d.key.project, locations(places)), true
	}
	return parts, false
}

// apart divides places into queries of one location each. A query of several locations
// asks for each of its names in each of them, which not everybody may know.
func (d *desk) apart(places map[place]bool) [][]place {
	in := map[string][]place{}
	for p := range places {
		in[p.location] = append(in[p.location], p)
	}
	var parts [][]place
	for _, location := range slices.Sorted(maps.Keys(in)) {
		parts = append(parts, split(metrics[d.key.metric], d.key.project, in[location])...)
	}
	return parts
}

// knows tells whether a place was read from after on, and need not be again.
func (d *desk) knows(p place, after, now time.Time) bool {
	return slices.ContainsFunc(d.sweeps, func(s *sweep) bool {
		h := s.of(p, after)
		return h != nil && h.fresh(now, s.asked)
	})
}

// fly carries a sweep out.
func (d *desk) fly(ctx context.Context, s *sweep) {
	ctx, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	w := newWatch(d.clock, s.asked)
	for _, h := range s.hauls {
		d.collect(ctx, h, w)
	}
	d.mu.Lock()
	d.flight = nil
	d.sweeps = append(d.sweeps, s)
	d.mu.Unlock()
	close(s.done)
}

// collect makes one query. What a panic left of it is not in order, and is
// dropped.
func (d *desk) collect(ctx context.Context, h *haul, w watch) {
	defer close(h.done)
	panicked := guarded("reading the answer", d.caught, func() {
		h.complain(d.read(ctx, h.query.request(), w, h.page))
		h.finish()
	})
	if panicked.cause != analysis.CauseNone {
		h.strands, h.pool, h.trouble = nil, nil, panicked
	}
	h.ended = w.now()
}

func locations(places map[place]bool) []place {
	whole := map[place]bool{}
	for p := range places {
		whole[place{location: p.location}] = true
	}
	return slices.Collect(maps.Keys(whole))
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
