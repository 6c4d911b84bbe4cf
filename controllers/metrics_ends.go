package controllers

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// minutes are the bounds of what takes a rollout's time, from a minute to a working
// day, in seconds.
var minutes = []float64{60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800}

// The ends of an attempt.
const (
	endCompleted  = "completed"
	endRolledBack = "rolled-back"
	endSuperseded = "superseded"
)

// The causes of a rollback beside the names of checks and of requests.
const (
	causeDeletion = "deletion" // the object is being deleted
	causeAssets   = "assets"   // pages of one revision asked for files of the other
	causeNoData   = "no-data"  // metrics stayed away for longer than spec.analysis.onNoData allows
	causeOther    = "other"    // such as a candidate that failed, or another stableRevision
	causeNewer    = "newer"    // there is a newer candidate, which begins where this one leaves off
)

// ends count what came to an end, as two saved statuses of a rollout tell it: the
// one before a decision and the one that it left.
type ends struct {
	rollbacks        *prometheus.CounterVec
	durations, waits *prometheus.HistogramVec
}

func newEnds() ends {
	e := ends{
		rollbacks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sluice_rollbacks_total",
			Help: "Ways back to stable that this process began; the cause is the check that was breached, the verb that asked for it, deletion, no-data, newer or other.",
		}, []string{"cause"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sluice_rollout_duration_seconds", Buckets: minutes,
			Help: "From the first write of an attempt to its end.",
		}, []string{"outcome"}),
		waits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sluice_rollout_paused_seconds", Buckets: minutes,
			Help: "How long a rollout waited for a person, observed when it does not any more; the cause is the reason of Ready.",
		}, []string{"cause"}),
	}
	for _, cause := range []string{
		v1alpha1.CheckErrors, v1alpha1.CheckNATAllocation, v1alpha1.CheckNATDrops,
		v1alpha1.VerbAbort, v1alpha1.VerbUndo, causeDeletion, causeAssets, causeNoData, causeNewer, causeOther,
	} {
		e.rollbacks.WithLabelValues(cause) // there from the start, so that the first one is a rise
	}
	for _, outcome := range []string{endCompleted, endRolledBack, endSuperseded} {
		e.durations.WithLabelValues(outcome)
	}
	for _, cause := range []string{
		v1alpha1.ReasonAwaitingApproval, v1alpha1.ReasonPaused, v1alpha1.ReasonTrafficConflict, v1alpha1.ReasonStepDeadlineExceeded,
		v1alpha1.ReasonNoDataDeadlineExceeded, v1alpha1.ReasonBaselineLost, v1alpha1.ReasonStateLost,
	} {
		e.waits.WithLabelValues(cause)
	}
	return e
}

func (e ends) all() []prometheus.Collector {
	return []prometheus.Collector{e.rollbacks, e.durations, e.waits}
}

// count counts what ended with the status of a rollout that replaced another.
func (e ends) count(before *v1alpha1.CloudRunRolloutStatus, ro *v1alpha1.CloudRunRollout) {
	after := &ro.Status
	if before.Attempt == nil || after.Attempt == nil || after.Attempt.Since == nil {
		return
	}
	now := after.Attempt.Since.Time
	if turned(before.Phase, after.Phase) {
		e.rollbacks.WithLabelValues(turnedBy(before, ro)).Inc()
	}
	if end := endOf(before, after); end != "" && before.Attempt.FirstWrite != nil {
		e.durations.WithLabelValues(end).Observe(now.Sub(before.Attempt.FirstWrite.Time).Seconds())
	}
	if waits(before.Phase) && before.Attempt.Since != nil && (before.Phase != after.Phase || before.Attempt.Reason != after.Attempt.Reason) {
		e.waits.WithLabelValues(before.Attempt.Reason).Observe(now.Sub(before.Attempt.Since.Time).Seconds())
	}
}

// turned tells whether a way back began. An attempt that had moved no traffic is
// back at once.
func turned(before, after v1alpha1.Phase) bool {
	return goesOrWent(after) && !goesOrWent(before)
}

func goesOrWent(p v1alpha1.Phase) bool {
	return p == v1alpha1.PhaseRollingBack || p == v1alpha1.PhaseRolledBack
}

// turnedBy is why a way back began. What a person asked for in that pass comes
// first, as it does where it is decided.
func turnedBy(before *v1alpha1.CloudRunRolloutStatus, ro *v1alpha1.CloudRunRollout) string {
	after := &ro.Status
	if !ro.DeletionTimestamp.IsZero() {
		return causeDeletion
	}
	if r := after.LastRequest; r != nil && r.Result == v1alpha1.RequestAccepted && (before.LastRequest == nil || before.LastRequest.ID != r.ID) {
		return r.Verb
	}
	given := slices.Contains(after.Attempt.Latched, after.Attempt.Candidate)
	if underWay(before.Phase) && !given && !excused(before.Attempt, after.Attempt) {
		return causeNewer // what was not given up may come again
	}
	for _, c := range after.Checks {
		if c.Verdict == v1alpha1.VerdictBreach && c.Mode == v1alpha1.ModeEnforce {
			return c.Name
		}
	}
	switch before.Attempt.Reason {
	case v1alpha1.ReasonMetricsUnavailable:
		return causeNoData
	case v1alpha1.ReasonAssetsMissed:
		return causeAssets
	}
	return causeOther
}

// excused tells whether a way back gives nothing up, or not yet, though a check was breached:
// a gateway suffers, or has not told whether it does.
func excused(before, after *v1alpha1.Attempt) bool {
	return after.AccusedAt != nil || after.SparedAt != nil && (before.SparedAt == nil || before.ID != after.ID)
}

// endOf is how an attempt ended, if one did.
func endOf(before, after *v1alpha1.CloudRunRolloutStatus) string {
	switch {
	case after.Phase == v1alpha1.PhaseCompleted && before.Phase != v1alpha1.PhaseCompleted:
		return endCompleted
	case after.Phase == v1alpha1.PhaseRolledBack && before.Phase != v1alpha1.PhaseRolledBack && !undone(before):
		return endRolledBack
	case after.Attempt.ID > before.Attempt.ID && underWay(before.Phase):
		return endSuperseded
	}
	return ""
}

// undone tells whether it goes back for an undo: after the end, which was counted.
func undone(s *v1alpha1.CloudRunRolloutStatus) bool {
	r := s.LastRequest
	return s.Phase == v1alpha1.PhaseRollingBack && r != nil && r.Verb == v1alpha1.VerbUndo && r.Result == v1alpha1.RequestAccepted
}

// underWay tells whether an attempt has not ended.
func underWay(p v1alpha1.Phase) bool {
	switch p {
	case v1alpha1.PhaseIdle, v1alpha1.PhaseRolledBack, v1alpha1.PhaseCompleted:
		return false
	case v1alpha1.PhaseChecking, v1alpha1.PhaseWarmingUp, v1alpha1.PhaseShifting, v1alpha1.PhaseBaking,
		v1alpha1.PhaseAwaitingApproval, v1alpha1.PhaseHeld, v1alpha1.PhasePaused, v1alpha1.PhaseRollingBack:
		return true
	}
	return false // before the first look
}

// waits tells whether a person is waited for.
func waits(p v1alpha1.Phase) bool {
	return p == v1alpha1.PhasePaused || p == v1alpha1.PhaseAwaitingApproval
}
