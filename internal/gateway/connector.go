package gateway

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	vpcaccess "google.golang.org/api/vpcaccess/v1"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// readConnectors is the permission to read a connector.
const readConnectors = "vpcaccess.connectors.get"

// connectorName names a Serverless VPC Access connector.
type connectorName struct {
	place
	name string
}

// connector is where the machines of a Serverless VPC Access connector are: in a
// subnetwork that somebody gave it, or, without that, in a hidden one for its range,
// of which only the network is told.
type connector struct {
	subnet  subnetName // of a hidden one only the place
	network string     // its name, only for a hidden one
}

// connector reads a connector. It never moves, but another one of its name can be made
// in its place, so that the ages are those of a subnetwork's network.
func (c *Client) connector(ctx context.Context, name connectorName, now time.Time) (connector, *CallError) {
	op := fmt.Sprintf("reading connector %s of %s", name.name, name.place)
	if failure := outside(ctx, op, name.project); failure != nil {
		return connector{}, failure
	}
	read, _, failure := c.connectors.get(ctx, name, now, networkAges, func(ctx context.Context) (connector, *CallError) {
		answer, failure := callAs(ctx, c, op, account{vpcAccessAPI, name.project}, func(ctx context.Context) (*vpcaccess.Connector, error) {
			path := "projects/" + name.project + "/locations/" + name.region + "/connectors/" + name.name
			return c.vpcAccess.Projects.Locations.Connectors.Get(path).Context(ctx).Do()
		})
		if failure != nil {
			return connector{}, failure
		}
		return convertConnector(op, name, answer)
	})
	return read, failure
}

// convertConnector reads an answer that must be the connector asked for. Its
// subnetwork is of its own project unless it says otherwise, its network always
// (vpcaccess v1 discovery, Subnet.projectId, Connector.network).
func convertConnector(op string, name connectorName, answer *vpcaccess.Connector) (connector, *CallError) {
	at, short, ok := parse(answer.Name, "connectors", name.place)
	if !ok || short != name.name || at.region != name.region || !same(at.project, name.project) {
		return connector{}, garbled(op, "answer is not the connector asked for")
	}
	if s := answer.Subnet; s != nil && s.Name != "" {
		in, subnet, ok := parse(s.Name, "subnetworks", place{cmp.Or(s.ProjectId, name.project), name.region})
		if !ok {
			return connector{}, garbled(op, "subnetwork %q of project %q", s.Name, s.ProjectId)
		}
		return connector{subnet: subnetName{in, subnet}}, nil
	}
	in, network, ok := parse(answer.Network, "networks", name.place)
	if !ok {
		return connector{}, garbled(op, "no subnetwork, and network %q", answer.Network)
	}
	return connector{subnet: subnetName{place: in}, network: network}, nil
}

// throughConnector finds the gateway that a connector's machines leave through.
func (c *Client) throughConnector(ctx context.Context, w way, now time.Time) finding {
	name := connectorName{w.subnet.place, w.connector}
	at, failure := c.connector(ctx, name, now)
	if failure != nil {
		return unreadConnector(failure, name.project)
	}
	if at.network != "" {
		return c.among(ctx, at.subnet.place, now, func(routers []router) finding { return w.chooseWhole(at.network, routers) })
	}
	f := c.discover(ctx, way{subnet: at.subnet}, now)
	if f.detail != "" {
		f.detail = fmt.Sprintf("%s: %s", w, f.detail)
	}
	return f
}

// unreadConnector tells of a connector that could not be read. Whoever may not read it
// can still name the gateway.
func unreadConnector(failure *CallError, project string) finding {
	f := failed(failure, readConnectors, project, advice)
	if f.presence == rollout.Denied {
		f.detail += "; or " + advice
	}
	return f
}

// chooseWhole finds the one gateway that covers every subnetwork of a network, and so
// the hidden one of a connector. Nobody is told the name of that one, so that a
// list of subnetworks says nothing of it.
func (w way) chooseWhole(network string, routers []router) finding {
	var seen wholeSeen
	for _, r := range routers {
		if r.network == network {
			seen.learn(r)
		}
	}
	switch {
	case len(seen.all) == 0:
		return missing("no Cloud NAT covers network %s of %s, which %s is in: make one, or set spec.nat.discovery to Off",
			network, w.subnet.place, w)
	case len(seen.sure) != 1 || seen.doubtful:
		return ambiguous("%s is in a hidden subnetwork of network %s, and whether Cloud NAT %s covers that cannot be told: %s",
			w, network, strings.Join(seen.all, " or "), advice)
	}
	return finding{presence: rollout.Found, gateways: seen.sure}
}

// wholeSeen is what was seen of gateways that may cover a whole network.
type wholeSeen struct {
	sure     []gateway
	all      []string // by name, those included that cover a list
	doubtful bool     // one of them may cover it or not
}

// learn looks at the gateways of a router.
func (s *wholeSeen) learn(r router) {
	for _, n := range r.nats {
		kind, _ := public(n)
		if kind == coversNot || n.SourceSubnetworkIpRangesToNat == "" {
			continue
		}
		s.all = append(s.all, r.gateway(n).String())
		if whole(n) {
			s.sure = append(s.sure, r.gateway(n))
		}
		s.doubtful = s.doubtful || kind == coversPerhaps || !whole(n) && n.SourceSubnetworkIpRangesToNat != listed
	}
}
