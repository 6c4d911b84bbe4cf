// Package standing says what the status of a rollout means for a person: whether
// somebody is needed, and how it ended. It rests on the conditions and the phase
// alone, as docs/conditions.md explains them.
package standing

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Standing is what a status means.
type Standing int

// The standings, the most urgent first.
const (
	// Failing is held by a check, with users on the candidate.
	Failing Standing = iota
	// GoingBack gives the traffic to stable.
	GoingBack
	// Stuck cannot begin or go on until somebody changes something.
	Stuck
	// NeedsPerson is paused, or asks for an approval.
	NeedsPerson
	// Waiting waits for the world: data, requests, NAT, access.
	Waiting
	// Moving shifts or bakes.
	Moving
	// NotSeen has a spec that nobody has looked at yet.
	NotSeen
	// RolledBack gave its candidate up. Stable serves.
	RolledBack
	// Settled has nothing to do.
	Settled
)

// Of reads the standing of a rollout.
func Of(ro *v1alpha1.CloudRunRollout) Standing {
	s := &ro.Status
	switch {
	case s.ObservedGeneration < ro.Generation || s.Phase == "":
		return NotSeen
	case s.Phase == v1alpha1.PhaseRolledBack:
		return RolledBack
	case meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionStalled):
		return Stuck
	case s.Phase == v1alpha1.PhasePaused, s.Phase == v1alpha1.PhaseAwaitingApproval:
		return NeedsPerson
	case s.Phase == v1alpha1.PhaseRollingBack:
		return GoingBack
	case meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionReady):
		return Settled
	case Reason(ro) == v1alpha1.ReasonHeldByAnalysis, Reason(ro) == v1alpha1.ReasonAssetsMissed:
		return Failing
	case s.Phase == v1alpha1.PhaseHeld:
		return Waiting
	default:
		return Moving
	}
}

// Ready returns the Ready condition, or an empty one before the first look.
func Ready(ro *v1alpha1.CloudRunRollout) metav1.Condition {
	if ready := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return *ready
	}
	return metav1.Condition{}
}

// Reason returns the reason of the Ready condition, or "" before the first look.
func Reason(ro *v1alpha1.CloudRunRollout) string { return Ready(ro).Reason }
