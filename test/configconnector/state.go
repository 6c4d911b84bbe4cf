package configconnector

import (
	"fmt"
	"maps"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// known are the fields of a service that RunService has. Others, such as the
// scaling of the service, are never in what is sent.
var known = []string{
	"annotations", "client", "clientVersion", "customAudiences", "description", "ingress", "launchStage", "template", "traffic",
}

// managedLabel is on every service that Config Connector updates (pkg/label/const.go).
const managedLabel = "managed-by-cnrm"

// stateOf is a live service in the words of spec.
func stateOf(s simulator.Service) (map[string]any, error) {
	all, err := through[map[string]any](s)
	if err != nil {
		return nil, err
	}
	state := map[string]any{}
	for _, key := range known {
		if value, ok := all[key]; ok {
			state[key] = value
		}
	}
	return state, nil
}

// update is what is to be sent to make a service as its RunService says.
type update struct {
	body    simulator.Service
	differs bool
}

// updateOf compares a RunService with the service as it was read.
func updateOf(object *unstructured.Unstructured, live simulator.Service) (update, error) {
	state, err := stateOf(live)
	if err != nil {
		return update{}, err
	}
	owned, err := meant(object.GetManagedFields())
	if err != nil {
		return update{}, err
	}
	spec, _ := object.DeepCopy().Object["spec"].(map[string]any)
	desired := overlay(state, only(spec, known), owned)
	wanted, err := through[[]target](desired["traffic"])
	if err != nil {
		return update{}, fmt.Errorf("reading spec.traffic: %w", err)
	}
	plan, moves := planned(targetsOf(live.Traffic), wanted)
	desired["traffic"] = plan
	keepDefaults(state, desired)
	body, err := through[simulator.Service](desired)
	if err != nil {
		return update{}, err
	}
	body.Labels = labelsOf(object)
	same := reflect.DeepEqual(body.Template, live.Template) && reflect.DeepEqual(body.Labels, live.Labels) &&
		reflect.DeepEqual(body.Annotations, live.Annotations) && body.Ingress == live.Ingress && body.Description == live.Description
	return update{body, moves || !same}, nil
}

// labelsOf are the labels that a service gets: those of its RunService, and Config
// Connector's own.
func labelsOf(object *unstructured.Unstructured) map[string]string {
	labels := map[string]string{managedLabel: "true"}
	maps.Copy(labels, object.GetLabels())
	return labels
}

func only(all map[string]any, keys []string) map[string]any {
	some := map[string]any{}
	for _, key := range keys {
		if value, ok := all[key]; ok {
			some[key] = value
		}
	}
	return some
}

// keepDefaults keeps in each container what the server filled in at its position.
func keepDefaults(live, desired map[string]any) {
	was, is := containers(live), containers(desired)
	for i := range min(len(was), len(is)) {
		before, _ := was[i].(map[string]any)
		after, _ := is[i].(map[string]any)
		kept := map[string]any{}
		maps.Copy(kept, before)
		delete(kept, "env")
		maps.Copy(kept, after)
		is[i] = kept
	}
}

// containers are those of a template, in their order.
func containers(service map[string]any) []any {
	template, _ := service["template"].(map[string]any)
	list, _ := template["containers"].([]any)
	return list
}

// through turns a value into another type by way of its JSON. Whole numbers stay
// whole, as in what the API server answers.
func through[T any](value any) (T, error) {
	var to T
	raw, err := json.Marshal(value)
	if err != nil {
		return to, fmt.Errorf("writing JSON: %w", err)
	}
	if err := json.Unmarshal(raw, &to); err != nil {
		return to, fmt.Errorf("reading JSON: %w", err)
	}
	return to, nil
}
