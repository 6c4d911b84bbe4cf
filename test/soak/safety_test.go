package soak

import (
	"slices"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

// TestAWayBackWithoutTrouble: a candidate has to go back in time from when its failures
// could be seen, those of a weight that it has left too, and not those of a rise.
func TestAWayBackWithoutTrouble(t *testing.T) {
	t.Parallel()
	at := func(minute int) time.Time { return morning.Add(time.Duration(minute) * time.Minute) }
	// story has the candidate fail in the minutes that end after one and until another;
	// it gets 10 % at first, and what the weights say at their minutes.
	story := func(after, until int, weights map[int]int) []simulator.Event {
		weights[10] = 10
		var log []simulator.Event
		for minute := 10; minute <= 50; minute++ {
			tally := simulator.Tally{Ended: 100}
			if minute > after && minute <= until {
				tally.Failed = 20
			}
			log = append(log, simulator.Event{At: at(minute), Kind: simulator.EventTally, Revision: "web-2", Tally: &tally})
			if percent, changed := weights[minute]; changed {
				log = append(log, simulator.Event{At: at(minute), Kind: simulator.EventEffective, Split: map[string]int{"web-1": 100 - percent, "web-2": percent}})
			}
		}
		return log
	}
	completed := func(minute int) invariants.Trace {
		return invariants.Trace{invariants.Saved{At: invariants.At(at(minute)), Phase: "Completed", Stable: "web-2", Candidate: "web-2"}}
	}
	for name, c := range map[string]struct {
		log   []simulator.Event
		trace invariants.Trace
		want  []time.Duration
	}{
		"one that fails and goes back":                    {story(12, 50, map[int]int{30: 0}), nil, []time.Duration{14 * time.Minute}},
		"one that goes back before it was seen":           {story(12, 50, map[int]int{15: 0}), nil, nil},
		"one that fails while it settles":                 {story(10, 12, map[int]int{30: 0}), nil, nil},
		"one that rises as it was seen":                   {story(12, 14, map[int]int{20: 50, 30: 0}), nil, []time.Duration{14 * time.Minute}},
		"one that rises before it was seen, and was well": {story(12, 14, map[int]int{15: 50, 30: 0}), nil, []time.Duration{14 * time.Minute}},
		"one that fails as it rises, and was well":        {story(14, 16, map[int]int{14: 50, 30: 0}), nil, nil},
		"one that fails as it rises, and still":           {story(14, 50, map[int]int{14: 50, 30: 0}), nil, []time.Duration{10 * time.Minute}},
		"one that was lowered before it was seen":         {story(12, 14, map[int]int{15: 5, 30: 0}), nil, []time.Duration{14 * time.Minute}},
		"one that became stable before it was seen":       {story(12, 50, map[int]int{30: 0}), completed(15), nil},
		"one that became stable when it was seen":         {story(12, 50, map[int]int{30: 0}), completed(20), []time.Duration{14 * time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := straightBacks(c.log, c.trace, 3*time.Minute, 0.01); !slices.Equal(got, c.want) {
				t.Errorf("took %v, want %v", got, c.want)
			}
		})
	}
}
