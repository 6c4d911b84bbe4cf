package soak

import (
	"slices"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

// TestAWayBackAfterTrouble: a candidate that fails once all trouble is over has to go
// back in time, unless a person is needed.
func TestAWayBackAfterTrouble(t *testing.T) {
	t.Parallel()
	at := func(minute int) time.Time { return morning.Add(time.Duration(minute) * time.Minute) }
	saved := func(minute int, phase string) invariants.Event {
		return invariants.Saved{At: invariants.At(at(minute)), Phase: phase, Stable: "web-1", Candidate: "web-2"}
	}
	paused := func(minute int, reason string) invariants.Event {
		return invariants.Saved{At: invariants.At(at(minute)), Phase: "Paused", Reason: reason, Stable: "web-1", Candidate: "web-2"}
	}
	trace := func(more ...invariants.Event) invariants.Trace {
		begin := invariants.Trace{invariants.Life{At: invariants.At(at(0)), Revision: "web-1", State: invariants.Ready}, saved(10, "Baking")}
		return slices.Concat(begin, more)
	}
	serves := func(minute int, split map[string]int) simulator.Event {
		return simulator.Event{At: at(minute), Kind: simulator.EventEffective, Split: split}
	}
	log := []simulator.Event{serves(10, map[string]int{"web-1": 90, "web-2": 10})}
	for minute := 11; minute <= 40; minute++ {
		log = append(log, simulator.Event{
			At: at(minute), Kind: simulator.EventTally, Revision: "web-2", Tally: &simulator.Tally{Ended: 100, Failed: 10},
		})
	}
	life := func(minute int, revision string, state invariants.LifeState) invariants.Event {
		return invariants.Life{At: invariants.At(at(minute)), Revision: revision, State: state}
	}
	failed := trace(life(16, "web-3", invariants.Created), life(17, "web-3", invariants.Failed))
	beside := func(failed int) []simulator.Event { // stable
		all := slices.Clone(log)
		for minute := 11; minute <= 40; minute++ {
			all = append(all, simulator.Event{
				At: at(minute), Kind: simulator.EventTally, Revision: "web-1", Tally: &simulator.Tally{Ended: 900, Failed: failed},
			})
		}
		return all
	}
	back := slices.Insert(slices.Clone(log), 12, serves(22, map[string]int{"web-1": 100}))
	for name, c := range map[string]struct {
		log   []simulator.Event
		trace invariants.Trace
		calm  int
		want  []time.Duration

		refuses bool
	}{
		"one that goes back":                      {back, trace(), 15, []time.Duration{3 * time.Minute}, false},
		"one that does not":                       {log, trace(), 15, []time.Duration{21 * time.Minute}, false},
		"one whose failures were seen before":     {log, trace(), 0, []time.Duration{25 * time.Minute}, false},
		"one that goes back before it was seen":   {back, trace(), 20, nil, false},
		"one that a person paused":                {log, trace(paused(16, "Paused")), 15, []time.Duration{21 * time.Minute}, false},
		"one over traffic that is not ours":       {log, trace(paused(16, "TrafficConflict")), 15, nil, false},
		"one that a person resumed":               {log, trace(paused(16, "TrafficConflict"), saved(20, "Baking")), 15, []time.Duration{16 * time.Minute}, false},
		"one whose stable is not ready":           {log, trace(life(16, "web-1", invariants.Failed)), 15, nil, false},
		"one whose stable fails as well":          {beside(90), trace(), 15, nil, false},
		"one whose stable fails much less":        {beside(27), trace(), 15, []time.Duration{20 * time.Minute}, false},
		"one whose stable is well":                {beside(0), trace(), 15, []time.Duration{21 * time.Minute}, false},
		"one whose newer one fails":               {log, failed, 15, []time.Duration{21 * time.Minute}, false},
		"one over which Cloud Run refuses":        {log, failed, 15, nil, true},
		"one over which it refuses no more":       {log, append(failed, life(20, "web-4", invariants.Created)), 15, []time.Duration{16 * time.Minute}, true},
		"one that became stable":                  {log, trace(invariants.Saved{At: invariants.At(at(16)), Phase: "Baking", Stable: "web-2", Candidate: "web-2"}), 15, nil, false},
		"one of an object that is to go":          {log, trace(invariants.Deleting{At: invariants.At(at(16))}), 15, nil, false},
		"one about which a person asked the last": {log, trace(invariants.Request{At: invariants.At(at(30)), Verb: "retry"}), 15, []time.Duration{6 * time.Minute}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := aftermath{c.log, c.trace, at(c.calm), at(40), 3 * time.Minute, 0.01, c.refuses}.backs()
			if !slices.Equal(got, c.want) {
				t.Errorf("took %v, want %v", got, c.want)
			}
		})
	}
}
