package controllers

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// shut puts a gate with bindings before the clouds of a stage.
func (s *stage) shut(b *bindings) {
	connect := s.r.Connect
	open := func(ctx context.Context, ro *v1alpha1.CloudRunRollout, _ string) (Cloud, error) {
		return connect(ctx, ro)
	}
	s.r.Connect = (&Gate{Cache: b, Open: open}).Connect
}

// gated is a stage whose service is bound.
func gated(t *testing.T) (*stage, *bindings) {
	t.Helper()
	s, b := newStage(t), &bindings{accesses: []v1alpha1.CloudRunAccess{toWeb()}}
	s.shut(b)
	return s, b
}

// readySays is the reason and the message of Ready.
func readySays(ro *v1alpha1.CloudRunRollout) (reason, message string) {
	if c := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		return c.Reason, c.Message
	}
	return "", ""
}

// TestARolloutThatLosesItsAccessStandsStill: it sends nothing, says so, and goes on when
// access is back.
func TestARolloutThatLosesItsAccessStandsStill(t *testing.T) {
	t.Parallel()
	s, b := gated(t)
	s.started()
	b.accesses = []v1alpha1.CloudRunAccess{toWeb(func(spec *v1alpha1.CloudRunAccessSpec) { spec.Services[0].Names = []string{"api"} })}
	writes := s.cloud.sent()
	for range 10 {
		s.wait(s.pass().RequeueAfter)
	}
	ro := s.get()
	if ro.Status.Phase != v1alpha1.PhaseHeld || s.cloud.sent() != writes {
		t.Fatalf("%s after %d writes", ro.Status.Phase, s.cloud.sent()-writes)
	}
	const want = "access to the service was lost: no CloudRunAccess lets namespace default roll out service web of project acme-prod in asia-northeast1. " +
		"Nothing is sent until access is back, and so nothing is sent back. The platform team would add " +
		"{project: acme-prod, locations: [asia-northeast1], names: [web]} to spec.services of CloudRunAccess webs."
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionReconciling} {
		if c := meta.FindStatusCondition(ro.Status.Conditions, kind); c == nil || c.Reason != v1alpha1.ReasonAccessDenied || c.Message != want {
			t.Errorf("%s says %s: %s", kind, c.Reason, c.Message)
		}
	}
	if told := strings.Join(s.told(), "\n"); strings.Count(told, "Warning AccessDenied access to the service was lost") != 1 {
		t.Errorf("told %s", told)
	}
	b.accesses = []v1alpha1.CloudRunAccess{toWeb()}
	s.until(v1alpha1.PhaseBaking)
}

// TestARiseIsSureOfItsAccess: a cache whose watch has fallen silent goes on showing what was
// taken away.
func TestARiseIsSureOfItsAccess(t *testing.T) {
	t.Parallel()
	s, b := newStage(t), &bindings{accesses: []v1alpha1.CloudRunAccess{toWeb()}}
	live := &bindings{accesses: b.accesses}
	connect := s.r.Connect
	s.r.Connect = (&Gate{Cache: b, Live: live, Open: func(ctx context.Context, ro *v1alpha1.CloudRunRollout, _ string) (Cloud, error) {
		return connect(ctx, ro)
	}}).Connect
	s.started()
	live.accesses = nil
	writes := s.cloud.sent()
	s.until(v1alpha1.PhaseHeld)
	for range 20 { // the cache goes on saying that it may
		s.wait(s.pass().RequeueAfter)
	}
	s.until(v1alpha1.PhaseHeld)
	reason, message := readySays(s.get())
	if s.cloud.sent() != writes || reason != v1alpha1.ReasonAccessDenied || !strings.Contains(message, "no CloudRunAccess lets namespace default roll out service web") {
		t.Fatalf("after %d writes %s: %s", s.cloud.sent()-writes, reason, message)
	}
	live.err = errors.New("the apiserver does not answer")
	s.wait(time.Minute)
	s.pass()
	reason, message = readySays(s.get())
	if s.cloud.sent() != writes || reason != v1alpha1.ReasonOutsideWindow || !strings.Contains(message, "whether it is still allowed could not be read") {
		t.Errorf("%d writes though nobody can say whether it may rise; %s: %s", s.cloud.sent()-writes, reason, message)
	}
	s.cloud.set(func() { s.cloud.errors["web-2"] = 50 })
	s.until(v1alpha1.PhaseRolledBack) // for which nobody is asked
	if s.cloud.sent() != writes+1 {
		t.Errorf("%d writes lead back", s.cloud.sent()-writes)
	}
}

// TestAWayBackThatMetAClosedGateIsSentWhenItOpens: who replaces a CloudRunAccess takes it
// away for a moment. That is no denial of Google's, after which is waited a minute.
func TestAWayBackThatMetAClosedGateIsSentWhenItOpens(t *testing.T) {
	t.Parallel()
	s, b := gated(t)
	s.started()
	writes, began := s.cloud.sent(), s.clock.Now()
	s.request("1", map[string]string{"verb": "abort"})
	s.r.Client = slow{s.client, func() { b.accesses = nil }} // between the look and the write
	result := s.pass()
	if s.cloud.sent() != writes {
		t.Fatal("it was sent through a closed gate")
	}
	s.r.Client, b.accesses = s.client, []v1alpha1.CloudRunAccess{toWeb()}
	for range 5 {
		s.wait(result.RequeueAfter)
		if result = s.pass(); s.cloud.sent() > writes {
			break
		}
	}
	if took := s.clock.Now().Sub(began); s.cloud.sent() != writes+1 || took > 10*time.Second {
		t.Errorf("%d writes after %s", s.cloud.sent()-writes, took)
	}
	s.until(v1alpha1.PhaseRolledBack)
}

// TestAnObjectWithoutAccessGoesAndSaysWhatWasNotDone: it was to send traffic back when it
// is deleted.
func TestAnObjectWithoutAccessGoesAndSaysWhatWasNotDone(t *testing.T) {
	t.Parallel()
	s, b := gated(t)
	s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec.Strategy.OnDelete = v1alpha1.OnDeleteRollback })
	ro := s.started()
	if err := s.client.Delete(t.Context(), ro); err != nil {
		t.Fatal(err)
	}
	b.accesses = nil
	writes := s.cloud.sent()
	s.pass()
	if err := s.client.Get(t.Context(), s.key, ro); !apierrors.IsNotFound(err) || s.cloud.sent() != writes {
		t.Errorf("the object: %v, after %d writes", err, s.cloud.sent()-writes)
	}
	const want = "Warning Released not sent back: access to the service was lost: no CloudRunAccess lets namespace default roll out service web"
	if told := strings.Join(s.told(), "\n"); !strings.Contains(told, want) {
		t.Errorf("told %s", told)
	}
}

// theRunService is about some service.
type theRunService struct{ about rollout.ServiceRef }

func (r *theRunService) Ref(context.Context) (rollout.ServiceRef, rollout.Service, error) {
	return r.about, rollout.Service{Presence: rollout.Found}, nil
}

func (r *theRunService) Release(context.Context) error { return nil }

// TestTheServiceOfARunServiceIsCheckedAsAnyOther: whoever writes the RunService does not
// decide with that what is reached.
func TestTheServiceOfARunServiceIsCheckedAsAnyOther(t *testing.T) {
	t.Parallel()
	s, of := newStage(t), &theRunService{rollout.ServiceRef{Project: "acme-bank", Location: "europe-west1", Name: "salaries"}}
	direct := s.r.Connect
	s.r.Connect = func(ctx context.Context, ro *v1alpha1.CloudRunRollout) (Cloud, error) {
		cloud, err := direct(ctx, ro)
		return cloud.Through(of, s.cloud, s.cloud), err
	}
	s.shut(&bindings{accesses: []v1alpha1.CloudRunAccess{toWeb()}})
	s.pass()
	reason, message := readySays(s.get())
	if reason != v1alpha1.ReasonAccessDenied || !strings.Contains(message, "{project: acme-bank, locations: [europe-west1], names: [salaries]}") || s.cloud.reads > 0 {
		t.Errorf("after %d reads %s: %s", s.cloud.reads, reason, message)
	}
	of.about = webRef
	s.wait(time.Minute)
	s.pass()
	if reason, message := readySays(s.get()); reason == v1alpha1.ReasonAccessDenied || s.cloud.reads == 0 {
		t.Errorf("with access, after %d reads %s: %s", s.cloud.reads, reason, message)
	}
}

// TestAnUpgradeWithoutABindingSaysWhatToWrite takes up what every version without bindings
// left behind, in every state, where nobody has written one yet: nothing is sent, not
// even a read, it is said which manifest to write, and with that it goes on. It is not
// parallel: the others that play with these objects would find neighbours behind their
// gateway.
func TestAnUpgradeWithoutABindingSaysWhatToWrite(t *testing.T) {
	afterUpgrade(t, func(t *testing.T, k legacy) {
		t.Helper()
		s, b := newStage(t), &bindings{}
		s.restore(k)
		s.shut(b)
		was, _ := readySays(s.get())
		s.wait(s.pass().RequeueAfter)
		s.pass()
		if s.cloud.reads+s.cloud.sent() > 0 {
			t.Errorf("%d reads and %d writes", s.cloud.reads, s.cloud.sent())
		}
		is, message := readySays(s.get())
		const manifest = "The platform team would create {apiVersion: rollouts.sluice.dev/v1alpha1, kind: CloudRunAccess, metadata: {name: default}, " +
			"spec: {namespaces: [default], services: [{project: acme-prod, locations: [asia-northeast1], names: [web]}]}}."
		if !strings.HasSuffix(message, manifest) {
			t.Errorf("%s: %s", is, message)
		}
		if told := strings.Join(s.told(), "\n"); is != was && !strings.Contains(told, "Warning AccessDenied access to the service") {
			t.Errorf("from %s to %s it is told %q", was, is, told)
		}
		b.accesses = []v1alpha1.CloudRunAccess{toWeb(func(spec *v1alpha1.CloudRunAccessSpec) { spec.NetworkProjects = []string{"acme-net"} })}
		s.wait(time.Minute)
		s.pass()
		if is, message := readySays(s.get()); strings.Contains(message, "CloudRunAccess") {
			t.Errorf("with access %s: %s", is, message)
		}
	})
}
