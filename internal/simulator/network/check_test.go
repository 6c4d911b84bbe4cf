package network_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

func TestWhatMakesNoSenseIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		want   string
		change func(*network.Config)
	}{
		{"subnets[0]: project, region, network and name are required", func(c *network.Config) { c.Subnets[0].Network = "" }},
		{"subnets[0]: range invalid Prefix is not an IPv4 network", func(c *network.Config) { c.Subnets[0].Range = netip.Prefix{} }},
		{"subnets[0]: range 2001:db8::/96 is not an IPv4 network", func(c *network.Config) { c.Subnets[0].Range = netip.MustParsePrefix("2001:db8::/96") }},
		{"subnets[0]: range 10.0.0.1/20 is not an IPv4 network", func(c *network.Config) { c.Subnets[0].Range = netip.MustParsePrefix("10.0.0.1/20") }},
		{"subnets[0]: range 10.0.0.0/27 is too small", func(c *network.Config) { c.Subnets[0].Range = netip.MustParsePrefix("10.0.0.0/27") }},
		{"subnets[1]: range 10.0.1.0/24 overlaps with 10.0.0.0/20 of subnet run", func(c *network.Config) { c.Subnets[1].Range = netip.MustParsePrefix("10.0.1.0/24") }},
		{"subnets[1]: subnet run exists twice", func(c *network.Config) { c.Subnets[1].Name = "run" }},
		{"gateways[0]: project, region, network and name are required", func(c *network.Config) { c.Gateways[0].Name = "" }},
		{"gateways[0]: subnet web is not in network shared and region asia-northeast1", func(c *network.Config) { c.Gateways[0].Subnets = []string{"web"} }},
		{"gateways[0]: write either ips or automatic", func(c *network.Config) { c.Gateways[0].IPs = nil }},
		{"gateways[0]: write either ips or automatic", func(c *network.Config) { c.Gateways[0].Automatic = &network.Automatic{Most: 1} }},
		{"gateways[0]: ips: an address is there twice", func(c *network.Config) { c.Gateways[0].IPs = []string{"203.0.113.10", "203.0.113.10"} }},
		{"automatic: 1 <= begin (3) <= most (2) <= 1000 does not hold", func(c *network.Config) {
			c.Gateways[0].IPs, c.Gateways[0].Automatic = nil, &network.Automatic{Begin: 3, Most: 2}
		}},
		{"from which no endpoint can get 65536", func(c *network.Config) { c.Gateways[0].PortsPerEndpoint = 40000 }},
		{"from which no endpoint can get -1", func(c *network.Config) { c.Gateways[0].PortsPerEndpoint = -1 }},
		{"endpoint-independent mapping excludes dynamic ports", func(c *network.Config) {
			c.Gateways[0].EndpointIndependent, c.Gateways[0].Dynamic = true, &network.Dynamic{}
		}},
		{"portsPerEndpoint is for static ports", func(c *network.Config) {
			c.Gateways[0].PortsPerEndpoint, c.Gateways[0].Dynamic = 64, &network.Dynamic{}
		}},
		{"min (16) and max (65536) must be powers of two from 32 on", func(c *network.Config) { c.Gateways[0].Dynamic = &network.Dynamic{Min: 16} }},
		{"min (48) and max (65536) must be powers of two", func(c *network.Config) { c.Gateways[0].Dynamic = &network.Dynamic{Min: 48} }},
		{"min (32) and max (100) must be powers of two", func(c *network.Config) { c.Gateways[0].Dynamic = &network.Dynamic{Max: 100} }},
		{"max (64) must be above min (64)", func(c *network.Config) { c.Gateways[0].Dynamic = &network.Dynamic{Min: 64, Max: 64} }},
		{"above 64 where min is not set", func(c *network.Config) { c.Gateways[0].Dynamic = &network.Dynamic{Max: 64} }},
		{"and at most 65536", func(c *network.Config) { c.Gateways[0].Dynamic = &network.Dynamic{Max: 1 << 20} }},
		{"gateways[0]: timeWait: 1ms is not between 1s and 24h", func(c *network.Config) { c.Gateways[0].TimeWait = time.Millisecond }},
		{"gateways[1]: gateway nat-1 exists twice", func(c *network.Config) { c.Gateways = append(c.Gateways, nat()) }},
		{"gateways[1]: subnet run is covered by nat-1 already", func(c *network.Config) {
			other := nat()
			other.Name, other.Subnets = "nat-2", []string{"bare", "run"}
			c.Gateways = append(c.Gateways, other)
		}},
		{"gateways[1]: one of nat-1 and nat-2 covers all subnets", func(c *network.Config) {
			other := nat()
			other.Name, other.Subnets = "nat-2", nil
			c.Gateways = append(c.Gateways, other)
		}},
		{"destinations[0]: name is required", func(c *network.Config) { c.Destinations[0].Name = "" }},
		{"destinations[1]: destination database exists twice", func(c *network.Config) { c.Destinations[1].Name = "database" }},
		{"destinations[0]: addresses: -1 is less than one", func(c *network.Config) { c.Destinations[0].Addresses = -1 }},
		{`destinations[0]: path: "secret" is not one of public, private, google`, func(c *network.Config) { c.Destinations[0].Path = "secret" }},
		{"destinations[0]: idleTimeout: NAT forgets a connection after 20m0s", func(c *network.Config) { c.Destinations[0].IdleTimeout = time.Hour }},
		{"destinations[0]: idleTimeout: -1s is not between", func(c *network.Config) { c.Destinations[0].IdleTimeout = -time.Second }},
		{`switch instanceEndpoints: "three" is not one of one, two`, func(c *network.Config) { c.Switches.InstanceEndpoints = "three" }},
		{"addressRetention: 48h0m0s is not between", func(c *network.Config) { c.Timing.AddressRetention = 48 * time.Hour }},
		{"growth: -1s is not between", func(c *network.Config) { c.Timing.Growth = -time.Second }},
	} {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			c := config(nat())
			tt.change(&c)
			if _, err := network.New(c); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestGatewaysOfOtherRegionsAndNetworksStandBesideEachOther(t *testing.T) {
	t.Parallel()
	c := config(nat())
	region, vpc := nat(), nat()
	region.Region, region.Subnets = "europe-west1", nil
	vpc.Name, vpc.Network, vpc.Subnets = "nat-2", "other", nil
	c.Gateways = append(c.Gateways, region, vpc)
	if _, err := network.New(c); err != nil {
		t.Error(err)
	}
}

func TestTheCallersConfigurationStaysAsItIs(t *testing.T) {
	t.Parallel()
	g := nat()
	g.IPs, g.Automatic, g.PortsPerEndpoint = nil, &network.Automatic{Most: 2}, 50
	c := config(g)
	begin(t, c)
	if c.Gateways[0].Automatic.Begin != 0 || c.Gateways[0].PortsPerEndpoint != 50 || c.Destinations[0].Addresses != 0 {
		t.Errorf("defaults were written into %+v", c)
	}
}
