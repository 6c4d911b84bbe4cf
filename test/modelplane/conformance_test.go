package modelplane_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/controlplane"
	"github.com/sluice-rollouts/sluice/test/modelplane"
)

var (
	plane  *controlplane.ControlPlane
	update = flag.Bool("update", false, "write down what the real apiserver answers")
)

const golden = "testdata/conformance.txt"

func TestMain(m *testing.M) {
	os.Exit(controlplane.Main(m, &plane, controlplane.Options{}))
}

// TestConformance plays every row of the table on the real apiserver and on the
// model. Both must answer what is written down.
func TestConformance(t *testing.T) {
	t.Parallel()
	answered, modelled := onReal(t), onModel(t)
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(answered), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lines(string(want)), lines(answered)); diff != "" {
		t.Errorf("the real apiserver (-written +answered):\n%s", diff)
	}
	if diff := cmp.Diff(lines(string(want)), lines(modelled)); diff != "" {
		t.Errorf("the model (-written +answered):\n%s", diff)
	}
}

func lines(text string) []string { return strings.Split(text, "\n") }

// onModel plays the table on new models.
func onModel(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	known := &specs{}
	for _, row := range table {
		s, _ := newServer()
		view := s.Watch()
		view.Relist()
		p := newPlay(t, s.Client(), "default", known)
		view.Tell(func(c modelplane.Change) {
			switch {
			case c.Was == nil:
				p.event(watch.Added, c.Now)
			case c.Now == nil:
				p.event(watch.Deleted, c.Was)
			default:
				p.event(watch.Modified, c.Now)
			}
		})
		row.play(p)
		view.Deliver(view.Pending())
		text.WriteString(p.transcript(row.sentence))
	}
	return text.String()
}

// onReal plays the table on the real apiserver, each row in its own namespace.
func onReal(t *testing.T) string {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	config := rest.CopyConfig(plane.Config)
	config.QPS = -1 // the limit of a client is not the server's
	kube, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	known := &specs{}
	for _, row := range table {
		space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "row-"}}
		if err := kube.Create(t.Context(), space); err != nil {
			t.Fatal(err)
		}
		events, err := kube.Watch(t.Context(), &v1alpha1.CloudRunRolloutList{}, client.InNamespace(space.Name))
		if err != nil {
			t.Fatal(err)
		}
		p := newPlay(t, kube, space.Name, known)
		row.play(p)
		end := rollout("end")
		end.Namespace = space.Name
		if err := kube.Create(t.Context(), end); err != nil {
			t.Fatal(err)
		}
		for e := range events.ResultChan() {
			o, ok := e.Object.(*v1alpha1.CloudRunRollout)
			if !ok {
				t.Fatalf("the watch says %+v", e)
			}
			if o.Name == end.Name {
				break
			}
			p.event(e.Type, o)
		}
		events.Stop()
		text.WriteString(p.transcript(row.sentence))
	}
	return text.String()
}

func toJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
