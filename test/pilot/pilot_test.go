package pilot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

const (
	project = "acme-prod"
	region  = "asia-northeast1"
)

func ref(name string) rollout.ServiceRef {
	return rollout.ServiceRef{Project: project, Location: region, Name: name}
}

// town is a world of services that all get a new revision after ten minutes.
func town(t *testing.T, errors []simulator.ErrorRate, names ...string) *simulator.World {
	t.Helper()
	sc := simulator.Scenario{Seed: 1}
	for _, name := range names {
		sc.Services = append(sc.Services, simulator.Hosted{
			Project: project, Location: region, Name: name,
			Users:     simulator.Users{RequestsPerSecond: 20},
			Revisions: []simulator.Deployment{{Image: "example.com/" + name + ":1", Timeout: "60s"}},
		})
		sc.Timeline = append(sc.Timeline, simulator.Moment{
			At: simulator.Duration(10 * time.Minute), Service: name,
			Deploy: &simulator.Deployment{Image: "example.com/" + name + ":2", Behaviour: &simulator.Behaviour{Errors: errors}},
		})
	}
	world, err := simulator.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	return world
}

func fly(t *testing.T, world *simulator.World, names ...string) *pilot.Pilot {
	t.Helper()
	var plans []rollout.Plan
	for _, name := range names {
		plans = append(plans, pilot.DefaultPlan(ref(name)))
	}
	p, err := pilot.New(world, plans...)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.AdvanceTo(world.Start().Add(2 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestThreeServicesReachTheirEndsSideBySide(t *testing.T) {
	t.Parallel()
	world := town(t, nil, "web", "api", "mail")
	p := fly(t, world, "web", "api", "mail")
	for _, r := range p.Rollouts() {
		last := r.Last()
		if last.Phase != rollout.Completed {
			t.Errorf("%s ended in %s/%s: %s", r.Plan().Service.Name, last.Phase, last.Reason, last.Note)
		}
		if diff := cmp.Diff([]int64{5, 25, 50, 100}, r.Weights(last.Candidate)); diff != "" {
			t.Errorf("weights of %s (-want +got):\n%s", r.Plan().Service.Name, diff)
		}
	}
	for _, r := range pilot.Releases(world) {
		if r.Took() < 40*time.Minute || r.Took() > time.Hour || r.Most != 100 || !r.Back.IsZero() {
			t.Errorf("%s took %v to get all traffic, at most %d %%, back %v", r.Revision, r.Took(), r.Most, r.Back)
		}
	}
}

func TestACandidateThatFailsIsTakenBack(t *testing.T) {
	t.Parallel()
	world := town(t, []simulator.ErrorRate{{Percent: 20}}, "web")
	r := fly(t, world, "web").Rollouts()[0]
	last := r.Last()
	if last.Phase != rollout.RolledBack || !strings.Contains(last.Note, "5xx") {
		t.Errorf("it ended in %s: %s", last.Phase, last.Note)
	}
	var splits []string
	for _, w := range r.Writes {
		splits = append(splits, w.Split.String()+" "+w.Outcome)
	}
	if len(splits) != 3 || !strings.Contains(splits[1], " 5%, web-00001") {
		t.Errorf("it wrote %q, want a pin, the first step, and the way back", splits)
	}
	if release := pilot.Releases(world)[0]; release.Most != 5 || release.Back.IsZero() || release.Took() != 0 {
		t.Errorf("the world tells it otherwise: %+v", release)
	}
}

func TestWithoutUsARevisionGetsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	world := town(t, nil, "web")
	driver, err := pilot.NewInstant(world, ref("web"))
	if err != nil {
		t.Fatal(err)
	}
	if err := driver.AdvanceTo(world.Start().Add(20 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if r := pilot.Releases(world)[0]; r.Took() == 0 || r.Took() > time.Minute || r.First != r.Whole {
		t.Errorf("it took %v from its first request at %v", r.Took(), r.First)
	}
}

func TestARequestIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	world := town(t, nil, "web")
	p, err := pilot.New(world, pilot.DefaultPlan(ref("web")))
	if err != nil {
		t.Fatal(err)
	}
	r := p.Rollouts()[0]
	if err := p.AdvanceTo(world.Start().Add(20 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	r.Ask(rollout.Abort)
	if err := p.AdvanceTo(world.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if r.Last().Phase != rollout.RolledBack {
		t.Errorf("a minute after the abort it is %s: %s", r.Last().Phase, r.Last().Note)
	}
}

func TestTheSameWorldIsFlownTheSameWay(t *testing.T) {
	t.Parallel()
	var records []pilot.Record
	for range 2 {
		world := town(t, []simulator.ErrorRate{{Percent: 3}}, "web", "api")
		records = append(records, fly(t, world, "web", "api").Rollouts()[1].Record)
	}
	if diff := cmp.Diff(records[0], records[1]); diff != "" {
		t.Errorf("twice the same (-first +second):\n%s", diff)
	}
}
