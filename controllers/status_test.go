package controllers

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

func TestTextsAreCutAtARune(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":            "",
		"123456789":   "123456789",
		"1234567890":  "1234567890",
		"12345678901": "1234567…",
		"12345678é1":  "1234567…",
		"123456é890":  "123456…",
		"12345é7890":  "12345é…",
		"1234567€":    "1234567€",
		"12345€789":   "12345…",
		"あいうえ":        "あい…",
	} {
		if got := shorten(text, 10); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestNoTextIsLongerThanItsLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, limit := rapid.String().Draw(t, "text"), rapid.IntRange(3, 40).Draw(t, "limit")
		got := shorten(text, limit)
		kept := strings.TrimSuffix(got, "…")
		if len(got) > limit || !utf8.ValidString(got) || got != text && !strings.HasPrefix(text, kept) {
			t.Errorf("%q cut to %d is %q", text, limit, got)
		}
	})
}

func TestTheLargestStatusIsUnder32KiB(t *testing.T) {
	t.Parallel()
	status := largest(t, object())
	if len(status.History) != v1alpha1.MaxHistory {
		t.Errorf("history has %d entries, want %d", len(status.History), v1alpha1.MaxHistory)
	}
	text, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the largest status has %d bytes", len(text))
	if len(text) >= 32<<10 {
		t.Errorf("status has %d bytes, want less than %d", len(text), 32<<10)
	}
}

// largest is the status of an object in which everything is as long as it may be.
func largest(t *testing.T, ro *v1alpha1.CloudRunRollout) v1alpha1.CloudRunRolloutStatus {
	t.Helper()
	long := strings.Repeat("x", 5000)
	name := func(i int) string { return fmt.Sprintf("%s-%04d", strings.Repeat("r", 58), i) }
	split := rollout.NewSplit(map[string]int64{name(1): 5, name(2): 25, name(3): 30, name(4): 40})
	later := morning.Add(time.Minute)
	d := rollout.Decision{
		Progress: rollout.Progress{
			Phase: rollout.Held, Reason: rollout.NoDataDeadlineExceeded, Since: morning, ServiceUID: long[:64], Generation: 1 << 60,
			Stable: name(1), Cutoff: morning, Attempt: 1 << 60, Candidate: name(2), Requested: name(2), Step: 20,
			FirstWrite: morning, Effective: morning, Lowered: morning, Elsewhere: 100, Baked: 1440, Confirmed: split, Tagged: name(1), Cause: long,
			Approved: 100, WaitTold: true, ThinAccepted: 20, NoDataSince: morning, SettledBy: name(1), Deployed: long[:16], Sent: rollout.Sent{Digest: long[:16], At: morning, Times: 1000, Before: []string{long[:16], long[:16]}},
			Clock:       rollout.Stopwatch{Spent: 48 * time.Hour, Running: morning},
			LastRequest: rollout.Reply{ID: long[:128], Verb: rollout.Verb(long[:128]), Message: long, At: morning},
			Waiting:     morning, Hot: morning,
			Watched: morning, Judged: morning, Seq: 1 << 60, Adopted: long[:64], ClaimMissed: true,
		},
		Note: long, Next: long, Serves: split,
	}
	d.Progress.Rises = slices.Repeat([]nat.Rise{{At: morning, From: 50}}, v1alpha1.MaxRises)
	d.Progress.Company, d.Progress.Called = rollout.Company{Since: morning, Until: later}, later
	d.Progress.Spared, d.Progress.Accused = later, later
	d.Progress.Trial = rollout.Trial{At: morning, From: 100, To: 50, Since: later, Role: nat.Bystander}
	d.Progress.Warmup = rollout.Warmup{Tagged: name(2), Since: morning, Over: later}
	d.Progress.Promoted, d.Progress.Former = rollout.Promotion{Weight: 100, Full: true, Override: true}, name(3)
	d.Progress.Retreat = rollout.Retreat{Began: morning, Last: later, Sent: 3, Weight: 50}
	for range 4 {
		d.Progress.Intents = append(d.Progress.Intents, rollout.Intent{Split: split, ETag: long[:256], Generation: 1 << 60, Seq: 1 << 60, At: later})
	}
	for i := range 4 {
		w := rollout.Watch{Source: gatewayNamed(long[:30], long[:32], long[:63], name(i)), Claimed: 1 << 40, Growing: true}
		g := nat.Gateway{IPs: 1 << 40, Ports: 65536, Endpoints: 1 << 40, Allocated: 1 << 40}
		d.Progress.Watches = append(d.Progress.Watches, w)
		d.Gateways = append(d.Gateways, rollout.GatewayState{
			Watch: w, Known: true, Gateway: g, Measured: true, Through: morning,
			Forecast: &nat.Forecast{Taken: 1 << 40, Each: 1, Room: 1 << 41},
		})
	}
	for i := range 8 {
		d.Advice = append(d.Advice, nat.Finding{Code: nat.Code(fmt.Sprintf("%d%s", i, long)), Text: long})
	}
	for i := range 20 {
		d.Progress.Latched = append(d.Progress.Latched, name(i))
	}
	for i := range 11 {
		check := fmt.Sprintf("%s-%02d", long[:37], i)
		d.Progress.Breaches = append(d.Progress.Breaches, rollout.BreachStart{Guard: check, Since: morning})
		d.Checks = append(d.Checks, rollout.Check{Name: check, Mode: rollout.Enforce, BreachedSince: morning, Verdict: analysis.Verdict{
			Outcome: analysis.NotApplicable, Source: name(i), Value: "1000000000 packets/min", Limit: "1000000000 packets/min",
			Samples: 1 << 60, Required: 1 << 30, Through: morning, Note: long,
		}})
	}
	for field, value := range reflect.ValueOf(d.Progress).Fields() {
		if value.IsZero() {
			t.Errorf("progress.%s is left out of the largest status", field.Name)
		}
	}
	steps := slices.Repeat([]rollout.Step{{Weight: 100}}, 20)
	in := rollout.Input{
		Now: morning, Plan: rollout.Plan{Steps: steps}, Service: rollout.Service{Presence: rollout.Found},
		Revisions: map[string]rollout.Revision{name(1): {Image: long}, name(2): {Image: long}},
	}
	ro = ro.DeepCopy()
	for i := range 25 {
		d.Progress.Reason = []rollout.Reason{rollout.NoDataDeadlineExceeded, rollout.StepDeadlineExceeded}[i%2]
		ro.Status = statusOf(ro, in, d)
	}
	return ro.Status
}

// TestABreachThatTheCoreForgotStaysForgotten: a step that begins anew has no
// breach of its own yet, although the verdict that is shown is still the old one.
func TestABreachThatTheCoreForgotStaysForgotten(t *testing.T) {
	t.Parallel()
	ro := object()
	ro.Status = statusOf(ro, rollout.Input{}, rollout.Decision{Checks: []rollout.Check{{
		Name: "errors", BreachedSince: morning, Verdict: analysis.Verdict{Outcome: analysis.Breach},
	}}})
	if got := progressOf(ro).Breaches; got != nil {
		t.Errorf("breaches = %v", got)
	}
}

func TestStepAndWeightAreThoseOfAnAttempt(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, row := range standings {
		if row.reason == rollout.AccessDenied {
			continue // nothing was read
		}
		status := standingAt(t, row.phase, row.reason).Status
		got[string(row.phase)] = status.Step + " " + status.Weight
	}
	want := map[string]string{"Idle": " "}
	for _, phase := range rollout.Phases[1:] {
		want[string(phase)] = "2/4 25%"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("step and weight by phase (-want +got):\n%s", diff)
	}
}

func TestHistoryGrowsWithTurnsOnly(t *testing.T) {
	t.Parallel()
	ro := standingAt(t, rollout.Baking, rollout.Progressing)
	for _, row := range []struct {
		what  string
		phase rollout.Phase
		why   rollout.Reason
		want  int
	}{
		{"the same again", rollout.Baking, rollout.Progressing, 1},
		{"another reason", rollout.Held, rollout.HeldByAnalysis, 2},
		{"the same again", rollout.Held, rollout.HeldByAnalysis, 2},
		{"another phase", rollout.Baking, rollout.Progressing, 3},
	} {
		stand(t, ro, row.phase, row.why)
		if got := len(ro.Status.History); got != row.want {
			t.Errorf("%s: %d entries, want %d", row.what, got, row.want)
		}
	}
}

func TestWhatCannotBeReadStaysAsItWasLastSeen(t *testing.T) {
	t.Parallel()
	ro := standingAt(t, rollout.Baking, rollout.Progressing)
	want := ro.Status.DeepCopy()
	stand(t, ro, rollout.Held, rollout.AccessDenied)
	got := ro.Status
	if diff := cmp.Diff([]any{want.Weight, want.Stable, want.Candidate, want.Step}, []any{got.Weight, got.Stable, got.Candidate, got.Step}); diff != "" {
		t.Errorf("after access was lost:\n%s", diff)
	}
}

// TestARefusedWriteDoesNotHideTheTraffic: what serves was read all the same, and may be
// somebody else's doing.
func TestARefusedWriteDoesNotHideTheTraffic(t *testing.T) {
	t.Parallel()
	ro := standingAt(t, rollout.Baking, rollout.Progressing)
	ro.Status = statusOf(ro, rollout.Input{Service: rollout.Service{Presence: rollout.Denied, Detail: "a write was refused"}}, rollout.Decision{
		Progress: rollout.Progress{Phase: rollout.Held, Reason: rollout.AccessDenied, Stable: "web-1", Candidate: "web-2"},
		Serves:   rollout.NewSplit(map[string]int64{"web-2": 100}),
	})
	s := ro.Status
	if s.Weight != "100%" || s.Candidate.Percent != 100 || s.Stable.Percent != 0 {
		t.Errorf("weight %s, candidate %d%%, stable %d%%", s.Weight, s.Candidate.Percent, s.Stable.Percent)
	}
}

// TestAReadOfThePastSaysNothingOfTheTraffic: what was said last stands.
func TestAReadOfThePastSaysNothingOfTheTraffic(t *testing.T) {
	t.Parallel()
	seen := func(ro *v1alpha1.CloudRunRollout, generation, percent int64) *metav1.Condition {
		in := rollout.Input{Service: rollout.Service{Presence: rollout.Found, Generation: generation}, Progress: rollout.Progress{Generation: 7}}
		d := rollout.Decision{
			Progress: rollout.Progress{Stable: "web-1", Candidate: "web-2", Generation: 7},
			Serves:   rollout.NewSplit(map[string]int64{"web-2": percent, "web-1": 100 - percent}),
		}
		ro.Status = statusOf(ro, in, d)
		return meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionTrafficInSync)
	}
	ro := bare()
	want := seen(ro, 7, 25)
	if diff := cmp.Diff(want, seen(ro, 6, 10)); diff != "" || want.Message != "Cloud Run serves web-2 25%, web-1 75%." {
		t.Errorf("before it %q, after it (-want +got):\n%s", want.Message, diff)
	}
}

// TestWhatServesElsewhereIsRememberedByThePercentOfStable: as it was last seen. A read of
// the past changes nothing, and neither does the percent of a stable that was.
func TestWhatServesElsewhereIsRememberedByThePercentOfStable(t *testing.T) {
	t.Parallel()
	serves := func(ro *v1alpha1.CloudRunRollout, stable string, generation, percent int64) *v1alpha1.CloudRunRollout {
		in := rollout.Input{Service: rollout.Service{Presence: rollout.Found, Generation: generation}, Progress: rollout.Progress{Generation: 7}}
		d := rollout.Decision{
			Progress: rollout.Progress{Stable: stable, Generation: 7},
			Serves:   rollout.NewSplit(map[string]int64{stable: percent, "web-9": 100 - percent}),
		}
		ro.Status = statusOf(ro, in, d)
		return ro
	}
	for name, c := range map[string]struct {
		ro   *v1alpha1.CloudRunRollout
		want int64
	}{
		"nothing was seen":        {bare(), 0},
		"all is on stable":        {serves(bare(), "web-1", 7, 100), 0},
		"a part is elsewhere":     {serves(bare(), "web-1", 7, 75), 25},
		"then a read of the past": {serves(serves(bare(), "web-1", 7, 75), "web-1", 6, 100), 25},
		"of another stable":       {serves(serves(bare(), "web-1", 7, 75), "web-2", 6, 100), 0},
	} {
		if got := progressOf(c.ro).Elsewhere; got != c.want {
			t.Errorf("%s: %d%% is elsewhere, want %d%%", name, got, c.want)
		}
	}
}

// TestAServiceMadeAnewIsNoPastOfTheFormer: its generations count from 1 again, and what
// it serves is told, however long a person is waited for.
func TestAServiceMadeAnewIsNoPastOfTheFormer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		uid    string
		serves rollout.Split
		want   int32
	}{
		"the same one, as it was":               {"1", rollout.NewSplit(map[string]int64{"web-1": 100}), 75},
		"another one":                           {"2", rollout.NewSplit(map[string]int64{"web-1": 100}), 100},
		"another one, which serves nothing yet": {"2", nil, 75},
	} {
		ro := bare()
		ro.Status.Stable = &v1alpha1.RevisionStatus{Revision: "web-1", Percent: 75}
		in := rollout.Input{
			Service:  rollout.Service{Presence: rollout.Found, UID: c.uid, Generation: 1},
			Progress: rollout.Progress{ServiceUID: "1", Generation: 7},
		}
		d := rollout.Decision{Progress: rollout.Progress{Stable: "web-1", Generation: 7, ServiceUID: "1"}, Serves: c.serves, InSync: true}
		status := statusOf(ro, in, d)
		if status.Stable.Percent != c.want {
			t.Errorf("%s: stable is said to serve %d%%, want %d%%", name, status.Stable.Percent, c.want)
		}
	}
}

func TestTheImageOfAnUnreadRevisionStays(t *testing.T) {
	t.Parallel()
	was := &v1alpha1.RevisionStatus{Revision: "web-1", Image: "web:1"}
	for _, c := range []struct {
		now, was *v1alpha1.RevisionStatus
		want     string
	}{
		{&v1alpha1.RevisionStatus{Revision: "web-1"}, was, "web:1"},
		{&v1alpha1.RevisionStatus{Revision: "web-2"}, was, ""},
		{&v1alpha1.RevisionStatus{Revision: "web-1", Image: "web:2"}, was, "web:2"},
		{&v1alpha1.RevisionStatus{Revision: "web-1"}, nil, ""},
	} {
		if got := withImage(c.now, c.was); got.Image != c.want {
			t.Errorf("%q, want %q", got.Image, c.want)
		}
	}
}

// TestEveryCauseOfNoDataHasItsName reads the causes off the source, so that a new
// one cannot be saved as none.
func TestEveryCauseOfNoDataHasItsName(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../internal/analysis/question.go")
	if err != nil {
		t.Fatal(err)
	}
	causes := regexp.MustCompile(`Cause[A-Z][A-Za-z]*\s+Cause = "([^"]*)"`).FindAllStringSubmatch(string(source), -1)
	if len(causes) != len(noDataCauses) {
		t.Errorf("%d causes, %d names", len(causes), len(noDataCauses))
	}
	for _, cause := range causes {
		if name := noDataCauses[analysis.Cause(cause[1])]; (name == "") != (cause[1] == "") {
			t.Errorf("cause %q is saved as %q", cause[1], name)
		}
	}
}

// TestTheLongestLimitsOfAQueryFitTheStatus: the API server refuses a status whole whose
// texts are longer than it allows.
func TestTheLongestLimitsOfAQueryFitTheStatus(t *testing.T) {
	t.Parallel()
	const bound = "-123456789012.123456789"
	of := analysis.Source{Project: "acme-prod", Location: "asia-northeast1", Service: "web", Revision: "web-2", Query: "up"}
	for _, value := range []float64{-1.2345678901234567e-9, 1.2345678901234567e11, 9.87654321e200} {
		rule := analysis.Query{PromQL: "up", Min: analysis.Bound{Text: bound, Value: 1e300}, Max: analysis.Bound{Text: bound, Value: 1e301}}
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		candidate := of
		candidate.Query = ""
		scope := analysis.Scope{Candidate: candidate, AttemptSince: now.Add(-time.Hour), StepSince: now.Add(-30 * time.Minute), Now: now}
		answers := analysis.Answers{{Metric: analysis.Value, Source: of}: {
			Through: now, Points: []analysis.Point{{End: now.Add(-time.Minute), Number: value}},
		}}
		v := rule.Judge(scope, answers)
		checks := checksOf(rollout.Decision{Checks: []rollout.Check{{Name: "mine", Verdict: v}}})
		if c := checks[0]; v.Outcome != analysis.Breach || len(c.Value) > v1alpha1.MaxMeasure || len(c.Limit) > v1alpha1.MaxMeasure || len(c.Message) > v1alpha1.MaxMessage {
			t.Errorf("%s: %d, %d and %d bytes: %+v", v.Outcome, len(c.Value), len(c.Limit), len(c.Message), c)
		}
	}
}
