package controllers

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/notify"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const (
	// passTimeout bounds one pass, so that a hung call cannot hold a worker.
	passTimeout = 90 * time.Second
	// delta is how long after its save a write may still be sent: what a person
	// has changed since then was not known to the decision.
	delta = 5 * time.Second
	// overtaken is how often a rise is decided on one look at the clouds, when others
	// behind the same gateway come first: reading everything anew for each of them
	// would use up the quota that a way back needs.
	overtaken = 8
	// workers is how many rollouts are looked at side by side. A look mostly waits for
	// Google: at 200 ms each, so many keep up with 2,000 rollouts under way that are
	// looked at every 15 seconds, and a few slow answers do not hold up a way back.
	workers = 32
)

// Reconciler rolls Cloud Run services forward, and back.
type Reconciler struct {
	client.Client
	// Live reads objects past the cache, where the cache has fallen silent. Nil means
	// that Client has no cache.
	Live client.Reader
	// Clock is what the core's times are taken from.
	Clock clock.PassiveClock
	// Process is the process's own clock, for what must not take long.
	Process  clock.PassiveClock
	Recorder events.EventRecorder
	// Cluster is the UID of the namespace kube-system, by which claims on services
	// tell clusters apart. Without it no claims are made or heeded.
	Cluster string
	// Decided hears of every decision that was saved, and of the status that it
	// replaced; nil for nobody.
	Decided func(ro *v1alpha1.CloudRunRollout, before *v1alpha1.CloudRunRolloutStatus, d rollout.Decision)
	// Tell hears of every change of state, after it was saved; nil for nobody. It must
	// not wait.
	Tell func(notify.News)
	// Random spreads waits; it returns numbers from 0 to 1. Nil means random ones.
	Random func() float64
	// Freezes lists the freezes of the cluster from a cache; nil for none. LiveFreezes
	// does so past it, before a rise; nil trusts the cache.
	Freezes, LiveFreezes func(context.Context) ([]v1alpha1.RolloutFreeze, error)
	// Connect opens what a rollout may touch: a Gate's, so that nothing else is.
	Connect func(context.Context, *v1alpha1.CloudRunRollout) (Cloud, error)
	// MostRollouts is how many rollouts of one namespace are followed, the oldest; 0
	// means all.
	MostRollouts int

	memory  memory
	sight   sight
	ledger  ledger
	roster  roster
	tallies tallies
}

// Patch is for the finalizer alone; there is no narrower right.
//
// +kubebuilder:rbac:groups=rollouts.sluice.dev,resources=cloudrunrollouts,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=rollouts.sluice.dev,resources=cloudrunrollouts/status,verbs=get;update
// +kubebuilder:rbac:groups=rollouts.sluice.dev,resources=rolloutfreezes,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager registers the reconciler. A status that it writes itself does
// not wake it: it looks again when the decision said so.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, wrap func(reconcile.Reconciler) reconcile.Reconciler) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("cloudrunrollout").
		For(&v1alpha1.CloudRunRollout{}, builder.WithPredicates(r.Wakes())).
		Watches(&v1alpha1.CloudRunRollout{}, hurried(), builder.WithPredicates(r.hurries())).
		Watches(&v1alpha1.CloudRunAccess{}, r.accessChanged()).
		WatchesMetadata(&corev1.Namespace{}, r.labelsChanged(), builder.WithPredicates(relabels())).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: workers,
			RateLimiter:             r.backoff(),
		}).
		Complete(wrap(reconcile.AsReconciler(mgr.GetClient(), r)))
}

// Reconcile observes once, decides once and acts at most once.
func (r *Reconciler) Reconcile(ctx context.Context, ro *v1alpha1.CloudRunRollout) (ctrl.Result, error) {
	r.tellLate(ctx, ro)
	now, err := r.current(ctx, ro)
	switch {
	case apierrors.IsNotFound(err):
		return ctrl.Result{RequeueAfter: goneWait}, nil
	case err != nil:
		return ctrl.Result{}, err
	case now == nil:
		return ctrl.Result{RequeueAfter: staleWait}, nil
	case !now.DeletionTimestamp.IsZero() && !awaitsRollback(now):
		return r.letGo(ctx, now, rollout.Release{})
	case !now.DeletionTimestamp.IsZero():
		result, err := r.release(ctx, now)
		return r.ranked(now, result), err
	}
	result, err := r.pass(ctx, now)
	return r.ranked(now, result), err
}

// pass looks at an object, decides and acts.
func (r *Reconciler) pass(ctx context.Context, ro *v1alpha1.CloudRunRollout) (ctrl.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	defer r.memory.tried(ro)
	if err := r.follows(ctx, ro); err != nil {
		return r.explain(ctx, ro, err)
	}
	cloud, err := r.Connect(ctx, ro)
	if err != nil {
		return r.explain(ctx, ro, err)
	}
	looked := r.Process.Now()
	in, d, err := r.decide(ctx, cloud, ro)
	if err != nil {
		return r.explain(ctx, ro, err)
	}
	r.memory.looked(ro)
	d = sureAccess(ctx, cloud, &in, r.sureHours(ctx, ro, &in, d))
	sure, err := r.sureRevisions(ctx, cloud, &in, dated{d, looked})
	if err == nil {
		err = r.act(ctx, cloud, ro, in, sure)
	}
	for tries := 1; errors.Is(err, errOvertaken) && tries < overtaken; tries++ {
		if in.Peers, err = r.peers(ctx, ro, in); err == nil {
			sure.Decision = rollout.Decide(in)
			err = r.act(ctx, cloud, ro, in, sure)
		}
	}
	if err != nil {
		return r.explain(ctx, ro, err)
	}
	return ctrl.Result{RequeueAfter: wait(in, sure.Decision)}, nil
}

// wait is how long until the next look.
func wait(in rollout.Input, d rollout.Decision) time.Duration {
	return max(d.LookAt.Sub(in.Now), time.Second)
}

// act saves, then writes, then tells. A crash between any two of these is safe:
// the saved intent and the service's etag let the next pass pick up the thread.
func (r *Reconciler) act(ctx context.Context, cloud Cloud, ro *v1alpha1.CloudRunRollout, in rollout.Input, sure dated) error {
	d := sure.Decision
	before := ro.Status.DeepCopy()
	if err := r.claim(ro, in, d); err != nil {
		return err
	}
	err := r.hold(ctx, ro, d)
	if err == nil {
		err = r.save(ctx, ro, in, d)
	}
	r.claimed(ro, err)
	if err != nil {
		return err
	}
	err = r.write(ctx, cloud, in.Plan.Service, sure)
	if err != nil && !maybeWritten(err) {
		d.Events = replies(d.Events) // the state was saved; its transitions are decided again
	}
	r.tell(ctx, ro, before, d)
	if d.Deploy != nil && (err == nil || maybeWritten(err)) {
		r.tellSecrets(ro)
	}
	if err == nil && (d.Write != nil || d.Deploy != nil) {
		r.memory.allowed(ro)
	}
	return err
}

// write sends the one write of a pass, if there is one, unless what it rests on has been
// known for so long, or its save took so long, that a person's pause could have gone
// unseen. A way back is sent all the same: no pause forbids it, and an apiserver that
// stays slow must not.
func (r *Reconciler) write(ctx context.Context, cloud Cloud, ref rollout.ServiceRef, d dated) error {
	switch {
	case d.Deploy != nil:
		return r.deploy(ctx, cloud, ref, *d.Deploy, d.since)
	case d.Write == nil:
		return nil
	}
	w := *d.Write
	if d.Progress.Phase != rollout.RollingBack {
		left := delta - r.Process.Since(d.since)
		if left <= 0 {
			return rollout.ErrLate
		}
		w = w.Within(left)
	}
	if err := cloud.SetTraffic(ctx, ref, w); err != nil {
		return writeError{error: err}
	}
	return nil
}
