package e2e_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// threeSteps has a step in the middle, from which a rollout can go both ways.
const threeSteps = `
apiVersion: rollouts.sluice.dev/v1alpha1
kind: CloudRunRollout
metadata: {name: web}
spec:
  target: {service: {project: acme-prod, location: asia-northeast1, name: web}}
  strategy: {steps: [{weight: 10, bake: 2m}, {weight: 50, bake: 2m}, {weight: 100, bake: 2m}]}
`

// soonest is how soon after a weight serves the next may follow: two minutes of
// evidence, one to settle, and until they can be seen.
const soonest = 5 * time.Minute

// newClaimant is a stage whose reconciler knows its cluster, and so claims.
func newClaimant(t *testing.T) *stage {
	t.Helper()
	s := newStage(t, scenario, threeSteps)
	s.reconciler.Cluster = "cluster-of-" + s.key.Namespace
	s.pass()
	return s
}

// patch is an accepted write and the claim in its body.
type patch struct {
	at     time.Time
	caller string
	split  map[string]int
	claim  claim
}

type claim struct {
	Cluster string   `json:"cluster"`
	UID     string   `json:"uid"`
	Attempt int64    `json:"attempt"`
	Seq     int64    `json:"seq"`
	Stable  string   `json:"stable"`
	Latched []string `json:"latched"`
}

// patches lists the accepted writes of a log.
func patches(t *testing.T, log []simulator.Event) []patch {
	t.Helper()
	var all []patch
	for _, e := range log {
		if e.Call == nil || !e.Call.Accepted || e.Call.Operation != "services.patch" {
			continue
		}
		p := patch{at: e.At, caller: e.Call.Caller, split: e.Call.After.Desired}
		if err := json.Unmarshal([]byte(e.Call.Annotations[cloudrun.ClaimKey]), &p.claim); err != nil {
			t.Errorf("a write without a claim: %v", err)
		}
		all = append(all, p)
	}
	return all
}

func (s *stage) log() []simulator.Event {
	var log []simulator.Event
	s.world(func(w *simulator.World) { log = w.Log() })
	return log
}

// untilWeight makes passes until a candidate bakes at a weight.
func (s *stage) untilWeight(revision string, weight int) *v1alpha1.CloudRunRollout {
	s.t.Helper()
	for range 500 {
		if ro := s.pass(); ro.Status.Phase == v1alpha1.PhaseBaking && s.serves()[revision] == weight {
			return ro
		}
	}
	s.t.Fatalf("%s never baked at %d%%: %+v", revision, weight, s.get().Status)
	return nil
}

// loseStatus empties the status, as a restore without it does.
func (s *stage) loseStatus() {
	s.t.Helper()
	ro := s.get()
	ro.Status = v1alpha1.CloudRunRolloutStatus{}
	if err := s.client.Status().Update(s.t.Context(), ro); err != nil {
		s.t.Fatal(err)
	}
}

// recreate deletes the object and creates it again under the same name.
func (s *stage) recreate() {
	s.t.Helper()
	old := s.get()
	if err := s.client.Delete(s.t.Context(), old.DeepCopy()); err != nil {
		s.t.Fatal(err)
	}
	for range 50 {
		ro := &v1alpha1.CloudRunRollout{}
		err := s.client.Get(s.t.Context(), s.key, ro)
		if apierrors.IsNotFound(err) {
			break
		}
		if err != nil {
			s.t.Fatal(err)
		}
		// Something keeps it until the reconciler lets it go.
		if _, err := s.reconciler.Reconcile(s.t.Context(), ro); err != nil {
			s.t.Fatal(err)
		}
	}
	again := &v1alpha1.CloudRunRollout{Spec: old.Spec}
	again.Namespace, again.Name = old.Namespace, old.Name
	if err := s.client.Create(s.t.Context(), again); err != nil {
		s.t.Fatal(err)
	}
	s.due = 0
}

// noRiseWithoutEvidence judges the world's log from a moment on: a candidate's
// weight rises only after the one before has served for long enough to be judged,
// counted from that moment on.
func (s *stage) noRiseWithoutEvidence(candidate string, from time.Time) {
	s.t.Helper()
	served, since := 0, from
	for _, e := range s.log() {
		switch e.Kind { //nolint:exhaustive // what serves, and what is written
		case simulator.EventEffective:
			if e.Split[candidate] != served {
				served = e.Split[candidate]
				if e.At.After(since) {
					since = e.At
				}
			}
		case simulator.EventCall:
			call := e.Call
			if e.At.Before(from) || call.After == nil || !call.Accepted || call.After.Desired[candidate] <= served {
				continue
			}
			if e.At.Sub(since) < soonest {
				s.t.Errorf("%s: %s rises from %d%% to %d%% after %s", e.At.Format(time.TimeOnly), candidate,
					served, call.After.Desired[candidate], e.At.Sub(since))
			}
		}
	}
}

func (s *stage) now() time.Time { return told{s.guard}.Now() }

// TestWhatWasForgottenIsTakenUpFromTheClaim loses what the object remembers at
// each weight, in two ways. The rollout goes on for the same attempt with the same
// way back, and sees all its evidence anew.
func TestWhatWasForgottenIsTakenUpFromTheClaim(t *testing.T) {
	t.Parallel()
	want := []map[string]int{{"web-1": 90, "web-2": 10}, {"web-1": 50, "web-2": 50}, {"web-2": 100}}
	for name, forget := range map[string]func(*stage){"status lost": (*stage).loseStatus, "object created again": (*stage).recreate} {
		for _, weight := range []int{10, 50, 100} {
			t.Run(fmt.Sprintf("%s at %d%%", name, weight), func(t *testing.T) {
				t.Parallel()
				s := newClaimant(t)
				s.deploy("example.com/web:2", "web-2")
				before := s.untilWeight("web-2", weight).Status
				from := s.now()
				forget(s)
				taken := s.pass().Status
				if taken.Stable == nil || taken.Stable.Revision != "web-1" || taken.Attempt == nil || taken.Attempt.ID != before.Attempt.ID ||
					taken.Attempt.Candidate != "web-2" {
					t.Errorf("at %d%% it went on as %+v with stable %+v", weight, taken.Attempt, taken.Stable)
				}
				s.until(v1alpha1.PhaseCompleted)
				s.noRiseWithoutEvidence("web-2", from)
				for i, p := range patches(t, s.log()) {
					if p.claim.Seq != int64(i+1) || p.claim.Stable != "web-1" || p.claim.Attempt != before.Attempt.ID {
						t.Errorf("write %d claims %+v", i+1, p.claim)
					}
				}
				if diff := cmp.Diff(want, s.writes()); diff != "" {
					t.Errorf("writes (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestWhatWasForgottenStillGoesBack loses the memory of a bad release: while it
// bakes, and once it was given up. It goes back, and is not tried again.
func TestWhatWasForgottenStillGoesBack(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]func(*stage){"status lost": (*stage).loseStatus, "object created again": (*stage).recreate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newClaimant(t)
			s.deploy("example.com/web:bad", "web-2")
			s.untilWeight("web-2", 10)
			from := s.now()
			forget(s)
			s.until(v1alpha1.PhaseRolledBack)
			s.noRiseWithoutEvidence("web-2", from)
			written := len(s.writes())
			forget(s)
			for range 60 {
				s.pass()
			}
			if all := s.writes(); len(all) > written {
				t.Errorf("it was tried again: %v", all[written:])
			}
			if ro := s.get(); ro.Status.Phase != v1alpha1.PhaseIdle || s.serves()["web-1"] != 100 {
				t.Errorf("it is %s, and %v serves", ro.Status.Phase, s.serves())
			}
		})
	}
}

// TestAStatusOfThePastWaitsForAPerson puts a backup of the status back that is a
// step behind.
func TestAStatusOfThePastWaitsForAPerson(t *testing.T) {
	t.Parallel()
	s := newClaimant(t)
	s.deploy("example.com/web:2", "web-2")
	backup := s.untilWeight("web-2", 10).Status
	s.untilWeight("web-2", 50)
	restored := s.get()
	restored.Status = backup
	if err := s.client.Status().Update(t.Context(), restored); err != nil {
		t.Fatal(err)
	}
	written := len(s.writes())
	for range 60 {
		ro := s.pass()
		if ready := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady); ready.Reason != v1alpha1.ReasonStateLost {
			t.Fatalf("it is %s/%s: %s", ro.Status.Phase, ready.Reason, ready.Message)
		}
	}
	if all := s.writes(); len(all) > written {
		t.Errorf("it wrote meanwhile: %v", all[written:])
	}
	from := s.now()
	s.ask(v1alpha1.VerbResume)
	s.until(v1alpha1.PhaseCompleted)
	s.noRiseWithoutEvidence("web-2", from)
}

// ask is a person's request, about what the status shows.
func (s *stage) ask(verb string) {
	s.t.Helper()
	ask(s.t, s.client, s.get(), verb)
}

func ask(t *testing.T, c client.Client, ro *v1alpha1.CloudRunRollout, verb string) {
	t.Helper()
	asked := ro.DeepCopy()
	asked.Annotations = map[string]string{v1alpha1.RequestID: verb + "-1", v1alpha1.RequestVerb: verb, v1alpha1.RequestReason: "the test says so"}
	if err := c.Patch(t.Context(), asked, client.MergeFrom(ro)); err != nil {
		t.Fatal(err)
	}
}
