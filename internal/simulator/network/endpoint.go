package network

import (
	"cmp"
	"fmt"
	"slices"
)

// Endpoint is what connections go out from: an instance's own, a machine's, or
// the shared one of several machines.
type Endpoint struct {
	network  *Network
	subnet   *subnet
	gateway  *gateway // nil: no NAT
	machines int      // that share the connections evenly; 1 for an instance
	instance bool
	detached bool
	ports    int        // that its connections can use, of all its mappings
	served   int        // machines that have ports
	peak     int        // most ports taken for one destination since the last look
	growing  bool       // more ports are on their way
	mappings []*mapping // NAT endpoints
	flows    []flow     // by DestinationID
}

// AttachInstance gives an instance with Direct VPC egress its two addresses and
// its NAT ports. If the gateway has no ports left, the endpoint waits for them:
// it exists, but its connections fail. If the subnet has no address left, the
// error is [ErrNoAddress] and the instance cannot start.
func (n *Network) AttachInstance(key SubnetKey, egress Egress) (*Endpoint, error) {
	s, err := n.subnet(key)
	if err != nil {
		return nil, err
	}
	if egress = cmp.Or(egress, PrivateRangesOnly); egress != AllTraffic && egress != PrivateRangesOnly {
		return nil, fmt.Errorf("egress: %q is neither %s nor %s", egress, AllTraffic, PrivateRangesOnly)
	}
	if err := s.takeForInstance(); err != nil {
		return nil, err
	}
	e := n.newEndpoint(s, egress)
	e.instance, e.machines = true, 1
	e.addMapping(e)
	if n.switches.InstanceEndpoints == "two" {
		e.addMapping(nil)
	}
	return e, nil
}

// AttachMachines gives machines one address and the ports of one NAT endpoint
// each. Their connections are counted together, as if spread evenly: one machine
// is a VM, a few are a Serverless VPC Access connector, whose endpoint the
// instances of many services share. With two machines or more a destination is
// refused only when all their ports are used for it.
func (n *Network) AttachMachines(key SubnetKey, count int) (*Endpoint, error) {
	s, err := n.subnet(key)
	if err != nil {
		return nil, err
	}
	if count < 1 {
		return nil, fmt.Errorf("machines: %d is less than one", count)
	}
	if err := s.takeForMachines(count); err != nil {
		return nil, err
	}
	e := n.newEndpoint(s, AllTraffic)
	e.machines = count
	for range count {
		e.addMapping(e)
	}
	return e, nil
}

func (n *Network) subnet(key SubnetKey) (*subnet, error) {
	for _, s := range n.subnets {
		if s.SubnetKey == key {
			return s, nil
		}
	}
	return nil, fmt.Errorf("no subnet is called %s in project %s and region %s", key.Name, key.Project, key.Region)
}

func (n *Network) newEndpoint(s *subnet, egress Egress) *Endpoint {
	e := &Endpoint{network: n, subnet: s, gateway: s.gateway, flows: make([]flow, len(n.destinations))}
	for i := range n.destinations {
		d := &n.destinations[i]
		e.flows[i] = flow{destination: d, way: s.way(d.path, egress), settled: n.now}
	}
	if e.gateway != nil {
		e.gateway.users = append(e.gateway.users, e)
	}
	return e
}

// addMapping asks the gateway for the ports of one NAT endpoint.
func (e *Endpoint) addMapping(sender *Endpoint) {
	if e.gateway == nil {
		return
	}
	m := &mapping{gateway: e.gateway, sender: sender}
	e.mappings = append(e.mappings, m)
	e.gateway.claim(m)
}

// Detach ends the endpoint. Its connections close, and it opens no more. A
// machine's addresses and ports are free at once; an instance's addresses are
// retained, and so are its ports, unless the switch RetainedAddressPorts says
// freed. Whoever waits gets the ports that become free.
func (e *Endpoint) Detach() {
	if e.detached {
		return
	}
	e.settleAll()
	for i := range e.flows {
		e.flows[i].finish(e)
	}
	e.detached = true
	if e.gateway != nil {
		e.gateway.users = slices.DeleteFunc(e.gateway.users, func(other *Endpoint) bool { return other == e })
	}
	e.leave()
	e.ports, e.served, e.mappings = 0, 0, nil
}

// leave gives back addresses and ports, or has them retained.
func (e *Endpoint) leave() {
	n, kept := e.network, retention{subnet: e.subnet}
	held := e.instance && n.switches.RetainedAddressPorts == "held"
	for _, m := range e.mappings {
		m.sender = nil
		if held && m.ports > 0 {
			kept.mappings = append(kept.mappings, m)
		} else {
			m.release()
		}
	}
	if !e.instance {
		e.subnet.machines -= e.machines
		return
	}
	e.subnet.instances -= perInstance
	e.subnet.retained += perInstance
	kept.until = n.now + n.timing.retention
	n.retained = append(n.retained, kept)
}

// Ports is how many NAT ports the endpoint's connections can use.
func (e *Endpoint) Ports() int { return e.ports }

// Waiting tells whether a NAT gateway covers the endpoint and has no ports for it.
func (e *Endpoint) Waiting() bool { return e.gateway != nil && !e.detached && e.ports == 0 }
