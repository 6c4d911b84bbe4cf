package objectplane

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"
)

// Server is the apiserver and its etcd. It is for one goroutine.
type Server struct {
	// Before hears of every call before it has an effect. Its error goes to the
	// caller, and the call has none.
	Before func(Call) error
	// After hears of every call after its effect, and what was answered. Its error
	// takes the place of the answer, as when the answer is lost.
	After    func(Call, error) error
	clock    clock.PassiveClock
	kinds    map[schema.GroupVersionResource]*kind
	log      []version
	revision int64
	created  int64
}

// version is an object as it was stored.
type version struct {
	at  time.Time
	of  *kind
	now *unstructured.Unstructured
}

// Verb is what a call asks for.
type Verb string

// The verbs that are modelled.
const (
	Get    Verb = "get"
	Create Verb = "create"
	Update Verb = "update"
	Apply  Verb = "apply"
)

// Call is one request.
type Call struct {
	// By is who calls, as given to As.
	By string
	// Verb is what is asked for.
	Verb Verb
	// Status is true for the subresource status.
	Status bool
	// Resource is the plural, such as runservices.
	Resource string
	// Key is the name of the object.
	Key types.NamespacedName
	// Object is what was sent, nil in reads. It is the caller's own.
	Object *unstructured.Unstructured
}

// New returns a server without objects, which has the definitions of
// test/configconnector/crd. Its clock stamps creations and managed fields. It panics if
// they cannot be read.
func New(now clock.PassiveClock) *Server {
	known, err := definitions()
	if err != nil {
		panic(fmt.Sprintf("objectplane: %v", err))
	}
	s := &Server{clock: now, kinds: map[schema.GroupVersionResource]*kind{}}
	for _, d := range known {
		s.kinds[d.GroupVersionResource] = &kind{d, map[types.NamespacedName]*unstructured.Unstructured{}}
	}
	return s
}

// As returns a client for a caller of that name, as the hooks are told it.
func (s *Server) As(who string) dynamic.Interface { return caller{s, who} }

// Object is an object as it is stored, read only; nil where there is none.
func (s *Server) Object(of schema.GroupVersionResource, key types.NamespacedName) *unstructured.Unstructured {
	if one, ok := s.kinds[of]; ok {
		return one.objects[key]
	}
	return nil
}

// do lets the hooks see a call.
func (s *Server) do(c Call, effect func() (*unstructured.Unstructured, error)) (*unstructured.Unstructured, error) {
	if s.Before != nil {
		if err := s.Before(c); err != nil {
			return nil, err
		}
	}
	answer, err := effect()
	if s.After != nil {
		if lost := s.After(c, err); lost != nil {
			return nil, lost
		}
	}
	if err != nil {
		return nil, err
	}
	return answer.DeepCopy(), nil
}

// commit stores a change of an object, with the next resource version.
func (s *Server) commit(of *kind, now *unstructured.Unstructured) {
	s.revision++
	now.SetResourceVersion(strconv.FormatInt(s.revision, 10))
	of.objects[keyOf(now)] = now
	s.log = append(s.log, version{s.clock.Now(), of, now})
}

// restoredBump is by how much the revision jumps, as with etcdutl's --bump-revision.
const restoredBump = 1000

// Restore puts etcd back to the state that it had at a time: objects come back as they
// were, with the resource versions that they had then, and what was made later is gone.
func (s *Server) Restore(at time.Time) {
	s.log = slices.DeleteFunc(s.log, func(v version) bool { return v.at.After(at) })
	for _, one := range s.kinds {
		clear(one.objects)
	}
	for _, v := range s.log {
		v.of.objects[keyOf(v.now)] = v.now
	}
	s.revision += restoredBump
}

func keyOf(o *unstructured.Unstructured) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}
