package controllers

import (
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/notify"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// newsOf is what people elsewhere hear of a rollout that has changed its state. A gate
// warns as well: nobody would open it otherwise.
func newsOf(ro *v1alpha1.CloudRunRollout, d rollout.Decision, since time.Time) notify.News {
	service := serviceOf(ro)
	p := d.Progress
	return notify.News{
		Namespace: ro.Namespace, Name: ro.Name, UID: string(ro.UID),
		Project: service.Project, Location: service.Location, Service: service.Name,
		Attempt: p.Attempt, Phase: string(p.Phase), Reason: string(p.Reason),
		Candidate: p.Candidate, Stable: p.Stable, Step: ro.Status.Step, Weight: ro.Status.Weight,
		Text: d.Note, Next: d.Next, At: since,
		Warning: p.Phase == rollout.AwaitingApproval || slices.Contains(alarming, p.Reason),
	}
}
