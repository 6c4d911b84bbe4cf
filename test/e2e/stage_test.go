package e2e_test

import (
	"context"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/grpc"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/controllers"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/monitoring"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

const (
	agent   = "sluice-e2e"
	service = "projects/acme-prod/locations/asia-northeast1/services/web"
)

// scenario is a world with one healthy service whose traffic is pinned.
const scenario = `
services:
- project: acme-prod
  location: asia-northeast1
  name: web
  users: {requestsPerSecond: 20}
  revisions:
  - {image: example.com/web:1, revision: web-1, timeout: 60s}
  traffic:
  - {type: TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION, revision: web-1, percent: 100}
  images:
    example.com/web:bad: {errors: [{percent: 5}]}
    example.com/web:broken: {startup: {fails: {message: it does not listen}}}
`

// manifest is short on purpose: two steps, four minutes.
const manifest = `
apiVersion: rollouts.sluice.dev/v1alpha1
kind: CloudRunRollout
metadata: {name: web}
spec:
  target: {service: {project: acme-prod, location: asia-northeast1, name: web}}
  strategy: {steps: [{weight: 20, bake: 2m}, {weight: 100, bake: 2m}]}
`

// stage is an object on the control plane, a world behind loopback, and the
// reconciler between them. Time passes when told.
type stage struct {
	t          *testing.T
	guard      *wire.Guard
	run        string // address of the Cloud Run Admin API
	metrics    string // address of Cloud Monitoring
	client     client.Client
	key        client.ObjectKey
	reconciler *controllers.Reconciler
	events     *events.FakeRecorder
	due        time.Duration // until the next look
}

func newStage(t *testing.T, world, object string) *stage {
	t.Helper()
	sc, err := simulator.ParseScenario([]byte(world))
	if err != nil {
		t.Fatal(err)
	}
	w, err := simulator.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, guard: wire.NewGuard(w, clock.RealClock{}), client: newClient(t)}
	s.serve()
	s.restart()
	ro := &v1alpha1.CloudRunRollout{}
	if err := yaml.UnmarshalStrict([]byte(object), ro); err != nil {
		t.Fatal(err)
	}
	ro.Namespace = newNamespace(t, s.client)
	if err := s.client.Create(t.Context(), ro); err != nil {
		t.Fatal(err)
	}
	s.key = client.ObjectKeyFromObject(ro)
	return s
}

func newClient(t *testing.T) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	config := rest.CopyConfig(plane.Config)
	config.QPS = -1
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newNamespace(t *testing.T, c client.Client) string {
	t.Helper()
	space := &corev1.Namespace{}
	space.GenerateName = "e2e-"
	if err := c.Create(t.Context(), space); err != nil {
		t.Fatal(err)
	}
	return space.Name
}

// serve puts the world behind the two wire APIs.
func (s *stage) serve() {
	s.t.Helper()
	run := httptest.NewServer(wire.CloudRun(s.guard))
	s.t.Cleanup(run.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	metrics := grpc.NewServer()
	monitoringpb.RegisterMetricServiceServer(metrics, wire.NewMonitoring(wire.Metrics(s.guard)))
	go func() { _ = metrics.Serve(listener) }()
	s.t.Cleanup(metrics.Stop)
	s.run, s.metrics = run.URL, "http://"+listener.Addr().String()
}

// restart is a new process: new clients, and nothing remembered.
func (s *stage) restart() {
	s.t.Helper()
	ctx := s.t.Context()
	run, err := cloudrun.New(ctx, cloudrun.Options{Endpoint: s.run, UserAgent: agent})
	if err != nil {
		s.t.Fatal(err)
	}
	metrics, err := monitoring.New(ctx, monitoring.Options{Endpoint: s.metrics, UserAgent: agent})
	if err != nil {
		s.t.Fatal(err)
	}
	s.events = events.NewFakeRecorder(1000)
	s.reconciler = &controllers.Reconciler{
		Client: s.client, Clock: told{s.guard}, Process: clock.RealClock{}, Recorder: s.events,
		Connect: func(context.Context, *v1alpha1.CloudRunRollout) (controllers.Cloud, error) {
			return controllers.Cloud{Observer: run, Actuator: run, Deployer: run, Metrics: metrics}, nil
		},
	}
}

// told is the world's clock.
type told struct{ guard *wire.Guard }

func (c told) Now() time.Time {
	now, _ := c.guard.Now()
	return now
}

func (c told) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

func (s *stage) get() *v1alpha1.CloudRunRollout {
	s.t.Helper()
	ro := &v1alpha1.CloudRunRollout{}
	if err := s.client.Get(s.t.Context(), s.key, ro); err != nil {
		s.t.Fatal(err)
	}
	return ro
}

// pass lets the time until the next look go by, and looks.
func (s *stage) pass() *v1alpha1.CloudRunRollout {
	s.t.Helper()
	s.world(func(w *simulator.World) { w.Advance(s.due) })
	result, err := s.reconciler.Reconcile(s.t.Context(), s.get())
	if err != nil {
		s.t.Fatal(err)
	}
	s.due = result.RequeueAfter
	return s.get()
}

// until makes passes until a phase is reached.
func (s *stage) until(phase v1alpha1.Phase) *v1alpha1.CloudRunRollout {
	s.t.Helper()
	return s.repeat(s.pass, phase)
}

// repeat makes passes of some kind until a phase is reached.
func (s *stage) repeat(pass func() *v1alpha1.CloudRunRollout, phase v1alpha1.Phase) *v1alpha1.CloudRunRollout {
	s.t.Helper()
	for range 500 {
		if ro := pass(); ro.Status.Phase == phase {
			return ro
		}
	}
	s.t.Fatalf("never %s; it is %+v", phase, s.get().Status)
	return nil
}

func (s *stage) world(f func(*simulator.World)) { s.guard.Do(f) }

func (s *stage) deploy(image, revision string) {
	s.t.Helper()
	s.world(func(w *simulator.World) {
		if _, err := w.Deploy(service, simulator.Deployment{Image: image, Revision: revision}); err != nil {
			s.t.Fatal(err)
		}
	})
}

// writes lists the splits that Sluice wrote, as the world saw them.
func (s *stage) writes() []map[string]int {
	var splits []map[string]int
	s.world(func(w *simulator.World) {
		for _, e := range w.Log() {
			if e.Call != nil && e.Call.Accepted && e.Call.Operation == "services.patch" {
				splits = append(splits, e.Call.After.Desired)
			}
		}
	})
	return splits
}

// serves is the split that serves.
func (s *stage) serves() map[string]int {
	s.t.Helper()
	var state simulator.State
	var err error
	s.world(func(w *simulator.World) { state, err = w.State(service) })
	if err != nil {
		s.t.Fatal(err)
	}
	return state.Effective
}
