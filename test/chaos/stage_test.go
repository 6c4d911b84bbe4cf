package chaos

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/template"
	"github.com/sluice-rollouts/sluice/test/controlplane"
	"github.com/sluice-rollouts/sluice/test/invariants"
	"github.com/sluice-rollouts/sluice/test/manager"
)

// manifest has three short steps. Its deadlines are far away, because a lease that
// runs out takes a quarter of an hour of the world's time.
const manifest = `
apiVersion: rollouts.sluice.dev/v1alpha1
kind: CloudRunRollout
metadata: {name: web}
spec:
  target: {service: {project: acme-prod, location: asia-northeast1, name: web}}
  strategy:
    steps: [{weight: 20, bake: 2m}, {weight: 50, bake: 2m}, {weight: 100, bake: 2m}]
    pacing: Fixed
    stepDeadline: 12h
  analysis: {onNoData: {after: 6h}}
`

// The splits of a release that is well, and of one that is not.
var (
	out  = []map[string]int{{"web-1": 80, "web-2": 20}, {"web-1": 50, "web-2": 50}, {"web-2": 100}}
	back = []map[string]int{{"web-1": 80, "web-2": 20}, {"web-1": 100}}
)

// stage is a world, and the object of a rollout in it on a control plane.
type stage struct {
	*world
	plane  *controlplane.ControlPlane
	people client.Client
	key    client.ObjectKey

	operators int  // so far
	ended     bool // the object was seen to be gone
}

func newStage(t *testing.T, plane *controlplane.ControlPlane) *stage {
	t.Helper()
	s := &stage{world: newWorld(t), plane: plane, people: newClient(t, plane.Config)}
	space := &corev1.Namespace{}
	space.GenerateName = "chaos-"
	if err := s.people.Create(t.Context(), space); err != nil {
		t.Fatal(err)
	}
	s.key = client.ObjectKey{Namespace: space.Name, Name: "web"}
	if err := s.people.Create(t.Context(), manager.Access(space.Name, "acme-prod")); err != nil {
		t.Fatal(err)
	}
	s.apply(manifest)
	t.Cleanup(s.judge)
	return s
}

func newClient(t *testing.T, config *rest.Config) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	config = rest.CopyConfig(config)
	config.QPS = -1
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// apply creates the object.
func (s *stage) apply(object string) {
	s.t.Helper()
	ro := &v1alpha1.CloudRunRollout{}
	if err := yaml.UnmarshalStrict([]byte(object), ro); err != nil {
		s.t.Fatal(err)
	}
	ro.Namespace, s.ended = s.key.Namespace, false
	s.asked(func(now time.Time) (invariants.Event, error) {
		err := s.people.Create(s.t.Context(), ro)
		return planOf(now, ro), err
	})
}

func (s *stage) asked(do func(now time.Time) (invariants.Event, error)) {
	s.t.Helper()
	if err := s.witness.Asked(do); err != nil {
		s.t.Fatal(err)
	}
}

// edit changes the spec, as a person does.
func (s *stage) edit(change func(*v1alpha1.CloudRunRolloutSpec)) {
	s.t.Helper()
	s.asked(func(now time.Time) (invariants.Event, error) {
		ro := &v1alpha1.CloudRunRollout{}
		err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
			if err := s.people.Get(s.t.Context(), s.key, ro); err != nil {
				return err
			}
			change(&ro.Spec)
			return s.people.Update(s.t.Context(), ro)
		})
		return planOf(now, ro), err
	})
}

// ask makes a person's request, about what the status shows.
func (s *stage) ask(verb string) {
	s.t.Helper()
	s.asked(func(now time.Time) (invariants.Event, error) {
		ro := s.get()
		asked := ro.DeepCopy()
		asked.Annotations = map[string]string{
			v1alpha1.RequestID: fmt.Sprintf("%s-%d", verb, now.Unix()), v1alpha1.RequestVerb: verb, v1alpha1.RequestReason: "the test says so",
		}
		err := s.people.Patch(s.t.Context(), asked, client.MergeFrom(ro))
		return invariants.Request{At: invariants.At(now), ID: asked.Annotations[v1alpha1.RequestID], Verb: verb}, err
	})
}

// planOf is what an object asks for, in the words of the invariants.
func planOf(now time.Time, ro *v1alpha1.CloudRunRollout) invariants.Plan {
	plan := invariants.Plan{
		At: invariants.At(now), Number: int(ro.Generation), Paused: ro.Spec.Paused, StableRevision: ro.Spec.StableRevision,
		Errors: &invariants.ErrorLimit{MaxRatio: 0.01, MinRequests: 100},
	}
	for _, c := range ro.Spec.Analysis.Checks {
		if c.ServerErrors != nil {
			plan.Errors.MaxRatio = float64(c.ServerErrors.MaxPercent.IntValue()) / 100
		}
	}
	if ro.Spec.Template != nil {
		wanted, _, _ := template.Read(ro.Spec.Template.Raw)
		plan.Template = wanted.Digest
	}
	for _, s := range ro.Spec.Strategy.Steps {
		bake, _ := time.ParseDuration(string(s.Bake))
		plan.Steps = append(plan.Steps, invariants.Step{
			Weight: int(s.Weight), Bake: int(bake.Minutes()), Approval: s.Approval == v1alpha1.ApprovalRequired,
		})
	}
	return plan
}

func (s *stage) get() *v1alpha1.CloudRunRollout {
	s.t.Helper()
	ro := &v1alpha1.CloudRunRollout{}
	if err := s.people.Get(s.t.Context(), s.key, ro); err != nil {
		s.t.Fatal(err)
	}
	return ro
}

// is tells the phase and the reason of Ready, like Idle/Steady.
func (s *stage) is() string {
	s.t.Helper()
	ro := s.get()
	if ready := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return string(ro.Status.Phase) + "/" + ready.Reason
	}
	return string(ro.Status.Phase)
}

// becomes waits for a phase and reason.
func (s *stage) becomes(want string) {
	s.t.Helper()
	s.await("it is "+want, func() bool { return s.is() == want })
}

// bakes waits until a revision bakes at a weight.
func (s *stage) bakes(revision string, weight int) {
	s.t.Helper()
	s.await(fmt.Sprintf("%s bakes at %d%%", revision, weight), func() bool {
		ro := s.get()
		return ro.Status.Phase == v1alpha1.PhaseBaking && ro.Status.Candidate != nil &&
			ro.Status.Candidate.Revision == revision && int(ro.Status.Candidate.Percent) == weight
	})
}

const (
	// patience is how long anything may take, in real time. A watch that was refused
	// is tried again after up to a minute, and once more where etcd was put back.
	patience = 5 * time.Minute
	// glance is how often is looked whether it has happened.
	glance = 20 * time.Millisecond
)

// await waits until something holds, in real time.
func (s *stage) await(what string, holds func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			s.t.Fatalf("waited %s until %s", patience, what)
		case <-tick.C:
		}
	}
}

// while waits until something holds, and that something else does all the time.
func (s *stage) while(holds func() error, until func() bool) {
	s.t.Helper()
	s.await("that time has passed", func() bool {
		if err := holds(); err != nil {
			s.t.Fatal(err)
		}
		return until()
	})
}

// wrote compares the splits that were accepted.
func (s *stage) wrote(want ...map[string]int) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.splits()); diff != "" {
		s.t.Errorf("writes (-want +got):\n%s", diff)
	}
}

// silent tells when a write was sent after so many.
func (s *stage) silent(after int) func() error {
	return func() error {
		if sent := s.patches(); len(sent) > after {
			return fmt.Errorf("a write was sent to %v", sent[after].Traffic)
		}
		return nil
	}
}

// judge replays all that happened.
func (s *stage) judge() {
	for _, v := range invariants.JudgeHurried(s.witness.Trace(), speed) {
		s.t.Error(v)
	}
	if s.t.Failed() {
		for _, call := range s.patches() {
			s.t.Logf("PATCH %s of %v on %s: %d %s", call.Before.Etag, call.Traffic, call.Etag, call.Code, call.Message)
		}
	}
}
