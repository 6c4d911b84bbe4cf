package controllers

import (
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// TestMeasurementsAreAskedForByTheClockThatIsBehind: by a clock that is ahead of
// Google's a minute seems to have arrived of which only a part has, and the part that
// is missing may be the errors.
func TestMeasurementsAreAskedForByTheClockThatIsBehind(t *testing.T) {
	t.Parallel()
	for skew, want := range map[time.Duration]time.Time{
		0: morning, 29 * time.Second: morning.Add(-29 * time.Second), -29 * time.Second: morning,
	} {
		in := rollout.Input{Now: morning, Service: rollout.Service{Skew: skew}}
		if got := asOf(in); !got.Equal(want) {
			t.Errorf("with a clock %s ahead they are asked for as of %s, want %s", skew, got, want)
		}
	}
}
