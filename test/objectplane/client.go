package objectplane

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
)

// ErrNotModelled marks what a simulation may not rely on.
var ErrNotModelled = errors.New("objectplane: not modelled")

func notModelled(what string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNotModelled, fmt.Sprintf(what, args...))
}

// caller is a client in somebody's name.
type caller struct {
	server *Server
	who    string
}

// Resource implements dynamic.Interface.
func (c caller) Resource(of schema.GroupVersionResource) dynamic.NamespaceableResourceInterface {
	return objects{caller: c, of: of}
}

// objects are those of a resource in a namespace; "" is that of the cluster.
type objects struct {
	unmodelled
	caller

	of        schema.GroupVersionResource
	namespace string
}

// Namespace implements dynamic.NamespaceableResourceInterface.
func (o objects) Namespace(name string) dynamic.ResourceInterface {
	o.namespace = name
	return o
}

// call makes a call.
func (o objects) call(
	ctx context.Context, c Call, name string, effect func(*kind, types.NamespacedName) (*unstructured.Unstructured, error),
) (*unstructured.Unstructured, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	key := types.NamespacedName{Namespace: o.namespace, Name: name}
	c.By, c.Resource, c.Key = o.who, o.of.Resource, key
	return o.server.do(c, func() (*unstructured.Unstructured, error) {
		of, ok := o.server.kinds[o.of]
		if !ok {
			return nil, errNoResource
		}
		return effect(of, key)
	})
}

// Get implements dynamic.ResourceInterface.
func (o objects) Get(ctx context.Context, name string, _ metav1.GetOptions, subresources ...string) (*unstructured.Unstructured, error) {
	if len(subresources) > 0 {
		return nil, notModelled("getting the subresource %s", subresources)
	}
	return o.call(ctx, Call{Verb: Get}, name, func(of *kind, key types.NamespacedName) (*unstructured.Unstructured, error) {
		if found := of.objects[key]; found != nil {
			return found, nil
		}
		return nil, of.notFound(name)
	})
}

// Create implements dynamic.ResourceInterface.
func (o objects) Create(ctx context.Context, sent *unstructured.Unstructured, options metav1.CreateOptions, subresources ...string) (*unstructured.Unstructured, error) {
	if len(subresources) > 0 || options.DryRun != nil {
		return nil, notModelled("creating with %v and %+v", subresources, options)
	}
	return o.call(ctx, Call{Verb: Create, Object: sent}, sent.GetName(), func(of *kind, key types.NamespacedName) (*unstructured.Unstructured, error) {
		return o.server.create(of, key, sent, options.FieldManager)
	})
}

// Update implements dynamic.ResourceInterface.
func (o objects) Update(ctx context.Context, sent *unstructured.Unstructured, options metav1.UpdateOptions, subresources ...string) (*unstructured.Unstructured, error) {
	if len(subresources) > 0 || options.DryRun != nil {
		return nil, notModelled("updating with %v and %+v", subresources, options)
	}
	return o.call(ctx, Call{Verb: Update, Object: sent}, sent.GetName(), func(of *kind, key types.NamespacedName) (*unstructured.Unstructured, error) {
		return o.server.update(of, key, sent, options.FieldManager)
	})
}

// UpdateStatus implements dynamic.ResourceInterface.
func (o objects) UpdateStatus(ctx context.Context, sent *unstructured.Unstructured, options metav1.UpdateOptions) (*unstructured.Unstructured, error) {
	if options.DryRun != nil {
		return nil, notModelled("updating with %+v", options)
	}
	return o.call(ctx, Call{Verb: Update, Status: true, Object: sent}, sent.GetName(), func(of *kind, key types.NamespacedName) (*unstructured.Unstructured, error) {
		return o.server.updateStatus(of, key, sent, options.FieldManager)
	})
}

// Apply implements dynamic.ResourceInterface.
func (o objects) Apply(
	ctx context.Context, name string, sent *unstructured.Unstructured, options metav1.ApplyOptions, subresources ...string,
) (*unstructured.Unstructured, error) {
	if len(subresources) > 0 || options.DryRun != nil {
		return nil, notModelled("applying with %v and %+v", subresources, options)
	}
	return o.call(ctx, Call{Verb: Apply, Object: sent}, name, func(of *kind, key types.NamespacedName) (*unstructured.Unstructured, error) {
		return o.server.apply(of, key, sent, options)
	})
}

// unmodelled is the part of dynamic.ResourceInterface that nothing here uses.
type unmodelled struct{}

// Delete implements dynamic.ResourceInterface.
func (unmodelled) Delete(context.Context, string, metav1.DeleteOptions, ...string) error {
	return notModelled("deleting")
}

// DeleteCollection implements dynamic.ResourceInterface.
func (unmodelled) DeleteCollection(context.Context, metav1.DeleteOptions, metav1.ListOptions) error {
	return notModelled("deleting a collection")
}

// List implements dynamic.ResourceInterface.
func (unmodelled) List(context.Context, metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	return nil, notModelled("listing")
}

// Watch implements dynamic.ResourceInterface.
func (unmodelled) Watch(context.Context, metav1.ListOptions) (watch.Interface, error) {
	return nil, notModelled("watching")
}

// Patch implements dynamic.ResourceInterface.
func (unmodelled) Patch(
	context.Context, string, types.PatchType, []byte, metav1.PatchOptions, ...string,
) (*unstructured.Unstructured, error) {
	return nil, notModelled("a patch other than server-side apply")
}

// ApplyStatus implements dynamic.ResourceInterface.
func (unmodelled) ApplyStatus(context.Context, string, *unstructured.Unstructured, metav1.ApplyOptions) (*unstructured.Unstructured, error) {
	return nil, notModelled("server-side apply of a status")
}
