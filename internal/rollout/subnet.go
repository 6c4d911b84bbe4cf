package rollout

import (
	"strings"

	"github.com/sluice-rollouts/sluice/internal/nat"
)

// subnet is what is known of the addresses that a revision's instances are given,
// beside a fleet of which some have theirs from the same subnetwork. Where nobody
// counted what is taken, or counted less than our own instances must have, these
// are what is taken at least: the addresses of others, and of instances that have
// ended, are not in it.
func (v view) subnet(revision string, f nat.Fleet) nat.Subnet {
	told, ok := v.Outlet.Subnets[revision]
	if !ok || told.Presence != Found {
		return nat.Subnet{}
	}
	own := int64(0)
	for name, instances := range map[string]int64{v.Progress.Stable: f.Stable, v.Progress.Candidate: f.Candidate} {
		if v.Outlet.Subnets[name].Name == told.Name {
			own += instances
		}
	}
	s := nat.Subnet{Name: told.Name[strings.LastIndex(told.Name, "/")+1:], Size: told.Size}
	if told.Counted {
		s.Taken = told.Taken
	}
	if least := nat.AddressesOf(own); !told.Counted || least > s.Taken {
		s.Taken, s.AtLeast = least, true
	}
	return s
}

// oneSubnet tells whether both revisions take addresses from the same subnetwork.
func (v view) oneSubnet() bool {
	stable, candidate := v.Outlet.Subnets[v.Progress.Stable], v.Outlet.Subnets[v.Progress.Candidate]
	return stable.Name != "" && stable.Name == candidate.Name
}

// subnetUnread says why nobody knows how many addresses the candidate's subnetwork
// has, or "" where it is known or may soon be.
func (v view) subnetUnread() string {
	told := v.Outlet.Subnets[v.Progress.Candidate]
	if told.Presence == Denied || told.Presence == Missing {
		return told.Detail
	}
	return ""
}
