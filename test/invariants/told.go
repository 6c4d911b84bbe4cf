package invariants

import (
	"fmt"
	"maps"
	"time"
)

// oldestList is how old the list may be that a status rests on where nothing was read
// for it, in times of Delta: a quarter of a minute. Lists are in no trace.
const oldestList = 3

// lookedAt is the earliest moment whose traffic a status may tell of.
func (p *past) lookedAt(s Saved) time.Time {
	since, read := s.when().Add(-p.delta), p.reads[s.By]
	if read == nil || read.when().Before(since) {
		since = since.Add(-oldestList * p.delta)
	}
	return since
}

// servingIsTrue: I10. Where a read was stale the status tells of the generation that it
// knows, unless a status before it knew a newer one.
func servingIsTrue(p *past, e Event) string {
	s, ok := e.(Saved)
	if !ok || s.Serving == nil {
		return ""
	}
	since, read := p.lookedAt(s), p.reads[s.By]
	if p.servedSince(s.Serving.equal, since) || read != nil && read.Stale && s.Generation < read.State.Generation {
		return ""
	}
	return fmt.Sprintf("the status says that %v serves, and %v does", s.Serving, p.serving())
}

// toldIsTrue: I10. What people read in a status serves.
func toldIsTrue(p *past, e Event) string {
	s, ok := e.(Saved)
	if !ok {
		return ""
	}
	since := p.toldOf(s)
	for _, said := range s.Told {
		said = maps.Clone(said)
		maps.DeleteFunc(said, func(revision string, _ int) bool { return p.lives[revision] == Lost }) // Cloud Run goes on naming it
		if !p.servedSince(said.agrees, since) {
			return fmt.Sprintf("the status tells that %v serves, and %v does", said, p.serving())
		}
	}
	return ""
}

// toldOf is the earliest moment whose traffic a status may tell people of. A read of the
// past, or a list of it, nobody can tell from a true one while it shows the generation
// that is known: what it says served when that split was asked for, or later. A status
// that has never known this generation may tell of any before it.
func (p *past) toldOf(s Saved) time.Time {
	read, since := p.reads[s.By], p.lookedAt(s)
	glance := read == nil || read.when().Before(s.when().Add(-p.delta))
	switch {
	case glance, read.Stale && s.Generation >= read.State.Generation:
		return earlier(since, p.askedAt)
	case read.Stale:
		return time.Time{}
	}
	return since
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
