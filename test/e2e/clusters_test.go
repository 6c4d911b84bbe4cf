package e2e_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/grpc"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
	"github.com/sluice-rollouts/sluice/test/controlplane"
	"github.com/sluice-rollouts/sluice/test/manager"
)

// worldSpeed is how much faster than real time the managers live.
const worldSpeed = 200

// shared is the service that two clusters believe to be theirs. Its name is its
// own: nothing else on the package's control plane may be about it.
const shared = "projects/acme-prod/locations/asia-northeast1/services/shared"

// ofShared makes a scenario or a manifest one of the shared service.
func ofShared(text string) string {
	return strings.NewReplacer("name: web", "name: shared", "revision: web-", "revision: shared-").Replace(text)
}

// cluster is a control plane, the manager's process on it, and the object in it.
// The world knows its manager by its name.
type cluster struct {
	t       *testing.T
	name    string
	client  client.Client
	key     client.ObjectKey
	program string
	args    []string
	said    *strings.Builder // read it when the manager is gone
	manager *exec.Cmd
}

// newCluster puts an object on a control plane, and a door to the world for its
// manager, which is a program with the flags it shares with others.
func newCluster(t *testing.T, name string, plane *controlplane.ControlPlane, guard *wire.Guard, command ...string) *cluster {
	t.Helper()
	run := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set(wire.CallerHeader, name)
		wire.CloudRun(guard).ServeHTTP(w, r)
	}))
	t.Cleanup(run.Close)
	config := filepath.Join(t.TempDir(), "kubeconfig")
	if err := plane.WriteKubeconfig(config); err != nil {
		t.Fatal(err)
	}
	c := &cluster{
		t: t, name: name, client: newClientOf(t, plane), program: command[0], said: &strings.Builder{},
		args: append([]string{
			"--kubeconfig", config, "--leader-elect=false", "--health-probe-bind-address", "0", "--dashboard-bind-address", "0", "--cloud-run-endpoint", run.URL,
		}, command[1:]...),
	}
	ro := &v1alpha1.CloudRunRollout{}
	if err := yaml.UnmarshalStrict([]byte(ofShared(manifest)), ro); err != nil {
		t.Fatal(err)
	}
	ro.Namespace = newNamespace(t, c.client)
	access := manager.Access(ro.Namespace, "acme-prod")
	if err := errors.Join(c.client.Create(t.Context(), access), c.client.Create(t.Context(), ro)); err != nil {
		t.Fatal(err)
	}
	c.key = client.ObjectKeyFromObject(ro)
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("the manager of %s said:\n%s", name, c.said)
		}
	})
	return c
}

func (c *cluster) start() {
	c.t.Helper()
	c.manager = exec.Command(c.program, c.args...)
	c.manager.Stderr = c.said
	if err := c.manager.Start(); err != nil {
		c.t.Fatal(err)
	}
}

// kill ends the manager with SIGKILL.
func (c *cluster) kill() {
	if c.manager != nil {
		_ = c.manager.Process.Kill()
		_ = c.manager.Wait()
		c.manager = nil
	}
}

func (c *cluster) get() *v1alpha1.CloudRunRollout {
	c.t.Helper()
	ro := &v1alpha1.CloudRunRollout{}
	if err := c.client.Get(c.t.Context(), c.key, ro); err != nil {
		c.t.Fatal(err)
	}
	return ro
}

// is tells a phase and the reason of Ready, like Idle/Steady.
func (c *cluster) is() string {
	c.t.Helper()
	ro := c.get()
	for _, condition := range ro.Status.Conditions {
		if condition.Type == v1alpha1.ConditionReady {
			return string(ro.Status.Phase) + "/" + condition.Reason
		}
	}
	return string(ro.Status.Phase)
}

const (
	isSteady         = "Idle/Steady"
	isBaking         = "Baking/Progressing"
	isCompleted      = "Completed/Completed"
	isOwnedElsewhere = "Idle/OwnedElsewhere"
)

// await waits until something holds, in real time.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited a minute until %s", what)
		case <-tick.C:
		}
	}
}

// TestTwoClustersAndOneService runs the manager's binary on two clusters whose
// objects name the same service. One of them wins it with its first write, and
// the other writes nothing, until a person there takes it over.
func TestTwoClustersAndOneService(t *testing.T) {
	second, err := controlplane.Start(t.Context(), controlplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Stop() })
	program, err := manager.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sc, err := simulator.ParseScenario([]byte(ofShared(scenario)))
	if err != nil {
		t.Fatal(err)
	}
	world, err := simulator.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	guard := wire.NewGuard(world, clock.RealClock{})
	metrics, control, compute := serveMetrics(t, guard), httptest.NewServer(wire.Control(guard)), httptest.NewServer(wire.Compute(guard))
	access := httptest.NewServer(wire.VPCAccess(guard))
	t.Cleanup(control.Close)
	t.Cleanup(compute.Close)
	t.Cleanup(access.Close)
	shared := []string{
		program, "--monitoring-endpoint", metrics, "--compute-endpoint", compute.URL,
		"--vpc-access-endpoint", access.URL, "--simulated-clock", control.URL,
	}
	guard.SetSpeed(worldSpeed)
	here := newCluster(t, "here", plane, guard, shared...)
	there := newCluster(t, "there", second, guard, shared...)
	here.start()
	there.start()
	await(t, "both have seen the service", func() bool { return here.is() == isSteady && there.is() == isSteady })

	deployShared(t, guard, "shared-2")
	await(t, "one of them bakes and the other leaves it alone", func() bool {
		return here.is() == isBaking && there.is() == isOwnedElsewhere || there.is() == isBaking && here.is() == isOwnedElsewhere
	})
	owner, other := here, there
	if there.is() == isBaking {
		owner, other = there, here
	}
	await(t, "the release is out", func() bool {
		if is := other.is(); is != isOwnedElsewhere {
			t.Fatalf("meanwhile %s is %s", other.name, is)
		}
		return owner.is() == isCompleted
	})
	wroteAll(t, guard, 0, owner)

	// The owner's cluster is lost in the middle of the next release.
	deployShared(t, guard, "shared-3")
	await(t, "the next release bakes", func() bool { return owner.is() == isBaking && owner.get().Status.Candidate.Revision == "shared-3" })
	owner.kill()
	written := len(wroteAll(t, guard, 0, owner))
	adopted, _ := guard.Now()
	ask(t, other.client, other.get(), v1alpha1.VerbAdopt)
	await(t, "the other one has brought it to its end", func() bool { return other.is() == isCompleted })
	owner.start()
	await(t, "the former owner leaves it alone", func() bool { return owner.is() == isOwnedElsewhere })
	deployShared(t, guard, "shared-4")
	await(t, "the new owner releases once more", func() bool {
		return other.is() == isCompleted && other.get().Status.Stable.Revision == "shared-4"
	})
	if is := owner.is(); is != isOwnedElsewhere {
		t.Errorf("the former owner is %s", is)
	}
	taken := wroteAll(t, guard, written, other)
	if len(taken) < 2 || taken[0].split["shared-3"] != 20 || taken[1].claim.Stable != "shared-2" || taken[1].at.Sub(adopted) < soonest {
		t.Errorf("adopted at %s, it was taken over with %+v, want the same split in the new owner's name, then a rise on evidence anew",
			adopted.Format(time.TimeOnly), taken)
	}
}

// wroteAll holds that every write after the first few was the given cluster's, by
// what the world saw of the caller and by the claim in its body.
func wroteAll(t *testing.T, guard *wire.Guard, after int, owner *cluster) []patch {
	t.Helper()
	var log []simulator.Event
	guard.Do(func(w *simulator.World) { log = w.Log() })
	all := patches(t, log)
	if len(all) < after {
		t.Fatalf("%d writes, there were %d", len(all), after)
	}
	uid := string(owner.get().UID)
	if i := slices.IndexFunc(all[after:], func(p patch) bool { return p.caller != owner.name || p.claim.UID != uid }); i >= 0 {
		t.Errorf("write %d is not %s's: %+v", after+i+1, owner.name, all[after+i])
	}
	return all[after:]
}

func deployShared(t *testing.T, guard *wire.Guard, revision string) {
	t.Helper()
	var err error
	guard.Do(func(w *simulator.World) {
		_, err = w.Deploy(shared, simulator.Deployment{Image: "example.com/web:" + revision, Revision: revision})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// serveMetrics serves Cloud Monitoring of a world.
func serveMetrics(t *testing.T, guard *wire.Guard) (address string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	monitoringpb.RegisterMetricServiceServer(server, wire.NewMonitoring(wire.Metrics(guard)))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return "http://" + listener.Addr().String()
}

// newClientOf is newClient for any control plane.
func newClientOf(t *testing.T, plane *controlplane.ControlPlane) client.Client {
	t.Helper()
	c, err := client.New(plane.Config, client.Options{Scheme: newClient(t).Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
