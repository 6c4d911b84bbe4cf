package gateway

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

func TestTheGatewayOfANetworkIsFoundAndRead(t *testing.T) {
	t.Parallel()
	below := usual()
	got := out(t, dial(t, below), noon, leaving(rollout.VPCAccess{Network: "default"}))
	want := rollout.Outlet{Presence: rollout.Found, Gateways: []rollout.Gateway{{
		Source: one, NAT: nat.Gateway{Name: "nat-1", IPs: 2, Endpoints: 100}, ReadAt: noon,
	}}, Subnets: map[string]rollout.Subnet{"web-1": {
		Name: "projects/shop/regions/europe-west1/subnetworks/default", Presence: rollout.Found, Size: 60,
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outlet (-want +got):\n%s", diff)
	}
	asked := []string{list, list + "/r1/getRouterStatus", region + "/subnetworks/default"}
	if diff := cmp.Diff(asked, slices.Sorted(slices.Values(below.requests))); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if agent := below.agents[0]; !strings.Contains(agent, "sluice/test") || !strings.HasSuffix(agent, " ") {
		t.Errorf("user agent and authorization %q", agent)
	}
}

func TestOnlyTrafficThatPassesNATIsLookedAfter(t *testing.T) {
	t.Parallel()
	vpc := rollout.VPCAccess{Network: "default"}
	below := usual()
	client := dial(t, below)
	got := out(t, client, noon,
		rollout.Revision{Presence: rollout.Found, Egress: rollout.EgressPrivate, VPC: vpc},
		rollout.Revision{Presence: rollout.Found, Egress: rollout.EgressNone},
		rollout.Revision{Presence: rollout.Missing, Egress: rollout.EgressAll, VPC: vpc},
	)
	if diff := cmp.Diff(rollout.Outlet{Presence: rollout.Found}, got); diff != "" || len(below.requests) > 0 {
		t.Errorf("asked %q (-want +got):\n%s", below.requests, diff)
	}
	got = out(t, client, noon, leaving(vpc), rollout.Revision{Presence: rollout.Denied, Name: "web-2", Why: "no"})
	if got.Presence != rollout.Unknown || len(got.Gateways) != 1 || got.Detail != "revision web-2 could not be read: no" {
		t.Errorf("beside an unread revision: %+v", got)
	}
}

func TestTwoRevisionsCanLeaveByTwoGateways(t *testing.T) {
	t.Parallel()
	below := usual()
	below.set(list, listJSON(
		routerJSON("r1", natJSON("nat-1", `"natIpAllocateOption":"MANUAL_ONLY","sourceSubnetworkIpRangesToNat":"LIST_OF_SUBNETWORKS",
			"subnetworks":[{"name":"https://www.googleapis.com/compute/v1/projects/shop/regions/europe-west1/subnetworks/a"}]`)),
		routerJSON("r2", natJSON("nat-2", `"natIpAllocateOption":"AUTO_ONLY","sourceSubnetworkIpRangesToNat":"LIST_OF_SUBNETWORKS",
			"subnetworks":[{"name":"https://www.googleapis.com/compute/v1/projects/shop/regions/europe-west1/subnetworks/b"}]`)),
	))
	below.set(list+"/r2/getRouterStatus", `{"result":{"natStatus":[{"name":"nat-2","autoAllocatedNatIps":["203.0.113.9"],"numVmEndpointsWithNatMappings":3}]}}`)
	client := dial(t, below)
	a, b := rollout.VPCAccess{Network: "default", Subnetwork: "a"}, rollout.VPCAccess{Network: "default", Subnetwork: "b"}
	got := out(t, client, noon, leaving(a), leaving(b), leaving(a))
	if got.Presence != rollout.Found || len(got.Gateways) != 2 {
		t.Fatalf("%+v", got)
	}
	if second := got.Gateways[1]; second.Source.Gateway != "nat-2" || !second.NAT.Auto || second.NAT.IPs != 1 || second.NAT.Endpoints != 3 {
		t.Errorf("the second gateway: %+v", second)
	}
	got = out(t, client, noon, leaving(a), leaving(rollout.VPCAccess{Network: "default", Subnetwork: "c"}))
	if got.Presence != rollout.Missing || got.Ambiguous || len(got.Gateways) != 1 {
		t.Errorf("the worse one does not decide: %+v", got)
	}
}

func TestASubnetworkSaysItsNetwork(t *testing.T) {
	t.Parallel()
	below := usual()
	client := dial(t, below)
	for range 2 {
		if got := out(t, client, noon, leaving(rollout.VPCAccess{Subnetwork: "private"})); got.Presence != rollout.Found || len(got.Gateways) != 1 {
			t.Fatalf("%+v", got)
		}
	}
	if n := below.asked(region + "/subnetworks/private"); n != 1 {
		t.Errorf("the subnetwork was read %d times", n)
	}
	if got := out(t, client, noon, leaving(rollout.VPCAccess{Subnetwork: "none"})); got.Presence != rollout.Missing ||
		!strings.Contains(got.Detail, "reading subnetwork none of shop in europe-west1: not found") {
		t.Errorf("%+v", got)
	}
	below.set(region+"/subnetworks/odd", `{"name":"odd","network":"a/b/c"}`)
	if got := out(t, client, noon, leaving(rollout.VPCAccess{Subnetwork: "odd"})); got.Presence != rollout.Unknown {
		t.Errorf("%+v", got)
	}
}

func TestASharedVPCIsLookedForInItsHostProject(t *testing.T) {
	t.Parallel()
	const host = "/compute/v1/projects/acme-net/regions/europe-west1/routers"
	router := strings.ReplaceAll(routerJSON("r1", natJSON("nat-1", manual)), "projects/shop", "projects/acme-net")
	for name, vpc := range map[string]rollout.VPCAccess{
		"both in full": {
			Network: "projects/acme-net/global/networks/default", Subnetwork: "projects/acme-net/regions/europe-west1/subnetworks/run",
		},
		"the network in full":    {Network: "projects/acme-net/global/networks/default", Subnetwork: "run"},
		"the network as a URL":   {Network: "https://www.googleapis.com/compute/v1/projects/acme-net/global/networks/default"},
		"the subnetwork in full": {Network: "default", Subnetwork: "projects/acme-net/regions/europe-west1/subnetworks/run"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			below := &api{answers: map[string]string{host: listJSON(router), host + "/r1/getRouterStatus": statusJSON}}
			got := out(t, dial(t, below), noon, leaving(vpc))
			want := analysis.Source{Project: "acme-net", Location: "europe-west1", Router: "r1", Gateway: "nat-1"}
			if got.Presence != rollout.Found || len(got.Gateways) != 1 || got.Gateways[0].Source != want || got.Gateways[0].Unread != "" {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAProjectNumberBecomesTheIDThatMetricsHave(t *testing.T) {
	t.Parallel()
	const numbered = "/compute/v1/projects/123456/regions/europe-west1/routers"
	below := usual()
	below.set(numbered, below.answers[list])
	got := out(t, dial(t, below), noon, leaving(rollout.VPCAccess{Network: "projects/123456/global/networks/default"}))
	if got.Presence != rollout.Found || len(got.Gateways) != 1 || got.Gateways[0].Source != one {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsNotFoundSaysWhyAndWhatToDo(t *testing.T) {
	t.Parallel()
	byDefault := rollout.VPCAccess{Network: "default"}
	cases := map[string]struct {
		path, answer string
		vpc          rollout.VPCAccess
		want         rollout.Presence
		ambiguous    bool
		detail       string
	}{
		"no router": {
			list, `{}`, byDefault, rollout.Missing, false,
			"no Cloud NAT covers subnetwork default of network default of shop in europe-west1",
		},
		"two that cover": {
			list, listJSON(routerJSON("r1", natJSON("nat-1", manual)), routerJSON("r2", natJSON("nat-2", manual))), byDefault,
			rollout.Missing, true, "nat-1 on router r1 and nat-2 on router r2 both cover",
		},
		"one that may cover": {
			list, listJSON(routerJSON("r1", natJSON("nat-1", manual), natJSON("nat-2", `"sourceSubnetworkIpRangesToNat":"SOME"`))), byDefault,
			rollout.Missing, true, `its sourceSubnetworkIpRangesToNat "SOME" is not known to this version of Sluice: name the gateway in spec.nat.gateways`,
		},
		"no network": {list, `{}`, rollout.VPCAccess{}, rollout.Missing, true, "does not say by which one network revision web-1 leaves (no network, subnetwork or connector)"},
		"a name that is not sent": {
			list, `{}`, rollout.VPCAccess{Network: "default/../x"}, rollout.Missing, true, `(network "default/../x")`,
		},
		"no permission to list": {
			list, denied("compute.routers.list"), byDefault, rollout.Denied, false,
			"listing the routers of shop in europe-west1: access denied: Required 'compute.routers.list' permission for 'x'; " +
				"the manager's identity needs compute.routers.list in project shop",
		},
		"no permission for the subnetwork": {
			region + "/subnetworks/private", denied("compute.subnetworks.get"),
			rollout.VPCAccess{Subnetwork: "private"},
			rollout.Denied, false,
			"needs compute.subnetworks.get in project shop",
		},
		"a region that is none": {
			list, "400 " + problem("Invalid value for field 'region': 'x'. Unknown region.", "invalid"), byDefault, rollout.Missing, false,
			"Unknown region.: name the gateway in spec.nat.gateways",
		},
		"a token that was refused": {list, "401 " + problem("who", "authError"), byDefault, rollout.Unknown, false, "access denied: who"},
		"over quota":               {list, "429 " + problem("slow down", "rateLimitExceeded"), byDefault, rollout.Unknown, false, "over quota: slow down"},
		"over quota, said with 403": {
			list, "403 " + problem("Quota exceeded", "rateLimitExceeded"), byDefault, rollout.Unknown, false, "over quota: Quota exceeded",
		},
		"an error of Compute":     {list, "503 oops", byDefault, rollout.Unknown, false, "unavailable: HTTP 503 Service Unavailable"},
		"a proxy's page":          {list, "404 <html>", byDefault, rollout.Unknown, false, "unusable answer: HTTP 404 Not Found"},
		"a redirect":              {list, "302 -", byDefault, rollout.Unknown, false, "unusable answer: HTTP 302 Found"},
		"no JSON":                 {list, "<html>", byDefault, rollout.Unknown, false, "unusable answer"},
		"another type":            {list, `{"items":{"a":1}}`, byDefault, rollout.Unknown, false, "unusable answer"},
		"a null for a router":     {list, `{"items":[null]}`, byDefault, rollout.Unknown, false, "a router without a name"},
		"a router in no network":  {list, listJSON(`{"name":"r9","network":"?"}`), byDefault, rollout.Unknown, false, `network "?" of router r9`},
		"a NAT without a name":    {list, listJSON(routerJSON("r1", `{}`)), byDefault, rollout.Unknown, false, "a NAT without a name"},
		"more than is let in":     {list, `{"id":"` + strings.Repeat("x", maxAnswer) + `"}`, byDefault, rollout.Unknown, false, "listing the routers"},
		"pages without an end":    {list + "?more", `{"nextPageToken":"more"}`, rollout.VPCAccess{Network: "paged"}, rollout.Unknown, false, "more than 10 pages"},
		"a line that would break": {list, "403 " + problem("a\nb\u202ec", "forbidden"), byDefault, rollout.Denied, false, "access denied: a b c"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			below := usual()
			below.set(c.path, c.answer)
			if c.vpc.Network == "paged" {
				below.set(list, c.answer)
			}
			got := out(t, dial(t, below), noon, leaving(c.vpc))
			if got.Presence != c.want || got.Ambiguous != c.ambiguous || !strings.Contains(got.Detail, c.detail) || len(got.Gateways) > 0 {
				t.Errorf("got %+v, want %s, %v, %s", got, c.want, c.ambiguous, c.detail)
			}
		})
	}
}

func TestAGatewayWhoseStatusIsNotKnownIsKnownByName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"denied":                        {denied("compute.routers.get"), "needs compute.routers.get in project shop"},
		"an error of Compute":           {"500 oops", "reading the status of router r1 of shop in europe-west1: unavailable"},
		"a router that is gone":         {"404 " + problem("gone", "notFound"), "not found: gone"},
		"no status":                     {`{}`, "answer is no status"},
		"a status without the NAT":      {`{"result":{"natStatus":[null,{"name":"nat-9"}]}}`, "its router does not report on it"},
		"a negative number":             {`{"result":{"natStatus":[{"name":"nat-1","numVmEndpointsWithNatMappings":-1}]}}`, "negative number"},
		"a number that is none":         {`{"result":{"natStatus":[{"name":"nat-1","numVmEndpointsWithNatMappings":"many"}]}}`, "unusable answer"},
		"an answer that is no document": {`]`, "unusable answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			below := usual()
			below.set(list+"/r1/getRouterStatus", c[0])
			got := out(t, dial(t, below), noon, leaving(rollout.VPCAccess{Network: "default"}))
			if got.Presence != rollout.Found || len(got.Gateways) != 1 || got.Gateways[0].Source != one {
				t.Fatalf("%+v", got)
			}
			if g := got.Gateways[0]; !strings.Contains(g.Unread, c[1]) || !g.ReadAt.IsZero() {
				t.Errorf("unread %q at %v, want %q", g.Unread, g.ReadAt, c[1])
			}
		})
	}
}

func TestAListOfRoutersIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	below := usual()
	below.set(list, `{"items":[`+routerJSON("r0")+`],"nextPageToken":"2"}`)
	below.set(list+"?2", listJSON(routerJSON("r1", natJSON("nat-1", manual))))
	if got := out(t, dial(t, below), noon, leaving(rollout.VPCAccess{Network: "default"})); got.Presence != rollout.Found || below.asked(list) != 2 {
		t.Errorf("%+v after %q", got, below.requests)
	}
}

func TestNamedGatewaysAreReadWithoutDiscovery(t *testing.T) {
	t.Parallel()
	named := func(project, router, gateway string) analysis.Source {
		return analysis.Source{Project: project, Location: "europe-west1", Router: router, Gateway: gateway}
	}
	cases := map[string]struct {
		source analysis.Source
		router string
		want   rollout.Presence
		known  int
		detail string
	}{
		"found":              {one, "", rollout.Found, 1, ""},
		"no such router":     {named("shop", "r9", "nat-1"), "", rollout.Missing, 0, "not found: The resource was not found: correct spec.nat.gateways"},
		"no such NAT":        {named("shop", "r1", "nat-9"), "", rollout.Missing, 0, "router r1 of shop in europe-west1 has no Cloud NAT nat-9; it has nat-1"},
		"no NAT at all":      {one, routerJSON("r1"), rollout.Missing, 0, "it has none"},
		"no name":            {named("shop", "r1/../r2", "nat-1"), "", rollout.Missing, 0, "is no name of a router"},
		"denied":             {one, denied("compute.routers.get"), rollout.Denied, 1, "needs compute.routers.get in project shop"},
		"unavailable":        {one, "503 oops", rollout.Unknown, 1, "unavailable"},
		"private":            {one, routerJSON("r1", natJSON("nat-1", `"type":"PRIVATE"`)), rollout.Missing, 0, `(type "PRIVATE"`},
		"another router":     {one, routerJSON("r2"), rollout.Unknown, 1, "answer is not the router asked for"},
		"of an unknown type": {one, routerJSON("r1", natJSON("nat-1", manual+`,"type":"NEW"`)), rollout.Found, 1, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			below := usual()
			if c.router != "" {
				below.set(list+"/r1", c.router)
			}
			got, err := dial(t, below).Outlet(t.Context(), web, nil, []analysis.Source{c.source}, noon)
			if err != nil || got.Presence != c.want || len(got.Gateways) != c.known || !strings.Contains(got.Detail, c.detail) {
				t.Errorf("got %+v, %v, want %s with %d and %q", got, err, c.want, c.known, c.detail)
			}
			if slices.Contains(below.requests, list) {
				t.Error("routers were listed")
			}
			for _, g := range got.Gateways {
				if (g.Unread == "") != (c.want == rollout.Found) {
					t.Errorf("gateway %+v", g)
				}
			}
		})
	}
}

func TestAPassThatEndedIsNoAnswer(t *testing.T) {
	t.Parallel()
	below := usual()
	below.hold = make(chan struct{})
	client := dial(t, below)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client.Outlet(ctx, web, []rollout.Revision{leaving(rollout.VPCAccess{Network: "default"})}, nil, noon)
	if !errors.Is(err, google.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	close(below.hold)
	if got := out(t, client, noon, leaving(rollout.VPCAccess{Network: "default"})); got.Presence != rollout.Found {
		t.Errorf("the next pass pays for it: %+v", got)
	}
}

func TestCallsAreCountedByMethodAndCode(t *testing.T) {
	t.Parallel()
	below := usual()
	client := dial(t, below)
	out(t, client, noon, leaving(rollout.VPCAccess{Subnetwork: "private"}), leaving(rollout.VPCAccess{Connector: "out"}))
	below.lost = http.ErrHandlerTimeout
	if _, err := client.Outlet(t.Context(), web, nil, []analysis.Source{one}, noon); err != nil {
		t.Fatal(err)
	}
	want := `
# HELP sluice_gcp_requests_total Calls of Google's APIs by this process, by method and by the code they were answered with.
# TYPE sluice_gcp_requests_total counter
sluice_gcp_requests_total{api="compute",code="200",method="routers.getRouterStatus"} 1
sluice_gcp_requests_total{api="compute",code="200",method="routers.list"} 1
sluice_gcp_requests_total{api="compute",code="200",method="subnetworks.get"} 1
sluice_gcp_requests_total{api="compute",code="none",method="routers.get"} 1
sluice_gcp_requests_total{api="vpcaccess",code="404",method="connectors.get"} 1
`
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(client.Counters()...)
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
