package wire_test

import (
	"errors"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	vpcaccess "google.golang.org/api/vpcaccess/v1"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

const connectors = "projects/acme-net/locations/asia-northeast1/connectors/"

// connected is a world with connectors, which the real client reads over loopback.
func connected(t *testing.T) (*stage, *vpcaccess.Service) {
	t.Helper()
	sc := hosted()
	sc.Network = &simulator.Network{
		Subnetworks: []simulator.Subnet{
			{Project: netProject, Region: tokyo, Network: "shared", Name: "out", Range: netip.MustParsePrefix("10.9.0.0/28")},
			{Project: netProject, Region: tokyo, Network: "shared", Name: "aet", Range: netip.MustParsePrefix("10.9.1.0/28")},
		},
		Connectors: []simulator.Connector{
			{Project: "acme-prod", Name: "c1", Subnetwork: "out"}, {Name: "c2", Subnetwork: "aet", Machines: 3, Hidden: true},
		},
	}
	s := newStage(t, sc)
	server := httptest.NewServer(wire.VPCAccess(s.guard))
	t.Cleanup(server.Close)
	client, err := vpcaccess.NewService(t.Context(), option.WithEndpoint(server.URL), option.WithHTTPClient(server.Client()))
	if err != nil {
		t.Fatal(err)
	}
	return s, client
}

func TestTheRealClientReadsConnectors(t *testing.T) {
	t.Parallel()
	_, client := connected(t)
	const ofService = "projects/acme-prod/locations/asia-northeast1/connectors/c1"
	for name, want := range map[string]*vpcaccess.Connector{
		ofService: {
			Name: ofService, State: "READY", MachineType: "e2-micro", MinInstances: 2, MaxInstances: 2,
			Subnet: &vpcaccess.Subnet{Name: "out", ProjectId: netProject},
		},
		connectors + "c2": {
			Name: connectors + "c2", State: "READY", MachineType: "e2-micro", MinInstances: 3, MaxInstances: 3,
			Network: "shared", IpCidrRange: "10.9.1.0/28",
		},
	} {
		got, err := client.Projects.Locations.Connectors.Get(name).Do()
		if err != nil {
			t.Fatal(err)
		}
		got.ServerResponse = googleapi.ServerResponse{}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestHowServerlessVPCAccessRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		connector string
		fault     simulator.Fault
		code      int
		text      string
	}{
		"no such connector":           {"c9", simulator.Fault{}, 404, "The resource '" + connectors + "c9' was not found"},
		"another project's":           {"c1", simulator.Fault{}, 404, "was not found"},
		"denied":                      {"c2", simulator.Fault{Operation: "connectors.get", Code: 403}, 403, "Permission 'vpcaccess.connectors.get' denied on resource '" + connectors + "c2'"},
		"over quota":                  {"c2", simulator.Fault{Operation: "connectors.*", Code: 429}, 429, "of service 'vpcaccess.googleapis.com'"},
		"a fault of Cloud Run is not": {"c2", simulator.Fault{Code: 503}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, client := connected(t)
			if c.fault.Code != 0 {
				c.fault.Kind, c.fault.Times = simulator.FaultError, -1
				s.guard.Do(func(w *simulator.World) {
					if err := w.Inject(c.fault); err != nil {
						t.Error(err)
					}
				})
			}
			_, err := client.Projects.Locations.Connectors.Get(connectors + c.connector).Do()
			var refused *googleapi.Error
			if got := errors.As(err, &refused); got != (c.code != 0) || got && (refused.Code != c.code || !strings.Contains(refused.Message, c.text)) {
				t.Errorf("%v", err)
			}
		})
	}
	_, client := connected(t)
	if _, err := client.Projects.Locations.Connectors.List("projects/acme-net/locations/asia-northeast1").Do(); err == nil || !strings.Contains(err.Error(), "Method not found") {
		t.Error(err)
	}
}
