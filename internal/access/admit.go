package access

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// Grant is what a namespace may do with a service. The zero Grant is nothing.
type Grant struct {
	of       rollout.ServiceRef
	bindings []Binding // which bind the two, by name
}

// Refusal is why there is no grant, in two sentences.
type Refusal struct {
	Why string
	// Remedy is what the platform team would write.
	Remedy string
}

// Admit says what a namespace may do with a service, or why it may do nothing.
func Admit(bindings []Binding, who Namespace, ref rollout.ServiceRef) (Grant, *Refusal) {
	bindings = slices.SortedFunc(slices.Values(bindings), func(a, b Binding) int { return cmp.Compare(a.Name, b.Name) })
	theirs := slices.DeleteFunc(bindings, func(b Binding) bool { return !b.binds(who) })
	granted := slices.DeleteFunc(slices.Clone(theirs), func(b Binding) bool { return !b.covers(ref) })
	if len(granted) > 0 {
		return Grant{ref, granted}, nil
	}
	wanted := fmt.Sprintf("{project: %s, locations: [%s], names: [%s]}", ref.Project, ref.Location, ref.Name)
	remedy := fmt.Sprintf("The platform team would write one with spec.namespaces [%s] and spec.services [%s].", who.Name, wanted)
	if len(theirs) > 0 {
		remedy = fmt.Sprintf("The platform team would add %s to spec.services of CloudRunAccess %s.", wanted, theirs[0].Name)
	}
	return Grant{}, &Refusal{
		Why: fmt.Sprintf("no CloudRunAccess lets namespace %s roll out service %s of project %s in %s",
			who.Name, ref.Name, ref.Project, ref.Location),
		Remedy: remedy,
	}
}

// LooksInto tells whether the gateways of a project may be looked at.
func (g Grant) LooksInto(project string) bool {
	return slices.ContainsFunc(g.bindings, func(b Binding) bool {
		return project == g.of.Project || slices.Contains(b.NetworkProjects, project)
	})
}

// Everything tells whether every other service of the project and location is granted
// as well.
func (g Grant) Everything() bool {
	return slices.ContainsFunc(g.bindings, func(b Binding) bool { return b.coversAll(g.of) })
}

// By names the CloudRunAccess that grants it, the first of several.
func (g Grant) By() string {
	if len(g.bindings) == 0 {
		return ""
	}
	return g.bindings[0].Name
}
