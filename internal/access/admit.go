package access

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// Grant is what a namespace may do with a service. The zero Grant is nothing.
type Grant struct {
	who      string // the namespace
	of       rollout.ServiceRef
	bindings []Binding // which bind the two, by name
	free     string    // a name that no CloudRunAccess has yet
}

// Admit says what a namespace may do with a service, or why it may do nothing.
func Admit(bindings []Binding, who Namespace, ref rollout.ServiceRef) (Grant, *Refusal) {
	if !named(ref) {
		return Grant{}, unnamed(who, ref)
	}
	theirs := slices.SortedFunc(slices.Values(bindings), func(a, b Binding) int { return cmp.Compare(a.Name, b.Name) })
	theirs = slices.DeleteFunc(theirs, func(b Binding) bool { return !b.binds(who) })
	granted := slices.DeleteFunc(slices.Clone(theirs), func(b Binding) bool { return !b.covers(ref) })
	if len(granted) == 0 {
		return Grant{}, unbound(bindings, theirs, who, ref)
	}
	if no := torn(granted, who, ref); no != nil {
		return Grant{}, no
	}
	return Grant{who.Name, ref, granted, free(bindings, who.Name)}, nil
}

// As is the Google service account that everything for the service is called as, by its
// e-mail address; "" is the manager's own identity.
func (g Grant) As() string {
	if len(g.bindings) == 0 {
		return ""
	}
	return g.bindings[0].As // all have the same
}

// LooksInto tells whether the gateways of a project may be looked at.
func (g Grant) LooksInto(project string) bool {
	return slices.ContainsFunc(g.bindings, func(b Binding) bool {
		return project == g.of.Project || slices.Contains(b.NetworkProjects, project)
	})
}

// Outside says why the gateways of a project may not be looked at, and what the platform
// team would write; "" where they may.
func (g Grant) Outside(project string) string {
	if g.LooksInto(project) {
		return ""
	}
	return fmt.Sprintf("%s is not among spec.networkProjects of CloudRunAccess %s; the platform team would add %s there", project, g.By(), project)
}

// Undeployable says why a template may not be deployed to the service, and what would be
// written so that it may; "" where it may. One binding has to permit the whole of it.
func (g Grant) Undeployable(t Template) string {
	deploying := slices.DeleteFunc(slices.Clone(g.bindings), func(b Binding) bool { return !b.MayDeploy })
	switch {
	case len(deploying) == 0:
		return g.lacks("mayDeploy")
	case slices.ContainsFunc(deploying, func(b Binding) bool { return b.Deploys.permit(t) }):
		return ""
	}
	return g.outside(deploying, t)
}

// Queries tells whether queries of the namespace's own may be asked about the service's
// project.
func (g Grant) Queries() bool {
	return slices.ContainsFunc(g.bindings, func(b Binding) bool { return b.MayQuery })
}

// NoQueries says why they may not, and what the platform team would write; "" where they
// may.
func (g Grant) NoQueries() string {
	if g.Queries() {
		return ""
	}
	return g.lacks("mayQuery")
}

// lacks says that no binding has a leave, and what the platform team would write. What is
// added to a CloudRunAccess that binds others too they would get as well, so that one for
// this namespace and service alone is said.
func (g Grant) lacks(leave string) string {
	if own := slices.IndexFunc(g.bindings, func(b Binding) bool { return b.alone(g.who) }); own >= 0 {
		return fmt.Sprintf("spec.%s of CloudRunAccess %s is not true; the platform team would write %s: true there", leave, g.bindings[own].Name, leave)
	}
	return fmt.Sprintf("no CloudRunAccess with %s: true binds namespace %s to service %s; the platform team would create %s",
		leave, g.who, g.of.Name, g.created(leave+": true"))
}

// created is a manifest that binds the namespace to the service as those do that bind it
// already, with a leave.
func (g Grant) created(leave string) string {
	rest := entry(g.of) + "], " + leave
	if account := g.As(); account != "" {
		rest += ", googleServiceAccount: " + account
	}
	return fmt.Sprintf(manifest, scalar(g.free), scalar(g.who), rest)
}

// Everything tells whether every other service of the project and location is granted
// as well.
func (g Grant) Everything() bool {
	return slices.ContainsFunc(g.bindings, func(b Binding) bool { return b.coversAll(g.of) })
}

// By names the CloudRunAccess that grants it; of several the first that is the
// namespace's alone, to which more can be added without others getting it too.
func (g Grant) By() string {
	if len(g.bindings) == 0 {
		return ""
	}
	own := slices.IndexFunc(g.bindings, func(b Binding) bool { return b.alone(g.who) })
	return g.bindings[max(own, 0)].Name
}
