package controllers

import (
	"context"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// outletTimeout bounds the look at the way out. It is longer than one call of the
// Compute API may take, so that the adapter can still answer with what it knew
// before, and short enough for the live read and the write to follow.
const outletTimeout = 15 * time.Second

// outlet looks where traffic leaves, when a decision wants to know. It never ends
// a pass: what cannot be known is an answer, and a way back does not ask.
func outlet(ctx context.Context, cloud Cloud, in rollout.Input) rollout.Outlet {
	revisions := rollout.Leaving(in)
	if cloud.Outlets == nil || len(revisions) == 0 {
		return rollout.Outlet{}
	}
	ctx, cancel := context.WithTimeout(ctx, outletTimeout)
	defer cancel()
	found, err := cloud.Outlets.Outlet(ctx, in.Plan.Service, revisions, in.Plan.Gateways, in.Now)
	if err != nil {
		return rollout.Outlet{Presence: rollout.Unknown, Detail: err.Error()}
	}
	return found
}
