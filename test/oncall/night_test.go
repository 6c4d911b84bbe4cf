package oncall_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/oncall"
)

// night is a stage and the test that it is for.
type night struct {
	t *testing.T
	*oncall.Stage
}

func (n night) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n night) wait(d time.Duration) {
	n.t.Helper()
	n.must(n.Run(d))
}

func (n night) deploy(key client.ObjectKey, image string) {
	n.t.Helper()
	_, err := n.World.Deploy(key.Name, simulator.Deployment{Image: image, Revision: key.Name + "-00042"})
	n.must(err)
}

// push writes a template of an image into a rollout's spec, as Git has it.
func (n night) push(key client.ObjectKey, image string) {
	n.t.Helper()
	n.must(n.Change(key, func(ro *v1alpha1.CloudRunRollout) {
		ro.Spec.Template = &runtime.RawExtension{Raw: fmt.Appendf(nil, `{"containers":[{"image":%q}],`+
			`"vpcAccess":{"egress":"ALL_TRAFFIC","networkInterfaces":[{"network":"shared","subnetwork":"run"}]}}`, image)}
	}))
}

// until lets time pass until a rollout is in a phase, with its candidate at a weight.
func (n night) until(key client.ObjectKey, phase v1alpha1.Phase, weight string) {
	n.t.Helper()
	n.must(n.Until(key, fmt.Sprintf("%s at %s", phase, weight), func(ro *v1alpha1.CloudRunRollout) bool {
		return ro.Status.Phase == phase && ro.Status.Weight == weight
	}))
}

// served is when a revision first got a share of the traffic, as the world tells it.
func (n night) served(revision string, percent int) time.Time {
	n.t.Helper()
	for _, e := range n.World.Log() {
		if e.Kind == simulator.EventEffective && e.Split[revision] == percent {
			return e.At.UTC()
		}
	}
	n.t.Fatalf("%s never gets %d%%", revision, percent)
	return time.Time{}
}

// object is a rollout as it is now.
func (n night) object(key client.ObjectKey) *v1alpha1.CloudRunRollout {
	n.t.Helper()
	ro, err := n.Get(key)
	n.must(err)
	return ro
}

// leaves lets time pass until a rollout is in a phase no more, and returns when that is.
func (n night) leaves(key client.ObjectKey, phase v1alpha1.Phase) time.Time {
	n.t.Helper()
	n.must(n.Until(key, "no more "+string(phase), func(ro *v1alpha1.CloudRunRollout) bool { return ro.Status.Phase != phase }))
	return n.Now().UTC()
}

// breached is since when a check of a rollout that is held is in breach. It lets time pass
// to see that this leads back when it has lasted for as long as it may, at the next look.
func (n night) breached(key client.ObjectKey, check string) time.Time {
	n.t.Helper()
	for _, c := range n.object(key).Status.Checks {
		if c.Name == check && c.BreachedSince != nil {
			if late := n.leaves(key, v1alpha1.PhaseHeld).Sub(c.BreachedSince.Add(rollbackAfter)); late < 0 || late > time.Minute {
				n.t.Errorf("it goes back %s after the end of its time", late)
			}
			return c.BreachedSince.UTC()
		}
	}
	n.t.Fatalf("%s is not in breach", check)
	return time.Time{}
}

// alone is the revision that has all of a service's traffic, as the world tells it.
func (n night) alone(key client.ObjectKey) string {
	n.t.Helper()
	serves := n.serves(key)
	for revision, percent := range serves {
		if percent == 100 {
			return revision
		}
	}
	n.t.Fatalf("no revision serves everything: %v", serves)
	return ""
}

// tried is the revision that last had some of the traffic and has none, as the world tells
// it.
func (n night) tried(key client.ObjectKey) string {
	n.t.Helper()
	stays := n.alone(key)
	for _, e := range slices.Backward(n.World.Log()) {
		for revision := range e.Split {
			if e.Kind == simulator.EventEffective && revision != stays && strings.HasPrefix(revision, key.Name+"-") {
				return revision
			}
		}
	}
	n.t.Fatalf("nothing but %s has served", stays)
	return ""
}

// serves is what a service's revisions serve in percent, as the world tells it.
func (n night) serves(key client.ObjectKey) map[string]int {
	n.t.Helper()
	state, err := n.World.State(key.Name)
	n.must(err)
	return state.Effective
}

// person is who is on call.
const person = "ana@example.com"

// answer runs kubectl sluice over all rollouts as they are now, or asks for a verb.
func (n night) answer(command string) string {
	n.t.Helper()
	args := strings.Fields(command)
	if slices.Contains(v1alpha1.Verbs, args[0]) {
		return n.ask(args...)
	}
	list, err := n.All()
	n.must(err)
	var text bytes.Buffer
	for _, ro := range list.Items {
		ro.APIVersion, ro.Kind = v1alpha1.GroupVersion.String(), "CloudRunRollout"
		one, err := yaml.Marshal(ro)
		n.must(err)
		fmt.Fprintf(&text, "---\n%s", one)
	}
	file := filepath.Join(n.t.TempDir(), "rollouts.yaml")
	n.must(os.WriteFile(file, text.Bytes(), 0o600))
	return n.run(clocktesting.NewFakeClock(n.Now()), append(args, "-f", file)...)
}

// ask runs a verb of kubectl sluice against the night's API server, and lets the time
// pass that it takes.
func (n night) ask(args ...string) string {
	n.t.Helper()
	door := n.Door(person)
	server := httptest.NewServer(door)
	defer server.Close()
	nowhere := filepath.Join(n.t.TempDir(), "kubeconfig")
	n.must(os.WriteFile(nowhere, nil, 0o600))
	return n.run(door.Clock(), append(args, "--kubeconfig", nowhere, "--server", server.URL)...)
}

// run runs kubectl sluice.
func (n night) run(c clock.Clock, args ...string) string {
	n.t.Helper()
	var out, said bytes.Buffer
	env := cli.Env{In: strings.NewReader(""), Out: &out, Err: &said, Clock: c, Version: "v0.0.0-test"}
	cli.Run(n.t.Context(), cli.Command(env), args)
	if said.Len() > 0 {
		n.t.Fatalf("kubectl sluice %s: %s", strings.Join(args, " "), said.String())
	}
	return out.String()
}
