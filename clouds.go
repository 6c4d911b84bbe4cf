package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/controllers"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/gateway"
	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/identity"
	"github.com/sluice-rollouts/sluice/internal/kcc"
	"github.com/sluice-rollouts/sluice/internal/monitoring"
	"github.com/sluice-rollouts/sluice/internal/version"
)

// clients are Google's APIs in the hands of one identity. What rollouts ask of Cloud
// Monitoring is put together for all that have the same.
type clients struct {
	run         *cloudrun.Client
	answers     *monitoring.Client
	gateways    *gateway.Client
	bureau      *identity.Bureau // of other identities; nil where there can be none
	cloud       controllers.Cloud
	runServices *kcc.Client
}

// connect opens them with the manager's own identity.
func connect(ctx context.Context, o options, now clock.PassiveClock) (clients, error) {
	run, err := cloudrun.New(ctx, cloudrun.Options{Endpoint: o.cloudRun, UserAgent: agent(), Clock: now, ReadsPerMinute: o.reads})
	if err != nil {
		return clients{}, fmt.Errorf("--cloud-run-endpoint: %w", err)
	}
	answers, err := monitoring.New(ctx, monitoring.Options{Endpoint: o.monitoring, UserAgent: agent()})
	if err != nil {
		return clients{}, fmt.Errorf("--monitoring-endpoint: %w", err)
	}
	gateways, err := gateway.New(ctx, gateway.Options{Endpoint: o.compute, VPCAccess: o.vpcAccess, UserAgent: agent(), Clock: now})
	if err != nil {
		return clients{}, fmt.Errorf("--compute-endpoint and --vpc-access-endpoint: %w", err)
	}
	bureau, err := identities(ctx, o)
	return clients{run: run, answers: answers, gateways: gateways, bureau: bureau}, err
}

// identities has the tokens of the accounts that CloudRunAccess objects name; nil where
// none can be had. Google's own tokens never go to what is on this machine, over http.
func identities(ctx context.Context, o options) (*identity.Bureau, error) {
	local := slices.ContainsFunc([]string{o.cloudRun, o.monitoring, o.compute, o.vpcAccess}, onThisMachine)
	switch {
	case local && o.iam == "":
		return nil, nil //nolint:nilnil // no account can be acted as there
	case local && !onThisMachine(o.iam):
		return nil, fmt.Errorf("--%s: %q is not on this machine, and another API is: tokens would leave without encryption; write an http address on this machine, or leave it out", iamFlag, o.iam)
	}
	b, err := identity.New(ctx, identity.Options{Endpoint: o.iam, UserAgent: agent(), Clock: clock.RealClock{}})
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", iamFlag, err)
	}
	return b, nil
}

// as are the same APIs in the hands of another identity.
func (c clients) as(ctx context.Context, tokens google.Tokens) (clients, error) {
	run, err := c.run.As(ctx, tokens)
	answers, answersErr := c.answers.As(ctx, tokens)
	gateways, gatewaysErr := c.gateways.As(ctx, tokens)
	if err := errors.Join(err, answersErr, gatewaysErr); err != nil {
		if answersErr == nil { // the only one that keeps a connection
			err = errors.Join(err, answers.Close())
		}
		return clients{}, err
	}
	return clients{run: run, answers: answers, gateways: gateways}, nil
}

// agent is how the manager calls itself.
func agent() string { return "sluice/" + version.String() }

// reach opens what rollouts may touch, as whom a CloudRunAccess says.
type reach struct {
	collector *controllers.Collector
	api       dynamic.Interface // reaches RunServices
	direct    bool

	clock clock.WithTicker // of what is kept, not of rollouts
	own   clients          // the manager's, which are open to its end

	mu   sync.Mutex
	lent map[string]*lent // by account
}

func newReach(own clients, collector *controllers.Collector, config *rest.Config, o options) (*reach, error) {
	api, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("building the client for RunServices: %w", err)
	}
	r := &reach{collector: collector, api: api, direct: o.direct, clock: clock.RealClock{}, lent: map[string]*lent{}}
	r.own = r.complete(own)
	return r, nil
}

// counters are the calls of all identities.
func (c clients) counters() []prometheus.Collector {
	all := append([]prometheus.Collector{c.run.Counters(), c.answers.Counters()}, c.gateways.Counters()...)
	if c.bureau != nil {
		all = append(all, c.bureau.Counters())
	}
	return all
}

// open is what one rollout may touch: its service, or the RunService in its place.
func (r *reach) open(ctx context.Context, ro *v1alpha1.CloudRunRollout, account string) (controllers.Cloud, error) {
	c, err := r.of(ctx, account)
	if err != nil {
		return controllers.Cloud{}, err
	}
	ref := ro.Spec.Target.RunServiceRef
	if ref == nil {
		return c.cloud, nil
	}
	target := c.runServices.Target(ro.Namespace, ref.Name)
	return c.cloud.Through(target, target, r.collector.Count(target)), nil
}

// complete builds on clients what rollouts see of them.
func (r *reach) complete(c clients) clients {
	c.cloud = controllers.Cloud{
		Observer: c.run, Actuator: r.collector.Count(c.run), Deployer: r.collector.CountDeploys(c.run),
		Metrics: c.answers, Outlets: c.gateways,
		Watcher: cloudrun.NewWatch(c.run, func(err error) {
			ctrl.Log.WithName("watch").Info("Services are read one by one, because they could not be listed", "cause", err.Error())
		}),
	}
	// The API server's times are real, so that ours are here too.
	c.runServices = kcc.New(kcc.Options{API: r.api, Live: c.run, Clock: clock.RealClock{}, Direct: r.direct})
	return c
}
