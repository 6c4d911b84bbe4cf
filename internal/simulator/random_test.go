package simulator_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// targets draws a split, sensible or not.
func targets(t *rapid.T) []simulator.TrafficTarget {
	revision := rapid.SampledFrom([]string{"", stableV1, "web-v2", "web-v3", "web-none"})
	tag := rapid.SampledFrom([]string{"", "", "", "blue", "green", "Bad"})
	percent := rapid.SampledFrom([]int{0, 5, 50, 95, 100, 101, -1})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) simulator.TrafficTarget {
		return simulator.TrafficTarget{Revision: revision.Draw(t, "revision"), Percent: percent.Draw(t, "percent"), Tag: tag.Draw(t, "tag")}
	}), 0, 4).Draw(t, "traffic")
}

// In whatever order writes, deployments and losses come, under whatever
// switches: splits add up, generations and versions only grow, an operation ends
// once, and what the service says of itself is coherent when it is settled.
func TestWhateverHappensTheServiceStaysCoherent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sc := simulator.Scenario{Seed: rapid.Uint64().Draw(t, "seed"), Services: []simulator.Hosted{{
			Project: "acme-prod", Location: "asia-northeast1", Name: "web",
			Users:     simulator.Users{RequestsPerSecond: 3},
			Revisions: []simulator.Deployment{{Image: oldImage, Revision: stableV1}, {Image: newImage, Revision: "web-v2"}},
		}}}
		for name, values := range simulator.AllSwitches() {
			if err := sc.Switches.Set(name, rapid.SampledFrom(values[:]).Draw(t, name)); err != nil {
				t.Fatal(err)
			}
		}
		w, err := simulator.New(sc)
		if err != nil {
			t.Fatal(err)
		}
		last, err := w.GetService(service)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			act(t, w)
			w.Advance(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			now, err := w.GetService(service)
			if err != nil {
				t.Fatal(err)
			}
			coherent(t, last, now)
			last = now
		}
	})
}

func act(t *rapid.T, w *simulator.World) {
	var err error
	switch rapid.IntRange(0, 4).Draw(t, "act") {
	case 0:
		_, err = w.PatchService(simulator.PatchRequest{
			Name: service, UpdateMask: []string{"traffic"}, Service: simulator.Service{Traffic: targets(t)},
		})
	case 1:
		err = w.EditTraffic("web", targets(t), "alice@example.com")
	case 2:
		fails := rapid.SampledFrom([]*simulator.StartupFailure{nil, {}}).Draw(t, "fails")
		_, err = w.Deploy("web", simulator.Deployment{
			Image: newImage, Revision: rapid.SampledFrom([]string{"", "web-v3"}).Draw(t, "name"),
			Behaviour: &simulator.Behaviour{Startup: simulator.Startup{Fails: fails}},
		})
	case 3:
		_ = w.LoseRevision(rapid.SampledFrom([]string{"web-v2", "web-v3"}).Draw(t, "lost"))
	case 4:
		kind := rapid.SampledFrom([]simulator.FaultKind{simulator.FaultDrop, simulator.FaultPark, simulator.FaultStuck}).Draw(t, "fault")
		err = w.Inject(simulator.Fault{Kind: kind, Operation: "services.patch", Delay: simulator.Duration(8 * time.Second), For: simulator.Duration(8 * time.Second)})
	}
	var refused *simulator.APIError
	if err != nil && !errors.As(err, &refused) && !errors.Is(err, simulator.ErrAnswerLost) {
		t.Fatal(err)
	}
}

func coherent(t *rapid.T, before, now simulator.Service) {
	desired, serving := 0, 0
	for _, target := range now.Traffic {
		desired += target.Percent
	}
	for _, status := range now.TrafficStatuses {
		serving += status.Percent
	}
	changed := now.UpdateTime.After(before.UpdateTime.Time)
	succeeded := now.TerminalCondition.State == simulator.ConditionSucceeded
	for complaint, wrong := range map[string]bool{
		fmt.Sprintf("the desired split sums to %d", desired):                       desired != 100,
		fmt.Sprintf("the effective split sums to %d", serving):                     serving != 100,
		"the generation went back":                                                 now.Generation < before.Generation,
		"the observed generation went back or ahead":                               now.ObservedGeneration < before.ObservedGeneration || now.ObservedGeneration > now.Generation,
		"the update time went back":                                                before.UpdateTime.After(now.UpdateTime.Time),
		"the etag changed without the update time, or the other way round":         changed == (now.Etag == before.Etag),
		"it is settled but pending, or reconciling and done":                       now.Reconciling != (now.TerminalCondition.State == simulator.ConditionPending),
		"it succeeded without observing the generation":                            succeeded && now.ObservedGeneration != now.Generation,
		"the JSON of the service does not survive a round trip: " + roundTrip(now): roundTrip(now) != "",
	} {
		if wrong {
			t.Errorf("%s", complaint)
		}
	}
}

func roundTrip(s simulator.Service) string {
	raw, err := json.Marshal(s)
	if err != nil {
		return err.Error()
	}
	var again simulator.Service
	if err := json.Unmarshal(raw, &again); err != nil {
		return err.Error()
	}
	return cmp.Diff(s, again)
}
