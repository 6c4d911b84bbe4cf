// Package network is the way out of the simulated world: subnets that give
// addresses to instances and machines, Cloud NAT gateways that lend them ports,
// and the connections that use the ports up.
//
// Like the world around it, it is one single-threaded state machine without
// sockets, goroutines, chance or a clock of its own. Time passes in whole seconds
// through [Network.Tick]. Within a second the owner attaches and detaches
// endpoints and opens and closes connections; a call takes effect at the second
// of the latest Tick, and nothing depends on the order of a map.
//
//	for each second:
//	    n.Tick(now)
//	    AttachInstance, Detach, Open, Keep, Close, Dropped, in the owner's order
//	    at a full minute: n.Minute()
//
// Connections are counts, not objects. An endpoint has, for each destination,
// connections that carry requests, connections that idle in the pool of the
// application, and connections that are over but whose ports wait out TIME_WAIT.
// A port of a NAT address can serve one connection to each destination address
// at a time (the 3-tuple of address, port and protocol), so that a flow has room
// for ports x addresses of them [docs nat/ports-and-addresses]. From that alone
// follows that 64 ports and a TIME_WAIT of 120 s sustain 64/120 = 0.53 new
// connections a second to one destination.
//
// All connections are TCP. UDP has ports of its own and is not simulated.
//
// # Sources
//
// Comments cite them in brackets. "disc" is the discovery document of the Compute
// API v1, revision 20261026, or of the Cloud Run Admin API v2, revision 20261023;
// "docs" are pages of the documentation of Cloud NAT (nat/...) and Cloud Run
// (run/...). What is marked unverified nobody has compared with the real service;
// where two answers are plausible it is a field of [Switches], where it is an
// amount of time a field of [Timing].
package network
