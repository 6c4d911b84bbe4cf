package rollout

import (
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// TestEvidenceReachesBackAsFarAsItNeedsTo: every minute that is judged is asked
// for each minute, so a step that waits for days must not ask for all of it.
func TestEvidenceReachesBackAsFarAsItNeedsTo(t *testing.T) {
	t.Parallel()
	longest := 24 * time.Hour
	for _, step := range at(25).Plan.Steps {
		longest = max(longest, 24*time.Hour+step.Bake)
	}
	cases := map[string]struct {
		watched, effective time.Duration // ago
		step, earlier      time.Duration // ago; 0: none
	}{
		"the first step":                       {30 * time.Minute, 30 * time.Minute, 29 * time.Minute, 29 * time.Minute},
		"a later one and what came before it":  {5 * time.Hour, time.Hour, 59 * time.Minute, 5*time.Hour - settle},
		"a step that waited for days":          {100 * time.Hour, 90 * time.Hour, longest, 0},
		"a young step after one that did":      {100 * time.Hour, time.Hour, 59 * time.Minute, longest},
		"a status saved before this was there": {0, time.Hour, 59 * time.Minute, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := at(25)
			s.Progress.Effective = ago(c.effective)
			if c.watched > 0 {
				s.Progress.Watched = ago(c.watched)
			}
			scope, _ := scopeOf(Input(s))
			if want := ago(c.step); !scope.StepSince.Equal(want) {
				t.Errorf("the step is judged since %v, want %v", scope.StepSince, want)
			}
			if want := (time.Time{}); c.earlier == 0 && !scope.EarlierSince.Equal(want) || c.earlier > 0 && !scope.EarlierSince.Equal(ago(c.earlier)) {
				t.Errorf("earlier steps are judged since %v, want %v ago", scope.EarlierSince, c.earlier)
			}
		})
	}
}

// TestAStepIsJudgedAgainAtTheNextOneAndNotTwice: data may come late. Two steps later what
// failed while a split settled would count, which it did not at its own step.
func TestAStepIsJudgedAgainAtTheNextOneAndNotTwice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		weight             int64         // that serves until now; 0: none
		effective, watched time.Duration // ago; 0: not known
		want               time.Duration // ago
	}{
		"the first step has none before it":                {0, 0, 0, 0},
		"a later one has the one before":                   {5, 20 * time.Minute, time.Hour, 20 * time.Minute},
		"one before it whose beginning nobody saw counts":  {5, 0, time.Hour, time.Hour},
		"one after the candidate was at nothing has none":  {0, 20 * time.Minute, 0, 0},
		"one taken up from a claim has what was sent then": {0, 0, time.Hour, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := at(c.weight).meant(between("web-2", "web-1", 25)).split("web-2", 25, "web-1", 75)
			s.Progress.Effective, s.Progress.Watched = time.Time{}, time.Time{}
			if c.effective > 0 {
				s.Progress.Effective = ago(c.effective)
			}
			if c.watched > 0 {
				s.Progress.Watched = ago(c.watched)
			}
			p := Decide(Input(s)).Progress
			if p.Step != 2 || !p.Effective.Equal(now) || !p.Watched.Equal(ago(c.want)) {
				t.Errorf("step %d since %s, judged again since %s; want step 2 since now, and %s", p.Step, p.Effective, p.Watched, ago(c.want))
			}
		})
	}
}

// TestABreachOutlastsARevisionThatCannotBeRead: without its maximum of instances
// a check may not apply, which shows nothing healthy.
func TestABreachOutlastsARevisionThatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := at(25).nat(analysis.NotApplicable)
	s.Progress.Breaches = []BreachStart{{"nat", ago(4 * time.Minute)}}
	if got := Decide(Input(s)).Progress.breachedSince("nat"); !got.IsZero() {
		t.Errorf("a check that does not apply is in breach since %v", got)
	}
	s.Revisions["web-2"] = Revision{Presence: Unknown, Name: "web-2", Readiness: Pending, Why: "503"}
	if got := Decide(Input(s)).Progress.breachedSince("nat"); !got.Equal(ago(4 * time.Minute)) {
		t.Errorf("with an unread candidate the breach began %v, want four minutes ago", got)
	}
}

// TestWhatWasJudgedIsRemembered: the newest minute that every check has judged,
// anew at each step.
func TestWhatWasJudgedIsRemembered(t *testing.T) {
	t.Parallel()
	s := at(25).says("errors", Rollback, stub{outcome: analysis.Pass, healthy: 3})
	through := Decide(Input(s)).Progress.Judged
	if through.IsZero() || !through.After(s.Progress.Effective) {
		t.Fatalf("judged through %v", through)
	}
	s.Progress.Judged = through.Add(time.Minute)
	if got := Decide(Input(s)).Progress.Judged; !got.Equal(s.Progress.Judged) {
		t.Errorf("an answer that reaches less far takes it back to %v", got)
	}
	s = s.nat(analysis.NoData)
	s.Progress.Judged = time.Time{}
	if got := Decide(Input(s)).Progress.Judged; !got.IsZero() {
		t.Errorf("judged through %v while a check has no data", got)
	}
}
