package invariants

import "time"

// Served is what one revision served in the minute that ends at End.
type Served struct {
	End time.Time
	// Ended are the requests that were answered, Failed those of them that failed.
	Ended, Failed int
}

// visibleAfter is how long after its end a minute of request_count has arrived at the
// latest (Cloud Run metrics list: visible up to 180 s after it was sampled).
const visibleAfter = 180 * time.Second

// FirstVisible is when a candidate's errors could first be told from chance by
// anyone who reads the metrics: three errors, more than one percent, and enough
// minutes to have arrived. It is a plainer rule than Sluice's own, and earlier. It
// is zero where that never happened. The minutes are in the order of time.
func FirstVisible(minutes []Served) time.Time {
	ended, failed := 0, 0
	for _, m := range minutes {
		ended, failed = ended+m.Ended, failed+m.Failed
		if failed >= 3 && failed*100 > ended {
			return m.End.Add(visibleAfter)
		}
	}
	return time.Time{}
}
