package analysis

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Latency limits a percentile of the time that requests take in an instance,
// start-up and the wait for an instance not included.
//
// A percentile is over its limit when too many requests take at least that
// long, so it is judged like a share: a breach when more than 100-Percentile
// percent of the requests are certainly slow, a pass when by the best estimate
// at most so many are. Requests in the bucket of the distribution that holds the
// limit are not certainly slow.
type Latency struct {
	Percentile      float64 // 0..100, such as 99
	MaxMilliseconds int64
	MinRequests     int64
}

// Questions asks for both revisions' latencies and the candidate's instances.
func (r Latency) Questions(s Scope) []Question { return r.share().questions(s) }

// Preflight wants proof that stable's requests are timed.
func (r Latency) Preflight(s Scope, answers Answers) Verdict { return r.share().preflight(s, answers) }

// Judge judges the candidate, and stable beside it.
func (r Latency) Judge(s Scope, answers Answers) Verdict { return r.share().judge(s, answers) }

func (r Latency) share() share {
	shown := strconv.FormatInt(r.MaxMilliseconds, 10) + " ms"
	return share{
		requests: slow{r.Percentile, float64(r.MaxMilliseconds)}, limit: max(0, (100-r.Percentile)/100),
		required: r.MinRequests, words: "limit " + shown, shown: shown,
	}
}

// slow sees requests by how long they took.
type slow struct{ percentile, milliseconds float64 }

func (slow) metrics() []Metric { return []Metric{Latencies} }

func (c slow) minutes(answers Answers, of Source) []minute {
	a := answers.Of(Series{Latencies, of})
	a.Points = slices.DeleteFunc(slices.Clone(a.Points), func(p Point) bool { return p.Histogram == nil || p.End.After(a.Through) })
	sums := byMinute(a, every)
	list := make([]minute, len(sums))
	for i, one := range sums {
		list[i].end = one.end
	}
	for _, p := range a.Points {
		m := &list[following(list, p.End)-1]
		sure, likely := p.Histogram.above(c.milliseconds)
		m.value, m.bad, m.likely = m.value+p.Histogram.samples(), m.bad+sure, m.likely+likely
		m.sizes = append(m.sizes, p.Histogram)
	}
	return list
}

func (c slow) says(t tally) (words, value string) {
	value = fmt.Sprintf("%.0f ms", math.Round(quantile(t.sizes, c.percentile/100)))
	return "p" + strconv.FormatFloat(c.percentile, 'f', -1, 64) + " " + value, value
}
