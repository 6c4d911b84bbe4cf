package cli_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/source"
)

// TestARequestIsWrittenOnTheVersionThatWasSeen: never on a newer one, which may
// stand elsewhere.
func TestARequestIsWrittenOnTheVersionThatWasSeen(t *testing.T) {
	t.Parallel()
	w, err := newWorld(t.Context(), "versions")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.put(t.Context(), "held.yaml"); err != nil {
		t.Fatal(err)
	}
	untyped, err := dynamic.NewForConfig(plane.Config)
	if err != nil {
		t.Fatal(err)
	}
	cluster := source.NewCluster(untyped, env().Clock)
	get := func() *v1alpha1.CloudRunRollout {
		ro, err := cluster.Get(t.Context(), source.Name{Namespace: w.namespace, Name: "graphql-api"})
		if err != nil {
			t.Fatal(err)
		}
		return ro
	}
	seen := get()
	if err := w.say(t.Context(), "graphql-api", "baking.yaml", nil); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Annotate(t.Context(), seen, map[string]string{"a/b": "1"}); !errors.Is(err, source.ErrChanged) {
		t.Errorf("on the version before it says %v", err)
	}
	if err := cluster.Annotate(t.Context(), get(), map[string]string{"a/b": "1", "c": "2", "e": ""}); err != nil {
		t.Error(err)
	}
	if err := cluster.Annotate(t.Context(), get(), map[string]string{"a/b": "", "c": "3", "e": ""}, metav1.DryRunAll); err != nil {
		t.Error(err)
	}
	if err := cluster.Annotate(t.Context(), get(), map[string]string{"a/b": "", "c": "3", "e": ""}); err != nil {
		t.Error(err)
	}
	ro := &v1alpha1.CloudRunRollout{}
	if err := w.Get(t.Context(), client.ObjectKey{Namespace: w.namespace, Name: "graphql-api"}, ro); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"c": "3"}, ro.Annotations); diff != "" {
		t.Errorf("the annotations (-want +got):\n%s", diff)
	}
}
