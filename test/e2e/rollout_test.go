package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

var (
	steps = []map[string]int{{"web-1": 80, "web-2": 20}, {"web-2": 100}}
	back  = []map[string]int{{"web-1": 80, "web-2": 20}, {"web-1": 100}}
)

func TestAHealthyRevisionBecomesStable(t *testing.T) {
	t.Parallel()
	s := newStage(t, scenario, manifest)
	s.pass()
	s.deploy("example.com/web:2", "web-2")
	ro := s.until(v1alpha1.PhaseCompleted)
	if diff := cmp.Diff(steps, s.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	if !meta.IsStatusConditionTrue(ro.Status.Conditions, v1alpha1.ConditionReady) || ro.Status.Stable.Image != "example.com/web:2" {
		t.Errorf("status = %+v", ro.Status)
	}
}

func TestFivePercentErrorsRollBack(t *testing.T) {
	t.Parallel()
	s := newStage(t, scenario, manifest)
	s.pass()
	s.deploy("example.com/web:bad", "web-2")
	ro := s.until(v1alpha1.PhaseRolledBack)
	if diff := cmp.Diff(back, s.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	message := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady).Message
	if !strings.Contains(message, "errors: 5xx") || !strings.Contains(message, "limit 1%") {
		t.Errorf("message = %s", message)
	}
	for range 5 {
		s.pass()
	}
	if diff := cmp.Diff(back, s.writes()); diff != "" {
		t.Errorf("it was tried again (-want +got):\n%s", diff)
	}
}

// TestARestartBeforeEveryLookChangesNothing kills the process before every look.
func TestARestartBeforeEveryLookChangesNothing(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]struct {
		phase  v1alpha1.Phase
		writes []map[string]int
	}{
		"example.com/web:2":   {v1alpha1.PhaseCompleted, steps},
		"example.com/web:bad": {v1alpha1.PhaseRolledBack, back},
	} {
		t.Run(string(want.phase), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, scenario, manifest)
			s.pass()
			s.deploy(image, "web-2")
			for range 300 {
				s.restart()
				if s.pass().Status.Phase == want.phase {
					break
				}
			}
			if diff := cmp.Diff(want.writes, s.writes()); diff != "" || s.get().Status.Phase != want.phase {
				t.Errorf("phase %s, writes (-want +got):\n%s", s.get().Status.Phase, diff)
			}
		})
	}
}

// TestWhatCannotBegin holds the table of bad worlds: each has its phase and
// reason, says what to do, is looked at again in a minute, and moves no traffic.
func TestWhatCannotBegin(t *testing.T) {
	t.Parallel()
	denied := simulator.Fault{Kind: simulator.FaultError, Operation: "services.get", Code: 403, Times: -1}
	cases := map[string]struct {
		world, object string // replacements: "old->new"
		prepare       func(*stage)
		reason        string
		message       string
	}{
		"no service": {
			object: "name: web}}->name: wed}}",
			reason: v1alpha1.ReasonServiceNotFound, message: "service wed does not exist in asia-northeast1 of project acme-prod",
		},
		"no revision of that name": {
			object: "  strategy->  candidateRevision: web-9\n  strategy",
			reason: v1alpha1.ReasonRevisionNotFound, message: "revision web-9 does not exist",
		},
		"the revision does not start": {
			prepare: func(s *stage) { s.deploy("example.com/web:broken", "web-2") },
			reason:  v1alpha1.ReasonRevisionNotReady, message: "it does not listen",
		},
		"access denied": {
			prepare: func(s *stage) {
				s.world(func(w *simulator.World) {
					if err := w.Inject(denied); err != nil {
						s.t.Fatal(err)
					}
				})
			},
			reason: v1alpha1.ReasonAccessDenied, message: "run.services.get",
		},
		"a split that nobody owns": {
			world: `revision: web-1, percent: 100}->revision: web-1, percent: 60}
  - {type: TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION, revision: web-0, percent: 40}`,
			reason: v1alpha1.ReasonBaselineUnknown, message: "web-0 40%, web-1 60%",
		},
		"all traffic leaves through a NAT that nobody named": {
			world: `timeout: 60s}->timeout: 60s, vpcAccess: {egress: ALL_TRAFFIC, networkInterfaces: [{network: n, subnetwork: s}]}}`,
			prepare: func(s *stage) {
				s.pass()
				s.deploy("example.com/web:2", "web-2")
			},
			reason: v1alpha1.ReasonNatUnwatched, message: "spec.nat.gateways",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world := strings.Replace(scenario, "  - {image", "  - {image: example.com/web:0, revision: web-0}\n  - {image", 1)
			s := newStage(t, replaced(t, world, c.world), replaced(t, manifest, c.object))
			s.pass()
			if c.prepare != nil {
				c.prepare(s)
			}
			before := s.serves()
			var ro *v1alpha1.CloudRunRollout
			for range 5 {
				ro = s.pass()
			}
			ready := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady)
			if ro.Status.Phase != v1alpha1.PhaseIdle || ready.Reason != c.reason || !strings.Contains(ready.Message, c.message) {
				t.Errorf("%s/%s: %s", ro.Status.Phase, ready.Reason, ready.Message)
			}
			if !meta.IsStatusConditionTrue(ro.Status.Conditions, v1alpha1.ConditionStalled) || ro.Status.NextAction == "" {
				t.Errorf("conditions %+v, next %q", ro.Status.Conditions, ro.Status.NextAction)
			}
			if s.due != time.Minute {
				t.Errorf("the next look is in %s", s.due)
			}
			if diff := cmp.Diff(before, s.serves()); diff != "" || len(s.writes()) > 0 {
				t.Errorf("%d writes, traffic:\n%s", len(s.writes()), diff)
			}
		})
	}
}

// replaced carries out one replacement.
func replaced(t *testing.T, text, change string) string {
	t.Helper()
	if change == "" {
		return text
	}
	before, after, _ := strings.Cut(change, "->")
	if !strings.Contains(text, before) {
		t.Fatalf("there is no %q", before)
	}
	return strings.Replace(text, before, after, 1)
}

func TestAccessLostMidwayHoldsAndComesBack(t *testing.T) {
	t.Parallel()
	s := newStage(t, scenario, manifest)
	s.pass()
	s.deploy("example.com/web:2", "web-2")
	s.until(v1alpha1.PhaseBaking)
	s.world(func(w *simulator.World) {
		if err := w.Inject(simulator.Fault{Kind: simulator.FaultError, Code: 403, Times: -1}); err != nil {
			t.Fatal(err)
		}
	})
	ro := s.until(v1alpha1.PhaseHeld)
	ready := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady)
	if ready.Reason != v1alpha1.ReasonAccessDenied || !meta.IsStatusConditionTrue(ro.Status.Conditions, v1alpha1.ConditionReconciling) {
		t.Errorf("Ready = %+v", ready)
	}
	s.world(func(w *simulator.World) { w.ClearFaults() })
	s.until(v1alpha1.PhaseCompleted)
	if diff := cmp.Diff(steps, s.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}
