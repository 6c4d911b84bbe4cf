package rollout

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// paced is an attempt at a weight behind nat-1, which has one address, 1,024 ports
// for each of 63 endpoints, and room for 50 of them. Of these so many are taken;
// stable and the candidate have so many instances, eight of them busy.
func paced(weight, endpoints, stable, candidate int64) scene {
	o := leaves(nat1)
	o.Gateways[0].NAT = nat.Gateway{Name: "nat-1", IPs: 1, Ports: 1024, Endpoints: endpoints}
	s := at(weight).behindNat().saw(nat1).outlet(o)
	s.Plan.Pacing, s.Plan.Reserve = Headroom, 20
	web1, web2 := Input(s).source("web-1"), Input(s).source("web-2")
	return s.counts(analysis.Instances, web1, stable).counts(analysis.ActiveInstances, web1, 8).
		counts(analysis.Instances, web2, candidate).counts(analysis.ActiveInstances, web2, 0).
		counts(analysis.AllocatedPorts, nat1, endpoints*1024)
}

// lasted is how long ago the split began to serve.
func (s scene) lasted(d time.Duration) scene {
	s.Progress.Effective = ago(d)
	return s
}

// compute changes what was read of the gateway.
func (s scene) compute(change func(*Gateway)) scene {
	s.Outlet.Gateways = slices.Clone(s.Outlet.Gateways)
	change(&s.Outlet.Gateways[0])
	return s
}

// silent loses the answers of a metric.
func (s scene) silent(m analysis.Metric, cause analysis.Cause) scene {
	answers := analysis.Answers{}
	for series, a := range s.Answers {
		if series.Metric == m {
			a = analysis.Answer{Through: a.Through, Cause: cause}
		}
		answers[series] = a
	}
	s.Answers = answers
	return s
}

// peers are others behind the gateway.
func (s scene) peers(claims ...nat.Claim) scene {
	for _, c := range claims {
		s.Peers = append(s.Peers, Peer{nat1, c})
	}
	return s
}

// keeps changes what is kept in reserve. With none, nothing is kept for the worst.
func (s scene) keeps(reserve int64) scene {
	s.Plan.Reserve = reserve
	return s
}

func (s scene) fixed() scene {
	s.Plan.Pacing = Fixed
	return s
}

const (
	waitsForNat = "Held/WaitingForNat"
	cannotSee   = "Held/MetricsUnavailable"
)

// wrote is a rise in words.
func wrote(weight int) string {
	smaller, larger := fmt.Sprintf("web-2 %d%%", weight), fmt.Sprintf("web-1 %d%%", 100-weight)
	switch {
	case weight == 100:
		return "Shifting/Progressing, writes " + smaller
	case weight >= 50:
		smaller, larger = larger, smaller
	}
	return "Shifting/Progressing, writes " + smaller + ", " + larger
}

// TestARiseGoesAsFarAsTheGatewayHasRoom at a weight of 25 %, where 100 % is next
// and needs 24 endpoints more.
func TestARiseGoesAsFarAsTheGatewayHasRoom(t *testing.T) {
	t.Parallel()
	auto := func(g *Gateway) { g.NAT.Auto, g.NAT.ExtraIPs = true, 2 }
	lacks := func(g *Gateway) { g.NAT.ExtraIPs = 2 }
	dynamic := func(g *Gateway) { g.NAT.Dynamic = true }
	check(t, map[string]row{
		"room for the step":                   {paced(25, 38, 8, 5), wrote(100), ""},
		"room for it, and not for the worst":  {paced(25, 26, 8, 2), wrote(62), "web-2 goes from 25% to 62%; 100% waits for room: nat-1: 26 of 63 endpoints (1,024 ports each) taken; 100% adds up to 24, at worst 72; 20% is kept in reserve: room for 50, at worst for 63"},
		"nothing is kept for the worst":       {paced(25, 39, 8, 2).keeps(0), wrote(100), ""},
		"room for a part of it":               {paced(25, 38, 8, 2), wrote(50), "web-2 goes from 25% to 50%; 100% waits for room: nat-1: 38 of 63 endpoints (1,024 ports each) taken; 100% adds up to 24; 20% is kept in reserve: room for 50"},
		"an instance is one endpoint":         {paced(25, 38, 8, 2).with(func(s *scene) { s.Plan.EndpointsPerInstance = 1 }), wrote(75), ""},
		"no room, with one endpoint each":     {paced(25, 50, 8, 2).with(func(s *scene) { s.Plan.EndpointsPerInstance = 1 }), waitsForNat, "nat-1: 50 of 63 endpoints (1,024 ports each) taken; 100% adds up to 12; 20% is kept in reserve: room for 50; no smaller"},
		"no room":                             {paced(25, 50, 8, 2), waitsForNat, "web-2 at 25% since Mar 1 11:30Z; 100% waits for room: nat-1: 50 of 63 endpoints (1,024 ports each) taken; 100% adds up to 24; 20% is kept in reserve: room for 50; no smaller weight fits either"},
		"room for too little":                 {paced(25, 44, 8, 2), waitsForNat, "37% would fit, which gains too little while instances of the last shift are going"},
		"it is all there will be":             {paced(25, 44, 8, 2).lasted(35 * time.Minute), wrote(37), ""},
		"a rise that starts nothing":          {paced(25, 60, 8, 8), wrote(100), ""},
		"the first weight":                    {paced(0, 46, 8, 0), wrote(5), ""},
		"no room for the first weight":        {paced(0, 47, 8, 0), waitsForNat, "before the first write; 5% waits for room"},
		"addresses that come by themselves":   {paced(25, 63, 8, 2).compute(auto), wrote(100), ""},
		"ports that grow":                     {paced(25, 26, 8, 2).compute(dynamic), wrote(62), ""},
		"ports that grow and are not counted": {paced(25, 26, 8, 2).compute(dynamic).silent(analysis.AllocatedPorts, ""), cannotSee, "its allocated ports are not known"},
		"addresses that are lacking":          {paced(0, 10, 8, 0).compute(lacks), waitsForNat, "nat-1 lacks 2 NAT IPs for what it carries already (minExtraNatIpsNeeded), and has 1"},
		"lacking with a pace of its own":      {paced(0, 10, 8, 0).fixed().compute(lacks), waitsForNat, "add 2 NAT IPs to nat-1, or lower its minPortsPerVm, which is 1024 (can break open connections)"},
		"lacking where they come":             {paced(0, 10, 8, 0).compute(auto), wrote(5), ""},
		"lacking on the way":                  {paced(25, 10, 8, 2).compute(lacks), waitsForNat, "it lacks 2 addresses already"},
		"no room with a pace of its own":      {paced(25, 63, 8, 2).fixed(), wrote(100), ""},
		"no room and nobody cares":            {paced(25, 63, 8, 2).with(func(s *scene) { s.Plan.NatUnwanted = true }), wrote(100), ""},
		"no room and no way through":          {paced(25, 63, 8, 2).revision("web-2", time.Hour), wrote(100), ""},
		"a gateway that is not read":          {paced(25, 10, 8, 2).compute(func(g *Gateway) { g.Unread = "routers.getRouterStatus: denied" }), cannotSee, "nat: nat-1: routers.getRouterStatus: denied"},
		"a gateway that is named and gone":    {paced(25, 10, 8, 2).gateways().outlet(Outlet{Presence: Unknown, Detail: "unavailable"}), cannotSee, "nat-1: unavailable"},
		"instances that nobody tells":         {paced(25, 10, 8, 2).silent(analysis.ActiveInstances, analysis.CauseDenied), cannotSee, "instances of web-1: access denied"},
		"no instance at all":                  {paced(25, 10, 0, 0).silent(analysis.ActiveInstances, ""), cannotSee, "no instance of web-1 or web-2 was counted in the last 30 minutes, and without one nothing can be forecast: set spec.strategy.pacing: Fixed"},
		"instances of long ago":               {paced(25, 14, 8, 2).with(func(s *scene) { s.age(Input(*s).source("web-2"), 4*time.Minute) }), wrote(50), ""},
		"the last rise is not measured":       {paced(25, 10, 8, 2).silent(analysis.AllocatedPorts, "").with(func(s *scene) { s.Progress.Hot = ago(5 * time.Minute) }), waitsForNat, "Goes on when they have, or at Mar 1 12:15Z"},
		"no way back":                         {paced(25, 10, 8, 2).readiness("web-1", NotReady), "Held/HeldByAnalysis", ""},
	})
}

// age takes the newest points of the candidate's instances away.
func (s *scene) age(of analysis.Source, by time.Duration) {
	series := analysis.Series{Metric: analysis.Instances, Source: of}
	a := s.Answers[series]
	a.Points = slices.DeleteFunc(slices.Clone(a.Points), func(p analysis.Point) bool { return p.End.After(a.Through.Add(-by)) })
	s.Answers = scene{Answers: analysis.Answers{series: a}}.merged(s.Answers)
}

// merged adds the answers that it has none to.
func (s scene) merged(others analysis.Answers) analysis.Answers {
	for series, a := range others {
		if _, ok := s.Answers[series]; !ok {
			s.Answers[series] = a
		}
	}
	return s.Answers
}

// TestAnInsertedWeightIsHeldUntilItIsSeen: for a complete minute, not for a bake.
func TestAnInsertedWeightIsHeldUntilItIsSeen(t *testing.T) {
	t.Parallel()
	on := func(o analysis.Outcome, healthy int) scene {
		return paced(62, 20, 8, 5).says("errors", Rollback, stub{outcome: o, healthy: healthy})
	}
	landed := paced(25, 38, 8, 2).meant(between("web-2", "web-1", 62)).split("web-2", 62, "web-1", 38)
	check(t, map[string]row{
		"it begins to serve":               {landed, "Baking/Progressing", "web-2 at 62%, on the way to 100%; 100% waits for room: nat-1: 38 of 63 endpoints (1,024 ports each) taken; 100% adds up to 24; 20% is kept in reserve: room for 50; the first evidence comes in a few minutes"},
		"no minute yet":                    {on(analysis.Incomplete, 0), "Baking/Progressing", "Held until a complete, healthy minute of it is reported, at Mar 1 11:32Z at the earliest; then rises as far as the gateways have room, at most to 100%."},
		"one minute":                       {on(analysis.Pass, 1), wrote(100), ""},
		"one of few requests":              {on(analysis.Insufficient, 1), wrote(100), ""},
		"one that decides nothing":         {on(analysis.Undecided, 1), "Held/HeldByAnalysis", "web-2 at 62% since Mar 1 11:30Z, on the way to 100%; there is room for 100% by now; errors: it says Undecided"},
		"one of a breach":                  {on(analysis.Pass, 1).nat(analysis.Breach), "Held/HeldByAnalysis", ""},
		"one without data":                 {on(analysis.Pass, 1).nat(analysis.NoData), cannotSee, ""},
		"one that a gateway keeps back":    {on(analysis.Pass, 1).silent(analysis.AllocatedPorts, ""), "Baking/Progressing", ""},
		"of a gateway that is silent":      {on(analysis.Pass, 1).nat(analysis.Incomplete), "Baking/Progressing", ""},
		"no room from there":               {paced(62, 45, 8, 5), waitsForNat, "web-2 at 62% since Mar 1 11:30Z; 100% waits for room"},
		"with a pace of its own it bakes":  {on(analysis.Pass, 19).fixed(), "Baking/Progressing", "19 of 20 minutes"},
		"the candidate fails":              {on(analysis.Breach, 1), "RollingBack/RollingBack, writes web-1 100%", ""},
		"the step's own weight is baked":   {paced(25, 20, 8, 2).says("errors", Rollback, stub{outcome: analysis.Pass, healthy: 9}), "Baking/Progressing", "9 of 10 minutes"},
		"it becomes a weight of the plan":  {on(analysis.Pass, 9).steps(Step{Weight: 62, Bake: 10 * time.Minute}, Step{Weight: 100}), "Baking/Progressing", "9 of 10 minutes"},
		"the step comes down to it":        {on(analysis.Pass, 60).steps(Step{Weight: 60, Bake: time.Minute}, Step{Weight: 100}), wrote(100), ""},
		"a newer revision comes":           {on(analysis.Pass, 1).newer(), "RollingBack/RollingBack, writes web-1 100%", "superseded by web-3"},
		"spec.paused comes":                {on(analysis.Pass, 1).with(func(s *scene) { s.Plan.Paused = true }), "Paused/Paused", "traffic stays at"},
		"a person aborts":                  {on(analysis.Incomplete, 0).asks(Abort), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"the step that it led to vanishes": {on(analysis.Pass, 1).steps(Step{Weight: 25, Bake: time.Minute}), "AwaitingApproval/AwaitingApproval", "web-2 at 62% since Mar 1 11:30Z; 100% needs a person's approval"},
	})
	for _, e := range Decide(Input(on(analysis.Pass, 1))).Events {
		if e.Reason == StepPassed {
			t.Errorf("an inserted weight is told as a step: %s", e.Note)
		}
	}
}

// TestAnInsertedWeightSaysWhatTheStatusForecasts, when it is written, when it begins
// to serve and while it is held, as long as there is something to foresee.
func TestAnInsertedWeightSaysWhatTheStatusForecasts(t *testing.T) {
	t.Parallel()
	written := paced(25, 38, 8, 2)
	landed := written.meant(between("web-2", "web-1", 62)).split("web-2", 62, "web-1", 38)
	held := paced(62, 45, 8, 5).says("errors", Rollback, stub{outcome: analysis.Incomplete})
	for name, s := range map[string]scene{"written": written, "landed": landed, "held": held} {
		d := Decide(Input(s))
		said := []string{d.Note}
		for _, e := range d.Events {
			if e.Reason == TrafficShifted {
				said = append(said, e.Note)
			}
		}
		for _, note := range said {
			if want := "; 100% waits for room: " + d.Gateways[0].Forecast.String(); !strings.Contains(note, want) {
				t.Errorf("%s, it says %q, want a part %q", name, note, want)
			}
		}
		if name == "landed" && len(said) != 2 {
			t.Errorf("nobody is told of the shift: %v", d.Events)
		}
	}
	d := Decide(Input(held.compute(func(g *Gateway) { g.Unread = "denied" })))
	if !strings.HasPrefix(d.Note, "web-2 at 62% since Mar 1 11:30Z, on the way to 100%; errors: ") {
		t.Errorf("of what cannot be foreseen it says %q", d.Note)
	}
}

// TestAGateOnTheWayIsPassedOnce: what a person approved is a weight. The way to it
// may be long, and may have to wait.
func TestAGateOnTheWayIsPassedOnce(t *testing.T) {
	t.Parallel()
	gate := func(s scene) scene { return s.with(func(s *scene) { s.Plan.Steps[2].Approval = true }) }
	allowed := func(s scene) scene { return s.with(func(s *scene) { s.Progress.Approved = 100 }) }
	const awaits = "AwaitingApproval/AwaitingApproval"
	check(t, map[string]row{
		"it is asked first":                 {gate(paced(25, 38, 8, 2)), awaits, "step 2/3 passed; 100% needs a person's approval"},
		"also where there is no room":       {gate(paced(25, 50, 8, 2)), awaits, ""},
		"it opens the way":                  {gate(paced(25, 38, 8, 2)).asks(Approve), wrote(50) + ", accepts", ""},
		"also where there is no room yet":   {gate(paced(25, 50, 8, 2)).asks(Approve), waitsForNat + ", accepts", ""},
		"it is not asked again for room":    {allowed(gate(paced(25, 38, 8, 2))), wrote(50), ""},
		"nor from an inserted weight":       {allowed(gate(paced(62, 20, 8, 5))), wrote(100), ""},
		"nor when the write was lost":       {allowed(gate(paced(25, 26, 8, 2))).meant(between("web-2", "web-1", 62)), wrote(62), ""},
		"a gate of another weight is asked": {allowed(paced(25, 20, 8, 2).steps(Step{Weight: 25}, Step{Weight: 80, Approval: true}, Step{Weight: 100})), awaits, "80% needs"},
	})
	approved := Decide(Input(gate(paced(25, 50, 8, 2)).asks(Approve)))
	if approved.Progress.Approved != 100 {
		t.Errorf("%s remembers %d%%", inWords(approved), approved.Progress.Approved)
	}
	taken := allowed(gate(paced(25, 20, 8, 2))).split("web-2", 10, "web-1", 90).asks(Resume)
	taken.Progress.Phase, taken.Progress.Reason = Paused, TrafficConflict
	if d := Decide(Input(taken)); d.Write == nil || d.Progress.Approved != 0 {
		t.Errorf("after somebody else's split it was %s and %d%% is still approved", inWords(d), d.Progress.Approved)
	}
}

// TestARiseThatWasLostIsSentAgain as it was, as long as it fits: nobody knows
// whether it is under way. A larger one is not written over it.
func TestARiseThatWasLostIsSentAgain(t *testing.T) {
	t.Parallel()
	lost := func(endpoints int64) scene {
		s := paced(25, endpoints, 8, 2).keeps(0).meant(between("web-2", "web-1", 62))
		s.Progress.Phase, s.Progress.Hot = Shifting, ago(2*time.Minute)
		s.Progress.Watches[0].Claimed = 12 * 1024
		return s
	}
	check(t, map[string]row{
		"there is as much room":        {lost(51), wrote(62), ""},
		"there is more":                {lost(10), wrote(62), ""},
		"there is less":                {lost(55), wrote(50), ""},
		"there is none":                {lost(63), waitsForNat, ""},
		"the step came down below it":  {lost(10).steps(Step{Weight: 25}, Step{Weight: 50, Bake: time.Minute}, Step{Weight: 100}), wrote(50), ""},
		"another rollout came between": {lost(51).peers(nat.Claim{ID: "a", Since: ago(time.Hour), Ports: 1024}), wrote(62), ""},
	})
	for name, c := range map[string]struct {
		in  scene
		hot time.Time
	}{
		"as hot as before": {lost(51), ago(2 * time.Minute)},
		"and again, where it was so long ago that it is not any more": {lost(51).with(func(s *scene) { s.Progress.Hot = ago(20 * time.Minute) }), now},
	} {
		if d := Decide(Input(c.in)); !d.Progress.Hot.Equal(c.hot) {
			t.Errorf("%s: %s is hot since %v", name, inWords(d), d.Progress.Hot)
		}
	}
	// Whichever of two lands, it is ours, and the step goes on from it.
	smaller := Decide(Input(lost(55)))
	for _, weight := range []int64{50, 62} {
		s := lost(55)
		s.Progress = smaller.Progress
		s = s.split("web-2", weight, "web-1", 100-weight)
		if d := Decide(Input(s)); d.Progress.Phase != Baking || d.Progress.Confirmed.Of("web-2") != weight {
			t.Errorf("%d%% landed: %s at %s", weight, inWords(d), d.Progress.Confirmed)
		}
	}
	if smaller.Progress.Clock != (Stopwatch{Running: ago(31 * time.Minute)}) {
		t.Errorf("it got its time again: %+v", smaller.Progress.Clock)
	}
}

// TestARiseThatWasLostAndNoLongerFitsKeepsItsClaim: the old write may still land, and
// others must reckon with it, until a rise is not hot any more.
func TestARiseThatWasLostAndNoLongerFitsKeepsItsClaim(t *testing.T) {
	t.Parallel()
	waiting := paced(25, 50, 8, 2)
	waiting.Progress.Hot, waiting.Progress.Watches[0].Claimed = ago(2*time.Minute), 12*1024
	lost := waiting.meant(between("web-2", "web-1", 62))
	lost.Progress.Phase = Shifting
	for name, c := range map[string]struct {
		in   scene
		want int64
	}{
		"while it may land":               {lost, 12 * 1024},
		"not when it is long ago":         {lost.with(func(s *scene) { s.Progress.Hot = ago(longestHeat) }), 0},
		"nor where no rise is under way":  {waiting.with(func(s *scene) { s.Progress.Hot = time.Time{} }), 0},
		"also where others want to go on": {lost.peers(nat.Claim{ID: "a", Since: ago(time.Hour), Ports: 1024}), 12 * 1024},
	} {
		d := Decide(Input(c.in))
		peers := d.Progress.Claims("uid", now)
		if d.Progress.Reason != WaitingForNat || len(peers) != 1 || peers[0].Claim.Ports != c.want || peers[0].Claim.Hot != (c.want > 0) {
			t.Errorf("%s: %s claims %+v", name, inWords(d), peers)
		}
	}
}

// TestAClockThatWasSetBackMakesNoRiseHotForLonger: it is not waited until the clock
// has caught up with a rise of the future.
func TestAClockThatWasSetBackMakesNoRiseHotForLonger(t *testing.T) {
	t.Parallel()
	s := paced(25, 10, 8, 2)
	s.Progress.Hot = now.Add(3 * time.Hour)
	d := Decide(Input(s))
	if !d.Progress.Hot.Equal(now) || !strings.Contains(d.Next, "or at Mar 1 12:20Z") {
		t.Fatalf("%s is hot since %v: %s", inWords(d), d.Progress.Hot, d.Next)
	}
	s.Progress = d.Progress
	s.Now = now.Add(longestHeat)
	if !look(Input(s)).Progress.Hot.IsZero() {
		t.Error("it is hot for longer than a rise may be")
	}
}

// TestWhatIsTakenBackRespectsTheGateway: our split is not written again over
// somebody else's where the candidate's new instances would not fit.
func TestWhatIsTakenBackRespectsTheGateway(t *testing.T) {
	t.Parallel()
	taken := func(endpoints, candidate int64) scene {
		s := paced(62, endpoints, 8, candidate).split("web-2", 10, "web-1", 90)
		s.Progress.Phase, s.Progress.Reason = Paused, TrafficConflict
		return s.asks(Resume)
	}
	const stays = "Paused/TrafficConflict, refuses"
	check(t, map[string]row{
		"its instances are still there": {taken(60, 10), wrote(62) + ", accepts", ""},
		"there is room":                 {taken(3, 0), wrote(62) + ", accepts", ""},
		"there is none":                 {taken(45, 0), stays, "62% adds up to 20; 20% is kept in reserve: room for 50"},
		"another one takes its step":    {taken(3, 0).peers(nat.Claim{ID: "a", Hot: true, Since: ago(time.Minute), Ports: 29 * 1024}), stays, "another rollout behind nat-1 takes its step"},
		"nobody can tell":               {taken(3, 0).silent(analysis.Instances, analysis.CauseDenied), stays, "nat: instances of web-1: access denied"},
		"with a pace of its own":        {taken(60, 0).fixed(), wrote(62) + ", accepts", ""},
		"a lower one needs no room":     {taken(60, 0).split("web-2", 80, "web-1", 20).asks(Resume), wrote(62) + ", accepts", ""},
	})
}

// TestANewAttemptBeginsAnew: what was approved, waited for and told is not that of
// the attempt before it.
func TestANewAttemptBeginsAnew(t *testing.T) {
	t.Parallel()
	s := paced(0, 10, 8, 0).asks(Retry)
	s.Progress.Phase, s.Progress.Reason, s.Progress.Latched = RolledBack, ReasonRolledBack, []string{"web-2"}
	s.Progress.Approved, s.Progress.Waiting, s.Progress.WaitTold, s.Progress.Hot = 100, ago(time.Hour), true, ago(time.Minute)
	p := Decide(Input(s)).Progress
	if p.Attempt != 2 || p.Approved != 0 || !p.Waiting.IsZero() || p.WaitTold || !p.Hot.IsZero() {
		t.Errorf("%s, attempt %d: %d%% is approved, waits since %v, hot since %v", p.Phase, p.Attempt, p.Approved, p.Waiting, p.Hot)
	}
}

// TestAGatewayOutOfSightEndsInAPause as any metric does, though other checks
// answer.
func TestAGatewayOutOfSightEndsInAPause(t *testing.T) {
	t.Parallel()
	s := paced(25, 10, 8, 2).compute(func(g *Gateway) { g.Unread = "denied" })
	s.Progress.Clock = Stopwatch{}
	for range 200 {
		d := Decide(Input(s))
		if s.Progress = d.Progress; d.Write != nil {
			t.Fatalf("%s: %s", inWords(d), d.Note)
		}
		s.Now = s.Now.Add(15 * time.Second)
	}
	if s.Progress.Reason != NoDataDeadlineExceeded {
		t.Errorf("after %s it is %s/%s", s.Now.Sub(now), s.Progress.Phase, s.Progress.Reason)
	}
}

// TestARiseNeverExceedsWhatFits: for any gateway and fleet, a rise goes to a weight
// whose forecast fits, above the present one and not above the step's; and what is
// inserted while something lingers is a fifth of the way at least.
func TestARiseNeverExceedsWhatFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := func(what string, most int64) int64 { return rapid.Int64Range(0, most).Draw(t, what) }
		weight := rapid.SampledFrom([]int64{0, 5, 12, 25, 62, 99}).Draw(t, "weight")
		s := paced(weight, number("endpoints", 70), number("stable", 40), number("candidate", 40))
		since := time.Duration(number("since", 60)) * time.Minute
		if weight > 0 {
			s = s.lasted(since)
		}
		s = s.compute(func(g *Gateway) {
			g.NAT.ExtraIPs, g.NAT.Dynamic, g.NAT.Auto = number("lacks", 1), number("dynamic", 1) == 1, number("auto", 4) == 4
		})
		d := Decide(Input(s))
		sane(t, Input(s), d)
		c := look(Input(s)).course(weight, s.Plan.step(s.Plan.after(weight)).Weight)
		if d.Write == nil {
			if d.Progress.Reason == WaitingForNat && c.largest() == c.to && c.gateways[0].ExtraIPs == 0 {
				t.Fatalf("%d%% fits and waits: %s", c.to, d.Note)
			}
			return
		}
		to := splitOf(d.Write).Of("web-2")
		if to <= weight || to > c.to || !c.forecast(0, to).Fits() {
			t.Fatalf("rises from %d%% to %d%% of %d%%: %s", weight, to, c.to, c.forecast(0, to))
		}
		if to < c.to && since < 35*time.Minute && weight > 0 && 5*(to-weight) < c.to-s.Plan.below(c.to) {
			t.Fatalf("creeps from %d%% to %d%% of %d%%", weight, to, c.to)
		}
	})
}

// TestWhereNatDoesNotMatterNothingIsPaced: whatever the gateways have.
func TestWhereNatDoesNotMatterNothingIsPaced(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]scene{
		"unwanted": paced(25, 63, 8, 2).with(func(s *scene) { s.Plan.NatUnwanted = true }),
		"private":  paced(25, 63, 8, 2).revision("web-2", time.Hour),
	} {
		d := Decide(Input(s))
		if d.Write == nil || !d.Progress.Hot.IsZero() || strings.Contains(d.Note+d.Next, "room") {
			t.Errorf("%s: %s: %s", name, inWords(d), d.Note)
		}
	}
}
