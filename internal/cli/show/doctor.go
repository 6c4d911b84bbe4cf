package show

import (
	"fmt"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// Doctor writes what a release of this service can suffer from, with the numbers
// that it was seen by, and what keeps Sluice itself from seeing.
func Doctor(ro *v1alpha1.CloudRunRollout, s Screen) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s  %s\n", view.Name(ro), view.Subject(ro))
	troubles := s.blindness(ro)
	for _, t := range troubles {
		text.WriteString("\n" + s.painted(view.Alarm, "! "+t.title) + "\n" + s.wrap("  ", t.text))
	}
	for _, a := range ro.Status.Advice {
		text.WriteString("\n" + s.painted(view.Wary, "* "+a.Code) + "\n" + s.wrap("  ", a.Message))
		for _, g := range evidenceFor(ro, a) {
			text.WriteString(s.wrap("  seen: ", g.Name+": "+s.Ports(g)))
		}
	}
	switch {
	case standing.Of(ro) == standing.NotSeen && len(ro.Status.Advice) == 0:
		text.WriteString("\nNothing is known yet.\n")
	case len(troubles)+len(ro.Status.Advice) == 0:
		text.WriteString("\nNothing was found.\n")
	}
	return text.String()
}

// trouble is something that keeps a rollout from being judged.
type trouble struct{ title, text string }

// blindness is what Sluice cannot see, or was not let see.
func (s Screen) blindness(ro *v1alpha1.CloudRunRollout) []trouble {
	var troubles []trouble
	if standing.Of(ro) == standing.NotSeen {
		text := "Nobody has looked at it."
		if ro.Status.ObservedGeneration > 0 {
			text = fmt.Sprintf("Nobody has looked at generation %d of the spec; the status tells of %d.", ro.Generation, ro.Status.ObservedGeneration)
		}
		troubles = append(troubles, trouble{"NotSeen", text + " Does the manager run, and does it watch this namespace?"})
	}
	for _, c := range ro.Status.Conditions {
		switch c.Type {
		case v1alpha1.ConditionAccepted, v1alpha1.ConditionTrafficInSync, v1alpha1.ConditionMetricsAvailable:
			if c.Status != "True" && c.Reason != v1alpha1.ReasonNotMeasured {
				troubles = append(troubles, trouble{c.Reason, c.Message + " (since " + s.At(c.LastTransitionTime.Time) + ")"})
			}
		}
	}
	if ro.Spec.NAT.Discovery == v1alpha1.DiscoveryOff {
		troubles = append(troubles, trouble{"NatUnwatched", "spec.nat.discovery is Off: nobody looks at what a release does to Cloud NAT."})
	}
	return troubles
}

// evidenceFor are the gateways that a finding names: it begins with the name.
func evidenceFor(ro *v1alpha1.CloudRunRollout, a v1alpha1.Advice) []v1alpha1.GatewayStatus {
	var seen []v1alpha1.GatewayStatus
	for _, g := range ro.Status.Gateways {
		if strings.HasPrefix(a.Message, g.Name+":") || strings.HasPrefix(a.Message, g.Name+" ") {
			seen = append(seen, g)
		}
	}
	return seen
}
