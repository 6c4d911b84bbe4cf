package crashmatrix

import (
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/soak"
)

// Scene is one release, what people do in it, and how it must end.
type Scene struct {
	Name   string
	script soak.Script
	ends   v1alpha1.Phase // "" where the rollout is deleted
	// from is the phase from which on pairs are played; "" is the beginning.
	from v1alpha1.Phase
}

// Scenes are all that are played.
var Scenes = []Scene{
	{Name: "healthy", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy)},
	{Name: "breach", ends: v1alpha1.PhaseRolledBack, script: release(soak.Failing)},
	{Name: "abort", ends: v1alpha1.PhaseRolledBack, script: release(soak.Healthy, baking(soak.Act{Deed: soak.Ask, Word: "abort"}))},
	{Name: "pause", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy,
		baking(soak.Act{Deed: soak.Pause}), later(baking(soak.Act{Deed: soak.Unpause}), time.Minute))},
	{Name: "supersede", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy, baking(soak.Act{Deed: soak.Deploy, Word: soak.Healthy}))},
	{Name: "foreign", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy,
		baking(soak.Act{Deed: soak.EditTraffic, Word: "half and half"}),
		soak.Act{Cue: soak.Cue{Phase: string(v1alpha1.PhasePaused), After: time.Minute}, Deed: soak.Ask, Word: "resume"})},
	{Name: "overrule", ends: v1alpha1.PhaseRolledBack, script: release(soak.Healthy,
		baking(soak.Act{Deed: soak.EditTraffic, Word: "half and half"}),
		soak.Act{Cue: soak.Cue{Phase: string(v1alpha1.PhasePaused), After: time.Minute}, Deed: soak.Ask, Word: "abort"})},
	{Name: "promote", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy, baking(soak.Act{Deed: soak.Ask, Word: "promote"}))},
	{Name: "undo", ends: v1alpha1.PhaseRolledBack, script: release(soak.Healthy,
		soak.Act{Cue: soak.Cue{Phase: string(v1alpha1.PhaseCompleted), After: time.Minute}, Deed: soak.Ask, Word: "undo"})},
	{Name: "delete", script: release(soak.Healthy, baking(soak.Act{Deed: soak.Remove}))},
	{Name: "hold", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy,
		baking(soak.Act{Deed: soak.Ask, Word: "pause"}), later(baking(soak.Act{Deed: soak.Ask, Word: "resume"}), 2*time.Minute))},
	{Name: "freeze", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy,
		baking(soak.Act{Deed: soak.Shut, For: 10 * time.Minute}))},
	{Name: "adopt", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy,
		baking(soak.Act{Deed: soak.MoveIn}), later(baking(soak.Act{Deed: soak.Ask, Word: "adopt"}), 2*time.Minute))},
	{Name: "git", ends: v1alpha1.PhaseCompleted, script: fromGit(soak.Healthy)},
	{Name: "git again", ends: v1alpha1.PhaseCompleted, script: fromGit(soak.Healthy, baking(soak.Act{Deed: soak.Push, Word: soak.Healthy}))},
	{Name: "wipe", ends: v1alpha1.PhaseCompleted, script: release(soak.Healthy, baking(soak.Act{Deed: soak.Wipe}))},
	{Name: "nat", ends: v1alpha1.PhaseRolledBack, from: v1alpha1.PhaseRollingBack, script: choking()},
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

// fromGit is a release by spec.template.
func fromGit(image string, acts ...soak.Act) soak.Script {
	s := release(image, acts...)
	s.Setting.FromGit = true
	return s
}

// choking is a release that fails behind a full gateway when stable has no instances
// any more for half of the traffic, so that it goes back in steps.
func choking() soak.Script {
	s := release(soak.Choking)
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
