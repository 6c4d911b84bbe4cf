package view_test

import (
	"slices"
	"testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// behind is a rollout that watches gateways, each "project/region/router/name".
func behind(name string, gateways ...[4]string) v1alpha1.CloudRunRollout {
	ro := v1alpha1.CloudRunRollout{}
	ro.Namespace, ro.Name = "pay", name
	for _, g := range gateways {
		ro.Status.Gateways = append(ro.Status.Gateways, v1alpha1.GatewayStatus{Project: g[0], Region: g[1], Router: g[2], Name: g[3]})
	}
	return ro
}

// TestNeighboursAreBehindTheVerySameGateway: a name alone is no gateway, since each
// router has its own.
func TestNeighboursAreBehindTheVerySameGateway(t *testing.T) {
	t.Parallel()
	nat, other := [4]string{"net", "r1", "router", "nat-1"}, [4]string{"net", "r1", "router", "nat-2"}
	ro := behind("api", nat, other)
	all := []v1alpha1.CloudRunRollout{
		ro, behind("web", nat), behind("both", other, nat), behind("rests"),
		behind("elsewhere", [4]string{"net", "r2", "router", "nat-1"}), behind("another-router", [4]string{"net", "r1", "router-2", "nat-1"}),
		behind("another-project", [4]string{"lab", "r1", "router", "nat-1"}),
	}
	for i, want := range [][]string{{"web", "both"}, {"both"}} {
		var names []string
		for _, n := range view.Neighbours(&ro, ro.Status.Gateways[i], all) {
			names = append(names, n.Name)
		}
		if !slices.Equal(names, want) {
			t.Errorf("behind %s: %v, want %v", ro.Status.Gateways[i].Name, names, want)
		}
	}
	if len(all) != 7 || all[0].Name != "api" {
		t.Errorf("the list was changed: %v", all)
	}
}
