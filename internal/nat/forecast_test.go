package nat

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestForecastIsWrittenWithItsArithmetic(t *testing.T) {
	t.Parallel()
	twelve := Fleet{Stable: 12, Busy: 12}
	cases := map[string]struct {
		gateway Gateway
		fleet   Fleet
		weight  int64
		fits    bool
		want    string
	}{
		"no room for the step": {
			nat1(52), twelve, 25, false,
			"nat-1: 52 of 63 endpoints (1,024 ports each) taken; 25% adds up to 6; 20% is kept in reserve: room for 50",
		},
		"exactly the room there is": {
			nat1(44), twelve, 25, true,
			"nat-1: 44 of 63 endpoints (1,024 ports each) taken; 25% adds up to 6; 20% is kept in reserve: room for 50",
		},
		"one too many": {
			nat1(45), twelve, 25, false,
			"nat-1: 45 of 63 endpoints (1,024 ports each) taken; 25% adds up to 6; 20% is kept in reserve: room for 50",
		},
		"instances that the candidate has are not added again": {
			nat1(46),
			Fleet{Stable: 12, Candidate: 2, Busy: 12},
			25, true,
			"nat-1: 46 of 63 endpoints (1,024 ports each) taken; 25% adds up to 2; 20% is kept in reserve: room for 50",
		},
		"room for what is foreseen, and not for the worst": {
			nat1(40),
			Fleet{Stable: 12, Candidate: 1, Busy: 12},
			42, false,
			"nat-1: 40 of 63 endpoints (1,024 ports each) taken; 42% adds up to 10, at worst 30; 20% is kept in reserve: room for 50, at worst for 63",
		},
		"the reserve is room for the worst": {
			nat1(40),
			Fleet{Stable: 12, Candidate: 1, Busy: 12},
			33, true,
			"nat-1: 40 of 63 endpoints (1,024 ports each) taken; 33% adds up to 6; 20% is kept in reserve: room for 50",
		},
		"what its instances can take at once starts no more than is foreseen": {
			nat1(40),
			Fleet{Stable: 12, Candidate: 3, Busy: 12},
			41, true,
			"nat-1: 40 of 63 endpoints (1,024 ports each) taken; 41% adds up to 4; 20% is kept in reserve: room for 50",
		},
		"a full gateway stops nothing that adds nothing": {
			nat1(63),
			Fleet{Stable: 12, Candidate: 6, Busy: 12},
			25, true,
			"nat-1: 63 of 63 endpoints (1,024 ports each) taken; 25% adds up to 0; 20% is kept in reserve: room for 50",
		},
		"what others were promised is not free": {
			Gateway{Name: "nat-1", IPs: 1, Ports: 1024, Endpoints: 44, Reserved: 2048},
			twelve, 25, false,
			"nat-1: 44 of 63 endpoints (1,024 ports each) taken; 25% adds up to 6; 2 promised to other rollouts; 20% is kept in reserve: room for 50",
		},
		"a gateway that grows is not limited by its addresses": {
			Gateway{Name: "nat-1", IPs: 1, Ports: 1024, Endpoints: 63, Auto: true},
			twelve, 25, true,
			"nat-1: 63 of 63 endpoints (1,024 ports each) taken; 25% adds up to 6; it takes more addresses by itself, and may drop packets until it has them",
		},
		"dynamic allocation is counted in ports": {
			Gateway{Name: "nat-1", IPs: 1, Dynamic: true, Endpoints: 100, Allocated: 51200},
			twelve, 25, false,
			"nat-1: 51,200 of 64,512 ports (at least 32 per endpoint, now 512) taken; 25% adds up to 3,072; 20% is kept in reserve: room for 51,584",
		},
		"dynamic ports that have not grown": {
			Gateway{Name: "nat-1", IPs: 1, Dynamic: true, Endpoints: 100, Allocated: 3200},
			twelve, 25, true,
			"nat-1: 3,200 of 64,512 ports (at least 32 per endpoint) taken; 25% adds up to 192; 20% is kept in reserve: room for 51,584",
		},
		"new endpoints grow as those that there are have": {
			Gateway{Name: "nat-1", IPs: 2, Dynamic: true, MostPorts: 4096, Endpoints: 10, Allocated: 10 * 4096},
			Fleet{Stable: 10, Busy: 10},
			100, false,
			"nat-1: 40,960 of 129,024 ports (at least 32 per endpoint, now 4,096) taken; 100% adds up to 81,920; 20% is kept in reserve: room for 103,200",
		},
		"an average of powers of two": {
			Gateway{Name: "nat-1", IPs: 1, Dynamic: true, Endpoints: 24, Allocated: 12*1024 + 12*32},
			twelve, 25, true,
			"nat-1: 12,672 of 64,512 ports (at least 32 per endpoint, now 544) taken; 25% adds up to 3,264; 20% is kept in reserve: room for 51,584",
		},
		"no endpoint has more than the most, whatever is allocated for how few": {
			Gateway{Name: "nat-1", IPs: 1, Dynamic: true, MostPorts: 256, Endpoints: 2, Allocated: 6400},
			Fleet{Stable: 2, Busy: 2},
			100, true,
			"nat-1: 6,400 of 64,512 ports (at least 32 per endpoint, now 256) taken; 100% adds up to 1,024; 20% is kept in reserve: room for 51,584",
		},
		"endpoints that the router's status does not count": {
			Gateway{Name: "nat-1", IPs: 1, Dynamic: true, Allocated: 12 * 1024},
			twelve, 25, true,
			"nat-1: 12,288 of 64,512 ports (at least 32 per endpoint, now 1,024) taken; 25% adds up to 6,144; 20% is kept in reserve: room for 51,584",
		},
		"ports that grow, of nobody who is known": {
			Gateway{Name: "nat-1", IPs: 1, Dynamic: true, Allocated: 12 * 1024},
			Fleet{},
			25, true,
			"nat-1: 12,288 of 64,512 ports (at least 32 per endpoint) taken; 25% adds up to 64; 20% is kept in reserve: room for 51,584",
		},
		"addresses are missing already": {
			Gateway{Name: "nat-1", IPs: 1, Ports: 1024, Endpoints: 10, ExtraIPs: 1},
			twelve, 25, false,
			"nat-1: 10 of 63 endpoints (1,024 ports each) taken; 25% adds up to 6; it lacks 1 address already",
		},
		"missing addresses mean nothing where they come by themselves": {
			Gateway{Name: "nat-1", IPs: 1, Ports: 1024, Endpoints: 10, ExtraIPs: 1, Auto: true},
			twelve, 25, true,
			"nat-1: 10 of 63 endpoints (1,024 ports each) taken; 25% adds up to 6; it takes more addresses by itself, and may drop packets until it has them",
		},
		"the candidate's maximum binds first": {
			nat1(0),
			Fleet{Stable: 12, Busy: 12, CandidateMost: 5},
			50, false,
			"50% needs 6 instances; the candidate's maximum of instances is 5",
		},
		"a maximum that is just enough, because it may be exceeded for a while": {
			nat1(0),
			Fleet{Stable: 12, Busy: 12, CandidateMost: 6},
			50, true,
			"nat-1: 0 of 63 endpoints (1,024 ports each) taken; 50% adds up to 12; 20% is kept in reserve: room for 50",
		},
		"NAT rules have addresses that nobody counts": {
			Gateway{Name: "nat-1", IPs: 1, Ports: 1024, Endpoints: 44, Rules: 2},
			twelve, 25, true,
			"nat-1 (without the addresses of 2 NAT rules): 44 of 63 endpoints (1,024 ports each) taken; 25% adds up to 6; 20% is kept in reserve: room for 50",
		},
		"the subnet binds first": {
			nat1(0),
			Fleet{Stable: 12, Busy: 12, Subnet: Subnet{Name: "run", Size: 60, Taken: 48}},
			25, false,
			"subnetwork run: 48 of 60 addresses taken; 25% starts up to 6 instances, which take 16 in blocks of 16",
		},
		"the subnet binds first, where only our own addresses are known": {
			nat1(0),
			Fleet{Stable: 24, Busy: 12, Subnet: Subnet{Name: "run", Size: 60, Taken: 48, AtLeast: true}},
			25, false,
			"subnetwork run: at least 48 of 60 addresses taken; 25% starts up to 6 instances, which take 16 in blocks of 16",
		},
		"one free block carries eight instances": {
			nat1(0),
			Fleet{Stable: 16, Busy: 16, Subnet: Subnet{Size: 60, Taken: 44}},
			25, true,
			"nat-1: 0 of 63 endpoints (1,024 ports each) taken; 25% adds up to 8; 20% is kept in reserve: room for 50",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Foresee(c.gateway, c.fleet, one, c.weight)
			if diff := cmp.Diff(c.want, got.String()); diff != "" {
				t.Errorf("clause (-want +got):\n%s", diff)
			}
			if got.Fits() != c.fits {
				t.Errorf("fits: got %t, want %t: %+v", got.Fits(), c.fits, got)
			}
		})
	}
}

func TestForecastKeepsEveryNumberOnTheWay(t *testing.T) {
	t.Parallel()
	want := Forecast{
		Gateway: "nat-1", Weight: 25,
		Load: 12, Needed: 3, Least: 0, Peak: 5, Has: 1, Starts: 4,
		Each: 1024, Grown: 1, Capacity: 63, Kept: 13, Room: 50, Taken: 30, Adds: 8, Worst: 24, Promised: 2, Reserve: 20,
		Allowed: 10, Most: 18, Bound: GatewayPorts,
	}
	g := nat1(30)
	g.Reserved = 1025 // a port of a second block takes it
	if diff := cmp.Diff(want, Foresee(g, Fleet{Stable: 12, Candidate: 1, Busy: 12}, DefaultPolicy(), 25)); diff != "" {
		t.Errorf("forecast (-want +got):\n%s", diff)
	}
	if got := want.Ports(); got != 11264 { // what the reserve has no room for at worst counts
		t.Errorf("the step may take %d ports, want 11,264", got)
	}
}

func TestWhatBindsFirstIsNamed(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		gateway Gateway
		fleet   Fleet
		want    Limit
	}{
		"the gateway, where nothing else is known": {nat1(30), Fleet{Busy: 12}, GatewayPorts},
		"the subnet":                          {nat1(30), Fleet{Busy: 12, Subnet: Subnet{Size: 16}}, SubnetFree},
		"the candidate's maximum":             {nat1(30), Fleet{Busy: 12, CandidateMost: 4, Subnet: Subnet{Size: 64}}, CandidateMost},
		"the service's maximum by weight":     {nat1(30), Fleet{Busy: 12, ServiceMost: 12}, ServiceMost},
		"nothing, where the gateway can grow": {Gateway{Auto: true}, Fleet{Busy: 12}, Unlimited},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Foresee(c.gateway, c.fleet, one, 25); got.Bound != c.want {
				t.Errorf("got %q, want %q: %+v", got.Bound, c.want, got)
			}
		})
	}
}

func TestLoadIsTheMostThatIsKnown(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		fleet Fleet
		want  int64
	}{
		"measured":                              {Fleet{Busy: 9, Stable: 40}, 9},
		"all instances, where nothing is known": {Fleet{Stable: 40, Candidate: 2}, 42},
		"no more than the service may have":     {Fleet{Busy: 40, ServiceMost: 30}, 30},
		"at least one":                          {Fleet{}, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.fleet.Load(); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestMinimumInstancesAreThereWhateverTheWeight(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		fleet  Fleet
		weight int64
		want   int64
	}{
		"a revision's own":                    {Fleet{Busy: 4, CandidateLeast: 3}, 5, 3},
		"a revision's own, at no traffic":     {Fleet{Busy: 4, CandidateLeast: 3}, 0, 3},
		"a service's is divided, rounded up":  {Fleet{Busy: 4, ServiceLeast: 3}, 50, 4},
		"a service's at 100%":                 {Fleet{Busy: 4, ServiceLeast: 10}, 100, 10},
		"the traffic's need where it is more": {Fleet{Busy: 40, CandidateLeast: 3}, 50, 40},
		"not more than the maximum":           {Fleet{Busy: 4, CandidateLeast: 9, CandidateMost: 5}, 5, 5},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Foresee(nat1(0), c.fleet, one, c.weight).Peak; got != c.want {
				t.Errorf("peak: got %d, want %d", got, c.want)
			}
		})
	}
}

func TestPolicyIsKeptWithinItsBounds(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ policy, want Policy }{
		"nothing said is twice the need, two endpoints and no reserve": {Policy{}, Policy{0, 2, 2}},
		"the default":         {DefaultPolicy(), Policy{20, 2, 2}},
		"too much of it all":  {Policy{900, 9, 9}, Policy{100, 2, 2}},
		"too little":          {Policy{-1, -1, -1}, Policy{0, 1, 1}},
		"a factor of nothing": {Policy{20, math.NaN(), 1}, Policy{20, 2, 1}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.policy.usable(); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestLargestSafeWeight(t *testing.T) {
	t.Parallel()
	twelve := Fleet{Stable: 12, Busy: 12}
	cases := map[string]struct {
		gateways []Gateway
		fleet    Fleet
		from, to int64
		want     int64
	}{
		"the step itself":                         {[]Gateway{nat1(30)}, twelve, 5, 25, 25},
		"a smaller one, two instances' worth":     {[]Gateway{nat1(46)}, twelve, 5, 25, 16},
		"none that is more than there is already": {[]Gateway{nat1(49)}, Fleet{Busy: 12, Candidate: 2}, 16, 25, 0},
		"what the candidate has carries it":       {[]Gateway{nat1(49)}, Fleet{Busy: 12, Candidate: 2}, 8, 25, 16},
		"none at all":                             {[]Gateway{nat1(52)}, twelve, 0, 5, 0},
		"the fuller gateway decides":              {[]Gateway{nat1(10), nat1(46)}, twelve, 5, 25, 16},
		"no gateway, no limit":                    {nil, twelve, 5, 25, 25},
		"nothing lies between":                    {[]Gateway{nat1(0)}, twelve, 25, 25, 0},
		"not beyond 100%":                         {[]Gateway{nat1(0)}, Fleet{Busy: 12, Candidate: 6}, 50, 900, 100},
		"as much as there is room for at worst":   {[]Gateway{nat1(20)}, twelve, 50, 100, 58},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := LargestSafeWeight(c.gateways, c.fleet, one, c.from, c.to); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

// TestTheArithmeticIsConsistent: the numbers that a message prints add up, and
// fitting means what the message says.
func TestTheArithmeticIsConsistent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g, f, p := anyGateway(t), anyFleet(t), anyPolicy(t)
		c := Foresee(g, f, p, upTo(t, 100, "weight"))
		if c.Room != c.Capacity-c.Kept || c.Adds != c.Starts*p.EndpointsPerInstance*c.Grown || c.Starts != max(0, c.Peak-c.Has) {
			t.Fatalf("the numbers do not add up: %+v", c)
		}
		if c.Grown < 1 || c.Grown > 1 && (!g.Dynamic || c.Grown*c.Each > g.MostPortsEach()) {
			t.Fatalf("an endpoint has %d times %d ports: %+v", c.Grown, c.Each, c)
		}
		if c.Kept*100 < c.Capacity*p.ReservePercent {
			t.Fatalf("less is kept than promised: %+v", c)
		}
		if c.Worst < c.Adds || p.ReservePercent == 0 && c.Worst > c.Adds {
			t.Fatalf("what is kept is not for the worst: %+v", c)
		}
		over := c.Taken+c.Adds+c.Promised > c.Room || c.Taken+c.Worst+c.Promised > c.Capacity || c.ExtraIPs > 0
		if c.Fits() && over && c.Starts > 0 && !g.Auto {
			t.Fatalf("it fits and there is no room: %+v", c)
		}
		if !c.Fits() && c.Bound == GatewayPorts && !over {
			t.Fatalf("it does not fit and there is room: %+v", c)
		}
		if !c.Fits() && c.Bound == ServiceMost {
			t.Fatalf("a saturated service must not be kept from its cure: %+v", c)
		}
		if text := c.String(); len(text) > 265 || strings.Contains(text, "!") {
			t.Fatalf("clause of %d bytes: %s", len(text), text)
		}
	})
}

// TestASafeWeightIsSafeAndTheNextIsNot, within the interval.
func TestASafeWeightIsSafeAndTheNextIsNot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		gateways := []Gateway{anyGateway(t), anyGateway(t)}
		f, p := anyFleet(t), anyPolicy(t)
		from, to := upTo(t, 100, "from"), upTo(t, 100, "to")
		fits := func(weight int64) bool {
			return Foresee(gateways[0], f, p, weight).Fits() && Foresee(gateways[1], f, p, weight).Fits()
		}
		got := LargestSafeWeight(gateways, f, p, from, to)
		for weight := from + 1; weight <= to; weight++ {
			if fits(weight) != (weight <= got) {
				t.Fatalf("%d%% is said to be the largest, and %d%% fits: %t", got, weight, fits(weight))
			}
		}
		if got != 0 && (got <= from || got > to) {
			t.Fatalf("%d is not in (%d, %d]", got, from, to)
		}
	})
}

// TestTheSafeWeightFallsWithEveryBurden, and rises with every relief.
func TestTheSafeWeightFallsWithEveryBurden(t *testing.T) {
	t.Parallel()
	burdens := map[string]func(*Gateway, *Fleet, *Policy, int64){
		"fewer addresses": func(g *Gateway, _ *Fleet, _ *Policy, n int64) { g.IPs = max(0, g.IPs-n) },
		"more endpoints, as large as the others": func(g *Gateway, _ *Fleet, _ *Policy, n int64) {
			g.Endpoints = max(1, g.Endpoints)
			g.Allocated += ceilDiv(g.Allocated, g.Endpoints) * n
			g.Endpoints += n
		},
		"more allocated":         func(g *Gateway, _ *Fleet, _ *Policy, n int64) { g.Allocated += n * 64 },
		"more promised":          func(g *Gateway, _ *Fleet, _ *Policy, n int64) { g.Reserved += n * 64 },
		"lacking addresses":      func(g *Gateway, _ *Fleet, _ *Policy, n int64) { g.ExtraIPs += n },
		"a larger reserve":       func(_ *Gateway, _ *Fleet, p *Policy, n int64) { p.ReservePercent += n },
		"more overshoot":         func(_ *Gateway, _ *Fleet, p *Policy, n int64) { p.Overshoot += float64(n) / 50 },
		"two endpoints":          func(_ *Gateway, _ *Fleet, p *Policy, _ int64) { p.EndpointsPerInstance = 2 },
		"more busy instances":    func(_ *Gateway, f *Fleet, _ *Policy, n int64) { f.Busy = max(1, f.Busy); f.Busy += n },
		"a minimum of a service": func(_ *Gateway, f *Fleet, _ *Policy, n int64) { f.ServiceLeast += n },
		"fewer instances there":  func(_ *Gateway, f *Fleet, _ *Policy, n int64) { f.Candidate = max(0, f.Candidate-n) },
		"a smaller maximum":      func(_ *Gateway, f *Fleet, _ *Policy, n int64) { f.CandidateMost = max(1, f.CandidateMost-n) },
		"a fuller subnet":        func(_ *Gateway, f *Fleet, _ *Policy, n int64) { f.Subnet.Taken += n },
	}
	for name, burden := range burdens {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				g, f, p := anyGateway(t), anyFleet(t), anyPolicy(t)
				f.Busy, f.CandidateMost = max(1, f.Busy), max(1, f.CandidateMost)
				if name == "a smaller maximum" {
					f.CandidateLeast, f.ServiceLeast = 0, 0 // it lowers them
				}
				from, to := upTo(t, 99, "from"), upTo(t, 100, "to")
				light := LargestSafeWeight([]Gateway{g}, f, p, from, to)
				burden(&g, &f, &p, upTo(t, 50, "by"))
				if heavy := LargestSafeWeight([]Gateway{g}, f, p, from, to); heavy > light {
					t.Fatalf("%d%% before, %d%% after: %+v %+v %+v", light, heavy, g, f, p)
				}
			})
		})
	}
}

func TestForecastsOfNonsenseAreFinite(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		wild := func(label string) int64 { return rapid.Int64().Draw(t, label) }
		g := Gateway{IPs: wild("ips"), Ports: wild("ports"), Endpoints: wild("endpoints"), Allocated: wild("allocated"), Reserved: wild("reserved"), ExtraIPs: wild("extra")}
		f := Fleet{Stable: wild("stable"), Candidate: wild("candidate"), Busy: wild("busy"), CandidateLeast: wild("least"), CandidateMost: wild("most"), ServiceLeast: wild("sl"), ServiceMost: wild("sm"), Subnet: Subnet{Size: wild("size"), Taken: wild("taken")}}
		p := Policy{wild("reserve"), rapid.Float64().Draw(t, "overshoot"), wild("perInstance")}
		c := Foresee(g, f, p, wild("weight"))
		for _, n := range []int64{c.Load, c.Needed, c.Least, c.Peak, c.Has, c.Starts, c.Each, c.Capacity, c.Kept, c.Room, c.Taken, c.Adds, c.Promised, c.Allowed} {
			if n < 0 {
				t.Fatalf("a negative number: %+v", c)
			}
		}
		_ = c.String()
	})
}
