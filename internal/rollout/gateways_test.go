package rollout

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// nat1 and nat2 are gateways that discovery can find.
var (
	nat1 = analysis.Source{Project: "acme-net", Location: "asia-northeast1", Router: "r1", Gateway: "nat-1"}
	nat2 = analysis.Source{Project: "acme-net", Location: "asia-northeast1", Router: "r1", Gateway: "nat-2"}
)

// leaves is what discovery finds: one gateway of two addresses for each name.
func leaves(gateways ...analysis.Source) Outlet {
	o := Outlet{Presence: Found}
	for _, g := range gateways {
		o.Gateways = append(o.Gateways, Gateway{
			Source: g, NAT: nat.Gateway{Name: g.Gateway, IPs: 2, Ports: 64, Endpoints: 10}, ReadAt: ago(20 * time.Second),
		})
	}
	return o
}

// unread is the same while the routers' state cannot be read: how the gateways are
// configured is still remembered.
func unread(gateways ...analysis.Source) Outlet {
	o := leaves(gateways...)
	for i := range o.Gateways {
		g := &o.Gateways[i]
		g.Unread, g.NAT.Endpoints, g.ReadAt = "denied", 0, time.Time{}
	}
	return o
}

func (s scene) outlet(o Outlet) scene {
	s.Outlet = o
	return s
}

// saw is an attempt that watches these gateways, because it discovered them.
func (s scene) saw(gateways ...analysis.Source) scene {
	s.Progress.Watches = nil
	for _, g := range gateways {
		s.Progress.Watches = append(s.Progress.Watches, Watch{Source: g})
	}
	return s
}

// counts answers that a series has had a value in each of the last ten minutes,
// up to three minutes ago.
func (s scene) counts(m analysis.Metric, of analysis.Source, value int64) scene {
	a := analysis.Answer{Through: ago(3 * time.Minute)}
	for n := 12; n >= 3; n-- {
		a.Points = append(a.Points, analysis.Point{End: ago(time.Duration(n) * time.Minute), Value: value})
	}
	answers := analysis.Answers{{Metric: m, Source: of}: a}
	maps.Copy(answers, s.Answers)
	s.Answers = answers
	return s
}

// TestTheWayOut is the table of what is known of the gateway: refused before the
// first write where somebody must do something, held where it may pass, and no
// data once traffic was moved.
func TestTheWayOut(t *testing.T) {
	t.Parallel()
	none := Outlet{Presence: Missing, Detail: "no Cloud NAT covers subnetwork run; name the gateway in spec.nat.gateways"}
	many := Outlet{Presence: Missing, Ambiguous: true, Detail: "nat-1 and nat-2 may both cover subnetwork run", Gateways: leaves(nat1, nat2).Gateways}
	denied := Outlet{Presence: Denied, Detail: "listing routers: denied; the manager's identity needs compute.routers.list in project acme-net"}
	later := Outlet{Presence: Unknown, Detail: "listing routers: unavailable"}
	const (
		first  = "Shifting/Progressing, writes web-2 5%, web-1 95%"
		refuse = "Idle/NatUnwatched"
		wait   = "Held/MetricsUnavailable"
		back   = "RollingBack/RollingBack, writes web-1 100%"
	)
	rest, start, midway := idle().behindNat(), at(0).behindNat(), at(25).behindNat().saw(nat1)
	check(t, map[string]row{
		"at rest, one is found":              {rest.outlet(leaves(nat1)), "Checking/Preparing", ""},
		"at rest, none is":                   {rest.outlet(none), refuse, "web-2 or web-1 sends all its traffic through the VPC, and no Cloud NAT covers subnetwork run"},
		"at rest, nobody can tell which":     {rest.outlet(many), refuse, "nat-1 and nat-2 may both cover subnetwork run"},
		"at rest, nobody may look":           {rest.outlet(denied), refuse, "Grant that, or name the gateway in spec.nat.gateways"},
		"at rest, nobody answers":            {rest.outlet(later), "Idle/Preparing", "the rollout of web-2 starts when that is known"},
		"at rest, found without one":         {rest.outlet(Outlet{Presence: Found}), refuse, "no NAT gateway was found"},
		"at the start, one is found":         {start.outlet(leaves(nat1)), first, ""},
		"at the start, none is":              {start.outlet(none), refuse, "spec.nat.discovery"},
		"at the start, nobody may look":      {start.outlet(denied), refuse, "compute.routers.list in project acme-net"},
		"at the start, nobody answers":       {start.outlet(later), wait, "nat: listing routers: unavailable"},
		"one that was found before goes":     {start.saw(nat1).outlet(none), refuse, ""},
		"midway, the same is found":          {midway.outlet(leaves(nat1)), "Shifting/Progressing, writes web-2 100%", ""},
		"midway, nobody asked":               {midway, "Shifting/Progressing, writes web-2 100%", ""},
		"midway, none is found":              {midway.outlet(none), wait, "nat: no Cloud NAT covers subnetwork run"},
		"midway, nobody may look any more":   {midway.outlet(denied), wait, "compute.routers.list"},
		"midway, nobody answers":             {midway.outlet(later), wait, "Goes on when data is back; pauses at Mar 1 12:30Z"},
		"a breach goes back without it":      {midway.outlet(later).errors(analysis.Breach), back, ""},
		"a person's abort does":              {midway.outlet(denied).asks(Abort), back + ", accepts", ""},
		"a named one needs no discovery":     {at(25).behindNat().gateways().outlet(later), "Shifting/Progressing, writes web-2 100%", ""},
		"nor does one that nobody watches":   {at(25).outlet(none), "Shifting/Progressing, writes web-2 100%", ""},
		"what is unwanted is not looked for": {midway.outlet(none).with(func(s *scene) { s.Plan.NatUnwanted = true }), "Shifting/Progressing, writes web-2 100%", ""},
	})
}

// TestWhatDoesNotWaitForTheWayOut: what sends everything back whatever the gateways
// are, and nothing else.
func TestWhatDoesNotWaitForTheWayOut(t *testing.T) {
	t.Parallel()
	midway := at(25).behindNat().saw(nat1)
	for name, c := range map[string]struct {
		in   scene
		want bool
	}{
		"all is well":             {midway, false},
		"users fail":              {midway.errors(analysis.Breach), true},
		"and it is paused":        {midway.errors(analysis.Breach).with(func(s *scene) { s.Plan.Paused = true }), true},
		"stable's do as well":     {midway.says("errors", Rollback, stub{outcome: analysis.Breach, shared: true}), false},
		"the candidate is gone":   {midway.presence("web-2", Missing), true},
		"the candidate fails":     {midway.readiness("web-2", NotReady), true},
		"a gateway suffers":       {suffering(), false},
		"both":                    {starving(), false},
		"a gateway is not heard":  {unheard(), true},
		"nobody knows":            {midway.errors(analysis.NoData), false},
		"before the first write":  {at(0).behindNat().errors(analysis.Breach), false},
		"a split of somebody":     {midway.errors(analysis.Breach).split("web-1", 50, "web-2", 50), false},
		"it resumes over a split": {midway.errors(analysis.Breach).split("web-1", 50, "web-2", 50).asks(Resume), false},
		"at rest":                 {idle().behindNat().errors(analysis.Breach), false},
	} {
		if got := Pressing(Input(c.in)); got != c.want {
			t.Errorf("%s: pressing %v", name, got)
		}
		if d := Decide(Input(c.in)); c.want && (d.Write == nil || !splitOf(d.Write).Equal(all("web-1"))) {
			t.Errorf("%s: it is pressing and decides %s", name, inWords(d))
		}
	}
}

func TestWhatAnAttemptWatches(t *testing.T) {
	t.Parallel()
	start, midway := at(0).behindNat(), at(25).behindNat()
	named := []analysis.Source{{Gateway: "named"}}
	for name, c := range map[string]struct {
		in   scene
		want []analysis.Source
	}{
		"what is found": {start.outlet(leaves(nat1)), []analysis.Source{nat1}},
		"what is found anew before the first write":      {start.saw(nat1).outlet(leaves(nat2)), []analysis.Source{nat2}},
		"what was found, while nobody looks":             {midway.saw(nat1), []analysis.Source{nat1}},
		"what was found, though it is not found again":   {midway.saw(nat1).outlet(Outlet{Presence: Missing}), []analysis.Source{nat1}},
		"what was found and what is":                     {midway.saw(nat1).outlet(leaves(nat2)), []analysis.Source{nat1, nat2}},
		"what is named, whatever is found":               {midway.saw(nat1).outlet(leaves(nat2)).with(func(s *scene) { s.Plan.Gateways = named }), named},
		"what was found, while revisions cannot be read": {midway.saw(nat1).unknown("web-1").unknown("web-2"), []analysis.Source{nat1}},
		"nothing that is uncertain":                      {start.outlet(Outlet{Presence: Missing, Ambiguous: true, Gateways: leaves(nat1, nat2).Gateways}), nil},
		"nothing that traffic does not take":             {at(25).saw(nat1), nil},
		"nothing that is unwanted":                       {midway.saw(nat1).with(func(s *scene) { s.Plan.NatUnwanted = true }), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scope, _ := scopeOf(Input(c.in))
			if diff := cmp.Diff(c.want, scope.Gateways); diff != "" {
				t.Errorf("gateways (-want +got):\n%s", diff)
			}
			if scope.Gateways == nil && scope.Unwatched == "" {
				t.Error("it does not say why nothing is watched")
			}
			var kept []analysis.Source
			d := Decide(Input(c.in))
			for _, w := range d.Progress.Watches {
				kept = append(kept, w.Source)
			}
			if diff := cmp.Diff(c.want, kept); d.Progress.active() && diff != "" {
				t.Errorf("remembered (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAServiceOutOfSightLosesNoGateway: what is watched is not forgotten because
// the service cannot be read.
func TestAServiceOutOfSightLosesNoGateway(t *testing.T) {
	t.Parallel()
	s := at(25).behindNat().saw(nat1)
	s.Service, s.Revisions = Service{Presence: Denied}, nil
	if d := Decide(Input(s)); len(d.Progress.Watches) != 1 {
		t.Errorf("%s remembers %v", inWords(d), d.Progress.Watches)
	}
}

func TestTheEndOfAnAttemptForgetsItsGateways(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]scene{
		"completed":   at(100).behindNat().saw(nat1),
		"rolled back": in(RollingBack, ReasonRollingBack).behindNat().split("web-1", 100).saw(nat1).with(func(s *scene) { s.Progress.Latched = []string{"web-2"} }),
	} {
		s.Progress.Hot, s.Progress.Waiting = ago(time.Minute), ago(time.Minute)
		d := Decide(Input(s))
		if p := d.Progress; p.active() || p.Watches != nil || !p.Hot.IsZero() || !p.Waiting.IsZero() {
			t.Errorf("%s: %s keeps %v, hot since %v", name, inWords(d), p.Watches, p.Hot)
		}
	}
}

// TestWhoseWayOutIsAskedFor: nobody's at rest and on the way back, so that a way
// back needs no Compute API.
func TestWhoseWayOutIsAskedFor(t *testing.T) {
	t.Parallel()
	behind := at(25).behindNat()
	answered := behind.asks(Abort)
	answered.Progress.LastRequest = Reply{ID: "r1", Verb: Abort}
	waits := in(RollingBack, ReasonRollingBack).behindNat().split("web-1", 100).with(func(s *scene) { s.Progress.Accused = now })
	for name, c := range map[string]struct {
		in   scene
		want int
	}{
		"a candidate about to start":        {idle().behindNat(), 2},
		"an attempt under way":              {behind, 2},
		"a pause":                           {in(Paused, ReasonPaused).behindNat(), 2},
		"one with named gateways":           {behind.gateways(), 2},
		"an abort that was answered before": {answered, 2},
		"nothing to roll out":               {idle().behindNat().with(func(s *scene) { s.Service.LatestReady, s.Service.LatestCreated = "web-1", "web-1" }), 0},
		"no baseline yet":                   {idle().behindNat().with(func(s *scene) { s.Progress.Stable = "" }), 0},
		"a way back":                        {in(RollingBack, ReasonRollingBack).behindNat(), 0},
		"one that waits to hear of it":      {waits, 2},
		"the same, before it serves":        {waits.split("web-2", 25, "web-1", 75), 0},
		"a candidate that was given up":     {behind.with(func(s *scene) { s.Progress.Latched = []string{"web-2"} }), 0},
		"an abort":                          {behind.asks(Abort), 0},
		"a deletion":                        {behind.with(func(s *scene) { s.Deleting = true }), 0},
		"a service out of sight":            {behind.with(func(s *scene) { s.Service.Presence = Denied }), 0},
		"no traffic through the VPC":        {at(25), 0},
		"NAT unwanted":                      {behind.with(func(s *scene) { s.Plan.NatUnwanted = true }), 0},
	} {
		if got := Leaving(Input(c.in)); len(got) != c.want {
			t.Errorf("%s: asks about %d revisions, want %d", name, len(got), c.want)
		}
	}
}

func TestTheFleetIsAskedForWhileItPaces(t *testing.T) {
	t.Parallel()
	behind := at(25).behindNat().outlet(leaves(nat1)).with(func(s *scene) { s.Plan.Guards = nil })
	paced := behind.with(func(s *scene) { s.Plan.Pacing = Headroom })
	hot := behind.with(func(s *scene) { s.Progress.Hot = ago(time.Minute) })
	for name, c := range map[string]struct {
		in   scene
		want map[analysis.Metric]int
	}{
		"with headroom": {paced, map[analysis.Metric]int{analysis.AllocatedPorts: 1, analysis.Instances: 2, analysis.ActiveInstances: 2}},
		"not with a pace of its own, but for what cools a rise": {hot, map[analysis.Metric]int{analysis.AllocatedPorts: 1}},
		"not with a pace of its own":                            {behind, nil},
		"not without a gateway":                                 {at(25).with(func(s *scene) { s.Plan.Pacing, s.Plan.Guards = Headroom, nil }), nil},
	} {
		var got map[analysis.Metric]int
		for _, q := range Questions(Input(c.in)) {
			if got == nil {
				got = map[analysis.Metric]int{}
			}
			got[q.Metric]++
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAGatewayIsPutTogether(t *testing.T) {
	t.Parallel()
	s := at(25).behindNat().outlet(leaves(nat1, nat2)).counts(analysis.AllocatedPorts, nat1, 6400)
	s.Plan.Pacing, s.Plan.Reserve = Headroom, 20
	s.Progress.Watches, s.Progress.Waiting = []Watch{{Source: nat1, Claimed: 640}}, ago(time.Minute)
	s.Peers = []Peer{
		{nat1, nat.Claim{ID: "a", Ports: 1000, Hot: true}},
		{nat1, nat.Claim{ID: "b", Ports: 200, Back: true}},
		{nat1, nat.Claim{ID: "c", Ports: 90}},
		{nat2, nat.Claim{ID: "d", Ports: 7, Hot: true}},
		{nat1, nat.Claim{ID: "e", Ports: -5, Hot: true}},
	}
	s.Outlet.Gateways[1].Unread = "router r1 does not report on it"
	got := Decide(Input(s.errors(analysis.Insufficient))).Gateways
	if len(got) != 2 {
		t.Fatalf("%d gateways", len(got))
	}
	for i := range got {
		if (got[i].Forecast != nil) != got[i].Known {
			t.Errorf("%s: known %v, forecast %v", got[i].Source, got[i].Known, got[i].Forecast)
		}
		got[i].Forecast = nil
	}
	want := []GatewayState{
		{
			Watch: Watch{Source: nat1, Claimed: 640}, Known: true, Measured: true, Through: ago(3 * time.Minute),
			Gateway: nat.Gateway{Name: "nat-1", IPs: 2, Ports: 64, Endpoints: 10, Allocated: 6400, Reserved: 1200},
		},
		{
			Watch: Watch{Source: nat2}, Through: ago(20 * time.Second),
			Gateway: nat.Gateway{Name: "nat-2", IPs: 2, Ports: 64, Endpoints: 10, Reserved: 7},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("gateways (-want +got):\n%s", diff)
	}
}

func TestWhatTheGatewaysHaveIsInTheScope(t *testing.T) {
	t.Parallel()
	s := at(25).behindNat().saw(nat1).outlet(leaves(nat1, nat2))
	s.Outlet.Gateways[0].NAT.Auto, s.Outlet.Gateways[1].Unread = true, "denied"
	scope, _ := scopeOf(Input(s))
	want := map[analysis.Source]analysis.Pool{nat1: {Ports: 2 * nat.PortsPerIP, Automatic: true}, nat2: {Why: "denied"}}
	if diff := cmp.Diff(want, scope.Pools); diff != "" {
		t.Errorf("pools (-want +got):\n%s", diff)
	}
	scope, _ = scopeOf(Input(s.outlet(Outlet{Presence: Unknown, Detail: "unavailable"})))
	if diff := cmp.Diff(map[analysis.Source]analysis.Pool{nat1: {Why: "unavailable"}}, scope.Pools); diff != "" {
		t.Errorf("without an outlet (-want +got):\n%s", diff)
	}
}

// TestARiseIsHot: from the write on, until every gateway reports a minute that
// lies wholly behind the settle time, or for twenty minutes.
func TestARiseIsHot(t *testing.T) {
	t.Parallel()
	d := Decide(Input(at(0).behindNat().outlet(leaves(nat1))))
	if d.Write == nil || !d.Progress.Hot.Equal(now) || len(d.Progress.Watches) != 1 {
		t.Fatalf("%s is hot since %v and watches %v", inWords(d), d.Progress.Hot, d.Progress.Watches)
	}
	hot := func(since, effective time.Duration) scene {
		s := at(25).behindNat().saw(nat1).errors(analysis.Insufficient)
		s.Progress.Hot, s.Progress.Effective, s.Progress.Watches[0].Claimed = ago(since), ago(effective), 640
		return s
	}
	for name, c := range map[string]struct {
		in  scene
		hot bool
	}{
		"before it serves":                       {hot(5*time.Minute, 30*time.Minute).counts(analysis.AllocatedPorts, nat1, 6), true},
		"before the gateway reports":             {hot(6*time.Minute, 5*time.Minute), true},
		"while what it reports is from before":   {hot(6*time.Minute, 5*time.Minute-time.Second).counts(analysis.AllocatedPorts, nat1, 6), true},
		"until it reports a whole minute":        {hot(6*time.Minute, 5*time.Minute).counts(analysis.AllocatedPorts, nat1, 6), false},
		"while one of two is silent":             {hot(6*time.Minute, 5*time.Minute).saw(nat1, nat2).counts(analysis.AllocatedPorts, nat1, 6), true},
		"for twenty minutes at most":             {hot(20*time.Minute, 30*time.Minute), false},
		"not behind a gateway that is not there": {hot(time.Minute, time.Second).with(func(s *scene) { s.Plan.NatUnwanted = true }), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := Decide(Input(c.in))
			if got := !d.Progress.Hot.IsZero(); got != c.hot {
				t.Errorf("%s: hot %v, want %v", inWords(d), got, c.hot)
			}
			for _, w := range d.Progress.Watches {
				if w.Source == nat1 && (w.Claimed > 0) != (c.hot && c.in.Progress.Watches[0].Claimed > 0) {
					t.Errorf("claims %d while hot is %v", w.Claimed, c.hot)
				}
			}
		})
	}
}

// TestTheSameRiseSentAgainIsAsHotAsBefore: its answer was lost, not its ports.
func TestTheSameRiseSentAgainIsAsHotAsBefore(t *testing.T) {
	t.Parallel()
	s := at(0).behindNat().outlet(leaves(nat1)).saw(nat1).meant(between("web-2", "web-1", 5))
	s.Progress.Phase, s.Progress.Reason, s.Progress.Hot = Shifting, Progressing, ago(2*time.Minute)
	d := Decide(Input(s))
	if d.Write == nil || !d.Progress.Hot.Equal(ago(2*time.Minute)) {
		t.Errorf("%s is hot since %v", inWords(d), d.Progress.Hot)
	}
}

func TestAWeightOnTheWayBelongsToTheNextStep(t *testing.T) {
	t.Parallel()
	p := Plan{Steps: []Step{{Weight: 5}, {Weight: 25}, {Weight: 100}}}
	for weight, want := range map[int64]int{-1: 0, 0: 0, 1: 1, 5: 1, 6: 2, 25: 2, 26: 3, 100: 3, 150: 3} {
		if got := p.stepAt(weight); got != want {
			t.Errorf("%d%% is at step %d, want %d", weight, got, want)
		}
	}
}

// TestWhatARolloutClaims: a rise that is hot, one that waits, and a way back.
func TestWhatARolloutClaims(t *testing.T) {
	t.Parallel()
	watches := []Watch{{Source: nat1, Claimed: 640}, {Source: nat2, Claimed: 64}}
	for name, c := range map[string]struct {
		p    Progress
		want *nat.Claim
	}{
		"a hot rise":             {Progress{Phase: Baking, Hot: ago(time.Minute)}, &nat.Claim{Hot: true, Since: ago(time.Minute)}},
		"one that pauses":        {Progress{Phase: Paused, Hot: ago(time.Minute)}, &nat.Claim{Hot: true, Since: ago(time.Minute)}},
		"one of long ago":        {Progress{Phase: Paused, Hot: ago(20 * time.Minute)}, nil},
		"one that waits":         {Progress{Phase: Held, Reason: WaitingForNat, Waiting: ago(time.Hour)}, &nat.Claim{Since: ago(time.Hour)}},
		"one that waited":        {Progress{Phase: Paused, Reason: ReasonPaused, Waiting: ago(time.Hour)}, nil},
		"a way back":             {Progress{Phase: RollingBack, Since: ago(time.Minute), Hot: ago(time.Hour)}, &nat.Claim{Back: true, Since: ago(time.Minute)}},
		"one that begins":        {Progress{Phase: Held, Since: now, Candidate: "web-2", Latched: []string{"web-2"}}, &nat.Claim{Back: true, Since: now}},
		"nothing while it bakes": {Progress{Phase: Baking}, nil},
		"nothing at rest":        {Progress{Phase: Completed, Hot: ago(time.Minute)}, nil},
	} {
		c.p.Watches = watches
		var want []Peer
		if c.want != nil {
			for _, w := range watches {
				claim := *c.want
				claim.ID, claim.Ports = "uid", w.Claimed
				want = append(want, Peer{w.Source, claim})
			}
		}
		if diff := cmp.Diff(want, c.p.Claims("uid", now)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
