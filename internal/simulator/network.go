package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Network is what lies between services, machines and the hosts that they call. In
// a scenario that has one, everything lives physically: instances, connections and
// ports are simulated one by one, and what gateways report follows from them.
type Network struct {
	Subnetworks  []Subnet      `json:"subnetworks,omitempty"`
	Destinations []Destination `json:"destinations,omitempty"`
	// Machines are the old system: virtual machines that run for ever.
	Machines      []Machines     `json:"machines,omitempty"`
	Connectors    []Connector    `json:"connectors,omitempty"`
	LoadBalancers []LoadBalancer `json:"loadBalancers,omitempty"`
	// InstanceQuota is how many instances of a revision can have Direct VPC egress.
	// Default 100, the least that the documentation names.
	InstanceQuota int `json:"instanceQuota,omitempty"`
}

// Subnet is a range of addresses in one region of a VPC network.
type Subnet struct {
	// Project owns the network, with a shared VPC the host project.
	Project string `json:"project"`
	Region  string `json:"region"`
	Name    string `json:"name"`
	// Network is the VPC network. Default: default.
	Network string `json:"network,omitempty"`
	// Range is written like 10.8.0.0/26.
	Range netip.Prefix `json:"range"`
	// PrivateGoogleAccess lets Google's addresses be reached without NAT.
	PrivateGoogleAccess bool `json:"privateGoogleAccess,omitempty"`
}

// Destination is a host that is called.
type Destination struct {
	Name string `json:"name"`
	// Latency is how long it takes to answer.
	Latency Duration `json:"latency,omitempty"`
	// Addresses is how many it has. Default 1.
	Addresses int `json:"addresses,omitempty"`
	// Path is the way to it: public (the default), private or google.
	Path string `json:"path,omitempty"`
	// IdleTimeout is how long a kept connection stays open without a call. Default 20m.
	IdleTimeout Duration `json:"idleTimeout,omitempty"`
}

// Machines are a number of virtual machines that answer requests.
type Machines struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
	// Subnetwork, Project and Region say where they are.
	Subnetwork string `json:"subnetwork"`
	// Users send requests to them directly; load balancers do, too.
	Users Users `json:"users,omitzero"`
	// Latency is their own work for a request. Default 200ms.
	Latency Duration `json:"latency,omitempty"`
	// Timeout is how long a request may take. Default 300s.
	Timeout Duration   `json:"timeout,omitempty"`
	Calls   []Outgoing `json:"calls,omitempty"`
}

// Connector is a Serverless VPC Access connector.
type Connector struct {
	// Project owns it. Default: the subnetwork's.
	Project    string `json:"project,omitempty"`
	Name       string `json:"name"`
	Subnetwork string `json:"subnetwork"`
	// Hidden says that the subnetwork was made for its range: the API tells the range
	// and the network in place of the subnetwork.
	Hidden bool `json:"hidden,omitempty"`
	// Machines is how many it has. Default 2.
	Machines int `json:"machines,omitempty"`
}

// defaultMachines is how many a connector has, unless it says otherwise.
const defaultMachines = 2

// LoadBalancer splits the requests of its users by path.
type LoadBalancer struct {
	Name  string   `json:"name"`
	Users Users    `json:"users,omitzero"`
	Paths []LBPath `json:"paths"`
}

// LBPath is one part of the requests, which goes to a service or to machines.
type LBPath struct {
	// Share is in percent.
	Share    float64 `json:"share"`
	Service  string  `json:"service,omitempty"`
	Machines string  `json:"machines,omitempty"`
}

// Outgoing is something that an application calls for its requests.
type Outgoing struct {
	// To is the name of a destination; or self, or service:NAME, by its public URL;
	// or loopback, the application itself at 127.0.0.1.
	To string `json:"to"`
	// PerRequest is how often, on average. Default 1.
	PerRequest *float64 `json:"perRequest,omitempty"`
	// Timeout is how long the client waits for a connection before it says "fetch
	// failed". Default 10s, as undici's connect timeout.
	Timeout Duration `json:"timeout,omitempty"`
	// Retries is how often it then begins again.
	Retries int `json:"retries,omitempty"`
	// KeepAlive keeps connections for later calls, at most Pool if that is set.
	KeepAlive bool `json:"keepAlive,omitempty"`
	Pool      int  `json:"pool,omitempty"`
}

// StartupCall are connections that an instance opens when it starts.
type StartupCall struct {
	Outgoing
	// Connections is how many. Default 1.
	Connections int `json:"connections,omitempty"`
	// Required makes the container listen only when they are open, and exit when a
	// service refuses the call.
	Required bool `json:"required,omitempty"`
}

// Assets are the files that belong to a page.
type Assets struct {
	// PerPage is how many the browser asks for. They are named after the build: a
	// revision of another image answers 404.
	PerPage int `json:"perPage"`
	// DeploymentID lets every revision serve the files of every build.
	DeploymentID bool `json:"deploymentId,omitempty"`
}

// DynamicPorts are the bounds of dynamic port allocation.
type DynamicPorts struct {
	Min int `json:"min,omitempty"`
	Max int `json:"max,omitempty"`
}

// AutomaticIPs says that a gateway adds and removes addresses by itself.
type AutomaticIPs struct {
	Begin int `json:"begin,omitempty"`
	Most  int `json:"most"`
}

// Where calls lead that go to no destination.
const (
	toSelf     = "self"
	toLoopback = "loopback"
	toService  = "service:"
)

// runApp is the destination that all public URLs of Cloud Run share. A scenario may
// describe it itself.
const runApp = "run.app"

func (n *Network) complete() error {
	if n.InstanceQuota == 0 {
		n.InstanceQuota = 100
	}
	n.Subnetworks = slices.Clone(n.Subnetworks)
	for i := range n.Subnetworks {
		n.Subnetworks[i].Network = cmp.Or(n.Subnetworks[i].Network, "default")
	}
	known := false
	for _, d := range n.Destinations {
		known = known || d.Name == runApp
		if d.Name == toSelf || d.Name == toLoopback {
			return fmt.Errorf("destinations: %s means something else", d.Name)
		}
	}
	if !known {
		n.Destinations = append(slices.Clip(n.Destinations),
			Destination{Name: runApp, Path: "google", IdleTimeout: Duration(4 * time.Second)})
	}
	return n.checkParts()
}

func (n *Network) checkParts() error {
	for i, m := range n.Machines {
		if err := n.checkMachines(m); err != nil {
			return fmt.Errorf("machines[%d]: %w", i, err)
		}
	}
	for i, c := range n.Connectors {
		subnet := n.subnetwork(c.Subnetwork, "")
		if subnet == nil {
			return fmt.Errorf("connectors[%d]: subnetwork %q does not exist", i, c.Subnetwork)
		}
		if c.Hidden && c.Project != "" && c.Project != subnet.Project {
			return fmt.Errorf("connectors[%d]: a hidden subnetwork is of the connector's own project", i)
		}
	}
	for i, b := range n.LoadBalancers {
		if err := b.check(); err != nil {
			return fmt.Errorf("loadBalancers[%d]: %w", i, err)
		}
	}
	return nil
}

func (n *Network) checkMachines(m Machines) error {
	if m.Name == "" || m.Count < 1 {
		return errors.New("name and count are required")
	}
	if n.subnetwork(m.Subnetwork, "") == nil {
		return fmt.Errorf("subnetwork %q does not exist", m.Subnetwork)
	}
	return checkCalls(m.Calls)
}

func (b LoadBalancer) check() error {
	sum := 0.0
	for _, p := range b.Paths {
		if (p.Service == "") == (p.Machines == "") {
			return errors.New("a path leads either to a service or to machines")
		}
		sum += p.Share
	}
	if sum < 99.999 || sum > 100.001 {
		return fmt.Errorf("shares sum to %v, want 100", sum)
	}
	return nil
}

// subnetwork finds a subnetwork by its name, in a region if one is given.
func (n *Network) subnetwork(name, region string) *Subnet {
	for i := range n.Subnetworks {
		if s := &n.Subnetworks[i]; s.Name == shortName(name) && (region == "" || s.Region == region) {
			return s
		}
	}
	return nil
}

func checkCalls(calls []Outgoing) error {
	for i, c := range calls {
		if err := c.check(); err != nil {
			return fmt.Errorf("calls[%d]: %w", i, err)
		}
	}
	return nil
}

func (c Outgoing) check() error {
	switch {
	case c.To == "":
		return errors.New("to is required")
	case c.PerRequest != nil && (*c.PerRequest < 0 || *c.PerRequest > 20):
		return fmt.Errorf("perRequest %v is not between 0 and 20", *c.PerRequest)
	case c.Timeout != 0 && c.Timeout < Duration(time.Second):
		return fmt.Errorf("timeout %v is below 1s", time.Duration(c.Timeout))
	case c.Retries < 0 || c.Pool < 0:
		return errors.New("retries and pool are not negative")
	case c.Pool > 0 && !c.KeepAlive:
		return errors.New("pool needs keepAlive")
	}
	return nil
}

// checkPhysics refuses what is written down where it follows from physics, and what
// needs physics where there is none.
func (s *Scenario) checkPhysics() error {
	if s.Network != nil {
		own := *s.Network
		s.Network = &own
		if err := s.Network.complete(); err != nil {
			return fmt.Errorf("network: %w", err)
		}
	}
	for i, g := range s.Gateways {
		if s.Network != nil && (g.AllocatedPorts != 0 || g.OpenConnections != 0 || len(g.Drops) > 0 || len(g.AllocationFailures) > 0) {
			return fmt.Errorf("gateways[%d]: with a network, allocatedPorts, openConnections, drops and allocationFailures "+
				"follow from it: leave them out", i)
		}
	}
	for i, h := range s.Services {
		for _, b := range h.behaviours() {
			if err := s.checkBehaviour(b); err != nil {
				return fmt.Errorf("services[%d]: %w", i, err)
			}
		}
	}
	return nil
}

// behaviours are all that a service's revisions can have.
func (h Hosted) behaviours() []*Behaviour {
	var all []*Behaviour
	for _, d := range h.Revisions {
		all = append(all, d.Behaviour)
	}
	for _, b := range h.Images {
		all = append(all, &b)
	}
	return all
}

func (s *Scenario) checkBehaviour(b *Behaviour) error {
	switch {
	case b == nil:
		return nil
	case s.Network != nil && len(b.Pending) > 0:
		return errors.New("pending: with a network, requests wait where there is no instance for them: leave it out")
	case s.Network == nil && (len(b.Calls) > 0 || len(b.Startup.Calls) > 0 || b.Assets != nil):
		return errors.New("calls and assets need a network section")
	}
	return nil
}
