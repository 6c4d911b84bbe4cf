package kcc

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/configconnector"
)

// journey is a rollout that the real core decides, one pass after another, on what
// the target shows.
type journey struct {
	*town

	progress rollout.Progress
	writes   int
}

// newJourney has a split that a person made, of which the core knows.
func newJourney(t *testing.T, edits ...func(*simulator.Scenario)) *journey {
	t.Helper()
	town := newTown(t, edits...)
	return &journey{town: town, progress: rollout.Progress{
		Phase: rollout.Paused, Reason: rollout.TrafficConflict, Stable: oldWeb, Candidate: newWeb, Attempt: 1,
		FirstWrite: town.world.Now(), Confirmed: rollout.NewSplit(map[string]int64{newWeb: 5, oldWeb: 95}),
	}}
}

// pass is one look, one decision and at most one write, and expects to be in a
// phase then.
func (j *journey) pass(want rollout.Phase, asked ...rollout.Request) {
	j.Helper()
	if err := j.decide(want, asked...)(); err != nil {
		j.Fatal(err)
	}
}

// decide is a pass whose write is up to the caller.
func (j *journey) decide(want rollout.Phase, asked ...rollout.Request) (send func() error) {
	j.Helper()
	target := j.target()
	in := rollout.Input{
		Plan: rollout.Plan{
			Service: ref, RunService: "web", CandidateRevision: newWeb, StepDeadline: time.Hour,
			Steps: []rollout.Step{{Weight: 5, Bake: time.Minute}, {Weight: 100, Bake: time.Minute}},
		},
		Progress: j.progress, Service: j.seen(target), Now: j.world.Now(),
	}
	if len(asked) > 0 {
		in.Request = asked[0]
	}
	var err error
	if in.Revisions, err = target.Revisions(j.Context(), ref, rollout.Involved(in.Plan, in.Progress, in.Service, in.Request)); err != nil {
		j.Fatal(err)
	}
	d := rollout.Decide(in)
	if d.Progress.Phase != want {
		j.Fatalf("%s/%s, want %s: %s", d.Progress.Phase, d.Progress.Reason, want, d.Note)
	}
	j.progress = d.Progress
	return func() error {
		if d.Write == nil {
			return nil
		}
		j.writes++
		return target.SetTraffic(j.Context(), ref, *d.Write)
	}
}

var (
	resume = rollout.Request{ID: "1", Verb: rollout.Resume, Attempt: 1, Step: -1}
	abort  = rollout.Request{ID: "2", Verb: rollout.Abort, Attempt: 1, Step: -1}
)

// newBake is a journey whose first step bakes.
func newBake(t *testing.T) *journey {
	t.Helper()
	j := newJourney(t)
	j.pass(rollout.Shifting, resume)
	j.settle()
	j.pass(rollout.Baking)
	return j
}

func TestTheCoreConfirmsAStepAndGoesBackThroughConfigConnector(t *testing.T) {
	t.Parallel()
	j := newJourney(t)
	j.pass(rollout.Shifting, resume)
	j.pass(rollout.Shifting)
	j.run()
	j.pass(rollout.Shifting)
	j.settle()
	j.pass(rollout.Baking)
	if want := rollout.NewSplit(map[string]int64{newWeb: 5, oldWeb: 95}); !cmp.Equal(want, j.progress.Confirmed) || j.writes != 1 {
		t.Errorf("confirmed %s after %d writes, want %s after one", j.progress.Confirmed, j.writes, want)
	}

	j.pass(rollout.RollingBack, abort)
	j.pass(rollout.RollingBack)
	j.run()
	j.pass(rollout.RollingBack)
	j.settle()
	j.pass(rollout.RolledBack)
	j.wantAsked(back)
	if j.writes != 2 || j.direct() != 0 {
		t.Errorf("%d writes, %d of them to Cloud Run; want 2 and none", j.writes, j.direct())
	}
}

func TestARiseThatWasLostDoesNotKeepTheWayBackFromEnding(t *testing.T) {
	t.Parallel()
	j := newJourney(t, func(sc *simulator.Scenario) {
		sc.Services[0].Traffic = []simulator.TrafficTarget{{Revision: oldWeb, Percent: 100, Tag: rollout.Tag}}
	})
	before := j.seen(j.target())
	j.progress.Phase, j.progress.Reason, j.progress.Tagged, j.progress.Seq = rollout.Shifting, rollout.Progressing, oldWeb, 1
	j.progress.Confirmed = rollout.NewSplit(map[string]int64{oldWeb: 100})
	j.progress.Intents = []rollout.Intent{{
		Split: rollout.NewSplit(map[string]int64{newWeb: 5, oldWeb: 95}), ETag: before.ETag, Generation: before.Generation, Seq: 1, At: j.world.Now(),
	}}
	j.pass(rollout.RollingBack, abort)
	j.settle()
	if etag := j.live().Etag; !strings.HasPrefix(before.ETag, etag) {
		t.Fatalf("the service has changed: %s, was %s", etag, before.ETag)
	}
	j.pass(rollout.RolledBack)
}

func TestAPersonsEditAfterConfigConnectorIsDoneIsForeign(t *testing.T) {
	t.Parallel()
	j := newBake(t)
	j.gcloud(map[string]int{newWeb: 100})
	j.pass(rollout.Paused)
	if j.progress.Reason != rollout.TrafficConflict {
		t.Errorf("paused for %s, want TrafficConflict", j.progress.Reason)
	}
}

// TestAPersonsWayBackPastTheRunServiceLasts: it is said in spec too, before Config Connector
// takes it back.
func TestAPersonsWayBackPastTheRunServiceLasts(t *testing.T) {
	t.Parallel()
	j := newBake(t)
	j.gcloud(back)
	j.pass(rollout.RollingBack)
	j.settle()
	j.pass(rollout.RolledBack)
	j.wantAsked(back)
}

func TestAWayBackEndsOnlyWhenConfigConnectorAgrees(t *testing.T) {
	t.Parallel()
	j := newBake(t)
	j.pass(rollout.RollingBack, abort)
	j.gcloud(back) // a person is faster
	j.pass(rollout.RollingBack)
	j.step(configconnector.Read)
	j.settle()
	j.pass(rollout.RolledBack)
}
