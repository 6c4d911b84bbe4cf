package simulator

import (
	"cmp"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

// WithUtilization is the view of a subnetwork that tells what is used of it.
const WithUtilization = "WITH_UTILIZATION"

// unlived is the range of a subnetwork in a world without a network, where nobody
// lives in it: that of a network in auto mode [docs vpc/subnets].
const unlived = "10.128.0.0/20"

// RouterSubnetwork is a subnetwork as the API prints it.
type RouterSubnetwork struct {
	Kind               string              `json:"kind"`
	Name               string              `json:"name"`
	Network            string              `json:"network"`
	Region             string              `json:"region"`
	IPCIDRRange        string              `json:"ipCidrRange"`
	UtilizationDetails *UtilizationDetails `json:"utilizationDetails,omitempty"`
	SelfLink           string              `json:"selfLink"`
}

// UtilizationDetails is what is used of a subnetwork's ranges.
type UtilizationDetails struct {
	IPv4Utilizations []IPv4Utilization `json:"ipv4Utilizations"`
}

// IPv4Utilization is what is used of one range. The primary one has no name.
type IPv4Utilization struct {
	RangeName        string `json:"rangeName,omitempty"`
	TotalAllocatedIP int64  `json:"totalAllocatedIp,omitempty,string"`
	TotalFreeIP      int64  `json:"totalFreeIp,omitempty,string"`
}

// GetSubnetwork reads a subnetwork by projects/P/regions/R/subnetworks/N, with what
// is used of it where that view is asked for and the world has a network. The world
// has those that its services and NATs name together with a network.
func (a API) GetSubnetwork(name, view string) (RouterSubnetwork, error) {
	return carryOut(a, "subnetworks.get", name, func(*ticket) (RouterSubnetwork, error) {
		vpc, ok := a.world.subnetworks()[name]
		if !ok {
			return RouterSubnetwork{}, resourceNotFound(name)
		}
		place, short, _ := strings.Cut(name, "/subnetworks/")
		s := RouterSubnetwork{
			Kind: "compute#subnetwork", Name: short, Network: computeURL(vpc),
			Region: computeURL(place), IPCIDRRange: unlived, SelfLink: computeURL(name),
		}
		if physical, lives := a.world.subnetStatus(name); lives {
			s.IPCIDRRange = a.world.scenario.Network.rangeOf(name)
			if view == WithUtilization {
				s.UtilizationDetails = a.world.utilization(physical)
			}
		}
		return s, nil
	})
}

// utilization is what is used of a subnetwork. Whether it counts the addresses that
// Cloud Run has reserved, with or without instances that have them, is a switch.
func (w *World) utilization(s network.SubnetStatus) *UtilizationDetails {
	free := s.Free
	if w.scenario.Switches.SubnetUtilization == "silent" {
		free = s.Usable - s.Machines
	}
	return &UtilizationDetails{IPv4Utilizations: []IPv4Utilization{
		{TotalAllocatedIP: int64(s.Usable - free), TotalFreeIP: int64(free)},
	}}
}

// path is the subnetwork's name in full.
func (s *Subnet) path() string {
	return "projects/" + s.Project + "/regions/" + s.Region + "/subnetworks/" + s.Name
}

// rangeOf is the range of a subnetwork by its name in full.
func (n *Network) rangeOf(name string) string {
	for i := range n.Subnetworks {
		if s := &n.Subnetworks[i]; s.path() == name {
			return s.Range.String()
		}
	}
	return ""
}

// subnetStatus is how full a subnetwork is, by its name in full; false in a world
// without a network.
func (w *World) subnetStatus(name string) (network.SubnetStatus, bool) {
	physical, _ := w.NetworkStatus()
	for _, s := range physical.Subnets {
		if "projects/"+s.Project+"/regions/"+s.Region+"/subnetworks/"+s.Name == name {
			return s, true
		}
	}
	return network.SubnetStatus{}, false
}

// subnetworks maps the names of subnetworks to those of their networks.
func (w *World) subnetworks() map[string]string {
	all := map[string]string{}
	if w.scenario.Network != nil {
		for _, s := range w.scenario.Network.Subnetworks {
			all[s.path()] = "projects/" + s.Project + "/global/networks/" + s.Network
		}
		return all
	}
	for _, n := range w.nats() {
		for _, s := range n.config.Subnetworks {
			all[strings.TrimPrefix(s.Name, computeURL(""))] = "projects/" + n.project + "/global/networks/" + n.network
		}
	}
	for _, s := range w.services {
		for _, r := range s.revisions {
			s.name.subnetworks(r.template.VPCAccess, all)
		}
	}
	return all
}

// subnetworks adds those that a service names together with a network.
func (n serviceName) subnetworks(v *VPCAccess, all map[string]string) {
	if v == nil {
		return
	}
	for _, i := range v.NetworkInterfaces {
		if i.Network != "" {
			subnet := n.within("/regions/"+n.Location+"/subnetworks/", cmp.Or(i.Subnetwork, shortName(i.Network)), i.Network)
			all[subnet] = n.within("/global/networks/", i.Network, i.Subnetwork)
		}
	}
}

// within is the full name of something that a service names, short or in full. A
// short name is of the project that the other name has, else of the service's own.
func (n serviceName) within(collection, name, other string) string {
	if strings.HasPrefix(name, "projects/") {
		return name
	}
	project := n.Project
	if host, ok := strings.CutPrefix(other, "projects/"); ok {
		project, _, _ = strings.Cut(host, "/")
	}
	return "projects/" + project + collection + name
}
