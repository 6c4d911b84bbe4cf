package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// save writes the decision into the status, compare-and-swap on the resource
// version: a conflict means that a person changed the object after it was read.
// What changes nothing is not sent, except before a write to Cloud Run, which
// must know that the object is still the one that was decided on.
func (r *Reconciler) save(ctx context.Context, ro *v1alpha1.CloudRunRollout, in rollout.Input, d rollout.Decision) error {
	if f := r.memory.failures(ro); f.told() && (d.Write != nil || d.Deploy != nil) {
		d.Next += " " + f.String()
	}
	status := statusOf(ro, in, d)
	if d.Write == nil && d.Deploy == nil && equality.Semantic.DeepEqual(&ro.Status, &status) {
		r.seen(ro, in)
		return nil
	}
	before := ro.Status
	ro.Status = status
	if err := r.Status().Update(ctx, ro); err != nil {
		return fmt.Errorf("saving status: %w", err)
	}
	r.sight.wrote(ro, r.Process.Now())
	r.seen(ro, in)
	if r.Decided != nil {
		r.Decided(ro, &before, d)
	}
	return nil
}

// seen forgets what was heard only once, now that what follows from it is saved.
func (r *Reconciler) seen(ro *v1alpha1.CloudRunRollout, in rollout.Input) {
	if in.Service.Interleaved {
		r.memory.interleaveSaved(ro)
	}
}

// statusOf is the status that says a decision.
func statusOf(ro *v1alpha1.CloudRunRollout, in rollout.Input, d rollout.Decision) v1alpha1.CloudRunRolloutStatus {
	p := d.Progress
	status := ro.Status // what stays as it was is shared
	status.Conditions = slices.Clone(ro.Status.Conditions)
	status.ObservedGeneration = ro.Generation
	status.Phase = v1alpha1.Phase(p.Phase)
	status.NextAction = shorten(d.Next, v1alpha1.MaxNextAction)
	if in.Seen() && len(d.Serves) > 0 {
		weight, stable, candidate := serving(in, d)
		status.Weight, status.Stable, status.Candidate = weight, withImage(stable, status.Stable), withImage(candidate, status.Candidate)
	}
	status.Step = stepOf(in.Plan, p)
	if p.Phase == rollout.Idle {
		status.Step, status.Weight = "", ""
	}
	status.Attempt = attemptOf(p)
	status.Checks, status.Gateways = checksOf(d), gatewaysOf(ro.Status, status, d)
	if d.Advice != nil {
		status.Advice = adviceOf(d.Advice)
	}
	status.LastRequest = requestStatus(p.LastRequest)
	setConditions(&status, ro.Generation, in, d)
	if entry, changed := historyEntry(ro, status, d); changed {
		entry.Time = metav1.NewTime(in.Now)
		status.History = append(slices.Clone(status.History), entry)
		status.History = status.History[max(0, len(status.History)-v1alpha1.MaxHistory):]
	}
	return status
}

// stepOf is the step under way: "2/4"; at a weight that was inserted before it,
// "2/4, 15% on the way to 25%".
func stepOf(plan rollout.Plan, p rollout.Progress) string {
	text := fmt.Sprintf("%d/%d", p.Step, len(plan.Steps))
	weight := p.Confirmed.Of(p.Candidate)
	if weight <= 0 || p.Step < 1 || p.Step > len(plan.Steps) || weight >= plan.Steps[p.Step-1].Weight {
		return text
	}
	return fmt.Sprintf("%s, %d%% on the way to %d%%", text, weight, plan.Steps[p.Step-1].Weight)
}

// serving says who serves how much, as Cloud Run confirms it. What cannot be
// read, or not as it is by now, stays as it was last seen.
func serving(in rollout.Input, d rollout.Decision) (weight string, stable, candidate *v1alpha1.RevisionStatus) {
	p, serves := d.Progress, d.Serves
	weight = fmt.Sprintf("%d%%", serves.Of(p.Candidate))
	if p.Stable != "" {
		stable = revisionStatus(in, p.Stable, serves)
	}
	if p.Candidate != "" {
		candidate = revisionStatus(in, p.Candidate, serves)
	} else {
		weight = ""
	}
	return weight, stable, candidate
}

// withImage keeps the image of a revision that cannot be read now.
func withImage(now, was *v1alpha1.RevisionStatus) *v1alpha1.RevisionStatus {
	if now != nil && was != nil && now.Image == "" && now.Revision == was.Revision {
		now.Image = was.Image
	}
	return now
}

func revisionStatus(in rollout.Input, name string, serves rollout.Split) *v1alpha1.RevisionStatus {
	return &v1alpha1.RevisionStatus{
		Revision: name,
		Percent:  int32(serves.Of(name)), //nolint:gosec // a percent
		Image:    shorten(in.Revisions[name].Image, v1alpha1.MaxImage),
	}
}

// noDataCauses are the causes as the API names them.
var noDataCauses = map[analysis.Cause]v1alpha1.NoDataCause{
	analysis.CauseNone:        "",
	analysis.CauseNoTraffic:   v1alpha1.CauseNoTraffic,
	analysis.CauseLate:        v1alpha1.CauseDataLate,
	analysis.CauseAbsent:      v1alpha1.CauseSeriesAbsent,
	analysis.CauseDenied:      v1alpha1.CauseAccessDenied,
	analysis.CauseThrottled:   v1alpha1.CauseQuotaExceeded,
	analysis.CauseUnavailable: v1alpha1.CauseUnavailable,
	analysis.CausePartial:     v1alpha1.CausePartialResult,
	analysis.CauseWrongType:   v1alpha1.CauseUnusableValues,
	analysis.CauseAmbiguous:   v1alpha1.CauseAmbiguousName,
	analysis.CauseInvalid:     v1alpha1.CauseQueryRefused,
	analysis.CauseUnasked:     v1alpha1.CauseNotAsked,
	analysis.CauseUnread:      v1alpha1.CauseGatewayUnread,
}

func checksOf(d rollout.Decision) []v1alpha1.CheckStatus {
	var checks []v1alpha1.CheckStatus
	for _, c := range d.Checks {
		v := c.Verdict
		checks = append(checks, v1alpha1.CheckStatus{
			Name: c.Name, Mode: v1alpha1.CheckMode(c.Mode), Source: v.Source,
			Verdict: v1alpha1.Verdict(v.Outcome), Value: shorten(v.Value, v1alpha1.MaxMeasure), Limit: shorten(v.Limit, v1alpha1.MaxMeasure),
			Samples: v.Samples, Required: v.Required, Cause: noDataCauses[v.Cause],
			ObservedThrough: stamp(v.Through), BreachedSince: stamp(breachOf(d.Progress, c.Name)),
			Message: shorten(v.Note, v1alpha1.MaxMessage),
		})
	}
	return checks
}

// breachOf is since when a check is in breach, as the next pass shall know it.
func breachOf(p rollout.Progress, check string) time.Time {
	for _, b := range p.Breaches {
		if b.Guard == check {
			return b.Since
		}
	}
	return time.Time{}
}

func requestStatus(reply rollout.Reply) *v1alpha1.RequestStatus {
	if reply.ID == "" {
		return nil
	}
	result := v1alpha1.RequestRefused
	if reply.Accepted {
		result = v1alpha1.RequestAccepted
	}
	return &v1alpha1.RequestStatus{
		ID: reply.ID, Verb: shorten(string(reply.Verb), v1alpha1.MaxRequestVerb), Result: result,
		Message: shorten(reply.Message, v1alpha1.MaxMessage), Time: metav1.NewTime(reply.At),
	}
}

// historyEntry tells whether a decision is a turn that belongs into the history:
// another reason, another weight or another candidate.
func historyEntry(ro *v1alpha1.CloudRunRollout, now v1alpha1.CloudRunRolloutStatus, d rollout.Decision) (v1alpha1.HistoryEntry, bool) {
	was := ro.Status
	step, _, _ := strings.Cut(now.Step, ",") // the weight stands beside it
	entry := v1alpha1.HistoryEntry{
		Reason: string(d.Progress.Reason), Message: shorten(d.Note, v1alpha1.MaxHistoryMessage),
		Step: step, Weight: now.Weight, Revision: d.Progress.Candidate,
	}
	if was.Attempt == nil {
		return entry, true
	}
	return entry, was.Attempt.Reason != string(d.Progress.Reason) || was.Phase != now.Phase ||
		was.Weight != now.Weight || was.Attempt.Candidate != d.Progress.Candidate
}

// shorten cuts a text to a length in bytes, at a rune, and says that it did.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := limit - len("…")
	for cut > 0 && text[cut]&0xC0 == 0x80 {
		cut--
	}
	return text[:cut] + "…"
}
