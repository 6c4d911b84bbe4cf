package network

// Dynamic port allocation: "Detects when a VM is close to being out of ports, and
// doubles"; there may be "dropped packets while the number of allocated ports is
// increasing" [docs nat/troubleshooting]. How close is close, how long it takes
// and when ports are taken back are unverified.

// growth is an endpoint whose ports are to be doubled.
type growth struct {
	endpoint *Endpoint
	at       int32
}

// near tells whether a flow uses three quarters of its ports or more.
func (e *Endpoint) near(f *flow) bool { return 4*f.used() >= 3*e.ports*f.destination.addresses }

// notice looks at a flow to which connections were added, and orders more ports
// where it comes near the limit.
func (e *Endpoint) notice(f *flow) {
	g := e.gateway
	if g.spec.Dynamic == nil {
		return
	}
	e.peak = max(e.peak, f.taking(f.used()))
	if !e.growing && e.ports < g.most*e.served && e.near(f) {
		e.growing = true
		g.growing = append(g.growing, &growth{e, g.network.now + g.network.timing.growth})
	}
}

// taking is how many ports so many connections take, since one port serves every
// address of the destination.
func (f *flow) taking(connections int) int {
	return (connections + f.destination.addresses - 1) / f.destination.addresses
}

// grow doubles what is due, oldest first. Who finds no room stays, and tries
// again each second for as long as it is near its limit.
func (g *gateway) grow() {
	stay := g.growing[:0]
	for _, w := range g.growing {
		if w.at <= g.network.now && (!w.endpoint.short() || w.endpoint.double()) {
			w.endpoint.growing = false
			continue
		}
		stay = append(stay, w)
	}
	clear(g.growing[len(stay):])
	g.growing = stay
}

// short tells whether an endpoint is still near its limit.
func (e *Endpoint) short() bool {
	e.settleAll()
	for i := range e.flows {
		if f := &e.flows[i]; f.way == translated && e.near(f) {
			return true
		}
	}
	return false
}

// double gives every machine as many ports again as it has; what an earlier
// attempt has doubled already is left alone. Who waits for first ports comes
// before who wants more: while one waits, there is no room for a larger block.
func (e *Endpoint) double() bool {
	fewest := e.gateway.most
	for _, m := range e.mappings {
		if m.sender != nil && m.ports > 0 {
			fewest = min(fewest, m.ports)
		}
	}
	for _, m := range e.mappings {
		if m.sender != nil && m.ports == fewest && !m.extend(fewest) {
			e.gateway.needAddress()
			return false
		}
	}
	return true
}

// shrink now and then halves the ports of endpoints that used a quarter of them
// or less since it last looked. What is in use always fits into the rest.
func (g *gateway) shrink() {
	if g.network.now < g.shrinkAt {
		return
	}
	g.shrinkAt = g.network.now + g.network.timing.shrink
	for _, e := range g.users {
		e.settleAll()
		now := 0
		for i := range e.flows {
			if f := &e.flows[i]; f.way == translated {
				now = max(now, f.taking(f.used()))
			}
		}
		if peak := max(e.peak, now); 4*peak <= e.ports {
			e.halve()
		}
		e.peak = now
	}
	g.serve()
}

// halve takes back the latest block of each machine, which is half of its ports.
func (e *Endpoint) halve() {
	for _, m := range e.mappings {
		if m.sender != nil && len(m.blocks) > 1 {
			m.giveBack()
		}
	}
}
