package analysis

// ServerErrors limits the share of responses with a 5xx status.
type ServerErrors struct {
	// MaxRatio is the largest share, 0..1; if RelativeToStable, of requests more
	// than stable has.
	MaxRatio    float64
	MinRequests int64
	// RelativeToStable compares with stable's own share instead of with zero.
	RelativeToStable bool
}

// Questions asks for both revisions' requests and the candidate's instances.
func (r ServerErrors) Questions(s Scope) []Question { return r.share().questions(s) }

// Preflight wants proof that stable's requests are counted.
func (r ServerErrors) Preflight(s Scope, answers Answers) Verdict {
	return r.share().preflight(s, answers)
}

// Judge judges the candidate, and stable beside it.
func (r ServerErrors) Judge(s Scope, answers Answers) Verdict { return r.share().judge(s, answers) }

func (r ServerErrors) share() share {
	return shareOf(codes{class: "5xx"}, r.MaxRatio, r.MinRequests, comparison(r.RelativeToStable))
}

// ClientErrors limits the share of responses with a 4xx status other than 404.
//
// Responses with 404 are told and not judged: while a front end is split between
// two revisions, a page of the one asks the other for assets that it never had.
type ClientErrors struct {
	MaxRatio         float64 // as in ServerErrors
	MinRequests      int64
	RelativeToStable bool
}

// Questions asks for both revisions' requests and the candidate's instances.
func (r ClientErrors) Questions(s Scope) []Question { return r.share().questions(s) }

// Preflight wants proof that stable's requests are counted.
func (r ClientErrors) Preflight(s Scope, answers Answers) Verdict {
	return r.share().preflight(s, answers)
}

// Judge judges the candidate, and stable beside it.
func (r ClientErrors) Judge(s Scope, answers Answers) Verdict { return r.share().judge(s, answers) }

func (r ClientErrors) share() share {
	return shareOf(codes{class: "4xx", apart: NotFound}, r.MaxRatio, r.MinRequests, comparison(r.RelativeToStable))
}

// comparison is what a share is held against: nothing, or stable's.
type comparison bool

func shareOf(of requests, limit float64, required int64, relative comparison) share {
	r := share{requests: of, limit: limit, required: required, relative: bool(relative), shown: percent(limit)}
	if relative {
		r.shown = "stable+" + r.shown
	}
	r.words = "limit " + r.shown
	return r
}

// codes sees requests by the class of their response code.
type codes struct {
	class string // "5xx"
	apart Metric // counts those of the class that are not bad; "" for none
}

func (c codes) metrics() []Metric {
	if c.apart == "" {
		return []Metric{Requests}
	}
	return []Metric{Requests, c.apart}
}

func (c codes) minutes(answers Answers, of Source) []minute {
	var apart sums
	if c.apart != "" {
		apart = byMinute(answers.Of(Series{c.apart, of}), every)
	}
	list := listed(answers.Of(Series{Requests, of}), c.class)
	for i := range list {
		m := &list[i]
		m.apart = apart.at(m.end)
		m.bad = max(0, m.bad-m.apart)
		m.likely = float64(m.bad)
	}
	return list
}

func (c codes) says(t tally) (words, value string) {
	words = c.class + " " + t.percent()
	if c.apart != "" {
		words += " (404 apart: " + percent(float64(t.apart)/max(1, float64(t.n))) + ")"
	}
	return words, t.percent()
}
