package gateway

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const connectors = "/v1/projects/acme-net/locations/europe-west1/connectors/link"

// hosted is usual in the host project of a shared VPC, with a connector.
func hosted() *api {
	below := &api{answers: map[string]string{}}
	for path, answer := range usual().answers {
		below.set(strings.ReplaceAll(path, "projects/shop", "projects/acme-net"), strings.ReplaceAll(answer, "projects/shop", "projects/acme-net"))
	}
	below.set(connectors, `{"name":"projects/acme-net/locations/europe-west1/connectors/link","subnet":{"name":"private"}}`)
	return below
}

// only says of all projects but a few that they must not be looked into.
func only(projects ...string) func(project string) string {
	return func(project string) string {
		if slices.Contains(projects, project) {
			return ""
		}
		return project + " is not among spec.networkProjects of CloudRunAccess webs; the platform team would add " + project + " there"
	}
}

// TestNothingIsAskedOrToldOfAProjectThatIsNotBound, by whichever way it is met, and
// though it is known from somebody who may look into it.
func TestNothingIsAskedOrToldOfAProjectThatIsNotBound(t *testing.T) {
	t.Parallel()
	const says = "acme-net is not among spec.networkProjects of CloudRunAccess webs; the platform team would add acme-net there"
	of := analysis.Source{Project: "acme-net", Location: "europe-west1", Router: "r1", Gateway: "nat-1"}
	for name, c := range map[string]struct {
		vpc   rollout.VPCAccess
		named []analysis.Source
	}{
		"its routers":      {rollout.VPCAccess{Network: "projects/acme-net/global/networks/default"}, nil},
		"its subnetworks":  {rollout.VPCAccess{Subnetwork: "projects/acme-net/regions/europe-west1/subnetworks/default"}, nil},
		"its connectors":   {rollout.VPCAccess{Connector: "projects/acme-net/locations/europe-west1/connectors/link"}, nil},
		"a named gateway":  {rollout.VPCAccess{}, []analysis.Source{of}},
		"one beside a VPC": {rollout.VPCAccess{Network: "projects/acme-net/global/networks/default"}, []analysis.Source{of}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			below := hosted()
			client := dial(t, below)
			look := func(projects ...string) rollout.Outlet {
				ctx := Within(t.Context(), only(projects...))
				got, err := client.Outlet(ctx, web, []rollout.Revision{leaving(c.vpc)}, c.named, noon)
				if err != nil {
					t.Fatal(err)
				}
				return got
			}
			refused := func() {
				t.Helper()
				got := look("shop")
				if got.Presence != rollout.Denied || !strings.Contains(got.Detail, says) {
					t.Errorf("%+v", got)
				}
				for _, g := range got.Gateways {
					if g.Unread == "" || g.NAT.IPs != 0 || g.NAT.Ports != 0 {
						t.Errorf("it is told %+v", g)
					}
				}
				for _, s := range got.Subnets {
					if s.Presence != rollout.Denied || s.Size != 0 || !strings.Contains(s.Detail, says) {
						t.Errorf("it is told %+v", s)
					}
				}
			}
			refused()
			if len(below.requests) > 0 {
				t.Fatalf("sent %q", below.requests)
			}
			if got := look("shop", "acme-net"); got.Presence != rollout.Found || len(got.Gateways) != 1 || got.Gateways[0].Unread != "" {
				t.Fatalf("with access: %+v", got)
			}
			refused()
		})
	}
}

// TestARouterWhoseProjectIsKnownByNumberIsBoundByBothNames: what the number led to is
// read by the ID.
func TestARouterWhoseProjectIsKnownByNumberIsBoundByBothNames(t *testing.T) {
	t.Parallel()
	below := usual()
	below.set("/compute/v1/projects/123456/regions/europe-west1/routers", below.answers[list])
	client := dial(t, below)
	numbered := []rollout.Revision{leaving(rollout.VPCAccess{Network: "projects/123456/global/networks/default"})}
	look := func(ctx context.Context) rollout.Gateway {
		got, err := client.Outlet(ctx, web, numbered, nil, noon)
		if err != nil || len(got.Gateways) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		return got.Gateways[0]
	}
	look(t.Context()) // so that the status is known
	g := look(Within(t.Context(), only("123456")))
	if !strings.Contains(g.Unread, "CloudRunAccess webs; the platform team would add shop there") || g.NAT.IPs != 0 {
		t.Errorf("%+v", g)
	}
}
