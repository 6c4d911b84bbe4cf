package cloudrun

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const (
	// revisionsPart is the part of our reads, 1/revisionsPart, that revisions may take
	// that are looked at again and again. Lists, decisions and ways back have the rest.
	revisionsPart = 2
	// oldestCrowded is how old a crowd may let a revision get; one that may be old
	// anyway, twice as old.
	oldestCrowded = 5 * time.Minute
	// wantedFor is how long a look counts as one that comes again.
	wantedFor = 5 * time.Minute
)

// want is how old a revision may be for whoever looks at it, and the newest look.
type want struct {
	maxAge time.Duration
	at     time.Time
}

// bearable is how old revisions may be, of which none older than maxAge are wanted. It
// is more where so many are wanted in their place that our limit does not bear it:
// revisions seldom change, and otherwise those that are looked at most often would
// use up what all others need, for as long as they are under way.
func (w *Watch) bearable(ref rollout.ServiceRef, names []string, now time.Time, maxAge time.Duration) time.Duration {
	if w.client.clock == nil {
		return maxAge
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	wants := w.wants[placeOf(ref)]
	if wants == nil {
		wants = map[seenKey]want{}
		w.wants[placeOf(ref)] = wants
	}
	for _, name := range names {
		wants[seenKey{ref, name}] = want{maxAge, now}
	}
	bears := float64(w.client.quotas.Limits.PerMinute) / revisionsPart
	stretched := time.Duration(float64(maxAge) * perMinute(wants, now) / bears)
	return max(maxAge, min(stretched, max(oldestCrowded, 2*maxAge)))
}

// perMinute is how many reads a minute would give everybody what they want. It forgets
// whoever has not looked for a while.
func perMinute(wants map[seenKey]want, now time.Time) float64 {
	reads := 0.0
	for key, w := range wants {
		if !fresh(w.at, now, wantedFor) {
			delete(wants, key)
			continue
		}
		reads += time.Minute.Seconds() / w.maxAge.Seconds()
	}
	return reads
}
