package config

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// onlyTraffic is how the policy refuses.
const onlyTraffic = "changes spec.traffic of a RunService and nothing else"

// kept is all that config/config-connector has.
func kept(t *testing.T) []unstructured.Unstructured {
	t.Helper()
	objects, err := render("../../config/config-connector")
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// added is what config/config-connector has and config/default has not.
func added(t *testing.T) []unstructured.Unstructured {
	t.Helper()
	base := namesOf(installed)
	return slices.DeleteFunc(kept(t), func(o unstructured.Unstructured) bool {
		return slices.Contains(base, namesOf([]unstructured.Unstructured{o})[0])
	})
}

func TestWhatConfigConnectorAdds(t *testing.T) {
	more := added(t)
	same(t, namesOf(more), `ClusterRole /sluice-config-connector
ClusterRoleBinding /sluice-config-connector
ValidatingAdmissionPolicy /sluice-traffic
ValidatingAdmissionPolicyBinding /sluice-traffic`)
	if n := len(kept(t)); n != len(installed)+len(more) {
		t.Errorf("%d objects, of which %d are added to %d", n, len(more), len(installed))
	}
}

// connect installs what config/config-connector adds, until the test ends, and waits
// until rights and policy hold.
func connect(t *testing.T) {
	t.Helper()
	more := added(t)
	if err := apply(t.Context(), more); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := each(more, func(where dynamic.ResourceInterface, o *unstructured.Unstructured) error {
			return where.Delete(ctx, o.GetName(), metav1.DeleteOptions{})
		}); err != nil {
			t.Error(err)
		}
	})
	cart := runService(t)
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, reads := runServices(t, manager()).Get(ctx, cart.GetName(), metav1.GetOptions{})
		return reads == nil && strings.Contains(said(tries(ctx, t, manager(), cart, `{"metadata":{"labels":{"a":"b"}}}`)), onlyTraffic), nil
	})
	if err != nil {
		t.Fatal("rights and policy do not hold within a minute")
	}
}

func runServices(t *testing.T, config *rest.Config) dynamic.ResourceInterface {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client.Resource(schema.GroupVersionResource{Group: "run.cnrm.cloud.google.com", Version: "v1beta1", Resource: "runservices"}).Namespace("default")
}

// runService makes a RunService, as whoever applies it from Git.
func runService(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	made, err := runServices(t, plane.Config).Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "run.cnrm.cloud.google.com/v1beta1", "kind": "RunService",
		"metadata": map[string]any{"generateName": "cart-", "labels": map[string]any{"team": "shop"}, "annotations": map[string]any{"team": "shop"}},
		"spec": map[string]any{
			"location": "us-central1", "projectRef": map[string]any{"external": "acme-prod"}, "ingress": "INGRESS_TRAFFIC_ALL",
			"template": map[string]any{"containers": []any{map[string]any{"image": "example.com/cart:1"}}},
		},
	}}, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// tries merges a change into a RunService, or into its status, without effect.
func tries(ctx context.Context, t *testing.T, config *rest.Config, cart *unstructured.Unstructured, change string) error {
	t.Helper()
	var below []string
	if strings.HasPrefix(change, `{"status":`) {
		below = []string{"status"}
	}
	_, err := runServices(t, config).Patch(ctx, cart.GetName(), types.MergePatchType, []byte(change),
		metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}}, below...)
	return err
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

const split = `[{"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","revision":"cart-1","percent":100}]`

// others are changes of what is not the traffic.
var others = map[string]string{
	"the image":                     `{"spec":{"template":{"containers":[{"image":"example.com/evil:1"}]}}}`,
	"the account that it runs as":   `{"spec":{"template":{"serviceAccountRef":{"external":"owner@acme-prod.iam.gserviceaccount.com"}}}}`,
	"the image, beside the traffic": `{"spec":{"traffic":` + split + `,"template":{"containers":[{"image":"example.com/evil:1"}]}}}`,
	"a part that nobody knows yet":  `{"spec":{"template":{"unheardOf":{"image":"example.com/evil:1"}}}}`,
	"the containers, taken away":    `{"spec":{"template":{"containers":null}}}`,
	"a field of spec":               `{"spec":{"ingress":"INGRESS_TRAFFIC_INTERNAL_ONLY"}}`,
	"a field of spec, taken away":   `{"spec":{"ingress":null}}`,
	"a field of spec, added":        `{"spec":{"description":"ours"}}`,
	"the project":                   `{"spec":{"projectRef":{"external":"acme-test"}}}`,
	"a label":                       `{"metadata":{"labels":{"team":"other"}}}`,
	"a label, added":                `{"metadata":{"labels":{"more":"other"}}}`,
	"the labels, taken away":        `{"metadata":{"labels":null}}`,
	"an annotation":                 `{"metadata":{"annotations":{"cnrm.cloud.google.com/deletion-policy":"abandon"}}}`,
	"the annotations, taken away":   `{"metadata":{"annotations":null}}`,
	"a finalizer":                   `{"metadata":{"finalizers":["acme.example/wait"]}}`,
	"an owner":                      `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"a","uid":"b"}]}}`,
}

func TestTheManagerChangesTheTrafficOfARunServiceAndNothingElse(t *testing.T) {
	connect(t)
	cart := runService(t)
	for what, change := range others {
		if err := tries(t.Context(), t, manager(), cart, change); !apierrors.IsForbidden(err) || !strings.Contains(said(err), onlyTraffic) {
			t.Errorf("the manager changes %s: %v", what, err)
		}
	}
	mine := runServices(t, manager())
	applied := func(what string, spec map[string]any) {
		t.Helper()
		o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": cart.GetAPIVersion(), "kind": cart.GetKind(), "spec": spec}}
		if _, err := mine.Apply(t.Context(), cart.GetName(), o, metav1.ApplyOptions{FieldManager: "sluice/traffic"}); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	entry := func(revision string, percent int64) any {
		return map[string]any{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": revision, "percent": percent}
	}
	applied("the first split", map[string]any{"traffic": []any{entry("cart-1", 100)}})
	applied("a step", map[string]any{"traffic": []any{entry("cart-1", 90), entry("cart-2", 10)}})
	applied("giving it up", map[string]any{}) // what is not applied any more goes
	left, err := mine.Get(t.Context(), cart.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, has, _ := unstructured.NestedFieldNoCopy(left.Object, "spec", "traffic"); has {
		t.Error("spec.traffic is still there")
	}
}

// TestThePolicyHoldsWhateverRBACPermits: a role that somebody widens by mistake opens
// nothing, nor does a status, a new RunService or one that goes.
func TestThePolicyHoldsWhateverRBACPermits(t *testing.T) {
	connect(t)
	cart := runService(t)
	permit(t, "everything-for-the-manager", rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: home, Name: account})
	for what, change := range others {
		if err := tries(t.Context(), t, manager(), cart, change); !strings.Contains(said(err), onlyTraffic) {
			t.Errorf("the manager changes %s: %v", what, err)
		}
	}
	if err := tries(t.Context(), t, manager(), cart, `{"spec":{"traffic":`+split+`}}`); err != nil {
		t.Errorf("the traffic: %v", err)
	}
	mine, dry := runServices(t, manager()), []string{metav1.DryRunAll}
	another := cart.DeepCopy()
	another.SetName("another")
	another.SetResourceVersion("")
	_, created := mine.Create(t.Context(), another, metav1.CreateOptions{DryRun: dry})
	for what, err := range map[string]error{
		"its status":   tries(t.Context(), t, manager(), cart, `{"status":{"observedGeneration":7}}`),
		"making one":   created,
		"deleting one": mine.Delete(t.Context(), cart.GetName(), metav1.DeleteOptions{DryRun: dry}),
	} {
		if !strings.Contains(said(err), onlyTraffic) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// permit lets somebody do everything with RunServices until the test ends, and waits
// until that holds.
func permit(t *testing.T, name string, who rbacv1.Subject) {
	t.Helper()
	client := admin(t).RbacV1()
	_, err := client.Roles("default").Create(t.Context(), &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"run.cnrm.cloud.google.com"}, Resources: []string{"*"}, Verbs: []string{"*"}}},
	}, metav1.CreateOptions{})
	made(t, err)
	_, err = client.RoleBindings("default").Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name}, Subjects: []rbacv1.Subject{who},
	}, metav1.CreateOptions{})
	made(t, err)
	t.Cleanup(func() {
		if err := client.RoleBindings("default").Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	config := subject(who)
	err = wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := runServices(t, config).List(ctx, metav1.ListOptions{})
		return err == nil, nil
	})
	if err != nil {
		t.Fatalf("%s has its rights not within a minute", who.Name)
	}
}

// subject connects as somebody.
func subject(who rbacv1.Subject) *rest.Config {
	if who.Kind == rbacv1.UserKind {
		return as(who.Name)
	}
	config := as("system:serviceaccount:" + who.Namespace + ":" + who.Name)
	config.Impersonate.Groups = append(config.Impersonate.Groups, "system:serviceaccounts", "system:serviceaccounts:"+who.Namespace)
	return config
}

// TestThePolicyIsForTheManagerAlone: people, their tools and Config Connector write what
// RBAC lets them.
func TestThePolicyIsForTheManagerAlone(t *testing.T) {
	connect(t)
	for name, who := range map[string]rbacv1.Subject{
		"git":              {APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "git@acme.example"},
		"config-connector": {Kind: rbacv1.ServiceAccountKind, Namespace: "cnrm-system", Name: "cnrm-controller-manager"},
		"a-namesake":       {Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: account},
	} {
		permit(t, name, who)
		cart := runService(t)
		changes := maps.Clone(others)
		changes["the traffic"] = `{"spec":{"traffic":` + split + `}}`
		changes["what it resolved to"] = `{"spec":{"resourceID":"cart"}}`
		for what, change := range changes {
			if err := tries(t.Context(), t, subject(who), cart, change); err != nil {
				t.Errorf("%s may not change %s: %v", name, what, err)
			}
		}
		if err := tries(t.Context(), t, subject(who), cart, `{"status":{"observedGeneration":1}}`); err != nil {
			t.Errorf("%s may not write a status: %v", name, err)
		}
		if err := runServices(t, subject(who)).Delete(t.Context(), cart.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Errorf("%s may not delete one: %v", name, err)
		}
	}
}
