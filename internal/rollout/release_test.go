package rollout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// leaves is being deleted, and goes back before that.
func (s scene) leaves() scene { s.Deleting = true; return s }

func (s scene) unreadable(p Presence) scene {
	s.Service = Service{Presence: p, Detail: "403 run.services.get"}
	return s
}

func TestDeleted(t *testing.T) {
	t.Parallel()
	const sent = "RollingBack/RollingBack, writes web-1 100%"
	served := in(RollingBack, ReasonRollingBack).meant(all("web-1")).split("web-1", 100)
	named := at(25).split("web-0", 50, "web-1", 50).revision("web-0", time.Hour)
	named.Plan.StableRevision = "web-0"
	superseded := served.newer()
	lost := statusLost(at(25)).claimedBy(self, 3)
	interrupted := at(25)
	interrupted.Progress.Phase, interrupted.Progress.Reason = Idle, ServiceNotFound
	untouched := at(0)
	completed := at(25).split("web-2", 100)
	completed.Progress.Phase, completed.Progress.Reason = Completed, ReasonCompleted
	completed.Progress.Stable, completed.Progress.Confirmed = "web-2", all("web-2")
	for name, r := range map[string]struct {
		row
		release string // "" goes on, "free" may go, else a part of why it is stuck
	}{
		"a step under way goes back":            {row{at(25), sent, "the rollout is being deleted"}, ""},
		"the last step too":                     {row{at(100), sent, ""}, ""},
		"while paused":                          {row{at(25).paused(), sent, ""}, ""},
		"while waiting for a person":            {row{in(Paused, StepDeadlineExceeded), sent, ""}, ""},
		"while Cloud Run applies a change":      {row{at(25).unsettled(), sent, ""}, ""},
		"without an answer from Monitoring":     {row{at(25).errors(analysis.NoData), sent, ""}, ""},
		"with a newer candidate":                {row{at(25).newer(), sent, ""}, ""},
		"with the candidate gone":               {row{at(25).presence("web-2", Missing), sent, ""}, ""},
		"a request is not heard any more":       {row{in(Paused, StepDeadlineExceeded).asks(Resume), sent, ""}, ""},
		"a write that may still land is fenced": {row{at(5).split("web-1", 100).meant(between("web-2", "web-1", 5)).with(func(s *scene) { s.Progress.Confirmed = all("web-1") }), sent, ""}, ""},
		"an attempt that lost sight goes back":  {row{interrupted, sent, ""}, ""},
		"a lost status is taken up first":       {row{lost, "Baking/Progressing", "taken up"}, ""},
		"a stale read decides nothing":          {row{at(25).older(), "Baking/Progressing", ""}, ""},
		"the way back is waited for":            {row{in(RollingBack, ReasonRollingBack).wants("web-1", 100).meant(all("web-1")), "RollingBack/RollingBack", "serves web-2 25%"}, ""},
		"stable serves":                         {row{served, "RolledBack/RolledBack", "web-1 serves 100%"}, "free"},
		"and no new attempt begins":             {row{superseded, "RolledBack/RolledBack", ""}, "free"},
		"a person went back":                    {row{at(25).split("web-1", 100), "RolledBack/RolledBack", ""}, "free"},
		"before the first write":                {row{untouched, "RolledBack/RolledBack", ""}, "free"},
		"an idle object":                        {row{idle().split("web-1", 100), "Idle/Steady", "no attempt is under way"}, "free"},
		"a completed one":                       {row{completed, "Completed/Completed", ""}, "free"},
		"LATEST is not pinned any more":         {row{idle().with(func(s *scene) { s.Service.Desired[0] = Entry{Latest: true, Percent: 100} }), "Idle/Steady", ""}, "free"},
		"a split of somebody else's stays":      {row{at(25).foreign(), "Paused/TrafficConflict", ""}, "someone else set traffic to"},
		"even if the spec would settle it":      {row{named, "Paused/TrafficConflict", ""}, "someone else set traffic to"},
		"stable is gone":                        {row{at(25).presence("web-1", Missing), "Paused/BaselineLost", ""}, "web-1 no longer exists"},
		"the service is gone":                   {row{at(25).unreadable(Missing), "Idle/ServiceNotFound", ""}, "service web does not exist"},
		"access is gone":                        {row{at(25).unreadable(Denied), "Held/AccessDenied", ""}, "403 run.services.get"},
		"access is gone on the way back":        {row{in(RollingBack, ReasonRollingBack).unreadable(Denied), "RollingBack/RollingBack", ""}, "403 run.services.get"},
		"another object moves it":               {row{at(25).claimedBy(elsewhere, 3), "Idle/OwnedElsewhere", ""}, "claimed from another cluster"},
		"the service was created anew":          {row{at(25).gone(), "Paused/StateLost", ""}, "created anew"},
	} {
		r.in = r.in.leaves()
		check(t, map[string]row{name: r.row})
		d := Decide(Input(r.in))
		got := "" // goes on
		if d.Release != nil {
			got = "free"
			if d.Release.Stuck != "" {
				got = d.Release.Stuck
			}
		}
		if (got == "") != (r.release == "") || !strings.Contains(got, r.release) {
			t.Errorf("%s: release %q, want %q", name, got, r.release)
		}
		if len(Questions(Input(r.in))) > 0 {
			t.Errorf("%s: it asks", name)
		}
	}
}

// TestOnlyADeletionReleases: nothing else lets an object go.
func TestOnlyADeletionReleases(t *testing.T) {
	t.Parallel()
	if d := Decide(Input(idle().split("web-1", 100))); d.Release != nil {
		t.Errorf("released: %+v", d.Release)
	}
}

// TestTheLastWriteTakesOurTagAway: nobody is left to do it later.
func TestTheLastWriteTakesOurTagAway(t *testing.T) {
	t.Parallel()
	s := at(25)
	s.Progress.Tagged = "web-1"
	s.Service.Desired = append(s.Service.Desired, Entry{Revision: "web-1", Tag: Tag})
	for _, e := range Decide(Input(s.leaves())).Write.Targets() {
		if e.Tag != "" {
			t.Errorf("it leaves %+v", e)
		}
	}
}

// TestADeletionOnlyLowers: whatever else is the case, a rollout that is being
// deleted writes nothing but 100 % for its stable revision, and begins nothing.
func TestADeletionOnlyLowers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			in := garbage{t}.input()
			in.Deleting = true
			d := Decide(in)
			if d.Write != nil && !splitOf(d.Write).Equal(all(d.Progress.Stable)) {
				t.Fatalf("%s: %s", inWords(d), d.Note)
			}
			if d.Progress.Attempt != in.Progress.Attempt && in.Service.Claim == nil {
				t.Fatalf("attempt %d follows %d: %s", d.Progress.Attempt, in.Progress.Attempt, d.Note)
			}
			if d.Release != nil && (d.Write != nil || d.Release.Stuck == "" && d.Progress.Exposed()) {
				t.Fatalf("released with traffic on the candidate: %s: %s", inWords(d), d.Note)
			}
		}
	})
}

// TestADeletionEnds: where Cloud Run and Config Connector do what they are told, an
// object that is being deleted may go after a few looks.
func TestADeletionEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := garbage{t}.input()
		in.Deleting, in.Now = true, now
		in.Service.Reconciling, in.Service.ObservedGeneration, in.Service.Failure, in.Service.Kept = false, 7, "", Kept{}
		in.Service.ETag = "e"
		in.Progress.Generation = min(in.Progress.Generation, 7)
		var said []string
		for range 6 {
			d := Decide(in)
			if d.Release != nil {
				return
			}
			said = append(said, fmt.Sprintf("%s: %s", inWords(d), d.Note))
			in.Progress = d.Progress
			if d.Write != nil {
				in.Service.Desired = d.Write.Targets()
				in.Service.Generation++
				in.Service.ObservedGeneration++
				in.Service.ETag += "+"
			}
			in.Service.Effective = in.Service.Desired
			in.Now = d.LookAt
		}
		t.Fatalf("it goes on for ever: %q", said)
	})
}
