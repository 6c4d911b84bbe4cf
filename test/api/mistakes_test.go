package api_test

import (
	"regexp"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestMistakesGetAClearAnswer collects what people write that no rule of ours
// looks at, because the server sees it first.
func TestMistakesGetAClearAnswer(t *testing.T) {
	cases := map[string]struct{ fragment, want string }{
		"two targets": {
			`spec: {target: {runServiceRef: {name: graphql-api}}}`, `target must have exactly one member`,
		},
		"a misspelt field":  {`spec: {stratgy: {}}`, `unknown field "spec.stratgy"`},
		"a field of a step": {steps + `[{weight: 100, pause: 10m}]}}`, `unknown field "spec.strategy.steps[0].pause"`},
		"no target":         {`spec: {target: null}`, `spec.target: Required value`},
		"a service without a name": {
			service + `name: null}}}`, `spec.target.service.name: Required value`,
		},
		"weight 0":   {steps + `[{weight: 0}, {weight: 100}]}}`, `should be greater than or equal to 1`},
		"weight 101": {steps + `[{weight: 101}]}}`, `should be less than or equal to 100`},
		"a weight with a fraction": {
			steps + `[{weight: 2.5}, {weight: 100}]}}`, `spec.strategy.steps[0].weight in body must be of type int`,
		},
		"a step without a weight": {steps + `[{bake: 10m}, {weight: 100}]}}`, `spec.strategy.steps[0].weight: Required value`},
		"no steps":                {steps + `[]}}`, `spec.strategy.steps in body should have at least 1 items`},
		"a bake in plain minutes": {steps + `[{weight: 100, bake: 10}]}}`, `spec.strategy.steps[0].bake in body must be of type string`},
		"another approval":        {steps + `[{weight: 100, approval: Optional}]}}`, `supported values: "Required"`},
		"a percentage that YAML reads as a float": {
			checks + `[{name: errors, serverErrors: {maxPercent: 0.5}}]}}`, `must be of type integer,string`,
		},
		"a word that YAML reads as false": {
			checks + `[{name: errors, mode: Off}]}}`, `supported values: "Enforce", "Shadow", "Off"`,
		},
		"the same check twice": {
			checks + `[{name: errors}, {name: errors, mode: Shadow}]}}`, `spec.analysis.checks[1]: Duplicate value`,
		},
		"another pacing":            {`spec: {strategy: {pacing: Slow}}`, `supported values: "Headroom", "Fixed"`},
		"a reserve of almost all":   {`spec: {nat: {reservePercent: 91}}`, `should be less than or equal to 90`},
		"a reserve below none":      {`spec: {nat: {reservePercent: -1}}`, `should be greater than or equal to 0`},
		"an instance that is none":  {`spec: {nat: {endpointsPerInstance: 0}}`, `should be greater than or equal to 1`},
		"an instance that is more":  {`spec: {nat: {endpointsPerInstance: 3}}`, `should be less than or equal to 2`},
		"a reserve with a sign":     {`spec: {nat: {reservePercent: 20%}}`, `spec.nat.reservePercent in body must be of type int`},
		"a query without a text":    {checks + `[{name: mine, query: {max: "1"}}]}}`, `query.promql: Required value`},
		"a query of an empty text":  {checks + `[{name: mine, query: {promql: "", max: "1"}}]}}`, `query.promql`},
		"a query that is too long":  {checks + `[{name: mine, query: {promql: "` + strings.Repeat("x", 2001) + `", max: "1"}}]}}`, `Too long: may not be more than 2000 bytes`},
		"a limit that is no text":   {checks + `[{name: mine, query: {promql: up, max: 0.02}}]}}`, `must be of type string`},
		"a utilization of nothing":  {checks + `[{name: ports, natPortUtilization: {maxPercent: 0}}]}}`, `should be greater than or equal to 1`},
		"a utilization of all":      {checks + `[{name: ports, natPortUtilization: {maxPercent: 100}}]}}`, `should be less than or equal to 99`},
		"a utilization without one": {checks + `[{name: ports, natPortUtilization: {}}]}}`, `natPortUtilization.maxPercent: Required value`},
		"the same gateway twice": {
			gateway + `}, {project: acme-net, region: asia-northeast1, router: r1, name: nat-1}]}}`,
			`spec.nat.gateways[1]: Duplicate value`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := try(t, with(t, sample(t, minimal), c.fragment)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestAMegabyteOfStepsIsRefused wants an answer, and a short one.
func TestAMegabyteOfStepsIsRefused(t *testing.T) {
	many := sample(t, minimal)
	var list []any
	for range 1 << 20 / len(`{"weight":100,"bake":"10m"}`) {
		list = append(list, map[string]any{"weight": int64(100), "bake": "10m"})
	}
	many.Object["spec"].(map[string]any)["strategy"] = map[string]any{"steps": list}
	_, err := rollouts(t).Create(t.Context(), many, metav1.CreateOptions{})
	if err == nil || !strings.Contains(err.Error(), "must have at most 20 items") {
		t.Fatalf("got %.500v, want at most 20 items", err)
	}
	if n := len(err.Error()); n > 1000 {
		t.Errorf("the answer has %d characters", n)
	}
}

var advice = regexp.MustCompile(`\b(write|written like|such as|must have|remove|shorten|create)\b`)

// TestMessagesSayWhatToWrite: an answer of ours says more than what is wrong.
func TestMessagesSayWhatToWrite(t *testing.T) {
	for path, n := range schema(t).walk("") {
		for _, v := range n.Validations {
			if !advice.MatchString(v.Message) {
				t.Errorf("%s: %q does not say what to do", path, v.Message)
			}
		}
	}
}
