package invariants

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// lowered is the good rollout up to its end at 100 %, which it then leaves for the
// weights that follow, each at its time.
func lowered(phase string, steps ...any) Trace {
	trace := until[Saved](good(), 5)
	now := nth[Write](good(), 2).Targets
	blue := Target{Revision: "web-1", Tag: "blue"}
	for i := 0; i < len(steps); i += 2 {
		at, weight, etag := steps[i].(string), steps[i+1].(int), fmt.Sprintf("c%d", i)
		s := Saved{
			At: after(at), Plan: 1, Generation: 3, Phase: phase, Attempt: 1, Stable: "web-1", Candidate: "web-2",
			Intent: &Intent{Split{}, etag, nil},
		}
		targets := []Target{{Revision: "web-1", Percent: 100 - weight, Tag: ourTag}, blue}
		if weight > 0 {
			targets = append(targets, Target{Revision: "web-2", Percent: weight})
		}
		s.Intent.Split = snap("", 0, targets...).Desired
		trace = append(trace, Read{At: after(at), State: snap(etag, 3, now...)}, s)
		trace = append(trace, written(at, etag, snap(etag, 3, now...), targets)...)
		now = targets
	}
	return trace
}

// TestAWayBack is what may be written on it.
func TestAWayBack(t *testing.T) {
	t.Parallel()
	waiting := func(trace Trace, at string) Trace {
		s := trace[len(trace)-3].(Saved)
		s.At, s.Intent = after(at), nil
		return append(slices.Clone(trace), s)
	}
	for name, c := range map[string]struct {
		trace     Trace
		invariant string
		what      string
	}{
		"one write":                      {lowered("RollingBack", "20m", 0), "", ""},
		"three writes":                   {lowered("RollingBack", "20m", 50, "21m15s", 20, "22m30s", 0), "", ""},
		"a wait between them":            {waiting(lowered("RollingBack", "20m", 50, "21m15s", 20), "22m20s"), "", ""},
		"four writes":                    {lowered("RollingBack", "20m", 50, "20m30s", 30, "21m", 20, "21m30s", 0), "I5", "more than 3 writes"},
		"a write that changes nothing":   {lowered("RollingBack", "20m", 50, "21m15s", 50), "I5", "goes from 50% to 50%"},
		"a wait that is too long":        {waiting(lowered("RollingBack", "20m", 50, "21m15s", 20), "23m20s"), "I5", "3m20s after a way back began web-2 still has 20%"},
		"one weight of the plan, to try": {lowered("Held", "20m", 10), "", ""},
		"and another one":                {lowered("Held", "20m", 10, "40m", 0), "", ""},
		"two weights of the plan":        {lowered("Held", "20m", 0), "I3", "the plan has 10% below"},
		"a weight that is none":          {lowered("Held", "20m", 50), "I3", "web-2 goes from 100% to 50%"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var found []string
			for _, v := range Judge(c.trace) {
				if c.what == "" || v.Invariant != c.invariant || !strings.Contains(v.What, c.what) {
					t.Error(v)
				}
				found = append(found, v.Invariant)
			}
			if c.what != "" && len(found) == 0 {
				t.Errorf("nothing is wrong, want %s: %s", c.invariant, c.what)
			}
		})
	}
}
