package gateway

import (
	"context"
	"fmt"
	"slices"
	"time"

	compute "google.golang.org/api/compute/v1"
)

var (
	// configAges are of what people configure, which changes rarely.
	configAges = ages{fresh: 5 * time.Minute, stale: 30 * time.Minute}
	// hopeAges are of the same where it did not say what was hoped for: somebody
	// may just be configuring it.
	hopeAges = ages{fresh: time.Minute, stale: 30 * time.Minute}
	// statusAges are of what changes with the traffic.
	statusAges = ages{fresh: 15 * time.Second, stale: 2 * time.Minute}
)

const (
	// listPageSize is the most that a page may have (compute v1 discovery,
	// maxResults).
	listPageSize = 500
	// maxListPages bounds the pages of one list.
	maxListPages = 10
)

// router is a Cloud Router and the NATs on it.
type router struct {
	routerName
	network string // its name, in the same project
	nats    []*compute.RouterNat
}

// status is what a router reports of its NATs, by their name.
type status map[string]*compute.RouterStatusNatStatus

// list gives the routers of a place, and when they were read.
func (c *Client) list(ctx context.Context, at place, now time.Time, age ages) ([]router, time.Time, *CallError) {
	op := fmt.Sprintf("listing the routers of %s", at)
	if failure := outside(ctx, op, at.project); failure != nil {
		return nil, time.Time{}, failure
	}
	return c.lists.get(ctx, at, now, age, func(ctx context.Context) ([]router, *CallError) { return c.readList(ctx, op, at) })
}

func (c *Client) readList(ctx context.Context, op string, at place) ([]router, *CallError) {
	var routers []router
	token := ""
	for range maxListPages {
		page, failure := call(ctx, c, op, at.project, func(ctx context.Context) (*compute.RouterList, error) {
			return c.api.Routers.List(at.project, at.region).MaxResults(listPageSize).PageToken(token).Context(ctx).Do()
		})
		if failure != nil {
			return nil, failure
		}
		for _, answer := range page.Items {
			r, failure := convertRouter(op, at, answer)
			if failure != nil {
				return nil, failure
			}
			routers = append(routers, r)
		}
		if token = page.NextPageToken; token == "" {
			return routers, nil
		}
	}
	return nil, garbled(op, "more than %d pages", maxListPages)
}

// router gives one router, and when it was read.
func (c *Client) router(ctx context.Context, name routerName, now time.Time, age ages) (router, time.Time, *CallError) {
	op := fmt.Sprintf("reading router %s of %s", name.name, name.place)
	if failure := outside(ctx, op, name.project); failure != nil {
		return router{}, time.Time{}, failure
	}
	return c.routers.get(ctx, name, now, age, func(ctx context.Context) (router, *CallError) {
		answer, failure := call(ctx, c, op, name.project, func(ctx context.Context) (*compute.Router, error) {
			return c.api.Routers.Get(name.project, name.region, name.name).Context(ctx).Do()
		})
		if failure != nil {
			return router{}, failure
		}
		r, failure := convertRouter(op, name.place, answer)
		if failure == nil && r.name != name.name {
			return router{}, garbled(op, "answer is not the router asked for")
		}
		return r, failure
	})
}

// status gives what a router reports, and when it was read.
func (c *Client) status(ctx context.Context, name routerName, now time.Time) (status, time.Time, *CallError) {
	op := fmt.Sprintf("reading the status of router %s of %s", name.name, name.place)
	if failure := outside(ctx, op, name.project); failure != nil {
		return nil, time.Time{}, failure
	}
	return c.statuses.get(ctx, name, now, statusAges, func(ctx context.Context) (status, *CallError) {
		answer, failure := call(ctx, c, op, name.project, func(ctx context.Context) (*compute.RouterStatusResponse, error) {
			return c.api.Routers.GetRouterStatus(name.project, name.region, name.name).Context(ctx).Do()
		})
		switch {
		case failure != nil:
			return nil, failure
		case answer.Result == nil:
			return nil, garbled(op, "answer is no status")
		}
		reported := status{}
		for _, s := range answer.Result.NatStatus {
			if s != nil {
				reported[s.Name] = s
			}
		}
		return reported, nil
	})
}

// convertRouter reads an answer that must be a router of a place. Metrics know a
// project by its ID: where Cloud Run gave its number, the router's own link says
// the ID.
func convertRouter(op string, at place, answer *compute.Router) (router, *CallError) {
	if answer == nil || !namePart.MatchString(answer.Name) {
		return router{}, garbled(op, "answer has a router without a name")
	}
	if link, _, ok := parse(answer.SelfLink, "routers", at); ok && number.MatchString(at.project) && link.region == at.region {
		at.project = link.project
	}
	r := router{routerName: routerName{at, answer.Name}}
	if _, network, ok := parse(answer.Network, "networks", at); ok {
		r.network = network
	} else if answer.Network != "" {
		return router{}, garbled(op, "network %q of router %s", answer.Network, answer.Name)
	}
	r.nats = slices.DeleteFunc(answer.Nats, func(n *compute.RouterNat) bool { return n == nil })
	for _, n := range r.nats {
		if !namePart.MatchString(n.Name) {
			return router{}, garbled(op, "router %s has a NAT without a name, or with the name %q", answer.Name, n.Name)
		}
	}
	return r, nil
}
