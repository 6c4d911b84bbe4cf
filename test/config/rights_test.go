package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// rights are those of the manager, to be read by whoever reviews them.
const rights = `everywhere cloudrunaccesses.rollouts.sluice.dev: get list watch
everywhere cloudrunrollouts.rollouts.sluice.dev: get list patch watch
everywhere cloudrunrollouts/status.rollouts.sluice.dev: get update
everywhere events.events.k8s.io: create patch
everywhere namespaces: get list watch
everywhere rolloutfreezes.rollouts.sluice.dev: get list watch
everywhere subjectaccessreviews.authorization.k8s.io: create
everywhere tokenreviews.authentication.k8s.io: create
in sluice-system events: create patch
in sluice-system leases.coordination.k8s.io sluice.rollouts.sluice.dev: get update
in sluice-system leases.coordination.k8s.io: create`

// keptRights are those that config/config-connector adds.
const keptRights = `everywhere configconnectorcontexts.core.cnrm.cloud.google.com: get
everywhere configconnectors.core.cnrm.cloud.google.com: get
everywhere runservices.run.cnrm.cloud.google.com: get patch`

func TestTheRightsOfTheManagerAreThese(t *testing.T) {
	more := strings.Split(rights+"\n"+keptRights, "\n")
	slices.Sort(more)
	for objects, want := range map[*[]unstructured.Unstructured]string{&installed: rights, new(kept(t)): strings.Join(more, "\n")} {
		var got []string
		for _, g := range granted(t, *objects) {
			where := "everywhere "
			if g.namespace != "" {
				where = "in " + g.namespace + " "
			}
			got = append(got, where+line(g.PolicyRule))
		}
		slices.Sort(got)
		same(t, got, want)
	}
}

// grant is a rule and where it holds; everywhere without a namespace.
type grant struct {
	rbacv1.PolicyRule
	namespace string
}

// granted is everything that objects bind, all of it to the manager's account.
func granted(t *testing.T, objects []unstructured.Unstructured) []grant {
	t.Helper()
	var grants []grant
	for i := range objects {
		o := &objects[i]
		if kind := o.GetKind(); kind != "RoleBinding" && kind != "ClusterRoleBinding" {
			continue
		}
		binding := convert[rbacv1.ClusterRoleBinding](t, o) // a RoleBinding has the same fields
		if want := (rbacv1.Subject{Kind: "ServiceAccount", Name: account, Namespace: home}); len(binding.Subjects) != 1 || binding.Subjects[0] != want {
			t.Errorf("%s binds %v", binding.Name, binding.Subjects)
		}
		for _, rule := range rulesOf(t, objects, binding.RoleRef) {
			for _, one := range apart(rule) {
				grants = append(grants, grant{one, o.GetNamespace()})
			}
		}
	}
	return grants
}

// apart is a rule for each resource of one.
func apart(rule rbacv1.PolicyRule) []rbacv1.PolicyRule {
	if len(rule.Resources) == 0 {
		return []rbacv1.PolicyRule{rule}
	}
	var rules []rbacv1.PolicyRule
	for _, resource := range rule.Resources {
		one := rule
		one.Resources = []string{resource}
		rules = append(rules, one)
	}
	return rules
}

func TestNoRightIsAWildcardOrReachesASecret(t *testing.T) {
	objects := kept(t) // all of config/default, and more
	for i := range objects {
		if kind := objects[i].GetKind(); kind != "Role" && kind != "ClusterRole" {
			continue
		}
		for _, rule := range convert[rbacv1.ClusterRole](t, &objects[i]).Rules {
			for _, word := range slices.Concat(rule.APIGroups, rule.Resources, rule.Verbs, rule.NonResourceURLs) {
				if strings.Contains(word, "*") || slices.Contains([]string{"secrets", "serviceaccounts/token", "impersonate", "bind", "escalate"}, word) {
					t.Errorf("%s grants %q", objects[i].GetName(), word)
				}
			}
		}
	}
}

// TestTheManagerMayDoNothingElse asks kube-apiserver about every resource that it
// serves and every verb, and compares with an account that has no rights.
func TestTheManagerMayDoNothingElse(t *testing.T) {
	t.Run("config/default", func(t *testing.T) { mayNothingElse(t, installed) })
	t.Run("config/config-connector", func(t *testing.T) {
		connect(t)
		mayNothingElse(t, kept(t))
	})
}

func mayNothingElse(t *testing.T, objects []unstructured.Unstructured) {
	t.Helper()
	client := admin(t)
	var got []string
	for _, where := range []string{home, "default", ""} {
		for _, right := range everything(t, client) {
			right.Namespace = where
			if allowed(t, client, account, right) && !allowed(t, client, "stranger", right) {
				got = append(got, strings.TrimSpace(right.Verb+" "+resource(right.Group, right.Resource, right.Subresource)+" "+where))
			}
		}
	}
	slices.Sort(got)
	same(t, got, strings.Join(granting(t, objects), "\n"))
}

// granting is what the roles come to where no name is asked for.
func granting(t *testing.T, objects []unstructured.Unstructured) []string {
	t.Helper()
	var may []string
	for _, g := range granted(t, objects) {
		wheres := []string{home, "default", ""}
		switch {
		case len(g.ResourceNames) > 0:
			continue
		case g.namespace != "":
			wheres = []string{g.namespace}
		}
		for _, where := range wheres {
			for _, verb := range g.Verbs {
				may = append(may, strings.TrimSpace(verb+" "+resource(g.APIGroups[0], g.Resources[0], "")+" "+where))
			}
		}
	}
	slices.Sort(may)
	return may
}

func everything(t *testing.T, client kubernetes.Interface) []authorizationv1.ResourceAttributes {
	t.Helper()
	_, lists, err := client.Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	var rights []authorizationv1.ResourceAttributes
	for _, list := range lists {
		group, _, found := strings.Cut(list.GroupVersion, "/")
		if !found {
			group = ""
		}
		for _, r := range list.APIResources {
			name, below, _ := strings.Cut(r.Name, "/")
			for _, verb := range []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "bind", "escalate"} {
				rights = append(rights, authorizationv1.ResourceAttributes{Group: group, Resource: name, Subresource: below, Verb: verb})
			}
		}
	}
	if len(rights) < 500 {
		t.Fatalf("only %d rights to ask about", len(rights))
	}
	return slices.CompactFunc(rights, func(a, b authorizationv1.ResourceAttributes) bool { return a == b })
}

func allowed(t *testing.T, client kubernetes.Interface, name string, right authorizationv1.ResourceAttributes) bool {
	t.Helper()
	review, err := client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{ResourceAttributes: &right, User: userOf(name), Groups: groups},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return review.Status.Allowed
}

var groups = []string{"system:serviceaccounts", "system:serviceaccounts:" + home, "system:authenticated"}

func userOf(name string) string { return "system:serviceaccount:" + home + ":" + name }

func admin(t *testing.T) kubernetes.Interface { t.Helper(); return clientOf(t, plane.Config) }

func clientOf(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	config = rest.CopyConfig(config)
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func rulesOf(t *testing.T, objects []unstructured.Unstructured, ref rbacv1.RoleRef) []rbacv1.PolicyRule {
	t.Helper()
	return among[rbacv1.ClusterRole](t, objects, ref.Kind, ref.Name).Rules // a Role has the same fields
}

func line(rule rbacv1.PolicyRule) string {
	group := strings.Join(rule.APIGroups, ",")
	text := resource(group, strings.Join(rule.Resources, ","), "")
	if len(rule.ResourceNames) > 0 {
		text += " " + strings.Join(rule.ResourceNames, ",")
	}
	return fmt.Sprintf("%s: %s", text, strings.Join(rule.Verbs, " "))
}

func resource(group, name, below string) string {
	if below != "" {
		name += "/" + below
	}
	return strings.TrimSuffix(name+"."+group, ".")
}
