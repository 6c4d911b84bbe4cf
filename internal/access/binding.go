package access

import (
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// all is the pattern that everything matches.
const all = "*"

// Binding lets namespaces reach services: a CloudRunAccess.
type Binding struct {
	Name string // of the CloudRunAccess
	// Namespaces are exact names, or "*" for all.
	Namespaces []string
	// Labels bind a namespace that has all of them; none bind nobody.
	Labels map[string]string
	// Services are what is reached; one that covers a service is enough.
	Services []Services
	// NetworkProjects may be looked into beside a service's own project.
	NetworkProjects []string
	// MayDeploy lets templates be deployed to those services too, those that are in Deploys.
	MayDeploy bool
	Deploys   Deploys
	// As is the Google service account that calls are made as; "" is the manager's own.
	As string
	// MayQuery lets them ask queries of their own about the services' projects.
	MayQuery bool
}

// Services are some of one project.
type Services struct {
	Project   string
	Locations []string // exact, or "*" for all
	Names     []string // exact, the beginning of names with a "*" at the end, or "*" for all
}

// Service is what is asked for.
type Service = rollout.ServiceRef

// Namespace is who asks.
type Namespace struct {
	Name   string
	Labels map[string]string
}

// binds tells whether a namespace is bound.
func (b Binding) binds(who Namespace) bool {
	if slices.Contains(b.Namespaces, all) || slices.Contains(b.Namespaces, who.Name) {
		return true
	}
	for name, value := range b.Labels {
		if has, ok := who.Labels[name]; !ok || has != value {
			return false
		}
	}
	return len(b.Labels) > 0
}

// alone tells whether a namespace is the only one that is ever bound.
func (b Binding) alone(namespace string) bool {
	return len(b.Labels) == 0 && slices.Equal(b.Namespaces, []string{namespace})
}

// covers tells whether a service is bound.
func (b Binding) covers(ref rollout.ServiceRef) bool {
	return slices.ContainsFunc(b.Services, func(s Services) bool {
		return s.in(ref) && slices.ContainsFunc(s.Names, func(pattern string) bool { return begins(ref.Name, pattern) })
	})
}

// coversAll tells whether with a service all others of its project and location are
// bound, those included that nobody has made yet.
func (b Binding) coversAll(ref rollout.ServiceRef) bool {
	return slices.ContainsFunc(b.Services, func(s Services) bool { return s.in(ref) && slices.Contains(s.Names, all) })
}

// in tells whether a service is where these are.
func (s Services) in(ref rollout.ServiceRef) bool {
	return s.Project == ref.Project && (slices.Contains(s.Locations, all) || slices.Contains(s.Locations, ref.Location))
}

// begins tells whether a name matches a pattern.
func begins(name, pattern string) bool {
	if beginning, open := strings.CutSuffix(pattern, all); open {
		return strings.HasPrefix(name, beginning)
	}
	return name == pattern
}
