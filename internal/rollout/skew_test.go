package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// skewed is a scene in which our clock is ahead of Cloud Run's.
func (s scene) skewed(ahead time.Duration) scene {
	s.Service.Skew = ahead
	return s
}

// since is a scene in which evidence has been missing for a while.
func (s scene) since(d time.Duration) scene {
	s.Progress.NoDataSince = ago(d)
	return s
}

func TestNothingRisesWhileTheClocksAreApart(t *testing.T) {
	t.Parallel()
	const far = 10 * time.Minute
	gated := at(25).with(func(s *scene) { s.Plan.Steps[2].Approval = true })
	theirs := at(25).split("web-2", 10, "web-1", 90)
	rollsBack := func(s scene) scene { s.Plan.NoData.Action = Rollback; return s }
	check(t, map[string]row{
		"not before the first write":     {at(0).skewed(far), "Held/MetricsUnavailable", "this manager's clock is 10m0s ahead of Cloud Run's"},
		"not at a step that is complete": {at(25).skewed(far), "Held/MetricsUnavailable", "set the clock (NTP) of the node it runs on; pauses at Mar 1 12:30Z"},
		"not with a clock that is behind": {
			at(25).skewed(-4 * time.Minute), "Held/MetricsUnavailable", "this manager's clock is 4m0s behind Cloud Run's, so no metric can be dated",
		},
		"the last step is not complete":         {at(100).skewed(far), "Held/MetricsUnavailable", ""},
		"a gate is not reached":                 {gated.skewed(far), "Held/MetricsUnavailable", ""},
		"an approval does not overrule it":      {gated.skewed(far).asks(Approve), "Held/MetricsUnavailable, refuses", ""},
		"nor one of a step with few requests":   {at(25).errors(analysis.Insufficient).skewed(far).asks(Approve), "Held/MetricsUnavailable, refuses", ""},
		"nor one before the first write":        {at(0).with(func(s *scene) { s.Plan.Steps[0].Approval = true }).skewed(far).asks(Approve), "Held/MetricsUnavailable, refuses", ""},
		"a resume does not raise":               {theirs.skewed(far).asks(Resume), "Paused/TrafficConflict, refuses", "clock is 10m0s ahead of Cloud Run's"},
		"a resume may lower":                    {at(25).split("web-2", 50, "web-1", 50).skewed(far).asks(Resume), "Shifting/Progressing, writes web-2 25%, web-1 75%, accepts", ""},
		"half a minute is near enough":          {at(25).skewed(30 * time.Second), "Shifting/Progressing, writes web-2 100%", ""},
		"half a minute behind as well":          {at(25).skewed(-30 * time.Second), "Shifting/Progressing, writes web-2 100%", ""},
		"more is not":                           {at(25).skewed(31 * time.Second), "Held/MetricsUnavailable", "30s ahead"},
		"it goes on when the clocks agree":      {in(Held, MetricsUnavailable).since(time.Minute), "Shifting/Progressing, writes web-2 100%", ""},
		"a breach still leads back":             {at(25).errors(analysis.Breach).skewed(far), "RollingBack/RollingBack, writes web-1 100%", ""},
		"a breach that holds still holds":       {at(25).nat(analysis.Breach).skewed(far), "Held/HeldByAnalysis", "Rolls back at"},
		"an abort still leads back":             {at(25).skewed(far).asks(Abort), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"a candidate that fails leads back":     {at(25).readiness("web-2", NotReady).skewed(far), "RollingBack/RollingBack, writes web-1 100%", ""},
		"in the end it pauses":                  {at(25).skewed(far).since(30 * time.Minute), "Paused/NoDataDeadlineExceeded", ""},
		"or goes back, where the plan says so":  {rollsBack(at(25)).skewed(far).since(30 * time.Minute), "RollingBack/RollingBack, writes web-1 100%", ""},
		"a service at rest does not care":       {idle().skewed(far), "Checking/Preparing", ""},
		"a split that arrived is no step begun": {arrived().skewed(far), "Baking/Progressing", ""},
	})
}

// arrived is a split of ours that is seen to serve for the first time.
func arrived() scene {
	s := at(5).meant(between("web-2", "web-1", 25)).split("web-2", 25, "web-1", 75)
	s.Progress.Phase = Shifting
	return s
}

// TestAStepBeginsWhenTheClocksAgree: a time that was wrong when it was taken must
// not let minutes from before the split count.
func TestAStepBeginsWhenTheClocksAgree(t *testing.T) {
	t.Parallel()
	s := arrived().skewed(-10 * time.Minute)
	for _, step := range []struct {
		skew  time.Duration
		want  string
		begun bool
	}{
		{-10 * time.Minute, "Baking/Progressing", false},
		{-10 * time.Minute, "Held/MetricsUnavailable", false},
		{0, "Baking/Progressing", true},
	} {
		d := Decide(Input(s.skewed(step.skew)))
		if diff := cmp.Diff(step.want, inWords(d)); diff != "" {
			t.Errorf("(-want +got):\n%s\n%s", diff, d.Note)
		}
		if got := d.Progress.Effective; got.IsZero() == step.begun {
			t.Errorf("after %s the step began at %v", inWords(d), got)
		}
		s.Progress = d.Progress
	}
}

// TestMinutesAreNotJudgedWhileTheClocksAreApart: data that answer do not end the
// silence either, or a clock that is behind would never meet its deadline.
func TestMinutesAreNotJudgedWhileTheClocksAreApart(t *testing.T) {
	t.Parallel()
	s := at(25).since(10 * time.Minute)
	if d := Decide(Input(s)); !d.Progress.NoDataSince.IsZero() || d.Progress.Judged.IsZero() {
		t.Fatalf("with one clock: silent since %v, judged up to %v", d.Progress.NoDataSince, d.Progress.Judged)
	}
	d := Decide(Input(s.skewed(-10 * time.Minute)))
	if !d.Progress.NoDataSince.Equal(ago(10*time.Minute)) || !d.Progress.Judged.IsZero() {
		t.Errorf("silent since %v, judged up to %v", d.Progress.NoDataSince, d.Progress.Judged)
	}
}
