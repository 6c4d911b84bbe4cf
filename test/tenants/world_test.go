package tenants_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/grpc"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/controllers"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/gateway"
	"github.com/sluice-rollouts/sluice/internal/monitoring"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

var (
	projects  = []string{"acme-prod", "acme-test"}
	locations = []string{"asia-northeast1", "europe-west1"}
	services  = []string{"web", "web-admin", "api"}
	networks  = []string{"acme-net", "bank-net"} // of the services of one project each
)

// scenario is a world where every project has every service in every location. The
// traffic of all of them leaves through NAT gateways of another project.
func scenario(seed uint64) simulator.Scenario {
	sc := simulator.Scenario{Seed: seed, Start: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	for i, project := range projects {
		for _, location := range locations {
			sc.Gateways = append(sc.Gateways, simulator.Gateway{
				Project: networks[i], Region: location, Network: "shared", Router: "r1", Name: "nat-1", AllocatedPorts: 640,
			})
			for _, name := range services {
				sc.Services = append(sc.Services, hosted(project, location, name, networks[i]))
			}
		}
	}
	return sc
}

func hosted(project, location, name, network string) simulator.Hosted {
	return simulator.Hosted{
		Project: project, Location: location, Name: name, Users: simulator.Users{RequestsPerSecond: 20},
		Revisions: []simulator.Deployment{{
			Image: "fine", Revision: name + "-1", Timeout: "60s",
			VPCAccess: &simulator.VPCAccess{Egress: "ALL_TRAFFIC", NetworkInterfaces: []simulator.NetworkInterface{{
				Network:    "projects/" + network + "/global/networks/shared",
				Subnetwork: "projects/" + network + "/regions/" + location + "/subnetworks/run",
			}}},
		}},
		Traffic: []simulator.TrafficTarget{{Type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", Revision: name + "-1", Percent: 100}},
		Images:  map[string]simulator.Behaviour{"failing": {Errors: []simulator.ErrorRate{{Percent: 20}}}},
	}
}

// sent is a request as it came in at the world's listener.
type sent struct {
	api    string // cloudrun, compute, vpcaccess or monitoring
	method string
	what   string // the path, or the resource's name and the filter
	filter string
}

func (s sent) String() string { return fmt.Sprintf("%s %s %s %s", s.api, s.method, s.what, s.filter) }

// listener notes everything that comes in, before anything answers it.
type listener struct {
	mu  sync.Mutex
	log []sent
}

func (l *listener) note(s sent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log = append(l.log, s)
}

// heard is what came in since the last time.
func (l *listener) heard() []sent {
	l.mu.Lock()
	defer l.mu.Unlock()
	log := l.log
	l.log = nil
	return log
}

func (l *listener) serve(t *testing.T, api string, next http.Handler) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.note(sent{api: api, method: r.Method, what: r.URL.Path})
		next.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// unary notes a call of Cloud Monitoring.
func (l *listener) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	call := sent{api: "monitoring", method: info.FullMethod, what: fmt.Sprint(req)}
	switch req := req.(type) {
	case *monitoringpb.ListTimeSeriesRequest:
		call.what, call.filter = req.GetName(), req.GetFilter()
	case *monitoringpb.GetMetricDescriptorRequest:
		call.what = req.GetName()
	}
	l.note(call)
	return next(ctx, req)
}

func (l *listener) serveMonitoring(t *testing.T, guard *wire.Guard) string {
	t.Helper()
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := wire.MonitoringServer(guard, grpc.UnaryInterceptor(l.unary))
	behind := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			l.note(sent{api: "monitoring", method: r.Method, what: r.URL.Path, filter: r.FormValue("query")})
		}
		behind.ServeHTTP(w, r)
	})
	go func() { _ = server.Serve(at) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + at.Addr().String()
}

// patience outlasts a machine that is busy: what a pass asks for comes in during the pass.
const patience = 5 * time.Minute

// clouds are the real clients, as main.go puts them together, in front of a listener.
func clouds(t *testing.T, guard *wire.Guard, l *listener) controllers.Cloud {
	t.Helper()
	now := told{guard}
	run, err := cloudrun.New(t.Context(), cloudrun.Options{
		Endpoint: l.serve(t, "cloudrun", wire.CloudRun(guard)), Clock: now, Timeout: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := monitoring.New(t.Context(), monitoring.Options{
		Endpoint: l.serveMonitoring(t, guard), Timeout: patience, Patience: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = metrics.Close() })
	gateways, err := gateway.New(t.Context(), gateway.Options{
		Endpoint: l.serve(t, "compute", wire.Compute(guard)), VPCAccess: l.serve(t, "vpcaccess", wire.VPCAccess(guard)),
		Clock: now, Timeout: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	return controllers.Cloud{
		Observer: run, Actuator: run, Metrics: metrics, Outlets: gateways,
		Watcher: cloudrun.NewWatch(run, func(err error) { t.Log("a list failed:", err) }),
	}
}

// told is the world's clock.
type told struct{ guard *wire.Guard }

var _ clock.PassiveClock = told{}

func (c told) Now() time.Time {
	now, _ := c.guard.Now()
	return now
}

func (c told) Since(t time.Time) time.Duration { return c.Now().Sub(t) }
