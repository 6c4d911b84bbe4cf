package template

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/access"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// TestEveryImageAndIdentityIsBound: of each container, of sandboxes, and what an image
// rests on.
func TestEveryImageAndIdentityIsBound(t *testing.T) {
	t.Parallel()
	read, _, err := Read([]byte(`{
		"serviceAccount": "web@acme-prod.iam.gserviceaccount.com",
		"containers": [
			{"image": "pkg.dev/web:1"},
			{"image": "pkg.dev/proxy", "baseImageUri": "pkg.dev/base", "sourceCode": {"cloudStorageSource": {"bucket": "b", "object": "o"}}}
		],
		"sandboxes": {"templates": [{"name": "s", "image": "pkg.dev/box"}]},
		"workloadIdentityConfig": {"identity": "x"}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	want := access.Template{
		Account: "web@acme-prod.iam.gserviceaccount.com",
		Images: []access.Image{
			{Path: "spec.template.containers[0].image", Name: "pkg.dev/web:1"},
			{Path: "spec.template.containers[1].image", Name: "pkg.dev/proxy"},
			{Path: "spec.template.containers[1].baseImageUri", Name: "pkg.dev/base"},
			{Path: "spec.template.sandboxes.templates[0].image", Name: "pkg.dev/box"},
		},
		Sources:    []string{"spec.template.containers[1].sourceCode"},
		Identities: []string{"spec.template.workloadIdentityConfig"},
	}
	if diff := cmp.Diff(want, Bound(read)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	plain, _, err := Read([]byte(`{"containers": [{"image": "pkg.dev/web"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := Bound(plain); got.Account != "" || len(got.Images) != 1 || len(got.Sources)+len(got.Identities) > 0 {
		t.Errorf("%+v", got)
	}
	if got := Bound(rollout.Template{}); len(got.Images) > 0 {
		t.Errorf("of nothing it is %+v", got)
	}
}

// TestNoOtherFieldNamesAnImageOrAnIdentity: what the API adds has to be decided on here.
func TestNoOtherFieldNamesAnImageOrAnIdentity(t *testing.T) {
	t.Parallel()
	var found []string
	for name, fields := range types() {
		for field := range fields {
			switch field {
			case "image", "baseImageUri", "sourceCode", "serviceAccount", "workloadIdentityConfig", "identity", "identityType", "containers", "sandboxes", "templates":
				found = append(found, name+"."+field)
			}
		}
	}
	slices.Sort(found)
	want := []string{
		"Container.baseImageUri", "Container.image", "Container.sourceCode", "RevisionTemplate.containers", "RevisionTemplate.sandboxes",
		"RevisionTemplate.serviceAccount", "RevisionTemplate.workloadIdentityConfig", "SandboxConfiguration.templates", "SandboxTemplate.image",
		"WorkloadIdentityConfig.identity", "WorkloadIdentityConfig.identityType",
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("(-bound +in the API):\n%s", diff)
	}
}
