package api_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// binds asks the control plane whether it takes a CloudRunAccess.
func binds(t *testing.T, access *unstructured.Unstructured) error {
	t.Helper()
	client, err := dynamic.NewForConfig(plane.Config)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Resource(v1alpha1.GroupVersion.WithResource("cloudrunaccesses")).Create(t.Context(), access, metav1.CreateOptions{
		DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict,
	})
	return err
}

// TestAnAccessBindsWhatItSays: a pattern that would mean something else to whoever reads
// it is refused.
func TestAnAccessBindsWhatItSays(t *testing.T) {
	const services = `services: [{project: acme-prod, locations: [asia-northeast1], names: [web]}]`
	for spec, says := range map[string]string{
		`{namespaces: [shop, bank], ` + services + `}`:                                                            "",
		`{namespaces: ["*"], ` + services + `, networkProjects: [acme-net, "123456"]}`:                            "",
		`{namespaceLabels: [{name: team, value: shop}, {name: example.com/tier, value: gold}], ` + services + `}`: "",
		`{namespaces: [shop], services: [{project: acme-prod, locations: ["*"], names: ["web-*", "*"]}]}`:         "",
		`{` + services + `}`:                                                                                   "nobody would be bound: write namespaces, namespaceLabels or both",
		`{namespaces: [], ` + services + `}`:                                                                   "spec.namespaces",
		`{namespaces: ["shop-*"], ` + services + `}`:                                                           "for several of a kind write namespaceLabels",
		`{namespaces: [shop]}`:                                                                                 "spec.services: Required",
		`{namespaces: [shop], services: []}`:                                                                   "spec.services",
		`{namespaces: [shop], services: [{locations: ["*"], names: ["*"]}]}`:                                   "project: Required",
		`{namespaces: [shop], services: [{project: "*", locations: ["*"], names: ["*"]}]}`:                     "not a pattern",
		`{namespaces: [shop], services: [{project: "acme-*", locations: ["*"], names: ["*"]}]}`:                "not a pattern",
		`{namespaces: [shop], services: [{project: acme-prod, names: ["*"]}]}`:                                 "locations: Required",
		`{namespaces: [shop], services: [{project: acme-prod, locations: ["asia-*"], names: ["*"]}]}`:          `a location is a region such as asia-northeast1, or "*" for all`,
		`{namespaces: [shop], services: [{project: acme-prod, locations: [asia-northeast1-a], names: ["*"]}]}`: "a location is a region",
		`{namespaces: [shop], services: [{project: acme-prod, locations: ["*"]}]}`:                             "names: Required",
		`{namespaces: [shop], services: [{project: acme-prod, locations: ["*"], names: ["*-web"]}]}`:           "one * at the end",
		`{namespaces: [shop], services: [{project: acme-prod, locations: ["*"], names: ["web.*"]}]}`:           "one * at the end",
		`{namespaces: [shop], services: [{project: acme-prod, locations: ["*"], names: ["**"]}]}`:              "one * at the end",
		`{namespaces: [shop], ` + services + `, networkProjects: ["*"]}`:                                       "a network project is a project ID",
		`{namespaceLabels: [{name: team}], ` + services + `}`:                                                  "value: Required",
		`{namespaceLabels: [{name: team, value: a}, {name: team, value: b}], ` + services + `}`:                "Duplicate value",
		`{namespaces: [shop], everything: true, ` + services + `}`:                                             "unknown field",
	} {
		err := binds(t, parse(t, "apiVersion: rollouts.sluice.dev/v1alpha1\nkind: CloudRunAccess\nmetadata: {name: shop}\nspec: "+spec))
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", spec, err, says)
		}
	}
}
