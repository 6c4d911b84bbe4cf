// Package tenants_test lets random namespaces roll out random services under random
// bindings, with the real clients in front of a simulated world, and reads at the
// world's listeners what left.
package tenants_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/controllers"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
	"github.com/sluice-rollouts/sluice/test/modelplane"
)

// stage is a world, a cluster and a manager between them.
type stage struct {
	t        *testing.T
	guard    *wire.Guard
	listener *listener
	town     *town
	kept     *kept
	client   client.Client
	r        *controllers.Reconciler
	due      map[client.ObjectKey]time.Time
	judged   map[string]int // requests, by API and method
	paths    map[string]int // the same, by what they are about
}

func newStage(t *testing.T, seed uint64) *stage {
	t.Helper()
	world, err := simulator.New(scenario(seed))
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{
		t: t, guard: wire.NewGuard(world, clock.RealClock{}), listener: &listener{}, town: &town{},
		due: map[client.ObjectKey]time.Time{}, judged: map[string]int{}, paths: map[string]int{},
	}
	now := told{s.guard}
	plane := modelplane.New(now)
	s.client, s.kept = plane.As(manager), newKept(now, s.listener, world)
	s.town.kept = s.kept
	gate := &controllers.Gate{Cache: s.town, Open: newClouds(t, s.guard, s.listener, s.kept.api()).open}
	s.r = &controllers.Reconciler{
		Client: s.client, Clock: now, Process: now, Recorder: plane.Recorder(manager), Cluster: modelplane.Cluster,
		Random: func() float64 { return 0.5 }, Connect: gate.Connect,
	}
	return s
}

// ownQuery is what some rollouts ask beside the built-in checks.
var ownQuery = v1alpha1.Check{Name: "checkout", Query: v1alpha1.Query{
	PromQL: `sum(rate(run_googleapis_com:request_count{monitored_resource="cloud_run_revision",location="{{location}}",` +
		`service_name="{{service}}",revision_name="{{candidate}}"}[5m]))`,
	Min: "0",
}}

// apply creates a rollout of a service.
func (s *stage) apply(namespace string, of v1alpha1.ServiceReference, checks ...v1alpha1.Check) {
	s.applyTo(namespace, fmt.Sprintf("%s-%s-%s", of.Name, of.Project, of.Location), v1alpha1.Target{Service: &of}, checks...)
}

// applyTo creates a rollout.
func (s *stage) applyTo(namespace, name string, target v1alpha1.Target, checks ...v1alpha1.Check) {
	ro := &v1alpha1.CloudRunRollout{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.CloudRunRolloutSpec{
			Target:   target,
			Strategy: v1alpha1.Strategy{Steps: []v1alpha1.Step{{Weight: 20, Bake: "2m"}, {Weight: 100, Bake: "2m"}}},
			Analysis: v1alpha1.Analysis{Checks: checks},
		},
	}
	if err := client.IgnoreAlreadyExists(s.client.Create(s.t.Context(), ro)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) rollouts() []v1alpha1.CloudRunRollout {
	var all v1alpha1.CloudRunRolloutList
	if err := s.client.List(s.t.Context(), &all); err != nil {
		s.t.Fatal(err)
	}
	return all.Items
}

// minute lets a minute pass, in which every rollout that is due is looked at, and judges
// what came in.
func (s *stage) minute() {
	for range 2 {
		s.guard.Do(func(w *simulator.World) { w.Advance(30 * time.Second) })
		s.keep()
	}
	now := told{s.guard}.Now()
	for _, ro := range s.rollouts() {
		key := client.ObjectKeyFromObject(&ro)
		if s.due[key].After(now) {
			continue
		}
		result, err := s.r.Reconcile(s.t.Context(), &ro)
		if err != nil {
			s.t.Fatalf("looking at %s: %v", key, err)
		}
		s.due[key] = now.Add(result.RequeueAfter)
		s.judge()
	}
}

// judge fails on what came in and nobody is bound to.
func (s *stage) judge() {
	for _, request := range s.listener.heard() {
		ok, err := s.town.allowed(request, s.rollouts())
		if err != nil {
			s.t.Fatal(err)
		}
		if !ok {
			s.t.Fatalf("nobody is bound to what was sent: %s\nunder %s", request, written(s.town.accesses))
		}
		s.paths[request.what]++
		s.judged[strings.TrimSpace(request.api+" "+request.method+" "+request.mask)]++
		if request.as != "" {
			s.judged[request.api+" as an account"]++
		}
	}
}

func written(accesses []v1alpha1.CloudRunAccess) string {
	var all []string
	for _, a := range accesses {
		all = append(all, fmt.Sprintf("%s: %+v", a.Name, a.Spec))
	}
	return strings.Join(all, "\n")
}

// dice draw what people write.
type dice struct{ *rand.Rand }

func (d dice) of(words []string) string { return words[d.IntN(len(words))] }

// some are one or two words.
func (d dice) some(words []string) []string {
	if first, second := d.of(words), d.of(words); first != second {
		return []string{first, second}
	}
	return []string{d.of(words)}
}

func (d dice) reference() v1alpha1.ServiceReference {
	return v1alpha1.ServiceReference{Project: d.of(projects), Location: d.of(locations), Name: d.of(services)}
}

func (d dice) access(i int) v1alpha1.CloudRunAccess {
	a := v1alpha1.CloudRunAccess{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("access-%d", i)}}
	switch d.IntN(3) {
	case 0:
		a.Spec.NamespaceLabels = []v1alpha1.NamespaceLabel{{Name: "team", Value: d.of([]string{"shop", "bank"})}}
		if d.IntN(2) == 0 {
			a.Spec.NamespaceLabels = append(a.Spec.NamespaceLabels, v1alpha1.NamespaceLabel{Name: "tier", Value: "gold"})
		}
	default:
		a.Spec.Namespaces = d.some([]string{"shop", "bank", "labs", "nobody", "*"})
	}
	for range 1 + d.IntN(2) {
		a.Spec.Services = append(a.Spec.Services, v1alpha1.AccessibleServices{
			Project:   d.of(projects),
			Locations: d.some(append([]string{"*"}, locations...)),
			Names:     d.some([]string{"web", "web*", "web-*", "a*", "api", "*"}),
		})
	}
	if d.IntN(2) == 0 {
		a.Spec.NetworkProjects = d.some(networks)
	}
	a.Spec.MayQuery, a.Spec.MayDeploy = d.IntN(2) == 0, d.IntN(2) == 0
	if a.Spec.MayDeploy && d.IntN(2) == 0 {
		a.Spec.Deploy.ServiceAccounts = d.some([]string{"default", runners[1], "*@acme-test.iam.gserviceaccount.com"})
	}
	if a.Spec.MayDeploy && d.IntN(2) == 0 {
		a.Spec.Deploy.ImageRepositories = d.some([]string{images[0], "gcr.io/shop/*", "gcr.io/bank/*"})
	}
	if d.IntN(4) == 0 {
		a.Spec.GoogleServiceAccount = d.of(accounts)
	}
	return a
}

// happens is what people do in a minute: bind, take away, deploy.
func (s *stage) happens(d dice, i int) {
	switch d.IntN(6) {
	case 5:
		s.release(d)
	case 0:
		s.town.accesses = append(s.town.accesses, d.access(i))
	case 1:
		if n := len(s.town.accesses); n > 0 {
			gone := d.IntN(n)
			s.town.accesses = append(s.town.accesses[:gone:gone], s.town.accesses[gone+1:]...)
		}
	case 2, 3:
		rollouts := s.rollouts()
		s.deploy(s.kept.of(rollouts[d.IntN(len(rollouts))]), d.of([]string{"fine", "failing"}))
	}
}

// deploy makes a revision as a person does.
func (s *stage) deploy(of v1alpha1.ServiceReference, image string) {
	s.guard.Do(func(w *simulator.World) {
		name := fmt.Sprintf("projects/%s/locations/%s/services/%s", of.Project, of.Location, of.Name)
		if _, err := w.Deploy(name, simulator.Deployment{Image: image}); err != nil {
			s.t.Error(err)
		}
	})
}

// release writes a template into one of the rollouts, or another one in its place. Those
// of RunServices have none.
func (s *stage) release(d dice) {
	all := s.rollouts()
	ro := all[d.IntN(len(all))]
	if ro.Spec.Target.Service == nil {
		return
	}
	image := d.of(images) + d.of([]string{":v1", ":v2"})
	text := fmt.Sprintf(`{"containers":[{"image":%q},{"image":%q}]`, image, d.of([]string{image, d.of(images)}))
	if runner := d.of(runners); runner != "" {
		text += fmt.Sprintf(`,"serviceAccount":%q`, runner)
	}
	ro.Spec.Template = &runtime.RawExtension{Raw: []byte(text + "}")}
	if err := s.client.Update(s.t.Context(), &ro); err != nil {
		s.t.Fatal(err)
	}
}

// TestNoByteLeavesForAnUnboundTarget: whatever is bound, taken away and deployed while
// rollouts are under way, each request that comes in at the world is about a service, a
// place or a network that a CloudRunAccess binds at that time to the namespace of a
// rollout of it, is made as the account that it says, and makes a revision only where it
// lets that very template be deployed. The same holds of each write of a RunService.
func TestNoByteLeavesForAnUnboundTarget(t *testing.T) {
	t.Parallel()
	const worlds, minutes = 10, 60
	judged, refused, outside := map[string]int{}, 0, 0
	for seed := range uint64(worlds) {
		s, d := newStage(t, seed), dice{rand.New(rand.NewPCG(seed, 1))}
		for range 10 {
			s.apply(d.of([]string{"shop", "bank", "labs"}), d.reference(), []v1alpha1.Check{ownQuery}[:d.IntN(2)]...)
		}
		for range 4 {
			namespace := d.of([]string{"shop", "bank", "labs"})
			of := d.reference()
			of.Name = keptService
			target := s.target(namespace, of)
			s.applyTo(namespace, target.RunServiceRef.Name, target)
		}
		for i := range 2 {
			s.town.accesses = append(s.town.accesses, d.access(i))
		}
		for minute := range minutes {
			s.happens(d, minute+10)
			s.minute()
		}
		for _, ro := range s.rollouts() {
			if ro.Status.Conditions[0].Reason == v1alpha1.ReasonAccessDenied {
				refused++
			}
			for _, c := range ro.Status.Conditions {
				if c.Type == v1alpha1.ConditionAccepted && strings.Contains(c.Message, "spec.deploy of CloudRunAccess") {
					outside++
				}
			}
		}
		for kind, n := range s.judged {
			judged[kind] += n
		}
	}
	t.Logf("%d worlds: %v, %d rollouts refused at the end, %d templates", worlds, judged, refused, outside)
	for _, kind := range []string{
		"cloudrun GET", "cloudrun PATCH traffic,annotations", "cloudrun PATCH template", "kubernetes apply", "compute GET", "monitoring POST",
		"monitoring /google.monitoring.v3.MetricService/ListTimeSeries", "cloudrun as an account", "compute as an account", "monitoring as an account",
	} {
		if judged[kind] < 10 {
			t.Errorf("%s came in %d times, which proves little", kind, judged[kind])
		}
	}
	if refused < 5 || outside < 5 {
		t.Errorf("%d rollouts and %d templates were refused at the end, which proves little", refused, outside)
	}
}

// TestWithoutABindingNothingLeaves, and it is said what would be written.
func TestWithoutABindingNothingLeaves(t *testing.T) {
	t.Parallel()
	s := newStage(t, 1)
	s.apply("shop", v1alpha1.ServiceReference{Project: "acme-prod", Location: "europe-west1", Name: "web"})
	for range 5 {
		s.minute()
	}
	if len(s.judged) > 0 {
		t.Errorf("sent %v", s.judged)
	}
	ready := s.rollouts()[0].Status.Conditions[0]
	if want := "The platform team would create {apiVersion: rollouts.sluice.dev/v1alpha1, kind: CloudRunAccess, metadata: {name: shop}, " +
		"spec: {namespaces: [shop], services: [{project: acme-prod, locations: [europe-west1], names: [web]}]}}."; ready.Reason != v1alpha1.ReasonAccessDenied || !strings.HasSuffix(ready.Message, want) {
		t.Errorf("%s: %s", ready.Reason, ready.Message)
	}
}

// TestNoByteOfAQueryLeavesWithoutMayQuery: the service is bound and its metrics are asked
// for, and of the rollout's own query nothing is sent, and nothing rises, until the
// platform team writes mayQuery; what it would write is said.
func TestNoByteOfAQueryLeavesWithoutMayQuery(t *testing.T) {
	t.Parallel()
	s := newStage(t, 1)
	web := v1alpha1.ServiceReference{Project: "acme-prod", Location: "europe-west1", Name: "web"}
	s.apply("shop", web, ownQuery)
	s.town.accesses = []v1alpha1.CloudRunAccess{{ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: v1alpha1.CloudRunAccessSpec{
		Namespaces: []string{"shop"}, NetworkProjects: networks,
		Services: []v1alpha1.AccessibleServices{{Project: web.Project, Locations: []string{web.Location}, Names: []string{web.Name}}},
	}}}
	for range 3 {
		s.minute()
	}
	s.guard.Do(func(w *simulator.World) {
		if _, err := w.Deploy("projects/acme-prod/locations/europe-west1/services/web", simulator.Deployment{Image: "fine"}); err != nil {
			t.Fatal(err)
		}
	})
	for range 12 {
		s.minute()
	}
	ready := s.rollouts()[0].Status.Conditions[0]
	if s.judged["monitoring POST"] > 0 || s.rollouts()[0].Status.Weight == "20%" {
		t.Errorf("sent %v, with %s", s.judged, s.rollouts()[0].Status.Weight)
	}
	const says = "spec.mayQuery of CloudRunAccess shop is not true; the platform team would write mayQuery: true there"
	if ready.Reason != v1alpha1.ReasonMetricsUnavailable || !strings.Contains(ready.Message, says) {
		t.Errorf("%s: %s", ready.Reason, ready.Message)
	}
	s.town.accesses[0].Spec.MayQuery = true
	for range 15 {
		s.minute()
	}
	if s.judged["monitoring POST"] == 0 {
		t.Errorf("with mayQuery nothing is asked: %v", s.judged)
	}
}
