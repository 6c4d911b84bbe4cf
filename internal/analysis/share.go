package analysis

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// requests is how one kind of check sees the requests of a revision: how many
// there were in each minute, and how many of them were bad.
type requests interface {
	// metrics lists what is asked for. The first one counts all requests.
	metrics() []Metric
	// minutes adds up a revision's minutes in which requests were counted, oldest
	// first.
	minutes(answers Answers, of Source) []minute
	// says writes the share of a tally for people: "5xx 1.2%".
	says(t tally) (words, value string)
}

// share limits the share of bad requests of the candidate.
//
// It is a breach when at least three were bad and the lower bound of their share
// lies certainly above the limit, over the whole step or over its newest window,
// which reaches back until it holds the required requests; a pass when at least
// those were seen and the share of the whole step is within the limit. Windows
// that ended while nobody looked are judged as if somebody had. The step before
// is judged again, because its data may have come late.
type share struct {
	requests
	limit    float64 // 0..1: of the share or, if relative, of how far it is above stable's
	words    string  // the limit for people: "limit 1%"
	shown    string  // the same, without the word
	required int64
	relative bool
}

// besides is what a candidate is judged beside.
type besides struct {
	Scope
	stable  []minute // of stable's, since half an hour before the attempt
	through time.Time
}

// besides reads stable's minutes once for all windows.
func (r share) besides(s Scope, answers Answers) besides {
	through := r.whole(answers, s.Stable).Through
	return besides{s, r.counted(answers, s.Stable, s.preflightAfter(), through), through}
}

// questions asks for both revisions' requests and the candidate's instances.
func (r share) questions(s Scope) []Question {
	metrics := r.metrics()
	questions := make([]Question, 0, 2*len(metrics)+1)
	if s.AttemptSince.IsZero() {
		for _, m := range metrics {
			questions = append(questions, s.ask(m, s.Stable, s.preflightAfter()))
		}
		return questions
	}
	after := s.earlierAfter()
	for _, m := range append(metrics, Instances) {
		questions = append(questions, s.ask(m, s.Candidate, after))
	}
	if r.relative {
		after = s.preflightAfter()
	}
	for _, m := range metrics {
		questions = append(questions, s.ask(m, s.Stable, after))
	}
	return questions
}

// preflight wants proof that stable's requests are counted at all: a rule that
// cannot see the revision that serves now will not see the candidate either.
// Bad requests of stable's own do not prevent a start, which may be their cure.
func (r share) preflight(s Scope, answers Answers) Verdict {
	whole := r.whole(answers, s.Stable)
	if whole.Cause != CauseNone {
		return unknown(s.Stable, whole)
	}
	minutes := r.counted(answers, s.Stable, s.preflightAfter(), whole.Through)
	if len(minutes) == 0 {
		return absent(s.Stable, "request counted in the last 30 minutes", whole.Through, nil)
	}
	v := Verdict{
		Outcome: Pass, Source: s.Stable.String(), Limit: r.shown, Required: r.required,
		Through: whole.Through, Note: "requests of " + s.Stable.String() + " are counted",
	}
	if found := r.certain(r.latest(minutes, whole.Through, s.Window), besides{}); !r.relative && len(found) > 0 {
		words, _ := r.says(found[0])
		v.Note = fmt.Sprintf("stable %s itself is over the limit, %s of %d requests, %s", s.Stable, words, found[0].n, r.words)
	}
	return v
}

// judge judges the candidate, and stable beside it.
func (r share) judge(s Scope, answers Answers) Verdict {
	whole := r.whole(answers, s.Candidate)
	beside := r.besides(s, answers)
	complete := r.complete(beside, answers, whole.Through)
	step := within(complete, s.stepAfter(), whole.Through)
	total := count(step)

	v := Verdict{
		Source: s.Candidate.String(), Limit: r.shown, Required: r.required, Samples: total.n,
		Through: whole.Through, Delay: whole.Delay, Healthy: ends(step),
	}
	if total.n > 0 {
		_, v.Value = r.says(total)
	}
	if found := r.breaches(beside, complete, whole.Through); len(found) > 0 {
		return r.breached(v, found, beside)
	}
	heard := heard(whole, answers.Of(Series{Instances, s.Candidate}), answers.Of(Series{r.metrics()[0], s.Stable}))
	begun := s.until().After(s.stepAfter()) // before that there was nothing to ask
	switch {
	case begun && whole.Cause != CauseNone:
		return unknown(s.Candidate, whole)
	case silent(step, s.stepAfter(), heard):
		return r.silence(s, answers, complete, heard)
	case len(step) == 0:
		v.Outcome, v.Through = Incomplete, time.Time{}
		v.Note = fmt.Sprintf("%s: first minute not arrived yet", s.Candidate)
		return v
	}
	return r.weighed(v, total, beside)
}

// weighed is the verdict of a step that is not in breach.
func (r share) weighed(v Verdict, total tally, s besides) Verdict {
	words, _ := r.says(total)
	note := fmt.Sprintf("%s of %d requests, %s", words, total.n, r.words)
	excess := total.ratio()
	if r.relative {
		beside, ok := r.beside(total, s)
		if !ok && total.n >= r.required {
			v.Outcome = Insufficient
			if total.k >= fewest && wilsonLower(total.k, total.n) > r.limit {
				v.Outcome = Undecided // nobody may wave that through
			}
			v.Note = fmt.Sprintf("%s of %d requests; %d of %d requests of stable %s to compare with",
				words, total.n, beside.n, r.required, s.Stable)
			return v
		}
		_, other := r.says(beside)
		note = fmt.Sprintf("%s of %d requests, stable %s of %d, %s", words, total.n, other, beside.n, r.words)
		excess -= beside.ratio()
	}
	switch {
	case total.n < r.required:
		v.Outcome, v.Note = Insufficient, r.insufficient(total, len(v.Healthy), s)
	case excess <= r.limit:
		v.Outcome, v.Note = Pass, note
	default:
		v.Outcome, v.Note = Undecided, note+", not certain"
		if float64(total.k) < total.likely {
			v.Note += ": the limit lies inside a bucket of the distribution"
		}
	}
	return v
}

// whole is the state of a revision's answers together: what is wrong with any of
// them, and the minute up to which all have arrived.
func (r share) whole(answers Answers, of Source) Answer {
	var whole Answer
	for i, m := range r.metrics() {
		a := answers.Of(Series{m, of})
		if i == 0 {
			whole.Through = a.Through
		}
		whole.Through, whole.Delay = earlier(whole.Through, a.Through), max(whole.Delay, a.Delay)
		if whole.Cause == CauseNone {
			whole.Cause, whole.Detail = a.Cause, a.Detail
		}
	}
	return whole
}

// counted lists the minutes of a revision in (after, through] that have requests.
func (r share) counted(answers Answers, of Source, after, through time.Time) []minute {
	return within(r.minutes(answers, of), after, through)
}

// complete lists the candidate's minutes of evidence since the step before: those with requests, and those without where an instance and stable's
// requests were seen.
func (r share) complete(s besides, answers Answers, through time.Time) []minute {
	counted := r.counted(answers, s.Candidate, s.earlierAfter(), through)
	list := counted
	running := byMinute(answers.Of(Series{Instances, s.Candidate}), every)
	for _, end := range span(s.earlierAfter(), through, running) {
		if has(s.stable, end) && !has(counted, end) {
			list = append(list, minute{end: end})
		}
	}
	slices.SortFunc(list, func(a, b minute) int { return a.end.Compare(b.end) })
	return list
}

// breaches judges the windows of the step that ended since somebody last looked,
// the whole of it, and the step before it, which had passed:
// only data that came late can say otherwise now.
func (r share) breaches(s besides, complete []minute, through time.Time) []tally {
	step := within(complete, s.stepAfter(), through)
	spans := r.latest(step, through, s.Window)
	for i := len(step) - 1; i > max(0, len(step)-catchUp) && step[i-1].end.After(s.SeenThrough); i-- {
		before := step[:i]
		spans = append(spans, count(r.recently(before, before[i-1].end.Add(-s.Window))))
	}
	if passed := within(complete, s.earlierAfter(), s.EarlierUntil); len(passed) > 0 {
		spans = append(spans, r.latest(passed, s.EarlierUntil, s.Window)...)
	}
	return r.certain(spans, s)
}

// latest is the newest window of some minutes, and the whole of them.
func (r share) latest(minutes []minute, through time.Time, window time.Duration) []tally {
	return []tally{count(r.recently(minutes, through.Add(-window))), count(minutes)}
}

// recently returns the minutes after a time, and as many older ones as it takes
// to hold the required requests. Fewer requests say little: late points come one
// class at a time, and the errors may be there before the successes. More
// minutes would hide a failure behind all that went well before it.
func (r share) recently(minutes []minute, after time.Time) []minute {
	first, n := len(minutes), int64(0)
	for first > 0 && (n < r.required || minutes[first-1].end.After(after)) {
		first--
		n += minutes[first].value
	}
	return minutes[first:]
}

// certain keeps the tallies that are over the limit beyond doubt.
func (r share) certain(tallies []tally, s besides) []tally {
	return slices.DeleteFunc(tallies, func(t tally) bool {
		switch {
		case t.k < fewest || wilsonLower(t.k, t.n) <= r.limit:
			return true
		case !r.relative:
			return false
		}
		beside, ok := r.beside(t, s)
		return !ok || newcombeLower(t.k, t.n, beside.k, beside.n) <= r.limit
	})
}

// beside is what stable showed in the same minutes or, where it had too few
// requests then, for instance because it no longer serves, since half an hour
// before the attempt. It tells whether that is enough to compare with.
func (r share) beside(t tally, s besides) (tally, bool) {
	same := s.same(t)
	if same.n < r.required {
		same = count(s.stable)
	}
	return same, same.n >= r.required
}

// same is what stable showed in the minutes of a tally.
func (s besides) same(t tally) tally { return count(within(s.stable, t.after, t.until)) }

// breached completes a breach's verdict, after a look at stable. It is shared
// when stable is in breach as well and the candidate is not certainly worse. A
// relative limit has looked at stable already.
func (r share) breached(v Verdict, found []tally, s besides) Verdict {
	worst, beside := found[0], ""
	if r.relative {
		other, _ := r.beside(worst, s)
		_, value := r.says(other)
		beside = fmt.Sprintf("; stable %s: %s of %d", s.Stable, value, other.n)
	} else if both := r.ofStable(worst, s); len(both) > 0 {
		_, value := r.says(both[0])
		v.Shared, beside = true, fmt.Sprintf("; stable %s fails too, %s of %d", s.Stable, value, both[0].n)
		for _, t := range found {
			if other := s.same(t); t.worseThan(other) {
				_, value := r.says(other)
				v.Shared, worst = false, t
				beside = fmt.Sprintf("; stable %s fails too, but certainly less, %s of %d", s.Stable, value, other.n)
				break
			}
		}
	}
	words, value := r.says(worst)
	v.Outcome, v.Value, v.Samples = Breach, value, worst.n
	v.Note = fmt.Sprintf("%s of %d requests, %s%s", words, worst.n, r.words, beside)
	if len(v.Healthy) == 0 || worst.until.Before(v.Healthy[len(v.Healthy)-1]) {
		v.Note += fmt.Sprintf(", in the minutes up to %s", Clock(worst.until))
	}
	return v
}

// ofStable lists stable's own breaches in the part of the attempt in which the
// candidate's was.
func (r share) ofStable(t tally, s besides) []tally {
	from, to := s.stepAfter(), s.through
	if !t.until.After(from) {
		from, to = s.earlierAfter(), s.EarlierUntil
	}
	return r.certain(r.latest(within(s.stable, from, to), to, s.Window), s)
}

// silence names why the newest minutes are not complete.
func (r share) silence(s Scope, answers Answers, complete []minute, through time.Time) Verdict {
	instances, stable := Series{Instances, s.Candidate}, Series{r.metrics()[0], s.Stable}
	for _, witness := range []Series{instances, stable} {
		if a := answers.Of(witness); a.Cause != CauseNone {
			return unknown(witness.Source, a)
		}
	}
	what := "requests that can be told from missing data"
	newest := through.Add(-silence * time.Minute)
	running := reports(answers.Of(instances), newest, through)
	switch {
	case running && !reports(answers.Of(stable), newest, through):
		return absent(s.Candidate, "request to either revision, though it runs,", through, nil).because(CauseNoTraffic)
	case len(complete) > 0:
		what += " since " + Clock(complete[len(complete)-1].end)
		return absent(s.Candidate, what, through, nil).because(CauseLate)
	}
	return absent(s.Candidate, what, through, nil)
}

// reports tells whether an answer has points that end in (after, through].
func reports(a Answer, after, through time.Time) bool {
	return slices.ContainsFunc(a.Points, func(p Point) bool { return p.End.After(after) && !p.End.After(through) })
}

// insufficient says how much longer it takes at this rate, and the candidate's
// share of the requests where it is not what its weight says: sessions that
// stick to stable keep it small.
func (r share) insufficient(t tally, minutes int, s besides) string {
	note := fmt.Sprintf("%d of %d requests", t.n, r.required)
	if t.n == 0 || minutes == 0 {
		return note
	}
	other := s.same(t)
	if all := t.n + other.n; other.n > 0 {
		note += fmt.Sprintf(", %s of the service's", percent(math.Round(1000*float64(t.n)/float64(all))/1000))
	}
	rate := float64(t.n) / float64(minutes)
	more, unit := math.Ceil(float64(r.required-t.n)/rate), "minutes"
	if more == 1 {
		unit = "minute"
	}
	return fmt.Sprintf("%s; at this rate %.0f more %s", note, more, unit)
}
