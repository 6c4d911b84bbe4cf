package api_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

const baking = `
status:
  observedGeneration: 1
  phase: Baking
  step: 2/4
  weight: 25%
  stable: {revision: graphql-api-00041-xyz, percent: 75}
  candidate: {revision: graphql-api-00042-abc, percent: 25}
  nextAction: At 08:14Z traffic is raised to 50%.
  conditions:
  - {type: Ready, status: "False", reason: Progressing, message: baking}
`

// TestColumns asks for what kubectl get and kubectl get -o wide print.
func TestColumns(t *testing.T) {
	created := create(t, sample(t, minimal))
	since := time.Now().Add(-2*time.Minute - 10*time.Second).UTC().Format(time.RFC3339)
	changed := with(t, created, baking)
	changed.Object["status"].(map[string]any)["conditions"].([]any)[0].(map[string]any)["lastTransitionTime"] = since
	if _, err := rollouts(t).UpdateStatus(t.Context(), changed, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}

	type column struct {
		name string
		wide bool
		cell any
	}
	want := []column{
		{"Name", false, created.GetName()},
		{"Service", false, "graphql-api"},
		{"Step", false, "2/4"},
		{"Weight", false, "25%"},
		{"Candidate", false, "graphql-api-00042-abc"},
		{"Status", false, "Progressing"},
		{"Since", false, "2m"},
		{"Age", false, nil},
		{"Region", true, "asia-northeast1"},
		{"Stable", true, "graphql-api-00041-xyz"},
		{"Next", true, "At 08:14Z traffic is raised to 50%."},
		{"Ready", true, "False"},
	}
	table := tableOf(t, created.GetName())
	var got []column
	for i, c := range table.ColumnDefinitions {
		cell := table.Rows[0].Cells[i]
		if c.Name == "Age" {
			cell = nil
		}
		if text, ok := cell.(string); ok && c.Name == "Since" {
			cell = text[:2]
		}
		got = append(got, column{c.Name, c.Priority > 0, cell})
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(column{})); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

// TestTheColumnOfTheServiceShowsARunServiceToo: it is the name that tells rollouts apart.
func TestTheColumnOfTheServiceShowsARunServiceToo(t *testing.T) {
	created := create(t, with(t, sample(t, minimal), runService+`name: storefront}}}`))
	table := tableOf(t, created.GetName())
	if name, cell := table.ColumnDefinitions[1].Name, table.Rows[0].Cells[1]; name != "Service" || cell != "storefront" {
		t.Errorf("column %s shows %v, want storefront", name, cell)
	}
}

// tableOf returns an object the way kubectl get asks for it.
func tableOf(t *testing.T, name string) metav1.Table {
	t.Helper()
	config := rest.CopyConfig(plane.Config)
	config.GroupVersion = &v1alpha1.GroupVersion
	config.APIPath = "/apis"
	config.NegotiatedSerializer = serializer.WithoutConversionCodecFactory{CodecFactory: scheme.Codecs}
	client, err := rest.RESTClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	text, err := client.Get().Namespace("default").Resource("cloudrunrollouts").Name(name).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var table metav1.Table
	if err := json.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	return table
}

func TestObjectsAreSelectedByTheirService(t *testing.T) {
	create(t, sample(t, minimal))
	other := create(t, with(t, sample(t, minimal), service+`project: acme-test, location: europe-west1, name: other}}}`))
	for _, selector := range []string{
		"spec.target.service.project=acme-test",
		"spec.target.service.location=europe-west1",
		"spec.target.service.name=other",
	} {
		list, err := rollouts(t).List(t.Context(), metav1.ListOptions{FieldSelector: selector})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Items) != 1 || list.Items[0].GetName() != other.GetName() {
			t.Errorf("%s selects %d objects, want only %s", selector, len(list.Items), other.GetName())
		}
	}
}
