package rollout

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// unheard is a candidate one in five of whose requests fails since the minute that ended
// five minutes ago, behind a gateway whose ports grow, for others as well, and which told
// nothing of dropped packets yet.
func unheard() scene {
	return starving().fails(0).failsFrom(5, 60).growing().goes(analysis.DroppedPackets, nat1, 0, 0).heardTo(6)
}

// growing gives the gateway's endpoints more ports as they need them.
func (s scene) growing() scene {
	return s.with(func(s *scene) {
		s.Outlet = leaves(nat1)
		s.Outlet.Gateways[0].NAT.Dynamic, s.Outlet.Gateways[0].NAT.MostPorts = true, 1024
	})
}

// heardTo is a gateway's word on dropped packets up to the minute that ended so many minutes ago.
func (s scene) heardTo(minutes int) scene {
	return s.with(func(s *scene) {
		series := analysis.Series{Metric: analysis.DroppedPackets, Source: nat1}
		s.Answers = maps.Clone(s.Answers)
		a := s.Answers[series]
		a.Through = ago(time.Duration(minutes) * time.Minute)
		s.Answers[series] = a
	})
}

// drops lets the gateway drop so many packets in the one minute in which users began to fail.
func (s scene) drops(packets int64) scene {
	s = s.goes(analysis.DroppedPackets, nat1, 0, 0).heardTo(3)
	return s.with(func(s *scene) {
		points := s.Answers[analysis.Series{Metric: analysis.DroppedPackets, Source: nat1}].Points
		for i := range points {
			if points[i].End.Equal(ago(5 * time.Minute)) {
				points[i].Value = packets
			}
		}
	})
}

const stillOpen = "Whether web-2 is given up is open until nat-1 has told of these minutes"

// TestWhoIsNotGivenUpUntilTheGatewayIsHeard: users are relieved by the same write in any
// case.
func TestWhoIsNotGivenUpUntilTheGatewayIsHeard(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   scene
		want string
	}{
		"ports grow, and what it dropped is not known": {unheard(), stillOpen},
		"how that ends is told":                        {unheard(), "at Mar 1 12:05Z at the latest, unless packets were dropped by Mar 1 11:55Z; abort gives it up now"},
		"while the Compute API is silent": {unheard().outlet(Outlet{Presence: Unknown}).with(func(s *scene) {
			s.Progress.Watches[0].Growing = true
		}), stillOpen},
		"nothing is known of it yet": {unheard().with(func(s *scene) {
			s.Answers[analysis.Series{Metric: analysis.DroppedPackets, Source: nat1}] = analysis.Answer{Cause: analysis.CauseUnavailable}
		}), stillOpen},
		"addresses grow": {unheard().with(func(s *scene) {
			s.Outlet.Gateways[0].NAT.Dynamic, s.Outlet.Gateways[0].NAT.Auto = false, true
		}), stillOpen},
		"it dropped packets, be that a breach or not":   {unheard().drops(120), "nat-1 dropped 120 packets while it grew, data to Mar 1 11:57Z, since Mar 1 11:55Z"},
		"not behind one that gives a fixed number":      {unheard().outlet(leaves(nat1)), ""},
		"not where it has told":                         {unheard().heardTo(3), ""},
		"not the culprit":                               {unheard().drops(120).goes(analysis.OpenConnections, nat1, 900, 900), ""},
		"not where more requests failed than packets":   {unheard().drops(119), ""},
		"not if users failed long before":               {unheard().failsFrom(12, 60), ""},
		"not a second time":                             {unheard().with(func(s *scene) { s.Progress.Spared = ago(time.Hour) }), ""},
		"not where no check would find dropped packets": {unheard().with(func(s *scene) { s.Plan.Guards[1].Mode = Shadow }), ""},
		"not where it is gone":                          {unheard().presence("web-2", Missing), ""},
		"not over a person's own end":                   {unheard().asks(Abort), ""},
		"not where another check asks to go back as well": {unheard().with(func(s *scene) {
			s.Plan.Guards = append(s.Plan.Guards, Guard{Name: "checkout", Rule: stub{outcome: analysis.Breach}, OnBreach: Rollback, Mode: Enforce})
		}), ""},
	} {
		d := Decide(Input(c.in))
		sane(t, Input(c.in), d)
		if d.Write == nil || !splitOf(d.Write).Equal(all("web-1")) || d.Progress.Phase != RollingBack {
			t.Errorf("%s: %s", name, inWords(d))
		}
		if d.Progress.latched("web-2") != (c.want == "") || !strings.Contains(d.Note+" "+d.Next, c.want) {
			t.Errorf("%s: given up %t, and it says %q, %q", name, d.Progress.latched("web-2"), d.Note, d.Next)
		}
		if accused := c.in.Now.Add(-5 * time.Minute); strings.Contains(d.Note, stillOpen) != d.Progress.Accused.Equal(accused) {
			t.Errorf("%s: accused since %s", name, d.Progress.Accused)
		}
	}
}

// TestWhatTheGatewayTellsDecides, when everything serves from stable again.
func TestWhatTheGatewayTellsDecides(t *testing.T) {
	t.Parallel()
	d := Decide(Input(unheard()))
	then := func(s scene) scene {
		return s.with(func(s *scene) { s.Progress, s.Now = d.Progress, now.Add(10*time.Second) }).split("web-1", 100)
	}
	waits := then(unheard())
	lost := waits.split("web-2", 25, "web-1", 75)
	const (
		back    = "RollingBack/RollingBack, writes web-1 100%"
		givenUp = "RolledBack/RolledBack"
		anew    = "Checking/Preparing"
	)
	check(t, map[string]row{
		"it has not told yet":              {waits, "RollingBack/RollingBack", "web-1 serves 100%. " + stillOpen},
		"a write that was lost goes first": {lost, back, "traffic is still web-2 25%, web-1 75%"},
		"it dropped packets":               {then(unheard().drops(120)), anew, "nat-1 dropped 120 packets while it grew"},
		"in more than one minute":          {then(unheard().goesFrom(6, analysis.DroppedPackets, nat1, 0, 90)), anew, "not given up"},
		"it dropped nothing":               {then(unheard().heardTo(3)), givenUp, "web-2 was given up"},
		"the candidate caused it":          {then(unheard().drops(120).goes(analysis.OpenConnections, nat1, 900, 900)), givenUp, ""},
		"it dropped too few":               {then(unheard().drops(119)), givenUp, ""},
		"it never tells":                   {waits.with(func(s *scene) { s.Now = now.Add(5 * time.Minute) }), givenUp, ""},
		"it stopped being there":           {waits.presence("web-2", Missing), givenUp, ""},
		"a newer one takes its place":      {waits.newer(), "Checking/Preparing", "web-3 is to follow web-1"},
		"a person gives it up":             {waits.asks(Abort), back + ", accepts", "aborted by ann"},
	})
	for name, in := range map[string]scene{"spared": then(unheard().drops(120)), "given up": then(unheard().heardTo(3))} {
		d := Decide(Input(in))
		if !d.Progress.Accused.IsZero() || d.Progress.Spared.IsZero() == (name == "spared") {
			t.Errorf("%s: accused since %s, spared at %s", name, d.Progress.Accused, d.Progress.Spared)
		}
	}
	if d := Decide(Input(waits)); d.Write != nil || d.LookAt.Sub(waits.Now) != regular {
		t.Errorf("while it waits: %s, looks again at %s", inWords(d), d.LookAt)
	}
}
