package pilot

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// Gateways are the NAT gateways of a scenario with what Compute tells of them: it
// knows how they were configured, and how many endpoints they have now.
type Gateways struct {
	world       *simulator.World
	known       []simulator.Gateway
	subnetworks []simulator.Subnet
}

// NewGateways makes those of a scenario whose world there is.
func NewGateways(world *simulator.World, sc simulator.Scenario) Gateways {
	g := Gateways{world: world, known: sc.Gateways}
	if sc.Network != nil {
		g.subnetworks = sc.Network.Subnetworks
	}
	return g
}

// Compute is what the Compute API tells of a scenario's gateways.
func Compute(world *simulator.World, sc simulator.Scenario) func(rollout.Input) rollout.Outlet {
	g := NewGateways(world, sc)
	return func(in rollout.Input) rollout.Outlet { return g.Outlet(rollout.Leaving(in), in.Plan.Gateways, in.Now) }
}

// source is a gateway's name in questions and manifests.
func source(g simulator.Gateway) analysis.Source {
	return analysis.Source{Project: g.Project, Location: g.Region, Router: g.Router, Gateway: g.Name}
}

// Sources names all gateways of a scenario.
func Sources(sc simulator.Scenario) []analysis.Source {
	var all []analysis.Source
	for _, g := range sc.Gateways {
		all = append(all, source(g))
	}
	return all
}

// Outlet tells of the gateways that are named, or else of those in the network that
// the revisions use.
func (g Gateways) Outlet(leaving []rollout.Revision, named []analysis.Source, now time.Time) rollout.Outlet {
	out := rollout.Outlet{Presence: rollout.Found}
	status, physical := g.world.NetworkStatus()
	for i, one := range g.known {
		if !leads(one, leaving, named) {
			continue
		}
		told := rollout.Gateway{Source: source(one), NAT: configured(one), ReadAt: now}
		if physical {
			s := status.Gateways[i]
			told.NAT.IPs, told.NAT.Endpoints, told.NAT.ExtraIPs = int64(len(s.IPs)), int64(s.Mapped), int64(s.MinExtraIPsNeeded)
		}
		out.Gateways = append(out.Gateways, told)
	}
	if len(out.Gateways) == 0 {
		return rollout.Outlet{Presence: rollout.Missing, Detail: "no Cloud NAT covers the network"}
	}
	out.Subnets = g.subnets(leaving)
	return out
}

// subnets tells of the subnetworks that revisions take addresses from, by the short
// names that scenarios have.
func (g Gateways) subnets(revisions []rollout.Revision) map[string]rollout.Subnet {
	all := map[string]rollout.Subnet{}
	for _, r := range revisions {
		for _, s := range g.subnetworks {
			if r.Egress == rollout.EgressAll && r.VPC.Connector == "" && s.Name == cmp.Or(r.VPC.Subnetwork, r.VPC.Network) {
				all[r.Name] = g.subnet(s)
			}
		}
	}
	return all
}

// subnet reads a subnetwork through the API.
func (g Gateways) subnet(s simulator.Subnet) rollout.Subnet {
	name := fmt.Sprintf("projects/%s/regions/%s/subnetworks/%s", s.Project, s.Region, s.Name)
	told := rollout.Subnet{Name: name, Presence: rollout.Found}
	answer, err := g.world.GetSubnetwork(name, simulator.WithUtilization)
	if err != nil || answer.UtilizationDetails == nil {
		return rollout.Subnet{Name: name, Presence: rollout.Unknown}
	}
	used := answer.UtilizationDetails.IPv4Utilizations[0]
	told.Size, told.Counted, told.Taken = used.TotalFreeIP+used.TotalAllocatedIP, true, used.TotalAllocatedIP
	return told
}

// leads tells whether a rollout leaves through a gateway.
func leads(one simulator.Gateway, leaving []rollout.Revision, named []analysis.Source) bool {
	if len(named) > 0 {
		return slices.Contains(named, source(one))
	}
	return slices.ContainsFunc(leaving, func(r rollout.Revision) bool {
		return r.Egress == rollout.EgressAll && r.VPC.Connector == "" && r.VPC.Network == one.Network
	})
}

// configured is a gateway as its router says that it was made.
func configured(g simulator.Gateway) nat.Gateway {
	n := nat.Gateway{
		Name: g.Name, IPs: int64(len(g.IPs)), Auto: g.AutomaticIPs != nil, Ports: int64(g.PortsPerEndpoint),
		EndpointIndependent: g.EndpointIndependent,
		TimeWait:            cmp.Or(time.Duration(g.TimeWait), 120*time.Second),
	}
	if d := g.DynamicPorts; d != nil {
		n.Dynamic, n.Ports, n.MostPorts = true, int64(d.Min), int64(d.Max)
	}
	return n
}

// claims lists what the other rollouts claim of their gateways, as their saved
// progress tells it.
func (p *Pilot) claims(own *Rollout) []rollout.Peer {
	var peers []rollout.Peer
	for _, r := range p.rollouts {
		if r != own {
			peers = append(peers, r.saved.Claims(FullName(r.plan.Service), p.world.CallerNow().Truncate(time.Second))...)
		}
	}
	return peers
}
