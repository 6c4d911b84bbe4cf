package monitoring

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// sweep is the queries that a desk makes at a time: those of all that lacked an
// answer. Its hauls may be read when done is closed, by anybody.
type sweep struct {
	asked   time.Time // what was told when it began
	after   time.Time
	certain time.Time
	hauls   []*haul
	at      map[place]*haul
	done    chan struct{}
}

func newSweep(queries []query, asked time.Time) *sweep {
	s := &sweep{
		asked: asked, after: queries[0].after, certain: queries[0].through,
		at: map[place]*haul{}, done: make(chan struct{}),
	}
	pool := &boundsPool{} // hauls come one after the other
	for _, q := range queries {
		h := newHaul(q, pool)
		s.hauls = append(s.hauls, h)
		for _, p := range q.places {
			s.at[p] = h
		}
	}
	return s
}

// of returns the haul that tells of a place from after on; nil if none does. A
// haul of a whole location tells of every name there.
func (s *sweep) of(p place, after time.Time) *haul {
	if after.Before(s.after) {
		return nil
	}
	if h := s.at[p]; h != nil {
		return h
	}
	return s.at[place{location: p.location}]
}

// suits tells whether the sweep is of the minute of a pass or of a later one: a
// pass that is late is answered from what is known by then, as far as it may see.
// A pass that is not late and sees less knows of a longer delay: for that the
// sweep may have come too early.
func (s *sweep) suits(at moment) bool {
	late := s.certain.Sub(at.certain)
	return late == 0 && at.now.Before(s.asked.Add(time.Minute)) || late > 0 && late <= overtaken && !s.asked.Before(at.now)
}

// settle answers the wishes that the sweep can answer, and returns the others.
func (s *sweep) settle(wishes []wish, at moment, answers analysis.Answers) []wish {
	var left []wish
	for _, w := range wishes {
		h := s.of(w.place, w.after)
		if h == nil || !s.suits(at) {
			left = append(left, w)
			continue
		}
		answers[w.series] = h.answer(w)
	}
	return left
}

// useful tells whether any of the sweep need not be asked again at now.
func (s *sweep) useful(now time.Time) bool {
	for _, h := range s.hauls {
		if h.fresh(now, s.asked) {
			return true
		}
	}
	return false
}
