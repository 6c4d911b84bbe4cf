package network_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

// crowd is a network of which a property test attaches and detaches endpoints at
// random, in two copies that must not differ.
type crowd struct {
	config    network.Config
	now       int
	nets      [2]*network.Network
	endpoints [2][]*network.Endpoint // those attached to the gateway, oldest first
	private   map[*network.Endpoint]bool
	opened    int
	closed    int
}

// anyConfig draws a small gateway, of whichever kind, and the switches.
func anyConfig(t *rapid.T) network.Config {
	g := nat()
	g.TimeWait = time.Duration(rapid.SampledFrom([]int{1, 30, 120}).Draw(t, "timeWait")) * time.Second
	ips := rapid.IntRange(1, 3).Draw(t, "ips")
	if rapid.Bool().Draw(t, "automatic") {
		g.IPs, g.Automatic = nil, &network.Automatic{Most: ips}
	} else {
		g.IPs = []string{"203.0.113.10", "203.0.113.11", "203.0.113.12"}[:ips]
	}
	if rapid.Bool().Draw(t, "dynamic") {
		g.Dynamic = &network.Dynamic{Min: 1 << rapid.IntRange(12, 14).Draw(t, "min"), Max: 1 << rapid.IntRange(15, 16).Draw(t, "max")}
	} else {
		g.PortsPerEndpoint = rapid.SampledFrom([]int{1 << 12, 1 << 13, 5000, 1 << 15}).Draw(t, "ports")
		g.EndpointIndependent = rapid.Bool().Draw(t, "independent")
	}
	c := config(g)
	c.Destinations[0].Addresses = rapid.IntRange(1, 2).Draw(t, "addresses")
	c.Switches.RetainedAddressPorts = rapid.SampledFrom([]string{"held", "freed"}).Draw(t, "retained")
	c.Switches.InstanceEndpoints = rapid.SampledFrom([]string{"one", "two"}).Draw(t, "endpoints")
	c.Timing.AddressRetention = time.Duration(rapid.IntRange(1, 90).Draw(t, "retention")) * time.Second
	c.Timing.Shrink = 20 * time.Second
	return c
}

func newCrowd(t *rapid.T) *crowd {
	c := &crowd{config: anyConfig(t), private: map[*network.Endpoint]bool{}}
	for i := range c.nets {
		n, err := network.New(c.config)
		if err != nil {
			t.Fatal(err)
		}
		c.nets[i] = n
	}
	return c
}

func (c *crowd) wait(seconds int) {
	for range seconds {
		c.now++
		for _, n := range c.nets {
			n.Tick(start.Add(time.Duration(c.now) * time.Second))
		}
	}
}

func (c *crowd) attach(t *rapid.T) {
	kind := rapid.SampledFrom([]string{"instance", "instance", "private", "machines"}).Draw(t, "kind")
	for i, n := range c.nets {
		var e *network.Endpoint
		var err error
		switch kind {
		case "machines":
			e, err = n.AttachMachines(small, 2)
		case "private":
			e, err = n.AttachInstance(run, network.PrivateRangesOnly)
		default:
			e, err = n.AttachInstance(run, network.AllTraffic)
		}
		if err == nil {
			c.endpoints[i] = append(c.endpoints[i], e)
			c.private[e] = kind == "private"
		}
	}
}

func (c *crowd) detach(which int) {
	for i := range c.nets {
		c.endpoints[i][which].Detach()
		c.endpoints[i] = append(c.endpoints[i][:which:which], c.endpoints[i][which+1:]...)
	}
}

// use opens, keeps and closes connections of one endpoint.
func (c *crowd) use(t *rapid.T) {
	which := rapid.IntRange(0, len(c.endpoints[0])-1).Draw(t, "which")
	d := rapid.SampledFrom([]network.DestinationID{database, partner, cache, storage}).Draw(t, "destination")
	want, amount := rapid.IntRange(0, 40000).Draw(t, "want"), rapid.IntRange(0, 20000)
	keep, end := amount.Draw(t, "keep"), amount.Draw(t, "close")
	var got [2]int
	for i := range c.nets {
		e := c.endpoints[i][which]
		got[i] = e.Open(d, want)
		if got[i] < want {
			e.Dropped(d, want-got[i])
		}
		e.Keep(d, keep)
		e.Close(d, end)
	}
	if got[0] != got[1] || got[0] > want {
		t.Fatalf("of %d connections were opened %d and %d", want, got[0], got[1])
	}
}

func (c *crowd) minute(t *rapid.T) {
	m := c.nets[0].Minute()
	if diff := cmp.Diff(m, c.nets[1].Minute()); diff != "" {
		t.Fatalf("the same calls gave another minute: %s", diff)
	}
	c.opened += m[0].Opened
	c.closed += m[0].Closed
	if c.opened != c.closed+m[0].Open {
		t.Fatalf("%d were opened and %d closed, but %d are open", c.opened, c.closed, m[0].Open)
	}
}

// sound is what holds at every moment.
func (c *crowd) sound(t *rapid.T) {
	s := c.nets[0].Status()
	if diff := cmp.Diff(s, c.nets[1].Status()); diff != "" {
		t.Fatalf("the same calls gave another state: %s", diff)
	}
	g := s.Gateways[0]
	if g.Allotted > g.Capacity || g.Capacity != 64512*len(g.IPs) {
		t.Fatalf("of %d ports %d are allotted", g.Capacity, g.Allotted)
	}
	for _, sub := range s.Subnets {
		if used := sub.Instances + sub.Retained; sub.Free < 0 || used > sub.Reserved || sub.Reserved+sub.Machines+sub.Free != sub.Usable {
			t.Fatalf("the subnet has %+v", sub)
		}
	}
	own, waits := 0, false
	for i, e := range c.endpoints[0] {
		if waits && !e.Waiting() {
			t.Fatalf("endpoint %d has ports, though one before it waits", i)
		}
		waits = e.Waiting()
		own += e.Ports()
		if complaint := c.fits(e); complaint != "" {
			t.Fatalf("endpoint %d: %s", i, complaint)
		}
	}
	if own > g.Allotted || waits != (waits && g.Waiting > 0) {
		t.Fatalf("the endpoints have %d ports, the gateway %+v", own, g)
	}
}

// fits tells what is wrong with an endpoint's ports and connections.
func (c *crowd) fits(e *network.Endpoint) string {
	g, sum := c.config.Gateways[0], 0
	if d := g.Dynamic; d != nil && !e.Waiting() && (e.Ports() < d.Min || e.Ports() > 2*d.Max) {
		return fmt.Sprintf("it has %d ports", e.Ports())
	}
	if c.private[e] {
		return ""
	}
	for _, d := range []network.DestinationID{database, partner, storage} {
		n := e.Connections(d)
		used := n.Busy + n.Idle + n.TimeWait
		sum += used
		if room := e.Ports() * max(1, c.config.Destinations[d].Addresses); used > room {
			return fmt.Sprintf("%d connections to destination %d, where %d fit", used, d, room)
		}
	}
	if g.EndpointIndependent && sum > e.Ports() {
		return fmt.Sprintf("%d connections share %d ports", sum, e.Ports())
	}
	return ""
}

func TestNothingIsLentTwiceAndEverythingComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newCrowd(t)
		t.Repeat(map[string]func(*rapid.T){
			"attach":  c.attach,
			"attach2": c.attach,
			"detach": func(t *rapid.T) {
				if n := len(c.endpoints[0]); n > 0 {
					c.detach(rapid.IntRange(0, n-1).Draw(t, "which"))
				}
			},
			"use": func(t *rapid.T) {
				if len(c.endpoints[0]) > 0 {
					c.use(t)
				}
			},
			"time":   func(t *rapid.T) { c.wait(rapid.IntRange(1, 30).Draw(t, "seconds")) },
			"minute": c.minute,
			"":       c.sound,
		})
		for len(c.endpoints[0]) > 0 {
			c.detach(len(c.endpoints[0]) - 1)
			c.sound(t)
		}
		c.minute(t)
		c.wait(120)
		s := c.nets[0].Status()
		if g := s.Gateways[0]; g.Allotted+g.Mapped+g.Waiting != 0 || (c.config.Gateways[0].Automatic != nil && len(g.IPs) != 1) {
			t.Fatalf("the gateway is left with %+v", g)
		}
		for _, sub := range s.Subnets {
			if sub.Free != sub.Usable {
				t.Fatalf("the subnet is left with %+v", sub)
			}
		}
	})
}
