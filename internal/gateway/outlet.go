package gateway

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// Outlet says by which gateways revisions of a service leave, what these can give,
// and how many addresses are left in the revisions' subnetworks. Named gateways are read without discovery, whatever the revisions say.
// What cannot be read is in the answer; it fails only when the context ends.
func (c *Client) Outlet(
	ctx context.Context, ref rollout.ServiceRef, revisions []rollout.Revision, named []analysis.Source, now time.Time,
) (rollout.Outlet, error) {
	var subnets map[string]rollout.Subnet
	var reading sync.WaitGroup // beside the rest, which may take as long as there is time
	reading.Go(func() { subnets = c.subnets(ctx, ref, revisions, now) })
	var findings []finding
	if len(named) == 0 {
		ways, wrong := waysOf(ref, revisions)
		findings = wrong
		for _, w := range ways {
			findings = append(findings, c.discover(ctx, w, now))
		}
	}
	for _, source := range named {
		findings = append(findings, c.named(ctx, source, now))
	}
	outlet := rollout.Outlet{}
	for _, g := range join(findings, &outlet) {
		outlet.Gateways = append(outlet.Gateways, c.describe(ctx, g, now))
	}
	reading.Wait()
	outlet.Subnets = subnets
	if err := ctx.Err(); err != nil {
		return rollout.Outlet{}, &CallError{Op: "looking for the gateway", Kind: google.ErrUnavailable, Detail: google.Detail(err), Cause: err}
	}
	return outlet, nil
}

// severity orders what is known of several ways: the worst one counts for all.
var severity = []rollout.Presence{rollout.Found, rollout.Unknown, rollout.Denied, rollout.Missing}

// join puts findings together, and returns each gateway once.
func join(findings []finding, outlet *rollout.Outlet) []gateway {
	outlet.Presence = rollout.Found
	var gateways []gateway
	var details []string
	for _, f := range findings {
		if slices.Index(severity, f.presence) > slices.Index(severity, outlet.Presence) {
			outlet.Presence = f.presence
		}
		outlet.Ambiguous = outlet.Ambiguous || f.ambiguous
		if f.detail != "" && !slices.Contains(details, f.detail) {
			details = append(details, f.detail)
		}
		for _, g := range f.gateways {
			if !slices.ContainsFunc(gateways, func(have gateway) bool { return have.source == g.source }) {
				gateways = append(gateways, g)
			}
		}
	}
	outlet.Detail = strings.Join(details, "; ")
	return gateways
}

// discover finds the gateway of a way.
func (c *Client) discover(ctx context.Context, w way, now time.Time) finding {
	if w.connector != "" {
		return c.throughConnector(ctx, w, now)
	}
	if w.network == "" {
		s, _, failure := c.subnetwork(ctx, w.subnet, now, networkAges)
		if failure != nil {
			return failed(failure, readSubnets, w.subnet.project, advice)
		}
		w.network = s.network
	}
	return c.among(ctx, w.subnet.place, now, w.choose)
}

// among chooses among the routers of a place.
func (c *Client) among(ctx context.Context, at place, now time.Time, choose func([]router) finding) finding {
	return hopefully(now, func(age ages) (finding, time.Time) {
		routers, read, failure := c.list(ctx, at, now, age)
		if failure != nil {
			return failed(failure, "compute.routers.list", at.project, advice), now
		}
		return choose(routers), read
	})
}

// named finds a gateway that a person named.
func (c *Client) named(ctx context.Context, source analysis.Source, now time.Time) finding {
	name := routerName{place{source.Project, source.Location}, source.Router}
	if !projectPart.MatchString(name.project) || !regionPart.MatchString(name.region) || !namePart.MatchString(name.name) {
		return missing("router %q of %q in %q is no name of a router", google.Clean(name.name),
			google.Clean(name.project), google.Clean(name.region))
	}
	unread := gateway{router: name, source: source}
	return hopefully(now, func(age ages) (finding, time.Time) {
		r, at, failure := c.router(ctx, name, now, age)
		if failure != nil {
			f := failed(failure, "compute.routers.get", name.project, "correct spec.nat.gateways")
			if f.presence != rollout.Missing {
				f.gateways = []gateway{unread}
			}
			return f, now
		}
		for _, n := range r.nats {
			if n.Name != source.Gateway {
				continue
			}
			if c, _ := public(n); c == coversNot {
				return missing("Cloud NAT %s is not for the public traffic of virtual machines, and so not for that of "+
					"Cloud Run (type %q, endpointTypes %q)", unread, n.Type, n.EndpointTypes), at
			}
			return finding{presence: rollout.Found, gateways: []gateway{{router: name, config: n, source: source}}}, at
		}
		return missing("router %s of %s has no Cloud NAT %s; it has %s", name.name, name.place,
			google.Clean(source.Gateway), names(r)), at
	})
}

// names lists the NATs of a router.
func names(r router) string {
	if len(r.nats) == 0 {
		return "none"
	}
	var all []string
	for _, n := range r.nats {
		all = append(all, google.Clean(n.Name))
	}
	return strings.Join(all, ", ")
}

// hopefully looks at what people configured, and once more at what they configured
// since then when nothing was found.
func hopefully(now time.Time, look func(ages) (finding, time.Time)) finding {
	f, at := look(configAges)
	if f.presence != rollout.Found && !fresh(at, now, hopeAges.fresh) {
		f, _ = look(hopeAges)
	}
	return f
}

// describe tells what a gateway is and can still give.
func (c *Client) describe(ctx context.Context, g gateway, now time.Time) rollout.Gateway {
	told := rollout.Gateway{Source: g.source, NAT: nat.Gateway{Name: g.source.Gateway}}
	if g.config == nil {
		told.Unread = "its router could not be read"
		return told
	}
	told.NAT = configured(g.config)
	all, at, failure := c.status(ctx, g.router, now)
	if failure != nil {
		told.Unread = explain(failure, "compute.routers.get", g.router.project)
		told.NAT.IPs = c.lastIPs(ctx, g, now)
		return told
	}
	if told.Unread = report(&told.NAT, g.config, all[g.config.Name]); told.Unread == "" {
		told.ReadAt = at
	}
	return told
}

// lastIPs is how many addresses a gateway had when that was last known: people
// change them as rarely as the rest, and whose a trouble is cannot be told without.
func (c *Client) lastIPs(ctx context.Context, g gateway, now time.Time) int64 {
	last := nat.Gateway{}
	if outside(ctx, "", g.router.project) != nil {
		return 0
	}
	all, known := c.statuses.last(ctx, g.router, now, configAges.stale)
	if !known || report(&last, g.config, all[g.config.Name]) != "" {
		return 0
	}
	return last.IPs
}
