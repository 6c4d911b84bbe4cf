package network

// GatewayMinute is what a gateway's metrics say at the end of a minute
// [docs nat/monitoring].
type GatewayMinute struct {
	// Gateway is the index in Config.Gateways.
	Gateway int
	// Allocated has every NAT address of the gateway (nat/allocated_ports).
	Allocated []AddressPorts
	// Open connections at the end of the minute (nat/open_connections).
	Open int
	// Opened and Closed in the minute (nat/new_connections_count,
	// nat/closed_connections_count).
	Opened, Closed int
	// PortUsage is the most connections that one endpoint has to one destination
	// address, at the end of the minute (nat/port_usage).
	PortUsage int
	// OutOfResources and IndependenceConflict are the packets dropped in the minute
	// for want of a port, by reason (nat/dropped_sent_packets_count).
	OutOfResources, IndependenceConflict int
	// AllocationFailed tells that at some time in the minute an endpoint had no
	// ports because the gateway could have no further address
	// (nat/nat_allocation_failed).
	AllocationFailed bool
}

// AddressPorts is how many ports of a NAT address are allotted.
type AddressPorts struct {
	IP    string
	Ports int
}

// GatewayStatus is what routers.getRouterStatus tells of a gateway, and what only
// the world knows.
type GatewayStatus struct {
	// Gateway is the index in Config.Gateways.
	Gateway int
	// IPs are the addresses it has (autoAllocatedNatIps or userAllocatedNatIps).
	IPs []string
	// Mapped is how many endpoints have ports (numVmEndpointsWithNatMappings).
	Mapped int
	// MinExtraIPsNeeded is how many further addresses those without ports need
	// (minExtraNatIpsNeeded). Always 0 where addresses are automatic.
	MinExtraIPsNeeded int
	// Waiting is how many endpoints have no ports and wait for some.
	Waiting int
	// Allotted is how many ports are lent, of Capacity.
	Allotted, Capacity int
}

// SubnetStatus is how full a subnet is.
type SubnetStatus struct {
	SubnetKey
	// Usable addresses are those of the range without the four of Google's.
	Usable int
	// Instances, Retained and Machines are addresses in use: by instances that
	// run, by those that ended, by machines.
	Instances, Retained, Machines int
	// Reserved is what Cloud Run has reserved for the first two, in blocks of 16.
	Reserved int
	// Free is what nobody has reserved.
	Free int
}

// Minute tells what each gateway's metrics say at the end of the minute that ends
// with the latest Tick, in the order of Config.Gateways, and begins a new one.
func (n *Network) Minute() []GatewayMinute {
	all := make([]GatewayMinute, len(n.gateways))
	for i, g := range n.gateways {
		all[i] = g.closeMinute(i)
	}
	return all
}

func (g *gateway) closeMinute(index int) GatewayMinute {
	m := GatewayMinute{Gateway: index}
	for _, e := range g.users {
		e.settleAll()
		for i := range e.flows {
			f := &e.flows[i]
			if f.way != translated {
				continue
			}
			m.Open += f.established()
			counted := f.established()
			if g.network.switches.PortUsage == "withTimeWait" {
				counted = f.used()
			}
			m.PortUsage = max(m.PortUsage, e.perMachine(f.taking(counted)))
		}
	}
	for _, ip := range g.ips {
		m.Allocated = append(m.Allocated, AddressPorts{ip.ip, ip.used})
	}
	t := g.minute
	m.Opened, m.Closed, m.AllocationFailed = t.opened, t.closed, t.failed
	m.OutOfResources, m.IndependenceConflict = t.dropped[outOfResources], t.dropped[independenceConflict]
	g.minute = traffic{failed: len(g.waiting) > 0 && len(g.ips) >= g.mostIPs}
	return m
}

// perMachine divides ports among the machines that have some.
func (e *Endpoint) perMachine(ports int) int {
	machines := max(1, e.served)
	return (ports + machines - 1) / machines
}

// Status is how the gateways and subnets are now, in the order of the
// configuration.
func (n *Network) Status() Status {
	var s Status
	for i, g := range n.gateways {
		s.Gateways = append(s.Gateways, g.status(i))
	}
	for _, sub := range n.subnets {
		s.Subnets = append(s.Subnets, sub.status())
	}
	return s
}

// Status is what Network.Status tells.
type Status struct {
	Gateways []GatewayStatus
	Subnets  []SubnetStatus
}
