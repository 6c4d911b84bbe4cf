package analysis

import (
	"math"
	"strconv"
	"time"
)

// tally counts requests, and the bad ones among them.
type tally struct {
	n      int64
	k      int64   // surely bad
	likely float64 // bad by the best estimate; k, where that is exact
	apart  int64   // told, and not judged
	sizes  []*Histogram
	// The minutes that were counted end in (after, until].
	after, until time.Time
}

func count(minutes []minute) tally {
	var t tally
	if len(minutes) > 0 {
		t.after, t.until = minutes[0].end.Add(-time.Minute), minutes[len(minutes)-1].end
	}
	for _, m := range minutes {
		t.n += m.value
		t.k += m.bad
		t.likely += m.likely
		t.apart += m.apart
		t.sizes = append(t.sizes, m.sizes...)
	}
	return t
}

// ratio is the share of bad requests by the best estimate, 0..1.
func (t tally) ratio() float64 {
	if t.n == 0 {
		return 0
	}
	return t.likely / float64(t.n)
}

func (t tally) percent() string { return percent(t.ratio()) }

// worseThan tells whether a share is certainly larger than that of other
// requests in the same minutes: the lower bound of the one lies above the upper
// bound of the other, or there is no error among them. Intervals that lie apart
// differ more certainly than each is known, so this errs towards a shared
// failure; it needs no normal approximation of few errors. Schenker and
// Gentleman, "On judging the significance of differences by examining the
// overlap between confidence intervals", American Statistician 55 (2001).
func (t tally) worseThan(other tally) bool {
	return other.k == 0 || wilsonLower(t.k, t.n) > wilsonUpper(other.k, other.n)
}

// percent writes a ratio with at most two decimals: "0.5%".
func percent(ratio float64) string {
	return strconv.FormatFloat(math.Round(ratio*10000)/100, 'f', -1, 64) + "%"
}
