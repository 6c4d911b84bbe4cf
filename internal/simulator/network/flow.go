package network

import "math"

// way is how packets of a flow leave.
type way uint8

const (
	// nowhere: the subnet has no NAT, and a packet to a public address is lost.
	nowhere way = iota
	// direct: without NAT, and without a limit on ports.
	direct
	// translated: through the gateway.
	translated
)

// refusal is why the gateway drops the first packet of a connection.
type refusal uint8

const (
	outOfResources refusal = iota
	independenceConflict
)

// way is how packets to a destination leave the subnet.
func (s *subnet) way(path Path, egress Egress) way {
	switch {
	case path == PathPrivate, egress == PrivateRangesOnly, path == PathGoogle && s.PrivateGoogleAccess:
		return direct
	case s.gateway == nil:
		return nowhere
	default:
		return translated
	}
}

// flow is all connections of one endpoint to one destination.
type flow struct {
	destination *destination
	way         way
	refused     refusal // why the latest connection was refused
	settled     int32   // the second up to which waits are worked out
	busy        int     // connections that carry requests
	idle        batches // in the pool, by the second in which they went there
	waits       batches // in TIME_WAIT, by the second in which they closed
}

// established is how many connections are open.
func (f *flow) established() int { return f.busy + f.idle.total }

// used is how many ports of the destination's are taken.
func (f *flow) used() int { return f.established() + f.waits.total }

// settle lets pass what time does to a flow. It is done only when somebody looks
// at the flow, so that a flow without traffic costs nothing.
func (f *flow) settle(e *Endpoint) {
	now := e.network.now
	if f.settled == now {
		return
	}
	f.settled = now
	for {
		b, ok := f.idle.takeUntil(now - f.destination.idleTimeout)
		if !ok {
			break
		}
		f.end(e, b.at+f.destination.idleTimeout, int(b.n))
	}
	if f.way != translated {
		return
	}
	for last := now - e.gateway.timeWait; ; {
		if _, ok := f.waits.takeUntil(last); !ok {
			return
		}
	}
}

// end counts connections as closed at a second, from which TIME_WAIT runs.
func (f *flow) end(e *Endpoint, at int32, n int) {
	if f.way == translated {
		e.gateway.minute.closed += n
		f.waits.push(at, n)
	}
}

// finish closes everything without TIME_WAIT, because the ports go too.
func (f *flow) finish(e *Endpoint) {
	if f.way == translated {
		e.gateway.minute.closed += f.established()
	}
	f.busy = 0
	f.idle.clear()
	f.waits.clear()
}

func (e *Endpoint) settleAll() {
	for i := range e.flows {
		e.flows[i].settle(e)
	}
}

// Open asks for connections to a destination and returns how many there are:
// idle ones of the pool first, the latest used before the others, as pools do,
// then new ones as long as there are ports. The rest found no port; how many
// packets that costs is for the caller to know and to tell [Endpoint.Dropped].
func (e *Endpoint) Open(d DestinationID, want int) int {
	if e.detached || want <= 0 {
		return 0
	}
	f := &e.flows[d]
	f.settle(e)
	got := f.idle.takeNewest(want)
	f.busy += got
	if got < want {
		got += e.dial(f, want-got)
	}
	return got
}

// dial opens new connections.
func (e *Endpoint) dial(f *flow, want int) int {
	got := min(want, e.room(f))
	f.busy += got
	if f.way == translated {
		e.gateway.minute.opened += got
		e.notice(f)
	}
	return got
}

// room is how many connections can be opened, and notes why no more. Connections
// spread evenly over the destination's addresses, for each of which every port is
// good once. With endpoint-independent mapping a port is good once for all
// destinations together.
func (e *Endpoint) room(f *flow) int {
	switch f.way {
	case direct:
		return math.MaxInt
	case nowhere:
		return 0
	case translated:
	}
	room := max(0, e.ports*f.destination.addresses-f.used())
	f.refused = outOfResources
	if !e.gateway.spec.EndpointIndependent {
		return room
	}
	left := e.ports
	for i := range e.flows {
		if other := &e.flows[i]; other.way == translated {
			other.settle(e)
			left -= other.used()
		}
	}
	if left < room {
		room, f.refused = max(0, left), independenceConflict
	}
	return room
}

// Keep puts connections that have done their work into the pool. Of more than
// carry requests it takes those.
func (e *Endpoint) Keep(d DestinationID, n int) {
	f := &e.flows[d]
	f.settle(e)
	n = min(n, f.busy)
	f.busy -= max(0, n)
	f.idle.push(e.network.now, n)
}

// Close ends connections. Their ports are in TIME_WAIT. Of more than carry
// requests it takes those.
func (e *Endpoint) Close(d DestinationID, n int) {
	f := &e.flows[d]
	f.settle(e)
	if n = min(n, f.busy); n > 0 {
		f.busy -= n
		f.end(e, e.network.now, n)
	}
}

// Dropped notes packets of connections that found no port: the SYN and every
// repetition of it. Where no gateway covers the endpoint there is nobody to count.
func (e *Endpoint) Dropped(d DestinationID, packets int) {
	f := &e.flows[d]
	if e.detached || packets <= 0 || f.way != translated {
		return
	}
	if e.ports == 0 && e.network.switches.UnservedPackets == "silent" {
		return
	}
	e.gateway.minute.dropped[f.refused] += packets
}

// Connections are the connections of an endpoint to a destination.
type Connections struct {
	// Busy ones carry requests, Idle ones are in the pool, TimeWait ones are closed
	// but still take a port.
	Busy, Idle, TimeWait int
}

// Connections tells how many there are.
func (e *Endpoint) Connections(d DestinationID) Connections {
	f := &e.flows[d]
	f.settle(e)
	return Connections{Busy: f.busy, Idle: f.idle.total, TimeWait: f.waits.total}
}

// Reaches tells whether packets to a destination have a way at all. They have
// none from a subnet without NAT to a public address; a gateway that is out of
// ports is still a way.
func (e *Endpoint) Reaches(d DestinationID) bool { return !e.detached && e.flows[d].way != nowhere }
