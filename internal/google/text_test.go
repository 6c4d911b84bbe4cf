package google

import (
	"testing"
	"time"
)

func TestATimeOfAnAPI(t *testing.T) {
	t.Parallel()
	nine := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-03-01T09:00:00Z":           nine,
		"2026-03-01T18:00:00+09:00":      nine,
		"2026-03-01T09:00:00.123456Z":    nine.Add(123456 * time.Microsecond),
		"2026-03-01T09:00:00.123456789Z": nine.Add(123456789),
		"":                               {},
		"yesterday":                      {},
		"2026-03-01":                     {},
	} {
		if got := Time(text); !got.Equal(want) {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}
