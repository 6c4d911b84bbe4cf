package tenants_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/controllers"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/gateway"
	"github.com/sluice-rollouts/sluice/internal/identity"
	"github.com/sluice-rollouts/sluice/internal/kcc"
	"github.com/sluice-rollouts/sluice/internal/monitoring"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

var (
	projects  = []string{"acme-prod", "acme-test"}
	locations = []string{"asia-northeast1", "europe-west1"}
	services  = []string{"web", "web-admin", "api"}
	networks  = []string{"acme-net", "bank-net"} // of the services of one project each
	// images are what templates name, and runners whom they name.
	images   = []string{"gcr.io/shop/web", "gcr.io/shop-evil/web", "gcr.io/bank/web", "nginx", "gcr.io/shop/../bank/web"}
	runners  = []string{"", "web@acme-prod.iam.gserviceaccount.com", "web@acme-test.iam.gserviceaccount.com"}
	accounts = []string{"shop@acme-prod.iam.gserviceaccount.com", "bank@acme-test.iam.gserviceaccount.com"}
)

// scenario is a world where every project has every service in every location. The
// traffic of all of them leaves through NAT gateways of another project.
func scenario(seed uint64) simulator.Scenario {
	sc := simulator.Scenario{Seed: seed, Start: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	for _, email := range accounts {
		sc.Accounts = append(sc.Accounts, simulator.Account{Email: email, Projects: append(slices.Clone(projects), networks...)})
	}
	for i, project := range projects {
		for _, location := range locations {
			sc.Gateways = append(sc.Gateways, simulator.Gateway{
				Project: networks[i], Region: location, Network: "shared", Router: "r1", Name: "nat-1", AllocatedPorts: 640,
			})
			for _, name := range append([]string{keptService}, services...) {
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
		Images: map[string]simulator.Behaviour{
			"failing":         {Errors: []simulator.ErrorRate{{Percent: 20}}},
			images[2] + ":v1": {Errors: []simulator.ErrorRate{{Percent: 20}}},
		},
	}
}

// sent is a request as it came in at the world's listener.
type sent struct {
	api    string // cloudrun, compute, vpcaccess or monitoring
	method string
	what   string // the path, or the resource's name and the filter
	filter string
	mask   string // of a PATCH
	as     string // what the Authorization header says
	body   string // of a PATCH
}

func (s sent) String() string {
	return fmt.Sprintf("%s %s %s %s%s as %q: %s", s.api, s.method, s.what, s.filter, s.mask, s.as, s.body)
}

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
		call := sent{api: api, method: r.Method, what: r.URL.Path, mask: r.URL.Query().Get("updateMask"), as: r.Header.Get("Authorization")}
		if r.Method == http.MethodPatch {
			body, _ := io.ReadAll(r.Body) // what is cut short is for whoever answers
			call.body, r.Body = string(body), io.NopCloser(bytes.NewReader(body))
		}
		l.note(call)
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
	if told, ok := metadata.FromIncomingContext(ctx); ok {
		call.as = strings.Join(told.Get("authorization"), "")
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
			l.note(sent{api: "monitoring", method: r.Method, what: r.URL.Path, filter: r.FormValue("query"), as: r.Header.Get("Authorization")})
		}
		behind.ServeHTTP(w, r)
	})
	go func() { _ = server.Serve(at) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + at.Addr().String()
}

// patience outlasts a machine that is busy: what a pass asks for comes in during the pass.
const patience = 5 * time.Minute

// clouds are the real clients, as main.go puts them together, in front of a listener: for
// each account those of its own.
type clouds struct {
	run      *cloudrun.Client
	metrics  *monitoring.Client
	gateways *gateway.Client
	bureau   *identity.Bureau
	objects  dynamic.Interface // of the Kubernetes API
	clock    clock.PassiveClock
	known    map[string]controllers.Cloud
}

// open are the clouds of an account; "" is the manager's own.
func (c *clouds) open(ctx context.Context, ro *v1alpha1.CloudRunRollout, as string) (controllers.Cloud, error) {
	cloud, err := c.of(ctx, as)
	ref := ro.Spec.Target.RunServiceRef
	if err != nil || ref == nil {
		return cloud, err
	}
	live, ok := cloud.Observer.(*cloudrun.Client)
	if !ok {
		return cloud, fmt.Errorf("%T reads services", cloud.Observer)
	}
	target := kcc.New(kcc.Options{API: c.objects, Live: live, Clock: c.clock, Direct: true}).Target(ro.Namespace, ref.Name)
	return cloud.Through(target, target, target), nil
}

func (c *clouds) of(ctx context.Context, as string) (controllers.Cloud, error) {
	if known, ok := c.known[as]; ok {
		return known, nil
	}
	tokens := c.bureau.Of(as)
	run, err := c.run.As(ctx, tokens)
	metrics, metricsErr := c.metrics.As(ctx, tokens)
	gateways, gatewaysErr := c.gateways.As(ctx, tokens)
	c.known[as] = together(run, metrics, gateways)
	return c.known[as], errors.Join(err, metricsErr, gatewaysErr)
}

func together(run *cloudrun.Client, metrics *monitoring.Client, gateways *gateway.Client) controllers.Cloud {
	return controllers.Cloud{
		Observer: run, Actuator: run, Deployer: run, Metrics: metrics, Outlets: gateways, Watcher: cloudrun.NewWatch(run, func(error) {}),
	}
}

func newClouds(t *testing.T, guard *wire.Guard, l *listener, objects dynamic.Interface) *clouds {
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
	bureau, err := identity.New(t.Context(), identity.Options{Endpoint: l.serve(t, "iam", wire.IAMCredentials(guard)), Clock: clock.RealClock{}, Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	return &clouds{run, metrics, gateways, bureau, objects, now, map[string]controllers.Cloud{"": together(run, metrics, gateways)}}
}

// told is the world's clock.
type told struct{ guard *wire.Guard }

var _ clock.PassiveClock = told{}

func (c told) Now() time.Time {
	now, _ := c.guard.Now()
	return now
}

func (c told) Since(t time.Time) time.Duration { return c.Now().Sub(t) }
