package rollout

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// torn is a front end whose pages ask for files of their own build.
func torn(weight int64) scene { return at(weight).torn() }

// torn has pages that ask for files of their own build: of 1000 requests a minute 30 of
// each revision ask the other one, in vain, since the split.
func (s scene) torn() scene {
	weight := Input(s).Progress.Confirmed.Of("web-2")
	return s.with(func(s *scene) {
		for revision, requests := range map[string]int64{"web-1": 1000 - 10*weight, "web-2": 10 * weight} {
			series := analysis.Series{Metric: analysis.Requests, Source: Input(*s).source(revision)}
			a := analysis.Answer{Through: ago(4 * time.Minute)}
			for n := 120; n >= 4; n-- {
				end, bad := ago(time.Duration(n)*time.Minute), int64(0)
				if end.After(s.Progress.FirstWrite) {
					bad = 30
				}
				a.Points = append(a.Points, analysis.Point{End: end, Label: "4xx", Value: bad}, analysis.Point{End: end, Label: "2xx", Value: requests - bad})
			}
			s.Answers = scene{Answers: analysis.Answers{series: a}}.merged(s.Answers)
		}
	})
}

// TestASplitThatBreaksPagesIsAdvisedOn: 4xx rise at both revisions, and nothing keeps a
// user with one of them.
func TestASplitThatBreaksPagesIsAdvisedOn(t *testing.T) {
	t.Parallel()
	advised := func(s scene) bool {
		return slices.ContainsFunc(Decide(Input(s)).Advice, func(f nat.Finding) bool { return f.Code == nat.AssetsMissed })
	}
	if !advised(torn(5)) {
		t.Error("nothing is said of it")
	}
	if advised(torn(5).revised(func(r *Revision) { r.SessionAffinity = true })) {
		t.Error("session affinity is advised where it is on")
	}
	if advised(at(5)) {
		t.Error("it is advised where nothing is refused")
	}
}

// TestASplitThatBreaksPagesIsNotWidened: it is known at the first step, and more of it
// would break more. What ends it is let go on, and when nobody does, everything goes back.
func TestASplitThatBreaksPagesIsNotWidened(t *testing.T) {
	t.Parallel()
	full := func(s *scene) { s.Request.Full = true }
	held := func(d time.Duration) scene {
		return torn(5).with(func(s *scene) { s.Progress.Phase, s.Progress.Reason, s.Progress.Since = Held, AssetsMissed, ago(d) })
	}
	calm := at(5).with(func(s *scene) {
		s.Progress.Phase, s.Progress.Reason, s.Progress.Since = Held, AssetsMissed, ago(9*time.Minute)
	})
	check(t, map[string]row{
		"the first step is held":              {torn(5), "Held/AssetsMissed", "web-2 at 5%: 4xx rose with the split from 0% to 60% (candidate) and 3.15% (stable): pages may miss their build's assets"},
		"it says what ends it":                {torn(5), "Held/AssetsMissed", "Does not rise to 25%, where more would be missed. Rolls back at Mar 1 12:05Z unless promote with mode full ends the split at 100%, or it stops."},
		"in the end it goes back":             {held(5 * time.Minute), "RollingBack/RollingBack, writes web-1 100%", "web-2 at 5%: 4xx rose with the split from 0% to 60% (candidate) and 3.15% (stable): pages may miss their build's assets; release it with session affinity or a deploymentId"},
		"not before a person could end it":    {held(4 * time.Minute), "Held/AssetsMissed", "Rolls back at Mar 1 12:01Z"},
		"who still can":                       {held(9 * time.Minute).asks(Promote).with(full), "Shifting/Progressing, writes web-2 100%, accepts", ""},
		"nor is it given up where it stopped": {calm, "Shifting/Progressing, writes web-2 25%, web-1 75%", ""},

		"no approval is asked for":                 {torn(5).with(func(s *scene) { s.Plan.Steps[1].Approval = true }), "Held/AssetsMissed", "Does not rise to 25%"},
		"nor followed":                             {torn(5).with(func(s *scene) { s.Plan.Steps[1].Approval = true }).asks(Approve), "Held/AssetsMissed, refuses", "Does not rise to 25%"},
		"a person may go on":                       {torn(5).asks(Promote), "Shifting/Progressing, writes web-2 25%, web-1 75%, accepts", ""},
		"or end it":                                {torn(5).asks(Promote).with(full), "Shifting/Progressing, writes web-2 100%, accepts", ""},
		"or go back":                               {torn(5).asks(Abort), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"the last rise ends it":                    {torn(25), "Shifting/Progressing, writes web-2 100%", ""},
		"as does one to 100% at once":              {torn(5).steps(Step{Weight: 5}, Step{Weight: 100}), "Shifting/Progressing, writes web-2 100%", ""},
		"one that breaks as many pages may":        {torn(25).steps(Step{Weight: 25}, Step{Weight: 75}, Step{Weight: 100}), "Shifting/Progressing, writes web-1 25%, web-2 75%", ""},
		"one that breaks more may not":             {torn(25).steps(Step{Weight: 25}, Step{Weight: 74}, Step{Weight: 100}), "Held/AssetsMissed", "Does not rise to 74%"},
		"where sessions stick nothing is held":     {torn(5).revised(func(r *Revision) { r.SessionAffinity = true }), "Shifting/Progressing, writes web-2 25%, web-1 75%", ""},
		"where nothing is refused neither":         {at(5), "Shifting/Progressing, writes web-2 25%, web-1 75%", ""},
		"nor before its evidence is complete":      {torn(5).errors(analysis.Incomplete), "Baking/Progressing", ""},
		"a candidate that fails goes back as ever": {torn(5).errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", ""},
	})
}

// TestTheHoldOfTornPagesHasItsOwnTime: whoever was held for something else has not been
// told to end the split, and gets the whole time to do it.
func TestTheHoldOfTornPagesHasItsOwnTime(t *testing.T) {
	t.Parallel()
	undecided := torn(5).errors(analysis.Undecided)
	undecided.Progress.Clock = Stopwatch{}
	first := Decide(Input(undecided))
	if first.Progress.Phase != Held || first.Progress.Reason != HeldByAnalysis {
		t.Fatalf("errors that nothing decides: %s/%s", first.Progress.Phase, first.Progress.Reason)
	}
	later := func(p Progress, d time.Duration) Input {
		in := Input(torn(5))
		in.Progress, in.Now = p, now.Add(d)
		return in
	}
	told := Decide(later(first.Progress, 10*time.Minute))
	back := "Rolls back at " + Clock(now.Add(15*time.Minute))
	if told.Progress.Reason != AssetsMissed || told.Write != nil || !strings.Contains(told.Next, back) {
		t.Fatalf("ten minutes later: %s/%s: %s", told.Progress.Phase, told.Progress.Reason, told.Next)
	}
	if !told.Progress.Since.Equal(now.Add(10 * time.Minute)) {
		t.Errorf("held since %s, which nobody hears of", told.Progress.Since)
	}
	if d := Decide(later(told.Progress, 14*time.Minute)); d.Progress.Reason != AssetsMissed || !strings.Contains(d.Next, back) {
		t.Errorf("before it is over: %s/%s: %s", d.Progress.Phase, d.Progress.Reason, d.Next)
	}
	if d := Decide(later(told.Progress, 15*time.Minute)); d.Progress.Phase != RollingBack {
		t.Errorf("once it is over: %s/%s: %s", d.Progress.Phase, d.Progress.Reason, d.Next)
	}
}

// TestPacingDoesNotWidenATornSplit: what counts is the weight that is sent, not the one
// that the plan names, and a wait for a gateway is one in a split that breaks pages.
func TestPacingDoesNotWidenATornSplit(t *testing.T) {
	t.Parallel()
	whole := []Step{{Weight: 5}, {Weight: 25}, {Weight: 100}}
	check(t, map[string]row{
		"a smaller weight on the way breaks more": {paced(25, 38, 8, 2).steps(whole...).torn(), "Held/AssetsMissed", "Does not rise to 50%, where more would be missed."},
		"which it may where nothing is torn":      {paced(25, 38, 8, 2).steps(whole...), "Shifting/Progressing, writes web-1 50%, web-2 50%", ""},
		"one that breaks no more is made":         {paced(25, 10, 8, 2).steps(whole...).torn(), "Shifting/Progressing, writes web-1 25%, web-2 75%", ""},
		"where there is none nobody waits for it": {paced(25, 50, 8, 2).steps(whole...).torn(), "Held/AssetsMissed", "100% waits for a gateway. Rolls back at Mar 1 12:05Z"},
		"which one does where nothing is torn":    {paced(25, 50, 8, 2).steps(whole...), "Held/WaitingForNat", ""},
		"before the first split nothing is torn":  {paced(0, 50, 8, 2).steps(whole...).torn(), "Held/WaitingForNat", ""},
	})
}
