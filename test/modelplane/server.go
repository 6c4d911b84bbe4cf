package modelplane

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Server is the apiserver and its etcd. It is for one goroutine.
type Server struct {
	// Before hears of every call before it has an effect. Its error goes to the
	// caller, and the call has none.
	Before func(Call) error
	// After hears of every call after its effect, and what was answered. Its error
	// takes the place of the answer, as when the answer is lost.
	After func(Call, error) error

	definition

	clock    clock.PassiveClock
	log      []Version
	now      snapshot
	revision int64
	created  int64
	events   []Event
	bare     map[*v1alpha1.CloudRunRollout]bool // stored without a status
}

// New returns an empty server, whose clock stamps creations and deletions. It
// panics if the repository's resource definition cannot be read.
func New(now clock.PassiveClock) *Server {
	read, err := readDefinition()
	if err != nil {
		panic(fmt.Sprintf("modelplane: %v", err))
	}
	return &Server{clock: now, definition: read, bare: map[*v1alpha1.CloudRunRollout]bool{}}
}

// definition is what a server knows of the resource. All servers share it, and none
// changes it.
type definition struct {
	schema  node
	limits  *limits                        // of a status
	initial v1alpha1.CloudRunRolloutStatus // of an object that has none
}

var readDefinition = sync.OnceValues(func() (definition, error) {
	schema, err := readSchema()
	if err != nil {
		return definition{}, err
	}
	d := definition{schema: schema, limits: statusLimits(schema)}
	blank, err := d.received(&v1alpha1.CloudRunRollout{})
	if err != nil {
		return definition{}, err
	}
	d.initial = blank.Status
	return d, nil
})

// Verb is what a call asks for, in the apiserver's words.
type Verb string

// The verbs that are modelled.
const (
	Get    Verb = "get"
	List   Verb = "list"
	Create Verb = "create"
	Update Verb = "update"
	Patch  Verb = "patch"
	Delete Verb = "delete"
)

// Call is one request that reached the server. Reads of a Cache do not.
type Call struct {
	// By is who calls, as given to As.
	By string
	// Verb is what is asked for.
	Verb Verb
	// Status is true for the subresource status.
	Status bool
	// Resource is the plural, such as cloudrunrollouts.
	Resource string
	// Key is empty for a list.
	Key types.NamespacedName
	// Object is what was sent, nil in reads. It is the caller's own.
	Object *v1alpha1.CloudRunRollout
}

// Version is one change of the store.
type Version struct {
	// Revision is the store's revision after the change. A restore lets it fall.
	Revision int64
	// At is when, by the server's clock.
	At time.Time
	// Call is who asked for it and how, without its object. It is empty for a restore.
	Call Call
	// Was and Now are the object before and after, nil where there was or is none.
	// Both belong to the server: read only.
	Was, Now *v1alpha1.CloudRunRollout
	// Restored is true if etcd was put back, and no watch told of the change.
	Restored bool
}

// Key is the name of the object that changed.
func (v Version) Key() types.NamespacedName {
	if v.Now != nil {
		return keyOf(v.Now)
	}
	if v.Was != nil {
		return keyOf(v.Was)
	}
	return types.NamespacedName{}
}

// Revision is the revision of the last change, which is its object's resource version.
func (s *Server) Revision() int64 { return s.revision }

// History returns every change of the objects of a name, oldest first, restores
// included.
func (s *Server) History(key types.NamespacedName) []Version {
	var found []Version
	for _, v := range s.log {
		if v.Key() == key {
			found = append(found, v)
		}
	}
	return found
}

// Log returns every change of every object, oldest first. It belongs to the
// server: read only.
func (s *Server) Log() []Version { return s.log }

// commit stores a change. Now gets the next resource version.
func (s *Server) commit(c Call, was, now *v1alpha1.CloudRunRollout) {
	s.revision++
	if now != nil {
		now.ResourceVersion = version(s.revision)
	}
	c.Object = nil
	v := Version{Revision: s.revision, At: s.clock.Now(), Call: c, Was: was, Now: now}
	s.log = append(s.log, v)
	s.now.put(v.Key(), now)
}

// do lets the hooks see a call.
func (s *Server) do(c Call, effect func() error) error {
	if s.Before != nil {
		if err := s.Before(c); err != nil {
			return err
		}
	}
	err := effect()
	if s.After != nil {
		if lost := s.After(c, err); lost != nil {
			return lost
		}
	}
	return err
}

func version(revision int64) string { return strconv.FormatInt(revision, 10) }

func keyOf(o *v1alpha1.CloudRunRollout) types.NamespacedName {
	return types.NamespacedName{Namespace: o.Namespace, Name: o.Name}
}
