package controllers

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// progressOf reads back what saveProgress wrote.
func progressOf(ro *v1alpha1.CloudRunRollout) rollout.Progress {
	p := rollout.Progress{Phase: rollout.Idle, Reason: rollout.Preparing}
	if ro.Status.Phase != "" {
		p.Phase = rollout.Phase(ro.Status.Phase)
	}
	if last := ro.Status.LastRequest; last != nil {
		p.LastRequest = rollout.Reply{
			ID: last.ID, Verb: rollout.Verb(last.Verb), Message: last.Message, At: last.Time.UTC(),
			Accepted: last.Result == v1alpha1.RequestAccepted,
		}
	}
	for _, g := range ro.Status.Gateways {
		p.Watches = append(p.Watches, rollout.Watch{
			Source: sourceOf(g), Named: g.Origin == v1alpha1.OriginNamed, Claimed: int64(g.Claimed), Growing: g.Growing != "",
		})
	}
	for _, c := range ro.Status.Checks {
		if c.BreachedSince != nil {
			p.Breaches = append(p.Breaches, rollout.BreachStart{Guard: c.Name, Since: c.BreachedSince.UTC()})
		}
	}
	if ro.Status.Attempt != nil {
		readAttempt(&p, *ro.Status.Attempt)
	}
	if stable := ro.Status.Stable; stable != nil && stable.Revision == p.Stable {
		p.Elsewhere = 100 - int64(stable.Percent)
	}
	return p
}

func readAttempt(p *rollout.Progress, a v1alpha1.Attempt) {
	p.Reason, p.Since, p.Cause = rollout.Reason(a.Reason), timeOf(a.Since), a.Cause
	p.ServiceUID, p.Generation = a.ServiceUID, a.SeenGeneration
	if a.Baseline != nil {
		p.Stable, p.Cutoff = a.Baseline.Revision, timeOf(a.Baseline.Cutoff)
	}
	p.Attempt, p.Candidate, p.Requested = a.ID, a.Candidate, a.Requested
	p.Step, p.Baked = int(a.Step), int(a.BakedMinutes)
	p.FirstWrite, p.Effective, p.Lowered = timeOf(a.FirstWrite), timeOf(a.EffectiveSince), timeOf(a.Lowered)
	p.Waiting, p.Hot = timeOf(a.WaitingSince), timeOf(a.HotSince)
	p.WaitTold = a.LongWaitTold != ""
	p.Watched, p.Judged = timeOf(a.EvidenceSince), timeOf(a.JudgedThrough)
	p.Confirmed, p.Tagged, p.Latched = splitOf(a.Confirmed), a.TaggedRevision, a.Latched
	p.Warmup = rollout.Warmup{Tagged: a.Warmup.Tagged, Since: timeOf(a.Warmup.Since), Over: timeOf(a.Warmup.Over)}
	for _, i := range a.Intents {
		p.Intents = append(p.Intents, rollout.Intent{
			Split: splitOf(i.Split), ETag: i.BaseEtag, Generation: i.BaseGeneration, Seq: i.Seq, At: i.SavedAt.UTC(),
		})
	}
	p.Seq, p.Adopted, p.ClaimMissed = a.Seq, a.AdoptedFrom, a.ClaimMissing != ""
	p.Approved, p.ThinAccepted = int64(a.ApprovedWeight), int(a.ApprovedThin)
	p.Promoted = rollout.Promotion{Weight: int64(a.PromotedWeight), Full: a.PromotedFull != "", Override: a.NatOverridden != ""}
	p.Former = a.FormerStable
	p.NoDataSince, p.SettledBy, p.Deployed = timeOf(a.NoDataSince), a.SettledBy, a.DeployedTemplate
	if s := a.SentTemplate; s.Digest != "" {
		p.Sent = rollout.Sent{Digest: s.Digest, At: s.At.UTC(), Times: int(s.Times), Before: s.Before}
	}
	readTrouble(p, a)
	p.Clock = rollout.Stopwatch{
		Spent:   time.Duration(a.DeadlineSpentSeconds) * time.Second,
		Running: timeOf(a.DeadlineRunningSince),
	}
}

// readTrouble reads back what tells the rollout's part in a gateway's trouble.
func readTrouble(p *rollout.Progress, a v1alpha1.Attempt) {
	for _, r := range a.Rises {
		p.Rises = append(p.Rises, nat.Rise{At: r.At.UTC(), From: int64(r.From)})
	}
	p.Company = rollout.Company{Since: timeOf(a.OthersHotSince), Until: timeOf(a.OthersHotUntil)}
	p.Called, p.Spared, p.Accused = timeOf(a.CalledAt), timeOf(a.SparedAt), timeOf(a.AccusedAt)
	if t := a.Trial; t.From > 0 {
		p.Trial = rollout.Trial{At: t.At.UTC(), From: int64(t.From), To: int64(t.To), Since: timeOf(t.Since), Role: nat.Role(t.Role)}
	}
	if r := a.Retreat; r.Sent > 0 {
		p.Retreat = rollout.Retreat{Began: r.Began.UTC(), Last: r.Last.UTC(), Sent: int(r.Sent), Weight: int64(r.Weight)}
	}
}

// writeTrouble writes it down.
func writeTrouble(a *v1alpha1.Attempt, p rollout.Progress) {
	for _, r := range p.Rises {
		a.Rises = append(a.Rises, v1alpha1.Rise{At: metav1.NewTime(r.At), From: int32(r.From)}) //nolint:gosec // a percent
	}
	a.OthersHotSince, a.OthersHotUntil, a.CalledAt = stamp(p.Company.Since), stamp(p.Company.Until), stamp(p.Called)
	a.SparedAt, a.AccusedAt = stamp(p.Spared), stamp(p.Accused)
	if t := p.Trial; t != (rollout.Trial{}) {
		a.Trial = v1alpha1.Trial{
			At: metav1.NewTime(t.At), From: int32(t.From), To: int32(t.To), Since: stamp(t.Since), Role: string(t.Role), //nolint:gosec // percents
		}
	}
	if r := p.Retreat; r != (rollout.Retreat{}) {
		a.Retreat = v1alpha1.Retreat{
			Began: metav1.NewTime(r.Began), Last: metav1.NewTime(r.Last), Sent: int32(r.Sent), Weight: int32(r.Weight), //nolint:gosec // small, and a percent
		}
	}
}

// attemptOf writes down everything a restart needs.
func attemptOf(p rollout.Progress) *v1alpha1.Attempt {
	a := &v1alpha1.Attempt{
		ID: p.Attempt, Reason: string(p.Reason), Since: stamp(p.Since), Cause: shorten(p.Cause, v1alpha1.MaxCause),
		ServiceUID: p.ServiceUID, SeenGeneration: p.Generation,
		Candidate: p.Candidate, Requested: p.Requested,
		Step: int32(p.Step), BakedMinutes: int32(p.Baked), //nolint:gosec // bounded by the plan: 20 steps, 24 h
		FirstWrite: stamp(p.FirstWrite), EffectiveSince: stamp(p.Effective), Lowered: stamp(p.Lowered),
		Confirmed: sharesOf(p.Confirmed), TaggedRevision: p.Tagged, Latched: p.Latched,
		ApprovedWeight: int32(p.Approved), ApprovedThin: int32(p.ThinAccepted), //nolint:gosec // bounded by the plan: a percent, 20 steps
		NoDataSince: stamp(p.NoDataSince), SettledBy: p.SettledBy,
		DeadlineSpentSeconds: int64(p.Clock.Spent / time.Second), DeadlineRunningSince: stamp(p.Clock.Running),
	}
	a.WaitingSince, a.HotSince = stamp(p.Waiting), stamp(p.Hot)
	a.EvidenceSince, a.JudgedThrough = stamp(p.Watched), stamp(p.Judged)
	a.Seq, a.AdoptedFrom, a.DeployedTemplate = p.Seq, p.Adopted, p.Deployed
	if s := p.Sent; s.Digest != "" {
		a.SentTemplate = v1alpha1.SentTemplate{Digest: s.Digest, At: metav1.NewTime(s.At), Times: int32(min(s.Times, 1000)), Before: s.Before} //nolint:gosec // bounded here
	}
	if p.WaitTold {
		a.LongWaitTold = string(metav1.ConditionTrue)
	}
	a.PromotedWeight, a.FormerStable = int32(p.Promoted.Weight), p.Former //nolint:gosec // a percent
	if p.Promoted.Full {
		a.PromotedFull = string(metav1.ConditionTrue)
	}
	if p.Promoted.Override {
		a.NatOverridden = string(metav1.ConditionTrue)
	}
	writeTrouble(a, p)
	a.Warmup = v1alpha1.AttemptWarmup{Tagged: p.Warmup.Tagged, Since: stamp(p.Warmup.Since), Over: stamp(p.Warmup.Over)}
	if p.ClaimMissed {
		a.ClaimMissing = string(metav1.ConditionTrue)
	}
	if p.Stable != "" || !p.Cutoff.IsZero() {
		a.Baseline = &v1alpha1.Baseline{Revision: p.Stable, Cutoff: stamp(p.Cutoff)}
	}
	for _, i := range p.Intents {
		a.Intents = append(a.Intents, v1alpha1.Intent{
			Split: sharesOf(i.Split), BaseEtag: i.ETag, BaseGeneration: i.Generation, Seq: i.Seq, SavedAt: metav1.NewTime(i.At),
		})
	}
	return a
}

func splitOf(shares []v1alpha1.Share) rollout.Split {
	percents := map[string]int64{}
	for _, s := range shares {
		percents[s.Revision] += int64(s.Percent)
	}
	return rollout.NewSplit(percents)
}

func sharesOf(split rollout.Split) []v1alpha1.Share {
	var shares []v1alpha1.Share
	for _, s := range split {
		shares = append(shares, v1alpha1.Share{Revision: s.Revision, Percent: int32(s.Percent)}) //nolint:gosec // a percent
	}
	return shares
}

// timeOf reads a time that may be absent.
func timeOf(t *metav1.Time) time.Time {
	if t == nil || t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// stamp writes a time, or nothing for the zero time.
func stamp(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	at := metav1.NewTime(t)
	return &at
}
