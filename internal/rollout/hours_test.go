package rollout

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// shut is a scene in hours in which nothing rises.
func (s scene) shut() scene {
	s.Hours = Hours{Shut: true, Why: "RolloutFreeze sale until Mar 2 00:00Z: no releases during the sale", Opens: now.Add(12 * time.Hour)}
	return s
}

// TestHoursStopRisesAndNothingElse: outside of them evidence is gathered, breaches lead
// back, and people may stop what they like.
func TestHoursStopRisesAndNothingElse(t *testing.T) {
	t.Parallel()
	const held = "Held/OutsideWindow"
	unknown := at(25).shut()
	unknown.Hours.Opens = time.Time{}
	gate := at(5).with(func(s *scene) { s.Plan.Steps[1].Approval = true })
	late := at(25).shut()
	late.Progress.Clock = Stopwatch{Running: ago(3 * time.Hour)}
	check(t, map[string]row{
		"the first step":             {at(0).shut(), held, "before the first write; nothing rises now: RolloutFreeze sale until Mar 2 00:00Z: no releases during the sale"},
		"the next step":              {at(25).shut(), held, "web-2 at 25% since Mar 1 11:30Z; nothing rises now"},
		"until when":                 {at(25).shut(), held, "Goes on at Mar 2 00:00Z; a breach still leads back, and abort sends everything to web-1."},
		"nobody knows until when":    {unknown, held, "Goes on when it is let through"},
		"a step that bakes":          {young(25).shut(), "Baking/Progressing", ""},
		"the end of the last one":    {at(100).shut(), "Completed/Completed", ""},
		"a gate":                     {gate.shut(), "AwaitingApproval/AwaitingApproval", ""},
		"a gate that is approved":    {gate.shut().asks(Approve), held + ", accepts", ""},
		"a breach":                   {at(25).shut().errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", ""},
		"an abort":                   {at(25).shut().asks(Abort), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"a deadline waits":           {late, held, ""},
		"a promote":                  {young(5).shut().promotes(), "Baking/Progressing, refuses", "nothing rises now: RolloutFreeze sale"},
		"when to ask again":          {young(5).shut().promotes(), "Baking/Progressing, refuses", "no releases during the sale; ask again at Mar 2 00:00Z"},
		"one with override":          {young(5).shut().promotes("full", "override"), "Baking/Progressing, refuses", "nothing rises now"},
		"one that ends the last one": {young(100).shut().promotes(), "Completed/Completed, accepts", ""},
		"a resume over a person's lower split": {
			at(25).wants("web-2", 5, "web-1", 95).shut().asks(Resume), "Paused/TrafficConflict, refuses", "nothing rises now",
		},
		"one of a memory that names a third revision": {
			at(25).with(func(s *scene) {
				s.Progress.Confirmed = NewSplit(map[string]int64{"web-1": 50, "web-2": 25, "web-0": 25})
			}).shut().asks(Resume), "Paused/TrafficConflict, refuses", "nothing rises now",
		},
		"one over a higher split": {
			at(25).wants("web-2", 50, "web-1", 50).shut().asks(Resume), "Shifting/Progressing, writes web-2 25%, web-1 75%, accepts", "",
		},
	})
}

// TestNothingRisesWhileItIsShut, whatever the input.
func TestNothingRisesWhileItIsShut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			in := garbage{t}.input()
			in.Hours = scene{}.shut().Hours
			d := Decide(in)
			if d.Write == nil {
				continue
			}
			given := map[string]int64{}
			for _, e := range d.Write.Targets() {
				given[e.Revision] += e.Percent
			}
			for revision, percent := range given {
				if before := look(in).desired.Of(revision); revision != "" && revision != d.Progress.Stable && percent > max(0, before) {
					t.Fatalf("%s rises from %d%% to %d%%: %s (%s)", revision, before, percent, inWords(d), d.Note)
				}
			}
		}
	})
}
