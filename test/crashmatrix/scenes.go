package crashmatrix

import (
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/soak"
)

// Scene is one release, what people do in it, and how it must end.
type Scene struct {
	Name   string
	What   string // happens in it, as a part of a sentence
	script soak.Script
	ends   v1alpha1.Phase // "" where the rollout is deleted
	// from is the phase from which on pairs are played; "" is the beginning.
	from v1alpha1.Phase
}

// Scenes are all that are played.
var Scenes = []Scene{
	{Name: "healthy", What: "to 100 %", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy)},
	{Name: "breach", What: "fails and goes back", ends: v1alpha1.PhaseRolledBack, script: release(soak.Failing)},
	{Name: "abort", What: "aborted by a person", ends: v1alpha1.PhaseRolledBack, script: release(soak.Healthy, baking(soak.Act{Deed: soak.Ask, Word: "abort"}))},
	{Name: "pause", What: "`spec.paused`, and back", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy,
		baking(soak.Act{Deed: soak.Pause}), later(baking(soak.Act{Deed: soak.Unpause}), time.Minute))},
	{Name: "supersede", What: "a newer revision", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy, baking(soak.Act{Deed: soak.Deploy, Word: soak.Healthy}))},
	{Name: "foreign", What: "somebody else's split, then a resume", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy,
		baking(soak.Act{Deed: soak.EditTraffic, Word: "half and half"}),
		soak.Act{Cue: soak.Cue{Phase: string(v1alpha1.PhasePaused), After: time.Minute}, Deed: soak.Ask, Word: "resume"})},
	{Name: "overrule", What: "somebody else's split, then an abort", ends: v1alpha1.PhaseRolledBack, script: release(soak.Healthy,
		baking(soak.Act{Deed: soak.EditTraffic, Word: "half and half"}),
		soak.Act{Cue: soak.Cue{Phase: string(v1alpha1.PhasePaused), After: time.Minute}, Deed: soak.Ask, Word: "abort"})},
	{Name: "promote", What: "promoted while it bakes", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy, baking(soak.Act{Deed: soak.Ask, Word: "promote"}))},
	{Name: "approve", What: "waits for an approval, and gets it", ends: v1alpha1.PhaseCompleted, script: gated(soak.Healthy,
		soak.Act{Cue: soak.Cue{Phase: string(v1alpha1.PhaseAwaitingApproval), After: time.Minute}, Deed: soak.Ask, Word: "approve"})},
	{Name: "retry", What: "aborted, and tried again", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy,
		baking(soak.Act{Deed: soak.Ask, Word: "abort"}),
		soak.Act{Cue: soak.Cue{Phase: string(v1alpha1.PhaseRolledBack), After: time.Minute}, Deed: soak.Ask, Word: "retry"})},
	{Name: "undo", What: "to 100 %, and undone", ends: v1alpha1.PhaseRolledBack, script: release(soak.Healthy,
		soak.Act{Cue: soak.Cue{Phase: string(v1alpha1.PhaseCompleted), After: time.Minute}, Deed: soak.Ask, Word: "undo"})},
	{Name: "delete", What: "deleted while it bakes, `onDelete: Rollback`", script: release(soak.Healthy, baking(soak.Act{Deed: soak.Remove}))},
	{Name: "hold", What: "paused by a request, and resumed", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy,
		baking(soak.Act{Deed: soak.Ask, Word: "pause"}), later(baking(soak.Act{Deed: soak.Ask, Word: "resume"}), 2*time.Minute))},
	{Name: "freeze", What: "a `RolloutFreeze` of ten minutes", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy,
		baking(soak.Act{Deed: soak.Shut, For: 10 * time.Minute}))},
	{Name: "adopt", What: "another cluster claims the service, a person takes it back", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy,
		baking(soak.Act{Deed: soak.MoveIn}), later(baking(soak.Act{Deed: soak.Ask, Word: "adopt"}), 2*time.Minute))},
	{Name: "git", What: "released by `spec.template`", ends: v1alpha1.PhaseCompleted, script: fromGit(soak.Healthy)},
	{Name: "git again", What: "released by `spec.template`, and by another one while it bakes", ends: v1alpha1.PhaseCompleted, script: fromGit(soak.Healthy, baking(soak.Act{Deed: soak.Push, Word: soak.Healthy}))},
	{Name: "wipe", What: "status lost, taken up from the claim", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy, baking(soak.Act{Deed: soak.Wipe}))},
	{Name: "kept", What: "kept by Config Connector, to 100 %", ends: v1alpha1.PhaseCompleted, script: kept(soak.Healthy)},
	{Name: "kept breach", What: "kept by Config Connector, fails and goes back", ends: v1alpha1.PhaseRolledBack, script: kept(soak.Failing)},
	{Name: "kept late", What: "kept by Config Connector, which is busy while it goes back", ends: v1alpha1.PhaseRolledBack, script: kept(soak.Healthy,
		baking(soak.Act{Deed: soak.Occupy, For: 4 * time.Minute}), later(baking(soak.Act{Deed: soak.Ask, Word: "abort"}), 5*time.Second))},
	{Name: "kept foreign", What: "kept by Config Connector, which takes somebody's split back, then a resume", ends: v1alpha1.PhaseCompleted, script: kept(soak.Healthy,
		baking(soak.Act{Deed: soak.EditTraffic, Word: "half and half"}),
		later(baking(soak.Act{Deed: soak.Ask, Word: "resume"}), 11*time.Minute))},
	{Name: "kept git", What: "kept by Config Connector, a newer revision from Git", ends: v1alpha1.PhaseCompleted, script: kept(soak.Healthy, baking(soak.Act{Deed: soak.Deploy, Word: soak.Healthy}))},
	{Name: "kept undo", What: "kept by Config Connector, to 100 %, and undone", ends: v1alpha1.PhaseRolledBack, script: kept(soak.Healthy,
		soak.Act{Cue: soak.Cue{Phase: string(v1alpha1.PhaseCompleted), After: time.Minute}, Deed: soak.Ask, Word: "undo"})},
	{Name: "kept delete", What: "kept by Config Connector, deleted while it bakes, `onDelete: Rollback`", script: kept(soak.Healthy, baking(soak.Act{Deed: soak.Remove}))},
	{Name: "nat", What: "behind a full gateway, back in steps", ends: v1alpha1.PhaseRolledBack, from: v1alpha1.PhaseRollingBack, script: choking(false)},
	{Name: "kept nat", What: "kept by Config Connector, behind a full gateway, back in steps", ends: v1alpha1.PhaseRolledBack, from: v1alpha1.PhaseRollingBack, script: choking(true)},
}

// release is a release of a service that follows LATEST, so that it must be pinned.
func release(image string, acts ...soak.Act) soak.Script {
	return soak.Script{
		Seed: 1, Releases: []string{image}, Acts: acts,
		Setting: soak.Setting{
			Rate: 20, NAT: soak.NoNAT, FollowsLatest: true,
			Latency: 100 * time.Millisecond, Lag: [2]time.Duration{300 * time.Millisecond, 300 * time.Millisecond},
			Spec: soak.Spec{
				Steps:    []soak.Step{{Weight: 10, Bake: 1}, {Weight: 100, Bake: 1}},
				OnDelete: v1alpha1.OnDeleteRollback, NoData: v1alpha1.NoDataPause, MinRequests: 20, MaxPercent: 1,
			},
		},
	}
}

// gated is a release whose second step a person must let begin.
func gated(image string, acts ...soak.Act) soak.Script {
	s := release(image, acts...)
	s.Setting.Spec.Steps[1].Approval = true
	return s
}

// kept is a release of a service that Config Connector keeps, from Git.
func kept(image string, acts ...soak.Act) soak.Script {
	s := release(image, acts...)
	s.Setting.Kept = true
	return s
}

// fromGit is a release by spec.template.
func fromGit(image string, acts ...soak.Act) soak.Script {
	s := release(image, acts...)
	s.Setting.FromGit = true
	return s
}

// choking is a release that fails behind a full gateway when stable has no instances
// any more for half of the traffic, so that it goes back in steps.
func choking(kept bool) soak.Script {
	s := release(soak.Choking)
	s.Setting.Kept = kept
	s.Setting.NAT = soak.FullNAT
	s.Setting.Spec.Steps = []soak.Step{{Weight: 50, Bake: 1}, {Weight: 90, Bake: 1}, {Weight: 100, Bake: 1}}
	s.Setting.Spec.MaxPercent = 30 // the gateway is what leads back
	return s
}

// baking lets an act happen while the first step bakes.
func baking(a soak.Act) soak.Act {
	a.Cue = soak.Cue{Phase: string(v1alpha1.PhaseBaking), After: 20 * time.Second}
	return a
}

// later lets an act happen later.
func later(a soak.Act, by time.Duration) soak.Act {
	a.After += by
	return a
}
