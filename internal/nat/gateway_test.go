package nat

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestCapacityIsAddressesTimesWholeBlocks(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		gateway          Gateway
		each, endpoints  int64
		ports, mostPorts int64
	}{
		"one address gives 1,008 endpoints the default of 64 ports": {
			gateway: Gateway{IPs: 1}, each: 64, endpoints: 1008, ports: 64512, mostPorts: 64,
		},
		"63 with 1,024 ports": {
			gateway: Gateway{IPs: 1, Ports: 1024}, each: 1024, endpoints: 63, ports: 64512, mostPorts: 1024,
		},
		"31 with 2,048, and what is left of the address serves nobody": {
			gateway: Gateway{IPs: 1, Ports: 2048}, each: 2048, endpoints: 31, ports: 64512, mostPorts: 2048,
		},
		"every address is divided by itself": {
			gateway: Gateway{IPs: 3, Ports: 2048}, each: 2048, endpoints: 93, ports: 193536, mostPorts: 2048,
		},
		"ports are rounded up to a power of two": {
			gateway: Gateway{IPs: 1, Ports: 1000}, each: 1024, endpoints: 63, ports: 64512, mostPorts: 1024,
		},
		"a power of two is left as it is": {
			gateway: Gateway{IPs: 1, Ports: 128}, each: 128, endpoints: 504, ports: 64512, mostPorts: 128,
		},
		"dynamic allocation begins with 32": {
			gateway: Gateway{IPs: 1, Dynamic: true}, each: 32, endpoints: 2016, ports: 64512, mostPorts: 65536,
		},
		"dynamic allocation ends where it was told to": {
			gateway: Gateway{IPs: 1, Dynamic: true, Ports: 64, MostPorts: 4096}, each: 64, endpoints: 1008, ports: 64512, mostPorts: 4096,
		},
		"the most is never below the least": {
			gateway: Gateway{IPs: 1, Dynamic: true, Ports: 256, MostPorts: 64}, each: 256, endpoints: 252, ports: 64512, mostPorts: 256,
		},
		"an endpoint that wants more than an address has takes two": {
			gateway: Gateway{IPs: 5, Ports: 65536}, each: 65536, endpoints: 2, ports: 322560, mostPorts: 65536,
		},
		"no address, no endpoint": {gateway: Gateway{}, each: 64, mostPorts: 64},
		"negative numbers count as nothing": {
			gateway: Gateway{IPs: -1, Ports: -64}, each: 64, mostPorts: 64,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.gateway.PortsEach(); got != c.each {
				t.Errorf("ports each: got %d, want %d", got, c.each)
			}
			if got, want := c.gateway.Capacity(), (Capacity{c.endpoints, c.ports}); got != want {
				t.Errorf("capacity: got %+v, want %+v", got, want)
			}
			if got := c.gateway.MostPortsEach(); got != c.mostPorts {
				t.Errorf("most ports each: got %d, want %d", got, c.mostPorts)
			}
		})
	}
}

func TestWhatIsTakenIsTheLargerOfTwoReports(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		gateway Gateway
		want    int64
	}{
		"the router knows of more":                      {Gateway{Endpoints: 52, Allocated: 40 * 64}, 52},
		"Monitoring knows of more":                      {Gateway{Endpoints: 40, Allocated: 52 * 64}, 52},
		"a part of a block is a block":                  {Gateway{Allocated: 65}, 2},
		"a gateway whose ports are not known":           {Gateway{Endpoints: 7}, 7},
		"grown endpoints count by their ports":          {Gateway{Dynamic: true, Endpoints: 10, Allocated: 10 * 256}, 80},
		"an idle gateway":                               {Gateway{}, 0},
		"negative numbers, as a broken answer has them": {Gateway{Endpoints: -3, Allocated: -64}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.gateway.Taken(); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestTheRateOfConnectionsIsPortsOverTimeWait(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		gateway Gateway
		want    string
	}{
		"64 ports, 120 s where the gateway does not say": {Gateway{}, "0.53"},
		"64 ports, 30 s":            {Gateway{TimeWait: 30 * time.Second}, "2.13"},
		"1,024 ports, 30 s":         {Gateway{Ports: 1024, TimeWait: 30 * time.Second}, "34"},
		"dynamic, by what it grows": {Gateway{Dynamic: true, MostPorts: 1024}, "8.53"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := decimal(c.gateway.ConnectRate()); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestCapacityNeverExceedsThePorts: as many endpoints as there are get their
// ports, and one more would not.
func TestCapacityNeverExceedsThePorts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := anyGateway(t)
		c, each := g.Capacity(), g.PortsEach()
		if c.Endpoints*each > c.Ports || c.Endpoints < 0 {
			t.Fatalf("%d endpoints of %d ports in %d ports", c.Endpoints, each, c.Ports)
		}
		if each&(each-1) != 0 || g.Ports > 0 && each < g.Ports {
			t.Fatalf("%d ports each of %d is no power of two above it", each, g.Ports)
		}
	})
}

func TestNumbersAreWrittenInThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 64512: "64,512", 1234567: "1,234,567",
		-1: "-1", -999: "-999", -1000: "-1,000", -123456: "-123,456",
	} {
		if got := thousands(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

// TestWhatInstancesTakeAndGiveBack: a new endpoint what it is foreseen to grow to, one that
// ends what those that there are have on average.
func TestWhatInstancesTakeAndGiveBack(t *testing.T) {
	t.Parallel()
	static := Gateway{IPs: 1, Ports: 1024, Endpoints: 34}
	grown := Gateway{IPs: 2, Dynamic: true, MostPorts: 8192, Endpoints: 10, Allocated: 10 * 4000}
	uncounted := grown
	uncounted.Endpoints = 0
	unmeasured := grown
	unmeasured.Allocated = 0
	ours := Fleet{Stable: 5}
	for name, c := range map[string]struct {
		of                   Gateway
		instances            int64
		endpoints, allocated int64
	}{
		"more of them":                          {static, 2, 38, 0},
		"fewer":                                 {static, -3, 28, 0},
		"fewer than none":                       {static, -30, 0, 0},
		"more, where ports have grown":          {grown, 2, 14, 40000 + 4*4000},
		"fewer, where ports have grown":         {grown, -2, 6, 40000 - 4*4000},
		"all of them":                           {grown, -5, 0, 0},
		"fewer, where the router counts none":   {uncounted, -2, 6, 40000 - 4*4000},
		"fewer, where nobody has measured that": {unmeasured, -2, 6, 0},
	} {
		got := c.of.With(c.instances, ours, Policy{EndpointsPerInstance: 2})
		if got.Endpoints != c.endpoints || got.Allocated != c.allocated {
			t.Errorf("%s: %d endpoints, %d ports", name, got.Endpoints, got.Allocated)
		}
	}
}

// TestWhoComesAndEndsChangesNothing, and a forecast comes true when its instances are there.
func TestWhoComesAndEndsChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g, f, p := anyGateway(t), Fleet{Stable: rapid.Int64Range(1, 99).Draw(t, "stable")}, DefaultPolicy()
		f.Busy = f.Stable
		step := Foresee(g, f, p, 50)
		then := g.With(step.Starts, f, p)
		if got, most := then.Taken(), max(step.Taken, f.Stable*p.EndpointsPerInstance)+step.Adds; got > most || got < min(step.Taken, most) {
			t.Fatalf("%d taken, foreseen %d + %d", got, step.Taken, step.Adds)
		}
		f.Candidate = step.Peak
		if back := then.With(-step.Starts, f, p).Taken(); back > then.Taken() {
			t.Fatalf("%d taken when they have ended, %d before", back, then.Taken())
		}
	})
}
