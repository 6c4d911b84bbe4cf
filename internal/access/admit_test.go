package access

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

var (
	shop = Namespace{Name: "shop", Labels: map[string]string{"team": "shop", "tier": "gold"}}
	web  = rollout.ServiceRef{Project: "acme-prod", Location: "asia-northeast1", Name: "web"}
	// webs binds shop to what begins with web.
	webs = Binding{
		Name: "webs", Namespaces: []string{"shop"},
		Services: []Services{{Project: "acme-prod", Locations: []string{"asia-northeast1"}, Names: []string{"web*"}}},
	}
)

// with is webs, changed.
func with(change func(*Binding)) Binding {
	b := webs
	b.Services = []Services{webs.Services[0]}
	change(&b)
	return b
}

func TestWhoIsBound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		names  []string
		labels map[string]string
		bound  bool
	}{
		"a name":                     {[]string{"bank", "shop"}, nil, true},
		"another name":               {[]string{"bank"}, nil, false},
		"how a name begins":          {[]string{"sho"}, nil, false},
		"a pattern, which is none":   {[]string{"sho*"}, nil, false},
		"all":                        {[]string{"*"}, nil, true},
		"a label":                    {nil, map[string]string{"team": "shop"}, true},
		"a label of another value":   {nil, map[string]string{"team": "bank"}, false},
		"a label that is not there":  {nil, map[string]string{"zone": ""}, false},
		"all of several labels":      {nil, map[string]string{"team": "shop", "tier": "gold"}, true},
		"one of several labels":      {nil, map[string]string{"team": "shop", "tier": "iron"}, false},
		"a name or a label":          {[]string{"bank"}, map[string]string{"team": "shop"}, true},
		"a name and another's label": {[]string{"shop"}, map[string]string{"team": "bank"}, true},
		"nobody":                     {nil, nil, false},
		"an empty name":              {[]string{""}, nil, false},
	} {
		b := with(func(b *Binding) { b.Namespaces, b.Labels = c.names, c.labels })
		if _, no := Admit([]Binding{b}, shop, web); (no == nil) != c.bound {
			t.Errorf("%s: refusal %v, want bound %t", name, no, c.bound)
		}
	}
}

func TestWhatIsBound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		services Services
		bound    bool
	}{
		"a service":             {Services{"acme-prod", []string{"asia-northeast1"}, []string{"api", "web"}}, true},
		"how its name begins":   {Services{"acme-prod", []string{"asia-northeast1"}, []string{"we*"}}, true},
		"the name and a *":      {Services{"acme-prod", []string{"asia-northeast1"}, []string{"web*"}}, true},
		"every service":         {Services{"acme-prod", []string{"asia-northeast1"}, []string{"*"}}, true},
		"every location":        {Services{"acme-prod", []string{"*"}, []string{"web"}}, true},
		"another service":       {Services{"acme-prod", []string{"asia-northeast1"}, []string{"web-2", "we"}}, false},
		"a longer beginning":    {Services{"acme-prod", []string{"asia-northeast1"}, []string{"web-*"}}, false},
		"how its name ends":     {Services{"acme-prod", []string{"asia-northeast1"}, []string{"*eb"}}, false},
		"a regular expression":  {Services{"acme-prod", []string{"asia-northeast1"}, []string{"w.b", "we?b"}}, false},
		"two stars":             {Services{"acme-prod", []string{"asia-northeast1"}, []string{"**"}}, false},
		"another location":      {Services{"acme-prod", []string{"asia-northeast2"}, []string{"*"}}, false},
		"how a location begins": {Services{"acme-prod", []string{"asia-*"}, []string{"*"}}, false},
		"another project":       {Services{"acme-test", []string{"*"}, []string{"*"}}, false},
		"every project":         {Services{"*", []string{"*"}, []string{"*"}}, false},
		"no name":               {Services{"acme-prod", []string{"*"}, nil}, false},
		"no location":           {Services{"acme-prod", nil, []string{"*"}}, false},
		"an empty name":         {Services{"acme-prod", []string{"*"}, []string{""}}, false},
	} {
		b := with(func(b *Binding) { b.Services = []Services{c.services} })
		if _, no := Admit([]Binding{b}, shop, web); (no == nil) != c.bound {
			t.Errorf("%s: refusal %v, want bound %t", name, no, c.bound)
		}
	}
}

// TestTwoBindingsThatEachBindHalfBindNothing: who is bound here to what is bound there.
func TestTwoBindingsThatEachBindHalfBindNothing(t *testing.T) {
	t.Parallel()
	who := with(func(b *Binding) { b.Services[0].Names = []string{"api"} })
	what := with(func(b *Binding) { b.Namespaces = []string{"bank"} })
	if g, no := Admit([]Binding{who, what}, shop, web); no == nil {
		t.Errorf("granted: %+v", g)
	}
	halves := with(func(b *Binding) {
		b.Services = []Services{
			{"acme-prod", []string{"asia-northeast1"}, []string{"api"}}, {"acme-prod", []string{"asia-northeast2"}, []string{"web"}},
		}
	})
	if g, no := Admit([]Binding{halves}, shop, web); no == nil {
		t.Errorf("a location of one entry with a name of another is granted: %+v", g)
	}
}

func TestNetworksOfWhatBindsTheServiceAreLookedInto(t *testing.T) {
	t.Parallel()
	net := with(func(b *Binding) { b.Name, b.NetworkProjects = "net", []string{"acme-net", "1234567"} })
	elsewhere := with(func(b *Binding) { b.Services[0].Names, b.NetworkProjects = []string{"api"}, []string{"bank-net"} })
	strangers := with(func(b *Binding) { b.Namespaces, b.NetworkProjects = []string{"bank"}, []string{"bank-net"} })
	g, no := Admit([]Binding{webs, strangers, net, elsewhere}, shop, web)
	if no != nil {
		t.Fatal(no)
	}
	for project, want := range map[string]bool{
		"acme-prod": true, "acme-net": true, "1234567": true, "bank-net": false, "acme": false, "*": false, "": false,
	} {
		if (g.Outside(project) == "") != want {
			t.Errorf("%q: %q", project, g.Outside(project))
		}
		if g.LooksInto(project) != want {
			t.Errorf("%q: %t, want %t", project, !want, want)
		}
	}
	if (Grant{}).LooksInto("") {
		t.Error("no grant looks into no project")
	}
}

// TestTemplatesAreDeployedWhereABindingOfTheServiceSaysSo: one of another service or
// another namespace does not count.
func TestTemplatesAreDeployedWhereABindingOfTheServiceSaysSo(t *testing.T) {
	t.Parallel()
	deploys := func(change func(*Binding)) Binding {
		return with(func(b *Binding) { b.Name, b.MayDeploy = "deploys", true; change(b) })
	}
	everyones := with(func(b *Binding) { b.Name, b.Namespaces = "all", []string{"*"} })
	const (
		own    = "spec.mayDeploy of CloudRunAccess webs is not true; the platform team would write mayDeploy: true there"
		create = "no CloudRunAccess with mayDeploy: true binds namespace shop to service web; the platform team would create " +
			"{apiVersion: rollouts.sluice.dev/v1alpha1, kind: CloudRunAccess, metadata: {name: shop}, " +
			"spec: {namespaces: [shop], services: [{project: acme-prod, locations: [asia-northeast1], names: [web]}], mayDeploy: true"
	)
	for name, c := range map[string]struct {
		bindings []Binding
		want     string
	}{
		"nobody says so":        {[]Binding{webs}, own},
		"one that binds both":   {[]Binding{webs, deploys(func(*Binding) {})}, ""},
		"one for everybody":     {[]Binding{webs, deploys(func(b *Binding) { b.Namespaces = []string{"*"} })}, ""},
		"of another service":    {[]Binding{webs, deploys(func(b *Binding) { b.Services[0].Names = []string{"api"} })}, own},
		"of another location":   {[]Binding{webs, deploys(func(b *Binding) { b.Services[0].Locations = []string{"asia-east1"} })}, own},
		"of another namespace":  {[]Binding{webs, deploys(func(b *Binding) { b.Namespaces = []string{"bank"} })}, own},
		"the namespace's own":   {[]Binding{everyones, webs}, own},
		"that of all, if alone": {[]Binding{everyones}, create + "}}"},
		"as the account that binds it": {
			[]Binding{with(func(b *Binding) {
				b.Name, b.Namespaces, b.As = "all", []string{"*"}, "x@acme-prod.iam.gserviceaccount.com"
			})},
			create + ", googleServiceAccount: x@acme-prod.iam.gserviceaccount.com}}",
		},
	} {
		g, no := Admit(c.bindings, shop, web)
		if no != nil {
			t.Fatal(no)
		}
		if got := g.Undeployable(Template{}); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if (Grant{}).Undeployable(Template{}) == "" {
		t.Error("no grant deploys")
	}
}

// TestAllThatBindAServiceSayTheSameAccount: nobody can know which one is meant else, and
// the manager's own must be no way around another one.
func TestAllThatBindAServiceSayTheSameAccount(t *testing.T) {
	t.Parallel()
	as := func(name, account string, change func(*Binding)) Binding {
		return with(func(b *Binding) { b.Name, b.As = name, account; change(b) })
	}
	same := func(*Binding) {}
	elsewhere := func(b *Binding) { b.Services[0].Names = []string{"api"} }
	const tenant, other = "rollouts@acme-prod.iam.gserviceaccount.com", "other@acme-prod.iam.gserviceaccount.com"
	for name, c := range map[string]struct {
		bindings []Binding
		want, no string
	}{
		"nobody says one":         {[]Binding{webs}, "", ""},
		"one says it":             {[]Binding{as("a", tenant, same)}, tenant, ""},
		"both say the same":       {[]Binding{as("a", tenant, same), as("b", tenant, same)}, tenant, ""},
		"of another service":      {[]Binding{as("a", tenant, same), as("b", other, elsewhere)}, tenant, ""},
		"each says another":       {[]Binding{as("b", other, same), as("a", tenant, same)}, "", "CloudRunAccess a lets namespace shop roll out service web of project acme-prod in asia-northeast1 as " + tenant + ", and b as " + other},
		"one of two says nothing": {[]Binding{as("a", tenant, same), webs}, "", "as " + tenant + ", and webs as the manager's own account"},
		"the third differs":       {[]Binding{as("a", tenant, same), as("b", tenant, same), as("c", other, same)}, "", "and c as " + other},
	} {
		g, no := Admit(c.bindings, shop, web)
		switch {
		case (no != nil) != (c.no != ""), no == nil && g.As() != c.want:
			t.Errorf("%s: as %q with refusal %v", name, g.As(), no)
		case no != nil && (!strings.Contains(no.Why, c.no) || !strings.Contains(no.Remedy, "spec.googleServiceAccount")):
			t.Errorf("%s: %q, %q", name, no.Why, no.Remedy)
		}
	}
	if as := (Grant{}).As(); as != "" {
		t.Errorf("no grant is as %q", as)
	}
}

// TestWhoGrantsItIsTheNamespacesOwnIfThereIsOne: what is added to another one would be
// for others too.
func TestWhoGrantsItIsTheNamespacesOwnIfThereIsOne(t *testing.T) {
	t.Parallel()
	everyones := with(func(b *Binding) { b.Name, b.Namespaces = "all", []string{"*"} })
	labelled := with(func(b *Binding) { b.Name, b.Labels = "by-label", map[string]string{"team": "shop"} })
	for want, bindings := range map[string][]Binding{
		"all": {labelled, everyones}, "webs": {everyones, labelled, webs}, "by-label": {labelled},
	} {
		if g, no := Admit(bindings, shop, web); no != nil || g.By() != want {
			t.Errorf("%q with refusal %v, want %q", g.By(), no, want)
		}
	}
}

func TestEverythingIsGrantedOnlyByAStar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		names []string
		want  bool
	}{{[]string{"web"}, false}, {[]string{"w*"}, false}, {[]string{"web", "*"}, true}} {
		g, no := Admit([]Binding{with(func(b *Binding) { b.Services[0].Names = c.names })}, shop, web)
		if no != nil || g.Everything() != c.want {
			t.Errorf("%v: %t with refusal %v", c.names, g.Everything(), no)
		}
	}
	other := with(func(b *Binding) {
		b.Services = append(b.Services, Services{"acme-prod", []string{"asia-northeast2"}, []string{"*"}})
	})
	if g, no := Admit([]Binding{other}, shop, web); no != nil || g.Everything() {
		t.Errorf("a star of another location is taken for one of this: %+v, %v", g, no)
	}
}

// TestWhatIsTakenAwayIsNeverMore: without one of some bindings nothing is granted that
// was not granted with it, and the order of bindings does not matter.
func TestWhatIsTakenAwayIsNeverMore(t *testing.T) {
	t.Parallel()
	word := rapid.SampledFrom([]string{"a", "ab", "b", "a*", "*"})
	words := rapid.SliceOfN(word, 0, 2)
	services := rapid.Custom(func(t *rapid.T) Services {
		return Services{word.Draw(t, "project"), words.Draw(t, "locations"), words.Draw(t, "names")}
	})
	binding := rapid.Custom(func(t *rapid.T) Binding {
		return Binding{
			Name: word.Draw(t, "name"), Namespaces: words.Draw(t, "namespaces"),
			Labels:   rapid.MapOfN(word, word, 0, 2).Draw(t, "labels"),
			Services: rapid.SliceOfN(services, 0, 2).Draw(t, "services"), NetworkProjects: words.Draw(t, "networks"),
			MayDeploy: rapid.Bool().Draw(t, "may deploy"),
			Deploys: Deploys{
				Accounts:     rapid.SampledFrom([][]string{nil, {}, {DefaultAccount}, {ofShop, DefaultAccount}}).Draw(t, "accounts"),
				Repositories: rapid.SampledFrom([][]string{nil, {}, {"pkg.dev/a"}, {"pkg.dev/*"}}).Draw(t, "repositories"),
			},
		}
	})
	template := rapid.Custom(func(t *rapid.T) Template {
		image := rapid.SampledFrom([]string{"pkg.dev/a:1", "pkg.dev/b", "a"}).Draw(t, "image")
		return Template{Account: rapid.SampledFrom([]string{"", ofShop}).Draw(t, "account"), Images: []Image{{Path: "image", Name: image}}}
	})
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(binding, 1, 4).Draw(t, "bindings")
		who := Namespace{word.Draw(t, "who"), rapid.MapOfN(word, word, 0, 2).Draw(t, "its labels")}
		ref := rollout.ServiceRef{Project: word.Draw(t, "project"), Location: word.Draw(t, "location"), Name: word.Draw(t, "service")}
		project, deployed := word.Draw(t, "network"), template.Draw(t, "template")
		with, _ := Admit(all, who, ref)
		without, no := Admit(all[1:], who, ref)
		if with.By() == "" && no == nil {
			t.Fatalf("less grants what more does not: %v", without)
		}
		if without.Everything() && !with.Everything() || without.LooksInto(project) && !with.LooksInto(project) || without.Undeployable(deployed) == "" && with.Undeployable(deployed) != "" {
			t.Fatalf("less grants more: %v, %v", with, without)
		}
		turned, _ := Admit(append(all[1:len(all):len(all)], all[0]), who, ref)
		if turned.By() != with.By() || turned.Everything() != with.Everything() || turned.LooksInto(project) != with.LooksInto(project) ||
			turned.Undeployable(deployed) != with.Undeployable(deployed) {
			t.Fatalf("the order decides: %v, %v", with, turned)
		}
	})
}

// TestQueriesNeedMayQuery, in one of those that bind the service, and it is said what the
// platform team would write: never in what binds others too.
func TestQueriesNeedMayQuery(t *testing.T) {
	t.Parallel()
	own := with(func(b *Binding) { b.Name, b.Namespaces = "own", []string{"shop"} })
	both := with(func(b *Binding) { b.Name, b.Namespaces = "both", []string{"shop", "bank"} })
	other := with(func(b *Binding) { b.Name, b.Services[0].Names, b.MayQuery = "shop", []string{"api"}, true })
	asks := func(b Binding) Binding {
		b.MayQuery = true
		return b
	}
	for name, c := range map[string]struct {
		bindings []Binding
		says     string
	}{
		"one says so":        {[]Binding{own, asks(both)}, ""},
		"its own does not":   {[]Binding{both, own}, "spec.mayQuery of CloudRunAccess own is not true; the platform team would write mayQuery: true there"},
		"of another service": {[]Binding{own, other}, "spec.mayQuery of CloudRunAccess own is not true; the platform team would write mayQuery: true there"},
		"it binds others too": {[]Binding{both, other}, "no CloudRunAccess with mayQuery: true binds namespace shop to service web; the platform team would create " +
			"{apiVersion: rollouts.sluice.dev/v1alpha1, kind: CloudRunAccess, metadata: {name: shop-2}, spec: {namespaces: [shop], " +
			"services: [{project: acme-prod, locations: [asia-northeast1], names: [web]}], mayQuery: true}}"},
	} {
		g, no := Admit(c.bindings, shop, web)
		if no != nil || g.NoQueries() != c.says || g.Queries() != (c.says == "") {
			t.Errorf("%s: %q with refusal %v, want %q", name, g.NoQueries(), no, c.says)
		}
	}
	if (Grant{}).Queries() {
		t.Error("no grant lets queries be asked")
	}
}
