package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// Rules say what the checks that matter now lead to, one sentence each: those in
// breach, or the one that the candidate was given up for.
func Rules(ro *v1alpha1.CloudRunRollout) []string {
	names := map[string]bool{}
	for _, c := range Breaches(ro) {
		names[c.Name] = true
	}
	if a := ro.Status.Attempt; a != nil && (standing.Of(ro) == standing.RolledBack || standing.Of(ro) == standing.GoingBack) {
		name, _, _ := strings.Cut(a.Cause, ":")
		names[name] = true
	}
	var rules []string
	for _, c := range ChecksInForce(ro) {
		if names[c.Name] {
			rules = append(rules, c.Name+" "+Consequence(c)+".")
		}
	}
	return rules
}

// ChecksInForce are the built-in checks, as the spec changes them, and its own.
func ChecksInForce(ro *v1alpha1.CloudRunRollout) []v1alpha1.Check {
	var checks []v1alpha1.Check
	for _, name := range []string{v1alpha1.CheckErrors, v1alpha1.CheckNATAllocation, v1alpha1.CheckNATDrops} {
		if !slices.ContainsFunc(ro.Spec.Analysis.Checks, func(c v1alpha1.Check) bool { return c.Name == name }) {
			checks = append(checks, v1alpha1.Check{Name: name})
		}
	}
	return append(checks, ro.Spec.Analysis.Checks...)
}

// Consequence is what a breach of a check leads to, with the defaults that depend
// on its kind and so are not in the schema.
func Consequence(c v1alpha1.Check) string {
	action := c.OnBreach
	if action == "" {
		action = v1alpha1.BreachHold
		if c.Name == v1alpha1.CheckErrors || c.ServerErrors != nil || c.Latency != (v1alpha1.Latency{}) {
			action = v1alpha1.BreachRollback
		}
	}
	switch {
	case c.Mode == v1alpha1.ModeOff:
		return "is off"
	case c.Mode == v1alpha1.ModeShadow:
		return "is on trial: a breach is shown and has no effect"
	case action == v1alpha1.BreachRollback:
		return "rolls back at once"
	case c.RollbackAfter == v1alpha1.RollbackNever:
		return "holds, and never rolls back by itself"
	}
	return fmt.Sprintf("holds, and goes back when the breach has lasted %s", cmp.Or(c.RollbackAfter, "5m"))
}
