package rollout

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// Outlet is what is known of the way by which a service's public traffic leaves
// its VPC.
type Outlet struct {
	// Presence is Found when every gateway is known by name: of what each of them
	// has to give, Gateway tells. Missing is a fact that somebody must mend: no
	// gateway covers the subnetwork, or nobody can tell which. Denied names the
	// permission in Detail. Unknown may pass.
	Presence Presence
	// Ambiguous is set with Missing when there is more than one gateway that it
	// could be, or no way to tell.
	Ambiguous bool
	// Detail is one sentence for people when not Found: what was looked for and
	// where, the API's own words, and what to write or grant.
	Detail string
	// Gateways are the ones that are known, also when others are not.
	Gateways []Gateway
}

// Gateway is one Cloud NAT that a service leaves through.
type Gateway struct {
	Source analysis.Source
	// Unread is why nothing is known of its addresses and ports, as a sentence for
	// people that names the permission if one is missing. It is empty when they are
	// known.
	Unread string
	// ReadAt is when its state was read.
	ReadAt time.Time
}
