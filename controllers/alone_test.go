package controllers

import (
	"context"
	"slices"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// owners says which client made an object, by its name.
var owners sync.Map

// alone is a client that lists no object which another one has made: stages play side by
// side on one control plane, each in a time of its own, and behind gateways of the same names.
type alone struct{ client.Client }

func (a *alone) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	err := a.Client.Create(ctx, o, opts...)
	if err == nil {
		owners.Store(o.GetName(), a)
	}
	return err
}

func (a *alone) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if err := a.Client.List(ctx, list, opts...); err != nil {
		return err
	}
	if all, ok := list.(*v1alpha1.CloudRunRolloutList); ok {
		all.Items = slices.DeleteFunc(all.Items, func(ro v1alpha1.CloudRunRollout) bool {
			by, known := owners.Load(ro.Name)
			return known && by != a
		})
	}
	return nil
}
