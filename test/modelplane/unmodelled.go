package modelplane

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// unmodelled is the part of client.Client and client.SubResourceWriter that
// Sluice does not use. Its answers are errors, or panics where the interface has
// no room for one.
type unmodelled struct{}

// Apply implements client.Writer.
func (unmodelled) Apply(context.Context, runtime.ApplyConfiguration, ...client.ApplyOption) error {
	return notModelled("server-side apply")
}

// DeleteAllOf implements client.Writer.
func (unmodelled) DeleteAllOf(context.Context, client.Object, ...client.DeleteAllOfOption) error {
	return notModelled("deleting a collection")
}

// SubResource implements client.SubResourceClientConstructor.
func (unmodelled) SubResource(name string) client.SubResourceClient {
	panic(notModelled("the subresource %s", name))
}

// Scheme implements client.Client.
func (unmodelled) Scheme() *runtime.Scheme { panic(notModelled("the scheme")) }

// RESTMapper implements client.Client.
func (unmodelled) RESTMapper() meta.RESTMapper { panic(notModelled("the REST mapper")) }

// GroupVersionKindFor implements client.Client.
func (unmodelled) GroupVersionKindFor(runtime.Object) (schema.GroupVersionKind, error) {
	return schema.GroupVersionKind{}, notModelled("looking up a kind")
}

// IsObjectNamespaced implements client.Client.
func (unmodelled) IsObjectNamespaced(runtime.Object) (bool, error) {
	return false, notModelled("looking up a scope")
}

// unmodelledStatus is the rest of client.SubResourceWriter.
type unmodelledStatus struct{}

// Create implements client.SubResourceWriter.
func (unmodelledStatus) Create(context.Context, client.Object, client.Object, ...client.SubResourceCreateOption) error {
	return notModelled("creating a status")
}

// Patch implements client.SubResourceWriter.
func (unmodelledStatus) Patch(context.Context, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
	return notModelled("patching a status")
}

// Apply implements client.SubResourceWriter.
func (unmodelledStatus) Apply(context.Context, runtime.ApplyConfiguration, ...client.SubResourceApplyOption) error {
	return notModelled("server-side apply of a status")
}
