package view

import (
	"slices"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Neighbours are the other rollouts that are under way behind a gateway of this one, in
// the order that they come in. Those at rest watch no gateway, and raise nothing.
func Neighbours(ro *v1alpha1.CloudRunRollout, g v1alpha1.GatewayStatus, all []v1alpha1.CloudRunRollout) []v1alpha1.CloudRunRollout {
	// A name alone is no gateway: each router has its own.
	same := func(other v1alpha1.GatewayStatus) bool {
		return other.Project == g.Project && other.Region == g.Region && other.Router == g.Router && other.Name == g.Name
	}
	return slices.DeleteFunc(slices.Clone(all), func(other v1alpha1.CloudRunRollout) bool {
		return Name(&other) == Name(ro) || !slices.ContainsFunc(other.Status.Gateways, same)
	})
}
