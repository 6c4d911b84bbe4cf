package controllers

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// alarming are the states that an event warns of.
var alarming = []rollout.Reason{
	rollout.HeldByAnalysis, rollout.AssetsMissed, rollout.MetricsUnavailable, rollout.TrafficConflict,
	rollout.StepDeadlineExceeded, rollout.NoDataDeadlineExceeded, rollout.BaselineLost, rollout.StateLost,
	rollout.ReasonRollingBack, rollout.ReasonRolledBack, rollout.AccessDenied, rollout.ServiceNotFound,
	rollout.BaselineUnknown, rollout.OwnedElsewhere, rollout.NatUnwatched, rollout.RevisionNotFound, rollout.RevisionNotReady,
	rollout.NotDeployed,
}

// tell reports a decision after it was saved and carried out: the transitions,
// and the state when it is another one than before, or a hold when it has another
// cause. One log line per change.
func (r *Reconciler) tell(ctx context.Context, ro *v1alpha1.CloudRunRollout, before *v1alpha1.CloudRunRolloutStatus, d rollout.Decision) {
	for _, e := range d.Events {
		r.event(ro, e)
	}
	reason, since := d.Progress.Reason, d.Progress.Since
	if before.Attempt != nil && before.Attempt.Reason == string(reason) && string(before.Phase) == string(d.Progress.Phase) {
		if since = worsened(before, &ro.Status); since.IsZero() {
			return
		}
	}
	if before.Attempt == nil || before.Attempt.Reason != string(reason) {
		r.event(ro, rollout.Event{Reason: reason, Note: d.Note, Warning: slices.Contains(alarming, reason)})
	}
	if r.Tell != nil {
		r.Tell(newsOf(ro, d, since))
	}
	log.FromContext(ctx).Info("State changed",
		"phase", d.Progress.Phase, "reason", reason, "candidate", d.Progress.Candidate, "stable", d.Progress.Stable,
		"step", ro.Status.Step, "weight", ro.Status.Weight, "note", d.Note, "next", d.Next,
		"person", needsPerson(&ro.Status))
}

// lateAfter is how long a way back takes before it is told that it does not arrive, and
// how often that is told.
const lateAfter = 10 * time.Minute

// tellLate tells of a way back that does not arrive. A state that stays is not told
// again, and whoever has nothing but the log would not hear of it. It is told before
// the clouds are asked, because they may be what fails.
func (r *Reconciler) tellLate(ctx context.Context, ro *v1alpha1.CloudRunRollout) {
	a, now := ro.Status.Attempt, r.Clock.Now()
	if ro.Status.Phase != v1alpha1.PhaseRollingBack || a == nil || a.Since == nil || a.Baseline == nil {
		return
	}
	if now.Sub(a.Since.Time) < lateAfter || !r.memory.late(ro, now) {
		return
	}
	log.FromContext(ctx).Info("The way back does not arrive",
		"candidate", a.Candidate, "stable", a.Baseline.Revision, "since", a.Since.UTC(), "next", ro.Status.NextAction)
}

// replies keeps those events that answer a request: it is answered once, whatever
// becomes of the write.
func replies(events []rollout.Event) []rollout.Event {
	return slices.DeleteFunc(slices.Clone(events), func(e rollout.Event) bool {
		return e.Reason != rollout.RequestAccepted && e.Reason != rollout.RequestRefused
	})
}

func (r *Reconciler) event(ro *v1alpha1.CloudRunRollout, e rollout.Event) {
	kind := corev1.EventTypeNormal
	if e.Warning {
		kind = corev1.EventTypeWarning
	}
	r.Recorder.Eventf(ro, nil, kind, string(e.Reason), "Rollout", "%s", shorten(e.Note, maxEventNote))
}

// maxEventNote is the limit of events.k8s.io/v1.
const maxEventNote = 1024
