package crashmatrix

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-rollouts/sluice/test/soak"
)

// allowance is a difference in what served that crashes may make.
type allowance struct {
	scene string
	// why nobody is worse off.
	why    string
	allows func(c Cell, r, undisturbed result) bool
}

// allowances are all of them. Nothing else may differ but how long a split served.
var allowances = []allowance{{
	scene: "nat",
	why: "a way back in steps takes three minutes at most; what was due while nobody was there for longer " +
		"than that is sent at once when somebody is",
	allows: stepsWereSkipped,
}, {
	scene: "kept nat",
	why: "and how large its steps are depends on the instances that stable has when they are decided, minutes later " +
		"than without an outage",
	allows: stepsWereOfAnotherSize,
}}

// allows tells whether what served may differ as it does.
func (c Cell) allows(r, undisturbed result) bool {
	return slices.ContainsFunc(allowances, func(a allowance) bool { return a.scene == c.Scene.Name && a.allows(c, r, undisturbed) })
}

// stepsWereOfAnotherSize tells whether, after an outage, the way back takes as many steps
// or fewer, each of which gives the candidate less, and ends alike.
func stepsWereOfAnotherSize(c Cell, r, undisturbed result) bool {
	outage := slices.ContainsFunc(c.Crashes, func(crash soak.Crash) bool { return crash.Kind == soak.After })
	if !outage || len(r.served) <= up || len(r.served) > len(undisturbed.served) || !slices.Equal(r.served[:up], undisturbed.served[:up]) {
		return false
	}
	before := 100
	for _, split := range r.served[up:] {
		percent := 0
		if _, candidate, shared := strings.Cut(split, "web-2 "); shared {
			percent, _ = strconv.Atoi(strings.TrimSuffix(candidate, "%"))
		}
		if percent >= before {
			return false
		}
		before = percent
	}
	return before == 0
}

// up is how many splits serve until such a scene goes back: the last two are web-2's 50
// and 90 %.
const up = 3

// stepsWereSkipped tells whether, after an outage, nothing but weights of the way back
// is missing.
func stepsWereSkipped(c Cell, r, undisturbed result) bool {
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
