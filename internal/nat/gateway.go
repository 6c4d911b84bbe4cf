package nat

import "time"

const (
	// PortsPerIP is how many source ports an address has for each protocol:
	// 65,536 without the 1,024 well-known ones (docs nat/ports-and-addresses).
	PortsPerIP = 64512
	// staticPorts and dynamicPorts are an endpoint's least number of ports when
	// none is configured (compute v1, RouterNat.minPortsPerVm).
	staticPorts, dynamicPorts = 64, 32
	// mostPorts is the largest number an endpoint can grow to when none is
	// configured (compute v1, RouterNat.maxPortsPerVm).
	mostPorts = 65536
	// timeWait is how long a closed connection keeps its port where the gateway
	// does not say (compute v1, RouterNat.tcpTimeWaitTimeoutSec: 120 s; newer
	// gateways have 30 s and say so in effectiveTcpTimeWaitTimeoutSec).
	timeWait = 120 * time.Second
)

// Gateway is one Cloud NAT gateway as the Compute API and Cloud Monitoring
// describe it. What is negative counts as 0.
type Gateway struct {
	// Name as a person knows it, such as nat-1.
	Name string
	// IPs is the number of addresses that new endpoints can be given ports of:
	// userAllocatedNatIps or autoAllocatedNatIps of the router's status, without
	// those that drain.
	IPs int64
	// Auto tells that the gateway takes further addresses by itself
	// (natIpAllocateOption AUTO_ONLY).
	Auto bool
	// Ports per endpoint, minPortsPerVm: all it gets with static allocation, the
	// least with dynamic. 0: the default, 64 or 32.
	Ports int64
	// Dynamic tells that an endpoint's ports grow with its connections
	// (enableDynamicPortAllocation), up to MostPorts, maxPortsPerVm. 0: 65,536.
	Dynamic   bool
	MostPorts int64
	// Endpoints is the number of endpoints that have ports now
	// (numVmEndpointsWithNatMappings).
	Endpoints int64
	// Allocated is the sum of the newest allocated_ports over all addresses. 0:
	// not known, or an idle gateway.
	Allocated int64
	// Reserved are ports that other rollouts behind this gateway may still take:
	// the sum over their hot claims.
	Reserved int64
	// ExtraIPs is how many addresses the gateway lacks already
	// (minExtraNatIpsNeeded); meaningless with Auto.
	ExtraIPs int64
	// Rules is how many NAT rules there are. They have addresses of their own for
	// some destinations (RouterNat.rules), which IPs may or may not count.
	Rules int64
	// TimeWait is how long a closed connection keeps its port
	// (effectiveTcpTimeWaitTimeoutSec). 0: 120 s.
	TimeWait time.Duration
	// EndpointIndependent mapping: a port serves one destination after another
	// only if no other endpoint of that destination collides
	// (enableEndpointIndependentMapping).
	EndpointIndependent bool
	// Logging of dropped connections (logConfig.enable, and a filter that does
	// not exclude errors).
	Logging bool
}

// Capacity is what a gateway holds with the addresses that it has.
type Capacity struct {
	Endpoints int64
	Ports     int64
}

// PortsEach is how many ports a new endpoint gets: the configured number
// rounded up to a power of two (docs nat/ports-and-addresses).
func (g Gateway) PortsEach() int64 {
	ports := g.Ports
	if ports <= 0 {
		ports = staticPorts
		if g.Dynamic {
			ports = dynamicPorts
		}
	}
	return powerOfTwo(ports)
}

// MostPortsEach is how many ports an endpoint can have at most.
func (g Gateway) MostPortsEach() int64 {
	if !g.Dynamic {
		return g.PortsEach()
	}
	most := g.MostPorts
	if most <= 0 {
		most = mostPorts
	}
	return max(powerOfTwo(most), g.PortsEach())
}

// Capacity is IPs × floor(64,512 / ports per endpoint) endpoints, each with the
// ports that a new one gets (compute v1, RouterNat.minPortsPerVm), and IPs ×
// 64,512 ports. An endpoint that wants more than an address has takes two.
func (g Gateway) Capacity() Capacity {
	ips, each := count(g.IPs), g.PortsEach()
	capacity := Capacity{Endpoints: ips * (PortsPerIP / each), Ports: ips * PortsPerIP}
	if each > PortsPerIP {
		capacity.Endpoints = ips / ceilDiv(each, PortsPerIP)
	}
	return capacity
}

// Taken is how many endpoints' ports are taken now: the larger of what the
// router's status and Monitoring say, because both can be behind. With dynamic
// allocation an endpoint that has grown counts as often as it has taken the
// least number of ports.
func (g Gateway) Taken() int64 {
	return max(count(g.Endpoints), ceilDiv(count(g.Allocated), g.PortsEach()))
}

// With is the gateway with so many instances more or, below zero, fewer: each endpoint takes
// what a new one is foreseen to, and gives back what one has on average.
func (g Gateway) With(instances int64, f Fleet, p Policy) Gateway {
	p = p.usable()
	endpoints := instances * p.EndpointsPerInstance
	there, taken := g.there(f, p), g.Taken()
	if !g.Dynamic || g.Allocated <= 0 || there == 0 {
		g.Endpoints, g.Allocated = max(0, taken+endpoints), 0
		return g
	}
	each := g.grown(f, p) * g.PortsEach()
	if endpoints < 0 {
		each = min(g.Allocated/there, g.MostPortsEach())
	}
	g.Endpoints, g.Allocated = max(0, there+endpoints), max(0, g.Allocated+endpoints*each)
	return g
}

// there is how many endpoints there are: at least those of our own instances, whether the
// router's status counts them or not.
func (g Gateway) there(f Fleet, p Policy) int64 {
	return max(count(g.Endpoints), (count(f.Stable)+count(f.Candidate))*p.EndpointsPerInstance)
}

// grown is how many times the least number of ports a new endpoint is foreseen to have:
// what those that there are have on average, because a candidate serves the traffic that
// stable does. An average of powers of two need not be one.
func (g Gateway) grown(f Fleet, p Policy) int64 {
	endpoints := g.there(f, p)
	if !g.Dynamic || endpoints == 0 {
		return 1
	}
	average := min(ceilDiv(count(g.Allocated), endpoints), g.MostPortsEach())
	return max(1, ceilDiv(average, g.PortsEach()))
}

// ConnectRate is how many connections a second an endpoint can open to one
// destination for long: a closed connection keeps its port for TimeWait, and a
// port serves a destination once (docs nat/troubleshooting).
func (g Gateway) ConnectRate() float64 {
	return float64(g.MostPortsEach()) / g.timeWait().Seconds()
}

func (g Gateway) timeWait() time.Duration {
	if g.TimeWait <= 0 {
		return timeWait
	}
	return g.TimeWait
}

// lacksIPs tells whether the gateway cannot carry even what it has.
func (g Gateway) lacksIPs() bool { return g.ExtraIPs > 0 && !g.Auto }

// most bounds every number that is counted, so that no product overflows.
const most = 1 << 31

// count is a number of things that can be counted: not negative, not absurd.
func count(n int64) int64 { return min(max(n, 0), most) }

// ceilDiv divides and rounds up.
func ceilDiv(a, b int64) int64 {
	if a <= 0 {
		return 0
	}
	return (a-1)/b + 1
}

// powerOfTwo is the least power of two not below n, at most 65,536.
func powerOfTwo(n int64) int64 {
	p := int64(1)
	for p < n && p < mostPorts {
		p *= 2
	}
	return p
}
