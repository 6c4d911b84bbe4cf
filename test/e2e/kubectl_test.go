package e2e_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/controlplane"
)

// kubectl is a person at a terminal, in a namespace.
type kubectl struct {
	t         *testing.T
	program   string
	config    string
	namespace string
}

func newKubectl(t *testing.T, namespace string) kubectl {
	t.Helper()
	program, err := controlplane.Kubectl(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "kubeconfig")
	if err := plane.WriteKubeconfig(config); err != nil {
		t.Fatal(err)
	}
	return kubectl{t, program, config, namespace}
}

// try runs kubectl and returns what it printed and its exit code.
func (k kubectl) try(stdin string, args ...string) (output string, code int) {
	k.t.Helper()
	cmd := exec.CommandContext(k.t.Context(), k.program, append([]string{"--kubeconfig", k.config, "--namespace", k.namespace}, args...)...)
	cmd.Env = append(os.Environ(), "KUBECACHEDIR="+filepath.Dir(k.config))
	cmd.Stdin = strings.NewReader(stdin)
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		k.t.Fatal(err)
	}
	return printed.String(), cmd.ProcessState.ExitCode()
}

// do runs a command that must succeed.
func (k kubectl) do(args ...string) string {
	k.t.Helper()
	output, code := k.try("", args...)
	if code != 0 {
		k.t.Fatalf("kubectl %s: exit %d\n%s", strings.Join(args, " "), code, output)
	}
	return output
}

// columns splits a table into its cells, by row.
func columns(table string) [][]string {
	var rows [][]string
	gap := regexp.MustCompile(` {2,}`)
	for line := range strings.Lines(table) {
		rows = append(rows, gap.Split(strings.TrimSpace(line), -1))
	}
	return rows
}

func TestTheSamplesAreAppliedAndDoNotDiffer(t *testing.T) {
	t.Parallel()
	k := newKubectl(t, newNamespace(t, newClient(t)))
	samples := filepath.Join("..", "..", "config", "samples")
	output := k.do("apply", "--filename", samples)
	names := []string{"cart", "checkout", "graphql-api", "storefront-asia-northeast1", "storefront-europe-west1"}
	for _, name := range names {
		if !strings.Contains(output, "cloudrunrollout.rollouts.sluice.dev/"+name+" created") {
			t.Errorf("apply printed:\n%s", output)
		}
	}
	k.do("apply", "--filename", samples)
	if generations := k.do("get", "crr", "--output", "jsonpath={.items[*].metadata.generation}"); generations != "1 1 1 1 1" {
		t.Errorf("applied again, the generations are %s", generations)
	}
	if output, code := k.try("", "diff", "--filename", samples); code != 0 || output != "" {
		t.Errorf("diff: exit %d\n%s", code, output)
	}
}

func TestGetAnswersWhetherItIsMyRollout(t *testing.T) {
	t.Parallel()
	s := newStage(t, scenario, manifest)
	s.pass()
	s.deploy("example.com/web:2", "web-2")
	s.until(v1alpha1.PhaseBaking)
	k := newKubectl(t, s.key.Namespace)

	rows := columns(k.do("get", "crr"))
	if got := strings.Join(rows[0], " "); got != "NAME SERVICE STEP WEIGHT CANDIDATE STATUS SINCE AGE" {
		t.Errorf("columns are %s", got)
	}
	if got := strings.Join(rows[1][:6], ","); got != "web,web,1/2,20%,web-2,Progressing" {
		t.Errorf("the row is %s", got)
	}
	rows = columns(k.do("get", "crr", "--output", "wide"))
	if got := strings.Join(rows[0][8:], " "); got != "REGION STABLE NEXT READY" {
		t.Errorf("wide columns are %s", got)
	}
	next := s.get().Status.NextAction
	if got := strings.Join(rows[1][8:], " "); got != "asia-northeast1 web-1 "+next+" False" {
		t.Errorf("the wide row ends with %s", got)
	}
	described := k.do("describe", "crr", "web")
	for _, want := range []string{"Next Action:", "Phase:", "Baking", "web-2", "Type:", "MetricsAvailable"} {
		if !strings.Contains(described, want) {
			t.Errorf("describe does not show %q:\n%s", want, described)
		}
	}
}

func TestGetShowsNoStepOfAnAttemptThatIsNone(t *testing.T) {
	t.Parallel()
	s := newStage(t, scenario, manifest)
	s.pass()
	k := newKubectl(t, s.key.Namespace)
	if got := k.do("get", "crr", "--no-headers", "--output", "custom-columns=:.status.step,:.status.weight,:.status.conditions[0].reason"); strings.Join(strings.Fields(got), " ") != "<none> <none> Steady" {
		t.Errorf("got %s", got)
	}
}

func TestWaitingForReadyIsWaitingForThisGeneration(t *testing.T) {
	t.Parallel()
	s := newStage(t, scenario, manifest)
	k := newKubectl(t, s.key.Namespace)
	wait := func() (string, int) { return k.try("", "wait", "crr/web", "--for=condition=Ready", "--timeout=1s") }

	if output, code := wait(); code == 0 {
		t.Errorf("before the first look it is ready: %s", output)
	}
	s.pass()
	if output, code := wait(); code != 0 {
		t.Errorf("steady: exit %d\n%s", code, output)
	}
	k.do("patch", "crr", "web", "--type=merge", `--patch={"spec":{"strategy":{"stepDeadline":"2h"}}}`)
	if output, code := wait(); code == 0 {
		t.Errorf("a generation that nobody has seen is ready: %s", output)
	}
	s.pass()
	if output, code := wait(); code != 0 {
		t.Errorf("seen: exit %d\n%s", code, output)
	}
	s.deploy("example.com/web:2", "web-2")
	s.until(v1alpha1.PhaseBaking)
	if output, code := wait(); code == 0 || !strings.Contains(output, "timed out") {
		t.Errorf("baking: exit %d\n%s", code, output)
	}
}

func TestExplainIsTheManual(t *testing.T) {
	t.Parallel()
	k := newKubectl(t, "default")
	for field, want := range map[string][]string{
		"crr":                        {"KIND:       CloudRunRollout", "A manifest\n    that names only spec.target is a safe rollout"},
		"crr.spec.strategy.steps":    {"weights the candidate gets", "Default 5", "bake", "approval"},
		"crr.spec.analysis.onNoData": {"when metrics stay away", "Default Pause"},
		"crr.status.nextAction":      {"what happens next and when"},
	} {
		output := k.do("explain", field)
		for _, text := range want {
			if !strings.Contains(strings.Join(strings.Fields(output), " "), strings.Join(strings.Fields(text), " ")) {
				t.Errorf("explain %s does not say %q:\n%s", field, text, output)
			}
		}
	}
}

func TestABadManifestIsRefusedWithWhatToWrite(t *testing.T) {
	t.Parallel()
	k := newKubectl(t, newNamespace(t, newClient(t)))
	many := strings.Repeat(`{weight: 50}, `, 70000)
	for name, c := range map[string]struct{ change, want string }{
		"steps that do not rise":      {"[{weight: 20->[{weight: 100", "the weights of steps must rise: write for example 5, 25, 50, 100"},
		"no way to 100":               {"{weight: 100, bake: 2m}->{weight: 90}", "the last of steps must have weight: 100"},
		"weight 0":                    {"weight: 20->weight: 0", "spec.strategy.steps[0].weight"},
		"weight 101":                  {"weight: 100->weight: 101", "spec.strategy.steps[1].weight"},
		"a bake under a minute":       {"bake: 2m}, ->bake: 30s}, ", "bake must be 1m to 24h in whole minutes"},
		"a deadline too short":        {"strategy: {->strategy: {stepDeadline: 21m, ", "stepDeadline must be at least 20m longer than the longest bake"},
		"no target":                   {"{service: {project: acme-prod, location: asia-northeast1, name: web}}->{}", "write target.service with project, location and name"},
		"all checks Off":              {"  strategy->  analysis: {checks: [{name: errors, mode: \"Off\"}, {name: nat-drops, mode: \"Off\"}, {name: nat-allocation, mode: \"Off\"}]}\n  strategy", "write mode: Enforce in at least one of them"},
		"a field that nobody knows":   {"bake: 2m}, ->bake: 2m, waight: 3}, ", `unknown field "spec.strategy.steps[0].waight"`},
		"a name that leaves a filter": {"name: web}}->name: 'web\" OR \"'}}", "name must be the short name of a service"},
		"a megabyte of steps":         {"{weight: 20, bake: 2m}, ->" + many, "must have at most 20 items"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := k
			k.t = t
			output, code := k.try(replaced(t, manifest, c.change), "apply", "--filename=-")
			if code == 0 || !strings.Contains(output, c.want) {
				t.Errorf("exit %d, want %q:\n%.2000s", code, c.want, output)
			}
		})
	}
}

func TestAbortByAnnotation(t *testing.T) {
	t.Parallel()
	s := newStage(t, scenario, manifest)
	s.pass()
	s.deploy("example.com/web:2", "web-2")
	s.until(v1alpha1.PhaseBaking)
	k := newKubectl(t, s.key.Namespace)
	k.do("annotate", "crr", "web", "request.rollouts.sluice.dev/verb=abort", "request.rollouts.sluice.dev/by=alice")
	ro := s.until(v1alpha1.PhaseRolledBack)
	if answer := ro.Status.LastRequest; answer == nil || answer.Result != v1alpha1.RequestAccepted || s.serves()["web-1"] != 100 {
		t.Errorf("answer %+v, traffic %v", answer, s.serves())
	}
	// With the object gone, nobody is left to answer for it.
	k.do("delete", "crr", "web")
	list := &v1alpha1.CloudRunRolloutList{}
	if err := s.client.List(t.Context(), list, client.InNamespace(s.key.Namespace)); err != nil || len(list.Items) != 0 {
		t.Errorf("%d objects are left, %v", len(list.Items), err)
	}
}
