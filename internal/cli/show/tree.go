package show

import (
	"fmt"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// recent is how many entries of the history a tree ends with.
const recent = 5

// branch is a line of a tree and what hangs on it.
type branch struct {
	text  string
	tone  view.Tone
	below []branch
}

// Tree writes one rollout: what is, the service with its revisions, steps and
// checks, the gateways, and the newest turns.
func Tree(ro *v1alpha1.CloudRunRollout, s Screen) string {
	root := branch{
		text:  view.About(ro),
		below: s.revisions(ro),
	}
	var text strings.Builder
	text.WriteString(s.head(ro) + "\n")
	s.grow(&text, root, "", "")
	if gateways := s.gateways(ro); len(gateways) > 0 {
		s.grow(&text, branch{text: "NAT gateways", below: gateways}, "", "")
	}
	if n := len(ro.Status.Advice); n > 0 {
		fmt.Fprintf(&text, "advice: %s; see kubectl sluice doctor %s\n", view.Plural(n, "finding", "findings"), view.Args(ro))
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
	text.WriteString(stem + s.painted(b.tone, b.text) + "\n")
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
	var steps []branch
	for _, step := range view.Steps(ro) {
		b := branch{text: fmt.Sprintf("%d/%d  %3d%%  %s", step.Number, step.Of, step.Weight, step.State)}
		if step.Judged {
			b.below = s.checks(ro)
		}
		steps = append(steps, b)
	}
	return steps
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
		below = append(below, branch{text: lines[i], tone: view.ToneOf(c)})
	}
	return below
}

// checkRow is one verdict with its number, its limit and the age of its data.
func (s Screen) checkRow(c v1alpha1.CheckStatus) []string {
	return []string{
		c.Name, view.Verdict(c), view.Measured(c), view.Dash(c.Source), view.Requests(c),
		"data to " + s.AtOr(c.ObservedThrough, "-"),
	}
}
