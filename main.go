// Command sluice is the manager: it rolls revisions of Cloud Run services
// forward, step by step, and back.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/controllers"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
)

// freezes reads the freezes, from the manager's cache, in which nothing is changed, or past
// it.
func freezes(c client.Reader) func(context.Context) ([]v1alpha1.RolloutFreeze, error) {
	return func(ctx context.Context) ([]v1alpha1.RolloutFreeze, error) {
		var all v1alpha1.RolloutFreezeList
		err := c.List(ctx, &all, client.UnsafeDisableDeepCopy)
		return all.Items, err
	}
}

// leaseName is the lease of the manager that acts.
const leaseName = "sluice.rollouts.sluice.dev"

// readsFlag is told of where the limit is met.
const readsFlag = "cloud-run-reads-per-minute"

// mostFlag is told of where the limit is met.
const mostFlag = "max-rollouts-per-namespace"

// iamFlag is where tokens of other accounts come from.
const iamFlag = "iam-credentials-endpoint"

// options are the manager's flags.
type options struct {
	cloudRun, monitoring string
	compute, vpcAccess   string
	iam                  string
	reads                int
	most                 int
	direct               bool
	probes, metrics      string
	notifications        string
	dashboard            string
	certificates         string
	leaderElection       bool
	namespace            string
	lease, renew, retry  time.Duration
	told                 clockFlag
	log                  zap.Options
}

func main() {
	o := parse()
	err := o.check()
	if err == nil {
		err = run(ctrl.SetupSignalHandler(), o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sluice:", err)
		os.Exit(1)
	}
}

func parse() options {
	var o options
	flag.StringVar(&o.cloudRun, "cloud-run-endpoint", "",
		"address of the Cloud Run Admin API v2; empty is Google's, an http address on this machine is used without credentials")
	flag.StringVar(&o.monitoring, "monitoring-endpoint", "",
		"address of Cloud Monitoring; empty is Google's, an http address on this machine is used without credentials")
	flag.StringVar(&o.compute, "compute-endpoint", "",
		"address of the Compute API v1; empty is Google's, an http address on this machine is used without credentials")
	flag.StringVar(&o.vpcAccess, "vpc-access-endpoint", "",
		"address of Serverless VPC Access v1; empty is Google's, an http address on this machine is used without credentials")
	flag.StringVar(&o.iam, iamFlag, "",
		"address of IAM Service Account Credentials v1, for accounts that a CloudRunAccess names; empty is Google's, an http address on this machine is used without credentials")
	flag.IntVar(&o.reads, readsFlag, cloudrun.DefaultReadsPerMinute,
		"most reads of the Cloud Run Admin API a minute, for each project and location; writes are not limited")
	flag.IntVar(&o.most, mostFlag, controllers.DefaultMostRollouts,
		"most rollouts of a namespace that are followed, the oldest; the others say so and are sent nothing for, but for what is under way already")
	flag.BoolVar(&o.direct, "config-connector-direct", true,
		"set a way back on the Cloud Run service itself where Config Connector is late with its RunService, after the RunService; needs run.services.update")
	flag.StringVar(&o.probes, "health-probe-bind-address", "127.0.0.1:8081", "address of /healthz and /readyz; 0 for none")
	flag.StringVar(&o.metrics, "metrics-bind-address", "0",
		"address of /metrics; 0 for none; off this machine it is served with TLS, to those who may get /metrics")
	flag.StringVar(&o.notifications, notificationsFlag, "",
		"a file that says where news of rollouts go to, as docs/notifications.md describes it; empty sends none")
	flag.StringVar(&o.dashboard, dashboardFlag, "127.0.0.1:8082",
		"address of the page that shows rollouts; 0 for none; off this machine it is served with TLS, and to each who may list rollouts those")
	flag.StringVar(&o.certificates, certificatesFlag, "",
		"directory with the page's tls.crt and tls.key, which are read again when they change; empty lets the manager make a certificate for itself")
	flag.BoolVar(&o.leaderElection, "leader-elect", true, "let one of several managers act; the others wait")
	flag.StringVar(&o.namespace, "leader-election-namespace", "", "namespace of the lease; empty is the manager's own, and default outside a cluster")
	flag.DurationVar(&o.lease, "leader-election-lease-duration", 15*time.Second, "how long a lease holds that is not renewed")
	flag.DurationVar(&o.renew, "leader-election-renew-deadline", 10*time.Second, "how long renewing is tried before giving up")
	flag.DurationVar(&o.retry, "leader-election-retry-period", 2*time.Second, "time between two tries")
	o.told.bind(flag.CommandLine)
	o.log.BindFlags(flag.CommandLine)
	flag.Parse()
	return o
}

// check finds limits that would let nothing through.
func (o options) check() error {
	switch {
	case o.reads <= 0:
		return fmt.Errorf("--%s: %d reads a minute would be none: write 1 or more, %d unless the project's quota is known",
			readsFlag, o.reads, cloudrun.DefaultReadsPerMinute)
	case o.most <= 0:
		return fmt.Errorf("--%s: %d rollouts would be none: write 1 or more, %d unless a namespace needs more",
			mostFlag, o.most, controllers.DefaultMostRollouts)
	}
	return nil
}

func run(ctx context.Context, o options) error {
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&o.log)))
	now, speed, err := o.told.open(ctx, o.cloudRun, o.monitoring, o.compute, o.vpcAccess)
	if err != nil {
		return err
	}
	own, err := connect(ctx, o, now)
	if err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding a Kubernetes cluster: %w", err)
	}
	o.namespace = leaseNamespace(o.namespace, config)
	mgr, err := ctrl.NewManager(config, managerOptions(o))
	if err != nil {
		return fmt.Errorf("building the manager: %w", err)
	}
	collector := controllers.NewCollector(mgr.GetCache(), now, own.run.Refused)
	if err := register(append(own.counters(), collector)); err != nil {
		return err
	}
	clouds, err := newReach(own, collector, config, o)
	if err = errors.Join(err, mgr.Add(clouds)); err != nil {
		return err
	}
	cluster, err := clusterUID(ctx, mgr.GetAPIReader())
	if err != nil {
		return err
	}
	if err := addDashboard(ctx, mgr, o, now); err != nil {
		return err
	}
	tell, err := notifications(mgr, o.notifications)
	if err != nil {
		return err
	}
	reconciler := newReconciler(mgr, now, o)
	reconciler.Cluster, reconciler.Decided, reconciler.Tell = cluster, collector.Decided, tell
	reconciler.Connect = (&controllers.Gate{Cache: mgr.GetClient(), Live: mgr.GetAPIReader(), Open: clouds.open}).Connect
	pace := func(inner reconcile.Reconciler) reconcile.Reconciler { return paced{inner, speed} }
	if err := reconciler.SetupWithManager(mgr, pace); err != nil {
		return fmt.Errorf("setting up the controller: %w", err)
	}
	if err := errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("ping", healthz.Ping)); err != nil {
		return fmt.Errorf("setting up the probes: %w", err)
	}
	return mgr.Start(ctx)
}

// newReconciler is one that knows the cluster, and no cloud yet.
func newReconciler(mgr ctrl.Manager, now clock.PassiveClock, o options) *controllers.Reconciler {
	return &controllers.Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Clock: now, Process: clock.RealClock{}, Recorder: mgr.GetEventRecorder("sluice"),
		Freezes: freezes(mgr.GetClient()), LiveFreezes: freezes(mgr.GetAPIReader()), MostRollouts: o.most,
	}
}

// register lets what counts be scraped.
func register(all []prometheus.Collector) error {
	for _, c := range all {
		if err := metrics.Registry.Register(c); err != nil {
			return fmt.Errorf("registering the metrics: %w", err)
		}
	}
	return nil
}

// leaseNamespace is where the lease is: a manager that reaches its cluster by a
// kubeconfig has no namespace of its own.
func leaseNamespace(asked string, config *rest.Config) string {
	if asked == "" && config.BearerTokenFile != "/var/run/secrets/kubernetes.io/serviceaccount/token" {
		return metav1.NamespaceDefault
	}
	return asked
}

// clusterUID is what tells this cluster from others in a claim on a service: the
// UID of the namespace kube-system, which lives as long as the cluster.
func clusterUID(ctx context.Context, reader client.Reader) (string, error) {
	var ns corev1.Namespace
	if err := reader.Get(ctx, client.ObjectKey{Name: metav1.NamespaceSystem}, &ns); err != nil {
		return "", fmt.Errorf("reading the namespace kube-system, whose UID names this cluster in claims: %w", err)
	}
	return string(ns.UID), nil
}

func managerOptions(o options) ctrl.Options {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return ctrl.Options{
		Scheme:                  scheme,
		Metrics:                 controllers.MetricsServer(o.metrics),
		HealthProbeBindAddress:  o.probes,
		LeaderElection:          o.leaderElection,
		LeaderElectionID:        leaseName,
		LeaderElectionNamespace: o.namespace,
		LeaseDuration:           &o.lease,
		RenewDeadline:           &o.renew,
		RetryPeriod:             &o.retry,
		// The lease is not released early: a request of ours may still be on its
		// way, and a successor must not meet it.
		LeaderElectionReleaseOnCancel: false,
	}
}
