package series

import "time"

// faults are the misfortunes that a store has been told of.
type faults struct {
	failures []failure
	hidden   []gap
	corrupt  []corruption
	partial  partial
	unit     string
	strange  bool
}

// failure lets skip queries pass and then fails the next times queries. The error
// may depend on the project that is asked.
type failure struct {
	skip, times int
	err         func(project string) *Error
}

// partial makes a page of every answer say that it may be incomplete; page 0
// means every page. Answers are cut into pages of at most pageSize points.
type partial struct {
	message        string
	page, pageSize int
}

// gap makes points of matching series disappear.
type gap struct {
	which filter
	when  span
}

// corruption replaces the values of matching series in answers.
type corruption struct {
	which filter
	when  span
	value Value
}

// Undisturbed is the same store to somebody whose queries neither fail nor use up what
// fails others'.
func (s *Store) Undisturbed() *Store {
	calm := *s
	calm.faults.failures, calm.faults.partial = nil, partial{}
	return &calm
}

// FailNext makes the next n queries fail with the error.
func (s *Store) FailNext(n int, err *Error) { s.FailAfter(0, n, err) }

// FailAfter lets skip queries pass, then makes n fail: the second page of an
// answer, say. Failures are used up one after the other.
func (s *Store) FailAfter(skip, n int, err *Error) {
	if n > 0 && err != nil {
		s.faults.failures = append(s.faults.failures, failure{skip, n, func(string) *Error { return err }})
	}
}

// LimitAfter lets skip queries pass, then refuses n for the quota of their
// project. The refusal says how long to wait where retryAfter is not 0.
func (s *Store) LimitAfter(skip, n int, retryAfter time.Duration) {
	s.faults.failures = append(s.faults.failures, failure{skip, n, func(project string) *Error {
		limited := RateLimited(project)
		limited.RetryAfter = retryAfter
		return limited
	}})
}

// SetPartial adds an execution error with the message to every answer. An empty
// message ends it. Which data is missing is for [Store.Hide] to say.
func (s *Store) SetPartial(message string) { s.SetPartialPage(message, 0, 0) }

// SetPartialPage does so on one page of an answer alone, counted from 1, and cuts
// answers into pages of at most pageSize points, if it is not 0.
func (s *Store) SetPartialPage(message string, page, pageSize int) {
	s.faults.partial = partial{message, page, pageSize}
}

// SetStrange asks for fields in answers that no client knows.
func (s *Store) SetStrange() { s.faults.strange = true }

// SetUnit makes answers claim a unit, such as {not_a_unit}. Empty ends it.
func (s *Store) SetUnit(unit string) { s.faults.unit = unit }

// Hide makes points with an end in (from, to] invisible in the series that the
// filter selects. The filter needs no metric type; empty selects all series.
func (s *Store) Hide(filterText string, from, to time.Time) error {
	which, err := parseFilter(filterText)
	if err != nil {
		return err
	}
	s.faults.hidden = append(s.faults.hidden, gap{which, span{nanosOf(from), nanosOf(to)}})
	return nil
}

// Corrupt replaces the value of answered points with an end in (from, to] whose
// series, or one of the series reduced into it, the filter selects. The value may
// be of any type, NaN, infinite or negative; the declared type stays.
func (s *Store) Corrupt(filterText string, from, to time.Time, value Value) error {
	which, err := parseFilter(filterText)
	if err != nil {
		return err
	}
	s.faults.corrupt = append(s.faults.corrupt, corruption{which, span{nanosOf(from), nanosOf(to)}, value})
	return nil
}

// Heal ends all faults.
func (s *Store) Heal() { s.faults = faults{} }

// spoil does to an answer what can be done to it when it is ready.
func (f *faults) spoil(r *Result, page int) {
	r.Strange = f.strange
	if f.unit != "" {
		r.Unit = f.unit
		for i := range r.Series {
			r.Series[i].Unit = f.unit
		}
	}
	if p := f.partial; p.message != "" && (p.page == 0 || p.page == page) {
		r.ExecutionErrors = []Error{{Code: DeadlineExceeded, Message: p.message}}
	}
}

// next is the error that this query is to fail with, if any.
func (f *faults) next(project string) error {
	if len(f.failures) == 0 {
		return nil
	}
	first := &f.failures[0]
	if first.skip > 0 {
		first.skip--
		return nil
	}
	first.times--
	err := first.err(project)
	if first.times <= 0 {
		f.failures = f.failures[1:]
	}
	return err
}

func (f *faults) hiddenFrom(id identity) []span {
	var spans []span
	for _, g := range f.hidden {
		if g.which.matches(id) {
			spans = append(spans, g.when)
		}
	}
	return spans
}

func (f *faults) corruptionsOf(id identity) []corruption {
	var found []corruption
	for _, c := range f.corrupt {
		if c.which.matches(id) {
			found = append(found, c)
		}
	}
	return found
}
