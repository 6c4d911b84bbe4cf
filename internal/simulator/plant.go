package simulator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/fleet"
	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

// plant is what makes a world physical: its network, its instances and machines.
type plant struct {
	net        *network.Network
	fleet      *fleet.Fleet
	hosts      map[string]network.DestinationID
	spec       *Network
	public     map[string]*fleet.Service // by full name
	connectors map[string]*fleet.Connector
	machines   []*machinery
	balancers  []LoadBalancer
	minutes    []Minute
	gateways   []network.GatewayMinute // of the minute that has just ended
}

// machinery is a group of machines and its users.
type machinery struct {
	Machines
	hosted *fleet.Revision
	dice   dice
	minute Tally
}

// newPlant builds what the scenario's network describes.
func newPlant(sc Scenario) (*plant, error) {
	config := sc.networkConfig()
	net, err := network.New(config)
	if err != nil {
		return nil, err
	}
	t := fleet.Timing{Idle: time.Duration(sc.Timing.IdleRetention), Egress: time.Duration(*sc.Timing.EgressDelay)}
	p := &plant{
		net: net, fleet: fleet.New(net, sc.Start, t, newDice(sc.Seed, "instances").Rand), spec: sc.Network,
		hosts: map[string]network.DestinationID{}, public: map[string]*fleet.Service{}, connectors: map[string]*fleet.Connector{},
		balancers: slices.Clone(sc.Network.LoadBalancers),
	}
	for i, d := range config.Destinations {
		p.hosts[d.Name] = network.DestinationID(i)
	}
	for _, c := range sc.Network.Connectors {
		made, err := p.fleet.NewConnector(sc.Network.subnetwork(c.Subnetwork, "").key(), cmp.Or(c.Machines, defaultMachines))
		if err != nil {
			return nil, fmt.Errorf("network: connector %s: %w", c.Name, err)
		}
		p.connectors[c.Name] = made
	}
	for _, h := range sc.Services {
		full := serviceName{h.Project, h.Location, h.Name}.String()
		p.public[full] = p.fleet.NewService(full)
	}
	for _, m := range sc.Network.Machines {
		if err := p.install(m, sc.Seed); err != nil {
			return nil, fmt.Errorf("network: machines %s: %w", m.Name, err)
		}
	}
	return p, p.checkPaths()
}

// install puts machines into their subnetwork.
func (p *plant) install(m Machines, seed uint64) error {
	spec := fleet.Spec{
		Name: m.Name, Machines: m.Count, Concurrency: 1, Timeout: seconds(cmp.Or(m.Timeout, Duration(300*time.Second))),
		Exit:    fleet.Exit{Egress: network.AllTraffic, Subnet: p.spec.subnetwork(m.Subnetwork, "").key()},
		Latency: seconds(cmp.Or(m.Latency, Duration(defaultLatency))),
	}
	var err error
	if spec.Calls, err = p.calls(m.Calls, ""); err != nil {
		return err
	}
	hosted, err := p.fleet.AddMachines(spec)
	if err != nil {
		return err
	}
	p.machines = append(p.machines, &machinery{Machines: m, hosted: hosted, dice: newDice(seed, "users of machines "+m.Name)})
	return nil
}

// checkPaths refuses paths of load balancers that lead nowhere.
func (p *plant) checkPaths() error {
	for _, b := range p.balancers {
		for _, path := range b.Paths {
			if path.Service != "" && p.service(path.Service) == nil {
				return fmt.Errorf("network: load balancer %s: no service is called %q", b.Name, path.Service)
			}
			if path.Machines != "" && !slices.ContainsFunc(p.machines, func(m *machinery) bool { return m.Name == path.Machines }) {
				return fmt.Errorf("network: load balancer %s: no machines are called %q", b.Name, path.Machines)
			}
		}
	}
	return nil
}

// service finds a service by its full or its short name.
func (p *plant) service(name string) *fleet.Service {
	for _, full := range slices.Sorted(maps.Keys(p.public)) {
		if full == name || shortName(full) == name {
			return p.public[full]
		}
	}
	return nil
}

// calls turns a scenario's calls into the fleet's. Self is the service that makes
// them.
func (p *plant) calls(list []Outgoing, self string) ([]fleet.Call, error) {
	var all []fleet.Call
	for i, c := range list {
		made, err := p.call(c, self)
		if err != nil {
			return nil, fmt.Errorf("calls[%d]: %w", i, err)
		}
		all = append(all, made)
	}
	return all, nil
}

func (p *plant) call(c Outgoing, self string) (fleet.Call, error) {
	made := fleet.Call{
		PerRequest: 1, Timeout: seconds(cmp.Or(c.Timeout, Duration(10*time.Second))), Retries: c.Retries,
		KeepAlive: c.KeepAlive, Pool: c.Pool,
	}
	if c.PerRequest != nil {
		made.PerRequest = *c.PerRequest
	}
	host := c.To
	name, public := strings.CutPrefix(c.To, toService)
	switch {
	case c.To == toLoopback:
		made.Target.Local = true
		return made, nil
	case c.To == toSelf:
		host, made.Target.Service = runApp, p.public[self]
	case public:
		host, made.Target.Service = runApp, p.service(name)
	}
	id, known := p.hosts[host]
	if !known || (host == runApp && made.Target.Service == nil) {
		return made, fmt.Errorf("to: nothing is called %q", c.To)
	}
	d := p.spec.destination(host)
	made.Target.Name, made.Target.Host = host, id
	made.Target.Path, made.Target.Latency = network.Path(cmp.Or(d.Path, "public")), seconds(d.Latency)
	return made, nil
}

func (n *Network) destination(name string) Destination {
	i := slices.IndexFunc(n.Destinations, func(d Destination) bool { return d.Name == name })
	return n.Destinations[i]
}

func seconds(d Duration) float64 { return time.Duration(d).Seconds() }

func (s *Subnet) key() network.SubnetKey {
	return network.SubnetKey{Project: s.Project, Region: s.Region, Name: s.Name}
}

// networkConfig is the network as its package wants it.
func (s *Scenario) networkConfig() network.Config {
	t, sw := s.Timing, s.Switches
	c := network.Config{
		Start: s.Start,
		Switches: network.Switches{
			RetainedAddressPorts: sw.RetainedAddressPorts, InstanceEndpoints: sw.InstanceEndpoints,
			UnservedPackets: sw.UnservedPackets, PortUsage: sw.PortUsage,
		},
		Timing: network.Timing{
			AddressRetention: time.Duration(t.AddressRetention), AutomaticAddress: time.Duration(t.AutomaticAddress),
			Growth: time.Duration(t.PortGrowth),
		},
	}
	for i := range s.Network.Subnetworks {
		n := &s.Network.Subnetworks[i]
		c.Subnets = append(c.Subnets, network.Subnet{
			SubnetKey: n.key(), Network: n.Network, Range: n.Range, PrivateGoogleAccess: n.PrivateGoogleAccess,
		})
	}
	for _, d := range s.Network.Destinations {
		c.Destinations = append(c.Destinations, network.Destination{
			Name: d.Name, Addresses: d.Addresses, Path: network.Path(d.Path), IdleTimeout: time.Duration(d.IdleTimeout),
		})
	}
	for i := range s.Gateways {
		c.Gateways = append(c.Gateways, s.Gateways[i].physical())
	}
	return c
}

// physical is the gateway as the network wants it.
func (g *Gateway) physical() network.Gateway {
	n := network.Gateway{
		Project: g.Project, Region: g.Region, Network: g.Network, Router: g.Router, Name: g.Name, Subnets: g.Subnetworks,
		IPs: g.IPs, PortsPerEndpoint: g.PortsPerEndpoint, EndpointIndependent: g.EndpointIndependent, TimeWait: time.Duration(g.TimeWait),
	}
	if a := g.AutomaticIPs; a != nil {
		n.Automatic = &network.Automatic{Begin: a.Begin, Most: a.Most}
	}
	if d := g.DynamicPorts; d != nil {
		n.Dynamic = &network.Dynamic{Min: d.Min, Max: d.Max}
	}
	return n
}

// exit is what the instances of a template leave through.
func (p *plant) exit(t Template, location string) (fleet.Exit, error) {
	v := t.VPCAccess
	if v == nil || (v.Connector == "" && len(v.NetworkInterfaces) == 0) {
		return fleet.Exit{}, nil
	}
	exit := fleet.Exit{Egress: network.PrivateRangesOnly}
	if v.Egress == "ALL_TRAFFIC" {
		exit.Egress = network.AllTraffic
	}
	if v.Connector != "" {
		if exit.Connector = p.connectors[shortName(v.Connector)]; exit.Connector == nil {
			return exit, fmt.Errorf("VPC connector %s does not exist, or Cloud Run does not have permission to use it", v.Connector)
		}
		return exit, nil
	}
	i := v.NetworkInterfaces[0]
	subnet := p.spec.subnetwork(cmp.Or(i.Subnetwork, i.Network), location)
	if subnet == nil {
		return exit, fmt.Errorf("VPC network %s or subnetwork %s does not exist, or Cloud Run does not have permission to use it", i.Network, i.Subnetwork)
	}
	exit.Subnet = subnet.key()
	return exit, nil
}
