package binding

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/access"
)

// TestNothingOfACloudRunAccessIsLeftOut: a field that is not read would bind more, or less,
// than the platform team wrote.
func TestNothingOfACloudRunAccessIsLeftOut(t *testing.T) {
	t.Parallel()
	a := &v1alpha1.CloudRunAccess{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec: v1alpha1.CloudRunAccessSpec{
			Namespaces:      []string{"shop"},
			NamespaceLabels: []v1alpha1.NamespaceLabel{{Name: "team", Value: "shop"}, {Name: "stage", Value: "prod"}},
			Services: []v1alpha1.AccessibleServices{
				{Project: "acme-prod", Locations: []string{"asia-northeast1"}, Names: []string{"web-*"}},
				{Project: "acme-eu", Locations: []string{"*"}, Names: []string{"api"}},
			},
			NetworkProjects: []string{"acme-net"}, MayDeploy: true, MayQuery: true,
			GoogleServiceAccount: "shop@acme-prod.iam.gserviceaccount.com",
			Deploy:               v1alpha1.DeployableTemplates{ServiceAccounts: []string{"run@acme-prod"}, ImageRepositories: []string{"docker.pkg.dev/acme"}},
		},
	}
	want := access.Binding{
		Name: "shop", Namespaces: []string{"shop"}, Labels: map[string]string{"team": "shop", "stage": "prod"},
		Services: []access.Services{
			{Project: "acme-prod", Locations: []string{"asia-northeast1"}, Names: []string{"web-*"}},
			{Project: "acme-eu", Locations: []string{"*"}, Names: []string{"api"}},
		},
		NetworkProjects: []string{"acme-net"}, MayDeploy: true, MayQuery: true, As: "shop@acme-prod.iam.gserviceaccount.com",
		Deploys: access.Deploys{Accounts: []string{"run@acme-prod"}, Repositories: []string{"docker.pkg.dev/acme"}},
	}
	if diff := cmp.Diff(want, Of(a)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWithoutLabelsNamespacesAreBoundByName: an empty set of labels is on every namespace.
func TestWithoutLabelsNamespacesAreBoundByName(t *testing.T) {
	t.Parallel()
	if b := Of(&v1alpha1.CloudRunAccess{}); b.Labels != nil {
		t.Errorf("bound by labels %v", b.Labels)
	}
}
