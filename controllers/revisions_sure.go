package controllers

import (
	"context"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// justRead is how long revisions that were read are good for a rise. What it leaves of
// delta is for the save.
const justRead = time.Second

// dated is a decision, and since when what it rests on is known.
type dated struct {
	rollout.Decision

	since time.Time
}

// sureRevisions reads the revisions once more before a rise is saved, where the metrics
// took their time since: the etag of a service shows that its traffic is the same, and says
// nothing of a stable that is not ready any more, or is gone. It decides anew on them.
func (r *Reconciler) sureRevisions(ctx context.Context, cloud Cloud, in *rollout.Input, d dated) (dated, error) {
	now := r.Process.Now()
	switch {
	case !d.Raises():
		return dated{d.Decision, now}, nil
	case now.Sub(d.since) <= justRead:
		return d, nil
	}
	names := rollout.Involved(in.Plan, in.Progress, in.Service, in.Request)
	revisions, err := cloud.Revisions(ctx, in.Plan.Service, names)
	if err != nil {
		return d, err
	}
	wholeSeconds(revisions)
	in.Revisions = revisions
	return dated{rollout.Decide(*in), now}, nil
}
