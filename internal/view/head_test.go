package view_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

var at = time.Date(2026, 11, 26, 3, 7, 0, 0, time.UTC)

// baking is a rollout with a quarter of the traffic, whose evidence is so old.
func baking(age time.Duration) *v1alpha1.CloudRunRollout {
	through := metav1.NewTime(at.Add(-age))
	ro := &v1alpha1.CloudRunRollout{}
	ro.Status.Phase, ro.Status.NextAction = v1alpha1.PhaseBaking, "Needs 3 more."
	ro.Status.Candidate = &v1alpha1.RevisionStatus{Revision: "api-2", Percent: 25}
	ro.Status.Checks = []v1alpha1.CheckStatus{{Name: "errors", ObservedThrough: &through}, {Name: "nat-drops"}}
	ro.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: "Progressing"}}
	return ro
}

// TestAStatusThatNobodyRenewsIsDoubted: frozen green is worse than an alarm. What a check
// says of its own silence is not said twice, and what nobody is exposed to need not be
// watched.
func TestAStatusThatNobodyRenewsIsDoubted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*v1alpha1.CloudRunRollout)
		age    time.Duration
		want   bool
	}{
		"the newest minute there can be": {nil, 4 * time.Minute, false},
		"a minute that is late":          {nil, 14 * time.Minute, false},
		"long ago":                       {nil, 16 * time.Minute, true},
		"metrics that are missing": {func(ro *v1alpha1.CloudRunRollout) {
			ro.Status.Checks[1].Cause = v1alpha1.CauseUnavailable
		}, time.Hour, false},
		"nobody is exposed": {func(ro *v1alpha1.CloudRunRollout) { ro.Status.Candidate.Percent = 0 }, time.Hour, false},
		"it has completed": {func(ro *v1alpha1.CloudRunRollout) {
			ro.Status.Phase = v1alpha1.PhaseCompleted
			ro.Status.Conditions[0] = metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: "Completed"}
		}, time.Hour, false},
		"nothing was judged yet": {func(ro *v1alpha1.CloudRunRollout) { ro.Status.Checks = nil }, time.Hour, false},
	} {
		ro := baking(c.age)
		if c.change != nil {
			c.change(ro)
		}
		doubts := strings.Join(view.Reader{Now: at}.Doubts(ro), "; ")
		if strings.Contains(doubts, "STALE") != c.want {
			t.Errorf("%s: doubts %q", name, doubts)
		}
	}
}

// silent is a rollout without data since an hour, which pauses if that lasts for so long.
func silent(after v1alpha1.Duration) *v1alpha1.CloudRunRollout {
	since := metav1.NewTime(at.Add(-time.Hour))
	ro := baking(64 * time.Minute)
	ro.Status.Phase, ro.Status.Conditions[0].Reason = v1alpha1.PhaseHeld, v1alpha1.ReasonMetricsUnavailable
	ro.Status.Checks[0].Cause = v1alpha1.CauseUnavailable
	ro.Spec.Analysis.OnNoData.After = after
	ro.Status.Attempt = &v1alpha1.Attempt{NoDataSince: &since}
	return ro
}

// TestADeadlineThatIsLongOverIsDoubtedToo: who tells of missing metrics says what that
// leads to and when. If it is long over and nothing came of it, nobody watches.
func TestADeadlineThatIsLongOverIsDoubtedToo(t *testing.T) {
	t.Parallel()
	running := metav1.NewTime(at.Add(-50 * time.Minute))
	ran := silent("2h")
	ran.Spec.Strategy.StepDeadline, ran.Status.Attempt.DeadlineRunningSince, ran.Status.Attempt.DeadlineSpentSeconds = "30m", &running, 300
	paused := silent("30m")
	paused.Status.Phase, paused.Status.Attempt.NoDataSince = v1alpha1.PhasePaused, nil
	unexposed := silent("30m")
	unexposed.Status.Candidate.Percent = 0
	const now = "STALE: it was to pause or go back at "
	for name, c := range map[string]struct {
		ro   *v1alpha1.CloudRunRollout
		want string
	}{
		"its wait for data is long over": {silent("30m"), now + "02:37Z (30m ago) and has not; nothing was judged since 02:03Z (64m ago): "},
		"so is its step's deadline":      {ran, now + "02:42Z (25m ago) and has not; nothing was judged since 02:03Z (64m ago): "},
		"it is over since a moment":      {silent("46m"), ""},
		"it is still to come":            {silent("2h"), ""},
		"it names none that can be read": {silent(""), ""},
		"a person is waited for":         {paused, ""},
		"nobody is exposed":              {unexposed, ""},
	} {
		doubts := strings.Join(view.Reader{Now: at}.Doubts(c.ro), "; ")
		if (doubts != "") != (c.want != "") || !strings.HasPrefix(doubts, c.want) {
			t.Errorf("%s: doubts %q, want %q", name, doubts, c.want)
		}
	}
	if line := (view.Reader{Now: at}).Summarize(silent("30m")); line.Status() != "STALE 64m: MetricsUnavailable" {
		t.Errorf("the list says %s", line.Status())
	}
}

// TestALineSaysThatItIsStale, by its sign and in words, before what was known.
func TestALineSaysThatItIsStale(t *testing.T) {
	t.Parallel()
	r := view.Reader{Now: at}
	line := r.Summarize(baking(45 * time.Minute))
	if line.Mark != (view.Mark{Sign: "!", Words: "stale, last known: under way", Tone: view.Wary}) || line.Status() != "STALE 45m: Progressing" {
		t.Errorf("the line is %+v", line)
	}
	if line.What != "Nothing was judged since 02:22Z (45m ago), and api-2 serves users meanwhile. Last known: Needs 3 more." {
		t.Errorf("what: %s", line.What)
	}
	line = r.Summarize(baking(4 * time.Minute))
	if line.Mark.Sign != ">" || line.Stale != "" || line.Status() != "Progressing" || line.What != "Needs 3 more." {
		t.Errorf("one that is watched: %+v", line)
	}
	failing := baking(45 * time.Minute)
	failing.Status.Conditions[0].Reason = v1alpha1.ReasonHeldByAnalysis
	if mark := r.Mark(failing); mark.Tone != view.Alarm || mark.Words != "stale, last known: held by a check" {
		t.Errorf("one that a check holds: %+v", mark)
	}
}

// TestWhatNobodyWatchesIsAsUrgentAsWhatNeedsAPerson, and no less urgent than it was.
func TestWhatNobodyWatchesIsAsUrgentAsWhatNeedsAPerson(t *testing.T) {
	t.Parallel()
	named := func(name string, age time.Duration, reason string, phase v1alpha1.Phase) v1alpha1.CloudRunRollout {
		ro := baking(age)
		ro.Name, ro.Status.Phase, ro.Status.Conditions[0].Reason = name, phase, reason
		return *ro
	}
	all := []v1alpha1.CloudRunRollout{
		named("moving", time.Minute, v1alpha1.ReasonProgressing, v1alpha1.PhaseBaking),
		named("waits", time.Minute, v1alpha1.ReasonTooFewRequests, v1alpha1.PhaseHeld),
		named("unwatched", time.Hour, v1alpha1.ReasonProgressing, v1alpha1.PhaseBaking),
		named("failing", time.Minute, v1alpha1.ReasonHeldByAnalysis, v1alpha1.PhaseHeld),
		named("failing unwatched", time.Hour, v1alpha1.ReasonHeldByAnalysis, v1alpha1.PhaseHeld),
	}
	r := view.Reader{Now: at}
	var names []string
	for _, ro := range r.Sorted(all) {
		names = append(names, ro.Name)
	}
	if !slices.Equal(names, []string{"failing", "failing unwatched", "unwatched", "waits", "moving"}) {
		t.Errorf("the order is %q", names)
	}
	if text := r.StaleOnes(all); !strings.HasPrefix(text, "STALE: what is shown of 2 of 5 rollouts is what was last known: see whether a manager runs") {
		t.Errorf("of all: %q", text)
	}
	if text := r.StaleOnes(all[:2]); text != "" {
		t.Errorf("of those that are watched: %q", text)
	}
}

// TestWhatEndsALostStateIsSaid: resume, or a name.
func TestWhatEndsALostStateIsSaid(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{v1alpha1.ReasonStateLost, v1alpha1.ReasonBaselineLost} {
		ro := &v1alpha1.CloudRunRollout{}
		ro.Status.Phase = v1alpha1.PhasePaused
		ro.Status.Conditions = []metav1.Condition{
			{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: reason},
			{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: reason},
		}
		deeds := view.Deeds(ro)
		if len(deeds) != 2 || !strings.Contains(deeds[0].Command, "resume") || !strings.Contains(deeds[1].Command, "spec.stableRevision") {
			t.Errorf("%s: %v", reason, deeds)
		}
	}
}
