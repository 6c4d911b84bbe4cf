package analysis

import (
	"slices"
	"time"
)

// minute is one complete minute of evidence.
type minute struct {
	end   time.Time
	value int64 // requests, dropped packets or failed samples
	// Of requests, those that are surely bad, and by the best estimate.
	bad    int64
	likely float64
	apart  int64        // neither good nor bad: told, and not judged
	sizes  []*Histogram // how long they took, where that is judged
}

// byMinute sums an answer's points per minute, over all labels that keep
// accepts, up to the answer's Through.
func byMinute(a Answer, keep func(label string) bool) map[time.Time]int64 {
	sums := map[time.Time]int64{}
	for _, p := range a.Points {
		if p.End.After(a.Through) || !keep(p.Label) {
			continue
		}
		sums[p.End.UTC()] += p.Value
	}
	return sums
}

func every(string) bool { return true }

// span lists the minutes in (after, through] in which any series has a value.
// No other minute can be complete, so the list is as short as the answers are.
func span(after, through time.Time, series ...map[time.Time]int64) []time.Time {
	var ends []time.Time
	for _, values := range series {
		for end := range values {
			if end.After(after) && !end.After(through) {
				ends = append(ends, end)
			}
		}
	}
	slices.SortFunc(ends, time.Time.Compare)
	return slices.Compact(ends)
}

// heard is the newest minute whose silence can be told from lateness: the
// series and all its witnesses that answer have arrived up to it.
func heard(a Answer, witnesses ...Answer) time.Time {
	through := a.Through
	for _, w := range witnesses {
		if w.Cause == CauseNone {
			through = earlier(through, w.Through)
		}
	}
	return through
}

// silent tells whether the newest minutes up to through carry no evidence.
func silent(complete []minute, after, through time.Time) bool {
	latest := after
	if len(complete) > 0 {
		latest = complete[len(complete)-1].end
	}
	return through.Sub(latest) >= silence*time.Minute
}

// newest returns at most the given number of newest minutes.
func newest(complete []minute, n int) []minute {
	return complete[max(0, len(complete)-n):]
}

// within returns the minutes that end in (from, to].
func within(complete []minute, from, to time.Time) []minute {
	return slices.DeleteFunc(slices.Clone(complete), func(m minute) bool {
		return !m.end.After(from) || m.end.After(to)
	})
}

// ends lists the minutes by which a step may count its bake.
func ends(minutes []minute) []time.Time {
	list := make([]time.Time, 0, len(minutes))
	for _, m := range minutes {
		list = append(list, m.end)
	}
	return list
}
