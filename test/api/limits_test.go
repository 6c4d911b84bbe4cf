package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// TestEverySpecLimitIsEnforced breaks each limit of the schema in turn.
func TestEverySpecLimitIsEnforced(t *testing.T) {
	whole := sample(t, full)
	for _, v := range violations(schema(t).Properties["spec"], whole.Object["spec"], "spec") {
		t.Run(v.field+" "+v.what, func(t *testing.T) {
			_, err := try(t, v.in(whole))
			v.expect(t, err)
		})
	}
}

// TestEveryStatusLimitIsEnforced does the same where Sluice writes.
func TestEveryStatusLimitIsEnforced(t *testing.T) {
	existing := create(t, sample(t, minimal))
	existing.Object["status"] = largestStatus(t)
	options := metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}
	for _, v := range violations(schema(t).Properties["status"], existing.Object["status"], "status") {
		if strings.HasPrefix(v.field, "status.conditions.") {
			continue // Kubernetes' own
		}
		t.Run(v.field+" "+v.what, func(t *testing.T) {
			_, err := rollouts(t).UpdateStatus(t.Context(), v.in(existing), options)
			v.expect(t, err)
		})
	}
}

// TestLargestStatusFits fills every list and string of status to its end.
func TestLargestStatusFits(t *testing.T) {
	existing := create(t, sample(t, minimal))
	existing.Object["status"] = largestStatus(t)
	if _, err := rollouts(t).UpdateStatus(t.Context(), existing, metav1.UpdateOptions{}); err != nil {
		t.Errorf("the largest status is refused: %v", err)
	}
	n := size(t, existing.Object["status"])
	t.Logf("the largest status that the schema admits has %d bytes", n)
	if n >= 32<<10 {
		t.Errorf("the largest status has %d bytes, want less than 32 KiB", n)
	}
}

func size(t *testing.T, value any) int {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return len(text)
}

// TestConstantsAgreeWithTheDefinition holds the limits that writers of status
// use against those that are enforced.
func TestConstantsAgreeWithTheDefinition(t *testing.T) {
	status := schema(t).Properties["status"]
	message := func(n *node) int { return *n.Items.Properties["message"].MaxLength }
	cases := map[string]struct{ got, want int }{
		"nextAction": {v1alpha1.MaxNextAction, *status.Properties["nextAction"].MaxLength},
		"the id of lastRequest": {
			v1alpha1.MaxRequestField, *status.Properties["lastRequest"].Properties["id"].MaxLength,
		},
		"the verb of lastRequest": {
			v1alpha1.MaxRequestVerb, *status.Properties["lastRequest"].Properties["verb"].MaxLength,
		},
		"the revision a retry asked for": {
			v1alpha1.MaxRevisionName, *status.Properties["attempt"].Properties["requested"].MaxLength,
		},
		"the image of candidate": {
			v1alpha1.MaxImage, *status.Properties["candidate"].Properties["image"].MaxLength,
		},
		"the cause of attempt": {
			v1alpha1.MaxCause, *status.Properties["attempt"].Properties["cause"].MaxLength,
		},
		"the message of checks":  {v1alpha1.MaxMessage, message(status.Properties["checks"])},
		"the message of history": {v1alpha1.MaxHistoryMessage, message(status.Properties["history"])},
		"the message of lastRequest": {
			v1alpha1.MaxMessage, *status.Properties["lastRequest"].Properties["message"].MaxLength,
		},
		"history":               {v1alpha1.MaxHistory, *status.Properties["history"].MaxItems},
		"intents":               {v1alpha1.MaxIntents, *status.Properties["attempt"].Properties["intents"].MaxItems},
		"the shares of a split": {v1alpha1.MaxShares, *status.Properties["attempt"].Properties["confirmed"].MaxItems},
		"the shares of an intent": {
			v1alpha1.MaxShares, *status.Properties["attempt"].Properties["intents"].Items.Properties["split"].MaxItems,
		},
		"the reason of history": {v1alpha1.MaxReason, *status.Properties["history"].Items.Properties["reason"].MaxLength},
		"the reason of attempt": {v1alpha1.MaxReason, *status.Properties["attempt"].Properties["reason"].MaxLength},
		"gateways":              {v1alpha1.MaxGateways, *status.Properties["gateways"].MaxItems},
		"advice":                {v1alpha1.MaxAdvice, *status.Properties["advice"].MaxItems},
		"the message of advice": {v1alpha1.MaxMessage, message(status.Properties["advice"])},
		"the code of advice":    {v1alpha1.MaxAdviceCode, *status.Properties["advice"].Items.Properties["code"].MaxLength},
		"rises":                 {v1alpha1.MaxRises, *status.Properties["attempt"].Properties["rises"].MaxItems},
		"latched":               {v1alpha1.MaxLatched, *status.Properties["attempt"].Properties["latched"].MaxItems},
	}
	for name, c := range cases {
		if c.got != c.want {
			t.Errorf("%s: the constant is %d, the definition says %d", name, c.got, c.want)
		}
	}
	rule := status.Properties["conditions"].Validations[0].Rule
	if want := fmt.Sprintf("<= %d ", v1alpha1.MaxConditionMessage); !strings.Contains(rule, want) {
		t.Errorf("the constant for a condition's message is not in %q", rule)
	}
}

// violation is a value that breaks one limit.
type violation struct {
	field string // without indices, as causes has it
	what  string
	path  []any // keys and indices from the object down
	value any   // nil removes the field
}

// violations lists a value for every limit of a schema that the value at path
// has a place for.
func violations(n *node, at any, field string, path ...any) []violation {
	if len(path) == 0 {
		path = []any{field}
	}
	list := ownViolations(n, at, field, path)
	switch at := at.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(at)) {
			list = append(list, violations(n.Properties[name], at[name], field+"."+name, join(path, name)...)...)
		}
	case []any:
		seen := map[string]bool{}
		for i, element := range at {
			for _, v := range violations(n.Items, element, field, join(path, i)...) {
				if !seen[v.field+v.what] {
					list = append(list, v)
				}
				seen[v.field+v.what] = true
			}
		}
	}
	return list
}

func join(path []any, step any) []any { return append(slices.Clone(path), step) }

func ownViolations(n *node, at any, field string, path []any) []violation {
	var list []violation
	add := func(what string, value any) { list = append(list, violation{field, what, path, value}) }
	if n.MaxLength != nil {
		add("is too long", strings.Repeat("a", *n.MaxLength+1))
	}
	if n.Enum != nil {
		add("is none of the words", "Nonsense")
	}
	if n.Minimum != nil {
		add("is too small", *n.Minimum-1)
	}
	if n.Maximum != nil {
		add("is too large", *n.Maximum+1)
	}
	if n.MinItems != nil {
		add("is empty", []any{})
	}
	if n.MaxItems != nil {
		add("has too many items", slices.Repeat(at.([]any)[:1], *n.MaxItems+1))
	}
	for _, name := range n.Required {
		list = append(list, violation{field + "." + name, "is missing", join(path, name), nil})
	}
	if n.Properties != nil {
		list = append(list, violation{field + ".nonsense", "is unknown", join(path, "nonsense"), "x"})
	}
	return list
}

// in returns a copy of an object with the limit broken.
func (v violation) in(obj *unstructured.Unstructured) *unstructured.Unstructured {
	broken := obj.DeepCopy()
	value := runtime.DeepCopyJSONValue(v.value)
	var at any = broken.Object
	for _, key := range v.path[:len(v.path)-1] {
		if i, ok := key.(int); ok {
			at = at.([]any)[i]
		} else {
			at = at.(map[string]any)[key.(string)]
		}
	}
	switch last := v.path[len(v.path)-1].(type) {
	case int:
		at.([]any)[last] = value
	case string:
		at.(map[string]any)[last] = value
		if value == nil {
			delete(at.(map[string]any), last)
		}
	}
	return broken
}

// expect wants a refusal that names the field.
func (v violation) expect(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("accepted")
	}
	if v.what == "is unknown" {
		if plain := indices.ReplaceAllString(err.Error(), ""); !strings.Contains(plain, `unknown field "`+v.field+`"`) {
			t.Errorf("got %v, want unknown field %s", err, v.field)
		}
		return
	}
	if !slices.ContainsFunc(causes(err), func(c cause) bool { return c.field == v.field }) {
		t.Errorf("got %v, want something about %s", err, v.field)
	}
}

// largestStatus has every field, every list and string as long as it may be.
func largestStatus(t *testing.T) map[string]any {
	t.Helper()
	status := largest(schema(t).Properties["status"]).(map[string]any)
	var conditions []any
	for _, name := range []string{
		v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled,
		v1alpha1.ConditionAccepted, v1alpha1.ConditionTrafficInSync, v1alpha1.ConditionMetricsAvailable,
	} {
		conditions = append(conditions, map[string]any{
			"type": name, "status": "Unknown", "observedGeneration": int64(math.MaxInt32),
			"lastTransitionTime": "2026-11-23T08:00:00Z",
			"reason":             strings.Repeat("R", 64),
			"message":            strings.Repeat("m", v1alpha1.MaxConditionMessage),
		})
	}
	status["conditions"] = conditions
	return status
}

func largest(n *node) any {
	switch {
	case n.Enum != nil:
		return slices.MaxFunc(n.Enum, func(a, b string) int { return len(a) - len(b) })
	case n.Format == "date-time":
		return "2026-11-23T08:00:00Z"
	case n.Maximum != nil:
		return *n.Maximum
	case n.Format == "int32":
		return int64(math.MaxInt32)
	case n.Type == "integer":
		return int64(math.MaxInt64)
	case n.Type == "string" && n.MaxLength != nil:
		return strings.Repeat("x", *n.MaxLength)
	case n.Type == "array" && n.MaxItems != nil:
		return largestList(n)
	}
	object := map[string]any{}
	for name, field := range n.Properties {
		object[name] = largest(field)
	}
	return object
}

func largestList(n *node) []any {
	var list []any
	for i := range *n.MaxItems {
		element := largest(n.Items)
		for _, key := range n.Keys {
			text := element.(map[string]any)[key].(string)
			element.(map[string]any)[key] = fmt.Sprintf("%02d", i) + text[2:]
		}
		list = append(list, element)
	}
	return list
}
