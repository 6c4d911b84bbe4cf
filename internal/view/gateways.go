package view

import (
	"fmt"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Place says where a gateway is, and how it is known.
func Place(g v1alpha1.GatewayStatus) string {
	return fmt.Sprintf("router %s, %s, %s (%s)", g.Router, g.Region, g.Project, strings.ToLower(string(g.Origin)))
}

// Ports says what a gateway has, in one line: what is taken, what the next weight
// would take, and what there is room for.
func (r Reader) Ports(g v1alpha1.GatewayStatus) string {
	parts := []string{fmt.Sprintf("%s allocated of %s ports", orUnknown(g.Allocated), capacity(g))}
	if g.Forecast != nil {
		parts = append(parts, Number(*g.Forecast)+" forecast at the next weight")
	}
	if g.Headroom != nil {
		parts = append(parts, "room for "+Number(*g.Headroom)+" more")
	}
	if g.Endpoints != nil {
		parts = append(parts, fmt.Sprintf("%s endpoints with %s ports each", Number(*g.Endpoints), Number(g.PortsPerEndpoint)))
	}
	parts = append(parts, "as of "+r.AtOr(g.ObservedThrough, "never"))
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
	return Number(*n)
}
