package objectplane

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// bump is by how much the revision jumps when etcd is put back, as with etcdutl's
// --bump-revision: no resource version is given out twice.
const bump = 1000

// commit is a state of an object, as it was stored.
type commit struct {
	at  time.Time
	of  *kind
	now *unstructured.Unstructured
}

// Restore puts etcd back to the state it had at a time, as a restored snapshot does:
// objects come back as they were, with the resource versions they had then, and what was
// made later is gone. No hook hears of it, because nobody calls.
func (s *Server) Restore(at time.Time) {
	for _, of := range s.kinds {
		of.objects = map[types.NamespacedName]*unstructured.Unstructured{}
	}
	kept := s.history[:0:0]
	for _, c := range s.history {
		if !c.at.After(at) {
			c.of.objects[keyOf(c.now)] = c.now
			kept = append(kept, c)
		}
	}
	s.history, s.revision = kept, s.revision+bump
}
