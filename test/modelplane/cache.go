package modelplane

import (
	"context"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// errNotListed: a manager starts no controller before its caches are filled.
var errNotListed = errors.New("modelplane: the view has not listed yet")

// Cache is what one controller sees: the state of the store after some change in
// its log, as an informer has it that watches an apiserver which lags behind.
type Cache struct {
	server *Server
	view   snapshot
	seen   int // changes of the log that the view has
	listed bool
	told   func(Change)
}

// Change is what an informer tells its handlers of one object. Both are read only.
type Change struct {
	// Was is nil for an object that is new to the view.
	Was *v1alpha1.CloudRunRollout
	// Now is nil for an object that is gone.
	Now *v1alpha1.CloudRunRollout
}

// Key is the name of the object.
func (c Change) Key() types.NamespacedName {
	if c.Now != nil {
		return keyOf(c.Now)
	}
	return keyOf(c.Was)
}

// Wakes tells whether a controller with these predicates looks at the object for it.
func (c Change) Wakes(p predicate.Predicate) bool {
	switch {
	case c.Was == nil:
		return p.Create(event.CreateEvent{Object: c.Now})
	case c.Now == nil:
		return p.Delete(event.DeleteEvent{Object: c.Was})
	}
	return p.Update(event.UpdateEvent{ObjectOld: c.Was, ObjectNew: c.Now})
}

// Watch returns a new view, as of a process that just started. It must list first.
func (s *Server) Watch() *Cache { return &Cache{server: s} }

// Tell has a handler hear of every change of the view, after it is in the view.
func (c *Cache) Tell(handler func(Change)) { c.told = handler }

// Pending is how many changes the watch has not delivered. After a restore a
// watch delivers none: the view must list again.
func (c *Cache) Pending() int {
	if !c.listed {
		return 0
	}
	if i := c.broken(); i >= 0 {
		return i
	}
	return len(c.server.log) - c.seen
}

// Broken tells whether a restore lies ahead of the view, so that its watch does not lead to
// the present any more.
func (c *Cache) Broken() bool { return c.listed && c.broken() >= 0 }

// broken is how many changes lie between the view and the next restore; negative for none.
func (c *Cache) broken() int {
	return slices.IndexFunc(c.server.log[c.seen:], func(v Version) bool { return v.Restored })
}

// Deliver lets the watch deliver up to n changes, and returns whose they are, each
// name once and in order: what a workqueue holds that took no predicates.
func (c *Cache) Deliver(n int) []types.NamespacedName {
	var keys []types.NamespacedName
	for range min(n, c.Pending()) {
		v := c.server.log[c.seen]
		c.view.apply(v)
		c.seen++
		keys = c.tell(keys, changeOf(v))
	}
	return keys
}

// Relist lets the view list the present state, as after a watch that broke. What
// happened in between is never seen: an object that was deleted and created again
// looks changed.
func (c *Cache) Relist() []types.NamespacedName { return c.list(len(c.server.log)) }

// Rewind lets the view list a state that is that many changes older than its
// own, or than the present if it has not listed: the state of an apiserver that
// lags. Its watch then delivers those changes once more.
func (c *Cache) Rewind(changes int) []types.NamespacedName {
	from := c.seen
	if !c.listed {
		from = len(c.server.log)
	}
	return c.list(max(0, from-changes))
}

// list moves the view to the state after so many changes.
func (c *Cache) list(to int) []types.NamespacedName {
	was := slices.Clone(c.view)
	for ; c.seen < to; c.seen++ {
		c.view.apply(c.server.log[c.seen])
	}
	for ; c.seen > to; c.seen-- {
		c.view.undo(c.server.log[c.seen-1])
	}
	c.listed = true
	var keys []types.NamespacedName
	for _, o := range c.view {
		if before := was.get(keyOf(o)); before == nil || before.ResourceVersion != o.ResourceVersion || before.UID != o.UID {
			keys = c.tell(keys, Change{before, o})
		}
	}
	for _, o := range was {
		if c.view.get(keyOf(o)) == nil {
			keys = c.tell(keys, Change{o, nil})
		}
	}
	return keys
}

// tell tells of a change, and adds its name to keys.
func (c *Cache) tell(keys []types.NamespacedName, change Change) []types.NamespacedName {
	if c.told != nil {
		c.told(change)
	}
	if key := change.Key(); !slices.Contains(keys, key) {
		keys = append(keys, key)
	}
	return keys
}

// changeOf is a change as a watch tells it: a deleted object comes as it was, in
// the version of its deletion.
func changeOf(v Version) Change {
	if v.Now != nil {
		return Change{v.Was, v.Now}
	}
	gone := *v.Was
	gone.ResourceVersion = version(v.Revision)
	return Change{&gone, nil}
}

// Client returns a client that reads the view and writes to the server.
func (c *Cache) Client() client.Client { return c.As("") }

// As returns such a client for a caller of that name, as the history tells it.
func (c *Cache) As(who string) client.Client {
	return cached{direct{unmodelled{}, c.server, who}, c}
}

// cached is a client that reads a view.
type cached struct {
	direct
	view *Cache
}

// Get implements client.Reader, as controller-runtime's cache does.
func (c cached) Get(_ context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	into, ok := o.(*v1alpha1.CloudRunRollout)
	if !ok || len(opts) > 0 {
		return notModelled("getting a %T with %d options from a cache", o, len(opts))
	}
	if !c.view.listed {
		return errNotListed
	}
	found := c.view.view.get(key)
	if found == nil {
		// The cache says the kind where a server says the resource.
		return apierrors.NewNotFound(schema.GroupResource{Group: resource.Group, Resource: kind}, key.Name)
	}
	found.DeepCopyInto(into)
	into.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	return nil
}

// List implements client.Reader, as controller-runtime's cache does.
func (c cached) List(_ context.Context, o client.ObjectList, opts ...client.ListOption) error {
	into, options, err := listOf(o, opts)
	if err != nil {
		return err
	}
	if !c.view.listed {
		return errNotListed
	}
	c.view.view.list(into, options)
	return nil
}
