package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/access"
	"github.com/sluice-rollouts/sluice/internal/binding"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// Gate opens to rollouts what a CloudRunAccess binds to their namespace.
type Gate struct {
	// Cache has every CloudRunAccess, and the metadata of every namespace.
	Cache client.Reader
	// Live reads the same from the apiserver, before a rise and before a template is sent: a
	// cache whose watch has fallen silent shows what was taken away, and does not fail. With
	// nil the cache is believed.
	Live client.Reader
	// Open opens the clouds as a Google service account; "" is the manager's own identity.
	Open func(ctx context.Context, ro *v1alpha1.CloudRunRollout, as string) (Cloud, error)
}

// Of namespaces the labels bind, and the UID of kube-system names the cluster.
//
// +kubebuilder:rbac:groups=rollouts.sluice.dev,resources=cloudrunaccesses,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch

// Connect opens the clouds for one pass on a rollout. Each call is checked just before it
// is made, on the service that it is about, whoever found out which one that is: a pass
// that loses its access loses it at once. It is made as whom the CloudRunAccess says then.
func (g *Gate) Connect(ctx context.Context, ro *v1alpha1.CloudRunRollout) (Cloud, error) {
	// What there is to reach is the same for everybody.
	behind, err := g.Open(ctx, ro, "")
	if err != nil {
		return Cloud{}, err
	}
	p := &guarded{gate: g, namespace: ro.Namespace, open: func(ctx context.Context, as string) (Cloud, error) { return g.Open(ctx, ro, as) }}
	// A RunService is in the rollout's own namespace, and which service it is about is
	// checked where that is read.
	c := Cloud{Observer: p, Actuator: p, Metrics: p, RunService: behind.RunService}
	if behind.Watcher != nil {
		c.Watcher = p
	}
	if behind.Outlets != nil {
		c.Outlets = p
	}
	if behind.Deployer != nil {
		c.Deployer, c.MayDeploy = p, p.mayDeploy
	}
	if g.Live != nil {
		c.StillMay = p.stillMay
	}
	return c, nil
}

// admit says what a namespace may do with a service, now, by what somebody reads.
func admit(ctx context.Context, from client.Reader, namespace string, ref rollout.ServiceRef) (access.Grant, *access.Refusal, error) {
	var all v1alpha1.CloudRunAccessList
	// Nothing here changes what it reads, so nothing need be copied.
	if err := from.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return access.Grant{}, nil, fmt.Errorf("looking for who may roll out what: %w", err)
	}
	who, err := labelsOf(ctx, from, namespace)
	if err != nil {
		return access.Grant{}, nil, err
	}
	bindings := make([]access.Binding, 0, len(all.Items))
	for i := range all.Items {
		bindings = append(bindings, binding.Of(&all.Items[i]))
	}
	grant, refusal := access.Admit(bindings, who, ref)
	return grant, refusal, nil
}

// labelsOf reads the labels of a namespace. One that is gone has none.
func labelsOf(ctx context.Context, from client.Reader, name string) (access.Namespace, error) {
	var read metav1.PartialObjectMetadata
	read.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := from.Get(ctx, client.ObjectKey{Name: name}, &read); client.IgnoreNotFound(err) != nil {
		return access.Namespace{}, fmt.Errorf("reading the labels of namespace %s: %w", name, err)
	}
	return access.Namespace{Name: name, Labels: read.Labels}, nil
}
