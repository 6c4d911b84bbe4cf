package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// starving is a candidate one in fifteen of whose requests fails since its gateway drops
// packets, which others may be the cause of: they opened connections.
func starving() scene { return suffering().judged().goes(analysis.OpenConnections, nat1, 900, 90000) }

// judged lets the check of errors look at the requests.
func (s scene) judged() scene {
	return s.with(func(s *scene) { s.Plan.Guards[0].Rule = analysis.ServerErrors{MaxRatio: 0.01, MinRequests: 100} })
}

// goneBack is the same when everything serves from stable again, and nothing was given up.
func goneBack() scene {
	d := Decide(Input(starving()))
	return starving().with(func(s *scene) { s.Progress, s.Now = d.Progress, now.Add(10*time.Second) }).split("web-1", 100)
}

// TestWhoIsSpared: the users are relieved by the same write in any case.
func TestWhoIsSpared(t *testing.T) {
	t.Parallel()
	const spared = "Nothing is given up: web-2 is tried once more"
	for name, c := range map[string]struct {
		in   scene
		want string
	}{
		"while a gateway suffers":                {starving(), spared},
		"it is told since when, and whose it is": {starving(), "limit: 2 minutes above 0 packets/min, data to Mar 1 11:56Z, since Mar 1 11:47Z; whose it is cannot be told"},
		"while its answer is on the way":         {starving().unsettled(), spared},
		"while the spec is paused":               {starving().with(func(s *scene) { s.Plan.Paused = true }), spared},
		"while Compute does not answer":          {starving().outlet(Outlet{Presence: Unknown}), spared},
		"not the culprit":                        {suffering().judged(), ""},
		"not a second time":                      {starving().with(func(s *scene) { s.Progress.Spared = ago(time.Hour) }), "it was tried once more, since everything went back at Mar 1 11:00Z"},
		"not while the gateway is well":          {starving().goes(analysis.DroppedPackets, nat1, 0, 0), ""},
		"not if users failed before":             {starving().goesFrom(8, analysis.DroppedPackets, nat1, 0, 60), ""},
		"not if nobody knows when it began":      {starving().partial(analysis.DroppedPackets).goes(analysis.OpenConnections, nat1, 900, 90000), ""},
		"not by a check without effect":          {starving().with(func(s *scene) { s.Plan.Guards[1].Mode = Shadow }), ""},
		"not by ports that are only many": {starving().with(func(s *scene) {
			s.Plan.Guards[1].Rule = analysis.NatPortUtilization{MaxPercent: 0}
		}), ""},
		"not where another check asks to go back": {starving().with(func(s *scene) {
			s.Plan.Guards = append(s.Plan.Guards, Guard{Name: "checkout", Rule: stub{outcome: analysis.Breach}, OnBreach: Rollback, Mode: Enforce})
		}), ""},
		"not where it is gone":        {starving().presence("web-2", Missing), ""},
		"not over a person's own end": {starving().asks(Abort), ""},
		"not where a person is waited for": {starving().with(func(s *scene) {
			s.Progress.Phase, s.Progress.Reason, s.Progress.Cause = Paused, StepDeadlineExceeded, "a cause"
		}), ""},
	} {
		d := Decide(Input(c.in))
		sane(t, Input(c.in), d)
		if d.Write == nil || !splitOf(d.Write).Equal(all("web-1")) || d.Progress.Phase != RollingBack {
			t.Errorf("%s: %s", name, inWords(d))
		}
		kept := strings.Contains(d.Note, spared)
		if given := d.Progress.latched("web-2"); given == kept || !strings.Contains(d.Note, c.want) {
			t.Errorf("%s: given up %t, and it says %q", name, given, d.Note)
		}
	}
}

// TestWhoIsSparedBeginsAnew: after the cool-down, when the gateway is well, whatever
// happens on the way.
func TestWhoIsSparedBeginsAnew(t *testing.T) {
	t.Parallel()
	d := Decide(Input(goneBack()))
	if d.Progress.Phase != Checking || d.Progress.Trial.Since.IsZero() || d.Write != nil {
		t.Fatalf("when everything serves it decides %s", inWords(d))
	}
	waits := goneBack().with(func(s *scene) { s.Progress, s.Now = d.Progress, now.Add(time.Minute) })
	cold := waits.with(func(s *scene) { s.Progress.Lowered = ago(21 * time.Minute) })
	well := cold.goes(analysis.DroppedPackets, nat1, 60, 0)
	back := "RollingBack/RollingBack, writes web-1 100%"
	check(t, map[string]row{
		"on the way, a write that was lost is sent again": {goneBack().split("web-2", 25, "web-1", 75), back, "traffic is still web-2 25%, web-1 75%"},
		"without metrics too":                             {goneBack().split("web-2", 25, "web-1", 75).errors(analysis.NoData).nat(analysis.NoData), back, ""},
		"an abort gives it up":                            {goneBack().asks(Abort), back + ", accepts", "aborted by ann"},
		"it cools down":                                   {waits, "Held/WaitingForNat", "web-2 is back at 0% since Mar 1 12:00Z and not given up: errors: 5xx"},
		"and waits for the gateway":                       {cold, "Held/HeldByAnalysis", "Starts anew by itself when it stops: it went back from 25% to 0%"},
		"and starts":                                      {well, "Shifting/Progressing, writes web-2 5%, web-1 95%", ""},
		"or a person gives it up":                         {cold.asks(Abort), back + ", accepts", "aborted by ann"},
		"or a newer one is taken":                         {cold.newer(), back, "superseded"},
	})
}

// TestABeginningAnewIsJudgedByItself: what served before is not held against it, nor what
// ended between the two.
func TestABeginningAnewIsJudgedByItself(t *testing.T) {
	t.Parallel()
	for name, trial := range map[string]Trial{"spared": {At: ago(30 * time.Minute), From: 25}, "stepped down": {At: ago(30 * time.Minute), From: 5}} {
		in := starving().fails(0).goes(analysis.DroppedPackets, nat1, 60, 0).with(func(s *scene) {
			s.Progress.Trial, s.Progress.Confirmed, s.Progress.Step = trial, between("web-2", "web-1", trial.From), 1
			s.Progress.Intents = []Intent{{Split: all("web-1"), Seq: 7, At: ago(time.Minute)}}
			s.Progress.Phase, s.Progress.Reason = Shifting, Progressing
			if name == "spared" {
				s.Progress.Phase, s.Progress.Reason, s.Progress.Spared = RollingBack, ReasonRollingBack, trial.At
			}
		}).split("web-1", 100)
		d := Decide(Input(in))
		if d.Progress.Phase != Checking {
			t.Fatalf("%s: %s", name, inWords(d))
		}
		rise := now.Add(20 * time.Minute)
		again := in.with(func(s *scene) {
			s.Progress, s.Now = d.Progress, rise.Add(5*time.Second)
			s.Progress.Rises = append(s.Progress.Rises, nat.Rise{At: rise})
		}).wants("web-2", 5, "web-1", 95)
		scope, _ := scopeOf(Input(again))
		if !scope.StepSince.Equal(rise.Add(settle)) || !scope.EarlierSince.IsZero() || !scope.SeenThrough.IsZero() {
			t.Errorf("%s: it is judged since %s, and earlier since %s", name, scope.StepSince, scope.EarlierSince)
		}
	}
}
