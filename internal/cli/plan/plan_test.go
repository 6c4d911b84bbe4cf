package plan_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/lint"
	"github.com/sluice-rollouts/sluice/internal/cli/plan"
)

// monday is when they are planned: seven in the evening in Tokyo.
var monday = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// rollout is the smallest manifest, with a spec laid over it.
func rollout(t *testing.T, spec string) *v1alpha1.CloudRunRollout {
	t.Helper()
	text := `
apiVersion: rollouts.sluice.dev/v1alpha1
kind: CloudRunRollout
metadata: {name: web}
spec:
  target: {service: {project: acme-prod, location: asia-northeast1, name: web}}
` + spec
	findings, err := lint.Manifest(t.Context(), bytes.NewReader([]byte(text)))
	if err != nil || len(findings) != 1 || findings[0].Wrong() {
		t.Fatalf("%v, %v in:\n%s", findings, err, text)
	}
	return &findings[0].Rollout
}

// TestAPlanTakesAsLongAsTheStory: the core's own story of a healthy rollout, with
// and without NAT, goes on for as long as its plan says, or a little less: a plan
// does not know when a minute begins.
func TestAPlanTakesAsLongAsTheStory(t *testing.T) {
	t.Parallel()
	for story, spec := range map[string]string{
		"healthy":     `  nat: {discovery: "Off"}`,
		"nat-healthy": "",
	} {
		took := took(t, story)
		planned := plan.Of(rollout(t, spec), nil, monday).Total
		if off := planned - took; off < 0 || off > 5*time.Minute {
			t.Errorf("the plan of %s takes %s, and the story %s", story, planned, took)
		}
	}
}

// took is how long a story lasts from its first write to the end.
func took(t *testing.T, story string) time.Duration {
	t.Helper()
	text, err := os.ReadFile("../../../test/stories/testdata/" + story + ".golden")
	if err != nil {
		t.Fatal(err)
	}
	return at(t, story, `(?m)^\+(\d+):(\d+):(\d+)  Completed`, text) - at(t, story, `(?m)^\+(\d+):(\d+):(\d+)  .* goes from 0% to`, text)
}

func at(t *testing.T, story, pattern string, text []byte) time.Duration {
	t.Helper()
	var h, m, s int
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	if found == nil {
		t.Fatalf("the story %s has no %s", story, pattern)
	}
	if _, err := fmt.Sscan(string(bytes.Join(found[1:], []byte(" "))), &h, &m, &s); err != nil {
		t.Fatal(err)
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
}

// TestAStepTakesItsBakeOrAHungRequest, and the delay of the metrics in any case.
func TestAStepTakesItsBakeOrAHungRequest(t *testing.T) {
	t.Parallel()
	const off, on = `  nat: {discovery: "Off"}`, `  nat: {discovery: Auto}`
	query := func(mode string) string {
		return off + "\n  analysis: {checks: [{name: mine, mode: " + mode + `, query: {promql: 'up{r="{{candidate}}"}', max: "1"}}]}`
	}
	for _, c := range []struct {
		bake, nat string
		want      time.Duration
	}{
		{"10m", off, 15 * time.Minute},
		{"10m", on, 15*time.Minute + 45*time.Second},
		{"4m", off, 9 * time.Minute},
		{"1m", off, 9 * time.Minute},
		{"10m", query("Enforce"), 16 * time.Minute},
		{"10m", query("Shadow"), 15 * time.Minute},
		{"10m", query(`"Off"`), 15 * time.Minute},
	} {
		spec := fmt.Sprintf("%s\n  strategy: {steps: [{weight: 100, bake: %s}]}", c.nat, c.bake)
		if got := plan.Of(rollout(t, spec), nil, monday).Total; got != c.want {
			t.Errorf("%s with %s takes %s, want %s", c.bake, c.nat, got, c.want)
		}
	}
}

// scene is the worked example of docs/nat.md.
const scene = `
instances: 8
gateways:
- {name: nat-1, ips: 1, portsPerEndpoint: 1024, endpoints: 34}
`

func weights(p plan.Plan) string {
	var all []string
	for _, s := range p.Steps {
		text := fmt.Sprintf("%d%% %s", s.Weight, s.Verdict)
		if s.Number == 0 {
			text += " inserted"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// TestAPlanThatWaitsForRoomIsNotDone at any time.
func TestAPlanThatWaitsForRoomIsNotDone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ endpoints, want string }{
		"nothing fits":    {"50", "Does not get beyond 0%: 50% waits until the gateways have more room than this release leaves them."},
		"everything fits": {"2", "Done after 31m30s at the earliest, without waiting for anybody."},
	} {
		read, err := plan.ParseScene([]byte(strings.Replace(scene, "34", c.endpoints, 1)))
		if err != nil {
			t.Fatal(err)
		}
		text := plan.Of(rollout(t, "  strategy: {steps: [{weight: 50}, {weight: 100}]}"), read, monday).String()
		if !strings.Contains(text, "\n"+c.want+"\n") || strings.Count(text, "Done after")+strings.Count(text, "Does not get") != 1 {
			t.Errorf("%s: got\n%s", name, text)
		}
	}
}

func TestAForecastInsertsWhatFits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ spec, scene, want string }{
		"the worked example": {"", scene, "5% fits, 25% fits, 50% fits, 87% fits inserted, 100% fits"},
		"room for all": {
			"", strings.Replace(scene, "ips: 1", "ips: 2", 1), "5% fits, 25% fits, 50% fits, 100% fits",
		},
		"nothing fits, and nothing will": {
			"  strategy: {steps: [{weight: 50}, {weight: 100}]}", strings.Replace(scene, "34", "50", 1),
			"50% waits, nothing fits, 100% waits, nothing fits",
		},
		"a gateway that gets addresses by itself": {
			"", strings.Replace(scene, "ips: 1", "ips: 1, automatic: true", 1), "5% fits, 25% fits, 50% fits, 100% fits",
		},
		"fixed steps are never changed": {
			"  strategy: {pacing: Fixed}", scene, "5% fits, 25% fits, 50% fits, 100% does not fit",
		},
		"an instance is one endpoint": {
			"  nat: {endpointsPerInstance: 1}", scene, "5% fits, 25% fits, 50% fits, 100% fits",
		},
		"a smaller reserve": {"  nat: {reservePercent: 0}", scene, "5% fits, 25% fits, 50% fits, 100% fits"},
	} {
		s, err := plan.ParseScene([]byte(c.scene))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, weights(plan.Of(rollout(t, c.spec), s, monday))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestWhatHasGrownIsForecastAsTheManagerDoes: new endpoints as large as those that there are,
// at every step; or it says that it does not know how large they are.
func TestWhatHasGrownIsForecastAsTheManagerDoes(t *testing.T) {
	t.Parallel()
	const grown = "instances: 8\ngateways: [{name: nat-1, ips: 2, dynamicPorts: true, endpoints: 34, allocatedPorts: 69632}]"
	const assumes = "nat-1: its ports are dynamic and allocatedPorts is not known, so that each new endpoint is reckoned with the least, 32"
	for name, c := range map[string]struct {
		scene, weights string
		grown, assumed int
	}{
		"ports have grown":      {grown, "5% fits, 25% fits, 50% fits, 87% fits inserted, 100% fits", 6, 0},
		"nobody has measured":   {strings.Replace(grown, ", allocatedPorts: 69632", "", 1), "5% fits, 25% fits, 50% fits, 100% fits", 0, 1},
		"ports that stay fixed": {scene, "5% fits, 25% fits, 50% fits, 87% fits inserted, 100% fits", 0, 0},
	} {
		s, err := plan.ParseScene([]byte(c.scene))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		of := plan.Of(rollout(t, ""), s, monday)
		text := of.String()
		if diff := cmp.Diff(c.weights, weights(of)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got := strings.Count(text, "at least 32 per endpoint, now 2,048"); got != c.grown || strings.Count(text, assumes) != c.assumed {
			t.Errorf("%s: %d forecasts of what has grown, want %d, in\n%s", name, got, c.grown, text)
		}
	}
}

func TestAGatewayFileSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"gateways: [{name: a, ips: 1, endpoints: 1}]": "instances: write how many",
		"instances: 1": "gateways: write at least one",
		"instances: 1\ngateways: [{name: a, endpoints: 1}]":         "gateways[0]: write name, ips",
		"instances: 1\ngateways: [{name: a, ips: 1, endpoint: 1}]":  `unknown field "endpoint"`,
		"instances: 1\ngateways: [{name: a, ips: 1, endpoints: x}]": "cannot unmarshal string",
	} {
		if _, err := plan.ParseScene([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v, and not %s", text, err, want)
		}
	}
}

func TestAStatusIsASceneWhileItKnowsGateways(t *testing.T) {
	t.Parallel()
	ro := rollout(t, "")
	if plan.SceneOf(ro, 8) != nil {
		t.Error("there is a scene without a gateway")
	}
	endpoints, allocated := int32(34), int32(34816)
	ro.Status.Gateways = []v1alpha1.GatewayStatus{{
		Name: "nat-1", IPs: 1, PortsPerEndpoint: 1024, Endpoints: &endpoints, Allocated: &allocated,
	}}
	want := &plan.Scene{Instances: 8, Gateways: []plan.Gateway{{
		Name: "nat-1", IPs: 1, PortsPerEndpoint: 1024, Endpoints: 34, AllocatedPorts: 34816,
	}}}
	if diff := cmp.Diff(want, plan.SceneOf(ro, 8)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for addressing, dynamic := range map[v1alpha1.GatewayAddressing]bool{v1alpha1.AddressingManual: true, v1alpha1.AddressingAutomatic: false} {
		ro.Status.Gateways[0].Growing, ro.Status.Gateways[0].Addressing = "True", addressing
		if got := plan.SceneOf(ro, 8).Gateways[0].DynamicPorts; got != dynamic {
			t.Errorf("of one that grows, and has %s addresses: dynamic ports %t", addressing, got)
		}
	}
}

// TestAForecastIsOfTheGatewaysThatTheManifestNames, or says which are others.
func TestAForecastIsOfTheGatewaysThatTheManifestNames(t *testing.T) {
	t.Parallel()
	ro := rollout(t, `  nat: {gateways: [
    {project: acme-net, region: asia-northeast1, router: r1, name: nat-1},
    {project: acme-net, region: asia-northeast1, router: r1, name: nat-2}]}`)
	for name, c := range map[string]struct{ there, others, missing []string }{
		"just those":      {there: []string{"nat-2", "nat-1"}},
		"one is missing":  {there: []string{"nat-1"}, missing: []string{"nat-2"}},
		"one is another":  {there: []string{"nat-1", "nat-2", "nat-9"}, others: []string{"nat-9"}},
		"all are another": {there: []string{"nat-8", "nat-9"}, others: []string{"nat-8", "nat-9"}, missing: []string{"nat-1", "nat-2"}},
	} {
		s := plan.Scene{}
		for _, gateway := range c.there {
			s.Gateways = append(s.Gateways, plan.Gateway{Name: gateway})
		}
		others, missing := s.Beside(ro)
		if diff := cmp.Diff([][]string{c.others, c.missing}, [][]string{others, missing}, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
