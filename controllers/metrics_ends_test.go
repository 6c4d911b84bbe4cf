package controllers

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// minutesAfter is the status of attempt 1 some minutes after its first write, in
// which its present state began.
func minutesAfter(n int, phase v1alpha1.Phase, reason string) *v1alpha1.CloudRunRolloutStatus {
	first, since := metav1.NewTime(morning), metav1.NewTime(morning.Add(time.Duration(n)*time.Minute))
	return &v1alpha1.CloudRunRolloutStatus{
		Phase: phase, Attempt: &v1alpha1.Attempt{ID: 1, Reason: reason, FirstWrite: &first, Since: &since},
	}
}

func with(s *v1alpha1.CloudRunRolloutStatus, change func(*v1alpha1.CloudRunRolloutStatus)) *v1alpha1.CloudRunRolloutStatus {
	change(s)
	return s
}

func requested(id, verb string, result v1alpha1.RequestResult) func(*v1alpha1.CloudRunRolloutStatus) {
	return func(s *v1alpha1.CloudRunRolloutStatus) {
		s.LastRequest = &v1alpha1.RequestStatus{ID: id, Verb: verb, Result: result}
	}
}

func breached(name string, mode v1alpha1.CheckMode) func(*v1alpha1.CloudRunRolloutStatus) {
	return func(s *v1alpha1.CloudRunRolloutStatus) {
		s.Checks = append(s.Checks, v1alpha1.CheckStatus{Name: name, Mode: mode, Verdict: v1alpha1.VerdictBreach})
	}
}

// counted is what a pair of statuses adds, as "metric{label} sum", and nothing of
// what stays 0.
func counted(t *testing.T, before, after *v1alpha1.CloudRunRolloutStatus, deleting bool) string {
	t.Helper()
	ro := object()
	ro.Status = *after
	if deleting {
		ro.DeletionTimestamp = &metav1.Time{Time: morning}
	}
	e := newEnds()
	e.count(before, ro)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(e.all()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName() + "{" + m.GetLabel()[0].GetValue() + "}"
			if m.GetCounter().GetValue() > 0 {
				told = append(told, name)
			}
			if h := m.GetHistogram(); h.GetSampleCount() > 0 {
				told = append(told, name+" "+(time.Duration(h.GetSampleSum())*time.Second).String())
			}
		}
	}
	return strings.Join(told, ", ")
}

// TestWhatEndsIsCountedByWhatEndedIt reads it from the two saved statuses.
func TestWhatEndsIsCountedByWhatEndedIt(t *testing.T) {
	t.Parallel()
	baking := func() *v1alpha1.CloudRunRolloutStatus { return minutesAfter(5, v1alpha1.PhaseBaking, "Baking") }
	back := func() *v1alpha1.CloudRunRolloutStatus {
		s := minutesAfter(12, v1alpha1.PhaseRollingBack, v1alpha1.ReasonRollingBack)
		s.Attempt.Candidate, s.Attempt.Latched = "api-2", []string{"api-1", "api-2"}
		return s
	}
	letGo := func() *v1alpha1.CloudRunRolloutStatus {
		s := back()
		s.Attempt.Latched = nil
		return s
	}
	cases := map[string]struct {
		before, after *v1alpha1.CloudRunRolloutStatus
		deleting      bool
		want          string
	}{
		"the first look":           {&v1alpha1.CloudRunRolloutStatus{}, baking(), false, ""},
		"a step that bakes on":     {baking(), baking(), false, ""},
		"a hold":                   {baking(), minutesAfter(9, v1alpha1.PhaseHeld, "HeldByAnalysis"), false, ""},
		"a breach of a check":      {baking(), with(back(), breached("errors", v1alpha1.ModeEnforce)), false, "sluice_rollbacks_total{errors}"},
		"a breach in Shadow":       {baking(), with(with(back(), breached("latency", v1alpha1.ModeShadow)), breached("nat-drops", v1alpha1.ModeEnforce)), false, "sluice_rollbacks_total{nat-drops}"},
		"one that is spared":       {baking(), with(with(letGo(), breached("errors", v1alpha1.ModeEnforce)), spared), false, "sluice_rollbacks_total{errors}"},
		"one that is not heard":    {baking(), with(with(letGo(), breached("errors", v1alpha1.ModeEnforce)), accused), false, "sluice_rollbacks_total{errors}"},
		"one spared long ago":      {with(baking(), spared), with(with(letGo(), breached("errors", v1alpha1.ModeEnforce)), spared), false, "sluice_rollbacks_total{newer}"},
		"a newer candidate":        {baking(), with(letGo(), breached("errors", v1alpha1.ModeEnforce)), false, "sluice_rollbacks_total{newer}"},
		"another stableRevision":   {minutesAfter(5, v1alpha1.PhaseIdle, "Steady"), letGo(), false, "sluice_rollbacks_total{other}"},
		"a failed candidate":       {baking(), back(), false, "sluice_rollbacks_total{other}"},
		"pages that were torn":     {minutesAfter(5, v1alpha1.PhaseHeld, v1alpha1.ReasonAssetsMissed), back(), false, "sluice_rollbacks_total{assets}"},
		"metrics that stayed away": {minutesAfter(5, v1alpha1.PhaseHeld, v1alpha1.ReasonMetricsUnavailable), back(), false, "sluice_rollbacks_total{no-data}"},
		"an abort amid a breach": {
			baking(), with(with(back(), breached("errors", v1alpha1.ModeEnforce)), requested("1", "abort", v1alpha1.RequestAccepted)), false,
			"sluice_rollbacks_total{abort}",
		},
		"a breach after an older request": {
			with(baking(), requested("1", "approve", v1alpha1.RequestAccepted)),
			with(with(back(), breached("errors", v1alpha1.ModeEnforce)), requested("1", "approve", v1alpha1.RequestAccepted)), false,
			"sluice_rollbacks_total{errors}",
		},
		"a breach beside a refused request": {
			baking(), with(with(back(), breached("errors", v1alpha1.ModeEnforce)), requested("2", "approve", v1alpha1.RequestRefused)), false,
			"sluice_rollbacks_total{errors}",
		},
		"a deletion":            {baking(), back(), true, "sluice_rollbacks_total{deletion}"},
		"a way back on its way": {back(), back(), false, ""},
		"a way back that arrives": {
			back(), minutesAfter(14, v1alpha1.PhaseRolledBack, v1alpha1.ReasonRolledBack), false,
			"sluice_rollout_duration_seconds{rolled-back} 14m0s",
		},
		"a way back without a way": {
			with(baking(), func(s *v1alpha1.CloudRunRolloutStatus) { s.Attempt.FirstWrite = nil }),
			with(minutesAfter(6, v1alpha1.PhaseRolledBack, v1alpha1.ReasonRolledBack), func(s *v1alpha1.CloudRunRolloutStatus) {
				s.Attempt.Candidate, s.Attempt.Latched = "api-2", []string{"api-2"}
			}), false, "sluice_rollbacks_total{other}",
		},
		"an undo that arrives": {
			with(back(), requested("3", "undo", v1alpha1.RequestAccepted)),
			minutesAfter(900, v1alpha1.PhaseRolledBack, v1alpha1.ReasonRolledBack), false, "",
		},
		"what was given up, sent back again": {minutesAfter(20, v1alpha1.PhaseRolledBack, v1alpha1.ReasonRolledBack), back(), false, ""},
		"all steps passed":                   {baking(), minutesAfter(40, v1alpha1.PhaseCompleted, "Completed"), false, "sluice_rollout_duration_seconds{completed} 40m0s"},
		"a newer revision instead": {
			baking(), with(minutesAfter(8, v1alpha1.PhaseChecking, "Checking"), func(s *v1alpha1.CloudRunRolloutStatus) { s.Attempt.ID = 2 }), false,
			"sluice_rollout_duration_seconds{superseded} 8m0s",
		},
		"a newer revision after the end": {
			minutesAfter(8, v1alpha1.PhaseCompleted, "Completed"),
			with(minutesAfter(90, v1alpha1.PhaseChecking, "Checking"), func(s *v1alpha1.CloudRunRolloutStatus) { s.Attempt.ID = 2 }), false, "",
		},
		"a person who lets it go on": {
			minutesAfter(5, v1alpha1.PhasePaused, v1alpha1.ReasonTrafficConflict), minutesAfter(35, v1alpha1.PhaseShifting, "Shifting"), false,
			"sluice_rollout_paused_seconds{TrafficConflict} 30m0s",
		},
		"a person who is still waited for": {
			minutesAfter(5, v1alpha1.PhasePaused, v1alpha1.ReasonTrafficConflict), minutesAfter(5, v1alpha1.PhasePaused, v1alpha1.ReasonTrafficConflict), false, "",
		},
		"another reason to wait for one": {
			minutesAfter(5, v1alpha1.PhasePaused, v1alpha1.ReasonTrafficConflict), minutesAfter(6, v1alpha1.PhasePaused, v1alpha1.ReasonBaselineLost), false,
			"sluice_rollout_paused_seconds{TrafficConflict} 1m0s",
		},
		"an approval, and all at once": {
			minutesAfter(5, v1alpha1.PhaseAwaitingApproval, "AwaitingApproval"), minutesAfter(7, v1alpha1.PhaseCompleted, "Completed"), false,
			"sluice_rollout_duration_seconds{completed} 7m0s, sluice_rollout_paused_seconds{AwaitingApproval} 2m0s",
		},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := counted(t, test.before, test.after, test.deleting); got != test.want {
				t.Errorf("counted %q, want %q", got, test.want)
			}
		})
	}
}

// TestTheFirstWaitForAPersonIsARise: a count that is not there before it is counted has not
// risen, and no board shows it. docs/conditions.md says why a person is waited for.
func TestTheFirstWaitForAPersonIsARise(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../docs/conditions.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| (?:Paused|AwaitingApproval) \\| `(\\w+)`").FindAllStringSubmatch(string(manual), -1)
	waits := newEnds().waits
	if got := testutil.CollectAndCount(waits); len(rows) == 0 || got != len(rows) {
		t.Errorf("%d causes are there from the start, want those of %d states", got, len(rows))
	}
	for _, row := range rows {
		waits.WithLabelValues(row[1])
	}
	if got := testutil.CollectAndCount(waits); got != len(rows) {
		t.Errorf("%d causes, some of which are not in docs/conditions.md", got)
	}
}

// TestTheCollectorTellsWhatEnded goes the way that the manager's decisions go.
func TestTheCollectorTellsWhatEnded(t *testing.T) {
	t.Parallel()
	c, _ := collectorOf()
	ro := object()
	ro.Status = *with(minutesAfter(12, v1alpha1.PhaseRollingBack, v1alpha1.ReasonRollingBack), breached("errors", v1alpha1.ModeEnforce))
	ro.Status.Attempt.Candidate, ro.Status.Attempt.Latched = "api-2", []string{"api-2"}
	c.Decided(ro, minutesAfter(5, v1alpha1.PhaseBaking, "Baking"), rollout.Decision{})
	if got := testutil.ToFloat64(c.ends.rollbacks.WithLabelValues("errors")); got != 1 {
		t.Errorf("%v rollbacks for errors, want 1", got)
	}
}

// TestWhenARolloutActsByItself: the earlier of its step's deadline and of the end of
// its patience with missing metrics, and nothing while a person is waited for.
func TestWhenARolloutActsByItself(t *testing.T) {
	t.Parallel()
	ago := func(minutes int) *metav1.Time {
		return &metav1.Time{Time: scrapedAt.Add(-time.Duration(minutes) * time.Minute)}
	}
	for name, test := range map[string]struct {
		change func(*v1alpha1.CloudRunRollout)
		want   []time.Duration // from the scrape on
	}{
		"a deadline":                 {func(*v1alpha1.CloudRunRollout) {}, []time.Duration{30 * time.Minute}},
		"metrics that stay away":     {func(ro *v1alpha1.CloudRunRollout) { ro.Status.Attempt.NoDataSince = ago(10) }, []time.Duration{20 * time.Minute}},
		"metrics that went just now": {func(ro *v1alpha1.CloudRunRollout) { ro.Status.Attempt.NoDataSince = ago(0) }, []time.Duration{30 * time.Minute}},
		"metrics, without a deadline": {func(ro *v1alpha1.CloudRunRollout) {
			ro.Status.Attempt.NoDataSince, ro.Status.Attempt.DeadlineRunningSince = ago(10), nil
		}, []time.Duration{20 * time.Minute}},
		"a person is waited for":       {func(ro *v1alpha1.CloudRunRollout) { ro.Status.Phase = v1alpha1.PhasePaused }, nil},
		"nothing is under way":         {func(ro *v1alpha1.CloudRunRollout) { ro.Status.Phase = v1alpha1.PhaseIdle }, nil},
		"the clock stands still":       {func(ro *v1alpha1.CloudRunRollout) { ro.Status.Attempt.DeadlineRunningSince = nil }, nil},
		"before the first look at all": {func(ro *v1alpha1.CloudRunRollout) { ro.Status = v1alpha1.CloudRunRolloutStatus{} }, nil},
	} {
		ro := held("api")
		ro.Spec.Analysis.OnNoData.After = "30m"
		test.change(&ro)
		var got []time.Duration
		tellNextAction(&ro, scrapedAt, func(value float64, _ ...string) {
			got = append(got, time.Unix(int64(value), 0).Sub(scrapedAt))
		})
		if len(got) != len(test.want) || len(got) == 1 && got[0] != test.want[0] {
			t.Errorf("%s: told %v, want %v", name, got, test.want)
		}
	}
}

// TestACandidateIsExposedUntilItIsStable: what has completed serves everything, and is
// nobody's worry.
func TestACandidateIsExposedUntilItIsStable(t *testing.T) {
	t.Parallel()
	revision := func(name string, percent int32) *v1alpha1.RevisionStatus {
		return &v1alpha1.RevisionStatus{Revision: name, Percent: percent}
	}
	for name, test := range map[string]struct {
		stable, candidate *v1alpha1.RevisionStatus
		want              float64
	}{
		"nothing is known":       {nil, nil, 0},
		"stable alone":           {revision("api-1", 100), nil, 0},
		"a candidate at 0":       {revision("api-1", 100), revision("api-2", 0), 0},
		"a candidate at 5":       {revision("api-1", 95), revision("api-2", 5), 1},
		"a candidate at 100":     {revision("api-1", 0), revision("api-2", 100), 1},
		"one that became stable": {revision("api-2", 100), revision("api-2", 100), 0},
		"one without a way back": {nil, revision("api-2", 5), 1},
	} {
		ro := object()
		ro.Status.Stable, ro.Status.Candidate = test.stable, test.candidate
		tellExposed(ro, scrapedAt, func(value float64, _ ...string) {
			if value != test.want {
				t.Errorf("%s: told %v, want %v", name, value, test.want)
			}
		})
	}
}

// TestACheckOnTrialWithoutDataIsNotTold: it has no effect, so nobody is woken for it.
func TestACheckOnTrialWithoutDataIsNotTold(t *testing.T) {
	t.Parallel()
	ro := object()
	for _, mode := range []v1alpha1.CheckMode{v1alpha1.ModeShadow, v1alpha1.ModeEnforce} {
		ro.Status.Checks = append(ro.Status.Checks, v1alpha1.CheckStatus{
			Name: string(mode), Mode: mode, Verdict: v1alpha1.VerdictNoData, Cause: v1alpha1.CauseDataLate,
		})
	}
	var told []string
	tellCause(ro, scrapedAt, func(_ float64, labels ...string) { told = append(told, labels[0]) })
	if len(told) != 1 || told[0] != string(v1alpha1.ModeEnforce) {
		t.Errorf("told of %v", told)
	}
}

// spared and accused make a way back one that gives nothing up, or not yet.
func spared(s *v1alpha1.CloudRunRolloutStatus)  { s.Attempt.SparedAt = s.Attempt.Since }
func accused(s *v1alpha1.CloudRunRolloutStatus) { s.Attempt.AccusedAt = s.Attempt.Since }
