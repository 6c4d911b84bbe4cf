package view

import (
	"fmt"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// Step is a step of the plan.
type Step struct {
	Number, Of int
	Weight     int32
	// State says where it stands, in words.
	State string
	// Judged tells whether the checks are about it.
	Judged bool
}

// Steps are the steps of the plan, in their order.
func Steps(ro *v1alpha1.CloudRunRollout) []Step {
	underWay := StepNumber(ro)
	var steps []Step
	for i, step := range ro.Spec.Strategy.Steps {
		steps = append(steps, Step{
			Number: i + 1, Of: len(ro.Spec.Strategy.Steps), Weight: step.Weight, State: stepState(ro, i+1, underWay),
			Judged: i+1 == underWay || underWay == 0 && i == 0,
		})
	}
	return steps
}

// stepState says where a step stands, in words.
func stepState(ro *v1alpha1.CloudRunRollout, step, underWay int) string {
	spec := ro.Spec.Strategy.Steps[step-1]
	wants := "bakes " + string(spec.Bake)
	if spec.Approval == v1alpha1.ApprovalRequired {
		wants += ", asks for approval before"
	}
	switch now := standing.Of(ro); {
	case now == standing.RolledBack && step == underWay:
		return "given up"
	case now == standing.RolledBack && step > underWay:
		return "not reached"
	case step < underWay || now == standing.Settled, step == underWay && ro.Status.Phase == v1alpha1.PhaseAwaitingApproval:
		return "done"
	case step == underWay && ro.Status.Attempt != nil:
		return fmt.Sprintf("now, %d healthy minutes of %s", ro.Status.Attempt.BakedMinutes, spec.Bake)
	case step == underWay+1:
		return "next, " + wants
	}
	return wants
}
