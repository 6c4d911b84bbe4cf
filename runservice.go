package main

import (
	"context"
	"fmt"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/controllers"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/kcc"
)

// keeper opens the RunServices of Config Connector. The API server's times are real, so
// that ours are here too.
func keeper(config *rest.Config, run *cloudrun.Client, o options) (*kcc.Client, error) {
	api, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("building the client for RunServices: %w", err)
	}
	return kcc.New(kcc.Options{API: api, Live: run, Clock: clock.RealClock{}, Direct: o.direct}), nil
}

// reach is what rollouts may touch.
type reach struct {
	cloud       controllers.Cloud
	runServices *kcc.Client
	count       func(controllers.Actuator) controllers.Actuator
}

// gate opens it to the rollouts that a CloudRunAccess binds.
func (r reach) gate(cache client.Reader) *controllers.Gate {
	return &controllers.Gate{Cache: cache, Open: r.of}
}

// of is what one rollout may touch: its service, or the RunService in its place.
func (r reach) of(_ context.Context, ro *v1alpha1.CloudRunRollout) (controllers.Cloud, error) {
	ref := ro.Spec.Target.RunServiceRef
	if ref == nil {
		return r.cloud, nil
	}
	target := r.runServices.Target(ro.Namespace, ref.Name)
	return r.cloud.Through(target, target, r.count(target)), nil
}
