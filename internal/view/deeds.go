package view

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// Deed is what a person can do now.
type Deed struct {
	// Command is what to type, or what to do where that is no command.
	Command string
	// Does says what comes of it.
	Does string
}

// Deeds are the commands that make sense now, the likeliest first.
func Deeds(ro *v1alpha1.CloudRunRollout) []Deed {
	stable := "stable"
	if ro.Status.Stable != nil {
		stable = ro.Status.Stable.Revision
	}
	abort := ask("abort", ro, "sends all traffic to "+stable+", and does not try the candidate again")
	pause := ask("pause", ro, "lets no weight rise; checks still roll back")
	switch standing.Of(ro) {
	case standing.NeedsPerson:
		return []Deed{goesOn(ro), abort}
	case standing.Failing, standing.Moving, standing.Waiting:
		return append(passes(ro), abort, pause)
	case standing.RolledBack:
		return []Deed{ask("retry", ro, "starts the given-up revision again from the first step; a new revision starts by itself")}
	case standing.Settled:
		if former := FormerStable(ro); former != "" {
			return []Deed{ask("undo", ro, "sends all traffic back to "+former+", if it is still ready")}
		}
	case standing.Stuck:
		return unstuck(ro)
	case standing.GoingBack, standing.NotSeen:
	}
	return nil
}

// unstuck is what ends a state that nothing else ends.
func unstuck(ro *v1alpha1.CloudRunRollout) []Deed {
	switch standing.Reason(ro) {
	case v1alpha1.ReasonOwnedElsewhere:
		switch {
		case pastKeeper(ro):
			return []Deed{throughKeeper}
		case ro.Spec.Target.RunServiceName() != "":
			return nil // its message says who has to let go of what
		}
		return []Deed{ask("adopt", ro, "takes the service over from the other cluster")}
	case v1alpha1.ReasonStateLost, v1alpha1.ReasonBaselineLost:
		return []Deed{
			ask("resume", ro, "goes on with what is known, where that is enough"),
			{"set spec.stableRevision in Git", "names the revision to go back to"},
		}
	}
	return nil
}

// pastKeeper tells whether a rollout names a service that Config Connector keeps. No
// verb of Sluice changes that: what is set on such a service is taken back.
func pastKeeper(ro *v1alpha1.CloudRunRollout) bool {
	accepted := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionAccepted)
	return ro.Spec.Target.RunServiceName() == "" && accepted != nil && accepted.Status == metav1.ConditionFalse && accepted.Reason == v1alpha1.ReasonOwnedElsewhere
}

// throughKeeper is what to do about it. A target cannot be changed.
var throughKeeper = Deed{
	"write spec.target.runServiceRef in another CloudRunRollout, and delete this one",
	"moves the service through the RunService that keeps it; docs/config-connector.md says how",
}

// goesOn is what ends a wait for a person.
func goesOn(ro *v1alpha1.CloudRunRollout) Deed {
	switch {
	case pastKeeper(ro):
		return throughKeeper
	case ro.Status.Phase == v1alpha1.PhaseAwaitingApproval:
		return ask("approve", ro, "lets the next weight begin")
	case ro.Spec.Paused:
		return Deed{"set spec.paused to false in Git", "lets it go on"}
	case standing.Reason(ro) == v1alpha1.ReasonTrafficConflict && ro.Spec.Target.RunServiceName() != "":
		return ask("resume", ro, "writes our split of this step into the RunService, once nobody else owns spec.traffic")
	case standing.Reason(ro) == v1alpha1.ReasonTrafficConflict:
		return ask("resume", ro, "writes our split of this step over the one that somebody else set")
	}
	return ask("resume", ro, "lets it go on")
}

// passes is what lets a step go on sooner.
func passes(ro *v1alpha1.CloudRunRollout) []Deed {
	if standing.Reason(ro) != v1alpha1.ReasonTooFewRequests {
		return nil
	}
	return []Deed{ask("approve", ro, "lets this step pass with too few requests")}
}

func ask(verb string, ro *v1alpha1.CloudRunRollout, does string) Deed {
	return Deed{fmt.Sprintf("kubectl sluice %s %s --reason '...'", verb, Args(ro)), does}
}
