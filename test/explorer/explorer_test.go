package explorer

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// TestNothingIsBroken looks at everything that can happen with one fault, and with
// one act of a person. make explore looks at both together.
func TestNothingIsBroken(t *testing.T) {
	t.Parallel()
	for _, scope := range []Scope{{Faults: 1}, {Acts: 1}, {Acts: 1, Git: true, MostStates: 150_000}, {Kept: true, Faults: 1, MostStates: 150_000}} {
		scope.Workers, scope.Decide = 2, rollout.Decide
		r := Explore(scope)
		for _, v := range r.Violations {
			t.Error(v)
		}
		if r.Exhausted != (scope.MostStates == 0) || r.States < 100_000 || r.WaysBack < 10_000 {
			t.Errorf("looked at %d states, exhausted: %v, %d ways back; there are more", r.States, r.Exhausted, r.WaysBack)
		}
		t.Logf("%d faults, %d acts, Git %v, kept %v: %d states, %d edges, depth %d, %d ways back",
			scope.Faults, scope.Acts, scope.Git, scope.Kept, r.States, r.Edges, r.Depth, r.WaysBack)
	}
}

// TestTheResultDoesNotDependOnTheWorkers: nor does the story of a bug.
func TestTheResultDoesNotDependOnTheWorkers(t *testing.T) {
	t.Parallel()
	buggy := sees(func(in *rollout.Input) { in.Plan.Steps = in.Plan.Steps[len(in.Plan.Steps)-1:] })
	for name, decide := range map[string]func(rollout.Input) rollout.Decision{"the product": rollout.Decide, "a bug": buggy} {
		one := Explore(Scope{Faults: 1, MostStates: 5_000, Workers: 1, Decide: decide})
		four := Explore(Scope{Faults: 1, MostStates: 5_000, Workers: 4, Decide: decide})
		if diff := cmp.Diff(one, four); diff != "" {
			t.Errorf("one worker and four find different things in %s (-one +four):\n%s", name, diff)
		}
		if told := len(one.Violations) > 0; told != (name == "a bug") {
			t.Errorf("violations of %s: %v", name, one.Violations)
		}
	}
}
