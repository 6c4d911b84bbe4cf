package analysis

import (
	"slices"
	"time"
)

// Outcome is what a check says about a step so far.
type Outcome string

// The outcomes. Only Pass and NotApplicable let a step end.
const (
	// Pass: enough evidence, within the limit.
	Pass Outcome = "Pass"
	// Breach: certainly over the limit.
	Breach Outcome = "Breach"
	// NoData: the metric does not answer, or its silence cannot be explained.
	NoData Outcome = "NoData"
	// Incomplete: the first minute of the step has not arrived yet.
	Incomplete Outcome = "Incomplete"
	// Insufficient: too few requests to say anything.
	Insufficient Outcome = "Insufficient"
	// Undecided: enough requests, above the limit, but not certainly.
	Undecided Outcome = "Undecided"
	// NotApplicable: there is nothing to watch, and the note says why.
	NotApplicable Outcome = "NotApplicable"
)

// Verdict is what one rule makes of the answers.
type Verdict struct {
	Outcome Outcome
	// Shared is set on a breach that the stable revision shows as well: going
	// back would not cure it.
	Shared bool
	// Stopped is set on a breach whose newest minute is within the limit: it
	// still holds the step, and is no reason to go back.
	Stopped bool
	// Troubles are what the breaches of gateways are made of, one for each gateway
	// that is in breach.
	Troubles []Trouble
	// Cause of NoData.
	Cause Cause
	// Source is the revision or gateway the verdict is about.
	Source string
	// Value and Limit are what was measured and what is allowed, with unit.
	Value, Limit string
	// Samples and Required count requests, for rules that need a number.
	Samples, Required int64
	// Through is the end of the newest judged minute; zero when none was.
	Through time.Time
	// Delay is how long after its end a minute can be judged, because of the metrics
	// that it takes; 0 where that is not known.
	Delay time.Duration
	// Healthy are the ends of the complete minutes that count as bake.
	Healthy []time.Time
	// Note is one clause for people: number, limit, source.
	Note string
}

// worse orders outcomes by how much they speak against going on.
var worse = map[Outcome]int{
	NotApplicable: 0, Pass: 1, Incomplete: 2, Insufficient: 3, Undecided: 4, NoData: 5, Breach: 6,
}

// Worst merges the verdicts of one rule over several sources: the worst one
// speaks, the earliest Through and the longest Delay hold, and a minute is healthy
// only if it is healthy everywhere.
func Worst(verdicts []Verdict) Verdict {
	merged := verdicts[0]
	for _, v := range verdicts[1:] {
		through, healthy := earlier(merged.Through, v.Through), Common(merged.Healthy, v.Healthy)
		troubles, delay := slices.Concat(merged.Troubles, v.Troubles), max(merged.Delay, v.Delay)
		if worse[v.Outcome] > worse[merged.Outcome] || v.Outcome == merged.Outcome && merged.Stopped && !v.Stopped {
			merged = v
		}
		merged.Through, merged.Healthy, merged.Troubles, merged.Delay = through, healthy, troubles, delay
	}
	return merged
}

// Common returns the minutes that are in both ascending lists.
func Common(a, b []time.Time) []time.Time {
	var both []time.Time
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch a[i].Compare(b[j]) {
		case 0:
			both = append(both, a[i])
			i, j = i+1, j+1
		case -1:
			i++
		default:
			j++
		}
	}
	return both
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
