package monitoring

import (
	"time"

	"k8s.io/utils/clock"
)

// watch goes on from a time that was told, so that what takes long ends later
// than it began. Passes are told whole seconds, and so it counts.
type watch struct {
	clock       clock.PassiveClock
	told, began time.Time
}

func newWatch(c clock.PassiveClock, told time.Time) watch {
	return watch{clock: c, told: told, began: c.Now()}
}

func (w watch) now() time.Time {
	return w.told.Add(max(0, w.clock.Since(w.began).Truncate(time.Second)))
}
