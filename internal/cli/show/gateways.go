package show

import (
	"fmt"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// gateways are the NAT gateways that an attempt watches: what is taken of what
// they have, and what the next weight would take.
func (s Screen) gateways(ro *v1alpha1.CloudRunRollout) []branch {
	var below []branch
	for _, g := range ro.Status.Gateways {
		below = append(below, branch{
			text:  fmt.Sprintf("%s  router %s, %s, %s (%s)", g.Name, g.Router, g.Region, g.Project, strings.ToLower(string(g.Origin))),
			below: []branch{{text: s.ports(g)}},
		})
	}
	return below
}

// ports says what a gateway has, in one line.
func (s Screen) ports(g v1alpha1.GatewayStatus) string {
	parts := []string{fmt.Sprintf("%s allocated of %s ports", orUnknown(g.Allocated), capacity(g))}
	if g.Forecast != nil {
		parts = append(parts, number(*g.Forecast)+" forecast at the next weight")
	}
	if g.Headroom != nil {
		parts = append(parts, "room for "+number(*g.Headroom)+" more")
	}
	if g.Endpoints != nil {
		parts = append(parts, fmt.Sprintf("%s endpoints with %s ports each", number(*g.Endpoints), number(g.PortsPerEndpoint)))
	}
	parts = append(parts, "as of "+s.atOr(g.ObservedThrough, "never"))
	return strings.Join(parts, "; ")
}

func capacity(g v1alpha1.GatewayStatus) string {
	if g.Addressing == v1alpha1.AddressingAutomatic {
		return "as many as it needs"
	}
	return orUnknown(g.Capacity)
}

func orUnknown(n *int32) string {
	if n == nil {
		return "an unknown number"
	}
	return number(*n)
}
