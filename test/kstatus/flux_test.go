package kstatus

import (
	"os"
	"regexp"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// healthCheck is an entry of healthCheckExprs in a Kustomization of Flux.
type healthCheck struct {
	APIVersion, Kind            string
	Current, InProgress, Failed string
}

// early is which golden objects are neither current nor failed to the recipe for long
// rollouts: what may still fail before the first write, what goes back, and what has lost
// its access, which fails when Flux' patience is at an end.
var early = map[string]bool{
	"not-seen-yet": true, "Idle-Preparing": true, "Checking-Preparing": true, "WarmingUp-Preparing": true,
	"RollingBack-RollingBack": true, "Held-AccessDenied": true,
}

// TestFluxGoesOnOnceALongRolloutIsUnderWay evaluates the expressions of
// docs/gitops/flux.md over each golden object, as Flux does: what has failed to kstatus
// has failed to them, and what is under way holds up nobody.
func TestFluxGoesOnOnceALongRolloutIsUnderWay(t *testing.T) {
	check := documented(t)
	for name, object := range goldens(t) {
		want := status.CurrentStatus
		result, err := status.Compute(object)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case result.Status == status.FailedStatus:
			want = status.FailedStatus
		case early[name]:
			want = status.InProgressStatus
		}
		if got := check.evaluate(t, object); got != want {
			t.Errorf("%s is %s to Flux, want %s", name, got, want)
		}
	}
}

// TestFluxWaitsForWhatSluiceHasNotSeen: a status without conditions makes no
// expression fail, and one of an older spec counts for nothing.
func TestFluxWaitsForWhatSluiceHasNotSeen(t *testing.T) {
	check := documented(t)
	for _, before := range []string{"Completed-Completed", "RolledBack-RolledBack", "Baking-Progressing"} {
		bare := goldens(t)[before].DeepCopy()
		unstructured.RemoveNestedField(bare.Object, "status", "conditions")
		if got := check.evaluate(t, bare); got != status.InProgressStatus {
			t.Errorf("%s without conditions is %s", before, got)
		}
		newer := goldens(t)[before].DeepCopy()
		newer.SetGeneration(4)
		if got := check.evaluate(t, newer); got != status.InProgressStatus {
			t.Errorf("%s with a newer spec is %s", before, got)
		}
	}
}

// documented is the one check for rollouts in docs/gitops/flux.md.
func documented(t *testing.T) healthCheck {
	t.Helper()
	text, err := os.ReadFile("../../docs/gitops/flux.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []healthCheck
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1) {
		var kustomization struct {
			Spec struct{ HealthCheckExprs []healthCheck }
		}
		if err := yaml.Unmarshal(block[1], &kustomization); err != nil {
			t.Fatal(err)
		}
		found = append(found, kustomization.Spec.HealthCheckExprs...)
	}
	if len(found) != 1 || found[0].APIVersion != "rollouts.sluice.dev/v1alpha1" || found[0].Kind != "CloudRunRollout" {
		t.Fatalf("docs/gitops/flux.md has not one check for rollouts: %+v", found)
	}
	return found[0]
}

// evaluate is Flux's rule (its RFC 0009): an older observedGeneration is in progress,
// then the expressions in this order, then in progress.
func (c healthCheck) evaluate(t *testing.T, object *unstructured.Unstructured) status.Status {
	t.Helper()
	observed, told, err := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	if err != nil {
		t.Fatal(err)
	}
	if told && observed != object.GetGeneration() {
		return status.InProgressStatus
	}
	for _, rule := range []struct {
		expression string
		means      status.Status
	}{
		{c.InProgress, status.InProgressStatus}, {c.Failed, status.FailedStatus}, {c.Current, status.CurrentStatus},
	} {
		if rule.expression != "" && holds(t, rule.expression, object) {
			return rule.means
		}
	}
	return status.InProgressStatus
}

// holds evaluates an expression in the environment that Flux gives it: it is parsed and
// not compiled, since the types of what it reads are not known.
func holds(t *testing.T, expression string, object *unstructured.Unstructured) bool {
	t.Helper()
	env, err := cel.NewEnv(
		cel.HomogeneousAggregateLiterals(), cel.EagerlyValidateDeclarations(true), cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true), cel.OptionalTypes(), ext.Strings(), ext.Sets(), ext.Encoders(),
	)
	if err != nil {
		t.Fatal(err)
	}
	parsed, issues := env.Parse(expression)
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	program, err := env.Program(parsed)
	if err != nil {
		t.Fatal(err)
	}
	value, _, err := program.Eval(object.Object)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	answer, ok := value.Value().(bool)
	if !ok {
		t.Fatalf("%s is %v, which is no truth value", expression, value)
	}
	return answer
}
