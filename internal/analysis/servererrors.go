package analysis

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// certainty is the number of standard deviations by which an error share must
// lie over the limit to be a breach: one-sided, 1 in 740 by chance.
const certainty = 3

// fewest is the least number of errors a breach needs: one or two prove nothing.
const fewest = 3

// ServerErrors limits the share of responses with a 5xx status.
//
// It is a breach when at least three errors were seen and the one-sided Wilson
// lower bound of their share lies above MaxRatio, over the whole step or over
// its newest window, which reaches back until it holds MinRequests; a pass when
// at least MinRequests were seen and the share of the whole step is at most
// MaxRatio.
// Wilson, "Probable inference", JASA 22 (1927).
type ServerErrors struct {
	MaxRatio    float64 // 0..1
	MinRequests int64
}

// Questions asks for both revisions' requests and the candidate's instances.
func (r ServerErrors) Questions(s Scope) []Question {
	if s.AttemptSince.IsZero() {
		return []Question{s.ask(Requests, s.Stable, s.preflightAfter())}
	}
	after := s.stepAfter()
	return []Question{
		s.ask(Requests, s.Candidate, after),
		s.ask(Instances, s.Candidate, after),
		s.ask(Requests, s.Stable, after),
	}
}

// Preflight wants proof that stable's requests are counted at all: a rule that
// cannot see the revision that serves now will not see the candidate either.
// Errors of stable's own do not prevent a start, which may be their cure.
func (r ServerErrors) Preflight(s Scope, answers Answers) Verdict {
	a := answers.Of(Series{Requests, s.Stable})
	if a.Cause != CauseNone {
		return unknown(s.Stable, a)
	}
	minutes, through := r.minutes(a, s.preflightAfter())
	if len(minutes) == 0 {
		return absent(s.Stable, "request counted in the last 30 minutes", through, nil)
	}
	v := Verdict{
		Outcome: Pass, Source: s.Stable.String(), Limit: r.limit(), Required: r.MinRequests,
		Through: through, Note: "requests of " + s.Stable.String() + " are counted",
	}
	if found := r.breaches(minutes, through, s.Window); len(found) > 0 {
		v.Note = fmt.Sprintf("stable %s itself is over the limit, 5xx %s of %d requests, limit %s",
			s.Stable, found[0].percent(), found[0].n, r.limit())
	}
	return v
}

// Judge judges the candidate, and stable beside it.
func (r ServerErrors) Judge(s Scope, answers Answers) Verdict {
	requests := answers.Of(Series{Requests, s.Candidate})
	through := requests.Through
	complete := r.complete(s, answers)
	total := count(complete)

	v := Verdict{
		Source: s.Candidate.String(), Limit: r.limit(), Required: r.MinRequests, Samples: total.n,
		Value: total.percent(), Through: through, Healthy: ends(complete),
	}
	if found := r.breaches(complete, through, s.Window); len(found) > 0 {
		return r.breached(v, found, s, answers)
	}
	heard := heard(requests, answers.Of(Series{Instances, s.Candidate}), answers.Of(Series{Requests, s.Stable}))
	begun := s.until().After(s.stepAfter()) // before that there was nothing to ask
	switch {
	case begun && requests.Cause != CauseNone:
		return unknown(s.Candidate, requests)
	case silent(complete, s.stepAfter(), heard):
		return r.silence(s, answers, heard)
	case len(complete) == 0:
		v.Outcome, v.Through = Incomplete, time.Time{}
		v.Note = fmt.Sprintf("%s: first minute not arrived yet", s.Candidate)
	case total.n < r.MinRequests:
		v.Outcome, v.Note = Insufficient, r.insufficient(total, len(complete))
	case total.ratio() <= r.MaxRatio:
		v.Outcome, v.Note = Pass, fmt.Sprintf("5xx %s of %d requests, limit %s", total.percent(), total.n, r.limit())
	default:
		v.Outcome = Undecided
		v.Note = fmt.Sprintf("5xx %s of %d requests, limit %s, not certain", total.percent(), total.n, r.limit())
	}
	return v
}

// silence names why the newest minutes are not complete.
func (r ServerErrors) silence(s Scope, answers Answers, through time.Time) Verdict {
	for _, witness := range []Series{{Instances, s.Candidate}, {Requests, s.Stable}} {
		if a := answers.Of(witness); a.Cause != CauseNone {
			return unknown(witness.Source, a)
		}
	}
	return absent(s.Candidate, "requests that can be told from missing data", through, nil)
}

// complete lists the candidate's minutes of evidence: those with requests, and
// those without where an instance and stable's requests were seen.
func (r ServerErrors) complete(s Scope, answers Answers) []minute {
	a := answers.Of(Series{Requests, s.Candidate})
	all := byMinute(a, every)
	bad := byMinute(a, serverError)
	instances := byMinute(answers.Of(Series{Instances, s.Candidate}), every)
	stable := byMinute(answers.Of(Series{Requests, s.Stable}), every)

	var complete []minute
	for _, end := range span(s.stepAfter(), a.Through, all, instances) {
		n, seen := all[end]
		_, running := instances[end]
		_, counted := stable[end]
		if seen || running && counted {
			complete = append(complete, minute{end: end, value: n, bad: bad[end]})
		}
	}
	return complete
}

// breaches judges the newest window of the step, and the whole of it.
func (r ServerErrors) breaches(complete []minute, through time.Time, window time.Duration) []tally {
	spans := []tally{count(r.recently(complete, through.Add(-window))), count(complete)}
	return slices.DeleteFunc(spans, func(t tally) bool { return !r.certain(t) })
}

// recently returns the minutes after a time, and as many older ones as it takes
// to hold MinRequests. Fewer requests say little: late points come one class at
// a time, and the errors may be there before the successes. More minutes would
// hide a failure behind all that went well before it.
func (r ServerErrors) recently(complete []minute, after time.Time) []minute {
	first, n := len(complete), int64(0)
	for first > 0 && (n < r.MinRequests || complete[first-1].end.After(after)) {
		first--
		n += complete[first].value
	}
	return complete[first:]
}

func (r ServerErrors) certain(t tally) bool {
	return t.k >= fewest && wilsonLower(t.k, t.n) > r.MaxRatio
}

// breached completes a breach's verdict, after a look at stable. It is shared
// when stable is in breach as well and the candidate is not certainly worse.
func (r ServerErrors) breached(v Verdict, found []tally, s Scope, answers Answers) Verdict {
	stable, through := r.minutes(answers.Of(Series{Requests, s.Stable}), s.stepAfter())
	both := r.breaches(stable, through, s.Window)
	worst, beside := found[0], ""
	if v.Shared = len(both) > 0; v.Shared {
		beside = fmt.Sprintf("; stable %s fails too, %s of %d", s.Stable, both[0].percent(), both[0].n)
		for _, t := range found {
			if same := count(within(stable, t.after, through)); t.worseThan(same) {
				v.Shared, worst = false, t
				beside = fmt.Sprintf("; stable %s fails too, but certainly less, %s of %d", s.Stable, same.percent(), same.n)
				break
			}
		}
	}
	v.Outcome, v.Value, v.Samples = Breach, worst.percent(), worst.n
	v.Note = fmt.Sprintf("5xx %s of %d requests, limit %s%s", worst.percent(), worst.n, r.limit(), beside)
	return v
}

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

// minutes lists the minutes of an answer that have requests.
func (r ServerErrors) minutes(a Answer, after time.Time) (list []minute, through time.Time) {
	all, bad := byMinute(a, every), byMinute(a, serverError)
	for _, end := range span(after, a.Through, all) {
		list = append(list, minute{end: end, value: all[end], bad: bad[end]})
	}
	return list, a.Through
}

func (r ServerErrors) insufficient(t tally, minutes int) string {
	note := fmt.Sprintf("%d of %d requests", t.n, r.MinRequests)
	if t.n == 0 || minutes == 0 {
		return note
	}
	rate := float64(t.n) / float64(minutes)
	return fmt.Sprintf("%s; at this rate %.0f more minutes", note, math.Ceil(float64(r.MinRequests-t.n)/rate))
}

func (r ServerErrors) limit() string { return percent(r.MaxRatio) }

func serverError(class string) bool { return class == "5xx" }

// tally counts requests and the server errors among them.
type tally struct {
	n, k  int64
	after time.Time // the minutes that were counted end after it
}

func count(minutes []minute) tally {
	var t tally
	if len(minutes) > 0 {
		t.after = minutes[0].end.Add(-time.Minute)
	}
	for _, m := range minutes {
		t.n += m.value
		t.k += m.bad
	}
	return t
}

func (t tally) ratio() float64 {
	if t.n == 0 {
		return 0
	}
	return float64(t.k) / float64(t.n)
}

func (t tally) percent() string { return percent(t.ratio()) }

// percent writes a ratio with at most two decimals: "0.5%".
func percent(ratio float64) string {
	return strconv.FormatFloat(math.Round(ratio*10000)/100, 'f', -1, 64) + "%"
}

// wilsonLower is the lower end of the one-sided Wilson score interval of k
// successes in n trials, as wide as certainty says.
func wilsonLower(k, n int64) float64 {
	if n <= 0 {
		return 0
	}
	centre, spread := wilson(k, n)
	return max(0, centre-spread)
}

// wilsonUpper is its upper end.
func wilsonUpper(k, n int64) float64 {
	if n <= 0 {
		return 1
	}
	centre, spread := wilson(k, n)
	return min(1, centre+spread)
}

func wilson(k, n int64) (centre, spread float64) {
	trials, p := float64(n), float64(k)/float64(n)
	z2 := float64(certainty * certainty)
	whole := 1 + z2/trials
	return (p + z2/(2*trials)) / whole, certainty * math.Sqrt(p*(1-p)/trials+z2/(4*trials*trials)) / whole
}
