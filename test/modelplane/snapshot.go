package modelplane

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// snapshot is a state of the store: objects in the order of their keys. They are
// never changed, only replaced.
type snapshot []*v1alpha1.CloudRunRollout

// get returns an object, or nil.
func (s snapshot) get(key types.NamespacedName) *v1alpha1.CloudRunRollout {
	i, found := s.find(key)
	if !found {
		return nil
	}
	return s[i]
}

// put replaces an object. Nil takes it away.
func (s *snapshot) put(key types.NamespacedName, o *v1alpha1.CloudRunRollout) {
	i, found := s.find(key)
	switch {
	case found && o == nil:
		*s = slices.Delete(*s, i, i+1)
	case found:
		(*s)[i] = o
	case o != nil:
		*s = slices.Insert(*s, i, o)
	}
}

func (s snapshot) find(key types.NamespacedName) (at int, found bool) {
	return slices.BinarySearchFunc(s, key, func(o *v1alpha1.CloudRunRollout, key types.NamespacedName) int {
		return compareKeys(keyOf(o), key)
	})
}

// compareKeys orders as etcd does, where a key is namespace/name.
func compareKeys(a, b types.NamespacedName) int {
	return cmp.Compare(a.String(), b.String())
}

// apply moves a state over a change.
func (s *snapshot) apply(v Version) {
	if key := v.Key(); key.Name != "" {
		s.put(key, v.Now)
	}
}

// undo moves a state back before a change.
func (s *snapshot) undo(v Version) {
	if key := v.Key(); key.Name != "" {
		s.put(key, v.Was)
	}
}
