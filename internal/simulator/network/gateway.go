package network

import (
	"cmp"
	"fmt"
	"slices"
)

// portsPerIP is how many TCP source ports a NAT address has: 65536 less the first
// 1024 [docs nat/ports-and-addresses].
const portsPerIP = 64512

// gateway lends the ports of its addresses to endpoints.
type gateway struct {
	network  *Network
	spec     *Gateway
	first    int // ports that an endpoint begins with
	most     int // ports that it can have
	timeWait int32
	ips      []*address
	mostIPs  int
	adding   bool  // an address is on its way
	addAt    int32 // when it arrives
	shrinkAt int32
	mapped   int         // endpoints with ports
	waiting  []*mapping  // endpoints without, first come first served
	growing  []*growth   // endpoints that are to get more
	users    []*Endpoint // endpoints that are attached, oldest first
	minute   traffic
}

// traffic is what a gateway counts in a minute.
type traffic struct {
	opened, closed int
	dropped        [2]int // by refusal
	failed         bool
}

// address is a NAT address.
type address struct {
	ip     string
	used   int
	idleAt int32 // since when none of its ports is used
}

// mapping is one NAT endpoint: an address of a subnet, with the ports that the
// gateway lends it.
type mapping struct {
	gateway *gateway
	sender  *Endpoint // whose connections use the ports; nil: nobody's
	blocks  []block
	ports   int
}

// block is a number of ports of one NAT address. It never spans two.
type block struct {
	on    *address
	ports int
}

func newGateway(n *Network, spec *Gateway) *gateway {
	g := &gateway{
		network: n, spec: spec, first: spec.PortsPerEndpoint, most: spec.PortsPerEndpoint,
		timeWait: whole(spec.TimeWait), mostIPs: len(spec.IPs), shrinkAt: n.timing.shrink,
	}
	if d := spec.Dynamic; d != nil {
		g.first, g.most = cmp.Or(d.Min, minDynamic), cmp.Or(d.Max, maxDynamic)
	}
	for _, ip := range spec.IPs {
		g.ips = append(g.ips, &address{ip: ip})
	}
	if a := spec.Automatic; a != nil {
		g.mostIPs = a.Most
		for range a.Begin {
			g.addAddress()
		}
	}
	return g
}

// addAddress gives an automatic gateway one that nobody has had before. The
// range is the one for benchmarks, 198.18.0.0/15 [RFC 2544].
func (g *gateway) addAddress() {
	g.network.automatic++
	i := g.network.automatic
	g.ips = append(g.ips, &address{ip: fmt.Sprintf("198.%d.%d.%d", 18+i>>16&1, i>>8&255, i&255), idleAt: g.network.now})
}

// claim lends a mapping its first ports, or lets it wait for them.
func (g *gateway) claim(m *mapping) {
	if len(g.waiting) == 0 && m.extend(g.first) {
		return
	}
	g.waiting = append(g.waiting, m)
	g.needAddress()
}

// extend lends a mapping one more block. Which address it comes from, where
// several have room, is unverified; here the oldest.
func (m *mapping) extend(ports int) bool {
	for _, ip := range m.gateway.ips {
		if ip.used+ports > portsPerIP {
			continue
		}
		ip.used += ports
		m.blocks = append(m.blocks, block{ip, ports})
		m.change(ports)
		return true
	}
	return false
}

// giveBack returns the latest block.
func (m *mapping) giveBack() {
	last := len(m.blocks) - 1
	b := m.blocks[last]
	m.blocks = m.blocks[:last]
	b.on.used -= b.ports
	if b.on.used == 0 {
		b.on.idleAt = m.gateway.network.now
	}
	m.change(-b.ports)
}

// change keeps the sums that hang on a mapping's ports.
func (m *mapping) change(ports int) {
	served := min(1, m.ports+ports) - min(1, m.ports) // one more, one less or the same
	m.ports += ports
	m.gateway.mapped += served
	if m.sender != nil {
		m.sender.ports += ports
		m.sender.served += served
	}
}

// release returns everything, or gives up waiting, and serves who waits.
func (m *mapping) release() {
	g := m.gateway
	if m.ports == 0 {
		g.waiting = slices.DeleteFunc(g.waiting, func(other *mapping) bool { return other == m })
	}
	for len(m.blocks) > 0 {
		m.giveBack()
	}
	g.serve()
}

// serve lends free ports to those who wait, in the order in which they came.
func (g *gateway) serve() {
	served := 0
	for served < len(g.waiting) && g.waiting[served].extend(g.first) {
		served++
	}
	g.waiting = slices.Delete(g.waiting, 0, served)
	if len(g.waiting) > 0 {
		g.needAddress()
	}
}

// needAddress orders one more address where that is possible. Where it is not,
// because they are assigned by hand or the limit is reached, the allocation has
// failed [docs nat/troubleshooting].
func (g *gateway) needAddress() {
	if len(g.ips) >= g.mostIPs {
		g.minute.failed = g.minute.failed || len(g.waiting) > 0
		return
	}
	if !g.adding {
		g.adding, g.addAt = true, g.network.now+g.network.timing.automatic
	}
}

func (g *gateway) tick() {
	if g.adding && g.addAt <= g.network.now {
		g.adding = false
		g.addAddress()
		g.serve()
	}
	if g.spec.Automatic != nil {
		g.dropAddress()
	}
	if g.spec.Dynamic != nil {
		g.grow()
		g.shrink()
	}
}

// dropAddress removes one automatic address that is not needed: "Public NAT also
// automatically removes a NAT IP address when it no longer needs any source ports
// on that NAT IP address" [docs nat/ports-and-addresses].
func (g *gateway) dropAddress() {
	if len(g.ips) <= g.spec.Automatic.Begin {
		return
	}
	for i, ip := range g.ips {
		if ip.used == 0 && g.network.now-ip.idleAt >= g.network.timing.automatic {
			g.ips = slices.Delete(g.ips, i, i+1)
			return
		}
	}
}

func (g *gateway) allotted() int {
	sum := 0
	for _, ip := range g.ips {
		sum += ip.used
	}
	return sum
}

func (g *gateway) status(index int) GatewayStatus {
	s := GatewayStatus{
		Gateway: index, Mapped: g.mapped, Waiting: len(g.waiting),
		Allotted: g.allotted(), Capacity: len(g.ips) * portsPerIP,
	}
	for _, ip := range g.ips {
		s.IPs = append(s.IPs, ip.ip)
	}
	if g.spec.Automatic == nil {
		perIP := portsPerIP / g.first
		s.MinExtraIPsNeeded = (len(g.waiting) + perIP - 1) / perIP
	}
	return s
}
