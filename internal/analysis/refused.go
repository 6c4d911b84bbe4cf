package analysis

import "math"

// Refused is the share of requests that were answered with a 4xx status, 0..1: of
// stable before the attempt, and of both revisions in this step and the one before.
type Refused struct {
	Before, Candidate, Stable float64
}

const (
	// refusals must grow by this share of the requests of each revision, certainly, to
	// be more than the day's weather.
	refusals = 0.01
	// refusable requests are the least that each share is made of.
	refusable = 100
	// alike is how many times as many further refusals the one revision may have as the
	// other, where both have as many requests.
	alike = 2
)

// refusing sees the requests that are answered 4xx. 404 is one of them: what a page
// of the other revision asks for.
var refusing = share{requests: codes{class: "4xx"}, required: refusable, relative: true}

// RefusedQuestions asks for both revisions' requests, and for stable's before the
// attempt.
func RefusedQuestions(s Scope) []Question { return refusing.questions(s) }

// RefusedBySplit tells of a split that breaks pages: both revisions certainly answer
// more requests with 4xx than stable did in the half hour before the attempt, and about
// as many of them. With a weight w of the candidate, (1-w) of the pages are stable's, and
// w of what they ask for comes to the candidate; w are the candidate's, and 1-w comes to
// stable: the same number at each. A candidate that refuses requests for reasons of its own
// does so alone, and what is wrong with the requests comes to each as often as others do.
func RefusedBySplit(s Scope, answers Answers) (Refused, bool) {
	whole := refusing.whole(answers, s.Candidate)
	if s.AttemptSince.IsZero() || whole.Cause != CauseNone || refusing.whole(answers, s.Stable).Cause != CauseNone {
		return Refused{}, false
	}
	beside := refusing.besides(s, answers)
	before := count(within(beside.stable, s.preflightAfter(), s.AttemptSince))
	ours := count(refusing.counted(answers, s.Candidate, s.earlierAfter(), whole.Through))
	theirs := count(within(beside.stable, s.earlierAfter(), beside.through))
	for _, t := range []tally{ours, theirs} {
		if min(before.n, t.n) < refusable || newcombeLower(t.k, t.n, before.k, before.n) <= refusals {
			return Refused{}, false
		}
	}
	if !mutual(before.ratio(), ours, theirs) {
		return Refused{}, false
	}
	return Refused{Before: before.ratio(), Candidate: ours.ratio(), Stable: theirs.ratio()}, true
}

// mutual tells whether two revisions refuse about as many requests more than was usual,
// however many each of them has. Where one has many times as many, it may refuse more as
// well, up to the middle between that and what its requests would bring.
func mutual(usual float64, a, b tally) bool {
	further := func(t tally) float64 { return float64(t.k) - usual*float64(t.n) }
	most := func(of, than tally) float64 {
		return further(than) * max(alike, math.Sqrt(float64(of.n)/float64(than.n)))
	}
	return further(a) <= most(a, b) && further(b) <= most(b, a)
}
