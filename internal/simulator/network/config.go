package network

import (
	"net/netip"
	"time"
)

// Config is what exists when the world begins.
type Config struct {
	// Start is the second from which the network counts time.
	Start        time.Time
	Subnets      []Subnet
	Gateways     []Gateway
	Destinations []Destination
	Switches     Switches
	Timing       Timing
}

// SubnetKey names a subnet.
type SubnetKey struct {
	// Project owns the network. With a shared VPC it is the host project.
	Project, Region, Name string
}

// Subnet is a range of addresses in one region of a VPC network.
type Subnet struct {
	SubnetKey
	// Network is the VPC network's name in the same project.
	Network string
	// Range is /26 or larger, or the /28 of a connector.
	Range netip.Prefix
	// PrivateGoogleAccess lets endpoints reach Google APIs without NAT
	// [docs run/configuring/networking-best-practices].
	PrivateGoogleAccess bool
}

// Gateway is a Cloud NAT gateway.
type Gateway struct {
	Project, Region, Network, Router, Name string
	// Subnets are the names of the subnets that it covers. Empty: all of the
	// network in its region, and then no other gateway may be there
	// [disc compute: sourceSubnetworkIpRangesToNat].
	Subnets []string
	// IPs are its addresses if they are assigned by hand. Exactly one of IPs and
	// Automatic is set.
	IPs       []string
	Automatic *Automatic
	// PortsPerEndpoint is how many ports each endpoint gets where they are static.
	// Default 64; rounded up to a power of two [disc compute: minPortsPerVm].
	PortsPerEndpoint int
	// Dynamic makes the number of ports follow what an endpoint uses. It excludes
	// PortsPerEndpoint and EndpointIndependent.
	Dynamic *Dynamic
	// EndpointIndependent maps a source address and port to the same NAT address
	// and port whatever the destination, so that a port is never shared between
	// destinations [disc compute: enableEndpointIndependentMapping].
	EndpointIndependent bool
	// TimeWait is how long the port of a closed connection cannot be used again
	// for its destination. Default 120s; new gateways have 30s
	// [disc compute: effectiveTcpTimeWaitTimeoutSec].
	TimeWait time.Duration
}

// Automatic says that a gateway adds and removes addresses by itself.
type Automatic struct {
	// Begin is how many addresses it has at the start and never goes below.
	// Default 1.
	Begin int
	// Most is how many it can have: the hard limit on NAT addresses.
	Most int
}

// Dynamic are the bounds of dynamic port allocation, powers of two.
type Dynamic struct {
	// Min is what an endpoint begins with. Default 32, and not less.
	Min int
	// Max is more than Min. Default 65536; above 64 where Min is not set.
	Max int
}

// Destination is a host that connections go to.
type Destination struct {
	Name string
	// Addresses is the number of distinct IP:port pairs that connections spread
	// over evenly. Default 1.
	Addresses int
	// Path is public unless said otherwise.
	Path Path
	// IdleTimeout is how long a connection stays in the application's pool without
	// a request, whoever gives it up. Default and most: 1200s, the timeout of an
	// established connection [disc compute: tcpEstablishedIdleTimeoutSec]. That
	// TIME_WAIT follows then, too, is unverified.
	IdleTimeout time.Duration
}

// Path is the way to a destination.
type Path string

const (
	// PathPublic leads to a public address, through NAT.
	PathPublic Path = "public"
	// PathPrivate stays in the VPC network and needs no NAT.
	PathPrivate Path = "private"
	// PathGoogle leads to a Google API: without NAT where the subnet has Private
	// Google Access, else like a public one.
	PathGoogle Path = "google"
)

// Egress is what a Cloud Run revision sends through the VPC network
// [disc run: vpcAccess.egress]. Empty is PRIVATE_RANGES_ONLY, as there.
type Egress string

const (
	// AllTraffic sends everything through the VPC network.
	AllTraffic Egress = "ALL_TRAFFIC"
	// PrivateRangesOnly sends only what goes to private ranges through it. Public
	// destinations and Google APIs are reached from Cloud Run itself, without NAT.
	// The endpoint gets its NAT ports nevertheless: the gateway covers the subnet,
	// and knows nothing of the setting. That is unverified; the advice to keep NAT
	// away from such subnets [docs run/configuring/networking-best-practices]
	// suggests it.
	PrivateRangesOnly Egress = "PRIVATE_RANGES_ONLY"
)

// Switches are behaviours that nobody has verified. An empty field takes the
// first of its values.
type Switches struct {
	// RetainedAddressPorts: held | freed. Whether the addresses that Cloud Run
	// keeps after an instance ended go on holding their NAT ports.
	RetainedAddressPorts string
	// InstanceEndpoints: one | two. How many of an instance's two addresses are
	// NAT endpoints with ports. It sends from the first only.
	InstanceEndpoints string
	// UnservedPackets: counted | silent. Whether packets of an endpoint that has
	// no ports at all are in dropped_sent_packets_count, as OUT_OF_RESOURCES.
	UnservedPackets string
	// PortUsage: withTimeWait | established. Whether nat/port_usage counts the
	// ports in TIME_WAIT.
	PortUsage string
}

// Timing are amounts of time. All but AddressRetention are unverified.
type Timing struct {
	// AddressRetention is how long Cloud Run keeps the addresses of an instance
	// that ended. Default 20m ("up to 20 minutes" [docs
	// run/configuring/vpc-direct-vpc]); that it is always the whole is unverified.
	AddressRetention time.Duration
	// AutomaticAddress is how long a gateway takes to add an address, and how long
	// one without used ports stays. Default 10s.
	AutomaticAddress time.Duration
	// Growth is how long dynamic allocation takes to double an endpoint's ports.
	// Default 5s.
	Growth time.Duration
	// Shrink is how often it looks for ports to take back. Default 5m.
	Shrink time.Duration
}
