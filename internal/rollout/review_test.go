package rollout

import (
	"testing"
	"time"
)

// TestWhatAPersonTookBackStaysBack: the spec still names a revision that a
// person has sent away from; it is not rolled out again by itself.
func TestWhatAPersonTookBackStaysBack(t *testing.T) {
	t.Parallel()
	s := idle().split("web-1", 100)
	s.Plan.CandidateRevision = "web-2"
	s.Progress.Phase, s.Progress.Reason = Completed, ReasonCompleted
	s.Progress.Stable, s.Progress.Candidate, s.Progress.Confirmed = "web-2", "web-2", all("web-2")
	s.Progress.Cutoff = now

	first := Decide(Input(s))
	s.Progress = first.Progress
	second := Decide(Input(s))
	if p := second.Progress; p.Stable != "web-1" || p.Phase != Idle || second.Write != nil || p.Attempt != s.Progress.Attempt {
		t.Errorf("decided %s/%s, write %v: %s", p.Phase, p.Reason, second.Write, second.Note)
	}
	s.Progress = second.Progress
	s = s.asks(Retry).with(func(s *scene) { s.Request.Attempt, s.Request.Step, s.Request.Revision = 0, -1, "web-2" })
	if third := Decide(Input(s)); third.Progress.Phase != Checking {
		t.Errorf("retry is not heard: %s/%s: %s", third.Progress.Phase, third.Progress.Reason, third.Note)
	}
}

func TestNothingIsAdmittedThatCannotBeRead(t *testing.T) {
	t.Parallel()
	denied := unseen(idle().split("web-1", 100)).presence("web-2", Denied)
	unknown := unseen(idle().split("web-1", 100)).presence("web-1", Unknown)
	check(t, map[string]row{
		"access to a revision is denied": {denied, "Idle/AccessDenied", "revision web-2 could not be read"},
		"a revision cannot be read now":  {unknown, "Idle/Preparing", "revision web-1 could not be read"},
	})
	if p := Decide(Input(denied)).Progress; p.Stable != "" {
		t.Errorf("a baseline was recorded: %+v", p)
	}
}

func TestLatestIsPinnedInAnAttemptToo(t *testing.T) {
	t.Parallel()
	s := at(100)
	s.Service.Desired = []Entry{{Latest: true, Percent: 100}, {Revision: "web-1", Tag: Tag}}
	check(t, map[string]row{
		"the split is written again by name": {s, "Baking/Progressing, writes web-2 100%", "traffic followed LATEST and is being pinned to web-2 100%"},
	})
	paused := idle().split("web-1", 100).paused()
	paused.Service.Desired = []Entry{{Latest: true, Percent: 100}}
	paused.Service.LatestReady, paused.Service.LatestCreated = "web-1", "web-1"
	paused.Progress.Cutoff = now.Add(-time.Minute)
	check(t, map[string]row{
		"a paused one says that it is not pinned": {paused, "Idle/Steady", "a new revision takes everything at once"},
	})
}

// unseen is a service that was never looked at.
func unseen(s scene) scene {
	s.Progress = Progress{Phase: Idle, Reason: Preparing}
	return s
}
