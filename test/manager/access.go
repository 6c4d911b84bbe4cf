package manager

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Access binds a namespace to every service of projects. Without it the manager sends
// nothing.
func Access(namespace string, projects ...string) *v1alpha1.CloudRunAccess {
	a := &v1alpha1.CloudRunAccess{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	a.Spec.Namespaces = []string{namespace}
	for _, project := range projects {
		a.Spec.Services = append(a.Spec.Services, v1alpha1.AccessibleServices{
			Project: project, Locations: []string{"*"}, Names: []string{"*"},
		})
	}
	return a
}
