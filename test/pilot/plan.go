package pilot

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// DefaultPlan is what the defaults of the API make of a service and the NAT
// gateways that its rollout names.
func DefaultPlan(of rollout.ServiceRef, gateways ...analysis.Source) rollout.Plan {
	return rollout.Plan{
		Service: of,
		Steps: []rollout.Step{
			{Weight: 5, Bake: 10 * time.Minute},
			{Weight: 25, Bake: 10 * time.Minute},
			{Weight: 50, Bake: 10 * time.Minute},
			{Weight: 100, Bake: 20 * time.Minute},
		},
		StepDeadline: time.Hour,
		Guards: []rollout.Guard{
			{Name: "errors", Rule: analysis.ServerErrors{MaxRatio: 0.01, MinRequests: 100}, OnBreach: rollout.Rollback, Mode: rollout.Enforce},
			{
				Name: "nat-allocation", Rule: analysis.NatAllocationFailures{MaxMinutes: 0}, OnBreach: rollout.Hold,
				RollbackAfter: 5 * time.Minute, Mode: rollout.Enforce,
			},
			{
				Name: "nat-drops", Rule: analysis.NatDroppedPackets{MaxPerMinute: 0, MinMinutes: 2}, OnBreach: rollout.Hold,
				RollbackAfter: 5 * time.Minute, Mode: rollout.Enforce,
			},
		},
		Window:   5 * time.Minute,
		NoData:   rollout.NoDataPolicy{After: 30 * time.Minute, Action: rollout.Pause},
		Gateways: gateways,

		Pacing: rollout.Headroom, Reserve: 20,
	}
}
