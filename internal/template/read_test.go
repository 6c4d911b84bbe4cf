package template

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const small = `{"containers":[{"image":"web@sha256:1"}]}`

func TestATemplateInItsOneForm(t *testing.T) {
	t.Parallel()
	want := `{"annotations":{"a":"<&>","team":"web"},"containers":[{"env":[{"name":"A","value":""}],"image":"web@sha256:1",` +
		`"resources":{"cpuIdle":false}}],"maxInstanceRequestConcurrency":"80","scaling":{"cpuUtilization":0.60,"minInstanceCount":0},"timeout":"300s"}`
	got, found, err := Read([]byte(` {
	  "timeout": "300s", "scaling": {"minInstanceCount": 0, "cpuUtilization": 0.60}, "maxInstanceRequestConcurrency": "80",
	  "containers": [{"resources": {"cpuIdle": false}, "image": "web@sha256:1", "env": [{"value": "", "name": "\u0041"}]}],
	  "annotations": {"team": "web", "a": "<&>"}
	}`))
	if err != nil || len(found) > 0 {
		t.Fatalf("findings %v, error %v", found, err)
	}
	if diff := cmp.Diff(want, got.JSON); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	if sum := sha256.Sum256([]byte(want)); got.Digest != hex.EncodeToString(sum[:8]) {
		t.Errorf("digest %q", got.Digest)
	}
}

// TestAnotherTemplateHasAnotherDigest, also where only an explicit zero was added.
func TestAnotherTemplateHasAnotherDigest(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, text := range []string{
		small, `{"containers":[{"image":"web@sha256:2"}]}`, `{"containers":[{"image":"web@sha256:1"}],"timeout":""}`,
		`{"containers":[{"image":"web@sha256:1"},{"image":"web@sha256:1"}]}`,
	} {
		got, _, err := Read([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if other, twice := seen[got.Digest]; twice {
			t.Errorf("%s and %s have one digest", text, other)
		}
		seen[got.Digest] = text
	}
}

func TestWhatIsRefusedAndWhatToWriteInstead(t *testing.T) {
	t.Parallel()
	container := func(fields string) string { return `{"containers":[{"image":"web@sha256:1",` + fields + `}]}` }
	beside := func(fields string) string { return `{"containers":[{"image":"web@sha256:1"}],` + fields + `}` }
	cases := map[string]struct{ text, want string }{
		"nothing":                       {``, "spec.template: is not JSON in UTF-8"},
		"half of it":                    {`{`, "spec.template: is not JSON in UTF-8"},
		"two documents":                 {small + small, "spec.template: is not JSON in UTF-8"},
		"bytes that are no UTF-8":       {"{\"a\xff\":1}", "spec.template: is not JSON in UTF-8"},
		"null":                          {`null`, "spec.template: is null; leave it out, or write an object"},
		"a list":                        {`[]`, "spec.template: is a list; write an object"},
		"a text":                        {`"x"`, "spec.template: is a string; write an object"},
		"too much":                      {`{"a":"` + strings.Repeat("x", MaxBytes) + `"}`, "spec.template: is larger than 64 KiB: move files to a secret"},
		"no containers":                 {`{}`, "spec.template.containers: write at least one container with an image"},
		"an empty list of containers":   {`{"containers":[]}`, "spec.template.containers: write at least one container with an image"},
		"no image":                      {`{"containers":[{}]}`, "spec.template.containers[0].image: write the image to run"},
		"an empty image":                {`{"containers":[{"image":" "}]}`, "spec.template.containers[0].image: write the image to run"},
		"no image of a second":          {`{"containers":[{"image":"a@sha256:1"},{"name":"b"}]}`, "spec.template.containers[1].image: write the image to run"},
		"a field that is written wrong": {`{"containers":[{"imagee":"a","image":"a@sha256:1"}]}`, "spec.template.containers[0].imagee: no such field; did you mean image?"},
		"the wrong case":                {beside(`"Timeout":"1s"`), "spec.template.Timeout: no such field; did you mean timeout?"},
		"the API's other spelling":      {beside(`"service_account":"a"`), "spec.template.service_account: no such field; did you mean serviceAccount?"},
		"what is near nothing":          {beside(`"replicas":3`), "spec.template.replicas: no such field"},
		"Knative's name":                {beside(`"containerConcurrency":80`), "spec.template.containerConcurrency: no such field; write maxInstanceRequestConcurrency"},
		"Knative's secret":              {container(`"env":[{"name":"A","valueFrom":{}}]`), "spec.template.containers[0].env[0].valueFrom: no such field; write valueSource"},
		"Knative's key":                 {container(`"env":[{"name":"A","valueSource":{"secretKeyRef":{"secret":"a","key":"1"}}}]`), "secretKeyRef.key: no such field; write version"},
		"Knative's form":                {beside(`"spec":{}`), "without metadata and spec"},
		"the whole service":             {beside(`"traffic":[]`), "traffic is for Sluice to set"},
		"a number for a string":         {container(`"env":[{"name":"PORT","value":8080}]`), "spec.template.containers[0].env[0].value: is a number; write a string, in quotes"},
		"a switch for a string":         {container(`"env":[{"name":"DEBUG","value":true}]`), "env[0].value: is true or false; write a string"},
		"a string for a switch":         {beside(`"sessionAffinity":"true"`), "spec.template.sessionAffinity: is a string; write true or false"},
		"a list for an object":          {beside(`"scaling":[]`), "spec.template.scaling: is a list; write an object"},
		"an object for a list":          {container(`"env":{"PASSWORD":"hunter2"}`), "spec.template.containers[0].env: is an object; write a list"},
		"null for a list":               {container(`"env":null`), "spec.template.containers[0].env: is null; leave it out, or write a list"},
		"null in a list":                {container(`"args":["a",null]`), "spec.template.containers[0].args[1]: is null; leave it out, or write a string"},
		"a fraction":                    {beside(`"maxInstanceRequestConcurrency":1.5`), "spec.template.maxInstanceRequestConcurrency: is not a whole number"},
		"words for a number":            {beside(`"maxInstanceRequestConcurrency":"many"`), "is a string that is no number; write a whole number"},
		"infinity":                      {beside(`"scaling":{"cpuUtilization":"Infinity"}`), "spec.template.scaling.cpuUtilization: is a string that is no number; write a number"},
		"a label that is no string":     {beside(`"labels":{"team":1}`), "spec.template.labels.team: is a number; write a string"},
		"a field twice":                 {beside(`"timeout":"1s","timeout":"2s"`), "spec.template.timeout: is there twice; leave one"},
		"a field twice, once escaped":   {beside(`"timeout":"1s","timeou\u0074":"2s"`), "spec.template.timeout: is there twice; leave one"},
		"an annotation twice":           {beside(`"annotations":{"a":"1","a":"2"}`), "spec.template.annotations.a: is there twice; leave one"},
		"a name for the revision":       {beside(`"revision":"web-2"`), "spec.template.revision: remove it: Cloud Run names revisions"},
		"no name for the revision":      {beside(`"revision":""`), "spec.template.revision: remove it: Cloud Run names revisions"},
		"our own annotation":            {beside(`"annotations":{"rollouts.sluice.dev/template":"a"}`), `spec.template.annotations["rollouts.sluice.dev/template"]: remove it: Sluice writes`},
		"an annotation of version 1":    {beside(`"annotations":{"autoscaling.knative.dev/minScale":"1"}`), `remove it: Cloud Run's v2 API refuses keys of autoscaling.knative.dev`},
		"a label of Cloud Run's":        {beside(`"labels":{"a.run.googleapis.com/x":"1"}`), `spec.template.labels["a.run.googleapis.com/x"]: remove it`},
		"what Cloud Run writes":         {container(`"buildInfo":{}`), "spec.template.containers[0].buildInfo: remove it: Cloud Run writes it"},
		"an odd name":                   {beside(`"a\n\u202e.b":1`), `spec.template["a\n\u202e.b"]: no such field`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, found, err := Read([]byte(c.text))
			invalid, ok := errors.AsType[*InvalidError](err)
			if !ok || !slices.ContainsFunc(invalid.Problems, func(p string) bool { return strings.Contains(p, c.want) }) {
				t.Fatalf("error %v, want one that says %q", err, c.want)
			}
			if !got.IsZero() || found != nil {
				t.Errorf("%+v and %v beside an error", got, found)
			}
			for _, value := range []string{"hunter2", "many", "8080"} {
				if strings.Contains(err.Error(), value) {
					t.Errorf("%v repeats a value", err)
				}
			}
		})
	}
}

func TestAllThatIsWrongIsToldAtOnceWithinBounds(t *testing.T) {
	t.Parallel()
	_, _, err := Read([]byte(`{"revision":"web-2","containers":[{"imagee":"a","env":[{"name":1}]}]}`))
	want := "spec.template.containers[0].imagee: no such field; did you mean image?; " +
		"spec.template.containers[0].env[0].name: is a number; write a string, in quotes where YAML would read something else; " +
		"spec.template.revision: remove it: Cloud Run names revisions, and under a fixed name a second template is refused (Revision named ... with different configuration already exists); " +
		"spec.template.containers[0].image: write the image to run"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	_, _, err = Read([]byte(`{` + strings.Repeat(`"`+strings.Repeat("x", 100)+`":1,`, 200) + `"containers":[{"image":"a@sha256:1"}]}`))
	if invalid, ok := errors.AsType[*InvalidError](err); !ok || len(invalid.Problems) != maxProblems || invalid.More != 389 || len(err.Error()) > 2000 {
		t.Errorf("error of %d bytes: %v", len(err.Error()), err)
	}
}

func TestWhatTheAPIAlsoTakesIsAccepted(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"whole numbers as strings": `{"containers":[{"image":"a@sha256:1","ports":[{"containerPort":"8080"}]}],"scaling":{"maxInstanceCount":"7"}}`,
		"numbers as strings":       `{"containers":[{"image":"a@sha256:1"}],"scaling":{"cpuUtilization":"0.5"}}`,
		"a secret":                 `{"containers":[{"image":"a@sha256:1","env":[{"name":"PASSWORD","valueSource":{"secretKeyRef":{"secret":"a","version":"latest"}}}]}]}`,
		"probes":                   `{"containers":[{"image":"a@sha256:1","startupProbe":{"tcpSocket":{}},"readinessProbe":{"grpc":{"service":"a"}},"livenessProbe":{"httpGet":{"path":"/","httpHeaders":[{"name":"a"}]}}}]}`,
		"keys with a namespace":    `{"containers":[{"image":"a@sha256:1"}],"annotations":{"example.com/team":"web","rollouts":"1","norun.googleapis.com/a":"1"}}`,
		"empty lists and objects":  `{"containers":[{"image":"a@sha256:1","env":[],"resources":{"limits":{}}}],"vpcAccess":{}}`,
	} {
		if _, found, err := Read([]byte(text)); err != nil || len(found) > 0 {
			t.Errorf("%s: findings %v, error %v", name, found, err)
		}
	}
}
