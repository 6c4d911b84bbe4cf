package controllers

import (
	"fmt"
	"slices"
	"strings"
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
		Passing: slices.Contains(passing, p.Phase) && !needsPerson(&ro.Status), Cause: causeOf(ro.Status.Checks),
	}
}

// passing are the phases that end by themselves with the attempt still under way.
var passing = []rollout.Phase{rollout.Checking, rollout.WarmingUp, rollout.Shifting, rollout.Baking, rollout.Held}

// causeOf names what speaks against a rise: the checks in breach and of which source, and
// those without data and why. The numbers, which change each minute, are left out.
func causeOf(checks []v1alpha1.CheckStatus) string {
	var causes []string
	for _, c := range checks {
		if c.Mode == v1alpha1.ModeEnforce && (c.Verdict == v1alpha1.VerdictBreach || c.Verdict == v1alpha1.VerdictNoData) {
			causes = append(causes, fmt.Sprintf("%s of %s: %s %s", c.Name, c.Source, c.Verdict, c.Cause))
		}
	}
	slices.Sort(causes)
	return strings.Join(causes, "; ")
}
