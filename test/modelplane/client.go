package modelplane

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Cluster is the UID of the namespace kube-system.
const Cluster = "00000000-0000-4000-8000-c10000000000"

// Client returns a client whose reads and writes go to the server.
func (s *Server) Client() client.Client { return s.As("") }

// As returns such a client for a caller of that name, as the history tells it.
func (s *Server) As(who string) client.Client {
	return direct{unmodelled{}, s, who}
}

// direct is a client of a server.
type direct struct {
	unmodelled
	server *Server
	who    string
}

// Get implements client.Reader for rollouts and the namespace kube-system.
func (d direct) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if space, ok := o.(*corev1.Namespace); ok {
		return d.namespace(ctx, key, space)
	}
	into, ok := o.(*v1alpha1.CloudRunRollout)
	if !ok || len(opts) > 0 {
		return notModelled("getting a %T with %d options", o, len(opts))
	}
	return d.do(ctx, Call{Verb: Get, Key: key}, func(Call) (*v1alpha1.CloudRunRollout, error) {
		if found := d.server.now.get(key); found != nil {
			return found, nil
		}
		return nil, errNotFound(key.Name)
	}, into)
}

func (d direct) namespace(ctx context.Context, key client.ObjectKey, into *corev1.Namespace) error {
	if key.Name != metav1.NamespaceSystem {
		return notModelled("getting the namespace %s", key.Name)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return d.server.do(Call{By: d.who, Verb: Get, Resource: "namespaces", Key: key}, func() error {
		*into = corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: key.Name, UID: Cluster}}
		return nil
	})
}

// List implements client.Reader for rollouts, in one namespace or all.
func (d direct) List(ctx context.Context, o client.ObjectList, opts ...client.ListOption) error {
	into, options, err := listOf(o, opts)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	call := Call{By: d.who, Verb: List, Resource: rollouts, Key: types.NamespacedName{Namespace: options.Namespace}}
	return d.server.do(call, func() error {
		d.server.now.list(into, options)
		into.ResourceVersion = version(d.server.revision)
		return nil
	})
}

// listOf understands a request for a list.
func listOf(o client.ObjectList, opts []client.ListOption) (*v1alpha1.CloudRunRolloutList, *client.ListOptions, error) {
	options := (&client.ListOptions{}).ApplyOptions(opts)
	into, ok := o.(*v1alpha1.CloudRunRolloutList)
	if !ok {
		return nil, nil, notModelled("listing a %T", o)
	}
	if options.LabelSelector != nil || options.FieldSelector != nil || options.Limit != 0 || options.Continue != "" || options.Raw != nil {
		return nil, nil, notModelled("listing with %+v", *options)
	}
	return into, options, nil
}

// list writes the objects of a namespace, or all, in order.
func (s snapshot) list(into *v1alpha1.CloudRunRolloutList, options *client.ListOptions) {
	shared := options.UnsafeDisableDeepCopy != nil && *options.UnsafeDisableDeepCopy
	into.Items = make([]v1alpha1.CloudRunRollout, 0, len(s))
	for _, o := range s {
		if options.Namespace != "" && o.Namespace != options.Namespace {
			continue
		}
		if !shared {
			o = o.DeepCopy()
		}
		item := *o
		item.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind)) // of an item nobody takes it off
		into.Items = append(into.Items, item)
	}
}

// Create implements client.Writer.
func (d direct) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	return d.write(ctx, Call{Verb: Create}, o, len(opts), d.server.create)
}

// Update implements client.Writer.
func (d direct) Update(ctx context.Context, o client.Object, opts ...client.UpdateOption) error {
	return d.write(ctx, Call{Verb: Update}, o, len(opts), d.server.update)
}

// Patch implements client.Writer for JSON merge patches.
func (d direct) Patch(ctx context.Context, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
	if patch.Type() != types.MergePatchType {
		return notModelled("a patch of type %s", patch.Type())
	}
	data, err := patch.Data(o)
	if err != nil {
		return fmt.Errorf("making the patch: %w", err)
	}
	return d.write(ctx, Call{Verb: Patch}, o, len(opts), func(c Call) (*v1alpha1.CloudRunRollout, error) {
		return d.server.patch(c, data)
	})
}

// Delete implements client.Writer, with preconditions if wanted.
func (d direct) Delete(ctx context.Context, o client.Object, opts ...client.DeleteOption) error {
	options := (&client.DeleteOptions{}).ApplyOptions(opts)
	if options.DryRun != nil || options.Raw != nil || options.PropagationPolicy != nil && *options.PropagationPolicy != metav1.DeletePropagationBackground {
		return notModelled("deleting with %+v", *options)
	}
	ro, ok := o.(*v1alpha1.CloudRunRollout)
	if !ok {
		return notModelled("deleting a %T", o)
	}
	return d.do(ctx, Call{Verb: Delete, Key: keyOf(ro), Object: ro}, func(c Call) (*v1alpha1.CloudRunRollout, error) {
		return nil, d.server.delete(c, options.Preconditions)
	}, nil)
}

// Status implements client.StatusClient for updates.
func (d direct) Status() client.SubResourceWriter { return status{unmodelledStatus{}, d} }

// status writes the subresource status.
type status struct {
	unmodelledStatus
	client direct
}

// Update implements client.SubResourceWriter.
func (s status) Update(ctx context.Context, o client.Object, opts ...client.SubResourceUpdateOption) error {
	return s.client.write(ctx, Call{Verb: Update, Status: true}, o, len(opts), s.client.server.updateStatus)
}

// effect is what a call does on the server. It returns the answer.
type effect func(Call) (*v1alpha1.CloudRunRollout, error)

// write makes a call that sends an object and gets it back.
func (d direct) write(ctx context.Context, c Call, o client.Object, options int, effect effect) error {
	ro, ok := o.(*v1alpha1.CloudRunRollout)
	if !ok || options > 0 {
		return notModelled("%s of a %T with %d options", c.Verb, o, options)
	}
	c.Key, c.Object = keyOf(ro), ro
	return d.do(ctx, c, effect, ro)
}

// do makes a call. Its answer replaces what into holds.
func (d direct) do(ctx context.Context, c Call, effect effect, into *v1alpha1.CloudRunRollout) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.By, c.Resource = d.who, rollouts
	var answer *v1alpha1.CloudRunRollout
	err := d.server.do(c, func() (err error) {
		answer, err = effect(c)
		return err
	})
	if err != nil || answer == nil {
		return err
	}
	was := into.TypeMeta // a typed client gives it back as it got it
	answer.DeepCopyInto(into)
	into.TypeMeta = was
	return nil
}
