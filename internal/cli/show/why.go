package show

import (
	"fmt"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// Around is what is known of the rollouts beside one.
type Around struct {
	Others []v1alpha1.CloudRunRollout
	// Namespace is the only one whose rollouts could be listed; "" is all of them.
	Namespace string
	// Unknown is why there may be some that Others does not have; "" where there are none.
	Unknown string
}

// Why writes what led to what is: the cause with its number and limit, the rule
// that made something of it, what the checks say, who else is behind the gateway, what
// serves, what happens next, what a person can do, and where to look.
func Why(ro *v1alpha1.CloudRunRollout, around Around, console string, s Screen) string {
	var text strings.Builder
	text.WriteString(s.head(ro))
	section := func(title, body string) {
		if body != "" {
			text.WriteString("\n" + title + "\n" + body)
		}
	}
	section("Rules", s.rules(ro))
	section("Checks", s.verdicts(ro))
	section("Behind the same NAT", s.neighbours(ro, around))
	section("Way of the traffic", s.way(ro))
	section("Who serves", s.serves(ro))
	section("Last request", indent(s.answered(ro)))
	section("You can", s.deeds(ro))
	w := view.WindowOf(ro, s.Now)
	section(fmt.Sprintf("Links, %s to %s", s.Clock(w.From), s.Clock(w.To)), indent(nearest(ro, s.Links(ro, console))))
	return text.String()
}

// verdicts are the checks with what they say in words.
func (s Screen) verdicts(ro *v1alpha1.CloudRunRollout) string {
	var text strings.Builder
	for _, c := range ro.Status.Checks {
		text.WriteString(s.wrap(fmt.Sprintf("  %-16s ", c.Name), s.Finding(ro, c)))
	}
	return text.String()
}

// neighbours are the other rollouts under way behind a gateway of this one.
func (s Screen) neighbours(ro *v1alpha1.CloudRunRollout, around Around) string {
	if len(ro.Status.Gateways) == 0 {
		return ""
	}
	var rows [][]string
	for _, g := range ro.Status.Gateways {
		for _, other := range view.Neighbours(ro, g, around.Others) {
			line := s.Summarize(&other)
			rows = append(rows, []string{g.Name, view.Name(&other), line.Weight, line.Reason, line.LastShift})
		}
	}
	text := indent(table(rows))
	switch {
	case around.Unknown != "" && len(rows) == 0:
		return "  not known: " + around.Unknown + "\n"
	case around.Unknown != "":
		return text + "  (of others nothing is known: " + around.Unknown + ")\n"
	case len(rows) == 0:
		text = "  no other rollout is under way\n"
	}
	if around.Namespace != "" {
		text += fmt.Sprintf("  (of the namespace %s; those of others may not be listed)\n", around.Namespace)
	}
	return text
}

// way is how the weight of the newest candidate changed.
func (s Screen) way(ro *v1alpha1.CloudRunRollout) string {
	var text strings.Builder
	for _, c := range view.Way(ro) {
		fmt.Fprintf(&text, "  %-11s %s\n", c, s.At(c.At))
	}
	return text.String()
}

// serves says what Cloud Run reports, and whether that is what was asked for.
func (s Screen) serves(ro *v1alpha1.CloudRunRollout) string {
	if text := s.InSync(ro); text != "" {
		return s.wrap("  ", text)
	}
	return ""
}

// rules says what the checks that matter now lead to.
func (s Screen) rules(ro *v1alpha1.CloudRunRollout) string {
	var text strings.Builder
	for _, rule := range view.Rules(ro) {
		text.WriteString(s.wrap("  ", rule))
	}
	return text.String()
}

// Planned says what a manifest rolls out, and what its checks lead to.
func Planned(ro *v1alpha1.CloudRunRollout) string {
	text := fmt.Sprintf("%s  %s\n\n", view.Name(ro), view.About(ro))
	rows := [][]string{{"CHECK", "ON BREACH"}}
	for _, c := range view.ChecksInForce(ro) {
		rows = append(rows, []string{c.Name, view.Consequence(c)})
	}
	return text + table(rows)
}

// indent moves every line of a text to the right.
func indent(text string) string {
	if text == "" {
		return ""
	}
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}
