package simulator

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// portsEach is how many ports an endpoint has: 64 where nothing else is configured,
// 32 to begin with where they are dynamic [disc compute v1, RouterNat.minPortsPerVm].
func (c RouterNat) portsEach() int {
	if c.EnableDynamicPortAllocation {
		return cmp.Or(c.MinPortsPerVM, 32)
	}
	return cmp.Or(c.MinPortsPerVM, 64)
}

// nat is what the API says of a gateway's configuration.
func (g *Gateway) nat() nat {
	n := nat{
		project: g.Project, region: g.Region, network: g.Network, router: cmp.Or(g.Router, "router-1"), routerID: g.RouterID,
		config: g.NAT,
	}
	c := &n.config
	c.Name = g.Name
	c.Type = cmp.Or(c.Type, "PUBLIC")
	c.MinPortsPerVM = cmp.Or(c.MinPortsPerVM, g.PortsPerEndpoint)
	c.EnableEndpointIndependentMapping = c.EnableEndpointIndependentMapping || g.EndpointIndependent
	wait := cmp.Or(g.TimeWait, Duration(120*time.Second))
	c.EffectiveTCPTimeWaitTimeoutSec = cmp.Or(c.EffectiveTCPTimeWaitTimeoutSec, int(time.Duration(wait).Seconds()))
	if d := g.DynamicPorts; d != nil {
		c.EnableDynamicPortAllocation, c.MinPortsPerVM, c.MaxPortsPerVM = true, d.Min, d.Max
	}
	if c.EndpointTypes == nil {
		c.EndpointTypes = []string{"ENDPOINT_TYPE_VM"}
	}
	if c.LogConfig == nil {
		c.LogConfig = &RouterNatLogConfig{}
	}
	g.cover(&n)
	g.addresses(&n)
	return n
}

// cover says which subnetworks a NAT takes in.
func (g *Gateway) cover(n *nat) {
	c := &n.config
	if len(g.Subnetworks) == 0 && len(c.Subnetworks) == 0 {
		c.SourceSubnetworkIPRangesToNat = cmp.Or(c.SourceSubnetworkIPRangesToNat, "ALL_SUBNETWORKS_ALL_IP_RANGES")
		return
	}
	c.SourceSubnetworkIPRangesToNat = cmp.Or(c.SourceSubnetworkIPRangesToNat, "LIST_OF_SUBNETWORKS")
	c.Subnetworks = slices.Clone(c.Subnetworks)
	for _, s := range g.Subnetworks {
		c.Subnetworks = append(c.Subnetworks, RouterNatSubnetworkToNat{
			Name: computeURL(n.place() + "/subnetworks/" + s), SourceIPRangesToNat: []string{"ALL_IP_RANGES"},
		})
	}
}

// addresses says where a NAT has its addresses from. Those assigned by hand are
// resources.
func (g *Gateway) addresses(n *nat) {
	c := &n.config
	if g.AutomaticIPs != nil {
		c.NatIPAllocateOption = cmp.Or(c.NatIPAllocateOption, "AUTO_ONLY")
		return
	}
	c.NatIPAllocateOption = cmp.Or(c.NatIPAllocateOption, "MANUAL_ONLY")
	c.NatIPs = nil
	for _, ip := range g.IPs {
		c.NatIPs = append(c.NatIPs, computeURL(n.place()+"/addresses/nat-"+strings.NewReplacer(".", "-", ":", "-").Replace(ip)))
	}
}

// reporting is what a router reports of a NAT with addresses and endpoints.
func (n nat) reporting(ips []string, endpoints, lacking int) NatStatus {
	s := NatStatus{Name: n.config.Name, NumVMEndpointsWithNatMappings: endpoints, MinExtraNatIPsNeeded: lacking}
	if n.config.NatIPAllocateOption == "AUTO_ONLY" {
		s.AutoAllocatedNatIPs = ips
		return s
	}
	s.UserAllocatedNatIPs, s.UserAllocatedNatIPResources = ips, n.config.NatIPs
	return s
}

// natReport is what all routers know at a time.
type natReport struct {
	at  time.Time
	all []NatStatus // in the order of the scenario's gateways
}

// observe is what routers could report now. In a world with a network it is the
// network's.
func (w *World) observe() []NatStatus {
	physical, lives := w.NetworkStatus()
	var all []NatStatus
	for i := range w.scenario.Gateways {
		g := &w.scenario.Gateways[i]
		n := g.nat()
		if lives {
			s := physical.Gateways[i]
			all = append(all, n.reporting(s.IPs, s.Mapped, s.MinExtraIPsNeeded))
			continue
		}
		all = append(all, n.reporting(g.IPs, len(g.IPs)*g.AllocatedPorts/n.config.portsEach(), 0))
	}
	return all
}

// remembered is how often routers look, where what they report is old.
const remembered = 5 * time.Second

// look lets routers see what they report later.
func (w *World) look(second time.Time) {
	lag := time.Duration(w.scenario.Timing.RouterStatus)
	if lag == 0 || second.Unix()%int64(remembered.Seconds()) != 0 {
		return
	}
	w.natReports = append(w.natReports, natReport{second, w.observe()})
	for len(w.natReports) > 1 && !w.natReports[1].at.After(second.Add(-lag)) {
		w.natReports = w.natReports[1:]
	}
}

// reported is what routers report now.
func (w *World) reported() []NatStatus {
	if len(w.natReports) == 0 {
		return w.observe()
	}
	return w.natReports[0].all
}
