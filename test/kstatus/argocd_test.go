package kstatus

import (
	"os"
	"slices"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// What Argo CD calls the health of a resource. It knows Unknown and Missing, too: for
// a hook Unknown is a failure, and in a sync of several waves it never ends.
const (
	healthy     = "Healthy"
	progressing = "Progressing"
	suspended   = "Suspended"
	degraded    = "Degraded"
)

// healths is what Argo CD makes of each golden object: Suspended is what waits for a
// person or for the calendar.
var healths = map[string]string{
	"Idle-Steady":         healthy,
	"Completed-Completed": healthy,

	"Baking-Progressing":      progressing,
	"Checking-Preparing":      progressing,
	"Idle-Deploying":          progressing,
	"Held-AccessDenied":       progressing,
	"Held-AssetsMissed":       progressing,
	"Held-HeldByAnalysis":     progressing,
	"Held-MetricsUnavailable": progressing,
	"Held-TooFewRequests":     progressing,
	"Held-WaitingForNat":      progressing,
	"Idle-Preparing":          progressing,
	"RollingBack-RollingBack": progressing,
	"Shifting-Progressing":    progressing,
	"WarmingUp-Preparing":     progressing,
	"not-seen-yet":            progressing,

	"AwaitingApproval-AwaitingApproval": suspended,
	"Held-OutsideWindow":                suspended,
	"Paused-NoDataDeadlineExceeded":     suspended,
	"Paused-Paused":                     suspended,
	"Paused-StepDeadlineExceeded":       suspended,
	"Paused-TrafficConflict":            suspended,

	"Idle-AccessDenied":     degraded,
	"Idle-BaselineUnknown":  degraded,
	"Idle-InvalidSpec":      degraded,
	"Idle-TooManyRollouts":  degraded,
	"Idle-NotDeployed":      degraded,
	"Idle-NatUnwatched":     degraded,
	"Idle-OwnedElsewhere":   degraded,
	"Idle-RevisionNotFound": degraded,
	"Idle-RevisionNotReady": degraded,
	"Idle-ServiceNotFound":  degraded,
	"Paused-BaselineLost":   degraded,
	"Paused-StateLost":      degraded,
	"RolledBack-RolledBack": degraded,
}

// TestArgoCDTellsTheHealthOfEveryState runs the script of config/argocd over each
// golden object, as Argo CD does.
func TestArgoCDTellsTheHealthOfEveryState(t *testing.T) {
	script := healthScript(t)
	for name, object := range goldens(t) {
		health, message := healthOf(t, script, object)
		if want := healths[name]; health != want {
			t.Errorf("%s is %s, want %q", name, health, want)
		}
		if message == "" {
			t.Errorf("%s is %s without a word", name, health)
		}
	}
	if got, want := len(goldens(t)), len(healths); got != want {
		t.Errorf("%d golden objects, and %d healths", got, want)
	}
}

// TestArgoCDSaysWhatTheReadyConditionSays, which is what a person should read.
func TestArgoCDSaysWhatTheReadyConditionSays(t *testing.T) {
	_, message := healthOf(t, healthScript(t), goldens(t)["Idle-InvalidSpec"])
	if want := `InvalidSpec: spec.strategy.steps[0].bake: write a duration such as 10m, not "soon"`; message != want {
		t.Errorf("it says %q, want %q", message, want)
	}
}

// TestArgoCDWaitsForWhatSluiceHasNotSeen: before the first look, half an object, and
// a status of an older spec, whatever that said.
func TestArgoCDWaitsForWhatSluiceHasNotSeen(t *testing.T) {
	script := healthScript(t)
	for name, spoil := range map[string]func(object map[string]any){
		"without a status":            func(object map[string]any) { delete(object, "status") },
		"without conditions":          func(object map[string]any) { unstructured.RemoveNestedField(object, "status", "conditions") },
		"without observedGeneration":  func(object map[string]any) { unstructured.RemoveNestedField(object, "status", "observedGeneration") },
		"with no conditions":          func(object map[string]any) { object["status"].(map[string]any)["conditions"] = []any{} },
		"with a spec that is newer":   func(object map[string]any) { object["metadata"].(map[string]any)["generation"] = int64(4) },
		"with the default of the CRD": func(object map[string]any) { object["status"] = map[string]any{"observedGeneration": int64(-1)} },
	} {
		for _, before := range []string{"Completed-Completed", "RolledBack-RolledBack", "Paused-Paused"} {
			object := goldens(t)[before].DeepCopy()
			spoil(object.Object)
			if health, message := healthOf(t, script, object); health != progressing || message == "" {
				t.Errorf("%s %s it is %s: %s", before, name, health, message)
			}
		}
	}
}

// healthScript is the script that config/argocd gives to Argo CD.
func healthScript(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../config/argocd/argocd-cm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Metadata struct{ Name string }
		Data     map[string]string
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	const key = "resource.customizations.health.rollouts.sluice.dev_CloudRunRollout"
	if config.Metadata.Name != "argocd-cm" || len(config.Data) != 1 || config.Data[key] == "" {
		t.Fatalf("argocd-cm.yaml sets more, or something else, than %s of argocd-cm", key)
	}
	return config.Data[key]
}

// healthOf runs a script as Argo CD does: the object is the global obj, the libraries
// are those that scripts of a ConfigMap may use (no string, no math), and the answer is
// a table.
func healthOf(t *testing.T, script string, object *unstructured.Unstructured) (health, message string) {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	state.SetGlobal("obj", inLua(state, object.Object))
	if err := state.DoString(script); err != nil {
		t.Fatal(err)
	}
	answer, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the script answers with a %s, not with a table", state.Get(-1).Type())
	}
	health = lua.LVAsString(answer.RawGetString("status"))
	if !slices.Contains([]string{healthy, progressing, suspended, degraded}, health) {
		t.Errorf("%q is no health that a rollout may have", health)
	}
	return health, strings.TrimSpace(lua.LVAsString(answer.RawGetString("message")))
}

// inLua is a value of a JSON object as a script sees it.
func inLua(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case string:
		return lua.LString(value)
	case bool:
		return lua.LBool(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	case []any:
		list := state.NewTable()
		for _, item := range value {
			list.Append(inLua(state, item))
		}
		return list
	case map[string]any:
		table := state.NewTable()
		for key, item := range value {
			table.RawSetString(key, inLua(state, item))
		}
		return table
	}
	return lua.LNil
}
