package soak

import (
	"math/rand/v2"
	"time"
)

// WriteKept writes the script of a seed whose service is kept by Config Connector. None
// has templates in the rollout, or a neighbour's burst.
func WriteKept(seed uint64) Script {
	a := written(seed)
	a.kept(seed)
	return a.script
}

// kept puts the service of a story into the hands of Config Connector, by lots of its
// own: people deploy with Git, some take spec.traffic for a while where others set
// traffic past it, and Config Connector is busy now and then.
func (a *author) kept(seed uint64) {
	a.Rand = rand.New(rand.NewPCG(seed, 0xcc)) //nolint:gosec // it must be repeatable
	a.script.Setting.Kept = true
	// Where that is refused, Config Connector, which sends all of a template each time, can
	// carry nothing out.
	delete(a.script.Setting.Switches, "echoedRevision")
	if len(a.script.Acts) == 0 {
		return // nothing goes wrong but the candidate
	}
	for i := range a.script.Acts {
		act := &a.script.Acts[i]
		if act.Call == patchCall {
			act.Call = applyTraffic
		}
		if act.Deed == EditTraffic && a.chance(0.5) {
			act.Deed, act.For = TakeTraffic, a.between(30*time.Second, 6*time.Minute)
		}
	}
	for range a.IntN(3) {
		a.act(Act{Cue: a.anywhere(), Deed: Occupy, For: a.between(10*time.Second, pick(*a, time.Minute, 10*time.Minute))})
	}
}
