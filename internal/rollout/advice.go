package rollout

import "github.com/sluice-rollouts/sluice/internal/nat"

// advice is what would spare the gateways, while an attempt is under way and all of
// them are known; nil says nothing new. It decides nothing.
func (v view) advice(p Progress) []nat.Finding {
	candidate := v.revision(p.Candidate)
	if !p.active() || p.Candidate == "" || candidate.Presence != Found || v.Service.Presence != Found {
		return nil
	}
	facts := nat.Facts{
		AllTraffic: candidate.Egress == EgressAll, CloudSQLPublic: candidate.CloudSQL, OwnURL: candidate.OwnURL,
		Minimum: max(candidate.MinInstances, v.Service.MinInstances),
	}
	for _, source := range v.scope.Gateways {
		g, ok := v.found(source)
		if !ok || g.Unread != "" {
			return nil
		}
		facts.Gateways = append(facts.Gateways, g.NAT)
	}
	if findings := nat.Advise(facts); findings != nil {
		return findings
	}
	return []nat.Finding{}
}
