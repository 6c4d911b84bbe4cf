package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// promotes is ann's promote of what a scene shows.
func (s scene) promotes(modes ...string) scene {
	s = s.asks(Promote)
	for _, mode := range modes {
		s.Request.Full = s.Request.Full || mode == "full"
		s.Request.Override = s.Request.Override || mode == "override"
	}
	return s
}

// young is an attempt whose bake has only just begun.
func young(weight int64) scene {
	return at(weight).says("errors", Rollback, stub{outcome: analysis.Incomplete, healthy: 0})
}

func TestPromote(t *testing.T) {
	t.Parallel()
	gate := young(5).with(func(s *scene) { s.Plan.Steps[1].Approval = true })
	stopped := young(5).says("errors", Rollback, stub{outcome: analysis.NoData})
	stopped.Progress.Breaches = []BreachStart{{"errors", ago(time.Minute)}}
	check(t, map[string]row{
		"ends the bake":                        {young(5).promotes(), "Shifting/Progressing, writes web-2 25%, web-1 75%, accepts", "promoted by ann after 0 of 10 healthy minutes: web-2 goes from 5% to 25%"},
		"full goes to the end":                 {young(5).promotes("full"), "Shifting/Progressing, writes web-2 100%, accepts", "web-2 goes to 100% in one write"},
		"before the first write":               {at(0).says("errors", Rollback, stub{outcome: analysis.NoData}).promotes(), "Shifting/Progressing, writes web-2 5%, web-1 95%, accepts", "promoted by ann: web-2 goes from 0% to 5%"},
		"through a gate":                       {gate.promotes(), "Shifting/Progressing, writes web-2 25%, web-1 75%, accepts", ""},
		"with no data":                         {young(5).says("errors", Rollback, stub{outcome: analysis.NoData}).promotes(), "Shifting/Progressing, writes web-2 25%, web-1 75%, accepts", ""},
		"with too few requests":                {at(5).errors(analysis.Insufficient).promotes(), "Shifting/Progressing, writes web-2 25%, web-1 75%, accepts", ""},
		"when time ran out":                    {in(Paused, StepDeadlineExceeded).errors(analysis.Insufficient).promotes(), "Shifting/Progressing, writes web-2 100%, accepts", ""},
		"ends the last bake":                   {young(100).promotes(), "Completed/Completed, accepts", "promoted by ann after 0 of 20 healthy minutes: web-2 serves 100% and is the new stable"},
		"full does not":                        {young(100).promotes("full"), "Baking/Progressing, refuses", "its last bake stays guarded"},
		"not past a breach":                    {at(25).nat(analysis.Breach).promotes(), "Held/HeldByAnalysis, refuses", "nothing is promoted past a breach"},
		"nor past one, with override":          {at(25).nat(analysis.Breach).promotes("full", "override"), "Held/HeldByAnalysis, refuses", "nat: it says Breach"},
		"nor past one whose data stopped":      {stopped.promotes(), "Held/MetricsUnavailable, refuses", "noticed Mar 1 11:59Z"},
		"nor to the end past one":              {at(100).nat(analysis.Breach).promotes(), "Held/HeldByAnalysis, refuses", ""},
		"a breach that leads back leads back":  {at(25).errors(analysis.Breach).promotes(), "RollingBack/RollingBack, writes web-1 100%, refuses", ""},
		"not without a way back":               {young(5).readiness("web-1", NotReady).promotes(), "Baking/Progressing, refuses", "stable web-1 is not ready: it crashed"},
		"not a candidate that cannot be read":  {young(5).presence("web-2", Unknown).promotes(), "Baking/Progressing, refuses", "candidate web-2 is not known to be ready"},
		"not while clocks disagree":            {young(5).with(func(s *scene) { s.Service.Skew = 5 * time.Minute }).promotes(), "Held/MetricsUnavailable, refuses", "ahead of Cloud Run's"},
		"not with our tag taken":               {young(5).tagged("web-0").promotes(), "Baking/Progressing, refuses", "someone else put the tag"},
		"not while another one is named":       {young(5).with(func(s *scene) { s.Plan.CandidateRevision = "web-9" }).promotes(), "Baking/Progressing, refuses", "spec.candidateRevision now names web-9"},
		"not while spec.paused is true":        {young(5).paused().promotes(), "Paused/Paused, refuses", "spec.paused is true: set it to false in Git"},
		"not while somebody paused it":         {halted().promotes(), "Paused/Paused, refuses", "paused by ann: ask to resume first"},
		"not over a foreign split":             {young(5).foreign().promotes(), "Paused/TrafficConflict, refuses", ""},
		"not on the way back":                  {in(RollingBack, ReasonRollingBack).promotes(), "RollingBack/RollingBack, writes web-1 100%, refuses", ""},
		"not with nothing under way":           {idle().split("web-1", 100).with(func(s *scene) { s.Progress.Cutoff = now }).promotes().with(func(s *scene) { s.Request.Attempt, s.Request.Step = 1, 0; s.Progress.Attempt = 1 }), "Idle/Steady, refuses", "there is nothing to promote"},
		"is bound to an attempt":               {young(5).promotes().with(func(s *scene) { s.Request.Attempt = 0 }), "Baking/Progressing, refuses", "write attempt: 1 and step: 1"},
		"and to a step":                        {young(5).promotes().with(func(s *scene) { s.Request.Step = -1 }), "Baking/Progressing, refuses", "promote needs the attempt and the step"},
		"of a step that is over":               {young(25).promotes().with(func(s *scene) { s.Request.Step = 1 }), "Baking/Progressing, refuses", "step 1 was meant, step 2 is under way: look again, and write step: 2"},
		"of another candidate":                 {young(5).promotes().with(func(s *scene) { s.Request.Revision = "web-9" }), "Baking/Progressing, refuses", "web-9 was meant, web-2 is the candidate"},
		"of this one":                          {young(5).promotes().with(func(s *scene) { s.Request.Revision = "web-2" }), "Shifting/Progressing, writes web-2 25%, web-1 75%, accepts", ""},
		"is heard when the service is settled": {young(5).unsettled().promotes(), "Baking/Progressing", ""},
		"writes over what follows LATEST":      {young(5).with(func(s *scene) { s.Service.Desired[0] = Entry{Latest: true, Percent: 5} }).promotes(), "Shifting/Progressing, writes web-2 25%, web-1 75%, accepts", ""},
	})
}

// TestThePromoteMeetsTheCeiling: it writes the whole weight, or, past what the
// gateways have room for, nothing without override.
func TestThePromoteMeetsTheCeiling(t *testing.T) {
	t.Parallel()
	lacks := func(g *Gateway) { g.NAT.ExtraIPs = 2 }
	unread := func(g *Gateway) { g.Unread = "routers.getRouterStatus: denied" }
	cools := paced(0, 10, 8, 0).with(func(s *scene) { s.Progress.Lowered = ago(10 * time.Minute) })
	hot := paced(25, 10, 8, 2).silent(analysis.AllocatedPorts, "").with(func(s *scene) { s.Progress.Hot = ago(time.Minute) })
	lost := paced(25, 10, 8, 2).with(func(s *scene) { s.Outlet, s.Progress.Watches = Outlet{Presence: Unknown, Detail: "unavailable"}, nil })
	other := nat.Claim{ID: "a", Since: ago(time.Hour), Ports: 40 * 1024}
	rows := map[string]row{
		"room for it":                     {paced(25, 39, 8, 2).keeps(0).promotes(), wrote(100) + ", accepts", ""},
		"the end at once":                 {paced(5, 39, 8, 2).keeps(0).promotes("full"), wrote(100) + ", accepts", ""},
		"no ceiling with a fixed pace":    {paced(25, 63, 8, 2).fixed().promotes(), wrote(100) + ", accepts", ""},
		"no ceiling where nobody watches": {paced(25, 63, 8, 2).with(func(s *scene) { s.Plan.NatUnwanted = true }).promotes(), wrote(100) + ", accepts", ""},
	}
	for name, r := range map[string]row{
		"room for a part of it":          {paced(25, 38, 8, 2), wrote(100), "nat: nat-1: 38 of 63 endpoints (1,024 ports each) taken; 100% adds up to 24; 20% is kept in reserve: room for 50; mode: override goes past it"},
		"a gateway that is not read":     {paced(25, 10, 8, 2).compute(unread), wrote(100), "nat: nat-1: routers.getRouterStatus: denied; mode: override"},
		"a gateway that is not known":    {lost, wrote(100), "nat: "},
		"a rise that is not seen yet":    {hot, wrote(100), "no gateway has reported a complete minute of the last rise yet"},
		"another one's turn":             {paced(25, 10, 8, 2).peers(other), wrote(100), ""},
		"a cool-down":                    {cools, wrote(5), "may hold NAT ports until Mar 1 12:10Z"},
		"addresses that lack":            {paced(0, 10, 8, 0).compute(lacks), wrote(5), "nat-1 lacks 2 NAT IPs for what it carries already"},
		"lacking with a pace of its own": {paced(0, 10, 8, 0).fixed().compute(lacks), wrote(5), ""},
	} {
		d := Decide(Input(r.in.promotes()))
		rows[name] = row{r.in.promotes(), strings.TrimSuffix(inWords(d), ", refuses") + ", refuses", r.says}
		rows[name+", with override"] = row{r.in.promotes("override"), r.want + ", accepts", ""}
	}
	check(t, rows)
}

// tagged is a service on which somebody put our tag elsewhere.
func (s scene) tagged(revision string) scene {
	return s.with(func(s *scene) { s.Service.Desired = append(s.Service.Desired, Entry{Revision: revision, Tag: Tag}) })
}

// TestAPromoteWhoseWriteIsLost is sent again, without a second request, for as long
// as it may be.
func TestAPromoteWhoseWriteIsLost(t *testing.T) {
	t.Parallel()
	s := young(5).promotes("full")
	s.Progress = Decide(Input(s)).Progress
	s.Now = s.Now.Add(10 * time.Second)
	lost := s
	landed := s.split("web-2", 100)
	held := s.nat(analysis.Breach)
	resumed := lost.paused()
	resumed.Progress = Decide(Input(resumed)).Progress
	resumed.Plan.Paused = false
	step := young(5).promotes("")
	step.Progress = Decide(Input(step)).Progress
	smaller := step
	smaller.Plan.Steps = append([]Step{{Weight: 10, Bake: time.Minute}}, step.Plan.Steps...)
	check(t, map[string]row{
		"of a step is sent again":           {step, "Shifting/Progressing, writes web-2 25%, web-1 75%", "promoted"},
		"but not once the steps are others": {smaller, "Baking/Progressing", ""},
		"is sent again":                     {lost, "Shifting/Progressing, writes web-2 100%", "promoted"},
		"is over when it serves":            {landed, "Baking/Progressing", "web-2 at 100%"},
		"is not sent into a breach":         {held, "Held/HeldByAnalysis", ""},
		"nor when a pause came between":     {lost.asks(VerbPause).with(func(s *scene) { s.Request.ID = "r2" }), "Paused/Paused, accepts", ""},
		"nor when a pause came and went":    {resumed, "Baking/Progressing", ""},
		"an abort takes back what may land": {lost.asks(Abort).with(func(s *scene) { s.Request.ID = "r2" }), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
	})
	d := Decide(Input(held))
	if len(d.Events) != 1 || d.Events[0].Reason != RequestRefused {
		t.Errorf("told %v, want that the promote is not sent again", d.Events)
	}
	held.Progress = d.Progress
	if d := Decide(Input(held.nat(analysis.Pass).errors(analysis.Incomplete))); d.Write != nil {
		t.Errorf("the promote came back after a breach: %s", inWords(d))
	}
}

// TestADamagedShareEndsNoDecision: less than nothing is no promote either, and is not
// refused again and again.
func TestADamagedShareEndsNoDecision(t *testing.T) {
	t.Parallel()
	damaged := at(5).split("web-2", -5, "web-1", 105).presence("web-2", Unknown)
	damaged.Progress.Confirmed = Split{{"web-1", 105}, {"web-2", -5}}
	for _, to := range []int64{0, -3} {
		damaged.Progress.Promoted.Weight = to
		if d := Decide(Input(damaged)); d.Write != nil {
			t.Errorf("it decides %s", inWords(d))
		}
	}
}
