package invariants

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestWhatPeopleAreTold: what a status tells must have served when it was looked. What a
// read of the past shows nobody can tell from the truth while the generation is the same.
func TestWhatPeopleAreTold(t *testing.T) {
	t.Parallel()
	tells := func(at string, read func(*Read), said ...Split) Trace {
		trace := edit(until[Read](good(), 5), 5, func(r *Read) {
			r.At = after(at)
			read(r)
		})
		s := nth[Saved](good(), 5)
		s.At, s.Phase, s.Serving, s.Told = after(at), "Shifting", nil, said
		return append(trace, s)
	}
	live, stale := func(*Read) {}, func(r *Read) { r.Stale = true }
	unknown := func(r *Read) { r.Stale, r.State.Generation = true, 4 }
	glance := func(r *Read) { r.At = after("16m1s") }
	listed := func(at string, stale bool, trace Trace) Trace {
		return slices.Insert(trace, len(trace)-1, Event(Listed{At: after(at), Stale: stale}))
	}
	stood := func(at string, trace Trace) Trace {
		return slices.Insert(trace, len(trace)-1, Event(Stood{after(at), "", 15 * time.Second}))
	}
	again := func(trace Trace) Trace { // the same split is asked for again, where it stands already
		trace = slices.Insert(trace, len(trace)-2, Event(Desired{after("16m25s"), Split{"web-2": 100}, false}))
		at := slices.IndexFunc(trace, func(e Event) bool { _, ok := e.(Effective); return ok && !e.when().Before(after("16m5s").when()) })
		return slices.Insert(trace, at, Event(Known{after("16m2s"), 3}))
	}
	latest := func(trace Trace) Trace { // LATEST is asked for, and it is said later what that stands for
		trace = slices.Insert(trace, len(trace)-2, Event(Restored{Desired{after("16m25s"), Split{"web-2": 100}, false}}))
		at := slices.IndexFunc(trace, func(e Event) bool { _, ok := e.(Effective); return ok && !e.when().Before(after("16m5s").when()) })
		return slices.Insert(trace, at, Event(Known{after("16m28s"), 3}), Event(Desired{after("16m2s"), Split{"": 100}, false}))
	}
	resting := func(trace Trace) Trace {
		s := trace[len(trace)-1].(Saved)
		s.Phase = "Idle"
		rested := s
		rested.At, rested.Told = after("16m6s"), nil
		return append(trace[:len(trace)-1], rested, s)
	}
	before, between := Split{"web-2": 0, "web-1": 100}, Split{"web-2": 10, "web-1": 90}
	for name, c := range map[string]struct {
		trace Trace
		fine  bool
	}{
		"what serves":                            {tells("16m30s", live, Split{"web-2": 100, "web-1": 0}, nil, Split{"web-2": 100}), true},
		"what served until just now":             {tells("16m8s", live, between), true},
		"what served before":                     {tells("16m30s", live, between), false},
		"one place that says something else":     {tells("16m30s", live, Split{"web-2": 100}, Split{"web-2": 99}), false},
		"what a stale read of it says":           {tells("16m30s", stale, between), true},
		"what it says of a time before":          {tells("16m30s", stale, before), false},
		"what one says of a split asked again":   {again(tells("16m30s", stale, between)), true},
		"what it says of a time before that":     {again(tells("16m30s", stale, before)), false},
		"what one says of LATEST":                {latest(tells("16m30s", stale, between)), true},
		"what it says of a time before LATEST":   {latest(tells("16m30s", stale, before)), false},
		"what one says of a generation before":   {tells("16m30s", unknown, before), true},
		"what never served":                      {tells("16m30s", unknown, Split{"web-2": 50}), false},
		"what the newest look showed":            {tells("16m20s", glance, between), true},
		"what a look long before showed":         {tells("16m30s", glance, between), false},
		"what it showed who stood still since":   {stood("16m20s", tells("16m30s", glance, between)), true},
		"what it showed who stood still before":  {stood("16m", tells("16m30s", glance, between)), false},
		"what a list showed that is newer":       {listed("16m4s", false, tells("16m20s", glance, between)), true},
		"what a list did not show":               {listed("16m6s", false, tells("16m20s", glance, between)), false},
		"what a list at rest did not show":       {resting(listed("16m6s", false, tells("16m50s", glance, between))), false},
		"what a list at rest showed":             {resting(listed("16m4s", false, tells("16m50s", glance, between))), true},
		"what it showed long before":             {resting(listed("16m4s", false, tells("17m11s", glance, between))), false},
		"what a read at rest showed":             {resting(tells("16m50s", func(r *Read) { r.At = after("16m4s") }, between)), false},
		"what a list says that is stale":         {listed("17m55s", true, tells("18m", glance, between)), true},
		"what such a list says of a time before": {listed("17m55s", true, tells("18m", glance, before)), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := Judge(append(c.trace, Life{after("30m"), "web-3", Created}))
			for _, v := range found {
				if v.Invariant != "I10" || !strings.Contains(v.What, "the status tells") {
					t.Error(v)
				}
			}
			if (len(found) == 0) != c.fine {
				t.Errorf("found %v, want fine: %v", found, c.fine)
			}
		})
	}
}

// TestSinceWhenAKnownGenerationWasAskedFor: a RunService asks for a split before the service
// has a generation of it, and until then the generation that is known is of the split before.
func TestSinceWhenAKnownGenerationWasAskedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		unclaimed bool
		known     string
		want      string
	}{
		"the service is written":                       {false, "3m", "5m"},
		"a RunService is":                              {true, "3m", "2m"},
		"and the service has a generation of it since": {true, "5m10s", "5m"},
	} {
		p := newPast(Delta)
		p.learn(Desired{after("2m"), tenPercent(), true})
		p.learn(Desired{after("5m"), Split{"web-1": 100}, true})
		p.unclaimed, p.generationAt = c.unclaimed, after(c.known).when()
		if got := p.knownAskedAt(); !got.Equal(after(c.want).when()) {
			t.Errorf("%s: since %s, want %s", name, got.Format(time.TimeOnly), c.want)
		}
	}
}

// TestARevisionThatIsLost: Cloud Run goes on naming it, and so does a status.
func TestARevisionThatIsLost(t *testing.T) {
	t.Parallel()
	trace := until[Saved](good(), 5)
	told := trace[len(trace)-1].(Saved)
	told.At, told.Serving, told.Told = after("20m"), nil, []Split{{"web-2": 100, "web-1": 0}}
	trace = append(trace, Life{after("19m"), "web-2", Lost}, Effective{after("19m"), Split{}})
	if found := Judge(append(slices.Clone(trace), told)); len(found) > 0 {
		t.Errorf("a status that names a lost revision: %v", found)
	}
	half := Split{"web-2": 50, "web-1": 50}
	told.Serving, told.Told = half, nil
	left := append(until[Saved](good(), 5), Effective{after("18m"), half}, Life{after("19m"), "web-2", Lost}, Effective{after("19m1s"), Split{"web-1": 50}})
	if found := Judge(append(slices.Clone(left), told)); len(found) > 0 {
		t.Errorf("a status that says that a lost revision serves: %v", found)
	}
	told.Serving = Split{"web-2": 40, "web-1": 60}
	if len(Judge(append(left, told))) == 0 {
		t.Error("a wrong share beside a lost revision is not found")
	}
}

// TestAnEndThatSomebodyElseUndid is none for whoever could know of that.
func TestAnEndThatSomebodyElseUndid(t *testing.T) {
	t.Parallel()
	back := Split{"web-1": 100}
	undone := func(ours bool, more ...Event) Trace {
		return before[Saved](good(), 6, append([]Event{Desired{after("20m"), back, ours}, Effective{after("20m"), back}}, more...)...)
	}
	const what = "says Completed"
	newer := Known{after("20m"), 99}
	if !finds(undone(false), what) || !finds(undone(true, newer), what) {
		t.Error("a completion that is none is not found")
	}
	if finds(undone(false, newer), what) {
		t.Error("an answer from the past shows what somebody else has not done yet")
	}
	if finds(undone(true, newer, wiped("20m30s")), what) {
		t.Error("what nobody remembers, an answer from the past does not show either")
	}
}

// TestALastStepThatSomebodyTakesAwayAsItEnds: whoever says that it ended has read the
// service a moment before, and its bake is that of the weight that served then.
func TestALastStepThatSomebodyTakesAwayAsItEnds(t *testing.T) {
	t.Parallel()
	taken := func(at string) Trace {
		half := Split{"web-2": 50, "web-1": 50}
		return before[Evidence](good(), 3, Desired{after("21m50s"), half, false}, Effective{after(at), half})
	}
	if found := Judge(taken("21m56s")); len(found) > 0 {
		t.Errorf("a moment before: %v", found)
	}
	if !finds(taken("21m54s"), "says Completed") {
		t.Error("a completion that is none is not found")
	}
	short := edit(taken("21m56s"), 1, func(p *Plan) { p.Steps[1].Bake = 6 })
	if !finds(short, "the step at 100% ended after 5m55s") {
		t.Error("a last bake that was cut short is not found")
	}
}
