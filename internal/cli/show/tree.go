package show

import (
	"fmt"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/standing"
)

// recent is how many entries of the history a tree ends with.
const recent = 5

// branch is a line of a tree and what hangs on it.
type branch struct {
	text   string
	colour string
	below  []branch
}

// Tree writes one rollout: what is, the service with its revisions, steps and
// checks, the gateways, and the newest turns.
func Tree(ro *v1alpha1.CloudRunRollout, s Screen) string {
	service := serviceOf(ro)
	root := branch{
		text:  fmt.Sprintf("service %s (%s, %s)", dash(service.Name), service.Project, service.Location),
		below: s.revisions(ro),
	}
	var text strings.Builder
	text.WriteString(s.head(ro) + "\n")
	s.grow(&text, root, "", "")
	if gateways := s.gateways(ro); len(gateways) > 0 {
		s.grow(&text, branch{text: "NAT gateways", below: gateways}, "", "")
	}
	if n := len(ro.Status.Advice); n > 0 {
		fmt.Fprintf(&text, "advice: %s; see kubectl sluice doctor %s\n", plural(n, "finding", "findings"), argsOf(ro))
	}
	text.WriteString(s.answered(ro))
	if history := s.turns(ro.Status.History, recent); history != "" {
		text.WriteString("\n" + history)
	}
	return text.String()
}

// grow writes a branch and those below it. The stem is what stands before its own
// line, the margin what stands before the lines below.
func (s Screen) grow(text *strings.Builder, b branch, stem, margin string) {
	text.WriteString(stem + s.painted(b.colour, b.text) + "\n")
	for i, child := range b.below {
		if i == len(b.below)-1 {
			s.grow(text, child, margin+"└─ ", margin+"   ")
			continue
		}
		s.grow(text, child, margin+"├─ ", margin+"│  ")
	}
}

// revisions are stable and the candidate, with the steps below the latter.
func (s Screen) revisions(ro *v1alpha1.CloudRunRollout) []branch {
	var below []branch
	stable, candidate := ro.Status.Stable, ro.Status.Candidate
	if stable != nil {
		below = append(below, branch{text: revisionLine("stable   ", stable)})
	}
	if candidate != nil && (stable == nil || candidate.Revision != stable.Revision) {
		below = append(below, branch{text: revisionLine("candidate", candidate), below: s.steps(ro)})
	}
	return below
}

func revisionLine(role string, r *v1alpha1.RevisionStatus) string {
	return strings.TrimRight(fmt.Sprintf("%s  %s  %3d%%  %s", role, r.Revision, r.Percent, r.Image), " ")
}

// steps are the steps of the plan, the checks below the one under way.
func (s Screen) steps(ro *v1alpha1.CloudRunRollout) []branch {
	number := numberOfStep(ro)
	var steps []branch
	for i, step := range ro.Spec.Strategy.Steps {
		b := branch{text: fmt.Sprintf("%d/%d  %3d%%  %s", i+1, len(ro.Spec.Strategy.Steps), step.Weight, stepState(ro, i+1, number))}
		if i+1 == number || number == 0 && i == 0 {
			b.below = s.checks(ro)
		}
		steps = append(steps, b)
	}
	return steps
}

// stepState says where a step stands, in words.
func stepState(ro *v1alpha1.CloudRunRollout, step, underWay int) string {
	spec := ro.Spec.Strategy.Steps[step-1]
	wants := "bakes " + string(spec.Bake)
	if spec.Approval == v1alpha1.ApprovalRequired {
		wants += ", asks for approval before"
	}
	switch now := standing.Of(ro); {
	case now == standing.RolledBack && step == underWay:
		return "given up"
	case now == standing.RolledBack && step > underWay:
		return "not reached"
	case step < underWay || now == standing.Settled, step == underWay && ro.Status.Phase == v1alpha1.PhaseAwaitingApproval:
		return "done"
	case step == underWay && ro.Status.Attempt != nil:
		return fmt.Sprintf("now, %d healthy minutes of %s", ro.Status.Attempt.BakedMinutes, spec.Bake)
	case step == underWay+1:
		return "next, " + wants
	}
	return wants
}

// checks are the verdicts on the step under way.
func (s Screen) checks(ro *v1alpha1.CloudRunRollout) []branch {
	var rows [][]string
	for _, c := range ro.Status.Checks {
		rows = append(rows, s.checkRow(c))
	}
	lines := strings.Split(strings.TrimSuffix(table(rows), "\n"), "\n")
	var below []branch
	for i, c := range ro.Status.Checks {
		below = append(below, branch{text: lines[i], colour: verdictColour(c)})
	}
	return below
}

// checkRow is one verdict with its number, its limit and the age of its data.
func (s Screen) checkRow(c v1alpha1.CheckStatus) []string {
	verdict := string(c.Verdict)
	if c.Mode == v1alpha1.ModeShadow {
		verdict += " (shadow)"
	}
	if c.Cause != "" {
		verdict += " (" + string(c.Cause) + ")"
	}
	requests := ""
	if c.Required > 0 {
		requests = fmt.Sprintf("%s of %s requests", number(c.Samples), number(c.Required))
	}
	return []string{
		c.Name, verdict, dash(c.Value) + ", limit " + dash(c.Limit), dash(c.Source), requests,
		"data to " + s.atOr(c.ObservedThrough, "-"),
	}
}

func verdictColour(c v1alpha1.CheckStatus) string {
	switch c.Verdict {
	case v1alpha1.VerdictBreach:
		return "31"
	case v1alpha1.VerdictNoData, v1alpha1.VerdictUndecided, v1alpha1.VerdictInsufficient:
		return "33"
	case v1alpha1.VerdictPass, v1alpha1.VerdictIncomplete, v1alpha1.VerdictNotApplicable:
	}
	return ""
}
