package analysis

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Query limits the value of a query of the user's own.
//
// Each whole minute of the step is judged by itself. It is a breach when one of the
// newest five minutes that have a value is outside of the limits, or one that ended
// while nobody looked. A minute outside does not count as bake. A minute without a
// value is neither: nothing is ever taken for zero, and after three of them there is
// no data. What stable or others show is not compared: the query may do so itself.
type Query struct {
	PromQL   string // with placeholders, which the adapter fills
	Min, Max Bound
}

// Bound is a limit, as it was written and as a number. The zero Bound is none.
type Bound struct {
	Text  string
	Value float64
}

// Questions asks for the values of the attempt, or before it whether there is an answer.
func (r Query) Questions(s Scope) []Question {
	after := s.earlierAfter()
	if s.AttemptSince.IsZero() {
		after = s.preflightAfter()
	}
	return []Question{s.ask(Value, r.source(s), after)}
}

func (r Query) source(s Scope) Source {
	of := s.Candidate
	of.Query, of.Beside = r.PromQL, s.Stable.Revision
	return of
}

// Preflight wants the query to be answered. A value is not wanted, because a candidate
// without traffic may have none.
func (r Query) Preflight(s Scope, answers Answers) Verdict {
	a := answers.Of(Series{Value, r.source(s)})
	if a.Cause != CauseNone {
		return r.unknown(s, a)
	}
	return Verdict{
		Outcome: Pass, Source: s.Candidate.String(), Limit: r.limit(), Through: a.Through, Note: "the query is answered",
	}
}

// Judge judges each minute since the attempt began.
func (r Query) Judge(s Scope, answers Answers) Verdict {
	a := answers.Of(Series{Value, r.source(s)})
	v := Verdict{Source: s.Candidate.String(), Limit: r.limit(), Through: a.Through, Delay: a.Delay}
	var step []Point
	judged := r.judged(s, a)
	for _, p := range judged {
		if !p.End.After(s.stepAfter()) {
			continue
		}
		step = append(step, p)
		if r.beyond(p.Number) == 0 {
			v.Healthy = append(v.Healthy, p.End)
		}
	}
	if worst, over := r.worst(s, judged); over > 0 {
		v.Outcome, v.Value = Breach, r.number(worst.Number)
		v.Stopped = r.beyond(judged[len(judged)-1].Number) == 0
		v.Note = fmt.Sprintf("%s in the minute up to %s, limit %s, outside of it%s",
			v.Value, Clock(worst.End), v.Limit, among(fmt.Sprintf(" in %d", over), len(judged)))
		return v
	}
	return r.told(v, s, a, step)
}

// told is the verdict of a step that is not in breach.
func (r Query) told(v Verdict, s Scope, a Answer, step []Point) Verdict {
	latest := s.stepAfter()
	if len(step) > 0 {
		latest = step[len(step)-1].End
	}
	switch {
	case s.until().After(s.stepAfter()) && a.Cause != CauseNone:
		return r.unknown(s, a)
	case a.Through.Sub(latest) >= silence*time.Minute:
		return r.silence(s, a, step)
	case len(step) == 0:
		v.Outcome, v.Through = Incomplete, time.Time{}
		v.Note = "first minute not arrived yet"
		return v
	}
	last := step[len(step)-1]
	v.Outcome, v.Value = Pass, r.number(last.Number)
	v.Note = fmt.Sprintf("%s in the minute up to %s, limit %s, within it%s",
		v.Value, Clock(last.End), v.Limit, among(fmt.Sprintf(" in the last %d", min(recent, len(step))), len(step)))
	return v
}

// unknown is the verdict of a query without an answer. It is about no source that the
// words could name: they are the API's about the query.
func (r Query) unknown(s Scope, a Answer) Verdict {
	v := unknown(s.Candidate, a)
	v.Limit = r.limit()
	v.Note = string(a.Cause)
	if a.Detail != "" {
		v.Note += ": " + a.Detail
	}
	return v
}

// silence says since when the query gives nothing.
func (r Query) silence(s Scope, a Answer, step []Point) Verdict {
	v := Verdict{
		Outcome: NoData, Cause: CauseAbsent, Source: s.Candidate.String(), Limit: r.limit(),
		Note: "the query gives no value up to " + Clock(a.Through),
	}
	if len(step) > 0 {
		v.Cause, v.Through = CauseLate, step[len(step)-1].End // what comes later was not judged
		v.Note = fmt.Sprintf("the query gives no value since %s, up to %s", Clock(step[len(step)-1].End), Clock(a.Through))
	}
	if a.Detail != "" {
		v.Note += "; " + a.Detail
	}
	return v
}

// judged are the minutes of the attempt that have a number.
func (r Query) judged(s Scope, a Answer) []Point {
	var list []Point
	for _, p := range a.Points {
		if s.judged(p.End) && !p.End.After(a.Through) && !math.IsNaN(p.Number) && !math.IsInf(p.Number, 0) {
			list = append(list, p)
		}
	}
	return list
}

// worst is the minute that is furthest outside of the limits, of the newest ones and of
// those that nobody looked at, and how many of those are outside.
func (r Query) worst(s Scope, judged []Point) (worst Point, over int) {
	for i, p := range judged {
		unseen := i >= len(judged)-recent || p.End.After(s.SeenThrough)
		if !unseen || r.beyond(p.Number) == 0 {
			continue
		}
		if over++; over == 1 || r.beyond(p.Number) > r.beyond(worst.Number) {
			worst = p
		}
	}
	return worst, over
}

// beyond is how far a value is outside of the limits; 0 within.
func (r Query) beyond(value float64) float64 {
	switch {
	case r.Max.Text != "" && value > r.Max.Value:
		return value - r.Max.Value
	case r.Min.Text != "" && value < r.Min.Value:
		return r.Min.Value - value
	}
	return 0
}

// digits are the significant ones of a number that is shown.
const digits = 4

// number writes a value, with more digits where fewer would show it on the other side of
// a limit.
func (r Query) number(value float64) string {
	shown, err := strconv.ParseFloat(strconv.FormatFloat(value, 'g', digits, 64), 64)
	if err != nil || (r.beyond(shown) > 0) != (r.beyond(value) > 0) {
		shown = value
	}
	if size := math.Abs(shown); size >= 1e12 || size > 0 && size < 1e-9 {
		return strconv.FormatFloat(shown, 'g', -1, 64)
	}
	return strconv.FormatFloat(shown, 'f', -1, 64)
}

func (r Query) limit() string {
	switch {
	case r.Min.Text == "":
		return r.Max.Text
	case r.Max.Text == "":
		return "at least " + r.Min.Text
	}
	return r.Min.Text + " to " + r.Max.Text
}
