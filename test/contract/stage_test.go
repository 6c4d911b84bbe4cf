package contract

import (
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/grpc"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/gateway"
	"github.com/sluice-rollouts/sluice/internal/monitoring"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

const (
	project = "acme-prod"
	region  = "asia-northeast1"
	fine    = "web:1"
	newer   = "web:2"
	failing = "web:3"
)

var (
	morning = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	ref     = rollout.ServiceRef{Project: project, Location: region, Name: "web"}
	name    = "projects/acme-prod/locations/asia-northeast1/services/web"
	nat1    = analysis.Source{Project: "acme-net", Location: region, Router: "r1", Gateway: "nat-1"}
)

// scenario is a service behind a gateway, and images to deploy to it.
func scenario() simulator.Scenario {
	vpc := &simulator.VPCAccess{Egress: "ALL_TRAFFIC", NetworkInterfaces: []simulator.NetworkInterface{{Network: "shared", Subnetwork: "run"}}}
	return simulator.Scenario{
		Seed: 1, Start: morning,
		Services: []simulator.Hosted{{
			Project: project, Location: region, Name: "web",
			Users:     simulator.Users{RequestsPerSecond: 20},
			Revisions: []simulator.Deployment{{Image: fine, Revision: "web-1", Timeout: "60s", VPCAccess: vpc}},
			Traffic:   []simulator.TrafficTarget{{Revision: "web-1", Percent: 100}},
			Images: map[string]simulator.Behaviour{
				failing: {Errors: []simulator.ErrorRate{{Percent: 5}}},
			},
		}},
		Gateways: []simulator.Gateway{{
			Project: "acme-net", Region: region, Router: "r1", RouterID: "4611686018427387904", Name: "nat-1",
			AllocatedPorts: 6400, OpenConnections: 900,
		}},
	}
}

// stage is a world behind its three wire APIs, and the adapters that talk to them.
type stage struct {
	t        *testing.T
	guard    *wire.Guard
	run      *cloudrun.Client
	metrics  *monitoring.Client
	gateways *gateway.Client
}

func newStage(t *testing.T, edits ...func(*simulator.Scenario)) *stage {
	t.Helper()
	sc := scenario()
	for _, edit := range edits {
		edit(&sc)
	}
	world, err := simulator.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, guard: wire.NewGuard(world, clocktesting.NewFakePassiveClock(morning))}

	rest := httptest.NewServer(wire.CloudRun(s.guard))
	t.Cleanup(rest.Close)
	if s.run, err = cloudrun.New(t.Context(), cloudrun.Options{Endpoint: rest.URL, UserAgent: "contract", Clock: callerClock{s.guard}}); err != nil {
		t.Fatal(err)
	}
	compute := httptest.NewServer(wire.Compute(s.guard))
	t.Cleanup(compute.Close)
	access := httptest.NewServer(wire.VPCAccess(s.guard))
	t.Cleanup(access.Close)
	if s.gateways, err = gateway.New(t.Context(), gateway.Options{
		Endpoint: compute.URL, VPCAccess: access.URL, UserAgent: "contract", Clock: callerClock{s.guard},
	}); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	monitoringpb.RegisterMetricServiceServer(server, wire.NewMonitoring(wire.Metrics(s.guard)))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	if s.metrics, err = monitoring.New(t.Context(), monitoring.Options{Endpoint: "http://" + listener.Addr().String()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.metrics.Close() })
	return s
}

// callerClock is the clock of whoever calls the world's APIs.
type callerClock struct{ guard *wire.Guard }

func (c callerClock) Now() time.Time {
	var now time.Time
	c.guard.Do(func(w *simulator.World) { now = w.CallerNow() })
	return now
}

func (c callerClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// world does something to the world.
func (s *stage) world(f func(*simulator.World) error) {
	s.t.Helper()
	s.guard.Do(func(w *simulator.World) {
		if err := f(w); err != nil {
			s.t.Fatal(err)
		}
	})
}

func (s *stage) advance(d time.Duration) {
	s.guard.Do(func(w *simulator.World) { w.Advance(d) })
}

func (s *stage) inject(f simulator.Fault) {
	s.t.Helper()
	s.world(func(w *simulator.World) error { return w.Inject(f) })
}

func (s *stage) deploy(image string) {
	s.t.Helper()
	s.world(func(w *simulator.World) error {
		_, err := w.Deploy(name, simulator.Deployment{Image: image, Revision: "web-2"})
		return err
	})
	s.advance(30 * time.Second)
}

// now is the world's time, in whole seconds.
func (s *stage) now() time.Time {
	now, _ := s.guard.Now()
	return now.Truncate(time.Second)
}

func (s *stage) state() simulator.State {
	s.t.Helper()
	var state simulator.State
	s.world(func(w *simulator.World) (err error) {
		state, err = w.State(name)
		return err
	})
	return state
}

func (s *stage) service() rollout.Service {
	s.t.Helper()
	service, err := s.run.Service(s.t.Context(), ref)
	if err != nil {
		s.t.Fatal(err)
	}
	return service
}

// plan is what a target alone asks for, in fewer steps.
func plan() rollout.Plan {
	return rollout.Plan{
		Service:      ref,
		Steps:        []rollout.Step{{Weight: 5, Bake: 5 * time.Minute}, {Weight: 100, Bake: 5 * time.Minute}},
		StepDeadline: time.Hour,
		Guards: []rollout.Guard{
			{Name: "errors", Rule: analysis.ServerErrors{MaxRatio: 0.01, MinRequests: 100}, OnBreach: rollout.Rollback, Mode: rollout.Enforce},
			{Name: "nat-allocation", Rule: analysis.NatAllocationFailures{}, OnBreach: rollout.Hold, Mode: rollout.Enforce},
			{Name: "nat-drops", Rule: analysis.NatDroppedPackets{MinMinutes: 2}, OnBreach: rollout.Hold, Mode: rollout.Enforce},
		},
		Window:   5 * time.Minute,
		NoData:   rollout.NoDataPolicy{After: 30 * time.Minute, Action: rollout.Pause},
		Gateways: []analysis.Source{nat1},
	}
}

// controller is the loop without Kubernetes: observe, decide, save, write.
type controller struct {
	*stage
	plan  rollout.Plan
	saved rollout.Progress
	// stories is every phase and reason that was passed through.
	stories []string
	// last is the outcome of the last write.
	last error
}

// look makes one pass, and returns the decision and when to look again.
func (c *controller) look() rollout.Decision {
	c.t.Helper()
	in := rollout.Input{Plan: c.plan, Progress: c.saved, Service: c.service(), Now: c.now()}
	var err error
	in.Revisions, err = c.run.Revisions(c.t.Context(), ref, rollout.Involved(in.Plan, in.Progress, in.Service, in.Request))
	if err != nil {
		c.t.Fatal(err)
	}
	if in.Answers, err = c.metrics.Answer(c.t.Context(), rollout.Questions(in), in.Now); err != nil {
		c.t.Fatal(err)
	}
	d := rollout.Decide(in)
	c.saved = d.Progress
	if story := string(d.Progress.Phase) + "/" + string(d.Progress.Reason); len(c.stories) == 0 || c.stories[len(c.stories)-1] != story {
		c.stories = append(c.stories, story)
	}
	return d
}

// until runs the loop until a phase is reached, for a simulated day at most.
func (c *controller) until(phase rollout.Phase) {
	c.t.Helper()
	for deadline := c.now().Add(24 * time.Hour); c.now().Before(deadline); {
		d := c.look()
		if d.Write != nil {
			if c.last = c.run.SetTraffic(c.t.Context(), ref, *d.Write); c.last != nil {
				c.t.Fatal(c.last)
			}
		}
		if d.Progress.Phase == phase {
			return
		}
		c.advance(max(time.Second, d.LookAt.Sub(c.now())))
	}
	c.t.Fatalf("%s was never reached: %v", phase, c.stories)
}

// firstWrite runs the loop until it wants to write, and returns that write.
func (c *controller) firstWrite() rollout.Write {
	c.t.Helper()
	for range 1000 {
		d := c.look()
		if d.Write != nil {
			return *d.Write
		}
		c.advance(max(time.Second, d.LookAt.Sub(c.now())))
	}
	c.t.Fatalf("no write was ever wanted: %v", c.stories)
	return rollout.Write{}
}
