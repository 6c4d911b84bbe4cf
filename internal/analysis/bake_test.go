package analysis

import (
	"testing"
	"time"
)

// TestABakeEnds when the last of its minutes is known, and whatever hung at its beginning
// has been counted.
func TestABakeEnds(t *testing.T) {
	t.Parallel()
	const late = 4*time.Minute + 45*time.Second
	for name, c := range map[string]struct {
		bake     Bake
		reported time.Duration // after noon
		earliest time.Duration
	}{
		"as its split serves":              {Bake{Needed: 10, Delay: late}, 11*time.Minute + late, 11*time.Minute + late},
		"with a delay that nobody knows":   {Bake{Needed: 10}, 11 * time.Minute, 11 * time.Minute},
		"within a minute":                  {Bake{Since: noon.Add(time.Second), Needed: 10}, 12 * time.Minute, 12 * time.Minute},
		"after some minutes":               {Bake{Through: at(7), Needed: 4, Delay: late}, 11*time.Minute + late, 11*time.Minute + late},
		"one of which was not healthy":     {Bake{Through: at(7), Needed: 5, Delay: late}, 12*time.Minute + late, 12*time.Minute + late},
		"judged up to before it began":     {Bake{Through: at(-3), Needed: 1}, 2 * time.Minute, 5 * time.Minute},
		"when a request hung":              {Bake{Needed: 1, Delay: late}, 2*time.Minute + late, 5*time.Minute + late},
		"for as long as it may":            {Bake{Needed: 1, Timeout: 8 * time.Minute}, 2 * time.Minute, 8 * time.Minute},
		"but not for ever":                 {Bake{Needed: 1, Timeout: time.Hour}, 2 * time.Minute, 10 * time.Minute},
		"and is counted in a whole minute": {Bake{Needed: 1, Timeout: 190 * time.Second}, 2 * time.Minute, 4 * time.Minute},
		"with nothing left to wait for":    {Bake{Through: at(20), Needed: -3, Delay: time.Minute}, 21 * time.Minute, 21 * time.Minute},
	} {
		if c.bake.Since.IsZero() {
			c.bake.Since = noon
		}
		if got := c.bake.Reported().Sub(noon); got != c.reported {
			t.Errorf("%s: reported after %s, want %s", name, got, c.reported)
		}
		if got := c.bake.Earliest().Sub(noon); got != c.earliest {
			t.Errorf("%s: over after %s, want %s", name, got, c.earliest)
		}
	}
}

// TestEveryRuleSaysHowLateItJudges, before its first minute too.
func TestEveryRuleSaysHowLateItJudges(t *testing.T) {
	t.Parallel()
	delays := map[Metric]time.Duration{
		Requests: 4 * time.Minute, NotFound: 5 * time.Minute, Latencies: 6 * time.Minute,
		Instances: 3 * time.Minute, ActiveInstances: 7 * time.Minute, Pending: 2 * time.Minute,
		AllocationFailed: time.Minute, DroppedPackets: 9 * time.Minute, AllocatedPorts: 8 * time.Minute,
		OpenConnections: 7 * time.Minute, Value: 10 * time.Minute,
	}
	begun := after(0).watching(nat1, nat2)
	begun.MaxInstances, begun.Pools = 10, map[Source]Pool{nat1: {Ports: 64512}, nat2: {Ports: 64512}}
	ran := begun
	ran.Now, ran.SeenThrough, ran.through = at(6), at(1), at(2)
	ran = ran.serving(100, 0, 0, 2).timed(candidate, took(100, 0), 0, 2).gateway(nat1, -5, 2).gateway(nat2, -5, 2).
		says(ActiveInstances, candidate, each(1), 0, 2).silent(Pending, candidate).silent(NotFound, candidate)
	for name, c := range map[string]struct {
		rule Rule
		want time.Duration
	}{
		"requests":                           {ServerErrors{MaxRatio: 0.01, MinRequests: 10}, 4 * time.Minute},
		"the later of two metrics":           {ClientErrors{MaxRatio: 0.01, MinRequests: 10}, 5 * time.Minute},
		"latencies":                          {Latency{Percentile: 99, MaxMilliseconds: 500, MinRequests: 10}, 6 * time.Minute},
		"the latest of three":                {InstanceSaturation{MaxPercent: 80, MaxPending: 5}, 7 * time.Minute},
		"a gateway that is slower than ours": {NatDroppedPackets{}, 9 * time.Minute},
		"one whose witnesses are":            {NatAllocationFailures{}, 7 * time.Minute},
		"a gauge, which is its own witness":  {NatPortUtilization{MaxPercent: 80}, 8 * time.Minute},
		"a query":                            {Query{PromQL: "x", Max: Bound{"1", 1}}, 10 * time.Minute},
	} {
		for when, s := range map[string]scene{"before the first minute": begun, "later": ran} {
			for _, q := range c.rule.Questions(s.Scope) {
				a := s.answers[q.Series]
				a.Through, a.Delay = s.through, delays[q.Metric]
				s = s.answer(q.Series, a)
			}
			if v := c.rule.Judge(s.Scope, s.answers); v.Delay != c.want {
				t.Errorf("%s, %s: %s is judged after %s, want %s", name, when, v.Outcome, v.Delay, c.want)
			}
		}
	}
}
