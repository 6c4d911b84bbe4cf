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

// sums are the values of a series, one for each minute that has any, oldest first.
type sums []sum

type sum struct {
	end   time.Time
	value int64
}

// byMinute sums an answer's points per minute, over all labels that keep
// accepts, up to the answer's Through.
func byMinute(a Answer, keep func(label string) bool) sums {
	list := make(sums, 0, len(a.Points))
	for _, p := range a.Points {
		if !p.End.After(a.Through) && keep(p.Label) {
			list = list.add(p.End.UTC(), p.Value)
		}
	}
	return list
}

// add adds to the value of a minute. Points come oldest first, so that it is mostly
// the last one or a new one.
func (s sums) add(end time.Time, value int64) sums {
	at := len(s)
	for at > 0 && s[at-1].end.After(end) {
		at--
	}
	if at > 0 && s[at-1].end.Equal(end) {
		s[at-1].value += value
		return s
	}
	if at == len(s) {
		return append(s, sum{end, value})
	}
	return slices.Insert(s, at, sum{end, value})
}

// at is the value of a minute; 0 where there is none.
func (s sums) at(end time.Time) int64 {
	i, found := slices.BinarySearchFunc(s, end, func(one sum, end time.Time) int { return one.end.Compare(end) })
	if !found {
		return 0
	}
	return s[i].value
}

func every(string) bool { return true }

// span lists the minutes in (after, through] in which any series has a value.
// No other minute can be complete, so the list is as short as the answers are.
func span(after, through time.Time, series ...sums) []time.Time {
	var ends []time.Time
	for latest := after; ; {
		next := through.Add(1) // where there is none
		for i, values := range series {
			for len(values) > 0 && !values[0].end.After(latest) {
				values = values[1:]
			}
			if series[i] = values; len(values) > 0 && values[0].end.Before(next) { //nolint:gosec // the index is that of the range
				next = values[0].end
			}
		}
		if next.After(through) {
			return ends
		}
		ends, latest = append(ends, next), next
	}
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

// newest returns the newest minutes that a rule looks at.
func newest(complete []minute) []minute {
	return complete[max(0, len(complete)-recent):]
}

// within returns the minutes that end in (from, to], a part of the same list.
func within(complete []minute, from, to time.Time) []minute {
	first, last := following(complete, from), following(complete, to)
	return complete[min(first, last):last:last]
}

// following is the index of the first minute after a time.
func following(complete []minute, t time.Time) int {
	i, _ := slices.BinarySearchFunc(complete, t, func(m minute, t time.Time) int {
		if m.end.After(t) {
			return 1
		}
		return -1
	})
	return i
}

// has tells whether a minute is in a list.
func has(complete []minute, end time.Time) bool {
	i := following(complete, end)
	return i > 0 && complete[i-1].end.Equal(end)
}

// ends lists the minutes by which a step may count its bake.
func ends(minutes []minute) []time.Time {
	list := make([]time.Time, 0, len(minutes))
	for _, m := range minutes {
		list = append(list, m.end)
	}
	return list
}
