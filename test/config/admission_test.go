package config

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/source"
	"github.com/sluice-rollouts/sluice/internal/request"
)

// as connects as a person.
func as(name string) *rest.Config {
	config := rest.CopyConfig(plane.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: name, Groups: []string{"system:authenticated"}}
	config.QPS = -1
	return config
}

// people are who does what in the tests: each with a ClusterRole of config/default,
// or with rights of their own.
var people = map[string][]string{
	"oncall@acme.example":     nil,
	"argocd@acme.example":     nil,
	"approver@acme.example":   {"get", "patch", "approve"},
	"editor@acme.example":     {"get", "patch", "update"},
	"superuser@acme.example":  {"*"},
	"undecided@acme.example":  {"get", "patch", "configure"},
	"nobodys-role@acme.local": {"get"},
}

var roleOf = map[string]string{"oncall@acme.example": "sluice-oncall", "argocd@acme.example": "sluice-configure"}

// employ gives the people their rights, and waits until the policies speak.
func employ(t *testing.T) {
	t.Helper()
	client := admin(t).RbacV1()
	for name, verbs := range people {
		role := strings.ReplaceAll(name, "@", "-")
		ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: roleOf[name]}
		if ref.Name == "" {
			ref.Kind, ref.Name = "Role", role
			_, err := client.Roles("default").Create(t.Context(), &rbacv1.Role{
				ObjectMeta: metav1.ObjectMeta{Name: role},
				Rules:      []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"cloudrunrollouts", "cloudrunrollouts/status"}, Verbs: verbs}},
			}, metav1.CreateOptions{})
			made(t, err)
		}
		_, err := client.RoleBindings("default").Create(t.Context(), &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role}, RoleRef: ref, Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: name}},
		}, metav1.CreateOptions{})
		made(t, err)
	}
	ro := sample(t)
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, refused := asks(ctx, t, "editor@acme.example", ro, request.Ask{Verb: v1alpha1.VerbAbort, By: "editor@acme.example"})
		_, granted := asks(ctx, t, "oncall@acme.example", ro, request.Ask{Verb: v1alpha1.VerbAbort, By: "oncall@acme.example"})
		return refused != nil && granted == nil, nil
	})
	if err != nil {
		t.Fatal("the policies and roles do not speak within a minute")
	}
}

func made(t *testing.T, err error) {
	t.Helper()
	if err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
}

// asks writes a request as somebody, without effect.
func asks(ctx context.Context, t *testing.T, who string, ro *unstructured.Unstructured, ask request.Ask) (*unstructured.Unstructured, error) {
	t.Helper()
	return patch(ctx, t, who, ro, map[string]any{"metadata": map[string]any{"annotations": ask.Annotations(&v1alpha1.CloudRunRollout{})}})
}

func patch(ctx context.Context, t *testing.T, who string, ro *unstructured.Unstructured, change map[string]any) (*unstructured.Unstructured, error) {
	t.Helper()
	text, err := json.Marshal(change)
	if err != nil {
		t.Fatal(err)
	}
	return rolloutsOf(t, as(who)).Patch(ctx, ro.GetName(), types.MergePatchType, text, metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
}

// TestWhoMayAskWhat asks for every verb as everybody.
func TestWhoMayAskWhat(t *testing.T) {
	employ(t)
	ro := sample(t)
	may := map[string][]string{
		"oncall@acme.example":     {"approve", "promote", "pause", "resume", "abort", "retry", "undo"},
		"argocd@acme.example":     {"adopt"},
		"approver@acme.example":   {"approve"},
		"superuser@acme.example":  v1alpha1.Verbs,
		"editor@acme.example":     nil,
		"undecided@acme.example":  nil,
		"nobodys-role@acme.local": nil,
	}
	for who := range people {
		for _, verb := range v1alpha1.Verbs {
			_, err := asks(t.Context(), t, who, ro, request.Ask{Verb: verb, By: who})
			switch allowed := slices.Contains(may[who], verb); {
			case allowed && err != nil:
				t.Errorf("%s may not %s: %v", who, verb, err)
			case !allowed && !apierrors.IsForbidden(err):
				t.Errorf("%s may %s (%v)", who, verb, err)
			case !allowed && who != "nobodys-role@acme.local" && !strings.Contains(err.Error(), "ask the platform team for the verb "+verb):
				t.Errorf("%s is told about %s: %v", who, verb, err)
			}
		}
	}
}

// TestARequestIsAskedInOnesOwnName whatever one may do otherwise.
func TestARequestIsAskedInOnesOwnName(t *testing.T) {
	employ(t)
	ro := sample(t)
	for _, who := range []string{"oncall@acme.example", "superuser@acme.example"} {
		for _, by := range []string{"", "somebody@acme.example", "OnCall@acme.example"} {
			if _, err := asks(t.Context(), t, who, ro, request.Ask{Verb: v1alpha1.VerbAbort, By: by}); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "sluice.dev/by: "+who) {
				t.Errorf("%s asks as %q (%v)", who, by, err)
			}
		}
	}
	if _, err := asks(t.Context(), t, "oncall@acme.example", ro, request.Ask{Verb: "Abort", By: "oncall@acme.example"}); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "approve, promote, pause") {
		t.Errorf("a verb that there is not: %v", err)
	}
}

// TestWhoMayChangeTheRest: without configure nothing but the annotations of a request.
func TestWhoMayChangeTheRest(t *testing.T) {
	employ(t)
	ro := sample(t)
	metadata := func(field string, value any) map[string]any {
		return map[string]any{"metadata": map[string]any{field: value}}
	}
	changes := map[string]map[string]any{
		"the spec":               {"spec": map[string]any{"paused": true}},
		"a label":                metadata("labels", map[string]any{"team": "shop"}),
		"another annotation":     metadata("annotations", map[string]any{"team": "shop"}),
		"one that looks alike":   metadata("annotations", map[string]any{"request.rollouts.sluice.dev.example/verb": "abort"}),
		"the finalizers":         metadata("finalizers", []any{"acme.example/wait"}),
		"an owner of the object": metadata("ownerReferences", []any{map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "b"}}),
	}
	for what, change := range changes {
		for who, verbs := range people {
			configures := roleOf[who] == "sluice-configure" || slices.Contains(verbs, "configure") || slices.Contains(verbs, "*")
			_, err := patch(t.Context(), t, who, ro, change)
			switch {
			case configures && err != nil:
				t.Errorf("%s may not change %s: %v", who, what, err)
			case !configures && !apierrors.IsForbidden(err):
				t.Errorf("%s may change %s (%v)", who, what, err)
			case !configures && who != "nobodys-role@acme.local" && !strings.Contains(err.Error(), "ask the platform team for the verb configure"):
				t.Errorf("%s is told about %s: %v", who, what, err)
			}
		}
	}
	smuggled := request.Ask{Verb: v1alpha1.VerbAbort, By: "oncall@acme.example"}.Annotations(&v1alpha1.CloudRunRollout{})
	both := map[string]any{"spec": map[string]any{"paused": true}, "metadata": map[string]any{"annotations": smuggled}}
	if _, err := patch(t.Context(), t, "oncall@acme.example", ro, both); !apierrors.IsForbidden(err) {
		t.Errorf("the spec is changed under cover of a request (%v)", err)
	}
}

// TestTheManagerTendsItsFinalizer, and nobody else writes what it knows.
func TestTheManagerTendsItsFinalizer(t *testing.T) {
	employ(t)
	ro, mine := sample(t), rolloutsOf(t, manager())
	for _, finalizers := range []string{`["rollouts.sluice.dev/release"]`, `null`} {
		text := []byte(`{"metadata":{"finalizers":` + finalizers + `}}`)
		if _, err := mine.Patch(t.Context(), ro.GetName(), types.MergePatchType, text, metav1.PatchOptions{}); err != nil {
			t.Errorf("finalizers %s: %v", finalizers, err)
		}
	}
	text := []byte(`{"spec":{"paused":true}}`)
	if _, err := mine.Patch(t.Context(), ro.GetName(), types.MergePatchType, text, metav1.PatchOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("the manager changes a spec (%v)", err)
	}
	said := []byte(`{"status":{"phase":"Completed"}}`)
	for _, config := range []*rest.Config{as("superuser@acme.example"), plane.Config} {
		_, err := rolloutsOf(t, config).Patch(t.Context(), ro.GetName(), types.MergePatchType, said, metav1.PatchOptions{}, "status")
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "only Sluice's manager writes the status") {
			t.Errorf("somebody else writes the status (%v)", err)
		}
	}
}

// TestTheGarbageCollectorTendsOwners, as it does for every object.
func TestTheGarbageCollectorTendsOwners(t *testing.T) {
	employ(t)
	collector := rest.CopyConfig(plane.Config)
	collector.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:kube-system:generic-garbage-collector", Groups: []string{"system:serviceaccounts", "system:serviceaccounts:kube-system"},
	}
	ro := sample(t)
	for change, allowed := range map[string]bool{
		`{"metadata":{"finalizers":["foregroundDeletion"]}}`: true, `{"metadata":{"labels":{"team":"shop"}}}`: false,
	} {
		_, err := rolloutsOf(t, collector).Patch(t.Context(), ro.GetName(), types.MergePatchType, []byte(change), metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
		if (err == nil) != allowed {
			t.Errorf("%s: %v", change, err)
		}
	}
}

// TestSelfHealDoesNotUndoARequest: Argo CD applies the manifest again, which has no
// request, with the field manager of its own and by force.
func TestSelfHealDoesNotUndoARequest(t *testing.T) {
	employ(t)
	git := map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "CloudRunRollout",
		"metadata": map[string]any{"name": "healed", "namespace": "default", "annotations": map[string]any{"team": "shop"}},
		"spec": map[string]any{"target": map[string]any{"service": map[string]any{
			"project": "acme-prod", "location": "us-central1", "name": "healed",
		}}},
	}
	heal := func() *unstructured.Unstructured {
		t.Helper()
		got, err := rolloutsOf(t, as("argocd@acme.example")).Apply(t.Context(), "healed", &unstructured.Unstructured{Object: git},
			metav1.ApplyOptions{FieldManager: "argocd-controller", Force: true})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	heal()
	want := request.Ask{Verb: v1alpha1.VerbPause, By: "oncall@acme.example", Reason: "holding for the vendor"}.Annotations(&v1alpha1.CloudRunRollout{})
	asked := &unstructured.Unstructured{Object: map[string]any{"apiVersion": git["apiVersion"], "kind": git["kind"]}}
	asked.SetName("healed")
	asked.SetAnnotations(want)
	if _, err := rolloutsOf(t, as("oncall@acme.example")).Apply(t.Context(), "healed", asked, metav1.ApplyOptions{FieldManager: source.FieldManager}); err != nil {
		t.Fatal(err)
	}
	got := heal().GetAnnotations()
	for key, value := range want {
		if got[key] != value {
			t.Errorf("self-heal makes %s %q of %q", key, got[key], value)
		}
	}
	if got["team"] != "shop" {
		t.Errorf("the annotations are %v", got)
	}
}

// TestARequestIsTakenBackByWhoAsked, or by whoever configures.
func TestARequestIsTakenBackByWhoAsked(t *testing.T) {
	employ(t)
	ro := sample(t)
	text, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": request.Ask{
		Verb: v1alpha1.VerbPause, By: "oncall@acme.example",
	}.Annotations(&v1alpha1.CloudRunRollout{})}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rolloutsOf(t, as("oncall@acme.example")).Patch(t.Context(), ro.GetName(), types.MergePatchType, text, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	without := map[string]any{"metadata": map[string]any{"annotations": nil}}
	for who, allowed := range map[string]bool{
		"oncall@acme.example": true, "argocd@acme.example": true, "approver@acme.example": false, "editor@acme.example": false,
	} {
		if _, err := patch(t.Context(), t, who, ro, without); (err == nil) != allowed {
			t.Errorf("%s takes the request back: %v", who, err)
		}
	}
}
