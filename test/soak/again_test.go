package soak

import "testing"

// TestAStoryNamesTheCommandThatTellsItAgain, in its own kind of world.
func TestAStoryNamesTheCommandThatTellsItAgain(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]Options{
		"make soak SEED=7 ROLLOUTS=1":         {},
		"make soak SEED=7 ROLLOUTS=1 KEPT=1":  {Kept: true},
		"make soak SEED=7 ROLLOUTS=1 BURST=1": {Burst: true},
	} {
		if got := o.again(7); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}
