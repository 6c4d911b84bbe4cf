package lint_test

import (
	"strings"
	"testing"

	"github.com/sluice-rollouts/sluice/internal/cli/lint"
)

// read checks a manifest in which nothing else is wrong.
func read(t *testing.T, text string) []*lint.Finding {
	t.Helper()
	findings, err := lint.Manifest(t.Context(), strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var all []*lint.Finding
	for i := range findings {
		all = append(all, &findings[i])
	}
	return all
}

// access is a CloudRunAccess for the services of acme-prod that begin with web.
func access(name, spec string) string {
	return "---\napiVersion: rollouts.sluice.dev/v1alpha1\nkind: CloudRunAccess\nmetadata: {name: " + name + "}\n" +
		`spec: {services: [{project: acme-prod, locations: ["*"], names: ["web-*"]}], ` + spec + "}\n"
}

// of is a rollout of a service.
func of(metadata, target string) string {
	return "---\napiVersion: rollouts.sluice.dev/v1alpha1\nkind: CloudRunRollout\nmetadata: {" + metadata + "}\nspec: {target: {" + target + "}}\n"
}

const (
	inShop = "name: web, namespace: shop"
	webAPI = "service: {project: acme-prod, location: asia-northeast1, name: web-api}"
)

// TestARolloutThatNobodyBindsIsNoted, by the judgement of the manager, and only where that
// is known of the files.
func TestARolloutThatNobodyBindsIsNoted(t *testing.T) {
	t.Parallel()
	const rw = "googleServiceAccount: a@acme-prod.iam.gserviceaccount.com, "
	for name, c := range map[string]struct {
		text, namespace string
		note, warning   string
	}{
		"it is bound":                         {text: access("a", "namespaces: [shop]") + of(inShop, webAPI)},
		"all namespaces are":                  {text: access("a", `namespaces: ["*"]`) + of(inShop, webAPI)},
		"by the second":                       {text: access("a", "namespaces: [bank]") + access("b", "namespaces: [shop]") + of(inShop, webAPI)},
		"no access is there":                  {text: of(inShop, webAPI)},
		"it is in the namespace of the flag":  {text: access("a", "namespaces: [shop]") + of("name: web", webAPI), namespace: "shop"},
		"an access is wrong":                  {text: access("a", "namespaces: [bank]") + access("b", "namespaces: [bank, bank]") + of(inShop, webAPI)},
		"it is about a RunService":            {text: access("a", "namespaces: [bank]") + of(inShop, "runServiceRef: {name: web}")},
		"its own namespace outranks the flag": {text: access("a", "namespaces: [bank]") + of(inShop, webAPI), namespace: "bank", note: "no CloudRunAccess lets namespace shop roll out service web-api of project acme-prod in asia-northeast1"},
		"another service": {
			text: access("a", "namespaces: [shop]") + of(inShop, strings.Replace(webAPI, "web-api", "api", 1)),
			note: "The platform team would add {project: acme-prod, locations: [asia-northeast1], names: [api]} to spec.services of CloudRunAccess a.",
		},
		"nobody says in which namespace": {
			text: access("a", "namespaces: [shop]") + of("name: web", webAPI), note: "write metadata.namespace, or give -n",
		},
		"by labels": {
			text: access("a", "namespaceLabels: [{name: team, value: web}]") + of(inShop, webAPI),
			note: "CloudRunAccess a binds it only if namespace shop has the labels of its spec.namespaceLabels",
		},
		"as two accounts": {
			text:    access("a", rw+"namespaces: [shop]") + access("b", "namespaces: [shop]") + of(inShop, webAPI),
			warning: "The platform team would write the same spec.googleServiceAccount in both, or in neither.",
		},
	} {
		findings := read(t, c.text)
		lint.Bind(findings, c.namespace)
		ro := findings[len(findings)-1]
		for kind, pair := range map[string]struct {
			want string
			got  []string
		}{"note": {c.note, ro.Notes}, "warning": {c.warning, ro.Warnings}} {
			if got := strings.Join(pair.got, "\n"); (got == "") != (pair.want == "") || !strings.Contains(got, pair.want) {
				t.Errorf("%s: the %s is %q, want %q", name, kind, got, pair.want)
			}
		}
		if ro.Wrong() {
			t.Errorf("%s: it is a mistake: %q", name, ro.Problems)
		}
	}
}
