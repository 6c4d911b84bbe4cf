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
