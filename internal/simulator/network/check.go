package network

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// withDefaults is the configuration with nothing left open. The caller's own is
// not touched.
func (c Config) withDefaults() Config {
	c.Gateways = slices.Clone(c.Gateways)
	for i := range c.Gateways {
		c.Gateways[i].complete()
	}
	c.Destinations = slices.Clone(c.Destinations)
	for i := range c.Destinations {
		d := &c.Destinations[i]
		d.Addresses = cmp.Or(d.Addresses, 1)
		d.Path = cmp.Or(d.Path, PathPublic)
		d.IdleTimeout = cmp.Or(d.IdleTimeout, establishedIdle)
	}
	for _, s := range c.Switches.choices() {
		*s.value = cmp.Or(*s.value, s.values[0])
	}
	c.Timing.AddressRetention = cmp.Or(c.Timing.AddressRetention, 20*time.Minute)
	c.Timing.AutomaticAddress = cmp.Or(c.Timing.AutomaticAddress, 10*time.Second)
	c.Timing.Growth = cmp.Or(c.Timing.Growth, 5*time.Second)
	c.Timing.Shrink = cmp.Or(c.Timing.Shrink, 5*time.Minute)
	return c
}

// establishedIdle is the timeout of established connections
// [disc compute: tcpEstablishedIdleTimeoutSec].
const establishedIdle = 1200 * time.Second

func (g *Gateway) complete() {
	g.TimeWait = cmp.Or(g.TimeWait, 120*time.Second)
	if g.Automatic != nil {
		a := *g.Automatic
		a.Begin = cmp.Or(a.Begin, 1)
		g.Automatic = &a
	}
	if g.Dynamic == nil && g.PortsPerEndpoint >= 0 {
		g.PortsPerEndpoint = powerOfTwo(cmp.Or(g.PortsPerEndpoint, 64))
	}
}

// powerOfTwo rounds up.
func powerOfTwo(n int) int {
	if n < 2 {
		return 1
	}
	return 1 << bits.Len(uint(n-1))
}

func (c Config) check() error {
	for _, list := range []struct {
		name  string
		size  int
		check func(int) error
	}{
		{"subnets", len(c.Subnets), c.checkSubnet},
		{"gateways", len(c.Gateways), c.checkGateway},
		{"destinations", len(c.Destinations), c.checkDestination},
	} {
		for i := range list.size {
			if err := list.check(i); err != nil {
				return fmt.Errorf("%s[%d]: %w", list.name, i, err)
			}
		}
	}
	for _, s := range c.Switches.choices() {
		if !slices.Contains(s.values[:], *s.value) {
			return fmt.Errorf("switch %s: %q is not one of %s", s.name, *s.value, strings.Join(s.values[:], ", "))
		}
	}
	t := c.Timing
	return errors.Join(checkTime("addressRetention", t.AddressRetention), checkTime("automaticAddress", t.AutomaticAddress),
		checkTime("growth", t.Growth), checkTime("shrink", t.Shrink))
}

// checkTime refuses what whole seconds cannot count.
func checkTime(name string, d time.Duration) error {
	if d < time.Second || d > 24*time.Hour {
		return fmt.Errorf("%s: %v is not between 1s and 24h", name, d)
	}
	return nil
}

func (c Config) checkSubnet(i int) error {
	s := c.Subnets[i]
	if s.Project == "" || s.Region == "" || s.Name == "" || s.Network == "" {
		return errors.New("project, region, network and name are required")
	}
	if !s.Range.IsValid() || !s.Range.Addr().Is4() || s.Range != s.Range.Masked() {
		return fmt.Errorf("range %s is not an IPv4 network", s.Range)
	}
	if size := s.Range.Bits(); size > 26 && size != connectorBits {
		return fmt.Errorf("range %s is too small: Cloud Run needs a /26 or larger, a connector a /28", s.Range)
	}
	for _, other := range c.Subnets[:i] {
		if other.SubnetKey == s.SubnetKey {
			return fmt.Errorf("subnet %s exists twice", s.Name)
		}
		if other.Project == s.Project && other.Network == s.Network && other.Range.Overlaps(s.Range) {
			return fmt.Errorf("range %s overlaps with %s of subnet %s", s.Range, other.Range, other.Name)
		}
	}
	return nil
}

func (c Config) checkGateway(i int) error {
	g := c.Gateways[i]
	if g.Project == "" || g.Region == "" || g.Network == "" || g.Name == "" {
		return errors.New("project, region, network and name are required")
	}
	for _, other := range c.Gateways[:i] {
		if other.Project == g.Project && other.Region == g.Region {
			if err := g.besides(other); err != nil {
				return err
			}
		}
	}
	for _, s := range g.Subnets {
		if !slices.ContainsFunc(c.Subnets, func(known Subnet) bool { return known.Name == s && g.covers(known) }) {
			return fmt.Errorf("subnet %s is not in network %s and region %s", s, g.Network, g.Region)
		}
	}
	return cmp.Or(g.checkAddresses(), g.checkPorts(), checkTime("timeWait", g.TimeWait))
}

// besides refuses a gateway that cannot stand next to another of its region.
func (g *Gateway) besides(other Gateway) error {
	if other.Router == g.Router && other.Name == g.Name {
		return fmt.Errorf("gateway %s exists twice", g.Name)
	}
	if other.Network != g.Network {
		return nil
	}
	if len(other.Subnets) == 0 || len(g.Subnets) == 0 {
		return fmt.Errorf("one of %s and %s covers all subnets, so that there can be no other", other.Name, g.Name)
	}
	for _, s := range g.Subnets {
		if slices.Contains(other.Subnets, s) {
			return fmt.Errorf("subnet %s is covered by %s already", s, other.Name)
		}
	}
	return nil
}

// covers tells whether the gateway serves endpoints in a subnet.
func (g *Gateway) covers(s Subnet) bool {
	return g.Project == s.Project && g.Region == s.Region && g.Network == s.Network &&
		(len(g.Subnets) == 0 || slices.Contains(g.Subnets, s.Name))
}

func (g *Gateway) checkAddresses() error {
	switch a := g.Automatic; {
	case (a == nil) == (len(g.IPs) == 0):
		return errors.New("write either ips or automatic")
	case a != nil && (a.Begin < 1 || a.Most < a.Begin || a.Most > mostAutomatic):
		return fmt.Errorf("automatic: 1 <= begin (%d) <= most (%d) <= %d does not hold", a.Begin, a.Most, mostAutomatic)
	}
	sorted := slices.Sorted(slices.Values(g.IPs))
	if len(slices.Compact(sorted)) != len(g.IPs) {
		return errors.New("ips: an address is there twice")
	}
	return nil
}

// mostAutomatic bounds what a scenario may ask for. The real limit is not known.
const mostAutomatic = 1000

func (g *Gateway) checkPorts() error {
	d := g.Dynamic
	if d == nil {
		if g.PortsPerEndpoint < 1 || g.PortsPerEndpoint > portsPerIP {
			return fmt.Errorf("portsPerEndpoint: an address has %d ports, from which no endpoint can get %d", portsPerIP, g.PortsPerEndpoint)
		}
		return nil
	}
	least, most := cmp.Or(d.Min, minDynamic), cmp.Or(d.Max, maxDynamic)
	switch {
	case g.EndpointIndependent:
		return errors.New("endpoint-independent mapping excludes dynamic ports")
	case g.PortsPerEndpoint != 0:
		return errors.New("portsPerEndpoint is for static ports: write dynamic.min")
	case least < minDynamic || powerOfTwo(least) != least || powerOfTwo(most) != most:
		return fmt.Errorf("dynamic: min (%d) and max (%d) must be powers of two from %d on", least, most, minDynamic)
	case most > maxDynamic || most <= least || (d.Min == 0 && most <= 64):
		return fmt.Errorf("dynamic: max (%d) must be above min (%d), above 64 where min is not set, and at most %d", most, d.Min, maxDynamic)
	}
	return nil
}

// Bounds of dynamic allocation [disc compute: enableDynamicPortAllocation,
// maxPortsPerVm].
const minDynamic, maxDynamic = 32, 65536

func (c Config) checkDestination(i int) error {
	d := c.Destinations[i]
	switch {
	case d.Name == "":
		return errors.New("name is required")
	case slices.ContainsFunc(c.Destinations[:i], func(other Destination) bool { return other.Name == d.Name }):
		return fmt.Errorf("destination %s exists twice", d.Name)
	case d.Addresses < 1:
		return fmt.Errorf("addresses: %d is less than one", d.Addresses)
	case !slices.Contains([]Path{PathPublic, PathPrivate, PathGoogle}, d.Path):
		return fmt.Errorf("path: %q is not one of %s, %s, %s", d.Path, PathPublic, PathPrivate, PathGoogle)
	case d.IdleTimeout > establishedIdle:
		return fmt.Errorf("idleTimeout: NAT forgets a connection after %v", establishedIdle)
	}
	return checkTime("idleTimeout", d.IdleTimeout)
}

// A choice is one switch: its name, where it is kept and what it may say, the
// default first.
type choice struct {
	name   string
	value  *string
	values [2]string
}

func (s *Switches) choices() []choice {
	return []choice{
		{"retainedAddressPorts", &s.RetainedAddressPorts, [2]string{"held", "freed"}},
		{"instanceEndpoints", &s.InstanceEndpoints, [2]string{"one", "two"}},
		{"unservedPackets", &s.UnservedPackets, [2]string{"counted", "silent"}},
		{"portUsage", &s.PortUsage, [2]string{"withTimeWait", "established"}},
	}
}
