package soak

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// author writes a script by lot.
type author struct {
	*rand.Rand
	script Script
}

// lasts is how long the adversary acts.
const lasts = 35 * time.Minute

// releases is how many the pipeline has ready.
const releases = 6

// Write writes the script of a seed. Each seed has some families of trouble, and
// leaves others out: where everything goes wrong at once, nothing gets far enough
// for the rare things to happen.
func Write(seed uint64) Script {
	a := written(seed)
	switch seed % anEighth {
	case fromGit:
		a.fromGit(seed)
	case withModes:
		a.withModes(seed)
	}
	return a.script
}

// WriteBurst writes the script of a seed with a neighbour behind its gateway, if it has
// one, that takes the gateway's last ports for a while.
func WriteBurst(seed uint64) Script {
	a := written(seed)
	if a.script.Setting.NAT != NoNAT {
		a.burst(seed)
	}
	return a.script
}

// written is the author of what all scripts of a seed have in common.
func written(seed uint64) *author {
	a := &author{Rand: rand.New(rand.NewPCG(seed, 0x51ce)), script: Script{Seed: seed, Lasts: lasts}} //nolint:gosec // it must be repeatable
	a.setting()
	for range releases {
		a.script.Releases = append(a.script.Releases, a.image())
	}
	calm := a.chance(0.1) // nothing goes wrong but the candidate
	for _, trouble := range families {
		if calm || !a.chance(0.3) {
			continue
		}
		for range 1 + a.IntN(4) {
			trouble(a)
		}
	}
	return a
}

// Which seeds have templates, and which have promotes with a mode: an eighth each. The others
// are as they were before there were any, so that their figures stand.
const (
	anEighth  = 8
	fromGit   = 0
	withModes = 4
)

// fromGit has the releases of a story made by templates, or some edits of templates
// between those of others, by lots of its own.
func (a *author) fromGit(seed uint64) {
	a.Rand = rand.New(rand.NewPCG(seed, 0x717)) //nolint:gosec // it must be repeatable
	a.script.Setting.FromGit = a.chance(0.7)
	if len(a.script.Acts) == 0 {
		return // nothing goes wrong but the candidate
	}
	for range a.IntN(4) {
		a.templates()
	}
}

// withModes has promotes go to the end, past what the gateways have room for, or both, and
// more of them, by lots of its own.
func (a *author) withModes(seed uint64) {
	a.Rand = rand.New(rand.NewPCG(seed, 0x30de)) //nolint:gosec // it must be repeatable
	if len(a.script.Acts) == 0 {
		return // nothing goes wrong but the candidate
	}
	for range 1 + a.IntN(3) {
		c := a.anywhere()
		c.Phase = pick(*a, "Checking", "Shifting", "Baking", "Baking", "Held", "Completed")
		a.act(Act{Cue: c, Deed: Ask, Word: v1alpha1.VerbPromote})
	}
	for i := range a.script.Acts {
		if act := &a.script.Acts[i]; act.Word == v1alpha1.VerbPromote {
			act.Mode = pick(*a, "", v1alpha1.ModeFull, v1alpha1.ModeFull, v1alpha1.ModeOverride, v1alpha1.ModeFull+","+v1alpha1.ModeOverride)
		}
	}
}

// burst lets a neighbour take a gateway's last ports soon after the first release, whose
// users fail as long as that lasts, by lots of its own.
func (a *author) burst(seed uint64) {
	a.Rand = rand.New(rand.NewPCG(seed, 0xb25)) //nolint:gosec // it must be repeatable
	a.script.Setting.Burst = a.between(4*time.Minute, 9*time.Minute)
	a.script.Releases[0] = unlucky
}

// image is what is deployed.
func (a *author) image() string {
	images := []string{Healthy, Healthy, Healthy, Failing, Failing, burdened, stillborn}
	if a.script.Setting.NAT != NoNAT {
		images = append(images, thirsty)
	}
	return pick(*a, images...)
}

func (a *author) act(act Act) { a.script.Acts = append(a.script.Acts, act) }

// chance is true in a share of the cases.
func (a *author) chance(share float64) bool { return a.Float64() < share }

// between is a time in whole tenths of seconds.
func (a *author) between(low, high time.Duration) time.Duration {
	return (low + time.Duration(a.Int64N(int64(high-low)+1))).Truncate(100 * time.Millisecond)
}

func pick[T any](a author, of ...T) T { return of[a.IntN(len(of))] }

// setting writes how a story begins.
func (a *author) setting() {
	s := &a.script.Setting
	s.Rate = 10 + float64(a.IntN(30))
	s.NAT = pick(*a, NoNAT, NoNAT, NamedNAT, FoundNAT)
	s.FollowsLatest = a.chance(0.3)
	s.Latency = a.between(0, 300*time.Millisecond)
	s.Lag = [2]time.Duration{a.between(0, time.Second), a.between(0, time.Second)}
	s.Glances = a.chance(0.5)
	s.Spec = a.spec()
	if a.chance(0.2) {
		s.Skew = [2]time.Duration{a.between(0, 80*time.Second) - 40*time.Second, a.between(0, 40*time.Second) - 20*time.Second}
	}
	s.Switches = map[string]string{}
	if a.chance(0.5) {
		return
	}
	all := simulator.AllSwitches()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if a.chance(0.2) {
			s.Switches[name] = all[name][1]
		}
	}
}

// spec writes what the user asks for.
func (a *author) spec() Spec {
	spec := Spec{
		OnDelete: pick(*a, v1alpha1.OnDeleteFreeze, v1alpha1.OnDeleteRollback),
		NoData:   pick(*a, v1alpha1.NoDataPause, v1alpha1.NoDataRollback), MinRequests: 20, MaxPercent: 1,
	}
	weights := pick(*a, []int{10, 100}, []int{50, 100}, []int{5, 50, 100}, []int{25, 100}, []int{100})
	for _, w := range weights {
		spec.Steps = append(spec.Steps, Step{Weight: w, Bake: pick(*a, 1, 1, 2), Approval: a.chance(0.05)})
	}
	return spec
}
