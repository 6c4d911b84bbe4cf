package simulator_test

import (
	"testing"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// A switch that nobody set behaves as the first of its values says, so that is its
// value for whoever asks what the world is like.
func TestASwitchThatIsNotSetHasItsFirstValue(t *testing.T) {
	t.Parallel()
	unset := simulator.Switches{}.Values()
	for name, values := range simulator.AllSwitches() {
		if unset[name] != values[0] {
			t.Errorf("%s is %q where nobody has set it, want %q", name, unset[name], values[0])
		}
	}
	if len(unset) != len(simulator.AllSwitches()) {
		t.Errorf("%d switches have a value, and there are %d", len(unset), len(simulator.AllSwitches()))
	}
}

func TestASwitchThatIsSetLeavesTheOthersAtTheirFirstValue(t *testing.T) {
	t.Parallel()
	for name, values := range simulator.AllSwitches() {
		var s simulator.Switches
		if err := s.Set(name, values[1]); err != nil {
			t.Fatal(err)
		}
		for other, has := range s.Values() {
			want := simulator.AllSwitches()[other][0]
			if other == name {
				want = values[1]
			}
			if has != want {
				t.Errorf("%s was set, and %s is %q, want %q", name, other, has, want)
			}
		}
	}
	literal := simulator.Switches{Etag: "ignored"}.Values()
	if literal["etag"] != "ignored" || literal["zeroSeries"] != "absent" {
		t.Errorf("a switch that a scenario sets: %v", literal)
	}
}
