package soak

import (
	"maps"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

// spell is a stretch in which a revision other than the first had traffic and was not
// given more.
type spell struct {
	revision string
	from, to time.Time
	minutes  []minute
}

// minute is what a revision served in the minute that ends at a moment.
type minute struct {
	end   time.Time
	tally simulator.Tally
}

// aftermath is what happened once all trouble was over.
type aftermath struct {
	log   []simulator.Event // all of it
	trace invariants.Trace
	calm  time.Time // when the trouble was over
	end   time.Time
	delay time.Duration // of the metric
	limit float64       // share of errors
	// refuses: Cloud Run carries nothing out while its newest template has failed.
	refuses bool
}

func (s *stage) afterwards() []time.Duration {
	refuses := s.script.Setting.Switches["trafficWithFailedTemplate"] == "refused"
	return aftermath{s.world.Log(), s.record.trace, s.calmAt, s.now(), s.requestDelay(), s.limit(), refuses}.backs()
}

// backs measures I15: how long it was from the moment at which a candidate's failures
// could be seen until it had no traffic. Only minutes count that began after the trouble
// and in the step under way, because the ones before may be lost, and are looked at anew
// by whoever resumes.
//
// What a person has to sort out is left out, and what cannot go back because stable is
// not ready or Cloud Run refuses, or need not because stable fails as well. A candidate that
// serves at the end has taken as long as there was.
func (a aftermath) backs() []time.Duration {
	var all []time.Duration
	served := a.served()
	for _, sp := range a.spells() {
		from := later(later(sp.from, a.calm), a.unattended(sp.revision, sp.to))
		x := exposure{}
		for _, m := range sp.minutes {
			if !m.end.Add(-time.Minute).Before(from) {
				x.besides(served[m.end], sp.revision)
				x.count(m.tally, m.end.Add(a.delay), a.limit)
			}
		}
		if !x.seen.IsZero() && sp.to.After(x.seen) {
			all = append(all, sp.to.Sub(x.seen))
		}
	}
	return all
}

// served is what each revision served, by the end of the minute.
func (a aftermath) served() map[time.Time]map[string]simulator.Tally {
	minutes := map[time.Time]map[string]simulator.Tally{}
	for _, e := range a.log {
		if e.Kind != simulator.EventTally {
			continue
		}
		if minutes[e.At] == nil {
			minutes[e.At] = map[string]simulator.Tally{}
		}
		minutes[e.At][e.Revision] = *e.Tally
	}
	return minutes
}

// besides adds what all revisions but one served in a minute.
func (x *exposure) besides(served map[string]simulator.Tally, revision string) {
	for other, tally := range served {
		if other != revision {
			x.beside.add(tally)
		}
	}
}

// spells are those of all revisions, in the order in which they ended.
func (a aftermath) spells() []spell {
	r := running{open: map[string]*spell{}}
	for _, e := range a.log {
		switch e.Kind { //nolint:exhaustive // the others say nothing about it
		case simulator.EventTally:
			if sp := r.open[e.Revision]; sp != nil {
				sp.minutes = append(sp.minutes, minute{e.At, *e.Tally})
			}
		case simulator.EventEffective:
			r.serves(e.Split, e.At)
		}
	}
	r.serves(nil, a.end)
	return r.ended
}

// running are the spells that have not ended, by revision, and those that have.
type running struct {
	open  map[string]*spell
	split map[string]int
	ended []spell
}

// serves ends the spells of revisions that have no traffic any more, and begins those of
// revisions that have more than before, from when the split has settled.
func (r *running) serves(split map[string]int, at time.Time) {
	for _, revision := range slices.Sorted(maps.Keys(r.open)) {
		if split[revision] == 0 {
			r.open[revision].to = at
			r.ended = append(r.ended, *r.open[revision])
			delete(r.open, revision)
		}
	}
	for revision, percent := range split {
		if revision != first && percent > r.split[revision] {
			r.open[revision] = &spell{revision: revision, from: at.Add(time.Minute)}
		}
	}
	r.split = split
}

// unattended is the last moment until another one at which a revision was not the
// candidate of an attempt that is guarded, over a stable that is ready and can be
// given traffic, or at which a person did something about it.
func (a aftermath) unattended(revision string, until time.Time) time.Time {
	var last time.Time
	attended, stable, newest, was := false, "", "", false
	lives := map[string]invariants.LifeState{}
	for _, e := range a.trace {
		at, touched := invariants.When(e), false
		if at.After(until) {
			break
		}
		switch e := e.(type) {
		case invariants.Saved:
			attended, stable = goesOn(e, revision), e.Stable
		case invariants.Put, invariants.Deleting, invariants.Gone:
			attended = false
		case invariants.Life:
			lives[e.Revision] = e.State
			if e.State == invariants.Created {
				newest = e.Revision
			}
		case invariants.Request, invariants.Plan:
			touched = true
		case invariants.Desired:
			touched = !e.Ours
		case invariants.Restored:
			touched = true
		}
		is := attended && lives[stable] == invariants.Ready && (!a.refuses || lives[newest] != invariants.Failed)
		if touched || !is || !was {
			last = at
		}
		was = is
	}
	if !was {
		return until
	}
	return last
}

// goesOn tells whether a status says that a revision is the candidate of an attempt that
// guards. A pause guards too, but for one over traffic that is not ours, or where there is no
// way back: there a person has to say what is right.
func goesOn(s invariants.Saved, revision string) bool {
	switch v1alpha1.Phase(s.Phase) { //nolint:exhaustive // the others are under way
	case v1alpha1.PhaseIdle, v1alpha1.PhaseCompleted, v1alpha1.PhaseRolledBack:
		return false
	case v1alpha1.PhasePaused:
		if !slices.Contains(guarding, s.Reason) {
			return false
		}
	}
	return s.Candidate == revision && s.Stable != revision
}

// guarding are the reasons of pauses in which a breach leads back all the same.
var guarding = []string{
	v1alpha1.ReasonPaused, v1alpha1.ReasonStepDeadlineExceeded, v1alpha1.ReasonNoDataDeadlineExceeded, v1alpha1.ReasonStateLost,
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
