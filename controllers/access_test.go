package controllers

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// bindings stand in for the manager's cache.
type bindings struct {
	client.Reader // the rest of it is not called

	accesses []v1alpha1.CloudRunAccess
	labels   map[string]string // of every namespace
	err      error
	gone     error // of a namespace
}

func (b *bindings) List(_ context.Context, into client.ObjectList, _ ...client.ListOption) error {
	into.(*v1alpha1.CloudRunAccessList).Items = b.accesses
	return b.err
}

func (b *bindings) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	o := into.(*metav1.PartialObjectMetadata)
	o.Name, o.Labels = key.Name, b.labels
	return b.gone
}

// toWeb binds namespaces to the service of these tests.
func toWeb(edits ...func(*v1alpha1.CloudRunAccessSpec)) v1alpha1.CloudRunAccess {
	a := v1alpha1.CloudRunAccess{ObjectMeta: metav1.ObjectMeta{Name: "webs"}, Spec: v1alpha1.CloudRunAccessSpec{
		Namespaces: []string{"default"},
		Services: []v1alpha1.AccessibleServices{{
			Project: "acme-prod", Locations: []string{"asia-northeast1"}, Names: []string{"web"},
		}},
	}}
	for _, edit := range edits {
		edit(&a.Spec)
	}
	return a
}

// theClouds notes what is called behind the gate.
type theClouds struct{ calls []string }

func (b *theClouds) Service(context.Context, rollout.ServiceRef) (rollout.Service, error) {
	b.calls = append(b.calls, "Service")
	return rollout.Service{Presence: rollout.Found}, nil
}

func (b *theClouds) Revisions(context.Context, rollout.ServiceRef, []string) (map[string]rollout.Revision, error) {
	b.calls = append(b.calls, "Revisions")
	return nil, nil
}

func (b *theClouds) SetTraffic(context.Context, rollout.ServiceRef, rollout.Write) error {
	b.calls = append(b.calls, "SetTraffic")
	return nil
}

func (b *theClouds) SetTemplate(context.Context, rollout.ServiceRef, rollout.Deploy) error {
	b.calls = append(b.calls, "SetTemplate")
	return nil
}

func (b *theClouds) Listed(context.Context, rollout.ServiceRef, time.Time, time.Duration) (rollout.Service, bool, error) {
	b.calls = append(b.calls, "Listed")
	return rollout.Service{}, true, nil
}

func (b *theClouds) Remembered(context.Context, rollout.ServiceRef, []string, time.Time, time.Duration) (map[string]rollout.Revision, error) {
	b.calls = append(b.calls, "Remembered")
	return nil, nil
}

func (b *theClouds) Answer(_ context.Context, questions []analysis.Question, _ time.Time) (analysis.Answers, error) {
	answers := analysis.Answers{}
	for _, q := range questions {
		b.calls = append(b.calls, "Answer "+q.Source.Project+" "+q.Source.Service+q.Source.Gateway)
		answers[q.Series] = analysis.Answer{}
	}
	return answers, nil
}

func (b *theClouds) Outlet(
	context.Context, rollout.ServiceRef, []rollout.Revision, []analysis.Source, time.Time,
) (rollout.Outlet, error) {
	b.calls = append(b.calls, "Outlet")
	return rollout.Outlet{Presence: rollout.Found}, nil
}

var webRef = rollout.ServiceRef{Project: "acme-prod", Location: "asia-northeast1", Name: "web"}

// opened are the clouds for a pass on the object of these tests.
func opened(t *testing.T, b *bindings) (Cloud, *theClouds) {
	t.Helper()
	cloud := &theClouds{}
	gate := &Gate{Cache: b, Open: func(context.Context, *v1alpha1.CloudRunRollout, string) (Cloud, error) {
		return Cloud{Observer: cloud, Actuator: cloud, Metrics: cloud, Watcher: cloud, Outlets: cloud, Deployer: cloud}, nil
	}}
	c, err := gate.Connect(t.Context(), bare())
	if err != nil {
		t.Fatal(err)
	}
	return c, cloud
}

// asks is a question about requests of a service's revision, or about a gateway.
func asks(of analysis.Source) analysis.Question {
	return analysis.Question{Series: analysis.Series{Metric: analysis.Requests, Source: of}}
}

var (
	ofWeb     = asks(analysis.Source{Project: "acme-prod", Location: "asia-northeast1", Service: "web", Revision: "web-1"})
	ofOther   = asks(analysis.Source{Project: "acme-prod", Location: "asia-northeast1", Service: "api", Revision: "api-1"})
	ofOwnNAT  = asks(analysis.Source{Project: "acme-prod", Location: "asia-northeast1", Router: "r1", Gateway: "own"})
	ofHostNAT = asks(analysis.Source{Project: "acme-net", Location: "asia-northeast1", Router: "r1", Gateway: "shared"})
)

// TestEveryCallIsCheckedOnItsOwn: with access each reaches the cloud, and without it
// none does, though the pass began with access.
func TestEveryCallIsCheckedOnItsOwn(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, call := range map[string]func(context.Context, Cloud) (refused bool, err error){
		"Service": func(ctx context.Context, c Cloud) (bool, error) {
			s, err := c.Service(ctx, webRef)
			return s.Presence == rollout.Denied && strings.Contains(s.Remedy, "The platform team would create {"), err
		},
		"Revisions": func(ctx context.Context, c Cloud) (bool, error) {
			found, err := c.Revisions(ctx, webRef, []string{"web-1"})
			return found["web-1"].Presence == rollout.Denied, err
		},
		"SetTemplate": func(ctx context.Context, c Cloud) (bool, error) {
			err := c.Deployer.SetTemplate(ctx, webRef, rollout.Deploy{})
			if errors.Is(err, errBarred) {
				return true, nil
			}
			return false, err
		},
		"SetTraffic": func(ctx context.Context, c Cloud) (bool, error) {
			err := c.SetTraffic(ctx, webRef, rollout.Write{})
			if errors.Is(err, errBarred) {
				return true, nil
			}
			return false, err
		},
		"Listed": func(ctx context.Context, c Cloud) (bool, error) {
			_, ok, err := c.Watcher.Listed(ctx, webRef, now, time.Minute)
			return !ok, err
		},
		"Remembered": func(ctx context.Context, c Cloud) (bool, error) {
			found, err := c.Watcher.Remembered(ctx, webRef, []string{"web-1"}, now, time.Minute)
			return found["web-1"].Presence == rollout.Denied, err
		},
		"Answer acme-prod web": func(ctx context.Context, c Cloud) (bool, error) {
			answers, err := c.Answer(ctx, []analysis.Question{ofWeb}, now)
			return answers[ofWeb.Series].Cause == analysis.CauseDenied, err
		},
		"Outlet": func(ctx context.Context, c Cloud) (bool, error) {
			o, err := c.Outlets.Outlet(ctx, webRef, nil, nil, now)
			return o.Presence == rollout.Denied, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bindings{accesses: []v1alpha1.CloudRunAccess{toWeb(deploying)}}
			cloud, calls := opened(t, b)
			if _, err := cloud.Service(t.Context(), webRef); err != nil {
				t.Fatal(err)
			}
			calls.calls = nil
			if refused, err := call(t.Context(), cloud); refused || err != nil || !slices.Equal(calls.calls, []string{name}) {
				t.Errorf("with access: refused %t, error %v, calls %q", refused, err, calls.calls)
			}
			b.accesses, calls.calls = nil, nil
			if refused, err := call(t.Context(), cloud); !refused || err != nil || len(calls.calls) > 0 {
				t.Errorf("without: refused %t, error %v, calls %q", refused, err, calls.calls)
			}
			b.err = errors.New("the cache is not there")
			if _, err := call(t.Context(), cloud); len(calls.calls) > 0 || name != "Listed" && name != "Answer acme-prod web" && err == nil {
				t.Errorf("not knowing: error %v, calls %q", err, calls.calls)
			}
		})
	}
}

// deploying lets namespaces deploy templates too.
func deploying(spec *v1alpha1.CloudRunAccessSpec) { spec.MayDeploy = true }

// TestTemplatesNeedMoreThanTheService: who may move traffic may not therefore say what
// runs.
func TestTemplatesNeedMoreThanTheService(t *testing.T) {
	t.Parallel()
	elsewhere := toWeb(deploying, func(spec *v1alpha1.CloudRunAccessSpec) { spec.Services[0].Names = []string{"api"} })
	within := func(deploy v1alpha1.DeployableTemplates) []v1alpha1.CloudRunAccess {
		return []v1alpha1.CloudRunAccess{toWeb(deploying, func(spec *v1alpha1.CloudRunAccessSpec) { spec.Deploy = deploy })}
	}
	image := rollout.Template{Digest: "0123456789abcdef", JSON: `{"containers":[{"image":"pkg.dev/web:1"}]}`}
	deploy, err := rollout.NewDeploy("e", 1, image)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		accesses []v1alpha1.CloudRunAccess
		why      string
	}{
		"with leave":          {[]v1alpha1.CloudRunAccess{toWeb(deploying)}, ""},
		"without":             {[]v1alpha1.CloudRunAccess{toWeb()}, "mayDeploy"},
		"of another service":  {[]v1alpha1.CloudRunAccess{toWeb(), elsewhere}, "mayDeploy"},
		"without any binding": {nil, "no CloudRunAccess"},
		"of a repository":     {within(v1alpha1.DeployableTemplates{ImageRepositories: []string{"pkg.dev/*"}}), ""},
		"of another one":      {within(v1alpha1.DeployableTemplates{ImageRepositories: []string{"gcr.io/*"}}), "add pkg.dev/web to spec.deploy.imageRepositories"},
		"of no account":       {within(v1alpha1.DeployableTemplates{ServiceAccounts: []string{"default"}}), ""},
		"of another account":  {within(v1alpha1.DeployableTemplates{ServiceAccounts: []string{"web@acme-prod.iam.gserviceaccount.com"}}), "write spec.template.serviceAccount"},
	} {
		b := &bindings{accesses: c.accesses}
		cloud, calls := opened(t, b)
		why, err := cloud.MayDeploy(t.Context(), webRef, image)
		if err != nil || (why == "") != (c.why == "") || !strings.Contains(why, c.why) {
			t.Errorf("%s: %q, %v", name, why, err)
		}
		err = cloud.Deployer.SetTemplate(t.Context(), webRef, *deploy)
		if sent := len(calls.calls) > 0; sent != (c.why == "") || sent == errors.Is(err, errBarred) {
			t.Errorf("%s: %v, calls %q", name, err, calls.calls)
		}
	}
}

// TestWhatWouldBeWrittenForATemplateIsSaidToItsEnd: a manifest that is cut is of no use.
func TestWhatWouldBeWrittenForATemplateIsSaidToItsEnd(t *testing.T) {
	t.Parallel()
	everyones := toWeb(func(spec *v1alpha1.CloudRunAccessSpec) { spec.Namespaces = []string{"*"} })
	for _, deploy := range []*v1alpha1.DeployableTemplates{nil, {ServiceAccounts: []string{"web@acme-prod.iam.gserviceaccount.com"}, ImageRepositories: []string{"gcr.io/*"}}} {
		if deploy != nil {
			everyones.Spec.MayDeploy, everyones.Spec.Deploy = true, *deploy
		}
		cloud, _ := opened(t, &bindings{accesses: []v1alpha1.CloudRunAccess{everyones}})
		why, err := cloud.MayDeploy(t.Context(), webRef, rollout.Template{JSON: `{"containers":[{"image":"pkg.dev/web:1"}]}`})
		if err != nil || !strings.Contains(why, "would create {") || !strings.HasSuffix(why, "}}") || strings.Count(why, "{") != strings.Count(why, "}") {
			t.Errorf("%q, %v", why, err)
		}
	}
}

// TestQuestionsAreAboutTheServiceOfThePass, and about gateways that are bound to it.
func TestQuestionsAreAboutTheServiceOfThePass(t *testing.T) {
	t.Parallel()
	all := []analysis.Question{ofWeb, ofOther, ofOwnNAT, ofHostNAT}
	wide := func(spec *v1alpha1.CloudRunAccessSpec) { spec.Services[0].Names = []string{"*"} }
	hosting := func(spec *v1alpha1.CloudRunAccessSpec) { spec.NetworkProjects = []string{"acme-net"} }
	for name, c := range map[string]struct {
		access v1alpha1.CloudRunAccess
		look   bool
		want   []string
	}{
		"a service":                    {toWeb(), true, []string{"Answer acme-prod web", "Answer acme-prod own"}},
		"every service":                {toWeb(wide), true, []string{"Answer acme-prod web", "Answer acme-prod own"}},
		"a network too":                {toWeb(hosting), true, []string{"Answer acme-prod web", "Answer acme-prod own", "Answer acme-net shared"}},
		"a pass that looked at nobody": {toWeb(hosting), false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud, calls := opened(t, &bindings{accesses: []v1alpha1.CloudRunAccess{c.access}})
			if c.look {
				if _, _, err := cloud.Watcher.Listed(t.Context(), webRef, time.Now(), time.Minute); err != nil {
					t.Fatal(err)
				}
			}
			calls.calls = nil
			answers, err := cloud.Answer(t.Context(), all, time.Now())
			if err != nil || !slices.Equal(calls.calls, c.want) {
				t.Errorf("error %v, calls %q, want %q", err, calls.calls, c.want)
			}
			if len(answers) != len(all) {
				t.Errorf("%d answers to %d questions", len(answers), len(all))
			}
			const adds = "acme-net is not among spec.networkProjects of CloudRunAccess webs; the platform team would add acme-net there"
			if a, bound := answers[ofHostNAT.Series], slices.Contains(c.want, "Answer acme-net shared"); c.look && !bound && a.Detail != adds {
				t.Errorf("of the gateway of another project: %+v", a)
			}
			if a := answers[ofOther.Series]; a.Cause != analysis.CauseDenied || a.Detail == "" {
				t.Errorf("of another service: %+v", a)
			}
		})
	}
}

// TestAQueryIsAskedOnlyWithMayQuery: of one that may not be asked no word leaves, and it
// is said what the platform team would write.
func TestAQueryIsAskedOnlyWithMayQuery(t *testing.T) {
	t.Parallel()
	of := ofWeb
	of.Metric, of.Source.Query, of.Source.Beside = analysis.Value, "up", "web-1"
	asking := func(spec *v1alpha1.CloudRunAccessSpec) { spec.MayQuery = true }
	for name, c := range map[string]struct {
		access v1alpha1.CloudRunAccess
		want   []string
		says   string
	}{
		"with mayQuery":    {toWeb(asking), []string{"Answer acme-prod web", "Answer acme-prod web"}, ""},
		"without mayQuery": {toWeb(), []string{"Answer acme-prod web"}, "the platform team would write mayQuery: true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud, calls := opened(t, &bindings{accesses: []v1alpha1.CloudRunAccess{c.access}})
			if _, _, err := cloud.Watcher.Listed(t.Context(), webRef, time.Now(), time.Minute); err != nil {
				t.Fatal(err)
			}
			calls.calls = nil
			answers, err := cloud.Answer(t.Context(), []analysis.Question{ofWeb, of}, time.Now())
			if err != nil || !slices.Equal(calls.calls, c.want) {
				t.Errorf("error %v, calls %q, want %q", err, calls.calls, c.want)
			}
			if a := answers[of.Series]; c.says != "" && (a.Cause != analysis.CauseDenied || !strings.Contains(a.Detail, c.says)) {
				t.Errorf("answered %+v", a)
			}
		})
	}
}

func TestWhoIsBoundIsReadFromTheCache(t *testing.T) {
	t.Parallel()
	labelled := toWeb(func(spec *v1alpha1.CloudRunAccessSpec) {
		spec.Namespaces, spec.NamespaceLabels = nil, []v1alpha1.NamespaceLabel{{Name: "team", Value: "shop"}}
	})
	for name, c := range map[string]struct {
		bindings bindings
		want     rollout.Presence
	}{
		"a name":                 {bindings{accesses: []v1alpha1.CloudRunAccess{toWeb()}}, rollout.Found},
		"a label":                {bindings{accesses: []v1alpha1.CloudRunAccess{labelled}, labels: map[string]string{"team": "shop"}}, rollout.Found},
		"another label":          {bindings{accesses: []v1alpha1.CloudRunAccess{labelled}, labels: map[string]string{"team": "bank"}}, rollout.Denied},
		"no binding":             {bindings{}, rollout.Denied},
		"labels nobody can tell": {bindings{accesses: []v1alpha1.CloudRunAccess{labelled}, gone: errors.New("no cache")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := opened(t, &c.bindings)
			got, err := cloud.Service(t.Context(), webRef)
			if got.Presence != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%q with error %v, want %q", got.Presence, err, c.want)
			}
		})
	}
}

// TestWhatIsNotThereStaysAway: without a list every look is live, and without a way to
// find gateways only the spec says them.
func TestWhatIsNotThereStaysAway(t *testing.T) {
	t.Parallel()
	cloud := &theClouds{}
	gate := &Gate{Cache: &bindings{accesses: []v1alpha1.CloudRunAccess{toWeb()}}, Open: func(context.Context, *v1alpha1.CloudRunRollout, string) (Cloud, error) {
		return Cloud{Observer: cloud, Actuator: cloud, Metrics: cloud}, nil
	}}
	c, err := gate.Connect(t.Context(), bare())
	if err != nil {
		t.Fatal(err)
	}
	if c.Watcher != nil || c.Outlets != nil || c.RunService != nil {
		t.Errorf("there is more than behind the gate: %+v", c)
	}
	gate.Open = func(context.Context, *v1alpha1.CloudRunRollout, string) (Cloud, error) {
		return Cloud{}, errors.New("no way")
	}
	if _, err := gate.Connect(t.Context(), bare()); err == nil {
		t.Error("a cloud that cannot be opened is open")
	}
}

// TestEachCallIsMadeAsWhomTheBindingSays, from the moment that it says so.
func TestEachCallIsMadeAsWhomTheBindingSays(t *testing.T) {
	t.Parallel()
	tenant := toWeb()
	tenant.Spec.GoogleServiceAccount = "rollouts@acme-prod.iam.gserviceaccount.com"
	b, cloud, asked := &bindings{accesses: []v1alpha1.CloudRunAccess{tenant}}, &theClouds{}, []string(nil)
	gate := &Gate{Cache: b, Open: func(_ context.Context, _ *v1alpha1.CloudRunRollout, as string) (Cloud, error) {
		asked = append(asked, as)
		return Cloud{Observer: cloud, Actuator: cloud, Metrics: cloud, Watcher: cloud, Outlets: cloud, Deployer: cloud}, nil
	}}
	c, err := gate.Connect(t.Context(), bare())
	if err != nil {
		t.Fatal(err)
	}
	as := func(want string, call func()) {
		t.Helper()
		asked, cloud.calls = nil, nil
		call()
		if slices.ContainsFunc(asked, func(as string) bool { return as != want }) || len(asked) == 0 || len(cloud.calls) != 1 {
			t.Errorf("%v as %q, want %q", cloud.calls, asked, want)
		}
	}
	read := func() { _, _ = c.Service(t.Context(), webRef) }
	as(tenant.Spec.GoogleServiceAccount, read)
	b.accesses[0].Spec.MayDeploy = true
	for _, call := range []func(){
		func() { _, _ = c.Revisions(t.Context(), webRef, nil) },
		func() { _ = c.SetTraffic(t.Context(), webRef, rollout.Write{}) },
		func() { _ = c.Deployer.SetTemplate(t.Context(), webRef, rollout.Deploy{}) },
		func() { _, _, _ = c.Watcher.Listed(t.Context(), webRef, time.Now(), time.Minute) },
		func() { _, _ = c.Watcher.Remembered(t.Context(), webRef, nil, time.Now(), time.Minute) },
		func() { _, _ = c.Answer(t.Context(), []analysis.Question{ofWeb}, time.Now()) },
		func() { _, _ = c.Outlets.Outlet(t.Context(), webRef, nil, nil, time.Now()) },
	} {
		as(tenant.Spec.GoogleServiceAccount, call)
	}
	b.accesses[0].Spec.GoogleServiceAccount = ""
	as("", read)
	b.accesses = append(b.accesses, tenant)
	service, err := c.Service(t.Context(), webRef)
	if err != nil || service.Presence != rollout.Denied || !strings.Contains(service.Detail, "as the manager's own account, and") {
		t.Errorf("bound as two accounts it is %q with error %v: %s", service.Presence, err, service.Detail)
	}
}

// TestAQuestionIsAskedAsWhoeverIsBoundWhenItIsAsked: one that was waiting when the
// account changed is not asked as the former one.
func TestAQuestionIsAskedAsWhoeverIsBoundWhenItIsAsked(t *testing.T) {
	t.Parallel()
	b := &bindings{accesses: []v1alpha1.CloudRunAccess{toWeb()}}
	p := &guarded{gate: &Gate{Cache: b}, namespace: bare().Namespace, of: webRef}
	scope := p.scope(t.Context(), "")
	if !scope.Admits(ofWeb.Source) || scope.Everything(ofWeb.Source) {
		t.Fatal("what is bound is not admitted")
	}
	b.accesses[0].Spec.GoogleServiceAccount = "rollouts@acme-prod.iam.gserviceaccount.com"
	b.accesses[0].Spec.Services[0].Names = []string{"*"}
	if scope.Admits(ofWeb.Source) || scope.Everything(ofWeb.Source) {
		t.Error("what is bound as another account is admitted")
	}
}
