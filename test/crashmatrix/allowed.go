package crashmatrix

import (
	"slices"

	"github.com/sluice-rollouts/sluice/test/soak"
)

// allowance is a difference in what served that crashes may make.
type allowance struct {
	scenes []string
	// why nobody is worse off.
	why    string
	allows func(c Cell, r, undisturbed result) bool
}

// allowances are all of them. Nothing else may differ but how long a split served.
var allowances = []allowance{{
	scenes: []string{"nat", "kept nat"},
	why: "a way back in steps takes three minutes at most; what was due while nobody was there for longer " +
		"than that is sent at once when somebody is",
	allows: stepsWereSkipped,
}}

// allows tells whether what served may differ as it does.
func (c Cell) allows(r, undisturbed result) bool {
	return slices.ContainsFunc(allowances, func(a allowance) bool { return slices.Contains(a.scenes, c.Scene.Name) && a.allows(c, r, undisturbed) })
}

// stepsWereSkipped tells whether, after an outage, nothing but weights of the way back
// is missing. The last two splits of the scene's way up are web-2's 50 and 90 %.
func stepsWereSkipped(c Cell, r, undisturbed result) bool {
	const up = 3
	outage := slices.ContainsFunc(c.Crashes, func(crash soak.Crash) bool { return crash.Kind == soak.After })
	if !outage || len(r.served) <= up || !slices.Equal(r.served[:up], undisturbed.served[:up]) {
		return false
	}
	back := undisturbed.served[up:]
	for _, split := range r.served[up:] {
		i := slices.Index(back, split)
		if i < 0 {
			return false
		}
		back = back[i+1:]
	}
	return len(back) == 0
}
