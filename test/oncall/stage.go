// Package oncall plays rollouts as the engineer who is paged meets them: the
// simulated clouds, and the real reconciler on a kube-apiserver in memory, in
// virtual time. What people see is read from the objects that it wrote.
package oncall

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/controllers"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/modelplane"
)

// identity is whose writes to Cloud Run the manager's are.
const identity = "sluice@acme-prod.iam.gserviceaccount.com"

// Stage is a world with a manager in it.
type Stage struct {
	World *simulator.World

	ctx        context.Context //nolint:containedctx // it is as old as the stage
	plane      *modelplane.Server
	cache      *modelplane.Cache
	reconciler reconcile.Reconciler
	wakes      predicate.Predicate
	due        map[client.ObjectKey]time.Time
	failed     error
}

// New sets the stage of a scenario.
func New(ctx context.Context, sc simulator.Scenario) (*Stage, error) {
	world, err := simulator.New(sc)
	if err != nil {
		return nil, err
	}
	s := &Stage{World: world, ctx: ctx, due: map[client.ObjectKey]time.Time{}}
	s.plane = modelplane.New(s)
	s.cache = s.plane.Watch()
	reach, err := newCloud(world, sc)
	if err != nil {
		return nil, err
	}
	r := &controllers.Reconciler{
		Client: s.cache.As("manager"), Live: s.plane.As("manager"), Clock: s, Process: s, Recorder: s.plane.Recorder("manager"),
		Cluster: modelplane.Cluster, Random: func() float64 { return 0.5 },
		Connect: func(context.Context, *v1alpha1.CloudRunRollout) (controllers.Cloud, error) {
			return controllers.Cloud{Observer: reach, Actuator: reach, Deployer: reach, Metrics: reach, Outlets: reach}, nil
		},
	}
	s.reconciler, s.wakes = reconcile.AsReconciler(s.cache.As("manager"), r), r.Wakes()
	s.cache.Relist()
	s.cache.Tell(s.heard)
	return s, nil
}

var _ clock.PassiveClock = (*Stage)(nil)

// Now implements clock.PassiveClock: it is the world's time, which the manager and
// the control plane share.
func (s *Stage) Now() time.Time { return s.World.Now() }

// Since implements clock.PassiveClock.
func (s *Stage) Since(then time.Time) time.Duration { return s.Now().Sub(then) }

// heard lets the manager look at what changed, as its predicates say.
func (s *Stage) heard(c modelplane.Change) {
	if c.Wakes(s.wakes) {
		s.due[c.Key()] = s.Now()
	}
}

// Apply creates a rollout.
func (s *Stage) Apply(ro *v1alpha1.CloudRunRollout) error {
	return s.plane.As("ci").Create(s.ctx, ro.DeepCopy())
}

// Change changes the spec of a rollout, as a person does.
func (s *Stage) Change(key client.ObjectKey, change func(*v1alpha1.CloudRunRollout)) error {
	ro, err := s.Get(key)
	if err != nil {
		return err
	}
	change(ro)
	return s.plane.As("a person").Update(s.ctx, ro)
}

// Get reads a rollout.
func (s *Stage) Get(key client.ObjectKey) (*v1alpha1.CloudRunRollout, error) {
	ro := &v1alpha1.CloudRunRollout{}
	return ro, s.plane.As("a person").Get(s.ctx, key, ro)
}

// All reads all rollouts.
func (s *Stage) All() (v1alpha1.CloudRunRolloutList, error) {
	var list v1alpha1.CloudRunRolloutList
	return list, s.plane.As("a person").List(s.ctx, &list)
}

// Run lets time pass.
func (s *Stage) Run(d time.Duration) error {
	return s.until(s.Now().Add(d), func() bool { return false })
}

// patience is how long a change is waited for in the stage's time.
const patience = 24 * time.Hour

// Until lets time pass until a rollout is as wanted, for a day at most.
func (s *Stage) Until(key client.ObjectKey, what string, holds func(*v1alpha1.CloudRunRollout) bool) error {
	var last *v1alpha1.CloudRunRollout
	err := s.until(s.Now().Add(patience), func() bool {
		ro, err := s.Get(key)
		last = ro
		return err == nil && holds(ro)
	})
	if err == nil && !holds(last) {
		err = fmt.Errorf("%s is never %s; it is %s: %s", key, what, last.Status.Phase, last.Status.NextAction)
	}
	return err
}

// until lets the manager look whenever it wants to, until a time or until something
// holds after a look.
func (s *Stage) until(end time.Time, holds func() bool) error {
	for s.failed == nil && !holds() {
		s.cache.Deliver(s.cache.Pending())
		key, at := s.next()
		if at.After(end) {
			s.World.AdvanceTo(end)
			return nil
		}
		if at.After(s.Now()) {
			s.World.AdvanceTo(at)
		}
		s.look(key)
	}
	return s.failed
}

// never is later than everything that is due.
var never = time.Unix(1<<40, 0)

// next is the look that is due first.
func (s *Stage) next() (client.ObjectKey, time.Time) {
	keys := make([]client.ObjectKey, 0, len(s.due))
	for key := range s.due {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b client.ObjectKey) int {
		return cmp.Or(s.due[a].Compare(s.due[b]), cmp.Compare(a.String(), b.String()))
	})
	if len(keys) == 0 {
		return client.ObjectKey{}, never
	}
	return keys[0], s.due[keys[0]]
}

// look lets the manager look at a rollout once.
func (s *Stage) look(key client.ObjectKey) {
	delete(s.due, key)
	result, err := s.reconciler.Reconcile(s.ctx, reconcile.Request{NamespacedName: key})
	if err != nil {
		s.failed = fmt.Errorf("looking at %s at %s: %w", key, s.Now(), err)
		return
	}
	s.cache.Deliver(s.cache.Pending())
	if after := s.Now().Add(result.RequeueAfter); result.RequeueAfter > 0 && (s.due[key].IsZero() || after.Before(s.due[key])) {
		s.due[key] = after
	}
}
