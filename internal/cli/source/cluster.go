package source

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

const (
	// again is how long to wait before a watch that broke is begun anew.
	again = 2 * time.Second
	// unchanged is after how long a rollout that does not change is given again: to whom
	// it is given, it is older than before.
	unchanged = 5 * time.Minute
)

// Cluster is a Kubernetes API server.
type Cluster struct {
	client dynamic.NamespaceableResourceInterface
	clock  clock.Clock
}

// NewCluster reads and asks through a client.
func NewCluster(client dynamic.Interface, c clock.Clock) *Cluster {
	return &Cluster{client.Resource(v1alpha1.GroupVersion.WithResource("cloudrunrollouts")), c}
}

// List gives the rollouts of a namespace, of all for "".
func (c *Cluster) List(ctx context.Context, namespace string) ([]v1alpha1.CloudRunRollout, error) {
	list, err := c.client.Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, explained(err)
	}
	rollouts := make([]v1alpha1.CloudRunRollout, len(list.Items))
	for i := range list.Items {
		if err := into(&list.Items[i], &rollouts[i]); err != nil {
			return nil, err
		}
	}
	return rollouts, nil
}

// Get gives one rollout.
func (c *Cluster) Get(ctx context.Context, name Name) (*v1alpha1.CloudRunRollout, error) {
	obj, err := c.client.Namespace(name.Namespace).Get(ctx, name.Name, metav1.GetOptions{})
	if err != nil {
		return nil, explained(err)
	}
	ro := &v1alpha1.CloudRunRollout{}
	return ro, into(obj, ro)
}

// Follow gives a rollout and its changes, and every few minutes what does not change. A
// watch that ends, as each does then, is begun anew; what the API server cannot answer for
// a while does not end it, once the rollout was seen.
func (c *Cluster) Follow(ctx context.Context, name Name) iter.Seq2[*v1alpha1.CloudRunRollout, error] {
	return func(yield func(*v1alpha1.CloudRunRollout, error) bool) {
		f := following{Cluster: c, ctx: ctx, name: name, yield: yield}
		for f.look() && f.changes() {
			select {
			case <-ctx.Done():
				return
			case <-c.clock.After(again):
			}
		}
	}
}

// following is one call of Follow while it lasts.
type following struct {
	*Cluster
	ctx   context.Context //nolint:containedctx // it is as old as the call
	name  Name
	yield func(*v1alpha1.CloudRunRollout, error) bool
	// version is the one that was given last, and given is when.
	version string
	given   time.Time
}

// give gives a rollout. It tells whether to go on.
func (f *following) give(ro *v1alpha1.CloudRunRollout) bool {
	f.version, f.given = ro.ResourceVersion, f.clock.Now()
	return f.yield(ro, nil)
}

// look gives the rollout as it is now, if that is new, or if it was long ago that it was
// given. It tells whether to go on.
func (f *following) look() bool {
	ro, err := f.Get(f.ctx, f.name)
	switch {
	case f.ctx.Err() != nil:
		return false
	case err != nil && f.version != "" && passes(err):
		return true
	case err != nil:
		f.yield(nil, err)
		return false
	case ro.ResourceVersion == f.version && f.clock.Since(f.given) < unchanged:
		return true
	}
	return f.give(ro)
}

// passes tells whether an error may be gone at the next try: anything but an answer
// that there is no such rollout, or that the caller may not read it.
func passes(err error) bool {
	for _, lasts := range []func(error) bool{
		apierrors.IsNotFound, apierrors.IsForbidden, apierrors.IsUnauthorized, apierrors.IsBadRequest, apierrors.IsInvalid,
	} {
		if lasts(err) {
			return false
		}
	}
	return true
}

// changes gives the changes of the rollout while one watch lasts. It tells whether
// to go on after that: a watch that could not begin is begun again.
func (f *following) changes() bool {
	lasts := int64(unchanged.Seconds())
	w, err := f.client.Namespace(f.name.Namespace).Watch(f.ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, f.name.Name).String(), ResourceVersion: f.version, TimeoutSeconds: &lasts,
	})
	if apierrors.IsForbidden(err) {
		f.yield(nil, explained(err))
		return false
	}
	if err != nil {
		return true
	}
	defer w.Stop()
	for event := range w.ResultChan() {
		ro, err := told(event)
		switch {
		case err != nil:
			f.yield(nil, err)
			return false
		case ro == nil:
			return true
		}
		if !f.give(ro) {
			return false
		}
	}
	return true
}

// told reads an event; nil and no error for one that ends the watch alone.
func told(event watch.Event) (*v1alpha1.CloudRunRollout, error) {
	obj, ok := event.Object.(*unstructured.Unstructured)
	switch {
	case event.Type == watch.Deleted:
		return nil, errors.New("the CloudRunRollout was deleted")
	case !ok || event.Type == watch.Error:
		return nil, nil
	}
	ro := &v1alpha1.CloudRunRollout{}
	return ro, into(obj, ro)
}

func into(obj *unstructured.Unstructured, ro *v1alpha1.CloudRunRollout) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, ro); err != nil {
		return fmt.Errorf("reading CloudRunRollout %s/%s: %w", obj.GetNamespace(), obj.GetName(), err)
	}
	return nil
}

// explained says what to do about an answer of the API server, before the answer.
func explained(err error) error {
	if apierrors.IsNotFound(err) {
		var status apierrors.APIStatus
		if errors.As(err, &status) && status.Status().Details != nil && status.Status().Details.Name == "" {
			return fmt.Errorf("this cluster does not know CloudRunRollouts: install config/crd/bases, or choose another --context: %w", err)
		}
	}
	return err
}
