package show

import (
	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// gateways are the NAT gateways that an attempt watches: what is taken of what
// they have, and what the next weight would take.
func (s Screen) gateways(ro *v1alpha1.CloudRunRollout) []branch {
	var below []branch
	for _, g := range ro.Status.Gateways {
		below = append(below, branch{
			text:  g.Name + "  " + view.Place(g),
			below: []branch{{text: s.Ports(g)}},
		})
	}
	return below
}
