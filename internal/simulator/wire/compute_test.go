package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	compute "google.golang.org/api/compute/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

const netProject, tokyo = "acme-net", "asia-northeast1"

// routed is a world with three routers, which the real client reads over loopback.
func routed(t *testing.T) (*stage, *compute.Service, string) {
	t.Helper()
	sc := hosted()
	for i := range 3 {
		sc.Gateways = append(sc.Gateways, simulator.Gateway{
			Project: netProject, Region: tokyo, Network: "shared", Router: fmt.Sprintf("r%d", i+1), RouterID: "4611686018427387904",
			Name: fmt.Sprintf("nat-%d", i+1), Subnetworks: []string{fmt.Sprintf("run-%d", i+1)}, AllocatedPorts: 6400 * i,
		})
	}
	s := newStage(t, sc)
	server := httptest.NewServer(wire.Compute(s.guard))
	t.Cleanup(server.Close)
	client, err := compute.NewService(t.Context(), option.WithEndpoint(server.URL+"/compute/v1/"), option.WithHTTPClient(server.Client()))
	if err != nil {
		t.Fatal(err)
	}
	client.UserAgent = "contract-test"
	return s, client, server.URL
}

func TestTheRealClientReadsRouters(t *testing.T) {
	t.Parallel()
	s, client, _ := routed(t)
	var names []string
	err := client.Routers.List(netProject, tokyo).MaxResults(2).Pages(t.Context(), func(page *compute.RouterList) error {
		for _, r := range page.Items {
			names = append(names, r.Name+" "+r.Nats[0].Name)
		}
		return nil
	})
	if diff := cmp.Diff([]string{"r1 nat-1", "r2 nat-2", "r3 nat-3"}, names); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	router, err := client.Routers.Get(netProject, tokyo, "r2").Do()
	if err != nil || router.Id != 4611686018427387904 || router.Nats[0].Subnetworks[0].SourceIpRangesToNat[0] != "ALL_IP_RANGES" {
		t.Errorf("%+v, %v", router, err)
	}
	if got, want := router.Header.Get("Date"), recorded.Format(http.TimeFormat); got != want {
		t.Errorf("the answer is dated %q, the world's time is %q", got, want)
	}
	status, err := client.Routers.GetRouterStatus(netProject, tokyo, "r2").Do()
	if err != nil || status.Result.NatStatus[0].NumVmEndpointsWithNatMappings != 100 || len(status.Result.NatStatus[0].UserAllocatedNatIps) != 1 {
		t.Errorf("%+v, %v", status, err)
	}
	all, err := client.Routers.AggregatedList(netProject).Do()
	if err != nil || len(all.Items["regions/"+tokyo].Routers) != 3 {
		t.Errorf("%+v, %v", all, err)
	}
	subnet, err := client.Subnetworks.Get(netProject, tokyo, "run-2").Do()
	if err != nil || !strings.HasSuffix(subnet.Network, "projects/acme-net/global/networks/shared") || subnet.IpCidrRange == "" {
		t.Errorf("%+v, %v", subnet, err)
	}
	var operations []string
	s.guard.Do(func(w *simulator.World) {
		for _, e := range w.Log() {
			if e.Call != nil {
				operations = append(operations, e.Call.Operation)
				if e.Call.UserAgent == "" || e.Call.Code != http.StatusOK {
					t.Errorf("the log says %+v", e.Call)
				}
			}
		}
	})
	want := []string{
		"routers.list", "routers.list", "routers.get", "routers.getRouterStatus", "routers.aggregatedList", "subnetworks.get",
	}
	if diff := cmp.Diff(want, operations); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

func TestComputeRefusesInItsOwnForm(t *testing.T) {
	t.Parallel()
	const place = "projects/acme-net/regions/asia-northeast1/"
	get := func(c *compute.Service) error { _, err := c.Routers.Get(netProject, tokyo, "r1").Do(); return err }
	list := func(c *compute.Service) error { _, err := c.Routers.List(netProject, tokyo).Do(); return err }
	for name, c := range map[string]struct {
		fault   simulator.Fault
		ask     func(*compute.Service) error
		code    int
		reason  string
		message string
	}{
		"not found": {
			ask:  func(c *compute.Service) error { _, err := c.Routers.Get(netProject, tokyo, "r9").Do(); return err },
			code: 404, reason: "notFound", message: "The resource '" + place + "routers/r9' was not found",
		},
		"no permission": {
			simulator.Fault{Operation: "routers.get", Code: 403}, get, 403, "forbidden", "Required 'compute.routers.get' permission for '" + place + "routers/r1'",
		},
		"no permission to list": {
			simulator.Fault{Operation: "routers.list", Code: 403}, list, 403, "forbidden", "Required 'compute.routers.list' permission for '" + place + "routers'",
		},
		"no permission for a status": {
			simulator.Fault{Operation: "routers.getRouterStatus", Code: 403},
			func(c *compute.Service) error {
				_, err := c.Routers.GetRouterStatus(netProject, tokyo, "r1").Do()
				return err
			},
			403, "forbidden", "Required 'compute.routers.get' permission for '" + place + "routers/r1'",
		},
		"no permission for a project": {
			simulator.Fault{Operation: "routers.*", Code: 403},
			func(c *compute.Service) error { _, err := c.Routers.AggregatedList(netProject).Do(); return err },
			403, "forbidden", "Required 'compute.routers.list' permission for 'projects/acme-net'",
		},
		"over quota": {simulator.Fault{Operation: "routers.*", Code: 429}, get, 429, "rateLimitExceeded", "of service 'compute.googleapis.com'"},
		"over quota, as it was seen": {
			simulator.Fault{Operation: "routers.*", Code: 403, Message: "Quota exceeded for quota metric 'Read requests'"}, get, 403, "rateLimitExceeded", "Quota exceeded",
		},
		"unavailable":         {simulator.Fault{Operation: "routers.*", Code: 503}, get, 503, "backendError", "currently unavailable"},
		"a code that is rare": {simulator.Fault{Operation: "routers.*", Code: 418, Message: "tea"}, get, 418, "internalError", "tea"},
		"a method that is not there": {
			ask:  func(c *compute.Service) error { _, err := c.Networks.Get(netProject, "shared").Do(); return err },
			code: 404, reason: "notFound", message: "Method not found.",
		},
		"a page that is too large": {
			ask: func(c *compute.Service) error {
				_, err := c.Routers.List(netProject, tokyo).MaxResults(501).Do()
				return err
			},
			code: 400, reason: "invalid", message: "Invalid value for field 'maxResults': '501'",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, client, _ := routed(t)
			if c.fault.Operation != "" {
				c.fault.Kind, c.fault.RetryAfter = simulator.FaultError, 90e9
				s.guard.Do(func(w *simulator.World) {
					if err := w.Inject(c.fault); err != nil {
						t.Error(err)
					}
				})
			}
			var refused *googleapi.Error
			if err := c.ask(client); !errors.As(err, &refused) || refused.Code != c.code || !strings.Contains(refused.Message, c.message) ||
				len(refused.Errors) != 1 || refused.Errors[0].Reason != c.reason {
				t.Fatalf("%+v", refused)
			}
			if got := refused.Header.Get("Retry-After"); (got == "90") != (c.fault.Operation != "") {
				t.Errorf("Retry-After %q", got)
			}
		})
	}
}

func TestComputesErrorsHaveNoStatus(t *testing.T) {
	t.Parallel()
	_, _, address := routed(t)
	resp, err := http.Get(address + "/compute/v1/projects/x/regions/y/routers/z")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	var body map[string]map[string]any
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatal(err)
	}
	if _, ok := body["error"]["status"]; ok || body["error"]["code"] != 404.0 {
		t.Errorf("%s", raw)
	}
}

func TestFaultsOfCloudRunDoNotHitCompute(t *testing.T) {
	t.Parallel()
	s, client, _ := routed(t)
	s.guard.Do(func(w *simulator.World) {
		if err := w.Inject(simulator.Fault{Kind: simulator.FaultError, Code: 500, Times: -1}); err != nil {
			t.Error(err)
		}
	})
	if _, err := client.Routers.List(netProject, tokyo).Do(); err != nil {
		t.Error(err)
	}
	s.guard.Do(func(w *simulator.World) {
		w.ClearFaults()
		if err := w.Inject(simulator.Fault{Kind: simulator.FaultDrop, Operation: "routers.list", Times: -1}); err != nil {
			t.Error(err)
		}
	})
	if _, err := client.Routers.List(netProject, tokyo).Do(); err == nil {
		t.Error("an answer that was dropped arrives")
	}
}
