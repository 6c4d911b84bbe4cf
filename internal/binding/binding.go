// Package binding reads what a CloudRunAccess says, so that manager and command line judge
// by the same.
package binding

import (
	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/access"
)

// Of is what a CloudRunAccess lets whom do.
func Of(a *v1alpha1.CloudRunAccess) access.Binding {
	b := access.Binding{
		Name: a.Name, Namespaces: a.Spec.Namespaces, NetworkProjects: a.Spec.NetworkProjects, MayDeploy: a.Spec.MayDeploy, MayQuery: a.Spec.MayQuery,
		As:      a.Spec.GoogleServiceAccount,
		Deploys: access.Deploys{Accounts: a.Spec.Deploy.ServiceAccounts, Repositories: a.Spec.Deploy.ImageRepositories},
	}
	if len(a.Spec.NamespaceLabels) > 0 {
		b.Labels = map[string]string{}
	}
	for _, label := range a.Spec.NamespaceLabels {
		b.Labels[label.Name] = label.Value
	}
	for _, s := range a.Spec.Services {
		b.Services = append(b.Services, access.Services{Project: s.Project, Locations: s.Locations, Names: s.Names})
	}
	return b
}
