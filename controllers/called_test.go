package controllers

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/notify"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// suffering is a hold in which a check has been in breach since a minute, and a person was
// called in another; a negative one is never.
func suffering(since, calledAt int) *v1alpha1.CloudRunRolloutStatus {
	minute := func(n int) *metav1.Time {
		if n < 0 {
			return nil
		}
		return &metav1.Time{Time: morning.Add(time.Duration(n) * time.Minute)}
	}
	s := minutesAfter(5, v1alpha1.PhaseHeld, v1alpha1.ReasonHeldByAnalysis)
	s.Attempt.CalledAt = minute(calledAt)
	s.Checks = []v1alpha1.CheckStatus{{Name: "errors", Mode: v1alpha1.ModeEnforce, Verdict: v1alpha1.VerdictPass}}
	if since >= 0 {
		s.Checks = append(s.Checks, v1alpha1.CheckStatus{Name: "nat-drops", Mode: v1alpha1.ModeEnforce, Verdict: v1alpha1.VerdictBreach, BreachedSince: minute(since)})
	}
	return s
}

// TestAPersonIsCalledWhileTheTroubleLasts, and not for one that is over, or for the next one
// before it is clear that nobody can explain that either.
func TestAPersonIsCalledWhileTheTroubleLasts(t *testing.T) {
	t.Parallel()
	shadow := suffering(10, 12)
	shadow.Checks[1].Mode = v1alpha1.ModeShadow
	back := suffering(10, 12)
	back.Phase = v1alpha1.PhaseRollingBack
	for name, c := range map[string]struct {
		status *v1alpha1.CloudRunRolloutStatus
		want   bool
	}{
		"one that lasts":                     {suffering(10, 12), true},
		"one for which nobody was called":    {suffering(10, -1), false},
		"one after the one they came for":    {suffering(20, 12), false},
		"one that is over":                   {suffering(-1, 12), false},
		"one that has no effect":             {shadow, false},
		"one because of which it goes back":  {back, false},
		"none, before the first look at all": {&v1alpha1.CloudRunRolloutStatus{}, false},
	} {
		ro := object()
		ro.Status = *c.status
		collector, _ := collectorOf(*ro)
		told := strings.Contains(scrape(t, collector), "sluice_rollout_person_called{")
		if got := needsPerson(c.status); got != c.want || told != c.want {
			t.Errorf("%s: needs a person %v, told %v, want %v", name, got, told, c.want)
		}
	}
}

// TestAHoldWithAnotherCauseIsNews: the state is the same, and what people would do is not.
func TestAHoldWithAnotherCauseIsNews(t *testing.T) {
	t.Parallel()
	at := func(n int) string { return morning.Add(time.Duration(n) * time.Minute).Format(time.TimeOnly) }
	other := suffering(10, -1)
	other.Checks[0].Verdict, other.Checks[0].BreachedSince = v1alpha1.VerdictBreach, &metav1.Time{Time: morning.Add(11 * time.Minute)}
	for name, c := range map[string]struct {
		before, after *v1alpha1.CloudRunRolloutStatus
		want          string
	}{
		"a check trips":                {suffering(-1, -1), suffering(10, -1), at(10)},
		"another one trips":            {suffering(10, -1), other, at(11)},
		"a person is called":           {suffering(10, -1), suffering(10, 12), at(12)},
		"and called again":             {suffering(10, 12), suffering(20, 22), at(22)},
		"it comes back":                {suffering(-1, 12), suffering(20, 20), at(20)},
		"it was dated anew":            {suffering(20, 12), suffering(20, 20), ""},
		"it goes on":                   {suffering(10, 12), suffering(10, 12), ""},
		"it is over":                   {suffering(10, 12), suffering(-1, 12), ""},
		"it began with the hold":       {minutesAfter(4, v1alpha1.PhaseBaking, v1alpha1.ReasonProgressing), suffering(10, -1), at(5)},
		"another state, as it went on": {minutesAfter(4, v1alpha1.PhaseBaking, v1alpha1.ReasonProgressing), minutesAfter(4, v1alpha1.PhaseBaking, v1alpha1.ReasonProgressing), ""},
	} {
		s := newStage(t)
		var heard []string
		s.r.Tell = func(n notify.News) { heard = append(heard, n.At.Format(time.TimeOnly)) }
		ro := object()
		ro.Status = *c.after
		s.r.tell(t.Context(), ro, c.before, rollout.Decision{Progress: rollout.Progress{
			Phase: rollout.Phase(c.after.Phase), Reason: rollout.Reason(c.after.Attempt.Reason), Since: c.after.Attempt.Since.Time,
		}})
		if got := strings.Join(heard, " "); got != c.want {
			t.Errorf("%s: told of %q, want %q", name, got, c.want)
		}
	}
}
