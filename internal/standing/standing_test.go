package standing_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// state makes a rollout as docs/conditions.md says that it looks like.
func state(phase v1alpha1.Phase, reason, beside string) *v1alpha1.CloudRunRollout {
	ready := metav1.ConditionFalse
	if beside == "" {
		ready = metav1.ConditionTrue
	}
	ro := &v1alpha1.CloudRunRollout{}
	ro.Status.Phase = phase
	ro.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: ready, Reason: reason}}
	if beside != "" {
		ro.Status.Conditions = append(ro.Status.Conditions, metav1.Condition{Type: beside, Status: metav1.ConditionTrue, Reason: reason})
	}
	return ro
}

const (
	reconciling = v1alpha1.ConditionReconciling
	stalled     = v1alpha1.ConditionStalled
)

// TestEachStateHasItsStandingAndItsOutcome goes through the table of
// docs/conditions.md: whom a state needs, and how somebody who waits hears of it.
func TestEachStateHasItsStandingAndItsOutcome(t *testing.T) {
	t.Parallel()
	for _, state := range []struct {
		*v1alpha1.CloudRunRollout
		standing standing.Standing
		outcome  standing.Outcome
	}{
		{state(v1alpha1.PhaseIdle, v1alpha1.ReasonSteady, ""), standing.Settled, standing.Done},
		{state(v1alpha1.PhaseCompleted, v1alpha1.ReasonCompleted, ""), standing.Settled, standing.Done},
		{state(v1alpha1.PhaseIdle, v1alpha1.ReasonPreparing, reconciling), standing.Moving, standing.UnderWay},
		{state(v1alpha1.PhaseChecking, v1alpha1.ReasonPreparing, reconciling), standing.Moving, standing.UnderWay},
		{state(v1alpha1.PhaseWarmingUp, v1alpha1.ReasonPreparing, reconciling), standing.Moving, standing.UnderWay},
		{state(v1alpha1.PhaseShifting, v1alpha1.ReasonProgressing, reconciling), standing.Moving, standing.UnderWay},
		{state(v1alpha1.PhaseBaking, v1alpha1.ReasonProgressing, reconciling), standing.Moving, standing.UnderWay},
		{state(v1alpha1.PhaseAwaitingApproval, v1alpha1.ReasonAwaitingApproval, reconciling), standing.NeedsPerson, standing.Waits},
		{state(v1alpha1.PhaseHeld, v1alpha1.ReasonHeldByAnalysis, reconciling), standing.Failing, standing.UnderWay},
		{state(v1alpha1.PhaseHeld, v1alpha1.ReasonMetricsUnavailable, reconciling), standing.Waiting, standing.UnderWay},
		{state(v1alpha1.PhaseHeld, v1alpha1.ReasonTooFewRequests, reconciling), standing.Waiting, standing.UnderWay},
		{state(v1alpha1.PhaseHeld, v1alpha1.ReasonWaitingForNat, reconciling), standing.Waiting, standing.UnderWay},
		{state(v1alpha1.PhaseHeld, v1alpha1.ReasonAccessDenied, reconciling), standing.Waiting, standing.UnderWay},
		{state(v1alpha1.PhasePaused, v1alpha1.ReasonPaused, reconciling), standing.NeedsPerson, standing.Waits},
		{state(v1alpha1.PhasePaused, v1alpha1.ReasonTrafficConflict, reconciling), standing.NeedsPerson, standing.Waits},
		{state(v1alpha1.PhasePaused, v1alpha1.ReasonStepDeadlineExceeded, reconciling), standing.NeedsPerson, standing.Waits},
		{state(v1alpha1.PhasePaused, v1alpha1.ReasonNoDataDeadlineExceeded, reconciling), standing.NeedsPerson, standing.Waits},
		{state(v1alpha1.PhasePaused, v1alpha1.ReasonBaselineLost, stalled), standing.Stuck, standing.Failed},
		{state(v1alpha1.PhasePaused, v1alpha1.ReasonStateLost, stalled), standing.Stuck, standing.Failed},
		{state(v1alpha1.PhaseRollingBack, v1alpha1.ReasonRollingBack, reconciling), standing.GoingBack, standing.UnderWay},
		{state(v1alpha1.PhaseRolledBack, v1alpha1.ReasonRolledBack, stalled), standing.RolledBack, standing.Failed},
		{state(v1alpha1.PhaseIdle, v1alpha1.ReasonInvalidSpec, stalled), standing.Stuck, standing.Failed},
		{state(v1alpha1.PhaseIdle, v1alpha1.ReasonTooManyRollouts, stalled), standing.Stuck, standing.Failed},
		{state(v1alpha1.PhaseIdle, v1alpha1.ReasonNatUnwatched, stalled), standing.Stuck, standing.Failed},
		{&v1alpha1.CloudRunRollout{}, standing.NotSeen, standing.UnderWay},
	} {
		name := string(state.Status.Phase) + "/" + standing.Reason(state.CloudRunRollout)
		if got := standing.Of(state.CloudRunRollout); got != state.standing {
			t.Errorf("%s stands at %v, not %v", name, got, state.standing)
		}
		if got := (&standing.Wait{}).Look(state.CloudRunRollout); got != state.outcome {
			t.Errorf("%s is %v for somebody who waits, not %v", name, got, state.outcome)
		}
	}
}

func TestAnEndBeforeTheNewestSpecWasSeenIsNone(t *testing.T) {
	t.Parallel()
	ro := state(v1alpha1.PhaseCompleted, v1alpha1.ReasonCompleted, "")
	ro.Generation, ro.Status.ObservedGeneration = 2, 1
	if got := (&standing.Wait{}).Look(ro); got != standing.UnderWay {
		t.Errorf("what is said of generation 1 ends the wait for generation 2: %v", got)
	}
}
