package rollout

import (
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// halted is an attempt at 25 % that ann asked to pause.
func halted() scene {
	s := in(Paused, ReasonPaused)
	s.Progress.Cause = "paused by ann"
	return s
}

func TestAPauseThatIsAskedFor(t *testing.T) {
	t.Parallel()
	why := at(25).asks(VerbPause)
	why.Request.Reason = "holding for the vendor"
	check(t, map[string]row{
		"nothing rises":                          {why, "Paused/Paused, accepts", `paused by ann ("holding for the vendor"); traffic stays at web-2 25%, web-1 75%`},
		"before the first write":                 {at(0).asks(VerbPause), "Paused/Paused, accepts", "Waits: resume goes on, abort sends everything to web-1"},
		"at a gate":                              {in(AwaitingApproval, ReasonAwaitingApproval).asks(VerbPause), "Paused/Paused, accepts", ""},
		"while Cloud Run applies a change":       {at(25).unsettled().asks(VerbPause), "Paused/Paused, accepts", ""},
		"over spec.paused, which it outlasts":    {in(Paused, ReasonPaused).paused().asks(VerbPause), "Paused/Paused, accepts", "Waits for spec.paused: false and then for resume"},
		"twice":                                  {halted().asks(VerbPause), "Paused/Paused, refuses", "there is nothing to pause in state Paused/Paused: paused by ann"},
		"where a person is waited for already":   {in(Paused, StepDeadlineExceeded).asks(VerbPause), "Paused/StepDeadlineExceeded, refuses", ""},
		"on the way back":                        {in(RollingBack, ReasonRollingBack).asks(VerbPause), "RollingBack/RollingBack, writes web-1 100%, refuses", ""},
		"with nothing under way":                 {idle().split("web-1", 100).with(func(s *scene) { s.Progress.Cutoff = now }).asks(VerbPause), "Idle/Steady, refuses", "there is nothing to pause"},
		"of another attempt":                     {at(25).asks(VerbPause).with(func(s *scene) { s.Request.Attempt = 4 }), "Shifting/Progressing, writes web-2 100%, refuses", "look again, and write attempt: 1"},
		"it stays while the bake completes":      {halted(), "Paused/Paused", "paused by ann; traffic stays at web-2 25%, web-1 75%"},
		"it stays while Cloud Run is busy":       {halted().unsettled(), "Paused/Paused", "paused by ann"},
		"it stays when Git says paused: false":   {halted(), "Paused/Paused", ""},
		"it stays when Git says paused: true":    {halted().paused(), "Paused/Paused", "Waits for spec.paused: false and then for resume"},
		"a newer candidate waits too":            {halted().newer(), "Paused/Paused", "resume goes on with web-3, which is newer"},
		"resume goes back for it":                {halted().newer().asks(Resume), "RollingBack/RollingBack, writes web-1 100%, accepts", "web-2 is superseded by web-3"},
		"resume goes on":                         {halted().asks(Resume), "Shifting/Progressing, writes web-2 100%, accepts", "resumed by ann: web-2 goes from 25% to 100%"},
		"resume is refused while spec.paused is": {halted().paused().asks(Resume), "Paused/Paused, refuses", "spec.paused is true: set it to false in Git"},
		"abort ends it":                          {halted().asks(Abort), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"a breach leads back":                    {halted().errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", ""},
		"a foreign split is a conflict":          {halted().foreign(), "Paused/TrafficConflict", ""},
		"a gate stays shut":                      {halted().asks(Approve), "Paused/Paused, refuses", ""},
	})
}

// TestAPauseInGitHasNoCauseOfItsOwn: by its cause the one is told from the other,
// whatever was going on before.
func TestAPauseInGitHasNoCauseOfItsOwn(t *testing.T) {
	t.Parallel()
	s := at(25).paused()
	s.Progress.Cause = "left behind"
	s.Progress = Decide(Input(s)).Progress
	s.Plan.Paused = false
	s.Now = s.Now.Add(time.Minute)
	if d := Decide(Input(s)); d.Progress.Phase == Paused {
		t.Errorf("it still waits for a verb: %s", d.Note)
	}
}

// TestAnAttemptOnItsWayOutDoesNotGoOn: somebody else moved traffic during a way back that
// gave nothing up. Whoever resumes then gets a new attempt, once stable serves.
func TestAnAttemptOnItsWayOutDoesNotGoOn(t *testing.T) {
	t.Parallel()
	back := in(Paused, TrafficConflict).meant(all("web-1"))
	seen := back.with(func(s *scene) { s.Progress.Intents[0].ETag = "" }).split("web-1", 100)
	arrived := in(Paused, TrafficConflict).with(func(s *scene) { s.Progress.Confirmed, s.Progress.Step = all("web-1"), 0 })
	tried := arrived.with(func(s *scene) {
		s.Progress.Trial = Trial{At: ago(30 * time.Minute), From: 25, Since: ago(29 * time.Minute)}
	})
	check(t, map[string]row{
		"whose end serves":                   {seen.asks(Resume), "Checking/Preparing, accepts", "web-2 is to follow web-1"},
		"whose end served before":            {arrived.split("web-1", 100).asks(Resume), "Checking/Preparing, accepts", "web-2 is to follow web-1"},
		"over a split of somebody else's":    {arrived.split("web-1", 50, "web-2", 50).asks(Resume), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"over its own former split":          {back.asks(Resume), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"one that is to be tried again does": {tried.split("web-1", 100).asks(Resume), "Shifting/Progressing, writes web-2 5%, web-1 95%, accepts", ""},
	})
	if d := Decide(Input(seen.asks(Resume))); d.Progress.Attempt != 2 {
		t.Errorf("it is attempt %d", d.Progress.Attempt)
	}
}
