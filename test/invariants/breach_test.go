package invariants

import (
	"testing"
	"time"
)

func TestWhenErrorsCouldBeSeen(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	minute := func(n, ended, failed int) Served {
		return Served{noon.Add(time.Duration(n) * time.Minute), ended, failed}
	}
	for sentence, c := range map[string]struct {
		minutes []Served
		want    time.Time
	}{
		"no minute is no breach":                             {nil, time.Time{}},
		"two errors may be chance":                           {[]Served{minute(1, 10, 2)}, time.Time{}},
		"one percent is within the limit":                    {[]Served{minute(1, 300, 3)}, time.Time{}},
		"three of few are seen when their minute arrived":    {[]Served{minute(1, 10, 3)}, noon.Add(4 * time.Minute)},
		"errors of several minutes add up":                   {[]Served{minute(1, 20, 2), minute(2, 20, 1)}, noon.Add(5 * time.Minute)},
		"a healthy past dilutes, and what comes later tells": {[]Served{minute(1, 1000, 0), minute(2, 50, 3), minute(3, 50, 9)}, noon.Add(6 * time.Minute)},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			if got := FirstVisible(c.minutes); !got.Equal(c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
