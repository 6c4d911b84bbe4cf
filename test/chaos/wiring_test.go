package chaos

import (
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/manager"
)

// tenant is a service account of the town.
const tenant = "rollouts@acme-prod.iam.gserviceaccount.com"

// access is what binds the object's namespace, changed.
func (s *stage) access(change func(*v1alpha1.CloudRunAccessSpec)) {
	s.t.Helper()
	access := &v1alpha1.CloudRunAccess{}
	if err := s.people.Get(s.t.Context(), client.ObjectKey{Name: s.key.Namespace}, access); err != nil {
		s.t.Fatal(err)
	}
	change(&access.Spec)
	if err := s.people.Update(s.t.Context(), access); err != nil {
		s.t.Fatal(err)
	}
}

// says waits until the message of Ready has some words.
func (s *stage) says(words string) {
	s.t.Helper()
	s.await(words, func() bool {
		ready := meta.FindStatusCondition(s.get().Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && strings.Contains(ready.Message, words)
	})
}

// calls lists what was asked of the world's APIs, from an event on.
func (w *world) calls(since int) []simulator.Call {
	var calls []simulator.Call
	w.guard.Do(func(sim *simulator.World) {
		for _, e := range sim.LogSince(since) {
			if e.Call != nil {
				calls = append(calls, *e.Call)
			}
		}
	})
	return calls
}

// events is how many there were so far.
func (w *world) events() (n int) {
	w.guard.Do(func(sim *simulator.World) { n = len(sim.Log()) })
	return n
}

// templates counts the writes of a template.
func (w *world) templates() (n int) {
	for _, call := range w.patches() {
		if slices.Contains(call.Mask, "template") {
			n++
		}
	}
	return n
}

// freeze stops the namespace's rises for a day.
func (s *stage) freeze() *v1alpha1.RolloutFreeze {
	s.t.Helper()
	now, _ := s.guard.Now()
	freeze := &v1alpha1.RolloutFreeze{ObjectMeta: metav1.ObjectMeta{Name: s.key.Namespace}}
	freeze.Spec = v1alpha1.RolloutFreezeSpec{
		Start: metav1.NewTime(now.Add(-time.Hour)), End: metav1.NewTime(now.Add(24 * time.Hour)),
		Namespaces: []string{s.key.Namespace}, Reason: "the sale",
	}
	if err := s.people.Create(s.t.Context(), freeze); err != nil {
		s.t.Fatal(err)
	}
	return freeze
}

// TestWiring holds the binary to what its parts promise, each of which is tested alone:
// a part that main.go forgets shows here.
func TestWiring(t *testing.T) {
	t.Parallel()
	perform(t, []scenario{
		{"what nobody is bound to is not even read, until somebody binds it", true, func(s *stage) {
			s.delete(manager.Access(s.key.Namespace, "acme-prod"))
			s.newOperator(alone...).startLeading()
			s.becomes("Idle/AccessDenied")
			if calls := s.calls(0); len(calls) > 0 {
				s.t.Errorf("the world was asked %+v", calls[0])
			}
			if err := s.people.Create(s.t.Context(), manager.Access(s.key.Namespace, "acme-prod")); err != nil {
				s.t.Fatal(err)
			}
			s.becomes("Idle/Steady")
		}},
		{"a freeze holds the rises and no way back", true, func(s *stage) {
			s.newOperator(alone...).startLeading()
			s.becomes("Idle/Steady")
			freeze := s.freeze()
			s.deploy("web:2", "web-2")
			s.becomes("Held/OutsideWindow")
			s.says("the sale")
			if sent := s.patches(); len(sent) > 0 {
				s.t.Errorf("a write was sent to %v", sent[0].Traffic)
			}
			s.delete(freeze)
			s.bakes("web-2", 20)
			s.freeze()
			s.becomes("Held/OutsideWindow")
			s.ask("abort")
			s.becomes("RolledBack/RolledBack")
			s.wrote(back...)
		}},
		{"a template is deployed where that may be, and then rolled out", true, func(s *stage) {
			s.newOperator(alone...).startLeading()
			s.becomes("Idle/Steady")
			s.edit(func(spec *v1alpha1.CloudRunRolloutSpec) {
				spec.Template = &runtime.RawExtension{Raw: []byte(`{"containers":[{"image":"web:2"}],"timeout":"60s"}`)}
			})
			s.becomes("Idle/NotDeployed")
			s.says("mayDeploy")
			if n := s.templates(); n > 0 {
				s.t.Errorf("%d templates were sent", n)
			}
			s.access(func(spec *v1alpha1.CloudRunAccessSpec) { spec.MayDeploy = true })
			s.becomes("Completed/Completed")
			if n := s.templates(); n != 1 {
				s.t.Errorf("%d templates were sent, want 1", n)
			}
		}},
		{"what a namespace has too many of says so, and nothing is asked for it", true, func(s *stage) {
			s.newOperator(slices.Concat(alone, []string{"--max-rollouts-per-namespace=1"})...).startLeading()
			s.becomes("Idle/Steady")
			late := s.get()
			late.ObjectMeta, late.Status = metav1.ObjectMeta{Namespace: s.key.Namespace, Name: "zzz"}, v1alpha1.CloudRunRolloutStatus{}
			late.Spec.Target.Service.Name = "another"
			if err := s.people.Create(s.t.Context(), late); err != nil {
				s.t.Fatal(err)
			}
			s.await("it is told", func() bool {
				if err := s.people.Get(s.t.Context(), client.ObjectKeyFromObject(late), late); err != nil {
					s.t.Fatal(err)
				}
				accepted := meta.FindStatusCondition(late.Status.Conditions, v1alpha1.ConditionAccepted)
				return accepted != nil && accepted.Reason == v1alpha1.ReasonTooManyRollouts
			})
			for _, call := range s.calls(0) {
				if strings.Contains(call.Resource, "another") {
					s.t.Errorf("the world was asked %+v", call)
				}
			}
		}},
		{"everything is called as the account that is bound, and as nobody else", true, func(s *stage) {
			s.access(func(spec *v1alpha1.CloudRunAccessSpec) { spec.GoogleServiceAccount = tenant })
			s.newOperator(slices.Concat(alone, []string{"--iam-credentials-endpoint", s.iam})...).startLeading()
			s.deploy("web:2", "web-2")
			s.becomes("Completed/Completed")
			s.wrote(out...)
			asked := map[string]int{}
			for _, call := range s.calls(0) {
				asked[call.Operation]++
				if want := map[bool]string{true: caller, false: tenant}[call.Operation == "serviceAccounts.generateAccessToken"]; call.Caller != want {
					s.t.Errorf("%s was asked as %s, want %s", call.Operation, call.Caller, want)
				}
			}
			if asked["services.patch"] != 3 || asked["timeSeries.list"] == 0 || asked["serviceAccounts.generateAccessToken"] != 1 {
				s.t.Errorf("asked %v", asked)
			}
			seen := s.events()
			s.access(func(spec *v1alpha1.CloudRunAccessSpec) {
				spec.GoogleServiceAccount = "nobody@acme-prod.iam.gserviceaccount.com"
			})
			s.becomes("Idle/AccessDenied")
			s.says("no token of nobody@acme-prod.iam.gserviceaccount.com: Permission 'iam.serviceAccounts.getAccessToken' denied")
			for _, call := range s.calls(seen) {
				if call.Operation != "serviceAccounts.generateAccessToken" && call.Caller != tenant {
					s.t.Errorf("%s was asked as %s", call.Operation, call.Caller)
				}
			}
		}},
	})
}
