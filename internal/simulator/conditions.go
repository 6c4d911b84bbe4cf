package simulator

import (
	"fmt"
	"time"
)

// warmTime is how long minimum instances take to be there.
const warmTime = 20 * time.Second

// conditions are the revision's, Ready first. Of a revision that nothing routes
// to, Active fails with RETIRED; that is no fault.
func (r *revision) conditions(now time.Time) []Condition {
	list := append(make([]Condition, 0, 6),
		r.startCondition("Ready"),
		r.activeCondition(),
		r.startCondition("ContainerHealthy"),
		Condition{Type: "ContainerReady", State: ConditionSucceeded, LastTransitionTime: r.created},
	)
	if r.minimum() > 0 {
		list = append(list, r.minimumCondition(now))
	}
	return append(list, r.startCondition("ResourcesAvailable"))
}

func (r *revision) startCondition(kind string) Condition {
	switch r.phase {
	case ready:
		return Condition{Type: kind, State: ConditionSucceeded, LastTransitionTime: r.readyAt}
	case failed:
		if kind == "ResourcesAvailable" {
			return Condition{Type: kind, State: ConditionSucceeded, LastTransitionTime: r.updated}
		}
		return Condition{
			Type: kind, State: ConditionFailed, Message: r.failure.Message,
			LastTransitionTime: r.updated, RevisionReason: r.failure.Reason,
		}
	case starting, lost:
	}
	return Condition{Type: kind, State: ConditionPending, LastTransitionTime: r.created}
}

func (r *revision) activeCondition() Condition {
	c := Condition{Type: "Active", State: ConditionSucceeded, LastTransitionTime: r.addressable}
	switch {
	case r.phase == starting:
		c.State, c.RevisionReason, c.LastTransitionTime = ConditionPending, "PENDING", r.created
	case r.addressable.IsZero():
		c.State, c.Message, c.RevisionReason = ConditionFailed, "Revision retired.", "RETIRED"
		c.LastTransitionTime = r.updated
	}
	return c
}

func (r *revision) minimumCondition(now time.Time) Condition {
	c := Condition{Type: "MinInstancesProvisioned", LastTransitionTime: r.updated}
	warm, there := r.addressable.Add(warmTime), r.hosted == nil
	if r.hosted != nil {
		warm, there = r.provisioned.Time, !r.provisioned.IsZero()
	}
	switch {
	case r.addressable.IsZero():
		c.State, c.RevisionReason = ConditionFailed, "MIN_INSTANCES_NOT_PROVISIONED"
		c.Message = fmt.Sprintf("Revision %s was not configured to serve traffic, so it's not live.", r.name)
	case !there || now.Before(warm):
		c.State, c.RevisionReason = ConditionPending, "MIN_INSTANCES_WARMING"
	default:
		c.State, c.LastTransitionTime = ConditionSucceeded, stamp(warm)
		c.Message = fmt.Sprintf("Min instances provisioned successfully in %v.", warm.Sub(r.addressable.Time))
	}
	return c
}
