package cli_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli"
)

const (
	oncall = "oncall@acme.example" // has the ClusterRole sluice-oncall
	pauser = "pauser@acme.example" // may only pause
	viewer = "viewer@acme.example" // has the ClusterRole sluice-view
)

// TestVerbsAreAskedWithinOnesRights by people who administer nothing, under the policy and
// the roles that Sluice comes with: what somebody may ask for is done, and of everything
// else they are told whom to ask.
func TestVerbsAreAskedWithinOnesRights(t *testing.T) {
	t.Parallel()
	w, err := newWorld(t.Context(), "rights")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.put(t.Context(), "held.yaml"), w.install(t.Context(), "requests.yaml"), w.install(t.Context(), "roles.yaml"), w.employ(t.Context())); err != nil {
		t.Fatal(err)
	}
	w.obeyed(t)

	for _, c := range []struct{ who, verb, told string }{
		{pauser, v1alpha1.VerbAbort, pauser + " may not abort: ask the platform team for the verb abort on cloudrunrollouts.rollouts.sluice.dev in namespace rights, which the ClusterRole sluice-oncall has"},
		{oncall, v1alpha1.VerbAdopt, oncall + " may not adopt: ask the platform team for the verb adopt on cloudrunrollouts.rollouts.sluice.dev in namespace rights, which the ClusterRole sluice-configure has"},
		{viewer, v1alpha1.VerbPause, "ask the platform team for the ClusterRole sluice-oncall in namespace rights"},
	} {
		w.run(t, "", c.verb, "graphql-api", "--reason", "it fails", "--as", c.who).exits(t, cli.ExitFailed, c.told)
	}
	if asked := w.annotations(t)[v1alpha1.RequestVerb]; asked != "" {
		t.Errorf("what was refused is asked for: %s", asked)
	}

	for _, who := range []string{oncall, pauser} {
		asks := w.run(t, "", "pause", "graphql-api", "--reason", "it fails", "--as", who)
		request, err := w.asked(t.Context(), "graphql-api", v1alpha1.VerbPause)
		for err == nil && request[v1alpha1.RequestBy] != who { // that of the one before
			request, err = w.asked(t.Context(), "graphql-api", v1alpha1.VerbPause)
		}
		if err == nil {
			err = w.answer(t.Context(), "graphql-api", request[v1alpha1.RequestID], v1alpha1.RequestAccepted, "nothing rises")
		}
		if err != nil {
			t.Fatal(err)
		}
		asks.exits(t, cli.ExitDone, "pause, asked for by "+who, "Accepted: nothing rises")
	}

	_, err = w.as(t, oncall).Patch(t.Context(), "graphql-api", types.MergePatchType, []byte(`{"spec":{"paused":true}}`), metav1.PatchOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), oncall+" may change nothing but the annotations request.rollouts.sluice.dev/*: change the rest in Git, or ask the platform team for the verb configure") {
		t.Errorf("a change of the spec: %v", err)
	}
}

// install applies a file of config/admission.
func (w *world) install(ctx context.Context, file string) error {
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "admission", file))
	if err != nil {
		return err
	}
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var o unstructured.Unstructured
		if err := documents.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := w.Create(ctx, &o); err != nil {
			return err
		}
	}
}

// employ gives the people their rights in the namespace.
func (w *world) employ(ctx context.Context) error {
	here := metav1.ObjectMeta{Namespace: w.namespace}
	role := &rbacv1.Role{ObjectMeta: here, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"cloudrunrollouts"}, Verbs: []string{"get", "list", "watch", "patch", "pause"},
	}}}
	role.Name = "pauses"
	err := w.Create(ctx, role)
	for who, ref := range map[string]rbacv1.RoleRef{
		oncall: {Kind: "ClusterRole", Name: "sluice-oncall"}, viewer: {Kind: "ClusterRole", Name: "sluice-view"}, pauser: {Kind: "Role", Name: "pauses"},
	} {
		ref.APIGroup = rbacv1.GroupName
		binding := &rbacv1.RoleBinding{ObjectMeta: here, RoleRef: ref, Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: who}}}
		binding.Name, _, _ = strings.Cut(who, "@")
		err = errors.Join(err, w.Create(ctx, binding))
	}
	return err
}

// obeyed waits until the API server goes by the policy and the roles.
func (w *world) obeyed(t *testing.T) {
	t.Helper()
	asks := func(who, verb string) int {
		return <-w.run(t, "", verb, "graphql-api", "--reason", "a trial", "--dry-run=server", "--as", who).exited
	}
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		return asks(oncall, v1alpha1.VerbPause) == cli.ExitDone && asks(pauser, v1alpha1.VerbPause) == cli.ExitDone && asks(pauser, v1alpha1.VerbAbort) == cli.ExitFailed, nil
	})
	if err != nil {
		t.Fatal("the policy and the roles do not speak within a minute")
	}
}

// as is the way of somebody to the rollouts of the namespace.
func (w *world) as(t *testing.T, who string) dynamic.ResourceInterface {
	t.Helper()
	config := rest.CopyConfig(plane.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: who}
	untyped, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return untyped.Resource(v1alpha1.GroupVersion.WithResource("cloudrunrollouts")).Namespace(w.namespace)
}

// annotations are those of the rollout.
func (w *world) annotations(t *testing.T) map[string]string {
	t.Helper()
	ro := &v1alpha1.CloudRunRollout{}
	if err := w.Get(t.Context(), client.ObjectKey{Namespace: w.namespace, Name: "graphql-api"}, ro); err != nil {
		t.Fatal(err)
	}
	return ro.Annotations
}
