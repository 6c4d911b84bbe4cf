package api_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

const plan = `
analysis:
  onNoData: {action: Pause, after: 30m}
  window: 5m
nat: {discovery: Auto, reservePercent: 20}
strategy:
  onDelete: Freeze
  pacing: Headroom
  stepDeadline: 1h
  steps: [{weight: 5, bake: 10m}, {weight: 25, bake: 10m}, {weight: 50, bake: 10m}, {weight: 100, bake: 20m}]
target:
  service: {project: acme-prod, location: asia-northeast1, name: graphql-api}
`

func TestTargetAloneComesBackWithThePlan(t *testing.T) {
	got := create(t, sample(t, minimal))
	if diff := cmp.Diff(parse(t, plan).Object, got.Object["spec"]); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"observedGeneration": int64(-1)}, got.Object["status"]); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

// TestGoClientsGetTheSamePlan: a zero Go struct must not hide a default.
func TestGoClientsGetTheSamePlan(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(plane.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	ro := &v1alpha1.CloudRunRollout{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", GenerateName: "typed-"},
		Spec: v1alpha1.CloudRunRolloutSpec{Target: v1alpha1.Target{
			Service: &v1alpha1.ServiceReference{Project: "acme-prod", Location: "asia-northeast1", Name: "graphql-api"},
		}},
	}
	if err := c.Create(t.Context(), ro, client.DryRunAll); err != nil {
		t.Fatal(err)
	}
	spec, err := runtime.DefaultUnstructuredConverter.ToUnstructured(ro)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(parse(t, plan).Object, spec["spec"]); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

func TestAThresholdGetsItsOwnDefaults(t *testing.T) {
	got, err := try(t, with(t, sample(t, minimal), checks+`[
		{name: errors, serverErrors: {maxPercent: "0.5"}},
		{name: nat-drops, natDroppedPackets: {maxPerMinute: 7}},
		{name: nat-allocation}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	// What depends on the kind of check is for the controller to fill in.
	want := parse(t, `checks: [
		{name: errors, mode: Enforce, serverErrors: {maxPercent: "0.5", minRequests: 100}},
		{name: nat-drops, mode: Enforce, natDroppedPackets: {maxPerMinute: 7, minMinutes: 2}},
		{name: nat-allocation, mode: Enforce}]`).Object["checks"]
	list, _, err := unstructured.NestedSlice(got.Object, "spec", "analysis", "checks")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, any(list)); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
}

// TestSamplesApply sends the samples, and the access that they need, the way kubectl apply
// --server-side does.
func TestSamplesApply(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(samples, "*"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"config-connector.yaml", "named-gateway.yaml", "several-regions.yaml", "target-only.yaml"}
	names := map[string]bool{}
	for i, file := range files {
		if base := filepath.Base(file); len(files) != len(want) || base != want[i] {
			t.Errorf("there are %v, want %v", files, want)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for manifest := range strings.SplitSeq(string(text), "\n---\n") {
			obj := parse(t, manifest)
			if names[obj.GetName()] {
				t.Errorf("%s: %s is applied over that of another sample", file, obj.GetName())
			}
			names[obj.GetName()] = true
			if err := applied(t, obj); err != nil {
				t.Errorf("%s: %s: %v", file, obj.GetName(), err)
			}
		}
	}
	if err := binds(t, sample(t, "../../config/access/shop.yaml")); err != nil {
		t.Errorf("the access: %v", err)
	}
	if err := applied(t, sample(t, full)); err != nil {
		t.Errorf("every field: %v", err)
	}
}

// applied sends an object the way kubectl apply --server-side does, and asks lint too.
func applied(t *testing.T, obj *unstructured.Unstructured) error {
	t.Helper()
	text, err := json.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	_, err = rollouts(t).Patch(t.Context(), obj.GetName(), types.ApplyYAMLPatchType, text, metav1.PatchOptions{
		FieldManager: "test", FieldValidation: metav1.FieldValidationStrict, DryRun: []string{metav1.DryRunAll},
	})
	agree(t, obj, err)
	return err
}

// TestFullSampleShowsEveryField keeps the sample complete.
func TestFullSampleShowsEveryField(t *testing.T) {
	shown := map[string]bool{}
	mark(sample(t, full).Object["spec"], "spec", shown)
	mark(sample(t, samples+"/config-connector.yaml").Object["spec"], "spec", shown) // its target excludes the other
	for path, n := range schema(t).Properties["spec"].walk("spec") {
		if n.Type != "object" && n.Type != "array" && !shown[path] {
			t.Errorf("%s is not in the full sample", path)
		}
	}
}

func mark(at any, path string, shown map[string]bool) {
	shown[path] = true
	switch at := at.(type) {
	case map[string]any:
		for name, value := range at {
			mark(value, path+"."+name, shown)
		}
	case []any:
		for _, value := range at {
			mark(value, path, shown)
		}
	}
}

// TestNothingIsLostInGo: what the server returns is what the Go types say.
func TestNothingIsLostInGo(t *testing.T) {
	created := create(t, sample(t, full))
	created.Object["status"] = largestStatus(t)
	var typed v1alpha1.CloudRunRollout
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(created.Object, &typed, true); err != nil {
		t.Fatal(err)
	}
	again, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&typed)
	if err != nil {
		t.Fatal(err)
	}
	delete(created.Object["spec"].(map[string]any), "paused") // false is not written
	if diff := cmp.Diff(created.Object["spec"], again["spec"]); diff != "" {
		t.Errorf("spec (-server +Go):\n%s", diff)
	}
	if diff := cmp.Diff(created.Object["status"], again["status"]); diff != "" {
		t.Errorf("status (-server +Go):\n%s", diff)
	}
}

// TestAcceptedDurationsCanBeParsed is what the comment on Duration promises.
func TestAcceptedDurationsCanBeParsed(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"10m": 10 * time.Minute, "60s": time.Minute, "1h30m": 90 * time.Minute,
		"1h0m0s": time.Hour, "05m": 5 * time.Minute, "10m10m": 20 * time.Minute,
	} {
		if _, err := try(t, with(t, sample(t, minimal), steps+`[{weight: 100, bake: `+text+`}]}}`)); err != nil {
			t.Errorf("%s is refused: %v", text, err)
		}
		if got, err := time.ParseDuration(text); err != nil || got != want {
			t.Errorf("%s = %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestChecksOfTwoManagersAreMergedByName(t *testing.T) {
	created := create(t, sample(t, minimal))
	apply := func(manager, list string) *unstructured.Unstructured {
		t.Helper()
		patch := parse(t, checks+list+`}}`)
		patch.SetAPIVersion(v1alpha1.GroupVersion.String())
		patch.SetKind("CloudRunRollout")
		patch.SetName(created.GetName())
		got, err := rollouts(t).Apply(t.Context(), created.GetName(), patch, metav1.ApplyOptions{FieldManager: manager})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	apply("team", `[{name: errors, onBreach: Hold}]`)
	got := apply("platform", `[{name: nat-drops, mode: Shadow}]`)
	list, _, _ := unstructured.NestedSlice(got.Object, "spec", "analysis", "checks")
	if len(list) != 2 {
		t.Errorf("checks = %v, want both managers' entries", list)
	}
}
