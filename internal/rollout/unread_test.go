package rollout

import (
	"testing"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

func (s scene) unknown(name string) scene {
	return s.with(func(s *scene) {
		s.Revisions[name] = Revision{Presence: Unknown, Name: name, Readiness: Pending, Why: "unavailable: oops"}
	})
}

// TestARevisionThatCannotBeReadHoldsAndNoMore: it is neither gone nor failing.
func TestARevisionThatCannotBeReadHoldsAndNoMore(t *testing.T) {
	t.Parallel()
	stranger := at(25).split("web-2", 50, "web-1", 50)
	below := at(25).split("web-2", 5, "web-1", 95)
	lost := unseen(idle().split("web-1", 50, "web-2", 50))
	lost.Plan.StableRevision = "web-1"
	named := at(0)
	named.Plan.CandidateRevision = "web-2"
	const oops = "revision web-2 could not be read: unavailable: oops"
	check(t, map[string]row{
		"the candidate before the first write": {at(0).unknown("web-2"), "Held/HeldByAnalysis", oops},
		"one that is named":                    {named.unknown("web-2"), "Held/HeldByAnalysis", oops},
		"the candidate of a baked step":        {at(25).unknown("web-2"), "Held/HeldByAnalysis", oops},
		"stable of a baked step":               {at(25).unknown("web-1"), "Held/HeldByAnalysis", "revision web-1 could not be read: unavailable: oops; traffic is not raised without a way back"},
		"the newest one of a baked step":       {at(25).newer().unknown("web-3"), "Shifting/Progressing, writes web-2 100%", ""},
		"the newest one at rest":               {idle().unknown("web-2"), "Idle/Steady", "Whether web-2 is a candidate is seen when it can be read: " + oops},
		"one that the spec names at rest":      {idle().unknown("web-2").with(func(s *scene) { s.Plan.CandidateRevision = "web-2" }), "Idle/Preparing", oops},
		"one that should be the way back":      {lost.unknown("web-1"), "Idle/Preparing", "revision web-1 could not be read"},
		"an abort does not need it":            {at(25).unknown("web-1").unknown("web-2").asks(Abort), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"nor does a rollback":                  {at(25).unknown("web-1").unknown("web-2").errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", ""},
		"nor the end of one":                   {in(RollingBack, ReasonRollingBack).split("web-1", 100).unknown("web-1").unknown("web-2"), "RolledBack/RolledBack", ""},
		"a split is not taken back upwards":    {below.unknown("web-2").asks(Resume), "Paused/TrafficConflict, refuses", oops},
		"but downwards":                        {stranger.unknown("web-2").asks(Resume), "Shifting/Progressing, writes web-2 25%, web-1 75%, accepts", ""},
		"NAT is watched on":                    {at(25).behindNat().gateways().nat(analysis.Breach).unknown("web-1").unknown("web-2"), "Held/HeldByAnalysis", "nat"},
	})
}

func TestWhatCouldNotBeReadWhenABaselineWasTakenIsNoCandidate(t *testing.T) {
	t.Parallel()
	s := idle().revision("web-3", 0)
	s.Service.LatestReady, s.Service.LatestCreated = "web-3", "web-3"
	d := Decide(Input(s.split("web-2", 100).unknown("web-3")))
	if d.Progress.Stable != "web-2" || !d.Progress.Cutoff.Equal(now) {
		t.Fatalf("baseline %s since %v: %s", d.Progress.Stable, d.Progress.Cutoff, d.Note)
	}
	s.Progress = d.Progress
	if again := Decide(Input(s.split("web-2", 100))); again.Progress.Phase != Idle {
		t.Errorf("%s/%s: %s", again.Progress.Phase, again.Progress.Reason, again.Note)
	}
}
