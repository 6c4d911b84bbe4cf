package access

import (
	"strings"
	"testing"
)

const (
	ofShop = "shop@acme-prod.iam.gserviceaccount.com"
	digest = "@sha256:0123456789012345678901234567890123456789012345678901234567890123"
)

// of is a template of an account and images.
func of(account string, images ...string) Template {
	t := Template{Account: account}
	for _, name := range images {
		t.Images = append(t.Images, Image{Path: "spec.template.containers[0].image", Name: name})
	}
	return t
}

func TestWhichAccountsAreListed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		account string
		list    []string
		listed  bool
	}{
		"no list":                                {ofShop, nil, true},
		"no list, and none is named":             {"", nil, true},
		"no list, and it is no address":          {"shop", nil, true},
		"an empty list":                          {ofShop, []string{}, false},
		"its address":                            {ofShop, []string{"web@acme-prod.iam.gserviceaccount.com", ofShop}, true},
		"another address":                        {ofShop, []string{"web@acme-prod.iam.gserviceaccount.com"}, false},
		"of another project":                     {"shop@evil-prod.iam.gserviceaccount.com", []string{ofShop, "*@acme-prod.iam.gserviceaccount.com"}, false},
		"all of its project":                     {ofShop, []string{"*@acme-prod.iam.gserviceaccount.com"}, true},
		"of a project whose ID ends so":          {"shop@evil-acme-prod.iam.gserviceaccount.com", []string{"*@acme-prod.iam.gserviceaccount.com"}, false},
		"a * without its @":                      {ofShop, []string{"*prod.iam.gserviceaccount.com", "*"}, false},
		"none is named":                          {"", []string{ofShop, "*@acme-prod.iam.gserviceaccount.com"}, false},
		"none is named, and that is listed":      {"", []string{DefaultAccount}, true},
		"the default one by its address":         {"123-compute@developer.gserviceaccount.com", []string{DefaultAccount}, false},
		"the word itself is no address":          {DefaultAccount, []string{DefaultAccount}, false},
		"a resource's name is no address":        {"projects/-/serviceAccounts/" + ofShop, []string{ofShop}, false},
		"in capitals":                            {"Shop@acme-prod.iam.gserviceaccount.com", []string{"*@acme-prod.iam.gserviceaccount.com"}, false},
		"two addresses":                          {"evil@x.gserviceaccount.com," + ofShop, []string{"*@acme-prod.iam.gserviceaccount.com"}, false},
		"a pattern is no account":                {"*@acme-prod.iam.gserviceaccount.com", []string{"*@acme-prod.iam.gserviceaccount.com"}, false},
		"longer than an address can be":          {strings.Repeat("a", 300) + "@acme-prod.iam.gserviceaccount.com", []string{"*@acme-prod.iam.gserviceaccount.com"}, false},
		"a line break after what is listed":      {ofShop + "\n", []string{ofShop, "*@acme-prod.iam.gserviceaccount.com"}, false},
		"the default one, listed by its address": {"", []string{"123-compute@developer.gserviceaccount.com"}, false},
	} {
		if got := (Deploys{Accounts: c.list}).permit(of(c.account, "pkg.dev/a")); got != c.listed {
			t.Errorf("%s: listed %t, want %t", name, got, c.listed)
		}
	}
	agent := of(ofShop, "pkg.dev/a")
	agent.Identities = []string{"spec.template.workloadIdentityConfig"}
	if (Deploys{Accounts: []string{ofShop}}).permit(agent) || !(Deploys{}).permit(agent) {
		t.Error("an identity that is no service account goes past the list of those")
	}
}

func TestWhichRepositoriesAreListed(t *testing.T) {
	t.Parallel()
	const web, all = "asia-northeast1-docker.pkg.dev/acme-prod/web/graphql", "asia-northeast1-docker.pkg.dev/acme-prod/*"
	for name, c := range map[string]struct {
		image  string
		list   []string
		listed bool
	}{
		"no list":                         {"nginx", nil, true},
		"an empty list":                   {web, []string{}, false},
		"its name":                        {web, []string{"docker.io/library/nginx", web}, true},
		"with a tag":                      {web + ":v1.2_3-x", []string{web}, true},
		"with a digest":                   {web + digest, []string{web}, true},
		"with both":                       {web + ":v1" + digest, []string{web}, true},
		"a registry with a port":          {"registry.example.com:5000/web" + digest, []string{"registry.example.com:5000/web"}, true},
		"and a tag":                       {"registry.example.com:5000/web:5000", []string{"registry.example.com:5000/web"}, true},
		"another port":                    {"registry.example.com:5001/web", []string{"registry.example.com:5000/web", "registry.example.com/*"}, false},
		"a longer name":                   {web + "-evil", []string{web}, false},
		"below its name":                  {web + "/evil", []string{web}, false},
		"below a path":                    {web, []string{all}, true},
		"deep below a path":               {web, []string{"asia-northeast1-docker.pkg.dev/*"}, true},
		"a project whose ID begins so":    {"asia-northeast1-docker.pkg.dev/acme-prod-evil/web", []string{all}, false},
		"the path itself":                 {"asia-northeast1-docker.pkg.dev/acme-prod", []string{all}, false},
		"a registry that begins so":       {"asia-northeast1-docker.pkg.dev.evil.example/acme-prod/web", []string{all, "asia-northeast1-docker.pkg.dev/*"}, false},
		"a * without its slash":           {web, []string{"*", "asia-northeast1-docker.pkg.dev/acme*"}, false},
		"out of the path again":           {"asia-northeast1-docker.pkg.dev/acme-prod/../evil/web", []string{all}, false},
		"a step that is none":             {"asia-northeast1-docker.pkg.dev/acme-prod/./web", []string{all}, false},
		"two slashes":                     {"asia-northeast1-docker.pkg.dev/acme-prod//web", []string{all}, false},
		"an escape":                       {"asia-northeast1-docker.pkg.dev/acme-prod/%2e%2e/evil", []string{all}, false},
		"a scheme":                        {"https://" + web, []string{web, all}, false},
		"a user":                          {"asia-northeast1-docker.pkg.dev/acme-prod/web@evil.example/x", []string{all}, false},
		"a digest, and then more":         {web + digest + "/evil", []string{web, all}, false},
		"two tags":                        {web + ":a:b", []string{web, all}, false},
		"in capitals":                     {"asia-northeast1-docker.pkg.dev/acme-prod/Web", []string{all}, false},
		"an image of Docker's by itself":  {"nginx", []string{"docker.io/library/nginx", "docker.io/*"}, false},
		"the same with its registry":      {"docker.io/library/nginx:1", []string{"docker.io/library/nginx"}, true},
		"a line break":                    {web + "\n", []string{web, all}, false},
		"longer than a name can be":       {"asia-northeast1-docker.pkg.dev/acme-prod/" + strings.Repeat("a", 300), []string{all}, false},
		"an older registry, by a project": {"gcr.io/example.com/acme/web", []string{"gcr.io/example.com/acme/*"}, true},
	} {
		if got := (Deploys{Repositories: c.list}).permit(of("", c.image)); got != c.listed {
			t.Errorf("%s: listed %t, want %t", name, got, c.listed)
		}
	}
	listed := Deploys{Repositories: []string{web}}
	source := of("", web)
	source.Sources = []string{"spec.template.containers[0].sourceCode"}
	for name, no := range map[string]Template{
		"a second container's image": of("", web, "docker.io/library/nginx"), "code that is in no image": source, "no image": of(""),
	} {
		if listed.permit(no) {
			t.Errorf("%s is permitted", name)
		}
	}
}

// TestATemplateThatMayNotBeDeployedSaysWhatWouldBeWritten: never in what binds others too,
// and all of it where a CloudRunAccess has to be created.
func TestATemplateThatMayNotBeDeployedSaysWhatWouldBeWritten(t *testing.T) {
	t.Parallel()
	deploys := func(d Deploys, change func(*Binding)) Binding {
		return with(func(b *Binding) { b.MayDeploy, b.Deploys = true, d; change(b) })
	}
	own, everyones := func(*Binding) {}, func(b *Binding) { b.Name, b.Namespaces = "all", []string{"*"} }
	accounts, images := Deploys{Accounts: []string{ofShop}}, Deploys{Repositories: []string{"pkg.dev/acme/*"}}
	both := Deploys{accounts.Accounts, images.Repositories}
	const created = "{apiVersion: rollouts.sluice.dev/v1alpha1, kind: CloudRunAccess, metadata: {name: shop}, spec: {namespaces: [shop], " +
		"services: [{project: acme-prod, locations: [asia-northeast1], names: [web]}], mayDeploy: true, deploy: {"
	for name, c := range map[string]struct {
		bindings []Binding
		template Template
		want     string
	}{
		"all of it is listed":        {[]Binding{deploys(both, own)}, of(ofShop, "pkg.dev/acme/a", "pkg.dev/acme/b:1"), ""},
		"one of two permits all":     {[]Binding{deploys(accounts, own), deploys(images, everyones)}, of("", "pkg.dev/acme/a"), ""},
		"one has no list":            {[]Binding{deploys(accounts, own), deploys(Deploys{}, everyones)}, of("", "docker.io/a"), ""},
		"a list without leave is no": {[]Binding{webs, with(everyones)}, of("", "docker.io/a"), "spec.mayDeploy of CloudRunAccess webs is not true; the platform team would write mayDeploy: true there"},
		"another account": {
			[]Binding{deploys(both, own)},
			of("bank@acme-prod.iam.gserviceaccount.com", "pkg.dev/acme/a"),
			"spec.template names service account bank@acme-prod.iam.gserviceaccount.com, which spec.deploy of CloudRunAccess webs does not list; " +
				"the platform team would add bank@acme-prod.iam.gserviceaccount.com to spec.deploy.serviceAccounts there",
		},
		"the default account": {
			[]Binding{deploys(both, own)},
			of("", "pkg.dev/acme/a"),
			"spec.template names no service account, and so the project's default one, which spec.deploy of CloudRunAccess webs does not list; " +
				"write spec.template.serviceAccount, or else the platform team would add default to spec.deploy.serviceAccounts there",
		},
		"two repositories, one of them twice": {
			[]Binding{deploys(both, own)},
			of(ofShop, "docker.io/a:1", "pkg.dev/acme/a", "2.pkg.dev/b"+digest, "docker.io/a:2"),
			"spec.template names image repository docker.io/a, and image repository 2.pkg.dev/b, which spec.deploy of CloudRunAccess webs does not list; " +
				`the platform team would add docker.io/a, "2.pkg.dev/b" to spec.deploy.imageRepositories there`,
		},
		"half by each of two": {
			[]Binding{deploys(Deploys{accounts.Accounts, []string{"gcr.io/x"}}, own), deploys(Deploys{[]string{DefaultAccount}, images.Repositories}, everyones)},
			of(ofShop, "pkg.dev/acme/a"),
			"spec.template names image repository pkg.dev/acme/a, which spec.deploy of CloudRunAccess webs does not list; " +
				"the platform team would add pkg.dev/acme/a to spec.deploy.imageRepositories there",
		},
		"what lists binds others too": {
			[]Binding{deploys(both, everyones)},
			of("", "docker.io/a", "pkg.dev/acme/a"),
			"spec.template names no service account, and so the project's default one, and image repository docker.io/a, which spec.deploy of CloudRunAccess all does not list; " +
				"write spec.template.serviceAccount, or else the platform team would create " + created + "serviceAccounts: [default], imageRepositories: [docker.io/a, pkg.dev/acme/a]}}}",
		},
		"its own has no leave": {
			[]Binding{deploys(images, everyones), webs},
			of(ofShop, "docker.io/a"),
			"spec.template names image repository docker.io/a, which spec.deploy of CloudRunAccess all does not list; " +
				"the platform team would write mayDeploy: true, deploy: {serviceAccounts: [" + ofShop + "], imageRepositories: [docker.io/a]} into spec of CloudRunAccess webs",
		},
		"what no list can match": {
			[]Binding{deploys(both, own)},
			of("shop", "nginx"),
			"spec.deploy of CloudRunAccess webs cannot list what spec.template names: spec.template.serviceAccount: write the e-mail address of a service account; " +
				"spec.template.containers[0].image: write the whole name of an image, in lowercase and with its registry, such as docker.io/library/nginx",
		},
	} {
		g, no := Admit(c.bindings, shop, web)
		if no != nil {
			t.Fatal(no)
		}
		if got := g.Undeployable(c.template); got != c.want {
			t.Errorf("%s:\n%q, want\n%q", name, got, c.want)
		}
	}
}
