package standing

import (
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// StepDeadline is when the step pauses unless it passes; false while that clock stands.
func StepDeadline(ro *v1alpha1.CloudRunRollout) (time.Time, bool) {
	a := ro.Status.Attempt
	limit, err := time.ParseDuration(string(ro.Spec.Strategy.StepDeadline))
	if a == nil || a.DeadlineRunningSince == nil || err != nil {
		return time.Time{}, false
	}
	return a.DeadlineRunningSince.Add(limit - time.Duration(a.DeadlineSpentSeconds)*time.Second), true
}

// Due is when a rollout pauses or goes back by itself unless something changes: at its
// step's deadline, or where metrics have been away for too long.
func Due(ro *v1alpha1.CloudRunRollout) (time.Time, bool) {
	due, ok := StepDeadline(ro)
	a := ro.Status.Attempt
	away, err := time.ParseDuration(string(ro.Spec.Analysis.OnNoData.After))
	if a != nil && a.NoDataSince != nil && err == nil {
		if limit := a.NoDataSince.Add(away); !ok || limit.Before(due) {
			due, ok = limit, true
		}
	}
	return due, ok
}
