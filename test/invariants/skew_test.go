package invariants

import (
	"testing"
	"time"
)

// A controller dates in whole seconds of its own clock, so that a part of a second decides
// which minute is the first that counts.
func TestMinutesCountByTheClocksThatDateThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		since         time.Duration // since a whole minute
		apart         time.Duration
		counts, holds time.Duration // since when minutes count for, and against it
	}{
		"no skew":                               {0, 0, time.Minute, time.Minute},
		"no skew, within the first second":      {900 * time.Millisecond, 0, time.Minute, time.Minute},
		"no skew, after the first second":       {time.Second, 0, 2 * time.Minute, 2 * time.Minute},
		"in the minute's first second, if late": {15158 * time.Millisecond, 14700 * time.Millisecond, time.Minute, 2 * time.Minute},
		"a second later":                        {15700 * time.Millisecond, 14700 * time.Millisecond, 2 * time.Minute, 2 * time.Minute},
		"in the next minute's first second":     {45900 * time.Millisecond, 14700 * time.Millisecond, 2 * time.Minute, 2 * time.Minute},
		"in the next minute, if early":          {46400 * time.Millisecond, 14700 * time.Millisecond, 2 * time.Minute, 3 * time.Minute},
	} {
		p := &past{settle: Settle - c.apart}
		if got := p.countedSince(start.Add(c.since)).Sub(start); got != c.counts {
			t.Errorf("%s: minutes count for it after %s; want %s", name, got, c.counts)
		}
		if got := p.countedAgainst(start.Add(c.since)).Sub(start); got != c.holds {
			t.Errorf("%s: minutes count against it after %s; want %s", name, got, c.holds)
		}
	}
}
