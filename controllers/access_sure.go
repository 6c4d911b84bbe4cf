package controllers

import (
	"context"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// sureAccess asks the apiserver for access before a rise is saved, or a template sent, and
// decides anew where it was taken away and the cache does not show that. Where nobody can
// be asked both wait, and the status says why. What gives traffic back waits for no answer.
func sureAccess(ctx context.Context, cloud Cloud, in *rollout.Input, d rollout.Decision) rollout.Decision {
	if cloud.StillMay == nil || !d.Raises() && d.Deploy == nil {
		return d
	}
	var sends rollout.Template
	if d.Deploy != nil {
		sends = d.Deploy.Template()
	}
	of, undeployable, err := cloud.StillMay(ctx, in.Plan.Service, sends)
	switch {
	case err != nil:
		in.Hours = rollout.Hours{Shut: true, Why: "whether it is still allowed could not be read: " + google.Clean(err.Error())}
	case of.Presence == rollout.Denied:
		in.Service = of
	case undeployable != "":
		in.Undeployable = undeployable
	default:
		return d
	}
	return rollout.Decide(*in)
}
