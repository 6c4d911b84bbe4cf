package controllers

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// called tells whether a person was called for a hold that goes on: a gateway suffers
// while the candidate serves, and nobody can tell whose doing that is.
func called(s *v1alpha1.CloudRunRolloutStatus) bool {
	a := s.Attempt
	if a == nil || a.CalledAt == nil || !heldByAnalysis(s) {
		return false
	}
	for _, c := range s.Checks {
		if inBreach(c) && !a.CalledAt.Before(c.BreachedSince) {
			return true
		}
	}
	return false
}

// needsPerson tells whether a person is needed: nothing goes on without one, or one was
// called.
func needsPerson(s *v1alpha1.CloudRunRolloutStatus) bool {
	return meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionStalled) || waits(s.Phase) || called(s)
}

func heldByAnalysis(s *v1alpha1.CloudRunRolloutStatus) bool {
	return s.Phase == v1alpha1.PhaseHeld && s.Attempt != nil && s.Attempt.Reason == v1alpha1.ReasonHeldByAnalysis
}

// inBreach tells whether a check that counts is in breach.
func inBreach(c v1alpha1.CheckStatus) bool {
	return c.Mode == v1alpha1.ModeEnforce && c.Verdict == v1alpha1.VerdictBreach && c.BreachedSince != nil
}

// calledAnew tells whether a person was called between two statuses. A call that is dated
// as a breach is was made for an earlier one of the same trouble, which came back.
func calledAnew(before, after *v1alpha1.CloudRunRolloutStatus) bool {
	at := after.Attempt.CalledAt
	return called(after) && (before.Attempt.CalledAt == nil || !before.Attempt.CalledAt.Equal(at)) &&
		!slices.ContainsFunc(after.Checks, func(c v1alpha1.CheckStatus) bool { return inBreach(c) && c.BreachedSince.Equal(at) })
}

// worsened is when a hold that goes on got another cause: a further check is in breach, or
// a person was called. It is zero where nothing did. Whoever was told of the hold alone
// would not hear of that.
func worsened(before, after *v1alpha1.CloudRunRolloutStatus) time.Time {
	if !heldByAnalysis(before) || !heldByAnalysis(after) {
		return time.Time{}
	}
	if calledAnew(before, after) {
		return after.Attempt.CalledAt.Time
	}
	was := map[string]bool{}
	for _, c := range before.Checks {
		was[c.Name] = c.BreachedSince != nil
	}
	for _, c := range after.Checks {
		if inBreach(c) && !was[c.Name] {
			return c.BreachedSince.Time
		}
	}
	return time.Time{}
}
