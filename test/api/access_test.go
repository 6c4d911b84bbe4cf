package api_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/access"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// binds asks the control plane whether it takes a CloudRunAccess.
func binds(t *testing.T, object *unstructured.Unstructured) error {
	t.Helper()
	client, err := dynamic.NewForConfig(plane.Config)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Resource(v1alpha1.GroupVersion.WithResource("cloudrunaccesses")).Create(t.Context(), object, metav1.CreateOptions{
		DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict,
	})
	agree(t, object, err)
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
		`{namespaces: [shop], mayDeploy: true, ` + services + `}`:                                                 "",
		`{namespaces: [shop], mayDeploy: "yes", ` + services + `}`:                                                "spec.mayDeploy",
		`{namespaces: [shop], mayDeploy: true, deploy: {serviceAccounts: [web@acme-prod.iam.gserviceaccount.com, 123-compute@developer.gserviceaccount.com, "*@acme-prod.iam.gserviceaccount.com", default]}, ` + services + `}`: "",
		`{namespaces: [shop], mayDeploy: true, deploy: {imageRepositories: [docker.io/library/nginx, "asia-northeast1-docker.pkg.dev/acme-prod/*", "gcr.io/*", "registry.example.com:5000/a/b_c"]}, ` + services + `}`:           "",
		`{namespaces: [shop], deploy: {serviceAccounts: [default]}, ` + services + `}`:                                                    "write mayDeploy: true beside it",
		`{namespaces: [shop], mayDeploy: false, deploy: {serviceAccounts: [default]}, ` + services + `}`:                                  "write mayDeploy: true beside it",
		`{namespaces: [shop], mayDeploy: true, deploy: {}, ` + services + `}`:                                                             "spec.deploy",
		`{namespaces: [shop], mayDeploy: true, deploy: {serviceAccounts: []}, ` + services + `}`:                                          "spec.deploy.serviceAccounts",
		`{namespaces: [shop], mayDeploy: true, deploy: {serviceAccounts: ["*"]}, ` + services + `}`:                                       "or default for templates that name none",
		`{namespaces: [shop], mayDeploy: true, deploy: {serviceAccounts: ["*@developer.gserviceaccount.com"]}, ` + services + `}`:         "or default for templates that name none",
		`{namespaces: [shop], mayDeploy: true, deploy: {serviceAccounts: ["web-*@acme-prod.iam.gserviceaccount.com"]}, ` + services + `}`: "or default for templates that name none",
		`{namespaces: [shop], mayDeploy: true, deploy: {imageRepositories: ["*"]}, ` + services + `}`:                                     "a path with /* at the end",
		`{namespaces: [shop], mayDeploy: true, deploy: {imageRepositories: [nginx]}, ` + services + `}`:                                   "a path with /* at the end",
		`{namespaces: [shop], mayDeploy: true, deploy: {imageRepositories: ["docker.io/nginx:1"]}, ` + services + `}`:                     "a path with /* at the end",
		`{namespaces: [shop], mayDeploy: true, deploy: {imageRepositories: ["gcr.io/acme-*"]}, ` + services + `}`:                         "a path with /* at the end",
		`{namespaces: [shop], mayDeploy: true, deploy: {imageRepositories: ["gcr.io/acme/"]}, ` + services + `}`:                          "a path with /* at the end",
		`{namespaces: [shop], ` + services + `, mayQuery: true}`:                                                                          "",
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

// TestTheManifestOfARefusalIsAccepted, as it stands in the message.
func TestTheManifestOfARefusalIsAccepted(t *testing.T) {
	for namespace, ref := range map[string]rollout.ServiceRef{
		"shop":                  {Project: "acme-prod", Location: "asia-northeast1", Name: "web"},
		"2026-03-01":            {Project: "acme-prod", Location: "asia-northeast1", Name: "null"},
		strings.Repeat("1", 63): {Project: strings.Repeat("p", 30), Location: "northamerica-northeast1", Name: strings.Repeat("s", 49)},
	} {
		_, no := access.Admit(nil, access.Namespace{Name: namespace}, ref)
		if no == nil {
			t.Fatal("granted by nobody")
		}
		if err := binds(t, parse(t, regexp.MustCompile(`{.*}`).FindString(no.Remedy))); err != nil {
			t.Errorf("%s: %v", no.Remedy, err)
		}
		const around = "access to the service was lost: . Nothing is sent until access is back, and so nothing is sent back. "
		if n := len(around + no.Why + no.Remedy); n > v1alpha1.MaxConditionMessage {
			t.Errorf("a condition has no room for %d bytes: %s. %s", n, no.Why, no.Remedy)
		}
	}
}

// TestTheManifestOfATemplatesRefusalIsAccepted, as it stands in the message.
func TestTheManifestOfATemplatesRefusalIsAccepted(t *testing.T) {
	ref := rollout.ServiceRef{Project: "acme-prod", Location: "asia-northeast1", Name: "web"}
	everyones := access.Binding{Name: "all", Namespaces: []string{"*"}, MayDeploy: true, Deploys: access.Deploys{Accounts: []string{}, Repositories: []string{}}}
	everyones.Services = []access.Services{{Project: "acme-prod", Locations: []string{"*"}, Names: []string{"*"}}}
	for _, account := range []string{"", "123-compute@developer.gserviceaccount.com", "web@acme-prod.iam.gserviceaccount.com"} {
		grant, no := access.Admit([]access.Binding{everyones}, access.Namespace{Name: "shop"}, ref)
		if no != nil {
			t.Fatal(no)
		}
		why := grant.Undeployable(access.Template{Account: account, Images: []access.Image{
			{Name: "docker.io/library/nginx:1"}, {Name: "1.registry.example.com:5000/a__b/c-d@sha256:0123"}, {Name: "gcr.io/no"},
		}})
		if err := binds(t, parse(t, regexp.MustCompile(`{.*}`).FindString(why))); err != nil {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// TestTheManifestsOfTheGuidesAreAccepted, once their variables are set.
func TestTheManifestsOfTheGuidesAreAccepted(t *testing.T) {
	set := strings.NewReplacer("$PROJECT", "acme-prod", "$REGION", "asia-northeast1", "$SERVICE", "web", "$NETWORK_PROJECT", "acme-net")
	manifest := regexp.MustCompile("(?s)apiVersion: [^\\n]*\\nkind: CloudRunAccess\\n.*?(EOF|```)")
	for guide, want := range map[string]int{"install.md": 2, "access.md": 1} {
		text, err := os.ReadFile("../../docs/" + guide)
		if err != nil {
			t.Fatal(err)
		}
		found := manifest.FindAllStringSubmatch(string(text), -1)
		if len(found) != want {
			t.Errorf("%s has %d manifests, want %d", guide, len(found), want)
		}
		for _, match := range found {
			if err := binds(t, parse(t, set.Replace(strings.TrimSuffix(match[0], match[1])))); err != nil {
				t.Errorf("%s: %v in %s", guide, err, match[0])
			}
		}
	}
}
