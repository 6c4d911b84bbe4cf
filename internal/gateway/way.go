package gateway

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	compute "google.golang.org/api/compute/v1"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// advice is what to do about a gateway that is not known.
const advice = "name the gateway in spec.nat.gateways"

// finding is what is known of one way out.
type finding struct {
	presence  rollout.Presence
	ambiguous bool
	detail    string
	gateways  []gateway
}

// gateway is a NAT and the router that it is on.
type gateway struct {
	router routerName
	config *compute.RouterNat // nil when it could not be read
	source analysis.Source
}

func (r router) gateway(n *compute.RouterNat) gateway {
	return gateway{router: r.routerName, config: n, source: analysis.Source{
		Project: r.project, Location: r.region, Router: r.name, Gateway: google.Clean(n.Name),
	}}
}

func (g gateway) String() string { return g.source.Gateway + " on router " + g.source.Router }

// missing, ambiguous and failed are findings without a gateway.
func missing(format string, args ...any) finding {
	return finding{presence: rollout.Missing, detail: fmt.Sprintf(format, args...)}
}

func ambiguous(format string, args ...any) finding {
	return finding{presence: rollout.Missing, ambiguous: true, detail: fmt.Sprintf(format, args...)}
}

// failed tells of a call that failed, and what to do if nothing is there.
func failed(failure *CallError, permission, project, otherwise string) finding {
	f := finding{presence: presence(failure), detail: explain(failure, permission, project)}
	if f.presence == rollout.Missing {
		f.detail += ": " + otherwise
	}
	return f
}

// explain tells of a call that failed, and of one that was denied what helps, because
// the API's words need not.
func explain(failure *CallError, permission, project string) string {
	if presence(failure) != rollout.Denied || errors.Is(failure.Kind, errOutside) { // which says itself what helps
		return failure.Error()
	}
	return fmt.Sprintf("%v; %s", failure, remedy(failure, permission, project))
}

// remedy is what helps against a denial: the permission in the project, or the API
// itself, which is enabled where the caller is at home and not where it looks, whose
// name begins as the permission's does; or what binds the project.
func remedy(failure *CallError, permission, project string) string {
	switch {
	case errors.Is(failure.Kind, errDisabled):
		api, _, _ := strings.Cut(permission, ".")
		return fmt.Sprintf("enable %s.googleapis.com in the project that is named there", api)
	case errors.Is(failure.Kind, errOutside): // its own words say it
		return failure.Detail
	}
	return fmt.Sprintf("the manager's identity needs %s in project %s", permission, project)
}

// way is where a revision's traffic enters a VPC, as Cloud Run says it.
type way struct {
	network   string // its name; empty when only the subnetwork was given
	subnet    subnetName
	connector string // its name, with its place in subnet
}

// waysOf are the ways by which revisions send their public traffic through a VPC,
// and what is wrong with those that cannot be told.
func waysOf(ref rollout.ServiceRef, revisions []rollout.Revision) ([]way, []finding) {
	var ways []way
	var wrong []finding
	for _, r := range revisions {
		switch {
		case r.Presence == rollout.Denied || r.Presence == rollout.Unknown:
			wrong = append(wrong, finding{
				presence: rollout.Unknown, detail: fmt.Sprintf("revision %s could not be read: %s", r.Name, r.Why),
			})
		case r.Presence == rollout.Missing || r.Egress != rollout.EgressAll:
		default:
			w, ok := wayOf(ref, r.VPC)
			if !ok {
				wrong = append(wrong, ambiguous("Cloud Run does not say by which one network revision %s leaves (%s): %s",
					r.Name, told(r.VPC), advice))
			} else if !slices.Contains(ways, w) {
				ways = append(ways, w)
			}
		}
	}
	return ways, wrong
}

// told repeats what Cloud Run said of a VPC.
func told(v rollout.VPCAccess) string {
	var parts []string
	for _, p := range [][2]string{{"network", v.Network}, {"subnetwork", v.Subnetwork}, {"connector", v.Connector}} {
		if p[1] != "" {
			parts = append(parts, fmt.Sprintf("%s %q", p[0], google.Clean(p[1])))
		}
	}
	if len(parts) == 0 {
		return "no network, subnetwork or connector"
	}
	return strings.Join(parts, ", ")
}

// wayOf reads what Cloud Run says. Without a subnetwork it is the one of the
// network's name (run v2 discovery, NetworkInterface.subnetwork). Short names are
// of the service's own project; a shared VPC is named with its host project.
func wayOf(ref rollout.ServiceRef, v rollout.VPCAccess) (way, bool) {
	home := place{ref.Project, ref.Location}
	if v.Connector != "" {
		at, name, ok := parse(v.Connector, "connectors", home)
		return way{subnet: subnetName{place: at}, connector: name}, ok
	}
	var w way
	network, subnet := home, home
	ok := v.Network != "" || v.Subnetwork != ""
	if v.Network != "" && ok {
		network, w.network, ok = parse(v.Network, "networks", home)
		subnet.project = network.project
	}
	w.subnet = subnetName{subnet, w.network}
	if v.Subnetwork != "" && ok {
		w.subnet.place, w.subnet.name, ok = parse(v.Subnetwork, "subnetworks", subnet)
	}
	return w, ok
}

// choose finds the one gateway that the way leads through among the routers of
// its place.
func (w way) choose(routers []router) finding {
	var sure, perhaps []gateway
	reason := ""
	for _, r := range routers {
		if r.network != w.network {
			continue
		}
		for _, n := range r.nats {
			switch c, why := covering(n, w.subnet); c {
			case covers:
				sure = append(sure, r.gateway(n))
			case coversPerhaps:
				perhaps, reason = append(perhaps, r.gateway(n)), why
			case coversNot:
			}
		}
	}
	switch {
	case len(perhaps) > 0:
		return ambiguous("whether Cloud NAT %s covers %s cannot be told, because %s: %s", perhaps[0], w, reason, advice)
	case len(sure) > 1:
		return ambiguous("Cloud NATs %s and %s both cover %s: %s", sure[0], sure[1], w, advice)
	case len(sure) == 0:
		return missing("no Cloud NAT covers %s, and without one all-traffic egress reaches no public address: "+
			"make one, or set spec.nat.discovery to Off", w)
	}
	return finding{presence: rollout.Found, gateways: sure}
}

// String names the way for people.
func (w way) String() string {
	switch {
	case w.connector != "":
		return fmt.Sprintf("connector %s of %s", w.connector, w.subnet.place)
	case w.network == "":
		return fmt.Sprintf("subnetwork %s of %s", w.subnet.name, w.subnet.place)
	}
	return fmt.Sprintf("subnetwork %s of network %s of %s", w.subnet.name, w.network, w.subnet.place)
}
