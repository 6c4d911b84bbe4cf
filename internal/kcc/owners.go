package kcc

import (
	"encoding/json"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Owner is a field manager that owns spec.traffic.
type Owner struct {
	Manager string
	Applies bool      // by server-side apply, which it will do again
	Since   time.Time // its last change, by the API server's clock
}

// ownersOf are the owners of spec.traffic. The list is atomic, so that whoever owns
// any of it owns it whole.
func ownersOf(entries []metav1.ManagedFieldsEntry) []Owner {
	var owners []Owner
	for _, e := range entries {
		if e.Subresource != "" || e.FieldsV1 == nil || !ownsTraffic(e.FieldsV1.GetRawBytes()) {
			continue
		}
		owner := Owner{Manager: e.Manager, Applies: e.Operation == metav1.ManagedFieldsOperationApply}
		if e.Time != nil {
			owner.Since = e.Time.UTC()
		}
		owners = append(owners, owner)
	}
	return owners
}

func ownsTraffic(raw []byte) bool {
	var fields struct {
		Spec map[string]json.RawMessage `json:"f:spec"`
	}
	if err := json.Unmarshal(raw, &fields); err != nil {
		return false
	}
	_, ok := fields.Spec["f:traffic"]
	return ok
}

// ours tells whether an owner is we: an update under our name is somebody else's.
func (o Owner) ours() bool { return o.Manager == Manager && o.Applies }

// ours is our own ownership.
func ours(owners []Owner) (Owner, bool) {
	i := slices.IndexFunc(owners, Owner.ours)
	if i < 0 {
		return Owner{}, false
	}
	return owners[i], true
}

// strangers are the managers that are neither we nor Config Connector.
func strangers(owners []Owner) []string {
	var names []string
	for _, o := range owners {
		if o.Manager != connector && !o.ours() && !slices.Contains(names, o.Manager) {
			names = append(names, o.Manager)
		}
	}
	return names
}
