package rollout

import (
	"slices"
	"testing"
	"time"
)

// completed is a rollout of web-2 that has ended, after web-1.
func completed() scene {
	s := at(100)
	s.Progress.Phase, s.Progress.Reason = Completed, ReasonCompleted
	s.Progress.Stable, s.Progress.Former, s.Progress.Cutoff = "web-2", "web-1", ago(2*time.Hour)
	return s
}

func TestUndo(t *testing.T) {
	t.Parallel()
	why := completed().asks(Undo)
	why.Request.Reason = "orders are lost"
	check(t, map[string]row{
		"gives the former stable everything": {why, "RollingBack/RollingBack, writes web-1 100%, accepts", `undone by ann ("orders are lost"); 100% goes to web-1`},
		"of the revision that is named":      {completed().asks(Undo).with(func(s *scene) { s.Request.Revision = "web-1" }), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"while spec.paused is true":          {completed().paused().asks(Undo), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"not another one":                    {completed().asks(Undo).with(func(s *scene) { s.Request.Revision = "web-0" }), "Completed/Completed, refuses", "web-0 was meant, web-1 was stable before"},
		"not one that is gone":               {completed().presence("web-1", Missing).asks(Undo), "Completed/Completed, refuses", "the former stable web-1 no longer exists"},
		"not one that is not ready":          {completed().readiness("web-1", NotReady).asks(Undo), "Completed/Completed, refuses", "the former stable web-1 is not ready: it crashed"},
		"not one that cannot be read":        {completed().presence("web-1", Denied).asks(Undo), "Completed/Completed, refuses", "web-1"},
		"not without a memory of it":         {completed().with(func(s *scene) { s.Progress.Former = "" }).asks(Undo), "Completed/Completed, refuses", "is not remembered"},
		"not of another attempt":             {completed().asks(Undo).with(func(s *scene) { s.Request.Attempt = 4 }), "Completed/Completed, refuses", "write attempt: 1"},
		"not of none":                        {completed().asks(Undo).with(func(s *scene) { s.Request.Attempt = 0 }), "Completed/Completed, refuses", "undo needs the attempt that was looked at: write attempt: 1"},
		"not during an attempt":              {young(25).asks(Undo), "Baking/Progressing, refuses", "there is nothing to undo in state Baking/Progressing"},
		"not when a person moved on":         {completed().split("web-0", 100).asks(Undo), "Idle/Steady, refuses", ""},
		"even with a newer one deployed":     {completed().newer().asks(Undo), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
	})
}

// TestAnUndoIsGuarded: it is sent until it serves, and what it undid is given up.
func TestAnUndoIsGuarded(t *testing.T) {
	t.Parallel()
	s := completed().asks(Undo)
	for range 3 {
		d := Decide(Input(s))
		if inWords(d) != "RollingBack/RollingBack, writes web-1 100%" && inWords(d) != "RollingBack/RollingBack, writes web-1 100%, accepts" {
			t.Fatalf("%s: %s", inWords(d), d.Note)
		}
		s.Progress = d.Progress // and the write is lost
		s.Now = s.Now.Add(time.Minute)
	}
	s = s.split("web-1", 100)
	s.Service.ETag = "etag-8"
	check(t, map[string]row{
		"it ends as a rollback does":      {s, "RolledBack/RolledBack", "undone by ann; web-2 was given up; web-1 serves 100%"},
		"what it undid needs a retry":     {s.with(func(s *scene) { s.Plan.CandidateRevision = "web-2" }), "RolledBack/RolledBack", "retry"},
		"a person's other split is heard": {s.split("web-1", 50, "web-2", 50), "Paused/TrafficConflict", ""},
	})
}

func TestTheFormerStableIsRemembered(t *testing.T) {
	t.Parallel()
	d := Decide(Input(at(100)))
	if inWords(d) != "Completed/Completed" || d.Progress.Former != "web-1" {
		t.Fatalf("%s remembers %q", inWords(d), d.Progress.Former)
	}
	s := completed().newer()
	if d := Decide(Input(s)); d.Progress.Phase != Checking || d.Progress.Former != "" {
		t.Errorf("%s remembers %q in the next attempt", inWords(d), d.Progress.Former)
	}
	req := Request{ID: "r1", Verb: Undo}
	if names := Involved(s.Plan, s.Progress, s.Service, req); !slices.Contains(names, "web-1") {
		t.Errorf("an undo looks at %v, and not at the former stable", names)
	}
}
