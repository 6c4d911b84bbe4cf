package killmatrix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/manager"
)

// Bench is where scenes are played: a kube-apiserver that all plays share.
type Bench struct {
	config    *rest.Config
	transport http.RoundTripper
	scheme    *runtime.Scheme
	mapper    meta.RESTMapper
	kube      client.Client // of the people
	cluster   string        // the UID of kube-system, as a manager reads it when it starts
}

// NewBench sets a bench up before a kube-apiserver that knows our resources.
func NewBench(ctx context.Context, config *rest.Config) (*Bench, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1 // time is told, so nothing may wait for it
	b := &Bench{config: config, scheme: runtime.NewScheme()}
	if err := scheme.AddToScheme(b.scheme); err != nil {
		return nil, err
	}
	if err := v1alpha1.AddToScheme(b.scheme); err != nil {
		return nil, err
	}
	web, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	b.transport = web.Transport
	if b.mapper, err = apiutil.NewDynamicRESTMapper(config, web); err != nil {
		return nil, err
	}
	if b.kube, err = b.client(web.Transport); err != nil {
		return nil, err
	}
	space := &corev1.Namespace{}
	err = b.kube.Get(ctx, client.ObjectKey{Name: metav1.NamespaceSystem}, space)
	b.cluster = string(space.UID)
	return b, err
}

// client speaks to the apiserver through a transport.
func (b *Bench) client(transport http.RoundTripper) (client.Client, error) {
	return client.New(b.config, client.Options{
		HTTPClient: &http.Client{Transport: transport}, Scheme: b.scheme, Mapper: b.mapper,
	})
}

// create stores a new rollout in a new namespace.
func (b *Bench) create(ctx context.Context) (*v1alpha1.CloudRunRollout, error) {
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "kill-"}}
	if err := b.kube.Create(ctx, space); err != nil {
		return nil, err
	}
	ro := object(space.Name)
	access := manager.Access(space.Name, ro.Spec.Target.Service.Project)
	for _, g := range ro.Spec.NAT.Gateways {
		access.Spec.NetworkProjects = append(access.Spec.NetworkProjects, g.Project)
	}
	return ro, errors.Join(b.kube.Create(ctx, access), b.kube.Create(ctx, ro))
}

// within is the way to the apiserver for what belongs to one namespace. The plays
// that go on side by side all have a rollout behind the same gateway: one that
// saw another's would wait for it, and go on at other calls than the reference.
type within struct {
	namespace string
	next      http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (w within) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	manager.KeepTo(w.namespace)(req)
	return w.next.RoundTrip(req)
}

// recorder creates events at once, so that they are calls like all others. The
// manager's own recorder does it later, from another goroutine.
type recorder struct {
	ctx  context.Context //nolint:containedctx // the recorder's interface has no argument to pass it in
	kube client.Client
	now  clock.PassiveClock
}

// Eventf implements events.EventRecorder.
//
//nolint:revive // the interface has that many arguments
func (r recorder) Eventf(about, _ runtime.Object, kind, reason, action, note string, args ...any) {
	ro, ok := about.(*v1alpha1.CloudRunRollout)
	if !ok {
		return
	}
	// What becomes of an event is nobody's business, as with the real one.
	_ = r.kube.Create(r.ctx, &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: ro.Namespace, GenerateName: ro.Name + "."},
		EventTime:  metav1.NewMicroTime(r.now.Now()), ReportingController: "sluice", ReportingInstance: "sluice-0",
		Type: kind, Reason: reason, Action: action, Note: fmt.Sprintf(note, args...),
	})
}

// told is a play's time.
type told struct{ play *play }

// Now implements clock.PassiveClock.
func (t told) Now() time.Time {
	now, _ := t.play.guard.Now()
	return now
}

// Since implements clock.PassiveClock.
func (t told) Since(at time.Time) time.Duration { return t.Now().Sub(at) }
