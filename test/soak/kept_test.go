package soak

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/configconnector"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

// story is a release of a service that Config Connector keeps.
func story(acts ...Act) Script {
	return Script{Seed: 1, Releases: []string{Healthy}, Acts: acts, Setting: Setting{
		Rate: 20, NAT: NoNAT, Kept: true, Latency: 100 * time.Millisecond,
		Spec: Spec{Steps: []Step{{Weight: 10, Bake: 1}, {Weight: 100, Bake: 1}}, NoData: v1alpha1.NoDataPause, MinRequests: 20, MaxPercent: 1},
	}}
}

func played(t *testing.T, acts ...Act) Outcome {
	t.Helper()
	o, err := PlayAlone(t.Context(), story(acts...))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range o.Violations {
		t.Error(v)
	}
	return o
}

// traced are the events of a kind in a trace.
func traced[E invariants.Event](o Outcome, fits func(E) bool) []E {
	var all []E
	for _, e := range o.trace {
		if e, ok := e.(E); ok && fits(e) {
			all = append(all, e)
		}
	}
	return all
}

// while is an act while the first step bakes.
func while(after time.Duration, a Act) Act {
	a.Cue = Cue{Phase: string(v1alpha1.PhaseBaking), After: after}
	return a
}

// TestAKeptServiceIsMovedByItsRunServiceAlone: the writes that the rules judge are those
// of spec.traffic, and Config Connector carries them out.
func TestAKeptServiceIsMovedByItsRunServiceAlone(t *testing.T) {
	t.Parallel()
	o := played(t)
	writes := traced(o, func(w invariants.Write) bool { return w.Accepted })
	if len(writes) != 2 || writes[1].Split["web-2"] != 100 || writes[1].Etag != writes[1].Before.Etag {
		t.Errorf("the writes are %+v, want two rises, each on the version that it meets", writes)
	}
	for _, e := range o.stage.world.Log() {
		if e.Call != nil && e.Call.Operation == "services.patch" && e.Call.Caller != configconnector.Identity {
			t.Errorf("%s wrote to Cloud Run itself", e.Call.Caller)
		}
	}
	if traffic, owners := o.RunService(); len(traffic) == 0 || !cmp.Equal(owners, []string{"sluice/traffic"}) {
		t.Errorf("spec.traffic is %v, of %v", traffic, owners)
	}
}

// TestWhatIsSetPastConfigConnectorIsSomebodyElses until Config Connector takes it back.
func TestWhatIsSetPastConfigConnectorIsSomebodyElses(t *testing.T) {
	t.Parallel()
	o := played(t, while(20*time.Second, Act{Deed: EditTraffic, Word: "half and half"}), while(11*time.Minute, Act{Deed: Ask, Word: "resume"}))
	theirs := traced(o, func(d invariants.Desired) bool { return !d.Ours && d.Split["web-2"] > 0 })
	back := traced(o, func(r invariants.Restored) bool { return r.Split["web-2"] > 0 })
	if len(theirs) != 1 || theirs[0].Split["web-2"] != 50 || len(back) != 1 || back[0].Split["web-2"] != 10 {
		t.Fatalf("asked for by others: %+v, and by Config Connector again: %+v, want a half, and 10 %%", theirs, back)
	}
	if took := invariants.When(back[0]).Sub(invariants.When(theirs[0])); took > 10*time.Minute {
		t.Errorf("Config Connector took %s to look for drift", took)
	}
}

// TestAWayBackIsSetOnTheServiceWhileConfigConnectorIsBusy, as one more write.
func TestAWayBackIsSetOnTheServiceWhileConfigConnectorIsBusy(t *testing.T) {
	t.Parallel()
	o := played(t, while(20*time.Second, Act{Deed: Occupy, For: 5 * time.Minute}), while(25*time.Second, Act{Deed: Ask, Word: "abort"}))
	back := traced(o, func(w invariants.Write) bool { return w.Accepted && w.Split["web-1"] == 100 })
	if len(back) < 2 || o.Phase != string(v1alpha1.PhaseRolledBack) {
		t.Fatalf("it ends %s after %+v, want two writes that go back", o.Phase, back)
	}
	if last := back[len(back)-1]; last.Before.Desired["web-1"] != 100 || invariants.When(last).Sub(invariants.When(back[len(back)-2])) < 30*time.Second {
		t.Errorf("the last write is %+v, want spec first, and the service half a minute later", last)
	}
}

// TestABackupOfEtcdGivesABadCandidateTrafficAgain, because Config Connector carries out what
// the RunService said then; Sluice goes back once more.
func TestABackupOfEtcdGivesABadCandidateTrafficAgain(t *testing.T) {
	t.Parallel()
	script := story(Act{Deed: GoBack, Count: 4, Cue: Cue{Phase: string(v1alpha1.PhaseRolledBack), After: 30 * time.Second}})
	script.Releases = []string{Failing}
	o, err := PlayAlone(t.Context(), script)
	if err != nil || len(o.Violations) > 0 {
		t.Fatalf("%v:\n%s", err, Tell(script, o))
	}
	again := traced(o, func(r invariants.Restored) bool { return r.Split["web-2"] == 10 })
	back := traced(o, func(w invariants.Write) bool { return w.Accepted && w.Split["web-1"] == 100 })
	if len(again) != 1 || len(back) < 2 || o.Phase != string(v1alpha1.PhaseRolledBack) || o.stage.kept.traffic()[0].Percent != 100 {
		t.Errorf("asked for again: %+v; back: %+v; it ends %s with %v", again, back, o.Phase, o.stage.kept.traffic())
	}
}

// TestABackupWithoutTrafficLeavesTheServiceAsItIs: what serves, and our tag, are what they were.
func TestABackupWithoutTrafficLeavesTheServiceAsItIs(t *testing.T) {
	t.Parallel()
	for changes, told := range map[int]int{2: 1, 20: 0} {
		o, err := PlayAlone(t.Context(), story(while(30*time.Second, Act{Deed: GoBack, Count: changes})))
		if err != nil {
			t.Fatal(err)
		}
		back := traced(o, func(invariants.Put) bool { return true })
		rewound := traced(o, func(invariants.Rewound) bool { return true })
		if len(back) != 1 || len(rewound) != told {
			t.Errorf("etcd goes back by %d changes: %d times, and the RunService %d times to %+v", changes, len(back), len(rewound), rewound)
		}
	}
}

// TestKeptSeedsThatBrokeARuleOnce, by a mistake of Sluice's or of the judge's.
func TestKeptSeedsThatBrokeARuleOnce(t *testing.T) {
	t.Parallel()
	for seed, broke := range map[uint64]string{
		1106:   "a cache that went back showed an object that was gone, which gave up the RunService of the one that was there again",
		690:    "a tag that was set on the service between the last read and the apply was lost",
		202:    "Config Connector tried again what Cloud Run refused, and the status of an object that rests said so",
		74:     "a cool-down was wanted of an object that could not know of it",
		579:    "a stale read after Config Connector was through was taken for a person's way back, and gave a healthy candidate up",
		443:    "Config Connector tried a template again, and the status said that in the place of the revision that does not start",
		491:    "Config Connector tries for ever what Cloud Run refuses, and the judge waited for its end",
		662:    "a cool-down was wanted of a status that was wiped, where no claim tells of one",
		1071:   "whoever owned spec.traffic moved it, and what had it before was not waited for",
		2095:   "a read from the past showed what somebody else had not done yet",
		144:    "etcd was put back to a step, and nobody had seen what served in between",
		539:    "a split of ours that came back with the RunService was taken for somebody else's",
		1255:   "a RunService of before our first write was taken for a person's way back",
		1554:   "a cool-down was wanted of a status that was put back, which nobody had told of one",
		1680:   "the simulator made a second revision of a name that was there",
		1855:   "our tag that came back with the RunService was taken for somebody else's",
		2935:   "a cool-down was wanted of a split that was asked for and never served",
		712715: "a way back was told as done on a read from the past, while Config Connector carried it out",
		737031: "a write of the service alone was to rest on the newest version of its RunService",
		717938: "a RunService was written in the moment in which somebody set the service",
		708958: "what LATEST stands for was taken for a new split",
		742296: "a generation was taken to be of a split that only the RunService said yet",
		714230: "our write was lost, as far as anybody could know, and a person had sent stable everything",
		712334: "a cool-down was wanted of a split that neither a status nor a claim told of",
		725812: "a process stood still, and wrote the RunService as another one had nothing to write",
		732514: "a write of ours that was forgotten was taken for a person's baseline, and was to be known",
		723246: "the simulator's LATEST stood for a revision before that served",
		706898: "a split of a status that was put back into its past was taken for somebody else's",
		10476:  "an answer of the past hid what somebody had set, and no version was in a RunService",
		3394:   "what Config Connector put back was taken for a person's end of the attempt",
	} {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			script := WriteKept(seed)
			o, err := Play(t.Context(), script)
			if err != nil || len(o.Violations) > 0 {
				t.Errorf("it broke a rule once (%s), and does again (%v):\n%s", broke, err, Tell(script, o))
			}
		})
	}
}
