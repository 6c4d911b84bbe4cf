package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// timed is a rule whose minutes are judged some time after their end, and all healthy but
// some of the first ones.
type timed struct {
	delay time.Duration
	sick  int
}

func (r timed) Questions(s analysis.Scope) []analysis.Question {
	of := analysis.Series{Metric: analysis.Requests, Source: s.Candidate}
	return []analysis.Question{{Series: of, After: s.StepSince.Add(time.Minute), Until: s.Now.Truncate(time.Minute)}}
}

func (r timed) Preflight(analysis.Scope, analysis.Answers) analysis.Verdict {
	return analysis.Verdict{Outcome: analysis.Pass, Delay: r.delay}
}

func (r timed) Judge(s analysis.Scope, _ analysis.Answers) analysis.Verdict {
	v := analysis.Verdict{Outcome: analysis.Incomplete, Delay: r.delay}
	from := s.StepSince.Add(time.Minute - 1).Truncate(time.Minute)
	for end := from.Add(time.Minute); !end.After(s.Now.Add(-r.delay)); end = end.Add(time.Minute) {
		v.Outcome, v.Through = analysis.Pass, end
		if end.After(from.Add(time.Duration(r.sick) * time.Minute)) {
			v.Healthy = append(v.Healthy, end)
		}
	}
	return v
}

// TestABakeBeginsAnewWhereASplitMayHaveComeAndGone: the service was changed twice and nobody
// looked in between. What was measured meanwhile passes no step, and still leads back.
func TestABakeBeginsAnewWhereASplitMayHaveComeAndGone(t *testing.T) {
	t.Parallel()
	breach := stub{outcome: analysis.Breach}
	check(t, map[string]row{
		"a change goes nowhere and back":           {at(25).changed(1), "Shifting/Progressing, writes web-2 100%", ""},
		"two may":                                  {at(25).changed(2), "Baking/Progressing", "0 of 10 minutes healthy"},
		"a breach leads back all the same":         {at(25).says("errors", Rollback, breach).changed(2), "RollingBack/RollingBack, writes web-1 100%", ""},
		"before the first weight nothing is baked": {at(0).changed(2), "Shifting/Progressing, writes web-2 5%, web-1 95%", ""},
	})
	away := at(25).changed(2)
	away.Service.Effective = []Entry{{Revision: "web-1", Percent: 100}}
	if d := Decide(Input(away)); !d.Progress.Effective.IsZero() {
		t.Errorf("while something else serves its evidence is since %s", d.Progress.Effective)
	}
	s := at(25).changed(2)
	d := Decide(Input(s))
	if p := d.Progress; !p.Effective.Equal(now) || !p.Watched.Equal(s.Progress.Effective) {
		t.Errorf("its evidence is since %s, beside that since %s; want now, and %s", p.Effective, p.Watched, s.Progress.Effective)
	}
	if len(d.Events) != 1 || !strings.Contains(d.Events[0].Note, "begins anew: the service was changed 2 times since it was seen last") {
		t.Errorf("it tells %v", d.Events)
	}
	s.Progress, s.Now = d.Progress, now.Add(20*time.Minute)
	if d := Decide(Input(s)); !d.Raises() || len(d.Events) != 1 || d.Events[0].Reason != StepPassed {
		t.Errorf("twenty minutes later it decides %s/%s: %s, and tells %v", d.Progress.Phase, d.Progress.Reason, d.Note, d.Events)
	}
}

// TestABakeSaysWhenItCanEnd from the moment at which its split serves, to the minute, and
// says the same until it ends: nothing is told anew because time has passed.
func TestABakeSaysWhenItCanEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules         []timed
		bake, timeout time.Duration
		want          time.Duration // after noon
		at            string
	}{
		"by the latest check": {
			[]timed{{delay: 4 * time.Minute}, {delay: 4*time.Minute + 45*time.Second}},
			10 * time.Minute, time.Minute,
			16*time.Minute + 45*time.Second, "12:16Z",
		},
		"by what hangs": {[]timed{{delay: 4 * time.Minute}}, 2 * time.Minute, time.Hour, 15 * time.Minute, "12:15Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := at(5).meant(between("web-2", "web-1", 25)).split("web-2", 25, "web-1", 75)
			r := s.Revisions["web-2"]
			r.Timeout = c.timeout
			s.Revisions["web-2"] = r
			s.Plan.Steps[1].Bake, s.Plan.Guards = c.bake, nil
			for i, rule := range c.rules {
				s.Plan.Guards = append(s.Plan.Guards, Guard{Name: string(rune('a' + i)), Rule: rule, OnBreach: Rollback, Mode: Enforce})
			}
			s.Now = now.Add(10 * time.Second)
			said := map[string]bool{}
			for !s.Now.After(now.Add(time.Hour)) {
				d := Decide(Input(s))
				if d.Raises() {
					break
				}
				_, told, _ := strings.Cut(d.Next, "until ")
				told, _, _ = strings.Cut(told, " at the earliest")
				said[told] = true
				s.Progress, s.Now = d.Progress, s.Now.Add(5*time.Second)
			}
			if got := s.Now.Sub(now); got < c.want || got >= c.want+5*time.Second {
				t.Errorf("it ended after %s, want %s", got, c.want)
			}
			if len(said) != 1 || !said["Mar 1 "+c.at] {
				t.Errorf("it said %v, want %s", said, c.at)
			}
		})
	}
}

// TestAMinuteThatIsNotHealthyMovesTheEnd by one minute.
func TestAMinuteThatIsNotHealthyMovesTheEnd(t *testing.T) {
	t.Parallel()
	s := at(25)
	s.Progress.Effective, s.Now = now, now.Add(7*time.Minute)
	for sick, want := range []string{"12:15Z", "12:16Z", "12:17Z"} {
		s.Plan.Guards = []Guard{{Name: "errors", Rule: timed{4 * time.Minute, sick}, OnBreach: Rollback, Mode: Enforce}}
		if d := Decide(Input(s)); !strings.Contains(d.Next, "until Mar 1 "+want+" at the earliest") {
			t.Errorf("after %d such minutes: %s", sick, d.Next)
		}
	}
}

// TestAChecksDelayCountsWhereItJudges: one in shadow, or one that does not apply, is
// waited for by nobody.
func TestAChecksDelayCountsWhereItJudges(t *testing.T) {
	t.Parallel()
	s := at(25)
	s.Progress.Effective, s.Now = now, now.Add(time.Minute)
	s.Plan.Guards = []Guard{
		{Name: "errors", Rule: timed{delay: 4 * time.Minute}, OnBreach: Rollback, Mode: Enforce},
		{Name: "p99", Rule: timed{delay: time.Hour}, OnBreach: Rollback, Mode: Shadow},
		{Name: "nat", Rule: stub{outcome: analysis.NotApplicable}, OnBreach: Hold, Mode: Enforce},
	}
	if d := Decide(Input(s)); !strings.Contains(d.Next, "until Mar 1 12:15Z at the earliest") {
		t.Error(d.Next)
	}
}

// TestTheDelayIsAskedForFromTheBeginning: before the first minute of a step, when nothing
// else is there to ask for.
func TestTheDelayIsAskedForFromTheBeginning(t *testing.T) {
	t.Parallel()
	s := at(25)
	s.Progress.Effective = now
	s.Plan.Guards = []Guard{{Name: "errors", Rule: timed{}, OnBreach: Rollback, Mode: Enforce}}
	questions := Questions(Input(s))
	if len(questions) != 1 || questions[0].After.Before(questions[0].Until) {
		t.Errorf("asks %v", questions)
	}
}

// TestAnInsertedWeightSaysWhenItCanRise: when a check has judged a minute of it, and its
// gateways, which may be later, have told of one.
func TestAnInsertedWeightSaysWhenItCanRise(t *testing.T) {
	t.Parallel()
	s := paced(62, 20, 8, 5).silent(analysis.AllocatedPorts, "")
	s.Progress.Effective = ago(4*time.Minute + 30*time.Second) // a minute of it ends 11:58
	for series, a := range s.Answers {
		if series.Metric == analysis.AllocatedPorts {
			a.Delay = 5 * time.Minute
			s.Answers[series] = a
		}
	}
	for healthy, want := range map[int]string{0: "at Mar 1 12:03Z", 1: "at Mar 1 12:03Z"} {
		s := s.says("errors", Rollback, stub{outcome: analysis.Pass, healthy: healthy})
		if d := Decide(Input(s)); !strings.Contains(d.Next, want+" at the earliest; then rises") {
			t.Errorf("after %d minutes: %s", healthy, d.Next)
		}
	}
}
