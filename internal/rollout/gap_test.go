package rollout

import (
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// failing is one in five requests of web-2 that fails since now, and both revisions' metrics
// three minutes late.
func (s scene) failing() scene {
	return s.with(func(s *scene) {
		s.Plan.Guards = []Guard{{Name: "errors", Rule: analysis.ServerErrors{MaxRatio: 0.01, MinRequests: 100}, OnBreach: Rollback, Mode: Enforce}}
		s.Answers = analysis.Answers{}
		through := s.Now.Truncate(time.Minute).Add(-3 * time.Minute)
		for _, revision := range []string{"web-1", "web-2"} {
			for _, m := range []analysis.Metric{analysis.Requests, analysis.Instances} {
				a := analysis.Answer{Through: through}
				for end := now.Add(-2 * time.Hour); !end.After(through); end = end.Add(time.Minute) {
					a.Points = append(a.Points, analysis.Point{End: end, Value: 300})
					if revision == "web-2" && m == analysis.Requests && end.After(now) {
						a.Points = append(a.Points, analysis.Point{End: end, Label: "5xx", Value: 60})
					}
				}
				s.Answers[analysis.Series{Metric: m, Source: Input(*s).source(revision)}] = a
			}
		}
	})
}

// changed is a service that was changed so many times more.
func (s scene) changed(times int64) scene {
	s.Service.Generation += times
	s.Service.ObservedGeneration = s.Service.Generation
	return s
}

// next is a scene a little later, with what was decided and saved.
func (s scene) next(after time.Duration) scene {
	s.Progress = Decide(Input(s)).Progress
	s.Request, s.Now = Request{}, s.Now.Add(after)
	return s
}

// untilBack looks at a failing candidate each quarter of a minute, and tells after how long it
// goes back; meanwhile changes what there is before each look.
func (s scene) untilBack(meanwhile func(scene, time.Duration) scene) time.Duration {
	const look, longest = 15 * time.Second, time.Hour
	for s.Now.Sub(now) < longest {
		s = meanwhile(s, s.Now.Sub(now)).failing().next(look)
		if s.Progress.Phase == RollingBack {
			return s.Now.Sub(now) - look
		}
	}
	return longest
}

// justBegun is a step that has served for two minutes.
func justBegun() scene {
	s := at(25)
	s.Progress.Effective, s.Progress.Clock = ago(2*time.Minute), Stopwatch{Running: ago(2 * time.Minute)}
	return s
}

// TestNoGapDisarmsTheGuards: a service that was changed unseen begins a bake anew, and a bake
// that begins may wait; users who fail do not. Their minute is known three minutes after its
// end.
func TestNoGapDisarmsTheGuards(t *testing.T) {
	t.Parallel()
	never := func(s scene, _ time.Duration) scene { return s }
	every := func(d time.Duration) func(scene, time.Duration) scene {
		return func(s scene, since time.Duration) scene {
			if since%d == 0 {
				return s.changed(2)
			}
			return s
		}
	}
	away := func(s scene) scene { // a split of somebody's was there, and ours is asked for again
		s = s.changed(2).unsettled()
		s.Service.Effective = []Entry{{Revision: "web-1", Percent: 100}}
		s.Now = ago(time.Minute)
		s = s.next(time.Minute).split("web-2", 25, "web-1", 75)
		s.Service.Reconciling = false
		return s
	}
	flickers := func(d time.Duration) func(scene, time.Duration) scene {
		return func(s scene, since time.Duration) scene {
			s.Service.Reconciling = since%d == 0
			if s = s.split("web-2", 25, "web-1", 75); s.Service.Reconciling {
				s = s.changed(2)
				s.Service.Effective = []Entry{{Revision: "web-1", Percent: 100}}
			}
			return s
		}
	}
	paused := func(s scene) scene {
		return s.with(func(s *scene) {
			s.Progress.Phase, s.Progress.Reason, s.Progress.Cause = Paused, ReasonPaused, "paused by ann"
		})
	}
	back := at(25).split("web-1", 100).wants("web-2", 25, "web-1", 75)
	back.Progress.Phase, back.Progress.Reason, back.Now = Idle, ServiceNotFound, ago(time.Minute)
	back = back.next(time.Minute).split("web-2", 25, "web-1", 75)
	back.Plan.Paused = true
	skewed := justBegun()
	skewed.Service.Skew = 40 * time.Second
	for name, c := range map[string]struct {
		s         scene
		meanwhile func(scene, time.Duration) scene
	}{
		"no gap":                                    {justBegun(), never},
		"one gap":                                   {justBegun().changed(2), never},
		"two tools quarrel at every look":           {justBegun(), every(15 * time.Second)},
		"two tools quarrel each minute":             {justBegun(), every(time.Minute)},
		"two tools quarrel each other minute":       {justBegun(), every(2 * time.Minute)},
		"two tools quarrel now and then":            {justBegun(), every(5 * time.Minute)},
		"the clock is wrong":                        {skewed, never},
		"the clock is wrong, and there is a gap":    {skewed.changed(2), never},
		"something else served at the gap":          {away(justBegun()), never},
		"something else serves now and then":        {justBegun(), flickers(30 * time.Second)},
		"something else serves each minute":         {justBegun(), flickers(time.Minute)},
		"something else serves each third minute":   {justBegun(), flickers(3 * time.Minute)},
		"in a pause":                                {paused(justBegun()).changed(2), never},
		"something else served at one in a pause":   {away(paused(justBegun())), never},
		"paused before it was seen to serve at all": {back, never},
	} {
		if after := c.s.untilBack(c.meanwhile); after > 5*time.Minute {
			t.Errorf("%s: it goes back after %s", name, after)
		}
	}
}

// TestAGapTakesNothingFromTheStep but its healthy minutes, and what was granted on them. Its
// time is not begun anew: a person is called where no bake ends.
func TestAGapTakesNothingFromTheStep(t *testing.T) {
	t.Parallel()
	long := at(25)
	long.Plan.Steps[1].Bake = 40 * time.Minute
	long.Progress.Effective, long.Progress.Clock, long.Progress.Baked = ago(36*time.Minute), Stopwatch{Running: ago(36 * time.Minute)}, 32
	long.Plan.Guards = []Guard{{Name: "errors", Rule: timed{delay: 3 * time.Minute}, OnBreach: Rollback, Mode: Enforce}}
	thin := at(5).says("errors", Rollback, stub{outcome: analysis.Insufficient, healthy: 60})
	thin.Plan.Steps[1].Approval = true
	thin.Progress.Phase, thin.Progress.Reason, thin.Progress.Baked, thin.Progress.ThinAccepted, thin.Progress.Approved = Held, OutsideWindow, 10, 1, 25
	check(t, map[string]row{
		"its bake begins anew":          {long.changed(2).next(20 * time.Minute), "Baking/Progressing", ""},
		"its time does not":             {long.changed(2).next(30 * time.Minute), "Paused/StepDeadlineExceeded", ""},
		"an approval of before is none": {thin.changed(2).next(20 * time.Minute), "Held/TooFewRequests", ""},
	})
	for _, every := range []time.Duration{time.Minute, 8 * time.Minute, 13 * time.Minute} {
		s := long.with(func(s *scene) { s.Plan.Steps[1].Bake, s.Progress.Clock = 10*time.Minute, Stopwatch{Running: now} })
		for s.Now.Sub(now) <= 2*time.Hour && s.Progress.Phase != Paused {
			if s.Now.Sub(now)%every == 0 {
				s = s.changed(2)
			}
			s = s.next(time.Minute)
		}
		if s.Progress.Reason != StepDeadlineExceeded {
			t.Errorf("changed twice every %s it is %s/%s after two hours", every, s.Progress.Phase, s.Progress.Reason)
		}
	}
}

// TestAReadOfThePastDatesNothing: our split is written again over somebody's, and the service
// is read as it was before that.
func TestAReadOfThePastDatesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		generation int64
		since      time.Time
	}{"one of now": {7, now}, "one of the past": {9, time.Time{}}} {
		s := at(25)
		s.Progress = s.Progress.anew()
		s.Progress.Generation = c.generation
		if d := Decide(Input(s)); !d.Progress.Effective.Equal(c.since) {
			t.Errorf("%s: its evidence is since %s, want %s", name, d.Progress.Effective, c.since)
		}
	}
}
