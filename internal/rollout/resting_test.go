package rollout

import (
	"testing"
	"time"
)

func TestAdmission(t *testing.T) {
	t.Parallel()
	first := func(s scene) scene {
		s.Progress = Progress{Phase: Idle, Reason: Preparing}
		return s
	}
	latest := first(idle()).with(func(s *scene) {
		s.Service.Desired = []Entry{{Latest: true, Percent: 100}}
		s.Service.Effective = s.Service.Desired
	})
	named := first(idle().split("web-1", 50, "web-2", 50))
	named.Plan.StableRevision = "web-1"
	check(t, map[string]row{
		"one revision that serves everything is the baseline": {first(idle()), "Idle/Steady", "web-1 serves 100%"},
		"what exists is no candidate, and how to start it":    {first(idle()), "Idle/Steady", "Newest revision web-2 existed before and is no candidate by itself: set spec.candidateRevision"},
		"LATEST is pinned":                  {latest, "Idle/Steady, writes web-2 100%", "pinned"},
		"not while Cloud Run is busy":       {latest.unsettled(), "Idle/Preparing", ""},
		"not while a newer one is coming":   {latest.newer().readiness("web-3", Pending).with(func(s *scene) { s.Service.LatestReady = "web-2" }), "Idle/Preparing", "not settled"},
		"but when it has failed":            {latest.newer().readiness("web-3", NotReady).with(func(s *scene) { s.Service.LatestReady = "web-2" }), "Idle/Steady, writes web-2 100%", ""},
		"not while spec.paused is true":     {latest.paused(), "Idle/Steady", ""},
		"a split is no baseline":            {first(idle().split("web-1", 50, "web-2", 50)), "Idle/BaselineUnknown", "Set spec.stableRevision"},
		"unless it is named":                {named, "RollingBack/RollingBack, writes web-1 100%", "spec.stableRevision names web-1"},
		"what does not serve yet is none":   {first(idle().wants("web-2", 100)), "Idle/Preparing", ""},
		"what could not be applied is none": {first(idle().wants("web-2", 100)).with(func(s *scene) { s.Service.Failure = "crashed" }), "Idle/BaselineUnknown", "traffic is web-2 100%, serves web-1 100% (crashed)"},
		"no traffic at all":                 {first(idle().split()), "Idle/BaselineUnknown", ""},
	})
	p := Decide(Input(first(idle()))).Progress
	if p.Stable != "web-1" || !p.Confirmed.Equal(all("web-1")) || !p.Cutoff.Equal(ago(2*time.Hour)) || p.Attempt != 0 {
		t.Errorf("recorded %+v, want stable web-1 and a cutoff at the newest revision", p)
	}
}

// TestTheEndOfAPersonsSplitBeginsTheCoolDown: what else it sent users to has instances
// that idle on, whoever started them.
func TestTheEndOfAPersonsSplitBeginsTheCoolDown(t *testing.T) {
	t.Parallel()
	split := idle().split("web-1", 50, "web-2", 50)
	split.Progress.Cutoff = ago(2 * time.Hour)
	unknown := Decide(Input(split)).Progress
	if unknown.Reason != BaselineUnknown || !unknown.Lowered.IsZero() {
		t.Fatalf("it is %s, and the cool-down counts from %s", unknown.Reason, unknown.Lowered)
	}
	for _, stable := range []string{"web-1", "web-2"} {
		ended := idle().split(stable, 100)
		ended.Progress = unknown
		p := Decide(Input(ended)).Progress
		if p.Reason == BaselineUnknown || !p.Lowered.Equal(now) {
			t.Errorf("%s serves everything again: it is %s, and the cool-down counts from %s", stable, p.Reason, p.Lowered)
		}
		ended.Progress = p
		ended.Now = now.Add(time.Minute)
		if again := Decide(Input(ended)).Progress; !again.Lowered.Equal(p.Lowered) {
			t.Errorf("%s: a minute later it counts from %s", stable, again.Lowered)
		}
	}
}

func TestAServiceThatIsFoundAgainBeginsTheCoolDownIfItWasSplit(t *testing.T) {
	t.Parallel()
	for confirmed, want := range map[int64]bool{5: true, 0: false} {
		found := idle()
		found.Progress.Cutoff, found.Progress.Reason = ago(2*time.Hour), ServiceNotFound
		found.Progress.Confirmed = between("web-2", "web-1", confirmed)
		p := Decide(Input(found)).Progress
		if p.Reason == ServiceNotFound || p.Lowered.Equal(now) != want {
			t.Errorf("it had %d%%: it is %s, and the cool-down counts from %s", confirmed, p.Reason, p.Lowered)
		}
	}
}

// TestWhoMovesEverythingAtRestBeginsTheCoolDown: the instances of the stable before end, and
// what they had of NAT is not free yet.
func TestWhoMovesEverythingAtRestBeginsTheCoolDown(t *testing.T) {
	t.Parallel()
	for sole, want := range map[string]bool{"web-1": false, "web-2": true} {
		moved := idle().split(sole, 100)
		moved.Progress.Cutoff = ago(2 * time.Hour)
		if p := Decide(Input(moved)).Progress; p.Lowered.Equal(now) != want {
			t.Errorf("%s serves everything: the cool-down counts from %s", sole, p.Lowered)
		}
	}
}

func TestBaselineBetweenAttempts(t *testing.T) {
	t.Parallel()
	quiet := idle()
	quiet.Progress.Cutoff = ago(2 * time.Hour)
	named := quiet.split("web-1", 50, "web-2", 50)
	named.Plan.StableRevision = "web-1"
	used := named
	used.Progress.SettledBy = "web-1"
	check(t, map[string]row{
		"nothing to do":                     {quiet, "Idle/Steady", "web-1 serves 100%"},
		"a person's choice is the baseline": {quiet.split("web-2", 100), "Idle/Steady", "web-2 serves 100%"},
		"not to what is gone": {quiet.presence("web-2", Missing).with(func(s *scene) {
			s.Service.Desired = []Entry{{Latest: true, Percent: 100}}
			s.Service.Effective = s.Service.Desired
		}), "Idle/Steady", "It is pinned when LATEST stands for a revision that exists"},
		"nor to what may be gone": {quiet.presence("web-2", Unknown).with(func(s *scene) {
			s.Service.Desired = []Entry{{Latest: true, Percent: 100}}
			s.Service.Effective = s.Service.Desired
		}), "Idle/Steady", "It is pinned when web-2, which LATEST stands for, can be read"},
		"a person's LATEST is pinned": {quiet.with(func(s *scene) {
			s.Service.Desired = []Entry{{Latest: true, Percent: 100}}
			s.Service.Effective = s.Service.Desired
		}), "Idle/Steady, writes web-2 100%", ""},
		"a person's split is nobody's":         {quiet.split("web-1", 50, "web-2", 50), "Idle/BaselineUnknown", "no rollout of ours did that"},
		"spec.stableRevision settles it":       {named, "RollingBack/RollingBack, writes web-1 100%", ""},
		"each value once":                      {used, "Idle/BaselineUnknown", "was used once already: remove it first"},
		"a change under way is waited for":     {quiet.wants("web-2", 100), "Idle/Steady", "applying a change"},
		"with spec.stableRevision as well":     {func() scene { s := named.wants("web-2", 100); return s }(), "Idle/Steady", "applying a change"},
		"a baseline that changed is not alone": {quiet.unsettled(), "Idle/Steady", "applying a change"},
	})
	d := Decide(Input(quiet.newer().split("web-2", 100)))
	if !d.Progress.Cutoff.Equal(ago(time.Hour)) || len(d.Events) != 1 {
		t.Errorf("cutoff %v, events %v; want that web-3, which exists, is no candidate, and that the baseline is told", d.Progress.Cutoff, d.Events)
	}
	early := quiet
	early.Plan.StableRevision = "web-1"
	if p := Decide(Input(early)).Progress; p.SettledBy != "web-1" {
		t.Error("a name that stood there while nobody needed it would move a person's split later")
	}
	removed := used
	removed.Plan.StableRevision = ""
	if p := Decide(Input(removed)).Progress; p.SettledBy != "" {
		t.Errorf("a value that was removed is still used up: %q", p.SettledBy)
	}
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	named := func(s scene, revision string) scene {
		s.Plan.CandidateRevision = revision
		return s
	}
	old := idle()
	old.Progress.Cutoff = ago(2 * time.Hour)
	latched := idle()
	latched.Progress.Latched = []string{"web-2"}
	coming := old.newer().with(func(s *scene) { s.Service.LatestReady = "web-2" })
	check(t, map[string]row{
		"newer than the baseline":        {idle(), "Checking/Preparing", "web-2 is to follow web-1"},
		"older than the baseline":        {old, "Idle/Steady", ""},
		"older, but named":               {named(old, "web-2"), "Checking/Preparing", ""},
		"given up":                       {latched, "Idle/Steady", ""},
		"given up and named":             {named(latched, "web-2"), "Idle/Steady", ""},
		"serving already":                {idle().split("web-2", 100), "Idle/Steady", "web-2 serves 100%"},
		"named and serving already":      {named(old, "web-1"), "Idle/Steady", ""},
		"named and not there":            {named(old, "web-9").presence("web-9", Missing), "Idle/RevisionNotFound", "correct spec.candidateRevision"},
		"still starting":                 {coming.readiness("web-3", Pending), "Idle/Preparing", "starts when Cloud Run reports it ready"},
		"failed to start":                {coming.readiness("web-3", NotReady), "Idle/RevisionNotReady", "revision web-3 is not ready: it crashed"},
		"behind a NAT out of sight":      {idle().behindNat(), "Idle/NatUnwatched", ""},
		"behind a NAT in sight":          {idle().behindNat().gateways(), "Checking/Preparing", ""},
		"one named goes before a newer":  {named(idle().newer(), "web-2"), "Checking/Preparing", "web-2 is to follow web-1"},
		"a plan without one has no news": {idle().with(func(s *scene) { s.Service.LatestReady = "" }), "Idle/Steady", "Waits for a new revision"},
	})
	d := Decide(Input(idle()))
	if p := d.Progress; p.Attempt != 1 || p.Candidate != "web-2" || len(d.Events) != 1 || d.Events[0].Reason != RolloutStarted {
		t.Errorf("attempt %d of %q, told %v", p.Attempt, p.Candidate, d.Events)
	}
}

// TestAttemptsDoNotPileUp looks again and again at what cannot begin.
func TestAttemptsDoNotPileUp(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]scene{
		"not ready":     idle().readiness("web-2", NotReady),
		"NAT unwatched": idle().behindNat(),
		"not found":     idle().with(func(s *scene) { s.Plan.CandidateRevision = "web-9" }),
		"unfit midway":  at(0).readiness("web-2", NotReady),
		"blind midway":  at(0).behindNat(),
		"latched":       idle().with(func(s *scene) { s.Progress.Latched = []string{"web-2"} }),
	} {
		first := s.Progress.Attempt
		for range 10 {
			s.Progress = Decide(Input(s)).Progress
			s.Now = s.Now.Add(time.Minute)
		}
		if s.Progress.Attempt != first {
			t.Errorf("%s: attempt %d became %d", name, first, s.Progress.Attempt)
		}
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	s := at(100)
	s.Progress.Cutoff = ago(time.Hour) // newer than the candidate, which was named
	s.Progress = Decide(Input(s)).Progress
	p := s.Progress
	if p.Phase != Completed || p.Stable != "web-2" || !p.Confirmed.Equal(all("web-2")) {
		t.Fatalf("completed as %+v", p)
	}
	if !p.Cutoff.Equal(ago(time.Hour)) {
		t.Errorf("the cutoff went back to %v: the former stable would be a candidate", p.Cutoff)
	}
	check(t, map[string]row{
		"stays so":                     {s, "Completed/Completed", "web-2 serves 100% and is the new stable"},
		"is not lost to a restart":     {s.with(func(s *scene) { s.Now = now.Add(24 * time.Hour) }), "Completed/Completed", ""},
		"what came later is next":      {s.revision("web-3", time.Minute).with(func(s *scene) { s.Service.LatestReady, s.Service.LatestCreated = "web-3", "web-3" }), "Checking/Preparing", "web-3 is to follow web-2"},
		"a person's choice goes first": {s.split("web-1", 100), "Idle/Steady", "web-1 serves 100%"},
	})
}

func TestRetry(t *testing.T) {
	t.Parallel()
	back := idle()
	back.Progress.Phase, back.Progress.Reason, back.Progress.Candidate = RolledBack, ReasonRolledBack, "web-2"
	back.Progress.Latched, back.Progress.Attempt, back.Progress.Cause = []string{"web-2"}, 3, "errors: too many"
	blip := back.with(func(s *scene) { s.Progress.Phase, s.Progress.Reason = Idle, AccessDenied })
	asks := func(s scene, revision string) scene {
		s = s.asks(Retry)
		s.Request.Revision = revision
		return s
	}
	check(t, map[string]row{
		"without it the revision stays given up":   {back, "RolledBack/RolledBack", "errors: too many; web-2 was given up; web-1 serves 100%"},
		"even after a blip":                        {blip, "RolledBack/RolledBack", "errors: too many"},
		"starts a new attempt":                     {asks(back, ""), "Checking/Preparing, accepts", "attempt 4 starts from step 1"},
		"after a blip too":                         {asks(blip, ""), "Checking/Preparing, accepts", ""},
		"of another revision":                      {asks(back.revision("web-0", 72*time.Hour), "web-0"), "Checking/Preparing, accepts", "web-0 is to follow web-1"},
		"of one that is not there":                 {asks(back, "web-9"), "RolledBack/RolledBack, refuses", "revision web-9 does not exist"},
		"of one that does not start":               {asks(back.readiness("web-2", NotReady), ""), "RolledBack/RolledBack, refuses", "revision web-2 is not ready: it crashed"},
		"of the one that serves":                   {asks(back, "web-1"), "RolledBack/RolledBack, refuses", "web-1 serves 100% already"},
		"of an attempt that is over":               {asks(back, "").with(func(s *scene) { s.Request.Attempt = 2 }), "RolledBack/RolledBack, refuses", "attempt 2 was meant, attempt 3 is the newest"},
		"waits while Cloud Run is busy":            {asks(back, "").unsettled(), "RolledBack/RolledBack", ""},
		"means nothing when nothing was given up":  {asks(idle().with(func(s *scene) { s.Progress.Cutoff = now }), ""), "Idle/Steady, refuses", "there is nothing to retry"},
		"means nothing in an attempt":              {asks(at(25), ""), "Shifting/Progressing, writes web-2 100%, refuses", "there is nothing to retry"},
		"a newer revision needs none":              {back.newer(), "Checking/Preparing", "web-3 is to follow web-1"},
		"one that fails to start leaves the way":   {asks(back.newer().readiness("web-3", NotReady).with(func(s *scene) { s.Service.LatestReady = "web-2" }), ""), "Checking/Preparing, accepts", "web-2 is to follow web-1"},
		"its cool-down is waited for in the start": {asks(back.behindNat().gateways(), ""), "Checking/Preparing, accepts", ""},
	})
	p := Decide(Input(asks(back, ""))).Progress
	if p.latched("web-2") || p.Requested != "web-2" {
		t.Errorf("latched %v, requested %q", p.Latched, p.Requested)
	}
	again := asks(back, "")
	again.Progress = p
	if p := Decide(Input(again)).Progress; p.Attempt != 4 {
		t.Errorf("answered twice: attempt %d", p.Attempt)
	}
}
