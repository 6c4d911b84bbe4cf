package contract

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

func TestAHealthyRevisionReachesAllTraffic(t *testing.T) {
	t.Parallel()
	c := &controller{stage: newStage(t), plan: plan()}
	c.advance(10 * time.Minute)
	c.look()
	c.deploy(newer)
	c.until(rollout.Completed)
	c.advance(time.Minute)
	if diff := cmp.Diff(map[string]int{"web-2": 100}, c.state().Effective); diff != "" {
		t.Errorf("serves (-want +got):\n%s\n%v", diff, c.stories)
	}
	if c.run.Refused() != 0 {
		t.Errorf("the firewall refused %d", c.run.Refused())
	}
}

func TestAFailingRevisionIsTakenBack(t *testing.T) {
	t.Parallel()
	c := &controller{stage: newStage(t), plan: plan()}
	c.advance(10 * time.Minute)
	c.look()
	c.deploy(failing)
	c.until(rollout.RolledBack)
	c.advance(time.Minute)
	if diff := cmp.Diff(map[string]int{"web-1": 100}, c.state().Effective); diff != "" {
		t.Errorf("serves (-want +got):\n%s\n%v", diff, c.stories)
	}
	most := 0
	c.world(func(w *simulator.World) error {
		for _, e := range w.Log() {
			if e.Kind == simulator.EventEffective {
				most = max(most, e.Split["web-2"])
			}
		}
		return nil
	})
	if most != 5 {
		t.Errorf("the failing revision had up to %d %%, want 5", most)
	}
}

// TestWhateverTheRealServicesDo turns each behaviour that nobody has verified the
// other way round.
func TestWhateverTheRealServicesDo(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]simulator.Switches{
		"a stale etag passes":                        {Etag: "ignored"},
		"no write while reconciling":                 {PatchWhileReconciling: "rejected"},
		"counters begin at zero":                     {ZeroSeries: "zero"},
		"entries of 0 % vanish":                      {ZeroPercentEntry: "dropped"},
		"entries that serve come as they were given": {StatusCollapse: "asGiven"},
		"the etag changes when a change is applied":  {UpdateTimeOnSettle: "changed"},
		"a revision is the latest when created":      {LatestCreated: "onCreate"},
		"a write of nothing new is a new generation": {NoopPatch: "bumped"},
		"requests show after two minutes":            {RequestCountVisible: "after120s"},
		"minutes are cut from the epoch":             {AlignmentPeriods: "fromEpoch"},
		"reduced series name their project":          {ReducedProject: "kept"},
		"labels that nobody knows are refused":       {UnknownLabels: "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage := newStage(t, func(sc *simulator.Scenario) { sc.Switches = switches })
			c := &controller{stage: stage, plan: plan()}
			c.advance(10 * time.Minute)
			c.look()
			c.deploy(newer)
			c.until(rollout.Completed)
			c.advance(time.Minute)
			if diff := cmp.Diff(map[string]int{"web-2": 100}, c.state().Effective); diff != "" {
				t.Errorf("serves (-want +got):\n%s\n%v", diff, c.stories)
			}
		})
	}
}
