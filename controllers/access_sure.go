package controllers

import (
	"context"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// sureAccess asks the apiserver for access before a rise is saved, or a template sent, and
// decides anew where it was taken away and the cache does not show that. Where nobody can
// be asked neither is sent. What gives traffic back waits for no answer.
func sureAccess(ctx context.Context, cloud Cloud, in *rollout.Input, d rollout.Decision) (rollout.Decision, error) {
	if cloud.StillMay == nil || !d.Raises() && d.Deploy == nil {
		return d, nil
	}
	var sends rollout.Template
	if d.Deploy != nil {
		sends = d.Deploy.Template()
	}
	of, undeployable, err := cloud.StillMay(ctx, in.Plan.Service, sends)
	switch {
	case err != nil:
		return rollout.Decision{}, err
	case of.Presence == rollout.Denied:
		in.Service = of
	case undeployable != "":
		in.Undeployable = undeployable
	default:
		return d, nil
	}
	return rollout.Decide(*in), nil
}
