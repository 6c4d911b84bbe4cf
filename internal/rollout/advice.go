package rollout

import (
	"slices"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// advice is what would spare the users and the gateways, while an attempt is under way and all of
// them are known; nil says nothing new. It decides nothing.
func (v view) advice(p Progress) []nat.Finding {
	if p.Phase == Idle && p.Reason == RevisionNotReady {
		return v.adviceOnStart(v.wanted(), p.Stable)
	}
	candidate := v.revision(p.Candidate)
	if !p.active() || p.Candidate == "" || candidate.Presence != Found || v.Service.Presence != Found {
		return nil
	}
	facts := nat.Facts{
		AllTraffic: candidate.Egress == EgressAll, Moved: v.moved(p.Candidate, p.Stable), CloudSQLPublic: candidate.CloudSQL, OwnURL: candidate.OwnURL,
		Minimum: max(candidate.MinInstances, v.Service.MinInstances), Refused: v.refused(), SubnetUnread: v.subnetUnread(),
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

// adviceOnStart is what may keep a revision from starting, while no attempt is under way.
// Of the gateways nobody has asked yet.
func (v view) adviceOnStart(name, stable string) []nat.Finding {
	return nat.Advise(nat.Facts{Moved: v.moved(name, stable), OwnURL: v.revision(name).OwnURL})
}

// moved tells whether a revision no longer sends all its traffic through the VPC.
func (v view) moved(name, stable string) bool {
	r := v.revision(name)
	return r.Presence == Found && r.Egress != EgressAll && v.revision(stable).Egress == EgressAll
}

// adviceQuestions asks for what a split can break, once there is one and where a check
// counts the requests anyway.
func (in Input) adviceQuestions(scope analysis.Scope) []analysis.Question {
	counts := slices.ContainsFunc(in.Plan.Guards, func(g Guard) bool { return g.Mode != Off && aboutAnswers(g.Rule) })
	if scope.AttemptSince.IsZero() || !counts || in.Revisions[in.Progress.Candidate].SessionAffinity || in.Now.Sub(scope.AttemptSince) > in.reach() {
		return nil
	}
	return analysis.RefusedQuestions(scope)
}

// aboutAnswers tells whether a rule judges how requests were answered.
func aboutAnswers(rule analysis.Rule) bool {
	switch rule.(type) {
	case analysis.ServerErrors, analysis.ClientErrors:
		return true
	}
	return false
}
