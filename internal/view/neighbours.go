package view

import (
	"slices"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Neighbours are the rollouts that are under way behind a gateway of this one, in the
// order that they come in. Those at rest watch no gateway, and raise nothing.
func Neighbours(ro *v1alpha1.CloudRunRollout, all []v1alpha1.CloudRunRollout) []v1alpha1.CloudRunRollout {
	var found []v1alpha1.CloudRunRollout
	for _, other := range all {
		if Name(&other) != Name(ro) && len(Shared(ro, &other)) > 0 {
			found = append(found, other)
		}
	}
	return found
}

// Shared are the names of the gateways that two rollouts both watch.
func Shared(a, b *v1alpha1.CloudRunRollout) []string {
	var names []string
	for _, one := range a.Status.Gateways {
		same := func(g v1alpha1.GatewayStatus) bool {
			return g.Project == one.Project && g.Region == one.Region && g.Router == one.Router && g.Name == one.Name
		}
		if slices.ContainsFunc(b.Status.Gateways, same) {
			names = append(names, one.Name)
		}
	}
	return names
}
