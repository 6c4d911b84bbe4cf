package network

import (
	"fmt"
	"time"
)

// DestinationID is the index of a destination in Config.Destinations.
type DestinationID int

// Network is all subnets and gateways of the world. It is not safe for
// concurrent use.
type Network struct {
	start        time.Time
	now          int32 // seconds since start
	switches     Switches
	timing       seconds
	destinations []destination
	subnets      []*subnet
	gateways     []*gateway
	retained     []retention // oldest first
	automatic    int         // addresses ever added to automatic gateways
}

// seconds is Timing, counted.
type seconds struct{ retention, automatic, growth, shrink int32 }

// destination is a Destination, counted.
type destination struct {
	name        string
	addresses   int
	path        Path
	idleTimeout int32
}

// New makes the network that a configuration describes.
func New(c Config) (*Network, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	n := &Network{start: c.Start, switches: c.Switches, timing: seconds{
		retention: whole(c.Timing.AddressRetention),
		automatic: whole(c.Timing.AutomaticAddress),
		growth:    whole(c.Timing.Growth),
		shrink:    whole(c.Timing.Shrink),
	}}
	for _, d := range c.Destinations {
		n.destinations = append(n.destinations, destination{d.Name, d.Addresses, d.Path, whole(d.IdleTimeout)})
	}
	for i := range c.Gateways {
		n.gateways = append(n.gateways, newGateway(n, &c.Gateways[i]))
	}
	for _, s := range c.Subnets {
		own := &subnet{Subnet: s, usable: 1<<(32-s.Range.Bits()) - googleReserved}
		for i, g := range c.Gateways {
			if g.covers(s) {
				own.gateway = n.gateways[i]
			}
		}
		n.subnets = append(n.subnets, own)
	}
	return n, nil
}

// whole is a duration in seconds, rounded up.
func whole(d time.Duration) int32 { return int32((d + time.Second - 1) / time.Second) } //nolint:gosec // checked to be less than a year

// Destination finds a destination by its name.
func (n *Network) Destination(name string) (DestinationID, error) {
	for i := range n.destinations {
		if n.destinations[i].name == name {
			return DestinationID(i), nil
		}
	}
	return 0, fmt.Errorf("no destination is called %q", name)
}

// Tick begins the second now, which is never before that of the latest Tick:
// retained addresses become free, gateways give and take back ports. What
// becomes of connections is worked out when somebody asks for them.
func (n *Network) Tick(now time.Time) {
	n.now = max(n.now, int32(now.Sub(n.start)/time.Second)) //nolint:gosec // a world does not last 68 years
	for len(n.retained) > 0 && n.retained[0].until <= n.now {
		n.retained[0].end()
		n.retained = n.retained[1:]
	}
	for _, g := range n.gateways {
		g.tick()
	}
}
