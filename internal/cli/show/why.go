package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/standing"
)

// Why writes what led to what is: the cause with its number and limit, the rule
// that made something of it, what the checks say, what serves, what happens next,
// what a person can do, and where to look.
func Why(ro *v1alpha1.CloudRunRollout, console string, s Screen) string {
	var text strings.Builder
	text.WriteString(s.head(ro))
	section := func(title, body string) {
		if body != "" {
			text.WriteString("\n" + title + "\n" + body)
		}
	}
	section("Rules", s.rules(ro))
	section("Checks", s.verdicts(ro))
	section("Way of the traffic", s.way(ro))
	section("Who serves", s.serves(ro))
	section("Last request", indent(s.answered(ro)))
	section("You can", s.deeds(ro))
	w := windowOf(ro, s.Now)
	section(fmt.Sprintf("Links, %s to %s", s.clock(w.from), s.clock(w.to)), indent(Links(LinksOf(ro, console, s))))
	return text.String()
}

// verdicts are the checks with what they say in words.
func (s Screen) verdicts(ro *v1alpha1.CloudRunRollout) string {
	var text strings.Builder
	for _, c := range ro.Status.Checks {
		line := fmt.Sprintf("%s: %s", c.Verdict, cmp.Or(c.Message, dash(c.Value)+", limit "+dash(c.Limit)))
		if c.ObservedThrough != nil {
			line += "; data to " + s.at(c.ObservedThrough.Time)
		}
		if c.BreachedSince != nil {
			last, _ := lastShift(ro)
			line += "; in breach since " + s.onset(c, last)
		}
		text.WriteString(s.wrap(fmt.Sprintf("  %-16s ", c.Name), line))
	}
	return text.String()
}

// way is how the weight of the newest candidate changed.
func (s Screen) way(ro *v1alpha1.CloudRunRollout) string {
	var text strings.Builder
	for _, c := range shiftsOf(ro) {
		if ro.Status.Candidate != nil && c.revision == ro.Status.Candidate.Revision {
			fmt.Fprintf(&text, "  %-11s %s\n", c, s.at(c.at))
		}
	}
	return text.String()
}

// serves says what Cloud Run reports, and whether that is what was asked for.
func (s Screen) serves(ro *v1alpha1.CloudRunRollout) string {
	for _, c := range ro.Status.Conditions {
		if c.Type == v1alpha1.ConditionTrafficInSync {
			return s.wrap("  ", fmt.Sprintf("%s (%s, since %s)", c.Message, c.Reason, s.at(c.LastTransitionTime.Time)))
		}
	}
	return ""
}

// rules says what the checks that matter now lead to: those in breach, or the one
// that the candidate was given up for.
func (s Screen) rules(ro *v1alpha1.CloudRunRollout) string {
	names := map[string]bool{}
	for _, c := range breachesOf(ro) {
		names[c.Name] = true
	}
	if a := ro.Status.Attempt; a != nil && (standing.Of(ro) == standing.RolledBack || standing.Of(ro) == standing.GoingBack) {
		name, _, _ := strings.Cut(a.Cause, ":")
		names[name] = true
	}
	var text strings.Builder
	for _, c := range checksInForce(ro) {
		if names[c.Name] {
			text.WriteString(s.wrap("  ", c.Name+" "+consequence(c)+"."))
		}
	}
	return text.String()
}

// Planned says what a manifest rolls out, and what its checks lead to.
func Planned(ro *v1alpha1.CloudRunRollout) string {
	service := serviceOf(ro)
	text := fmt.Sprintf("%s  service %s (%s, %s)\n\n", nameOf(ro), dash(service.Name), service.Project, service.Location)
	rows := [][]string{{"CHECK", "ON BREACH"}}
	for _, c := range checksInForce(ro) {
		rows = append(rows, []string{c.Name, consequence(c)})
	}
	return text + table(rows)
}

// checksInForce are the built-in checks, as the spec changes them, and its own.
func checksInForce(ro *v1alpha1.CloudRunRollout) []v1alpha1.Check {
	var checks []v1alpha1.Check
	for _, name := range []string{v1alpha1.CheckErrors, v1alpha1.CheckNATAllocation, v1alpha1.CheckNATDrops} {
		if !slices.ContainsFunc(ro.Spec.Analysis.Checks, func(c v1alpha1.Check) bool { return c.Name == name }) {
			checks = append(checks, v1alpha1.Check{Name: name})
		}
	}
	return append(checks, ro.Spec.Analysis.Checks...)
}

// consequence is what a breach of a check leads to, with the defaults that depend
// on its kind and so are not in the schema.
func consequence(c v1alpha1.Check) string {
	action := c.OnBreach
	if action == "" {
		action = v1alpha1.BreachHold
		if c.Name == v1alpha1.CheckErrors || c.ServerErrors != nil || c.Latency != (v1alpha1.Latency{}) {
			action = v1alpha1.BreachRollback
		}
	}
	switch {
	case c.Mode == v1alpha1.ModeOff:
		return "is off"
	case c.Mode == v1alpha1.ModeShadow:
		return "is on trial: a breach is shown and has no effect"
	case action == v1alpha1.BreachRollback:
		return "rolls back at once"
	case c.RollbackAfter == v1alpha1.RollbackNever:
		return "holds, and never rolls back by itself"
	}
	return fmt.Sprintf("holds, and goes back when the breach has lasted %s", cmp.Or(c.RollbackAfter, "5m"))
}

// indent moves every line of a text to the right.
func indent(text string) string {
	if text == "" {
		return ""
	}
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}
