package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"time"
)

// Gateway is a Cloud NAT. Its numbers are written down, unless the scenario has a
// network, from which they follow.
type Gateway struct {
	Project string `json:"project"`
	Region  string `json:"region"`
	// Router is the Cloud Router's name, RouterID the number in its metrics.
	Router   string `json:"router,omitempty"`
	RouterID string `json:"routerId,omitempty"`
	Name     string `json:"name"`
	// Network is the VPC network that it serves. Default: default.
	Network string `json:"network,omitempty"`
	// IPs are its addresses. Default: one.
	IPs []string `json:"ips,omitempty"`
	// AutomaticIPs makes it add addresses by itself, in place of IPs.
	AutomaticIPs *AutomaticIPs `json:"automaticIPs,omitempty"`
	// Subnetworks are those that it covers. Default: all of its network and region.
	Subnetworks []string `json:"subnetworks,omitempty"`
	// PortsPerEndpoint is how many ports each endpoint gets. Default 64.
	PortsPerEndpoint int `json:"portsPerEndpoint,omitempty"`
	// DynamicPorts makes their number follow what an endpoint uses.
	DynamicPorts *DynamicPorts `json:"dynamicPorts,omitempty"`
	// EndpointIndependent maps a source port alike whatever the destination.
	EndpointIndependent bool `json:"endpointIndependent,omitempty"`
	// TimeWait is how long the port of a closed connection stays taken. Default 120s.
	TimeWait Duration `json:"timeWait,omitempty"`
	// NAT is what its router says of it, in the fields of the Compute API. What is
	// empty follows from the fields beside it. The network does not read it.
	NAT RouterNat `json:"nat,omitzero"`
	// AllocatedPorts is how many ports of each address are taken. With 0 the
	// gateway is idle: it reports nothing.
	AllocatedPorts int `json:"allocatedPorts,omitempty"`
	// OpenConnections is how many connections are open.
	OpenConnections int `json:"openConnections,omitempty"`
	// Drops are the reasons why it drops packets.
	Drops []Drop `json:"drops,omitempty"`
	// AllocationFailures are the times at which it finds no address for an endpoint.
	AllocationFailures []Interval `json:"allocationFailures,omitempty"`
}

// Drop is one cause of dropped packets. From and Until count from the world's
// beginning.
type Drop struct {
	Interval
	// PacketsPerMinute are dropped whatever happens.
	PacketsPerMinute float64 `json:"packetsPerMinute,omitempty"`
	// PacketsPerMinutePerPercent are dropped for every percent of its service's
	// traffic that revisions of Image get, beyond AbovePercent.
	PacketsPerMinutePerPercent float64 `json:"packetsPerMinutePerPercent,omitempty"`
	Image                      string  `json:"image,omitempty"`
	AbovePercent               float64 `json:"abovePercent,omitempty"`
	// Protocol is TCP (the default), UDP or ICMP.
	Protocol string `json:"protocol,omitempty"`
	// Reason is OUT_OF_RESOURCES (the default) or ENDPOINT_INDEPENDENCE_CONFLICT.
	Reason string `json:"reason,omitempty"`
}

// Interval is a stretch of time counted from the world's beginning. Until 0
// means for ever.
type Interval struct {
	From  Duration `json:"from,omitempty"`
	Until Duration `json:"until,omitempty"`
}

func (i Interval) holds(since time.Duration) bool {
	return since > time.Duration(i.From) && (i.Until == 0 || since <= time.Duration(i.Until))
}

func (g *Gateway) complete() error {
	if g.Project == "" || g.Region == "" || g.Name == "" {
		return errors.New("project, region and name are required")
	}
	g.RouterID = cmp.Or(g.RouterID, projectNumber(g.Project+g.Router))
	g.Network = cmp.Or(g.Network, "default")
	if len(g.IPs) == 0 && g.AutomaticIPs == nil {
		g.IPs = []string{"203.0.113.10"}
	}
	drops := make([]Drop, len(g.Drops))
	for i, d := range g.Drops {
		if d.PacketsPerMinutePerPercent != 0 && d.Image == "" {
			return fmt.Errorf("drops[%d]: packetsPerMinutePerPercent needs an image", i)
		}
		d.Protocol = cmp.Or(d.Protocol, "TCP")
		d.Reason = cmp.Or(d.Reason, "OUT_OF_RESOURCES")
		drops[i] = d
	}
	g.Drops = drops
	return nil
}

// packets is how many a cause drops in the minute that ends.
func (d Drop) packets(w *World, since time.Duration) int {
	if !d.holds(since) {
		return 0
	}
	n := d.PacketsPerMinute
	if d.Image != "" {
		n += d.PacketsPerMinutePerPercent * max(0, w.meanPercent(d.Image)-d.AbovePercent)
	}
	return int(math.Round(n))
}

// meanPercent is the share of traffic that an image's revisions had in the
// minute that ends, the largest of any service.
func (w *World) meanPercent(image string) float64 {
	most := 0.0
	for _, s := range w.services {
		sum := 0.0
		for _, r := range s.revisions {
			if r.template.image() == image {
				sum += r.life.minute.percent / 60
			}
		}
		most = max(most, sum)
	}
	return most
}
