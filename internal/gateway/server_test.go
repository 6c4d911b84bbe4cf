package gateway

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	web  = rollout.ServiceRef{Project: "shop", Location: "europe-west1", Name: "web"}
	one  = analysis.Source{Project: "shop", Location: "europe-west1", Router: "r1", Gateway: "nat-1"}
)

const (
	region = "/compute/v1/projects/shop/regions/europe-west1"
	list   = region + "/routers"

	wholeNetwork = `"sourceSubnetworkIpRangesToNat":"ALL_SUBNETWORKS_ALL_IP_RANGES"`
	manual       = `"natIpAllocateOption":"MANUAL_ONLY",` + wholeNetwork
)

// routerJSON is a router of the default network with NATs on it.
func routerJSON(name string, nats ...string) string {
	return fmt.Sprintf(`{"name":%q,"network":"https://www.googleapis.com/compute/v1/projects/shop/global/networks/default",
		"selfLink":"https://www.googleapis.com/compute/v1/projects/shop/regions/europe-west1/routers/%s","nats":[%s]}`,
		name, name, strings.Join(nats, ","))
}

func natJSON(name, fields string) string { return fmt.Sprintf(`{"name":%q,%s}`, name, fields) }

func listJSON(routers ...string) string { return `{"items":[` + strings.Join(routers, ",") + `]}` }

const statusJSON = `{"kind":"compute#routerStatusResponse","result":{"natStatus":[
	{"name":"nat-1","userAllocatedNatIps":["203.0.113.1","203.0.113.2"],"numVmEndpointsWithNatMappings":100,"minExtraNatIpsNeeded":0}]}}`

// subnetJSON is a subnetwork of the default network.
func subnetJSON(name, fields string) string {
	return fmt.Sprintf(`{"name":%q,"network":"https://www.googleapis.com/compute/v1/projects/shop/global/networks/default"%s}`, name, fields)
}

// usual is a place where one NAT covers the default network.
func usual() *api {
	return &api{answers: map[string]string{
		list:                            listJSON(routerJSON("r1", natJSON("nat-1", manual))),
		list + "/r1":                    routerJSON("r1", natJSON("nat-1", manual)),
		list + "/r1/getRouterStatus":    statusJSON,
		region + "/subnetworks/default": subnetJSON("default", `,"ipCidrRange":"10.8.0.0/26"`),
		region + "/subnetworks/private": subnetJSON("private", ""),
	}}
}

// api is a transport that answers by path, and remembers what it was asked. An
// answer that begins with a number is an error of that status.
type api struct {
	mu       sync.Mutex
	answers  map[string]string
	header   http.Header
	requests []string
	views    []string
	agents   []string
	hold     chan struct{} // closed when answers may come
	lost     error
}

func (a *api) set(path, answer string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers[path] = answer
}

func (a *api) asked(path string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, r := range a.requests {
		if r == path {
			n++
		}
	}
	return n
}

func (a *api) RoundTrip(req *http.Request) (*http.Response, error) {
	a.mu.Lock()
	a.requests = append(a.requests, req.URL.Path)
	a.views = append(a.views, req.URL.Query().Get("views"))
	a.agents = append(a.agents, req.UserAgent()+" "+req.Header.Get("Authorization"))
	key := req.URL.Path
	if token := req.URL.Query().Get("pageToken"); token != "" {
		key += "?" + token
	}
	if view := req.URL.Query().Get("views"); view != "" && a.answers[key+"?views="+view] != "" {
		key += "?views=" + view
	}
	text, known := a.answers[key]
	lost, hold := a.lost, a.hold
	a.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	if lost != nil {
		return nil, lost
	}
	code := http.StatusOK
	if !known {
		code, text = http.StatusNotFound, problem("The resource was not found", "notFound")
	} else if _, err := fmt.Sscanf(text, "%d ", &code); err == nil {
		_, text, _ = strings.Cut(text, " ")
	}
	header := http.Header{"Content-Type": {"application/json"}}
	maps.Copy(header, a.header)
	return &http.Response{StatusCode: code, Header: header, Body: io.NopCloser(strings.NewReader(text)), Request: req}, nil
}

// problem is an error body as Compute writes it.
func problem(message, reason string) string {
	return fmt.Sprintf(`{"error":{"code":0,"message":%q,"errors":[{"message":%q,"domain":"global","reason":%q}]}}`, message, message, reason)
}

func denied(permission string) string {
	return "403 " + problem("Required '"+permission+"' permission for 'x'", "forbidden")
}

func dial(t *testing.T, below *api, edits ...func(*Options)) *Client {
	t.Helper()
	options := Options{Endpoint: "http://127.0.0.1:8080", VPCAccess: "http://127.0.0.1:8085", UserAgent: "sluice/test", Timeout: time.Second, Transport: below}
	for _, edit := range edits {
		edit(&options)
	}
	client, err := New(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// leaving is a revision whose whole traffic takes a VPC.
func leaving(vpc rollout.VPCAccess) rollout.Revision {
	return rollout.Revision{Presence: rollout.Found, Name: "web-1", Egress: rollout.EgressAll, VPC: vpc}
}

// out asks for the outlet of revisions, and fails when it cannot be asked for.
func out(t *testing.T, c *Client, now time.Time, revisions ...rollout.Revision) rollout.Outlet {
	t.Helper()
	got, err := c.Outlet(t.Context(), web, revisions, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
