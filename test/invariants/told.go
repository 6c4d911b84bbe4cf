package invariants

import (
	"fmt"
	"maps"
	"time"
)

// oldestLook is how old a look may be that a status rests on, in times of Delta: a third
// of a minute. One of rest may rest on a list of a minute before.
const (
	oldestLook = 4
	oldestRest = 13
)

// look is the newest look of a process at a service: a read, or a list that it is in.
type look struct {
	at     time.Time
	stale  bool
	listed bool
	newest int64 // generation that the service had, where it was read
}

// look returns that of who saved a status.
func (p *past) look(s Saved) look {
	var l look
	if read := p.reads[s.By]; read != nil {
		l = look{at: read.when(), stale: read.Stale, newest: read.State.Generation}
	}
	if list, ok := p.lists[s.By]; ok && list.when().After(l.at) {
		l = look{at: list.when(), stale: list.Stale, listed: true}
	}
	return l
}

// lookedAt is the earliest moment whose traffic a status may tell of.
func (p *past) lookedAt(s Saved) time.Time {
	l := p.look(s)
	since, oldest := l.at, s.when().Add(-oldestLook*p.delta)
	if l.listed && s.rests() && p.saved.rests() {
		oldest = s.when().Add(-oldestRest * p.delta)
	}
	if stood := p.stood[s.By]; stood.when().After(since) {
		oldest = oldest.Add(-stood.For)
	}
	if since.Before(oldest) {
		return oldest
	}
	return earlier(since, s.when().Add(-p.delta))
}

// servingIsTrue: I10. Where a read was stale the status tells of the generation that it
// knows, unless a status before it knew a newer one.
func servingIsTrue(p *past, e Event) string {
	s, ok := e.(Saved)
	if !ok || s.Serving == nil {
		return ""
	}
	l := p.look(s)
	since := p.lookedAt(s)
	if p.servedSince(s.Serving.equal, since) || p.servedSince(p.existing(s.Serving).agrees, since) ||
		l.stale && (l.listed || s.Generation < l.newest) {
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
	if len(p.existing(p.desired)) < len(p.desired) {
		return "" // what has the share of a revision that is lost, nobody knows
	}
	for _, said := range s.Told {
		said = p.existing(said)
		if !p.servedSince(said.agrees, since) {
			return fmt.Sprintf("the status tells that %v serves, and %v does", said, p.serving())
		}
	}
	return ""
}

// existing is a split without revisions that were lost: Cloud Run goes on naming them, also
// where there is a new one of the name.
func (p *past) existing(said Split) Split {
	said = maps.Clone(said)
	maps.DeleteFunc(said, func(revision string, _ int) bool { return !p.lost[revision].IsZero() })
	return said
}

// toldOf is the earliest moment whose traffic a status may tell people of. A read of the
// past, or a list of it, nobody can tell from a true one while it shows the generation
// that is known: what it says served when that split was asked for, or later. Where a RunService
// asks for it, it may ask again without a new generation of the service. A status that has never known this generation may tell of any before it.
func (p *past) toldOf(s Saved) time.Time {
	l, since := p.look(s), p.lookedAt(s)
	switch {
	case !l.stale:
		return since
	case !l.listed && s.Generation < l.newest:
	case s.Generation < p.generation: // it knows the split before at the most
		return earlier(since, p.askedBefore)
	default:
		return earlier(since, earlier(p.knownAskedAt(), p.generationAt))
	}
	return time.Time{}
}

// knownAskedAt is since when the split of the generation that is known was asked for, at the
// earliest: a RunService asks for the next one before the service has a generation of it.
func (p *past) knownAskedAt() time.Time {
	if p.unclaimed && p.generationAt.Before(p.askedAt) {
		return p.askedBefore
	}
	return p.askedAt
}

// rests tells whether nothing is under way, so that a list of a minute before may do.
func (s Saved) rests() bool {
	return s.Phase == phaseIdle || s.Phase == phaseRolledBack || s.Phase == phaseCompleted
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
