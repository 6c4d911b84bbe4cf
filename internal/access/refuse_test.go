package access_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/access"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const (
	entry = "{project: acme-prod, locations: [asia-northeast1], names: [web]}"
	// written is what the platform team would create for the namespace shop, under a name.
	written = "{apiVersion: rollouts.sluice.dev/v1alpha1, kind: CloudRunAccess, metadata: {name: NAME}, spec: {namespaces: [shop], services: [" + entry + "]}}"
)

func created(name string) string {
	return "The platform team would create " + strings.ReplaceAll(written, "NAME", name) + "."
}

// ofAPI is a CloudRunAccess for another service.
func ofAPI(name string, namespaces ...string) access.Binding {
	return access.Binding{Name: name, Namespaces: namespaces, Services: []access.Services{
		{Project: "acme-prod", Locations: []string{"asia-northeast1"}, Names: []string{"api"}},
	}}
}

func TestARefusalSaysWhatWouldBeWritten(t *testing.T) {
	t.Parallel()
	const why = "no CloudRunAccess lets namespace shop roll out service web of project acme-prod in asia-northeast1"
	shop := access.Namespace{Name: "shop", Labels: map[string]string{"team": "shop"}}
	labelled := ofAPI("labelled")
	labelled.Labels = shop.Labels
	for name, c := range map[string]struct {
		bindings []access.Binding
		remedy   string
	}{
		"nothing is bound":                {nil, created("shop")},
		"others are bound":                {[]access.Binding{ofAPI("a-secret-plan", "bank")}, created("shop")},
		"other services are":              {[]access.Binding{ofAPI("a-secret-plan", "bank"), ofAPI("apis", "shop")}, "The platform team would add " + entry + " to spec.services of CloudRunAccess apis."},
		"the first of several is":         {[]access.Binding{ofAPI("zoo", "shop"), ofAPI("apis", "shop")}, "The platform team would add " + entry + " to spec.services of CloudRunAccess apis."},
		"everybody is bound":              {[]access.Binding{ofAPI("all", "*")}, created("shop")},
		"others are bound with it":        {[]access.Binding{ofAPI("two", "shop", "bank")}, created("shop")},
		"whoever has a label is":          {[]access.Binding{labelled}, created("shop")},
		"the name is taken":               {[]access.Binding{ofAPI("shop", "bank")}, created("shop-2")},
		"the name is taken again and yet": {[]access.Binding{ofAPI("shop", "bank"), ofAPI("shop-2", "*")}, created("shop-3")},
	} {
		_, no := access.Admit(c.bindings, shop, rollout.ServiceRef{Project: "acme-prod", Location: "asia-northeast1", Name: "web"})
		if no == nil {
			t.Errorf("%s: granted", name)
			continue
		}
		if no.Why != why || no.Remedy != c.remedy {
			t.Errorf("%s: %q, %q", name, no.Why, no.Remedy)
		}
		if strings.Contains(no.Why+no.Remedy, "a-secret-plan") {
			t.Errorf("%s: it names what binds another namespace", name)
		}
	}
}

// manifestIn is the manifest in a sentence.
var manifestIn = regexp.MustCompile(`{.*}`)

// TestWhatWouldBeWrittenBindsThatAndNothingElse, however odd the names are to YAML.
func TestWhatWouldBeWrittenBindsThatAndNothingElse(t *testing.T) {
	t.Parallel()
	word := rapid.OneOf(rapid.SampledFrom([]string{"no", "y", "true", "null", "0x1f", "1e3", "2026-03-01", "0", "e2e"}),
		rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?`))
	rapid.Check(t, func(t *rapid.T) {
		ref := rollout.ServiceRef{Project: word.Draw(t, "project"), Location: word.Draw(t, "location"), Name: word.Draw(t, "service")}
		namespace := word.Draw(t, "namespace")
		_, no := access.Admit(nil, access.Namespace{Name: namespace}, ref)
		if no == nil {
			t.Fatal("granted by nobody")
		}
		var got v1alpha1.CloudRunAccess
		if err := yaml.UnmarshalStrict([]byte(manifestIn.FindString(no.Remedy)), &got); err != nil {
			t.Fatalf("%s: %v", no.Remedy, err)
		}
		want := []v1alpha1.AccessibleServices{{Project: ref.Project, Locations: []string{ref.Location}, Names: []string{ref.Name}}}
		if got.Kind != "CloudRunAccess" || got.APIVersion != v1alpha1.GroupVersion.String() || got.Name != namespace ||
			!slices.Equal(got.Spec.Namespaces, []string{namespace}) || len(got.Spec.Services) != 1 ||
			got.Spec.Services[0].Project != want[0].Project || !slices.Equal(got.Spec.Services[0].Locations, want[0].Locations) ||
			!slices.Equal(got.Spec.Services[0].Names, want[0].Names) || len(got.Spec.NetworkProjects)+len(got.Spec.NamespaceLabels) > 0 {
			t.Fatalf("%s is read as %+v", no.Remedy, got)
		}
	})
}

// TestNamesThatSayMoreAreBoundByNobody: a RunService says of which project and location
// its service is, in whatever text its author likes.
func TestNamesThatSayMoreAreBoundByNobody(t *testing.T) {
	t.Parallel()
	web := rollout.ServiceRef{Project: "acme-prod", Location: "asia-northeast1", Name: "web"}
	everything := access.Binding{Name: "all", Namespaces: []string{"*"}, Services: []access.Services{
		{Project: "acme-prod", Locations: []string{"*"}, Names: []string{"*"}},
	}}
	fields := map[string]func(*rollout.ServiceRef, string){
		"project":  func(r *rollout.ServiceRef, text string) { r.Project = text },
		"location": func(r *rollout.ServiceRef, text string) { r.Location = text },
		"name":     func(r *rollout.ServiceRef, text string) { r.Name = text },
	}
	for _, text := range []string{
		`acme-prod, locations: ["*"], names: ["*"]}, {project: acme-test`, "web\n", "web/../../services/api", "*", "", "-", "Web", "w\u0435b",
		strings.Repeat("a", 64), "a\u202eb",
	} {
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			ref := web
			fields[field](&ref, text)
			g, no := access.Admit([]access.Binding{everything}, access.Namespace{Name: "shop"}, ref)
			if no == nil {
				t.Errorf("%s %q is granted: %+v", field, text, g)
				continue
			}
			if strings.Contains(no.Remedy, "platform team") || len(no.Why) > 400 || strings.ContainsAny(no.Why, "\n\u202e") {
				t.Errorf("%s %q: %s. %s", field, text, no.Why, no.Remedy)
			}
		}
	}
}
