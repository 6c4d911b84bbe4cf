package tenants_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// labels are those of each namespace.
var labels = map[string]map[string]string{
	"shop": {"team": "shop"},
	"bank": {"team": "bank", "tier": "gold"},
	"labs": nil,
}

// town is what the platform team wrote, and the namespaces that there are. It stands in
// for the manager's cache.
type town struct {
	client.Reader // the rest of it is not called

	accesses []v1alpha1.CloudRunAccess
	kept     *kept
}

func (c *town) List(_ context.Context, into client.ObjectList, _ ...client.ListOption) error {
	list, ok := into.(*v1alpha1.CloudRunAccessList)
	if !ok {
		return fmt.Errorf("%T is listed", into)
	}
	list.Items = c.accesses
	return nil
}

func (c *town) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	o, ok := into.(*metav1.PartialObjectMetadata)
	if !ok {
		return fmt.Errorf("%T is read", into)
	}
	o.Name, o.Labels = key.Name, labels[key.Name]
	return nil
}

// binds tells whether an access binds a namespace to a service. It is written a second
// time here, with other means than the product's.
func binds(a v1alpha1.CloudRunAccess, namespace string, of v1alpha1.ServiceReference) bool {
	who := slices.Contains(a.Spec.Namespaces, namespace) || slices.Contains(a.Spec.Namespaces, "*")
	labelled := 0
	for _, l := range a.Spec.NamespaceLabels {
		if labels[namespace][l.Name] == l.Value {
			labelled++
		}
	}
	who = who || labelled > 0 && labelled == len(a.Spec.NamespaceLabels)
	what := false
	for _, s := range a.Spec.Services {
		for _, name := range s.Names {
			for _, location := range s.Locations {
				named, _ := path.Match(name, of.Name)
				located, _ := path.Match(location, of.Location)
				what = what || named && located && s.Project == of.Project
			}
		}
	}
	return who && what
}

// allowed tells whether a request may be sent for one of the rollouts that there are.
func (c *town) allowed(s sent, rollouts []v1alpha1.CloudRunRollout) (bool, error) {
	if s.api == "kubernetes" {
		return c.mayApply(s.what, rollouts), nil
	}
	about, err := read(s)
	if err != nil {
		return false, err
	}
	as, err := account(s.as)
	if err != nil {
		return false, err
	}
	if s.api == "iam" {
		as = path.Base(strings.TrimSuffix(s.what, ":generateAccessToken"))
	}
	for _, one := range about {
		if !slices.ContainsFunc(rollouts, func(ro v1alpha1.CloudRunRollout) bool {
			return slices.ContainsFunc(c.accesses, func(a v1alpha1.CloudRunAccess) bool {
				if one.query && (!a.Spec.MayQuery || !asks(ro)) || one.template && (!deploys(a.Spec, s.body) || ro.Spec.Template == nil) {
					return false
				}
				if said, agreed := c.account(ro.Namespace, c.kept.of(ro)); !agreed || said != as {
					return false
				}
				return binds(a, ro.Namespace, c.kept.of(ro)) && one.within(c.kept.of(ro), a)
			})
		}) {
			return false, nil
		}
	}
	return true, nil
}

// deploys tells whether an access permits the template that was sent.
func deploys(spec v1alpha1.CloudRunAccessSpec, body string) bool {
	var sent struct {
		Template struct {
			ServiceAccount string
			Containers     []struct{ Image string }
		}
	}
	if err := json.Unmarshal([]byte(body), &sent); err != nil || len(sent.Template.Containers) == 0 {
		return false
	}
	runs := cmp.Or(sent.Template.ServiceAccount, "default")
	if list := spec.Deploy.ServiceAccounts; list != nil && !slices.ContainsFunc(list, func(pattern string) bool {
		ok, _ := path.Match(pattern, runs)
		return ok
	}) {
		return false
	}
	for _, c := range sent.Template.Containers {
		image, _, _ := strings.Cut(path.Clean(c.Image), ":") // no registry here has a port
		if list := spec.Deploy.ImageRepositories; list != nil && !slices.ContainsFunc(list, func(pattern string) bool {
			return image == pattern || path.Dir(pattern) != "." && strings.HasSuffix(pattern, "*") && strings.HasPrefix(image, path.Dir(pattern)+"/")
		}) {
			return false
		}
	}
	return spec.MayDeploy
}

// account is whose token a request brings; "" of the manager's own identity.
func account(header string) (string, error) {
	if header == "" {
		return "", nil
	}
	parts := strings.Split(header, ".")
	email, err := base64.RawURLEncoding.DecodeString(parts[min(1, len(parts)-1)])
	return string(email), err
}

// account is as whom a service is rolled out from a namespace, where all who bind it agree.
func (c *town) account(namespace string, of v1alpha1.ServiceReference) (email string, agreed bool) {
	said := map[string]bool{}
	for _, a := range c.accesses {
		if binds(a, namespace, of) {
			said[a.Spec.GoogleServiceAccount] = true
			email = a.Spec.GoogleServiceAccount
		}
	}
	return email, len(said) == 1
}

// target is one thing that a request is about. Without a service it is all of a place;
// of a network only the project counts.
type target struct {
	v1alpha1.ServiceReference
	network, listed bool
	query           bool // PromQL of the rollout's own
	template        bool // of a new revision
	token           bool // of an account, for whichever service
}

// asks tells whether a rollout has a query of its own.
func asks(ro v1alpha1.CloudRunRollout) bool {
	return slices.ContainsFunc(ro.Spec.Analysis.Checks, func(c v1alpha1.Check) bool { return c.Query.PromQL != "" })
}

// within tells whether whoever is bound to a service by an access may ask about a target.
func (t target) within(of v1alpha1.ServiceReference, a v1alpha1.CloudRunAccess) bool {
	switch {
	case t.token:
		return true
	case t.network:
		return t.Project == of.Project || slices.Contains(a.Spec.NetworkProjects, t.Project)
	case t.Project != of.Project || t.Location != of.Location:
		return false
	case t.listed: // the list of a place has no filter
		return true
	}
	return t.ServiceReference == of || bindsAll(a, of)
}

// bindsAll tells whether an access is to every service where one is.
func bindsAll(a v1alpha1.CloudRunAccess, of v1alpha1.ServiceReference) bool {
	return slices.ContainsFunc(a.Spec.Services, func(s v1alpha1.AccessibleServices) bool {
		located := slices.Contains(s.Locations, "*") || slices.Contains(s.Locations, of.Location)
		return located && s.Project == of.Project && slices.Contains(s.Names, "*")
	})
}

var (
	inPlace   = regexp.MustCompile(`^/v2/projects/([^/]+)/locations/([^/]+)/services(?:/([^/]+)(?:/revisions/[^/]+)?)?$`)
	inNetwork = regexp.MustCompile(`^/(?:compute/v1|v1)/projects/([^/]+)/(?:regions|locations)/[^/]+/[a-z]+(?:/[^/]+){0,2}$`)
	inQuery   = regexp.MustCompile(`^/v1/projects/([^/]+)/location/global/prometheus/api/v1/query_range$`)
	inService = regexp.MustCompile(`location="([^"]+)",service_name="([^"]+)"`)
	ofProject = regexp.MustCompile(`^projects/([^/]+)(?:/metricDescriptors/(.+))?$`)
	oneClause = regexp.MustCompile(`([a-z._]+)=(?:one_of\(([^)]*)\)|("[^"]*"))`)
)

// read says what a request is about. It fails on one that it cannot read.
func read(s sent) ([]target, error) {
	switch s.api {
	case "iam":
		return []target{{token: true}}, nil
	case "cloudrun":
		if m := inPlace.FindStringSubmatch(s.what); m != nil {
			of := v1alpha1.ServiceReference{Project: m[1], Location: m[2], Name: m[3]}
			return []target{{ServiceReference: of, listed: m[3] == "", template: s.mask == "template"}}, nil
		}
	case "compute", "vpcaccess":
		if m := inNetwork.FindStringSubmatch(s.what); m != nil {
			return []target{{ServiceReference: v1alpha1.ServiceReference{Project: m[1]}, network: true}}, nil
		}
	case "monitoring":
		at, named := inQuery.FindStringSubmatch(s.what), inService.FindStringSubmatch(s.filter)
		if at != nil && named != nil {
			return []target{{ServiceReference: v1alpha1.ServiceReference{Project: at[1], Location: named[1], Name: named[2]}, query: true}}, nil
		}
		if m := ofProject.FindStringSubmatch(s.what); m != nil {
			return readFilter(m[1], m[2], s.filter)
		}
	}
	return nil, fmt.Errorf("cannot read %s", s)
}

// readFilter says what a query of a project's metrics is about: each name in each
// location. A descriptor tells of a project alone.
func readFilter(project, descriptor, filter string) ([]target, error) {
	values := map[string][]string{}
	for _, m := range oneClause.FindAllStringSubmatch(filter, -1) {
		for quoted := range strings.SplitSeq(m[2]+m[3], ",") {
			values[m[1]] = append(values[m[1]], strings.Trim(quoted, `"`))
		}
	}
	of := v1alpha1.ServiceReference{Project: project}
	switch {
	case descriptor != "", slices.Contains(values["resource.type"], "nat_gateway"):
		return []target{{ServiceReference: of, network: true}}, nil
	case !slices.Equal(values["resource.labels.project_id"], []string{project}) || len(values["resource.labels.location"]) == 0:
		return nil, fmt.Errorf("cannot read the filter %s", filter)
	}
	var about []target
	names := values["resource.labels.service_name"]
	if len(names) == 0 {
		names = []string{""}
	}
	for _, of.Location = range values["resource.labels.location"] {
		for _, of.Name = range names {
			about = append(about, target{ServiceReference: of})
		}
	}
	return about, nil
}
