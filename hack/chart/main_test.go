package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/yaml"
)

const (
	charts = "../../charts/sluice"
	source = "../../config"
)

// keep is what the chart adds to the definition of the resource, and nothing else.
const keep = "helm.sh/resource-policy"

// helmed is what helm install sends into a namespace, with values of its user.
func helmed(t *testing.T, chart, namespace string, values map[string]any) (map[string]map[string]any, error) {
	t.Helper()
	c, err := loader.Load(chart)
	if err != nil {
		t.Fatal(err)
	}
	with, err := chartutil.ToRenderValues(c, values, chartutil.ReleaseOptions{Name: "sluice", Namespace: namespace, IsInstall: true}, nil)
	if err != nil {
		return nil, err
	}
	texts, err := engine.Render(c, with)
	if err != nil {
		return nil, err
	}
	return decoded(t, slices.Collect(maps.Values(texts))), nil
}

// kustomized is what kubectl apply -k sends for folders of config, one after the other,
// each with the components that are named behind it, but for the namespace.
func kustomized(t *testing.T, folders ...string) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for _, folder := range folders {
		var below []string
		for _, name := range strings.Split(folder, "+") {
			below = append(below, filepath.Join(source, name))
		}
		objects, err := render(below[0], below[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, o := range objects {
			texts = append(texts, o.text)
		}
		maps.Copy(all, decoded(t, texts))
	}
	return all
}

// decoded reads objects, by kind and name.
func decoded(t *testing.T, texts []string) map[string]map[string]any {
	t.Helper()
	objects := map[string]map[string]any{}
	texts = slices.DeleteFunc(texts, empty)
	for _, text := range texts {
		var o map[string]any
		if err := yaml.UnmarshalStrict([]byte(text), &o); err != nil {
			t.Fatalf("%v in:\n%s", err, text)
		}
		objects[fmt.Sprint(o["kind"], " ", at(o, "metadata", "name"))] = o
	}
	if len(objects) != len(texts) {
		t.Fatalf("%d objects of %d texts", len(objects), len(texts))
	}
	return objects
}

// empty tells whether nothing is left of a template but comments.
func empty(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}

// at is what is below some keys.
func at(o any, path ...any) any {
	for _, key := range path {
		switch key := key.(type) {
		case string:
			o = o.(map[string]any)[key]
		case int:
			o = o.([]any)[key]
		}
	}
	return o
}

func TestTheChartIsWhatKustomizeRenders(t *testing.T) {
	t.Parallel()
	on, news := map[string]any{"enabled": true}, map[string]any{"secret": "sluice-notifications"}
	certified := map[string]any{"enabled": true, "certificateSecret": "sluice-dashboard"}
	for what, c := range map[string]struct {
		values  map[string]any
		folders []string
		least   int
	}{
		"as it is":              {nil, []string{"default"}, 15},
		"with Config Connector": {map[string]any{"configConnector": on}, []string{"config-connector"}, 19},
		"with the page":         {map[string]any{"dashboard": on}, []string{"dashboard"}, 16},
		"with NetworkPolicy":    {map[string]any{"networkPolicy": on}, []string{"default", "network-policy"}, 16},
		"with notifications":    {map[string]any{"notifications": news}, []string{"default+notifications"}, 15},
		"with a certificate":    {map[string]any{"dashboard": certified}, []string{"dashboard+dashboard/certificate"}, 16},
		"with all": {
			map[string]any{"configConnector": on, "dashboard": certified, "networkPolicy": on, "notifications": news},
			[]string{"config-connector+dashboard/page+dashboard/certificate+notifications", "network-policy"},
			21,
		},
		"with Config Connector and the page": {map[string]any{"configConnector": on, "dashboard": on}, []string{"config-connector+dashboard/page"}, 20},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			got, err := helmed(t, charts, home, c.values)
			if err != nil {
				t.Fatal(err)
			}
			alike(t, got, kustomized(t, c.folders...), c.least)
		})
	}
}

// alike holds what Helm sends against what kustomize renders, of which there are a few
// objects at least.
func alike(t *testing.T, got, want map[string]map[string]any, least int) {
	t.Helper()
	if len(want) < least {
		t.Fatalf("only %d objects to compare with", len(want))
	}
	for name, o := range got {
		if strings.HasPrefix(name, "CustomResourceDefinition ") {
			annotations := at(o, "metadata", "annotations").(map[string]any)
			if annotations[keep] != "keep" {
				t.Errorf("uninstalling the chart deletes %s, and all rollouts with it", name)
			}
			delete(annotations, keep)
		}
		inNoOrder(o)
		inNoOrder(want[name])
		if !reflect.DeepEqual(o, want[name]) {
			t.Errorf("%s is\n%v\n\nand kustomize renders\n%v\n\nRun make manifests.", name, o, want[name])
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("the chart has no %s: run make manifests", name)
	}
}

// inNoOrder puts volumes and where they are mounted in one order, which means nothing:
// kustomize has those of the last component first.
func inNoOrder(o map[string]any) {
	if o["kind"] != "Deployment" {
		return
	}
	pod := at(o, "spec", "template", "spec")
	for _, list := range []any{at(pod, "volumes"), at(pod, "containers", 0, "volumeMounts")} {
		if list, some := list.([]any); some {
			slices.SortFunc(list, func(a, b any) int { return strings.Compare(at(a, "name").(string), at(b, "name").(string)) })
		}
	}
}

func TestEveryValueReachesWhatItIsFor(t *testing.T) {
	t.Parallel()
	got, err := helmed(t, charts, "rollouts", map[string]any{
		"image": "registry.example/sluice@sha256:abc", "replicas": 3,
		"resources":       map[string]any{"limits": map[string]any{"memory": "1Gi"}},
		"serviceAccount":  map[string]any{"annotations": map[string]any{"iam.gke.io/gcp-service-account": "sluice@acme.iam.gserviceaccount.com"}},
		"extraArgs":       []any{"--cloud-run-reads-per-minute=600"},
		"configConnector": map[string]any{"enabled": true}, "networkPolicy": map[string]any{"enabled": true},
		"dashboard":     map[string]any{"enabled": true, "certificateSecret": "page-tls"},
		"notifications": map[string]any{"secret": "acme-news"},
	})
	if err != nil {
		t.Fatal(err)
	}
	deployment := got["Deployment sluice-manager"]
	container := at(deployment, "spec", "template", "spec", "containers", 0)
	for what, c := range map[string]struct{ got, want any }{
		"namespace":                            {at(deployment, "metadata", "namespace"), "rollouts"},
		"image":                                {at(container, "image"), "registry.example/sluice@sha256:abc"},
		"replicas":                             {at(deployment, "spec", "replicas"), 3.0},
		"resources":                            {at(container, "resources", "limits", "memory"), "1Gi"},
		"the last flag":                        {at(container, "args", 5), "--cloud-run-reads-per-minute=600"},
		"the Secret of the page's certificate": {at(deployment, "spec", "template", "spec", "volumes", 0, "secret", "secretName"), "page-tls"},
		"the Secret of the notifications":      {at(deployment, "spec", "template", "spec", "volumes", 1, "secret", "secretName"), "acme-news"},
		"the account's annotation": {
			at(got["ServiceAccount sluice-manager"], "metadata", "annotations", "iam.gke.io/gcp-service-account"), "sluice@acme.iam.gserviceaccount.com",
		},
		"who writes a status": {
			at(got["ValidatingAdmissionPolicy sluice-status"], "spec", "validations", 0, "expression"),
			"request.userInfo.username == 'system:serviceaccount:rollouts:sluice-manager'",
		},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s is %v, want %v", what, c.got, c.want)
		}
	}
	for name, o := range got {
		if text, err := yaml.Marshal(o); err != nil || strings.Contains(string(text), home) {
			t.Errorf("%s names the namespace %s (%v)", name, home, err)
		}
	}
}

func TestAValueThatNobodyReadsIsRefused(t *testing.T) {
	t.Parallel()
	for _, values := range []map[string]any{
		{"image": map[string]any{"tag": "v1"}},
		{"replicaCount": 3},
		{"serviceAccount": map[string]any{"name": "other"}},
		{"extraArgs": []any{"metrics-bind-address=0"}},
		{"replicas": 0},
		{"dashboard": true},
		{"dashboard": map[string]any{"certificateSecret": "page-tls"}}, // for a page that is not in the cluster
		{"notifications": map[string]any{"secret": "two words"}},
		{"notifications": map[string]any{"file": "notifications.yaml"}},
		{"networkPolicy": map[string]any{"enabled": "yes"}},
	} {
		if _, err := helmed(t, charts, home, values); err == nil {
			t.Errorf("%v is taken", values)
		}
	}
}

func TestATextThatIsNotWhereItIsExpectedIsSaid(t *testing.T) {
	t.Parallel()
	for what, o := range map[string]object{
		"occurs 0 times":     {"CustomResourceDefinition", "rollouts", "metadata:\n  name: rollouts\n"},
		"occurs 2 times":     {"ServiceAccount", "manager", "metadata:\n  name: a\n---\nmetadata:\n  name: b\n"},
		"it names " + home:   {"ConfigMap", "other", "data:\n  where: " + home + "\n"},
		"want one container": {"Deployment", "manager", "spec:\n  replicas: 1\n"},
	} {
		if _, err := (chart{}).template(o); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("want %q, got %v", what, err)
		}
	}
	if text, err := (chart{}).template(object{"ConfigMap", "other", "data:\n  text: '{{ .Release }}'\n"}); err != nil || !strings.Contains(text, `{{ "{{" }} .Release }}`) {
		t.Errorf("what Helm would read is not quoted: %s (%v)", text, err)
	}
}

// TestAPackedChartHasTheVersionAndTheImageOfItsRelease, and is otherwise the same.
func TestAPackedChartHasTheVersionAndTheImageOfItsRelease(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := packed(charts, dir, "1.2.3", "registry.example/sluice@sha256:abc"); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(dir, "sluice-1.2.3.tgz")
	c, err := loader.Load(archive)
	if err != nil {
		t.Fatal(err)
	}
	if c.Metadata.Version != "1.2.3" || c.Metadata.AppVersion != "1.2.3" {
		t.Errorf("it says %+v", c.Metadata)
	}
	got, err := helmed(t, archive, home, nil)
	if err != nil {
		t.Fatal(err)
	}
	if image := at(got["Deployment sluice-manager"], "spec", "template", "spec", "containers", 0, "image"); image != "registry.example/sluice@sha256:abc" {
		t.Errorf("the image is %v", image)
	}
	if err := packed(charts, dir, "", "image"); err == nil {
		t.Error("it is packed without a version")
	}
}

// TestTheTemplatesAreWhatTheGeneratorWrites compares files, their comments included.
func TestTheTemplatesAreWhatTheGeneratorWrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := written(source, dir); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "templates", "*"))
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadDir(filepath.Join(charts, "templates"))
	if err != nil || len(committed) != len(names) {
		t.Errorf("%d templates, want %d (%v)", len(committed), len(names), err)
	}
	for _, name := range append(names, filepath.Join(dir, "values.yaml")) {
		below, err := filepath.Rel(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(charts, below)); err != nil || string(got) != string(want) {
			t.Errorf("%s is not current (%v): run make manifests", below, err)
		}
	}
}
