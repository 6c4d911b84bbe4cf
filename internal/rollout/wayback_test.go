package rollout

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// longWhole is a candidate that has had all traffic for an hour behind a gateway that
// suffers from it: stable has no instances left.
func longWhole() scene {
	s := suffering().goes(analysis.OpenConnections, nat1, 900, 900).with(func(s *scene) {
		s.Progress.Confirmed, s.Progress.Step = all("web-2"), 3
		s.Progress.Rises = []nat.Rise{{At: ago(70 * time.Minute), From: 5}, {At: ago(16 * time.Minute), From: 25}}
		s.Progress.Watches = []Watch{{Source: nat1, Named: true}}
		s.Plan.Gateways, s.Outlet = []analysis.Source{nat1}, unread(nat1)
	}).goesFrom(14, analysis.DroppedPackets, nat1, 0, 60)
	return s.split("web-2", 100, "web-1", 0)
}

// retreating is the same after some writes of the way back, the latest of which
// was made so long ago and has arrived.
func (s scene) retreating(sent int, weight int64, last time.Duration) scene {
	return s.with(func(s *scene) {
		s.Progress = s.Progress.latch("web-2")
		s.Progress.Phase, s.Progress.Reason, s.Progress.Cause = RollingBack, ReasonRollingBack, "nat-drops"
		s.Progress.Retreat = Retreat{Began: ago(last + time.Duration(sent-1)*nat.Spacing), Last: ago(last), Sent: sent, Weight: weight}
		s.Progress.Confirmed = between("web-2", "web-1", weight)
	}).split("web-2", weight, "web-1", 100-weight)
}

// TestTheWayBackOfACulprit: in one write where stable has the instances or the
// gateway room for them, else in three, each when its time has come.
func TestTheWayBackOfACulprit(t *testing.T) {
	t.Parallel()
	const back = "RollingBack/RollingBack"
	late, two := longWhole(), longWhole().retreating(1, 50, 80*time.Second)
	check(t, map[string]row{
		"stable has no instances": {late, back + ", writes web-1 50%, web-2 50%", "web-2 goes from 100% back to 50%: stable has no instances for 100% of the traffic"},
		"stable has most of them": {late.with(func(s *scene) {
			s.Progress.Rises = []nat.Rise{{At: ago(16 * time.Minute), From: 25}, {At: ago(12 * time.Minute), From: 5}}
		}), back + ", writes web-1 100%", "all but 5%"},
		"the gateway has room for them":       {late.outlet(leaves(nat1)), back + ", writes web-1 100%", "the gateway has room"},
		"not yet time for the second":         {longWhole().retreating(1, 50, 30*time.Second), back, "Goes to 20% at 12:00:45Z, and the rest by 12:02:00Z; errors of users, or abort, send everything at once."},
		"time for the second":                 {two, back + ", writes web-2 20%, web-1 80%", ""},
		"not yet time for the last":           {longWhole().retreating(2, 20, 30*time.Second), back, "The rest goes back at 12:00:45Z"},
		"time for the last":                   {longWhole().retreating(2, 20, 80*time.Second), back + ", writes web-1 100%", ""},
		"nobody looked for a while":           {longWhole().retreating(1, 50, time.Hour), back + ", writes web-1 100%", ""},
		"users fail":                          {longWhole().retreating(1, 50, time.Second).errors(analysis.Breach), back + ", writes web-1 100%", "errors: it says Breach"},
		"a person aborts":                     {longWhole().retreating(1, 50, time.Second).asks(Abort), back + ", writes web-1 100%, accepts", "aborted by ann"},
		"the candidate fails":                 {longWhole().retreating(1, 50, time.Second).readiness("web-2", NotReady), back + ", writes web-1 100%", "not ready"},
		"the candidate is gone":               {longWhole().retreating(1, 50, time.Second).presence("web-2", Missing), back + ", writes web-1 100%", "no longer exists"},
		"the rollout is deleted":              {longWhole().retreating(1, 50, time.Second).with(func(s *scene) { s.Deleting = true }), back + ", writes web-1 100%", "being deleted"},
		"Cloud Run cannot apply it":           {longWhole().retreating(1, 50, time.Second).with(func(s *scene) { s.Service.Failure = "no quota" }).split("web-2", 100).wants("web-2", 50, "web-1", 50), back + ", writes web-1 100%", "no quota"},
		"metrics are gone":                    {two.with(func(s *scene) { s.Answers = nil }).errors(analysis.NoData), back + ", writes web-2 20%, web-1 80%", ""},
		"the first write was lost":            {longWhole().retreating(1, 50, 5*time.Second).split("web-2", 100, "web-1", 0).with(func(s *scene) { s.Progress.Confirmed = all("web-2") }).meant(between("web-2", "web-1", 50)), back + ", writes web-1 50%, web-2 50%", ""},
		"the second write was lost":           {longWhole().retreating(2, 20, 5*time.Second).split("web-2", 50, "web-1", 50).meant(between("web-2", "web-1", 20)).with(func(s *scene) { s.Progress.Confirmed = between("web-2", "web-1", 50) }), back + ", writes web-2 20%, web-1 80%", ""},
		"a person gives the candidate more":   {two.split("web-2", 70, "web-1", 30), "Paused/TrafficConflict", "someone else set traffic"},
		"and lets it go on":                   {two.split("web-2", 70, "web-1", 30).asks(Resume), back + ", writes web-1 100%, accepts", ""},
		"a person sends stable everything":    {two.split("web-1", 100), "RolledBack/RolledBack", "someone else sent web-1 100%"},
		"while the spec is paused":            {two.with(func(s *scene) { s.Plan.Paused = true }), back + ", writes web-2 20%, web-1 80%", ""},
		"a newer revision waits for its end":  {two.newer(), back + ", writes web-2 20%, web-1 80%", ""},
		"its own errors take it back at once": {late.errors(analysis.Breach), back + ", writes web-1 100%", ""},
	})
}

// TestAWayBackThatHasEndedIsForgotten.
func TestAWayBackThatHasEndedIsForgotten(t *testing.T) {
	t.Parallel()
	s := longWhole().retreating(2, 20, time.Second).split("web-1", 100).meant(all("web-1"))
	d := Decide(Input(s))
	if d.Progress.Phase != RolledBack || d.Progress.Retreat != (Retreat{}) || d.Progress.Rises != nil {
		t.Errorf("%s remembers %+v and %v", inWords(d), d.Progress.Retreat, d.Progress.Rises)
	}
}

// TestAWayBackEndsWithinThreeWritesAndThreeMinutes, each of which lowers the
// candidate, however long the manager is down and whichever writes are lost.
func TestAWayBackEndsWithinThreeWritesAndThreeMinutes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := longWhole()
		weight := rapid.Int64Range(6, 100).Draw(t, "weight")
		s.Progress.Confirmed, s.Progress.Step = between("web-2", "web-1", weight), s.Plan.stepAt(weight)
		s = s.split("web-2", weight, "web-1", 100-weight)
		var began, lost time.Time
		arrived := 0
		for weight > 0 {
			d := Decide(Input(s))
			sane(t, Input(s), d)
			if d.Progress.Phase != RollingBack {
				t.Fatalf("it is %s: %s", inWords(d), d.Note)
			}
			s.Progress = d.Progress
			if began.IsZero() {
				began = s.Now
			}
			if d.Write != nil {
				to := splitOf(d.Write).Of("web-2")
				switch {
				case to >= weight:
					t.Fatalf("from %d%% to %d%%", weight, to)
				case arrived < 3 && s.Now.Sub(began) < 2*time.Minute && rapid.IntRange(0, 3).Draw(t, "lost") == 0:
					lost = s.Now
				default:
					arrived, weight = arrived+1, to
					s = s.split("web-2", to, "web-1", 100-to)
					s.Service.Generation, s.Service.ObservedGeneration = s.Service.Generation+1, s.Service.Generation+1
					s.Service.ETag += "'"
				}
				if arrived == 0 {
					began = time.Time{}
				}
			}
			s.Now = d.LookAt
			if rapid.IntRange(0, 9).Draw(t, "down") == 0 {
				s.Now = s.Now.Add(time.Minute)
			}
		}
		if took := s.Now.Sub(began); arrived > 3 || lost.IsZero() && took > 5*time.Minute {
			t.Fatalf("it took %d writes and %s", arrived, took)
		}
	})
}

// TestRollbackIsReachableFromEveryState of an attempt, by a gateway's trouble that
// is ours as by a person.
func TestRollbackIsReachableFromEveryState(t *testing.T) {
	t.Parallel()
	for _, phase := range []Phase{Shifting, Baking, AwaitingApproval, Held, Paused, RollingBack} {
		for name, s := range map[string]scene{"with the instances": suffering(), "without them": longWhole(), "on the way": longWhole().retreating(1, 50, 76*time.Second)} {
			s.Progress.Phase, s.Progress.Cause = phase, "a cause"
			d := Decide(Input(s))
			if d.Progress.Phase != RollingBack || d.Write == nil {
				t.Errorf("from %s, %s: %s (%s)", phase, name, inWords(d), d.Note)
			}
			s = s.asks(Abort)
			if d := Decide(Input(s)); !strings.Contains(inWords(d), "writes web-1 100%, accepts") {
				t.Errorf("an abort from %s, %s: %s (%s)", phase, name, inWords(d), d.Note)
			}
		}
	}
}
