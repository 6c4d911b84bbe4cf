package controllers

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

var update = flag.Bool("update", false, "write the golden objects anew")

const golden = "../test/kstatus/testdata"

var morning = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// standings is the table of phases and conditions (design 4.4), a row for each
// phase and reason: what kstatus makes of it, and what Ready and its companion say.
var standings = []struct {
	phase   rollout.Phase
	reason  rollout.Reason
	kstatus string
	ready   metav1.ConditionStatus
	also    string // the condition beside Ready
}{
	{rollout.Idle, rollout.Steady, "Current", metav1.ConditionTrue, ""},
	{rollout.Completed, rollout.ReasonCompleted, "Current", metav1.ConditionTrue, ""},
	{rollout.Idle, rollout.Preparing, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Idle, rollout.Deploying, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Checking, rollout.Preparing, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.WarmingUp, rollout.Preparing, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Shifting, rollout.Progressing, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Baking, rollout.Progressing, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.AwaitingApproval, rollout.ReasonAwaitingApproval, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Held, rollout.HeldByAnalysis, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Held, rollout.MetricsUnavailable, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Held, rollout.TooFewRequests, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Held, rollout.AssetsMissed, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Held, rollout.WaitingForNat, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Held, rollout.OutsideWindow, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Held, rollout.AccessDenied, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Paused, rollout.ReasonPaused, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Paused, rollout.TrafficConflict, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Paused, rollout.StepDeadlineExceeded, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Paused, rollout.NoDataDeadlineExceeded, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.Paused, rollout.BaselineLost, "Failed", metav1.ConditionFalse, "Stalled"},
	{rollout.Paused, rollout.StateLost, "Failed", metav1.ConditionFalse, "Stalled"},
	{rollout.RollingBack, rollout.ReasonRollingBack, "InProgress", metav1.ConditionFalse, "Reconciling"},
	{rollout.RolledBack, rollout.ReasonRolledBack, "Failed", metav1.ConditionFalse, "Stalled"},
	{rollout.Idle, v1alpha1.ReasonInvalidSpec, "Failed", metav1.ConditionFalse, "Stalled"},
	{rollout.Idle, v1alpha1.ReasonTooManyRollouts, "Failed", metav1.ConditionFalse, "Stalled"},
	{rollout.Idle, rollout.AccessDenied, "Failed", metav1.ConditionFalse, "Stalled"},
	{rollout.Idle, rollout.ServiceNotFound, "Failed", metav1.ConditionFalse, "Stalled"},
	{rollout.Idle, rollout.BaselineUnknown, "Failed", metav1.ConditionFalse, "Stalled"},
	{rollout.Idle, rollout.NatUnwatched, "Failed", metav1.ConditionFalse, "Stalled"},
	{rollout.Idle, rollout.RevisionNotFound, "Failed", metav1.ConditionFalse, "Stalled"},
	{rollout.Idle, rollout.RevisionNotReady, "Failed", metav1.ConditionFalse, "Stalled"},
	{rollout.Idle, rollout.NotDeployed, "Failed", metav1.ConditionFalse, "Stalled"},
	{rollout.Idle, rollout.OwnedElsewhere, "Failed", metav1.ConditionFalse, "Stalled"},
}

// TestGoldenObjectsAreCurrent writes the objects that test/kstatus, a module of
// its own, gives to the library that Flux and kubectl's plugins wait with.
func TestGoldenObjectsAreCurrent(t *testing.T) {
	want := map[string]string{}
	for _, row := range standings {
		ro := standingAt(t, row.phase, row.reason)
		text, err := yaml.Marshal(ro)
		if err != nil {
			t.Fatal(err)
		}
		want[fmt.Sprintf("%s-%s.yaml", row.phase, row.reason)] = "# kstatus: " + row.kstatus + "\n" + string(text)
	}
	want["not-seen-yet.yaml"] = unseen(t)
	if *update {
		for name, text := range want {
			if err := os.WriteFile(filepath.Join(golden, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(golden, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(file)] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("golden objects differ from what is computed; if that is meant: go test ./controllers -run Golden -update\n%s", diff)
	}
}

// unseen is an object that nobody has looked at: without the -1 it would pass
// for done.
func unseen(t *testing.T) string {
	t.Helper()
	ro := object()
	ro.Status.ObservedGeneration = -1
	text, err := yaml.Marshal(ro)
	if err != nil {
		t.Fatal(err)
	}
	return "# kstatus: InProgress\n" + string(text)
}

func TestReadyAndItsCompanionFollowTheTable(t *testing.T) {
	t.Parallel()
	for _, row := range standings {
		t.Run(string(row.phase)+" "+string(row.reason), func(t *testing.T) {
			t.Parallel()
			conditions := standingAt(t, row.phase, row.reason).Status.Conditions
			ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
			if ready == nil || ready.Status != row.ready || ready.Reason != string(row.reason) || ready.ObservedGeneration != 3 {
				t.Errorf("Ready is %+v", ready)
			}
			for _, abnormal := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
				if got := meta.IsStatusConditionTrue(conditions, abnormal); got != (abnormal == row.also) {
					t.Errorf("%s = %t", abnormal, got)
				}
			}
		})
	}
}

func TestEveryPhaseAndReasonHasItsRow(t *testing.T) {
	t.Parallel()
	phases := map[rollout.Phase]bool{}
	for _, row := range standings {
		phases[row.phase] = true
	}
	for _, phase := range rollout.Phases {
		if !phases[phase] {
			t.Errorf("%s has no row", phase)
		}
	}
}

// TestAnyTwoStandingsInARowLeaveOneCompanion goes from every row to every other:
// what one sets the next one has to take away.
func TestAnyTwoStandingsInARowLeaveOneCompanion(t *testing.T) {
	t.Parallel()
	for _, from := range standings {
		for _, to := range standings {
			ro := standingAt(t, from.phase, from.reason)
			stand(t, ro, to.phase, to.reason)
			var abnormal []string
			for _, c := range ro.Status.Conditions {
				if c.Type == v1alpha1.ConditionReconciling || c.Type == v1alpha1.ConditionStalled {
					abnormal = append(abnormal, c.Type)
				}
			}
			if strings.Join(abnormal, "+") != to.also {
				t.Errorf("after %s/%s then %s/%s: %v, want %q", from.phase, from.reason, to.phase, to.reason, abnormal, to.also)
			}
		}
	}
}

// object is a rollout as the apiserver gives it.
func object() *v1alpha1.CloudRunRollout {
	ro := bare()
	ro.APIVersion, ro.Kind = v1alpha1.GroupVersion.String(), "CloudRunRollout"
	ro.Generation = 3
	return ro
}

func standingAt(t *testing.T, phase rollout.Phase, reason rollout.Reason) *v1alpha1.CloudRunRollout {
	t.Helper()
	ro := object()
	stand(t, ro, phase, reason)
	return ro
}

// stand puts an object where a decision leaves it.
func stand(t *testing.T, ro *v1alpha1.CloudRunRollout, phase rollout.Phase, reason rollout.Reason) {
	t.Helper()
	refused := map[rollout.Reason]error{
		v1alpha1.ReasonInvalidSpec:     invalidSpecError{errors.New("spec.strategy.steps[0].bake: write a duration such as 10m, not \"soon\"")},
		v1alpha1.ReasonTooManyRollouts: crowdedError{"namespace shop has more than 500 rollouts"},
	}
	if why, isRefused := refused[reason]; isRefused {
		r := Reconciler{Client: stub{}, Clock: clocktesting.NewFakePassiveClock(morning), Process: clocktesting.NewFakePassiveClock(morning), Recorder: events.NewFakeRecorder(9)}
		if _, err := r.explain(t.Context(), ro, why); err != nil {
			t.Fatal(err)
		}
		return
	}
	in := rollout.Input{Now: morning, Plan: defaultPlan(), Service: rollout.Service{Presence: rollout.Found}}
	if reason == rollout.AccessDenied {
		in.Service.Presence = rollout.Denied
	}
	if reason == rollout.ServiceNotFound {
		in.Service.Presence = rollout.Missing
	}
	d := rollout.Decision{
		Progress: rollout.Progress{Phase: phase, Reason: reason, Since: morning, Stable: "web-1"},
		Note:     "what is: cause, number and limit", Next: "What happens next and when.",
		Serves: rollout.NewSplit(map[string]int64{"web-1": 100}), InSync: true,
	}
	if phase != rollout.Idle {
		d.Progress.Attempt, d.Progress.Candidate, d.Progress.Step = 1, "web-2", 2
		d.Serves = rollout.NewSplit(map[string]int64{"web-1": 75, "web-2": 25})
		d.Checks = []rollout.Check{{Name: "errors", Mode: rollout.Enforce, Verdict: analysis.Verdict{
			Outcome: analysis.Pass, Source: "web-2", Value: "0.1%", Limit: "1%", Samples: 1200, Required: 100,
			Through: morning.Add(-4 * time.Minute), Note: "5xx 0.1% of 1200 requests, limit 1%",
		}}}
	}
	if reason == rollout.MetricsUnavailable || reason == rollout.NoDataDeadlineExceeded {
		d.Checks[0].Verdict = analysis.Verdict{Outcome: analysis.NoData, Source: "web-2", Note: "web-2: Cloud Monitoring unavailable"}
	}
	ro.Status = statusOf(ro, in, d)
}

func TestTheFurtherConditions(t *testing.T) {
	t.Parallel()
	noData := []rollout.Check{
		{Name: "errors", Verdict: analysis.Verdict{Outcome: analysis.Pass}},
		{Name: "nat-drops", Verdict: analysis.Verdict{Outcome: analysis.NoData, Note: "nat-1: series absent"}},
	}
	cases := map[string]struct {
		presence rollout.Presence
		reason   rollout.Reason
		inSync   bool
		checks   []rollout.Check
		want     map[string]string
	}{
		"all well": {
			rollout.Found, rollout.Progressing, true, noData[:1],
			map[string]string{"Accepted": "True/Accepted", "TrafficInSync": "True/InSync", "MetricsAvailable": "True/MetricsAvailable"},
		},
		"the split is on its way, and a metric is missing": {
			rollout.Found, rollout.Progressing, false, noData,
			map[string]string{"Accepted": "True/Accepted", "TrafficInSync": "False/Unconfirmed", "MetricsAvailable": "False/MetricsUnavailable"},
		},
		"every check answers, and nothing can be made of it": {
			rollout.Found, rollout.MetricsUnavailable, true, noData[:1],
			map[string]string{"Accepted": "True/Accepted", "TrafficInSync": "True/InSync", "MetricsAvailable": "False/MetricsUnavailable"},
		},
		"a split that is not ours serves": {
			rollout.Found, rollout.TrafficConflict, false, nil,
			map[string]string{"Accepted": "True/Accepted", "TrafficInSync": "False/TrafficConflict", "MetricsAvailable": "Unknown/NotMeasured"},
		},
		"a split that nobody owns serves": {
			rollout.Found, rollout.BaselineUnknown, true, nil,
			map[string]string{"Accepted": "True/Accepted", "TrafficInSync": "False/TrafficConflict", "MetricsAvailable": "Unknown/NotMeasured"},
		},
		"access was lost while a person is waited for": {
			rollout.Denied, rollout.TrafficConflict, false, nil,
			map[string]string{"Accepted": "False/AccessDenied", "TrafficInSync": "Unknown/TrafficUnknown", "MetricsAvailable": "Unknown/NotMeasured"},
		},
		"no service": {
			rollout.Missing, rollout.ServiceNotFound, false, nil,
			map[string]string{"Accepted": "False/ServiceNotFound", "TrafficInSync": "Unknown/TrafficUnknown", "MetricsAvailable": "Unknown/NotMeasured"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var status v1alpha1.CloudRunRolloutStatus
			setConditions(&status, 3, rollout.Input{Now: morning, Service: rollout.Service{Presence: c.presence}}, rollout.Decision{
				Progress: rollout.Progress{Phase: rollout.Paused, Reason: c.reason}, InSync: c.inSync, Checks: c.checks,
			})
			got := map[string]string{}
			for _, condition := range status.Conditions {
				got[condition.Type] = string(condition.Status) + "/" + condition.Reason
			}
			maps.DeleteFunc(got, func(kind, _ string) bool { return c.want[kind] == "" })
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
		})
	}
}

// TestATargetThatGoesPastItsKeeperIsNotAccepted: the service is there, and what is set on
// it is taken back. The page and the command line tell by this that no verb helps.
func TestATargetThatGoesPastItsKeeperIsNotAccepted(t *testing.T) {
	t.Parallel()
	in := rollout.Input{Now: morning, Plan: defaultPlan(), Service: rollout.Service{Presence: rollout.Found, Keeper: "Config Connector"}}
	for name, c := range map[string]struct{ runService, want string }{
		"the service itself": {"", "False/OwnedElsewhere"},
		"its RunService":     {"web", "True/Accepted"},
	} {
		in.Plan.RunService = c.runService
		var status v1alpha1.CloudRunRolloutStatus
		setConditions(&status, 3, in, rollout.Decision{Progress: rollout.Progress{Phase: rollout.Idle, Reason: rollout.OwnedElsewhere}})
		accepted := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionAccepted)
		if got := string(accepted.Status) + "/" + accepted.Reason; got != c.want || strings.Contains(accepted.Message, "runServiceRef") != (c.runService == "") {
			t.Errorf("%s: %s %q, want %s", name, got, accepted.Message, c.want)
		}
	}
}

// TestAServiceThatSomebodyElseOwnsIsSeen: a write of ours was refused, and what serves is
// known all the same.
func TestAServiceThatSomebodyElseOwnsIsSeen(t *testing.T) {
	t.Parallel()
	in := rollout.Input{Now: morning, Plan: defaultPlan(), Service: rollout.Service{
		Presence: rollout.Denied, Kept: rollout.Kept{Owner: "spec.traffic is Git's"},
	}}
	var status v1alpha1.CloudRunRolloutStatus
	setConditions(&status, 3, in, rollout.Decision{
		Progress: rollout.Progress{Phase: rollout.RollingBack, Reason: rollout.ReasonRollingBack}, Note: "spec.traffic is Git's",
		Serves: rollout.NewSplit(map[string]int64{"web-1": 75, "web-2": 25}),
	})
	for kind, want := range map[string]string{
		v1alpha1.ConditionAccepted:      "OwnedElsewhere: spec.traffic is Git's",
		v1alpha1.ConditionTrafficInSync: "Unconfirmed: Cloud Run serves web-2 25%, web-1 75%.",
	} {
		c := meta.FindStatusCondition(status.Conditions, kind)
		if got := c.Reason + ": " + c.Message; got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
}

func TestSinceIsWhenTheReasonBegan(t *testing.T) {
	t.Parallel()
	var status v1alpha1.CloudRunRolloutStatus
	at := func(minute int, phase rollout.Phase, reason rollout.Reason, note string) time.Time {
		now := morning.Add(time.Duration(minute) * time.Minute)
		setConditions(&status, 1, rollout.Input{Now: now}, rollout.Decision{
			Progress: rollout.Progress{Phase: phase, Reason: reason}, Note: note, Next: "Next.",
		})
		return meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady).LastTransitionTime.UTC()
	}
	at(0, rollout.Shifting, rollout.Progressing, "shifting")
	if got := at(1, rollout.Baking, rollout.Progressing, "baking"); !got.Equal(morning) {
		t.Errorf("another message moved it to %v", got)
	}
	if got := at(2, rollout.Held, rollout.HeldByAnalysis, "held"); !got.Equal(morning.Add(2 * time.Minute)) {
		t.Errorf("another reason left it at %v", got)
	}
}

// stub is a client whose status updates all end the same way.
type stub struct {
	client.Client
	err   error
	saved *int
}

func (s stub) Status() client.SubResourceWriter { return stubWriter{stub: s} }

type stubWriter struct {
	client.SubResourceWriter
	stub stub
}

func (s stubWriter) Update(context.Context, client.Object, ...client.SubResourceUpdateOption) error {
	if s.stub.saved != nil {
		*s.stub.saved++
	}
	return s.stub.err
}
