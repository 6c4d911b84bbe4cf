// Package deploying_test deploys templates to a simulated Cloud Run over the wire, with
// the adapter that the manager uses.
package deploying_test

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

var graph = rollout.ServiceRef{Project: "acme-prod", Location: "asia-northeast1", Name: "web"}

const broken = "web@sha256:bad"

// worldly is a client of a simulated Cloud Run, spoken to over the wire. Its service
// is pinned to its one revision; time passes only when told.
func worldly(t *testing.T, faults ...simulator.Fault) (*cloudrun.Client, *wire.Guard) {
	t.Helper()
	world, err := simulator.New(simulator.Scenario{Seed: 1, Services: []simulator.Hosted{{
		Project: graph.Project, Location: graph.Location, Name: graph.Name,
		Revisions: []simulator.Deployment{{Image: "web@sha256:1"}},
		Traffic:   []simulator.TrafficTarget{{Revision: "#1", Percent: 100}},
		Images:    map[string]simulator.Behaviour{broken: {Startup: simulator.Startup{Fails: &simulator.StartupFailure{}}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		if err := world.Inject(fault); err != nil {
			t.Fatal(err)
		}
	}
	guard := wire.NewGuard(world, clocktesting.NewFakePassiveClock(world.Now()))
	server := httptest.NewServer(wire.CloudRun(guard))
	t.Cleanup(server.Close)
	client, err := cloudrun.New(t.Context(), cloudrun.Options{Endpoint: server.URL, UserAgent: "sluice"})
	if err != nil {
		t.Fatal(err)
	}
	return client, guard
}

// of is a template of an image, with what else it has.
func of(image, digest string) rollout.Template {
	return rollout.Template{
		Digest: digest,
		JSON: `{"annotations":{"team":"web"},"containers":[{"image":"` + image + `","livenessProbe":{"httpGet":{"path":"/healthz"}}}],` +
			`"labels":{"tier":"gold"},"scaling":{"maxInstanceCount":7,"minInstanceCount":0},"timeout":"60s"}`,
	}
}

// seenNow is the service as it is read, after a while.
func seenNow(t *testing.T, c *cloudrun.Client, g *wire.Guard, later time.Duration) rollout.Service {
	t.Helper()
	g.Do(func(w *simulator.World) { w.Advance(later) })
	service, err := c.Service(t.Context(), graph)
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// send deploys a template on the service as it was read.
func send(t *testing.T, c *cloudrun.Client, on rollout.Service, template rollout.Template) error {
	t.Helper()
	d, err := rollout.NewDeploy(on.ETag, on.Generation, template)
	if err != nil {
		t.Fatal(err)
	}
	return c.SetTemplate(t.Context(), graph, *d)
}

// TestADeployMakesOneRevisionAndLeavesTrafficAlone, and the revision is what its author
// wrote.
func TestADeployMakesOneRevisionAndLeavesTrafficAlone(t *testing.T) {
	t.Parallel()
	client, guard := worldly(t)
	before := seenNow(t, client, guard, 0)
	if before.Template != "" {
		t.Fatalf("a template of ours before: %q", before.Template)
	}
	if err := send(t, client, before, of("web@sha256:2", "0123456789abcdef")); err != nil {
		t.Fatal(err)
	}
	after := seenNow(t, client, guard, time.Minute)
	if diff := cmp.Diff(before.Desired, after.Desired); diff != "" {
		t.Errorf("traffic that is asked for (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(before.Effective, after.Effective); diff != "" {
		t.Errorf("traffic that serves (-before +after):\n%s", diff)
	}
	if after.Generation != before.Generation+1 || after.Template != "0123456789abcdef" || after.Reconciling || after.Failure != "" {
		t.Errorf("service %+v", after)
	}
	revisions, err := client.Revisions(t.Context(), graph, []string{after.LatestReady, before.LatestReady})
	if err != nil {
		t.Fatal(err)
	}
	r, old := revisions[after.LatestReady], revisions[before.LatestReady]
	if after.LatestReady == before.LatestReady || r.Template != "0123456789abcdef" || r.Image != "web@sha256:2" ||
		r.MaxInstances != 7 || r.Timeout != time.Minute || r.Readiness != rollout.Ready {
		t.Errorf("revision %+v", r)
	}
	if old.Template != "" {
		t.Errorf("the revision before is one of ours: %+v", old)
	}
	if names := revisionsOf(t, guard); len(names) != 2 {
		t.Errorf("revisions %q", names)
	}
}

func revisionsOf(t *testing.T, g *wire.Guard) []string {
	t.Helper()
	var names []string
	g.Do(func(w *simulator.World) {
		revisions, err := w.ListRevisions("projects/acme-prod/locations/asia-northeast1/services/web")
		if err != nil {
			t.Error(err)
		}
		for _, r := range revisions {
			names = append(names, r.Name)
		}
	})
	return names
}

// TestTheSameTemplateAgainMakesNoRevision: whoever lost an answer and sent once more
// would not deploy twice. The service says so by its generation.
func TestTheSameTemplateAgainMakesNoRevision(t *testing.T) {
	t.Parallel()
	client, guard := worldly(t)
	template := of("web@sha256:2", "0123456789abcdef")
	if err := send(t, client, seenNow(t, client, guard, 0), template); err != nil {
		t.Fatal(err)
	}
	service := seenNow(t, client, guard, time.Minute)
	if err := send(t, client, service, template); !errors.Is(err, cloudrun.ErrInterleaved) {
		t.Errorf("error %v, want that no generation followed", err)
	}
	if names := revisionsOf(t, guard); len(names) != 2 {
		t.Errorf("revisions %q", names)
	}
}

func TestADeployOnAnOldEtagIsAConflict(t *testing.T) {
	t.Parallel()
	client, guard := worldly(t)
	before := seenNow(t, client, guard, 0)
	if err := send(t, client, before, of("web@sha256:2", "0123456789abcdef")); err != nil {
		t.Fatal(err)
	}
	seenNow(t, client, guard, time.Minute)
	if err := send(t, client, before, of("web@sha256:3", "fedcba9876543210")); !errors.Is(err, cloudrun.ErrConflict) {
		t.Errorf("error %v, want a conflict", err)
	}
	if names := revisionsOf(t, guard); len(names) != 2 {
		t.Errorf("revisions %q", names)
	}
}

// TestADeployWhoseAnswerIsLostIsReadBack: it was carried out, and the template says
// which one it is.
func TestADeployWhoseAnswerIsLostIsReadBack(t *testing.T) {
	t.Parallel()
	client, guard := worldly(t, simulator.Fault{Kind: simulator.FaultDrop, Operation: "services.patch"})
	if err := send(t, client, seenNow(t, client, guard, 0), of("web@sha256:2", "0123456789abcdef")); !errors.Is(err, cloudrun.ErrAmbiguous) {
		t.Fatalf("error %v, want that nobody knows", err)
	}
	if after := seenNow(t, client, guard, time.Minute); after.Template != "0123456789abcdef" || len(revisionsOf(t, guard)) != 2 {
		t.Errorf("template %q, revisions %q", after.Template, revisionsOf(t, guard))
	}
}

func TestARevisionThatFailsIsTheServicesFailureAndNobodysTraffic(t *testing.T) {
	t.Parallel()
	client, guard := worldly(t)
	before := seenNow(t, client, guard, 0)
	if err := send(t, client, before, of(broken, "0123456789abcdef")); err != nil {
		t.Fatal(err)
	}
	after := seenNow(t, client, guard, 10*time.Minute)
	if after.Failure == "" || after.LatestReady != before.LatestReady || after.LatestCreated == before.LatestCreated {
		t.Errorf("service %+v", after)
	}
	if diff := cmp.Diff(before.Effective, after.Effective); diff != "" {
		t.Errorf("traffic that serves (-before +after):\n%s", diff)
	}
	revisions, err := client.Revisions(t.Context(), graph, []string{after.LatestCreated})
	if r := revisions[after.LatestCreated]; err != nil || r.Readiness != rollout.NotReady || r.Template != "0123456789abcdef" {
		t.Errorf("revision %+v, %v", r, err)
	}
	if err := send(t, client, after, of("web@sha256:3", "fedcba9876543210")); err != nil {
		t.Errorf("the next template is not taken: %v", err)
	}
}
