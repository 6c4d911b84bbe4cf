package contract

import (
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// two is a stage with a second service beside the first, twenty minutes on.
func two(t *testing.T) (s *stage, other analysis.Source) {
	t.Helper()
	s = newStage(t, func(sc *simulator.Scenario) {
		second := sc.Services[0]
		second.Name = "api"
		second.Revisions = []simulator.Deployment{sc.Services[0].Revisions[0]}
		second.Revisions[0].Revision = "api-1"
		second.Traffic = []simulator.TrafficTarget{{Revision: "api-1", Percent: 100}}
		sc.Services = append(sc.Services, second)
	})
	s.advance(20 * time.Minute)
	other = stable
	other.Service, other.Revision = "api", "api-1"
	return s, other
}

// both asks about the requests of two services in one pass, some time from now.
func (s *stage) both(a, b analysis.Source, later time.Duration) (ofA, ofB analysis.Answer) {
	s.t.Helper()
	now := s.now().Add(later)
	var questions []analysis.Question
	for _, of := range []analysis.Source{a, b} {
		questions = append(questions, analysis.Question{
			Series: analysis.Series{Metric: analysis.Requests, Source: of},
			After:  now.Truncate(time.Minute).Add(-15 * time.Minute), Until: now.Truncate(time.Minute),
		})
	}
	answers, err := s.metrics.Answer(s.t.Context(), questions, now)
	if err != nil {
		s.t.Fatal(err)
	}
	return answers.Of(questions[0].Series), answers.Of(questions[1].Series)
}

// queries counts the calls that reached the world.
func (s *stage) queries() int {
	n := 0
	s.world(func(w *simulator.World) error {
		for _, e := range w.Log() {
			if e.Call != nil && e.Call.Operation == "timeSeries.list" {
				n++
			}
		}
		return nil
	})
	return n
}

func (s *stage) series(f func(*series.Store) error) {
	s.t.Helper()
	s.world(func(w *simulator.World) error { return f(w.Series()) })
}

func TestTwoServicesCostOneQueryAMinute(t *testing.T) {
	t.Parallel()
	s, other := two(t)
	for minute := range 3 {
		for range 2 {
			a, b := s.both(stable, other, 0)
			if a.Cause != analysis.CauseNone || b.Cause != analysis.CauseNone || len(a.Points) < 10 || len(b.Points) < 10 {
				t.Fatalf("minute %d: %+v %+v", minute, a, b)
			}
		}
		if got := s.queries(); got != minute+1 {
			t.Errorf("minute %d: %d queries in all", minute, got)
		}
		s.advance(time.Minute)
	}
}

func TestAGapStaysAGapAndOneServicesOwn(t *testing.T) {
	t.Parallel()
	s, other := two(t)
	hole := morning.Add(12 * time.Minute)
	s.series(func(store *series.Store) error {
		return store.Hide(`resource.labels.service_name="web"`, hole.Add(-time.Minute), hole)
	})
	minutes := func(a analysis.Answer) map[time.Time]bool {
		seen := map[time.Time]bool{}
		for _, p := range a.Points {
			seen[p.End] = true
		}
		return seen
	}
	a, b := s.both(stable, other, 0)
	if minutes(a)[hole] || !minutes(b)[hole] || len(minutes(a)) != len(minutes(b))-1 || a.Cause != analysis.CauseNone {
		t.Errorf("%d and %d minutes, cause %q", len(minutes(a)), len(minutes(b)), a.Cause)
	}
	// It comes late, and counts with the next minute's query.
	s.world(func(w *simulator.World) error {
		w.ClearFaults()
		return nil
	})
	s.advance(time.Minute)
	if a, _ = s.both(stable, other, 0); !minutes(a)[hole] {
		t.Error("what came late is not seen")
	}
}

func TestWrongTypesOfOneServiceLeaveTheOtherAlone(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]series.Value{
		"a float": series.Float(0.5), "a boolean": series.Bool(true), "a negative number": series.Int(-3),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, other := two(t)
			s.series(func(store *series.Store) error {
				return store.Corrupt(`resource.labels.service_name="web"`, morning.Add(8*time.Minute), morning.Add(9*time.Minute), value)
			})
			a, b := s.both(stable, other, 0)
			if a.Cause != analysis.CauseWrongType || len(a.Points) == 0 || b.Cause != analysis.CauseNone || len(b.Points) <= len(a.Points) {
				t.Errorf("of the one %+v\nof the other %+v", a, b)
			}
		})
	}
}

func TestTroubleWithAnAnswerConcernsEverybodyInIt(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		spoil  func(*series.Store)
		want   analysis.Cause
		points bool
	}{
		"the second page is partial": {func(s *series.Store) { s.SetPartialPage("zone lost", 2, 10) }, analysis.CausePartial, true},
		"fields nobody knows":        {func(s *series.Store) { s.SetStrange() }, analysis.CausePartial, true},
		"units that do not go":       {func(s *series.Store) { s.SetUnit("{not_a_unit}") }, analysis.CauseWrongType, true},
		"denied":                     {func(s *series.Store) { s.FailNext(1, &series.Error{Code: "PERMISSION_DENIED", Message: "no"}) }, analysis.CauseDenied, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, other := two(t)
			s.series(func(store *series.Store) error {
				c.spoil(store)
				return nil
			})
			a, b := s.both(stable, other, 0)
			for _, answer := range []analysis.Answer{a, b} {
				if answer.Cause != c.want || answer.Detail == "" || len(answer.Points) > 0 != c.points {
					t.Errorf("cause %q, detail %q, %d points", answer.Cause, answer.Detail, len(answer.Points))
				}
			}
			s.world(func(w *simulator.World) error {
				w.ClearFaults()
				return nil
			})
			if a, b = s.both(stable, other, 15*time.Second); a.Cause != analysis.CauseNone || b.Cause != analysis.CauseNone {
				t.Errorf("and then %q: %s, %q: %s", a.Cause, a.Detail, b.Cause, b.Detail)
			}
		})
	}
}

func TestAQuotaThatIsUsedUpIsLeftAloneAsLongAsItSays(t *testing.T) {
	t.Parallel()
	s, other := two(t)
	s.series(func(store *series.Store) error {
		store.LimitAfter(0, 1, 40*time.Second)
		return nil
	})
	for _, later := range []time.Duration{0, time.Second, 39 * time.Second} {
		if a, b := s.both(stable, other, later); a.Cause != analysis.CauseThrottled || b.Cause != analysis.CauseThrottled {
			t.Errorf("%s later: %+v %+v", later, a, b)
		}
	}
	if got := s.queries(); got != 1 {
		t.Errorf("%d queries while it should be left alone", got)
	}
	if a, b := s.both(stable, other, 40*time.Second); a.Cause != analysis.CauseNone || b.Cause != analysis.CauseNone {
		t.Errorf("at the time: %+v %+v", a, b)
	}
}

func TestAnOutageIsAskedAgainLaterAndLater(t *testing.T) {
	t.Parallel()
	s, other := two(t)
	s.series(func(store *series.Store) error {
		store.FailNext(3, &series.Error{Code: "UNAVAILABLE", Message: "try again"})
		return nil
	})
	for second := range 60 { // half to the whole of 5, 10 and 20 seconds lie between
		a, _ := s.both(stable, other, time.Duration(second)*time.Second)
		if a.Cause == analysis.CauseNone {
			if second < 17 || second > 38 || s.queries() != 4 {
				t.Errorf("after %d s and %d queries", second, s.queries())
			}
			return
		}
		if a.Cause != analysis.CauseUnavailable {
			t.Fatalf("cause %q: %s", a.Cause, a.Detail)
		}
	}
	t.Error("it was never asked again")
}
