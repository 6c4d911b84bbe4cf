package controllers

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// listed is a cache with these rollouts in it.
type listed struct {
	client.Reader
	items []v1alpha1.CloudRunRollout
	err   error
}

func (l *listed) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*v1alpha1.CloudRunRolloutList).Items = l.items
	return l.err
}

var scrapedAt = time.Date(2026, 11, 23, 3, 7, 0, 0, time.UTC)

// held is a rollout in its second step, held by a check.
func held(name string) v1alpha1.CloudRunRollout {
	through := metav1.NewTime(scrapedAt.Add(-4 * time.Minute))
	ro := v1alpha1.CloudRunRollout{ObjectMeta: metav1.ObjectMeta{Namespace: "pay", Name: name}}
	ro.Spec.Target.Service = &v1alpha1.ServiceReference{Project: "acme-prod", Location: "us-central1", Name: "api"}
	ro.Spec.Strategy.Steps = make([]v1alpha1.Step, 4)
	ro.Spec.Strategy.StepDeadline = "1h"
	since := metav1.NewTime(scrapedAt.Add(-20 * time.Minute))
	ro.Status = v1alpha1.CloudRunRolloutStatus{
		Phase: v1alpha1.PhaseHeld, Step: "2/4", Weight: "25%",
		Attempt: &v1alpha1.Attempt{
			Candidate: "api-2", EffectiveSince: &since, DeadlineRunningSince: &since, DeadlineSpentSeconds: 600,
			Confirmed: []v1alpha1.Share{{Revision: "api-1", Percent: 75}, {Revision: "api-2", Percent: 25}},
		},
		Stable:    &v1alpha1.RevisionStatus{Revision: "api-1", Percent: 75},
		Candidate: &v1alpha1.RevisionStatus{Revision: "api-2", Percent: 25},
		Conditions: []metav1.Condition{
			{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonHeldByAnalysis},
			{Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonHeldByAnalysis},
		},
		Checks: []v1alpha1.CheckStatus{
			{Name: "errors", Verdict: v1alpha1.VerdictPass, Value: "0.4%", Limit: "stable+1%", ObservedThrough: &through},
			{Name: "nat-drops", Verdict: v1alpha1.VerdictBreach, Value: "12 packets/min", Limit: "0 packets/min"},
			{Name: "nat-allocation", Verdict: v1alpha1.VerdictNotApplicable},
			{Name: "slow", Verdict: v1alpha1.VerdictNoData, Cause: v1alpha1.CauseQuotaExceeded},
		},
	}
	return ro
}

func collectorOf(items ...v1alpha1.CloudRunRollout) (*Collector, *listed) {
	cache := &listed{items: items}
	return NewCollector(cache, clocktesting.NewFakePassiveClock(scrapedAt), func() int64 { return 2 }), cache
}

func TestARolloutIsTold(t *testing.T) {
	c, _ := collectorOf(held("api"))
	got := scrape(t, c)
	for _, want := range []string{
		`sluice_rollout_info{candidate="api-2",name="api",namespace="pay",project="acme-prod",reason="HeldByAnalysis",region="us-central1",service="api",stable="api-1"} 1`,
		`sluice_rollout_condition{name="api",namespace="pay",status="False",type="Ready"} 1`,
		`sluice_rollout_condition{name="api",namespace="pay",status="True",type="Reconciling"} 1`,
		`sluice_rollout_step{name="api",namespace="pay"} 2`,
		`sluice_rollout_steps{name="api",namespace="pay"} 4`,
		`sluice_rollout_candidate_weight_ratio{name="api",namespace="pay"} 0.25`,
		`sluice_rollout_observed_weight_ratio{name="api",namespace="pay"} 0.25`,
		`sluice_rollout_step_started_timestamp_seconds{name="api",namespace="pay"} 1.79540202e+09`,
		`sluice_rollout_step_deadline_timestamp_seconds{name="api",namespace="pay"} 1.79540502e+09`,
		`sluice_rollout_check_value{check="errors",name="api",namespace="pay",unit="ratio"} 0.004`,
		`sluice_rollout_check_value{check="nat-drops",name="api",namespace="pay",unit="packets/min"} 12`,
		`sluice_rollout_check_limit{check="nat-drops",name="api",namespace="pay",unit="packets/min"} 0`,
		`sluice_rollout_check_passing{check="errors",name="api",namespace="pay"} 1`,
		`sluice_rollout_check_passing{check="nat-drops",name="api",namespace="pay"} 0`,
		`sluice_rollout_check_passing{check="nat-allocation",name="api",namespace="pay"} 1`,
		`sluice_rollout_check_data_age_seconds{check="errors",name="api",namespace="pay"} 240`,
		`sluice_rollout_check_without_data{cause="QuotaExceeded",check="slow",name="api",namespace="pay"} 1`,
		`sluice_rollout_nat_unwatched{name="api",namespace="pay"} 0`,
		`sluice_firewall_refused_total 2`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("missing %s in:\n%s", want, got)
		}
	}
	for _, not := range []string{"awaiting_human", `data_age_seconds{check="nat`, `check_limit{check="errors"`, `check_value{check="nat-allocation"`} {
		if strings.Contains(got, not) {
			t.Errorf("%s was told in:\n%s", not, got)
		}
	}
}

// TestGatewaysAreToldWhileTheyAreWatched tells 0 ports apart from none known.
func TestGatewaysAreToldWhileTheyAreWatched(t *testing.T) {
	ro := held("api")
	ro.Status.Gateways = []v1alpha1.GatewayStatus{
		{Project: "acme-net", Region: "us-central1", Router: "r1", Name: "nat-1", Capacity: number(64512), Allocated: number(60000), Forecast: number(61000), Headroom: number(0)},
		{Project: "acme-net", Region: "us-central1", Router: "r2", Name: "nat-1", Allocated: number(5)},
	}
	c, _ := collectorOf(ro, held("web"))
	got := scrape(t, c)
	const one = `{gateway="nat-1",name="api",namespace="pay",project="acme-net",region="us-central1",router="r1"} `
	for _, want := range []string{
		"sluice_gateway_capacity_ports" + one + "64512", "sluice_gateway_allocated_ports" + one + "60000",
		"sluice_gateway_forecast_ports" + one + "61000", "sluice_gateway_headroom_ports" + one + "0",
		"sluice_gateway_allocated_ports" + strings.Replace(one, "r1", "r2", 1) + "5",
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("missing %s in:\n%s", want, got)
		}
	}
	if n := strings.Count(got, "\nsluice_gateway_"); n != 5 {
		t.Errorf("%d numbers are told of gateways, want 5", n)
	}
}

func TestTheWeightThatIsAskedForIsToldBesideTheOneThatServes(t *testing.T) {
	ro := held("api")
	ro.Status.Attempt.Intents = []v1alpha1.Intent{{Split: []v1alpha1.Share{{Revision: "api-1", Percent: 50}, {Revision: "api-2", Percent: 50}}}}
	c, _ := collectorOf(ro)
	got := scrape(t, c)
	for _, want := range []string{
		`sluice_rollout_candidate_weight_ratio{name="api",namespace="pay"} 0.5`,
		`sluice_rollout_observed_weight_ratio{name="api",namespace="pay"} 0.25`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("missing %s in:\n%s", want, got)
		}
	}
}

func TestNumbersAreReadWithTheirUnits(t *testing.T) {
	type reading struct {
		value float64
		unit  string
		ok    bool
	}
	for text, want := range map[string]reading{
		"4.17%":                {0.0417, "ratio", true},
		"0%":                   {0, "ratio", true},
		"250 ms":               {0.25, "seconds", true},
		"3 min":                {3, "minutes", true},
		"1000 packets/min":     {1000, "packets/min", true},
		"stable+1%":            {},
		"12 active, 3 pending": {},
		"1.2.3%":               {},
		"7":                    {7, "number", true},
		"-0.02":                {-0.02, "number", true},
		"2.5e+12":              {2.5e12, "number", true},
		"NaN":                  {},
		"":                     {},
	} {
		value, unit, ok := measured(text)
		if got := (reading{value, unit, ok}); ok != want.ok || ok && (got.unit != want.unit || math.Abs(got.value-want.value) > 1e-9) {
			t.Errorf("%q is read as %+v, want %+v", text, got, want)
		}
	}
}

func TestDecisionsAreCountedByWhatTheyLeadTo(t *testing.T) {
	for _, test := range []struct {
		phase rollout.Phase
		write *rollout.Write
		want  string
	}{
		{rollout.Shifting, &rollout.Write{}, "shift"},
		{rollout.Shifting, nil, "none"},
		{rollout.RollingBack, &rollout.Write{}, "back"},
		{rollout.Idle, &rollout.Write{}, "keep"},
		{rollout.Held, nil, "hold"},
		{rollout.Paused, nil, "ask"},
		{rollout.AwaitingApproval, nil, "ask"},
		{rollout.Baking, nil, "none"},
	} {
		c, _ := collectorOf()
		c.Decided(object(), &v1alpha1.CloudRunRolloutStatus{}, rollout.Decision{Progress: rollout.Progress{Phase: test.phase}, Write: test.write})
		if got := testutil.ToFloat64(c.decisions.WithLabelValues(test.want)); got != 1 {
			t.Errorf("%s, writes %t: not counted as %s", test.phase, test.write != nil, test.want)
		}
	}
}

// TestEveryOutcomeIsThereFromTheStart: a counter that begins at 1 has no rise.
func TestEveryOutcomeIsThereFromTheStart(t *testing.T) {
	c, _ := collectorOf()
	got := scrape(t, c)
	for _, outcome := range outcomes {
		if want := `sluice_decisions_total{outcome="` + outcome + `"} 0`; !strings.Contains(got, want+"\n") {
			t.Errorf("missing %s in:\n%s", want, got)
		}
	}
}

// TestOnlyWhatWasSavedIsCounted counts through a save, one that fails, and a pass
// that has nothing to save.
func TestOnlyWhatWasSavedIsCounted(t *testing.T) {
	count := 0
	save := func(ro *v1alpha1.CloudRunRollout, err error) {
		r := Reconciler{
			Client: stub{err: err}, Process: clocktesting.NewFakePassiveClock(morning), Decided: func(*v1alpha1.CloudRunRollout, *v1alpha1.CloudRunRolloutStatus, rollout.Decision) { count++ },
		}
		in := rollout.Input{Now: morning}
		if got := r.save(t.Context(), ro, in, rollout.Decision{Progress: rollout.Progress{Phase: rollout.Held}}); !errors.Is(got, err) {
			t.Errorf("saving: %v, want %v", got, err)
		}
	}
	ro := object()
	for _, step := range []struct {
		what string
		ro   *v1alpha1.CloudRunRollout
		err  error
		want int
	}{
		{"a save that fails", object(), errors.New("no apiserver"), 0},
		{"a save", ro, nil, 1},
		{"the same again", ro, nil, 1},
	} {
		if save(step.ro, step.err); count != step.want {
			t.Errorf("after %s %d decisions are counted, want %d", step.what, count, step.want)
		}
	}
}

var (
	described  = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: {([^}]*)}`)
	documented = regexp.MustCompile("(?m)^\\| `(sluice_[a-z_]+)` \\| [a-z]+ \\| ([a-z, `]*) \\|")
)

// TestEveryMetricIsDocumented compares docs/metrics.md with what is told.
func TestEveryMetricIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	c, _ := collectorOf()
	descs := make(chan *prometheus.Desc, 100)
	c.Describe(descs)
	close(descs)
	told, written := map[string]string{}, map[string]string{}
	for d := range descs {
		m := described.FindStringSubmatch(d.String())
		told[m[1]] = strings.ReplaceAll(m[2], ",", ", ")
	}
	for _, m := range documented.FindAllStringSubmatch(string(text), -1) {
		written[m[1]] = strings.ReplaceAll(m[2], "`", "")
	}
	if diff := cmp.Diff(told, written); diff != "" {
		t.Errorf("metrics and their labels (-told +documented):\n%s", diff)
	}
}

func TestADeletedRolloutLeavesNoGhost(t *testing.T) {
	c, cache := collectorOf(held("api"), held("web"))
	if got := scrape(t, c); !strings.Contains(got, `name="web"`) {
		t.Fatalf("web is not told in:\n%s", got)
	}
	cache.items = cache.items[:1]
	if got := scrape(t, c); strings.Contains(got, `name="web"`) || !strings.Contains(got, `name="api"`) {
		t.Errorf("after deleting web:\n%s", got)
	}
}

func TestANewObjectIsToldWithoutWhatIsNotKnown(t *testing.T) {
	ro := v1alpha1.CloudRunRollout{ObjectMeta: metav1.ObjectMeta{Namespace: "pay", Name: "new"}}
	c, _ := collectorOf(ro)
	got := scrape(t, c)
	for _, not := range []string{"rollout_step{", "weight_ratio", "rollout_check_", "condition{"} {
		if strings.Contains(got, not) {
			t.Errorf("%s was told in:\n%s", not, got)
		}
	}
}

func TestWhoeverIsWaitedForIsTold(t *testing.T) {
	for _, test := range []struct {
		name   string
		phase  v1alpha1.Phase
		reason string
		flag   string
		wants  bool
	}{
		{"a gate", v1alpha1.PhaseAwaitingApproval, v1alpha1.ReasonAwaitingApproval, v1alpha1.ConditionReconciling, true},
		{"a pause", v1alpha1.PhasePaused, v1alpha1.ReasonTrafficConflict, v1alpha1.ConditionReconciling, true},
		{"a rollback", v1alpha1.PhaseRolledBack, v1alpha1.ReasonRolledBack, v1alpha1.ConditionStalled, true},
		{"a start that cannot be", v1alpha1.PhaseIdle, v1alpha1.ReasonNatUnwatched, v1alpha1.ConditionStalled, true},
		{"a hold", v1alpha1.PhaseHeld, v1alpha1.ReasonWaitingForNat, v1alpha1.ConditionReconciling, false},
		{"a bake", v1alpha1.PhaseBaking, v1alpha1.ReasonProgressing, v1alpha1.ConditionReconciling, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			ro := held("api")
			ro.Status.Phase = test.phase
			ro.Status.Conditions[0].Reason = test.reason
			ro.Status.Conditions[1].Type = test.flag
			c, _ := collectorOf(ro)
			want := `sluice_rollout_awaiting_human{cause="` + test.reason + `",name="api",namespace="pay"} 1`
			if got := strings.Contains(scrape(t, c), want); got != test.wants {
				t.Errorf("waits for a person: %v, want %v", got, test.wants)
			}
		})
	}
}

func TestUnwatchedNATIsTold(t *testing.T) {
	ro := held("api")
	ro.Spec.NAT.Discovery = v1alpha1.DiscoveryOff
	c, _ := collectorOf(ro)
	if got := scrape(t, c); !strings.Contains(got, `sluice_rollout_nat_unwatched{name="api",namespace="pay"} 1`) {
		t.Errorf("in:\n%s", got)
	}
}

func TestOnlyInfoNamesRevisions(t *testing.T) {
	c, _ := collectorOf(held("api"))
	for line := range strings.Lines(scrape(t, c)) {
		if strings.Contains(line, `"api-`) && !strings.HasPrefix(line, "sluice_rollout_info{") {
			t.Errorf("a series for each revision: %s", line)
		}
	}
}

func TestTheMetricsAreNamedByTheRules(t *testing.T) {
	c, _ := collectorOf(held("api"), held("web"))
	c.writes.WithLabelValues("accepted").Inc()
	registry := prometheus.NewPedanticRegistry() // which checks Describe as well
	registry.MustRegister(c)
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestAScrapeFailsWhenTheCacheDoes(t *testing.T) {
	c, cache := collectorOf(held("api"))
	cache.err = errors.New("not started")
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	if _, err := registry.Gather(); err == nil || !strings.Contains(err.Error(), "listing rollouts: not started") {
		t.Errorf("got %v", err)
	}
}

type answering struct{ err error }

func (a answering) SetTraffic(context.Context, rollout.ServiceRef, rollout.Write) error { return a.err }

func TestWritesAreCountedByWhatBecameOfThem(t *testing.T) {
	for want, err := range map[string]error{
		"accepted":    nil,
		"conflict":    &cloudrun.CallError{Kind: cloudrun.ErrConflict},
		"unconfirmed": &cloudrun.CallError{Kind: cloudrun.ErrAmbiguous},
		"denied":      &cloudrun.CallError{Kind: cloudrun.ErrDenied},
		"throttled":   &cloudrun.CallError{Kind: cloudrun.ErrThrottled},
		"refused":     &cloudrun.CallError{Kind: cloudrun.ErrRefused},
		"failed":      &cloudrun.CallError{Kind: cloudrun.ErrUnavailable},
	} {
		c, _ := collectorOf()
		if got := c.Count(answering{err}).SetTraffic(t.Context(), rollout.ServiceRef{}, rollout.Write{}); !errors.Is(got, err) {
			t.Errorf("%s: the answer became %v", want, got)
		}
		if got := testutil.ToFloat64(c.writes.WithLabelValues(want)); got != 1 {
			t.Errorf("%v was not counted as %s", err, want)
		}
	}
}

// scrape is what Prometheus would read, one series a line.
func scrape(t *testing.T, c prometheus.Collector) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).
		ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	if answer.Code != http.StatusOK {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	return answer.Body.String()
}
