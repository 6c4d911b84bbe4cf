package rollout

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// Outlet is what is known of the way by which a service's public traffic leaves
// its VPC.
type Outlet struct {
	// Presence is Found when every gateway is known by name; what each of them has
	// to give is for Gateway to tell. Found without Gateways: nothing takes a VPC.
	// Missing is for somebody to mend: no gateway covers the subnetwork, or nobody
	// can tell which one does. Denied names the permission in Detail. Unknown may
	// pass.
	Presence Presence
	// Ambiguous is set with Missing when there is more than one gateway that it
	// could be, or no way to tell.
	Ambiguous bool
	// Detail is for people: what was looked for and where, the API's own words, and
	// what to write or grant. When Found it is empty, or an assumption that was
	// made.
	Detail string
	// Gateways are the ones that are known, also when others are not.
	Gateways []Gateway
	// Subnets are what revisions with Direct VPC egress take addresses from, by the
	// revision's short name. One that is not there takes none, or nobody can tell
	// from where.
	Subnets map[string]Subnet
}

// Subnet is the subnetwork that a revision's instances take addresses from.
type Subnet struct {
	// Name in full, as projects/P/regions/R/subnetworks/N: equal for two revisions
	// in the same one.
	Name string
	// Presence is Found when Size is known. Denied names the permission in Detail.
	Presence Presence
	Detail   string
	// Size is how many addresses can be used. It never shrinks, so that one of
	// yesterday still says what there is at least.
	Size int64
	// Counted tells that Taken was read, at most two minutes ago: how many of them
	// nobody can have now.
	Counted bool
	Taken   int64
}

// Gateway is one Cloud NAT that a service leaves through.
type Gateway struct {
	Source analysis.Source
	// NAT is its configuration and state, without what Monitoring and the plans of
	// others add: Allocated and Reserved.
	NAT nat.Gateway
	// Unread is why its addresses and endpoints in NAT are not known, for people; it
	// names the permission if one is missing. Empty when they are known. NAT may still
	// have the addresses of up to half an hour ago.
	Unread string
	// ReadAt is when addresses and endpoints were read, at most two minutes ago.
	ReadAt time.Time
}
