package configconnector

import (
	"encoding/json"
	"fmt"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Manager is the field manager of Config Connector itself (pkg/k8s/constants.go).
const Manager = "cnrm-controller-manager"

// fields is a set of fields as metadata.managedFields writes it: a key "f:name"
// for each field, with the fields below it.
type fields map[string]any

// below is what of a field's own fields is in the set.
func (f fields) below(name string) fields {
	inner, ok := f["f:"+name].(map[string]any)
	if !ok {
		return nil
	}
	return inner
}

func (f fields) has(name string) bool {
	_, ok := f["f:"+name]
	return ok
}

// meant is what anybody but Config Connector itself owns of spec
// (pkg/k8s/managedfields.go, ConstructManagedFieldsV1Set).
func meant(entries []metav1.ManagedFieldsEntry) (fields, error) {
	all := map[string]any{}
	for _, e := range entries {
		if e.Manager == Manager || e.FieldsV1 == nil {
			continue
		}
		var of fields
		if err := json.Unmarshal(e.FieldsV1.GetRawBytes(), &of); err != nil {
			return nil, fmt.Errorf("reading the fields of manager %s: %w", e.Manager, err)
		}
		join(all, of.below("spec"))
	}
	return all, nil
}

func join(all, more map[string]any) {
	for key, value := range more {
		inner, _ := value.(map[string]any)
		known, ok := all[key].(map[string]any)
		if !ok {
			known = map[string]any{}
			all[key] = known
		}
		join(known, inner)
	}
}

// overlay lays what is meant over what is live: a field that somebody owns comes
// from spec, and so does every list in spec, whoever owns it, because lists are
// atomic; an empty one counts as none. Everything else stays as it is live
// (pkg/k8s/managedfields.go, overlayManagedFieldsOntoState).
func overlay(live, spec map[string]any, owned fields) map[string]any {
	desired := map[string]any{}
	maps.Copy(desired, live)
	for key, value := range spec {
		switch v := value.(type) {
		case []any:
			if len(v) > 0 {
				desired[key] = v
			}
		case map[string]any:
			inner, _ := live[key].(map[string]any)
			if merged := overlay(inner, v, owned.below(key)); len(merged) > 0 {
				desired[key] = merged
			}
		default:
			if owned.has(key) {
				desired[key] = v
			}
		}
	}
	return desired
}
