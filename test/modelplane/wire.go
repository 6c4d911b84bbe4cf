package modelplane

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// received is an object as the server sees it: what JSON keeps of it, with the
// schema's defaults.
func (d *definition) received(o *v1alpha1.CloudRunRollout) (*v1alpha1.CloudRunRollout, error) {
	fields, err := toFields(o)
	if err != nil {
		return nil, err
	}
	return d.decode(fields)
}

// patched is an object after a JSON merge patch (RFC 7386).
func (d *definition) patched(o *v1alpha1.CloudRunRollout, patch []byte) (*v1alpha1.CloudRunRollout, error) {
	fields, err := toFields(o)
	if err != nil {
		return nil, err
	}
	var changes map[string]any
	if err := json.Unmarshal(patch, &changes); err != nil {
		return nil, fmt.Errorf("decoding the patch: %w", err)
	}
	mergeInto(fields, changes)
	return d.decode(fields)
}

func toFields(o *v1alpha1.CloudRunRollout) (map[string]any, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	return fields, json.Unmarshal(text, &fields)
}

func (d *definition) decode(fields map[string]any) (*v1alpha1.CloudRunRollout, error) {
	d.schema.fill(fields)
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	o := &v1alpha1.CloudRunRollout{}
	if err := json.Unmarshal(text, o); err != nil {
		return nil, err
	}
	o.TypeMeta, o.ManagedFields = metav1.TypeMeta{}, nil
	return o, nil
}

// mergeInto applies a JSON merge patch.
func mergeInto(fields, changes map[string]any) {
	for name, change := range changes {
		below, isObject := change.(map[string]any)
		if change == nil {
			delete(fields, name)
			continue
		}
		if !isObject {
			fields[name] = runtime.DeepCopyJSONValue(change)
			continue
		}
		there, ok := fields[name].(map[string]any)
		if !ok {
			there = map[string]any{}
			fields[name] = there
		}
		mergeInto(there, below)
	}
}
