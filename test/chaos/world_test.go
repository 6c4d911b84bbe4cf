package chaos

import (
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/grpc"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
	"github.com/sluice-rollouts/sluice/test/witness"
)

const (
	// speed is how much faster than real time the world lives.
	speed = 100

	caller  = "sluice@acme-prod.iam.gserviceaccount.com"
	service = "projects/acme-prod/locations/asia-northeast1/services/web"
)

const town = `
caller: ` + caller + `
accounts:
- {email: ` + tenant + `, projects: [acme-prod]}
services:
- project: acme-prod
  location: asia-northeast1
  name: web
  users: {requestsPerSecond: 20}
  revisions:
  - {image: web:1, revision: web-1, timeout: 60s}
  traffic:
  - {type: TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION, revision: web-1, percent: 100}
  images:
    web:bad: {errors: [{percent: 10}]}
`

// world is the simulated cloud, and where it is served.
type world struct {
	t                                    *testing.T
	guard                                *wire.Guard
	witness                              *witness.Witness
	metrics, compute, control, vpcAccess string
	iam                                  string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	sc, err := simulator.ParseScenario([]byte(town))
	if err != nil {
		t.Fatal(err)
	}
	sim, err := simulator.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	sim.Advance(10 * time.Minute) // so that there is something to be seen
	w := &world{t: t, guard: wire.NewGuard(sim, clock.RealClock{})}
	w.witness = witness.New(w.guard, witness.Scope{
		Project: "acme-prod", Location: "asia-northeast1", Service: "web", Callers: []string{caller, tenant}, From: sim.Start(),
	})
	control, compute := httptest.NewServer(wire.Control(w.guard)), httptest.NewServer(wire.Compute(w.guard))
	access := httptest.NewServer(wire.VPCAccess(w.guard))
	t.Cleanup(control.Close)
	t.Cleanup(compute.Close)
	t.Cleanup(access.Close)
	iam := httptest.NewServer(wire.IAMCredentials(w.guard))
	t.Cleanup(iam.Close)
	w.control, w.compute, w.vpcAccess, w.iam = control.URL, compute.URL, access.URL, iam.URL
	w.serveMetrics()
	w.guard.SetSpeed(speed)
	t.Cleanup(func() { w.guard.SetSpeed(0) })
	return w
}

func (w *world) serveMetrics() {
	w.t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	server := grpc.NewServer()
	monitoringpb.RegisterMetricServiceServer(server, wire.NewMonitoring(wire.Metrics(w.guard)))
	go func() { _ = server.Serve(listener) }()
	w.t.Cleanup(server.Stop)
	w.metrics = "http://" + listener.Addr().String()
}

func (w *world) deploy(image, revision string) {
	w.t.Helper()
	var err error
	w.guard.Do(func(sim *simulator.World) {
		_, err = sim.Deploy(service, simulator.Deployment{Image: image, Revision: revision})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// patches lists the writes that were sent to the service, accepted or refused.
func (w *world) patches() []simulator.Call {
	var calls []simulator.Call
	w.guard.Do(func(sim *simulator.World) {
		for _, e := range sim.Log() {
			if e.Call != nil && e.Call.Operation == "services.patch" {
				calls = append(calls, *e.Call)
			}
		}
	})
	return calls
}

// reads counts a manager's looks at the service, alone or in a list.
func (w *world) reads(manager string) (count int) {
	w.guard.Do(func(sim *simulator.World) {
		for _, e := range sim.Log() {
			if e.Call != nil && e.Call.UserAgent == manager && (e.Call.Operation == "services.get" || e.Call.Operation == "services.list") {
				count++
			}
		}
	})
	return count
}

// splits lists the splits that were accepted, one after the other.
func (w *world) splits() []map[string]int {
	var splits []map[string]int
	for _, call := range w.patches() {
		if call.Accepted {
			splits = append(splits, call.After.Desired)
		}
	}
	return splits
}

// serves is the percent of a revision, as it serves.
func (w *world) serves(revision string) int {
	w.t.Helper()
	var state simulator.State
	var err error
	w.guard.Do(func(sim *simulator.World) { state, err = sim.State(service) })
	if err != nil {
		w.t.Fatal(err)
	}
	return state.Effective[revision]
}

// passes tells when so much of the world's time has passed from now on.
func (w *world) passes(d time.Duration) func() bool {
	from, _ := w.guard.Now()
	return func() bool {
		now, _ := w.guard.Now()
		return now.Sub(from) >= d
	}
}
