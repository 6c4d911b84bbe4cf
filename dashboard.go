package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/dashboard"
	"github.com/sluice-rollouts/sluice/internal/dashboard/access"
	"github.com/sluice-rollouts/sluice/internal/version"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// dashboardFlag is told of where the page cannot be served.
const dashboardFlag = "dashboard-bind-address"

// addDashboard lets every replica serve the page: on this machine's own address in
// the open, anywhere else with TLS and to those whom the cluster knows.
func addDashboard(ctx context.Context, mgr ctrl.Manager, o options, now clock.PassiveClock) error {
	if o.dashboard == "0" {
		return nil
	}
	with := dashboard.Options{
		Address: o.dashboard, Source: cached{mgr.GetCache()}, Clock: now, Process: clock.RealClock{},
		Version: version.String(), Console: view.Console,
	}
	if o.leaderElection {
		with.Pulse = (&lease{reader: mgr.GetAPIReader(), namespace: cmp.Or(o.namespace, ownNamespace()), clock: clock.RealClock{}}).pulse
	}
	held, err := certified(o.dashboard, o.certificates)
	if err != nil {
		return err
	}
	if with.TLS = held.config; with.TLS != nil {
		if with.Access, err = access.New(mgr.GetConfig()); err != nil {
			return fmt.Errorf("--%s: %w", dashboardFlag, err)
		}
	}
	page := dashboard.New(with)
	informer, err := mgr.GetCache().GetInformer(ctx, &v1alpha1.CloudRunRollout{})
	if err != nil {
		return fmt.Errorf("watching rollouts for the page: %w", err)
	}
	if _, err := informer.AddEventHandler(tellPage(page)); err != nil {
		return fmt.Errorf("watching rollouts for the page: %w", err)
	}
	return mgr.Add(besides{page, held})
}

// besides serves the page beside the manager's work: that the page cannot be served
// is no reason to stop moving traffic.
type besides struct {
	*dashboard.Server
	certificate certificate
}

// Start serves the page until the context ends.
func (b besides) Start(ctx context.Context) error {
	log := ctrl.Log.WithName("dashboard")
	if err := b.certificate.keep(ctx); err != nil {
		log.Error(err, "The page is not served", "flag", certificatesFlag)
		return nil
	}
	go func() {
		if address := b.Bound(ctx); address != "" {
			log.Info("The page is served", "address", address)
		}
	}()
	if err := b.Server.Start(ctx); err != nil {
		log.Error(err, "The page is not served", "flag", dashboardFlag)
	}
	return nil
}

// tellPage tells the page what the cache hears.
func tellPage(page *dashboard.Server) toolscache.ResourceEventHandler {
	seen := func(object any) {
		if ro, ok := object.(*v1alpha1.CloudRunRollout); ok {
			page.Seen(ro)
		}
	}
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    seen,
		UpdateFunc: func(_, object any) { seen(object) },
		DeleteFunc: func(object any) {
			if last, ok := object.(toolscache.DeletedFinalStateUnknown); ok {
				object = last.Obj
			}
			if ro, ok := object.(*v1alpha1.CloudRunRollout); ok {
				page.Gone(ro)
			}
		},
	}
}

// cached reads rollouts from the manager's cache.
type cached struct{ reader client.Reader }

// Rollouts implements dashboard.Source.
func (c cached) Rollouts(ctx context.Context) ([]v1alpha1.CloudRunRollout, error) {
	var list v1alpha1.CloudRunRolloutList
	// The page changes nothing that it reads, so nothing need be copied.
	err := c.reader.List(ctx, &list, client.UnsafeDisableDeepCopy)
	return list.Items, err
}

// lease reads who leads, at most once in a while however many pages are open.
type lease struct {
	reader    client.Reader
	namespace string
	clock     clock.PassiveClock

	mu     sync.Mutex
	asked  time.Time
	answer dashboard.Pulse
}

// leaseKept is how long an answer about the lease holds.
const leaseKept = 3 * time.Second

// leaseTimeout bounds what a page waits for the lease.
const leaseTimeout = 2 * time.Second

// pulse is what the lease says.
func (l *lease) pulse(ctx context.Context) dashboard.Pulse {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.asked.IsZero() && l.clock.Since(l.asked) < leaseKept {
		return l.answer
	}
	l.asked = l.clock.Now()
	ctx, cancel := context.WithTimeout(ctx, leaseTimeout)
	defer cancel()
	var found coordinationv1.Lease
	err := l.reader.Get(ctx, client.ObjectKey{Namespace: l.namespace, Name: leaseName}, &found)
	if err != nil && !apierrors.IsNotFound(err) {
		l.answer.Err = err
		return l.answer
	}
	pod, _, _ := strings.Cut(ptr.Deref(found.Spec.HolderIdentity, ""), "_")
	l.answer = dashboard.Pulse{
		Leader: pod, Renewed: ptr.Deref(found.Spec.RenewTime, metav1.MicroTime{}).Time,
		Patience: 2 * time.Duration(ptr.Deref(found.Spec.LeaseDurationSeconds, 15)) * time.Second,
	}
	return l.answer
}

// ownNamespace is the one that a pod runs in; "" outside a cluster.
func ownNamespace() string {
	text, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
