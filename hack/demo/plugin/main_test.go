package main

import (
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

// TestItTellsTheWorldsTimeAndWaitsInItsOwn: what happened ten minutes ago by the world's
// clock is ten minutes old, and a timer does not wait for the world.
func TestItTellsTheWorldsTimeAndWaitsInItsOwn(t *testing.T) {
	t.Parallel()
	there := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	c := worldly{time: clocktesting.NewFakePassiveClock(there)}
	if got := c.Now(); !got.Equal(there) {
		t.Errorf("it is %s", got)
	}
	if got := c.Since(there.Add(-10 * time.Minute)); got != 10*time.Minute {
		t.Errorf("it was %s ago", got)
	}
	<-c.NewTimer(time.Millisecond).C()
}
