package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	compute "google.golang.org/api/compute/v1"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const (
	// reservedIPs of every primary range belong to Google: the first two and the last
	// two (docs vpc/subnets).
	reservedIPs = 4
	// narrowest is the longest prefix that a range can have (ibid.).
	narrowest = 29
	// withUtilization asks for how much of each range is used (compute v1 discovery,
	// subnetworks.get, views).
	withUtilization = "WITH_UTILIZATION"
	// readSubnets is the permission to read a subnetwork.
	readSubnets = "compute.subnetworks.get"
)

var (
	// networkAges are of a subnetwork's network, which never changes.
	networkAges = ages{fresh: time.Hour, stale: forgetAfter}
	// addressAges are of the addresses of a subnetwork. Those that are taken change with
	// the traffic, in steps that take minutes; the range is never made smaller
	// (compute v1 discovery, subnetworks.expandIpCidrRange), so an old one still says
	// what there is at least.
	addressAges = ages{fresh: time.Minute, stale: forgetAfter}
)

// countedFor is how long it is believed how many addresses are taken.
const countedFor = 2 * time.Minute

// subnetwork is what Compute tells of one.
type subnetwork struct {
	network string // its name
	size    int64  // addresses for use in its primary range; 0: not told
	taken   int64
	counted bool // taken was told
}

// subnetwork reads a subnetwork, and when it was read.
func (c *Client) subnetwork(ctx context.Context, name subnetName, now time.Time, age ages) (subnetwork, time.Time, *CallError) {
	op := fmt.Sprintf("reading subnetwork %s of %s", name.name, name.place)
	if failure := outside(ctx, op, name.project); failure != nil {
		return subnetwork{}, time.Time{}, failure
	}
	return c.subnetworks.get(ctx, name, now, age, func(ctx context.Context) (subnetwork, *CallError) {
		answer, failure := c.getSubnetwork(ctx, op, name, withUtilization)
		if failure != nil && errors.Is(failure.Kind, google.ErrInvalid) { // perhaps the view alone was refused
			answer, failure = c.getSubnetwork(ctx, op, name)
		}
		if failure != nil {
			return subnetwork{}, failure
		}
		_, network, ok := parse(answer.Network, "networks", name.place)
		if !ok || answer.Name != name.name {
			return subnetwork{}, garbled(op, "answer is not the subnetwork asked for")
		}
		s := subnetwork{network: network, size: usable(answer.IpCidrRange)}
		s.taken, s.counted = taken(answer.UtilizationDetails, s.size)
		return s, nil
	})
}

// getSubnetwork makes one call for a subnetwork, with what the views add.
func (c *Client) getSubnetwork(ctx context.Context, op string, name subnetName, views ...string) (*compute.Subnetwork, *CallError) {
	return call(ctx, c, op, name.project, func(ctx context.Context) (*compute.Subnetwork, error) {
		get := c.api.Subnetworks.Get(name.project, name.region, name.name)
		if len(views) > 0 {
			get = get.Views(views...)
		}
		return get.Context(ctx).Do()
	})
}

// usable is how many addresses of a range can be used; 0 for what is no range.
func usable(text string) int64 {
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is4() || p.Bits() > narrowest {
		return 0
	}
	return 1<<(32-p.Bits()) - reservedIPs
}

// taken is how many addresses of the primary range, whose name is empty, nobody can
// have: those that are not free, whichever they are. Without a free and without an
// allocated one nothing was counted.
func taken(u *compute.SubnetworkUtilizationDetails, size int64) (addresses int64, counted bool) {
	if u == nil || size == 0 {
		return 0, false
	}
	for _, r := range u.Ipv4Utilizations {
		if r == nil || r.RangeName != "" || r.TotalFreeIp < 0 || r.TotalFreeIp+r.TotalAllocatedIp <= 0 {
			continue
		}
		return max(0, size-r.TotalFreeIp), true
	}
	return 0, false
}

// subnets reads from which subnetworks revisions take addresses: those whose whole
// traffic leaves by Direct VPC egress. A connector has addresses of its own.
func (c *Client) subnets(ctx context.Context, ref rollout.ServiceRef, revisions []rollout.Revision, now time.Time) map[string]rollout.Subnet {
	var all map[string]rollout.Subnet
	for _, r := range revisions {
		if r.Presence != rollout.Found || r.Egress != rollout.EgressAll {
			continue
		}
		w, ok := wayOf(ref, r.VPC)
		if !ok || w.connector != "" {
			continue
		}
		if all == nil {
			all = map[string]rollout.Subnet{}
		}
		all[r.Name] = c.subnet(ctx, w.subnet, now)
	}
	return all
}

// subnet tells what is known of the addresses of a subnetwork.
func (c *Client) subnet(ctx context.Context, name subnetName, now time.Time) rollout.Subnet {
	told := rollout.Subnet{
		Name: "projects/" + name.project + "/regions/" + name.region + "/subnetworks/" + name.name, Presence: rollout.Found,
	}
	s, at, failure := c.subnetwork(ctx, name, now, addressAges)
	switch {
	case failure != nil && presence(failure) == rollout.Denied:
		told.Presence = rollout.Denied
		told.Detail = remedy(failure, readSubnets, name.project)
	case failure != nil:
		told.Presence, told.Detail = presence(failure), failure.Error()
	case s.size == 0:
		told.Presence, told.Detail = rollout.Missing, fmt.Sprintf("Compute tells no IPv4 range of subnetwork %s of %s", name.name, name.place)
	default:
		told.Size = s.size
		if s.counted && fresh(at, now, countedFor) {
			told.Counted, told.Taken = true, s.taken
		}
	}
	return told
}
