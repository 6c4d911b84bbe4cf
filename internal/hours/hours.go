package hours

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// Freeze is a span of time in which nothing rises, and who wants that.
type Freeze struct {
	Name, Reason string
	Start, End   time.Time // End is the first moment after it
}

// holds tells whether a freeze holds at a time.
func (f Freeze) holds(at time.Time) bool { return !at.Before(f.Start) && at.Before(f.End) }

// farthest is how many openings and ends of freezes are looked at for the next moment at
// which both let rises through.
const farthest = 100

// At tells what windows and freezes say at a time. Without windows every time is in one.
// A freeze outranks them.
func At(windows []Window, freezes []Freeze, now time.Time) rollout.Hours {
	why := ""
	if f, ok := frozen(freezes, now); ok {
		why = fmt.Sprintf("RolloutFreeze %s until %s: %s", f.Name, rollout.Clock(f.End), f.Reason)
	} else if !within(windows, now) {
		why = "outside of spec.strategy.windows"
	}
	if why == "" {
		return rollout.Hours{}
	}
	return rollout.Hours{Shut: true, Why: why, Opens: opens(windows, freezes, now)}
}

// opens is the first moment from a time on at which something may rise, or the zero time
// where none is near.
func opens(windows []Window, freezes []Freeze, at time.Time) time.Time {
	for range farthest {
		if f, ok := frozen(freezes, at); ok {
			at = f.End
			continue
		}
		if within(windows, at) {
			return at
		}
		if at = slices.MinFunc(nexts(windows, at), time.Time.Compare); at.IsZero() { // none in five years
			break
		}
	}
	return time.Time{}
}

// frozen returns the freeze that holds at a time and ends last.
func frozen(freezes []Freeze, at time.Time) (Freeze, bool) {
	var last Freeze
	for _, f := range freezes {
		if f.holds(at) && (f.End.After(last.End) || f.End.Equal(last.End) && strings.Compare(f.Name, last.Name) < 0) {
			last = f
		}
	}
	return last, last.Name != ""
}

func within(windows []Window, at time.Time) bool {
	return len(windows) == 0 || slices.ContainsFunc(windows, func(w Window) bool { return w.open(at) })
}

func nexts(windows []Window, after time.Time) []time.Time {
	all := make([]time.Time, 0, len(windows))
	for _, w := range windows {
		all = append(all, w.next(after))
	}
	return all
}
