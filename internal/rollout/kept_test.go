package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// byRunService is a rollout of the RunService web.
func (s scene) byRunService() scene {
	s.Plan.RunService = "web"
	return s
}

// kept is a RunService of which such things are known.
func (s scene) kept(change func(*Kept)) scene {
	s = s.byRunService()
	change(&s.Service.Kept)
	return s
}

func (s scene) owned() scene {
	return s.kept(func(k *Kept) { k.Owner = "spec.traffic is Git's: remove it there" })
}

func (s scene) blocked() scene {
	return s.kept(func(k *Kept) { k.Blocks = []string{"it is paused", "it merges"} })
}

func (s scene) late() scene {
	return s.kept(func(k *Kept) { k.Late = "Config Connector has looked at 3 of 4" })
}

func (s scene) waits() scene {
	return s.kept(func(k *Kept) { k.Waits = "Config Connector says Updating" })
}

// lowered is an attempt at 25 % that went back to 5 % to see what that does, which
// RunServices ask for and Cloud Run does not serve.
func (s scene) lowered() scene {
	s = s.wants("web-2", 5, "web-1", 95)
	s.Progress.Phase, s.Progress.Reason = Held, HeldByAnalysis
	return s.meant(between("web-2", "web-1", 5))
}

func (s scene) followsLatest() scene {
	s.Service.LatestReady, s.Service.LatestCreated = "web-1", "web-1"
	s.Service.Desired = []Entry{{Latest: true, Percent: 100}}
	s.Service.Effective = s.Service.Desired
	return s
}

func TestTrafficThatSomebodyElseKeepsIsNotRaised(t *testing.T) {
	t.Parallel()
	direct := func(s scene) scene {
		s.Service.Keeper = "Config Connector"
		return s
	}
	const cure = "write runServiceRef with the name of its RunService"
	check(t, map[string]row{
		"no attempt begins":                       {idle().owned(), "Idle/OwnedElsewhere", "spec.traffic is Git's: remove it there"},
		"nor is a baseline recorded":              {statusLost(idle()).owned(), "Idle/OwnedElsewhere", "looked at again every minute"},
		"one that has moved nothing ends":         {at(0).owned(), "Idle/OwnedElsewhere", "remove it there"},
		"what was moved waits for a person":       {at(25).owned(), "Paused/TrafficConflict", "Waits: they have to let go of it, then resume"},
		"who cannot resume before that":           {in(Paused, TrafficConflict).owned().asks(Resume), "Paused/TrafficConflict, refuses", "remove it there"},
		"a pause keeps its cause":                 {in(Paused, StepDeadlineExceeded).owned(), "Paused/StepDeadlineExceeded", "a cause"},
		"a breach leads back":                     {at(25).owned().errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", ""},
		"so does an abort":                        {at(25).owned().asks(Abort), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"a way back goes on":                      {in(RollingBack, ReasonRollingBack).owned(), "RollingBack/RollingBack, writes web-1 100%", ""},
		"LATEST is not pinned":                    {idle().followsLatest().owned(), "Idle/OwnedElsewhere", ""},
		"a service named itself":                  {direct(idle()), "Idle/OwnedElsewhere", "service web is kept by Config Connector"},
		"whose rollout says what to write":        {direct(idle()), "Idle/OwnedElsewhere", cure},
		"and goes back where it was under way":    {direct(at(25)).errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", ""},
		"and rises no more":                       {direct(at(25)), "Paused/TrafficConflict", cure},
		"nor does it go on in this object":        {direct(at(25)), "Paused/TrafficConflict", "and delete this one; abort sends everything to web-1."},
		"which nobody can take over":              {direct(idle()).asks(Adopt), "Idle/OwnedElsewhere, refuses", cure},
		"by its RunService it is rolled out":      {direct(at(25)).byRunService(), "Shifting/Progressing, writes web-2 100%", ""},
		"another object moves it already":         {at(25).byRunService().outranked("shop", "web"), "Idle/OwnedElsewhere", "RunService web is moved by CloudRunRollout web-too, which is older"},
		"which an abort does not change":          {at(25).byRunService().asks(Abort).outranked("shop", "web"), "Idle/OwnedElsewhere, refuses", "Delete one of the two"},
		"or does so by another RunService":        {at(25).byRunService().outranked("shop", "web-2"), "Idle/OwnedElsewhere", "the service of RunService web is moved by CloudRunRollout web-too, which is older"},
		"and is not named to strangers":           {at(25).byRunService().outranked("other", "web"), "Idle/OwnedElsewhere", "the service of RunService web is moved by a CloudRunRollout in another namespace, which is older"},
		"who cannot delete it themselves":         {idle().byRunService().outranked("other", "web-2"), "Idle/OwnedElsewhere", "let the platform team settle which of the two stays"},
		"what was given up stays so meanwhile":    {gaveUp().owned(), "Idle/OwnedElsewhere", ""},
		"and is told again once they have let go": {gaveUp().owned().then(func(s *scene) { s.Service.Kept.Owner = "" }), "RolledBack/RolledBack", "web-2 was given up"},
	})
}

// outranked is a scene in which an older object moves the service, by a RunService of its
// namespace.
func (s scene) outranked(namespace, runService string) scene {
	s.Self.Namespace, s.Elder = "shop", Elder{Namespace: namespace, Name: "web-too", RunService: runService}
	return s
}

// refused is a service that somebody else owns the traffic of, after a write that was
// refused for it.
func (s scene) refused() scene {
	s = s.owned()
	s.Service.Presence, s.Service.Detail = Denied, "a write was refused: spec.traffic is Git's: remove it there"
	return s
}

// TestAWriteThatAnOwnerRefusesIsNoLostAccess: the service can be read, and what helps is
// that somebody lets go of it.
func TestAWriteThatAnOwnerRefusesIsNoLostAccess(t *testing.T) {
	t.Parallel()
	back := goingBack()
	back.Progress.Cause = "errors: 5xx 5%"
	rows := map[string]row{
		"a way back waits with its cause":  {back.refused(), "RollingBack/RollingBack", "errors: 5xx 5%; a write was refused: spec.traffic is Git's: remove it there"},
		"and says who can end it":          {back.refused(), "RollingBack/RollingBack", "until they let go of it, or send everything to web-1 themselves."},
		"a pause keeps its reason":         {in(Paused, StepDeadlineExceeded).refused(), "Paused/StepDeadlineExceeded", "spec.traffic is Git's"},
		"a rise is held":                   {at(25).refused(), "Held/AccessDenied", "goes on when they let go of it"},
		"what is at rest is not moved":     {idle().refused(), "Idle/OwnedElsewhere", "they have to let go of it"},
		"a way back goes on once they did": {back.byRunService().wants("web-2", 25, "web-1", 75), "RollingBack/RollingBack, writes web-1 100%", ""},
	}
	check(t, rows)
	for name, r := range rows {
		if d := Decide(Input(r.in)); strings.Contains(d.Note+d.Next, "access") {
			t.Errorf("%s: it speaks of access: %s %s", name, d.Note, d.Next)
		}
	}
}

// gaveUp is a rollout that went back from web-2.
func gaveUp() scene {
	s := idle()
	s.Progress.Attempt, s.Progress.Candidate, s.Progress.Latched = 1, "web-2", []string{"web-2"}
	s.Progress.Phase, s.Progress.Reason = RolledBack, ReasonRolledBack
	return s
}

// then is the next look, after something has changed.
func (s scene) then(change func(*scene)) scene {
	s.Progress = Decide(Input(s)).Progress
	change(&s)
	return s
}

func TestWhatConfigConnectorWouldNotCarryOutHoldsAStart(t *testing.T) {
	t.Parallel()
	check(t, map[string]row{
		"before the first write":         {at(0).blocked(), "Held/HeldByAnalysis", "before the first write: it is paused; it merges"},
		"and no longer":                  {at(0).byRunService(), "Shifting/Progressing, writes web-2 5%, web-1 95%", ""},
		"not once traffic was moved":     {at(25).blocked(), "Shifting/Progressing, writes web-2 100%", ""},
		"not a way back":                 {at(25).blocked().errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", ""},
		"LATEST is pinned":               {idle().followsLatest().byRunService(), "Idle/Steady, writes web-1 100%", ""},
		"but not while it would fail":    {idle().followsLatest().blocked(), "Idle/Steady", "It is pinned when this is over: it is paused; it merges."},
		"nor for a baseline that is new": {statusLost(idle().followsLatest()).blocked(), "Idle/Steady", "a new revision takes everything at once"},
	})
}

// sticks is a RunService whose template Config Connector cannot carry out.
func (s scene) sticks() scene {
	return s.kept(func(k *Kept) { k.Stuck, k.Blocks = "its last update failed", []string{"the last update failed"} })
}

// TestWhatGitWaitsForIsToldAtRest: nothing else would say that a new template is not there.
func TestWhatGitWaitsForIsToldAtRest(t *testing.T) {
	t.Parallel()
	const waits = "what RunService web asks for is not carried out: its last update failed"
	rests := idle()
	rests.Service.LatestReady, rests.Service.LatestCreated = "web-1", "web-1"
	arrives := rests.sticks()
	arrives.Service.Reconciling = true
	splits := arrives
	splits.Service.Effective = []Entry{{Revision: "web-2", Percent: 25}, {Revision: "web-1", Percent: 75}}
	completed := rests
	completed.Progress.Phase, completed.Progress.Reason, completed.Progress.Candidate = Completed, ReasonCompleted, "web-1"
	back := gaveUp()
	check(t, map[string]row{
		"beside what serves":               {rests.sticks(), "Idle/NotDeployed", "web-1 serves 100%; " + waits},
		"with what comes of it":            {rests.sticks(), "Idle/NotDeployed", "a new revision is rolled out when Config Connector has made it"},
		"while it is not looked at":        {arrives, "Idle/NotDeployed", "web-1 serves 100%; " + waits},
		"after a rollout":                  {completed.sticks(), "Idle/NotDeployed", "web-1 serves 100%; " + waits},
		"and no longer":                    {rests.sticks().then(func(s *scene) { s.Service.Kept = Kept{} }), "Idle/Steady", "web-1 serves 100%"},
		"what was given up is told first":  {back.sticks(), "RolledBack/RolledBack", "web-2 was given up; web-1 serves 100%; " + waits},
		"a danger is told too":             {rests.followsLatest().sticks(), "Idle/NotDeployed", "web-1 serves 100% and follows LATEST: a new revision takes everything at once; " + waits},
		"a revision that there is goes on": {at(0).sticks(), "Held/HeldByAnalysis", "before the first write: the last update failed"},
		"and a way back does":              {at(25).sticks().errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", ""},
		"where another split serves, that": {splits, "Idle/Steady", "Cloud Run is applying a change"},
	})
}

func TestAStartTellsWhatMaySurprise(t *testing.T) {
	t.Parallel()
	d := Decide(Input(idle().kept(func(k *Kept) { k.Notes = []string{"it merges", "it names a revision"} })))
	var told []string
	for _, e := range d.Events {
		told = append(told, string(e.Reason)+": "+e.Note)
	}
	if diff := cmp.Diff([]string{"Preparing: it merges", "Preparing: it names a revision", "RolloutStarted: attempt 1: web-2 is to follow web-1"}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// goingBack is a way back from 25 % that is asked for and does not serve.
func goingBack() scene {
	s := in(RollingBack, ReasonRollingBack).wants("web-1", 100).meant(all("web-1"))
	s.Progress = s.Progress.latch("web-2")
	return s
}

// TestWhatAPersonSetPastTheRunServiceIsSaidThereToo: Config Connector would take it back
// within minutes, and give the candidate traffic again.
func TestWhatAPersonSetPastTheRunServiceIsSaidThereToo(t *testing.T) {
	t.Parallel()
	says := func(s scene, split Split) scene {
		s.Service.Generation, s.Service.ObservedGeneration = s.Service.Generation+2, s.Service.ObservedGeneration+2
		return s.kept(func(k *Kept) { k.Says = split })
	}
	quarter := between("web-2", "web-1", 25)
	rising := at(5).meant(quarter).split("web-1", 100)
	rising.Progress.Phase, rising.Progress.Confirmed = Shifting, between("web-2", "web-1", 5)
	first := at(0).meant(quarter)
	first.Progress.Phase, first.Progress.FirstWrite = Shifting, ago(10*time.Second)
	ended := idle()
	ended.Progress.Phase, ended.Progress.Reason, ended.Progress.Latched = RolledBack, ReasonRolledBack, []string{"web-2"}
	past := goingBack().split("web-1", 100)
	past.Progress.Candidate, past.Progress.Latched, past.Progress.FirstWrite = "", nil, time.Time{}
	check(t, map[string]row{
		"an attempt that they ended":           {says(at(25).split("web-1", 100), quarter), "RollingBack/RollingBack, writes web-1 100%", "web-1 100% was set past RunService web, which says web-2 25%, web-1 75%"},
		"also where the step was not seen yet": {says(rising, quarter), "RollingBack/RollingBack, writes web-1 100%", ""},
		"and it was the first one":             {says(first, quarter), "RollingBack/RollingBack, writes web-1 100%", ""},
		"a way back that they were faster in":  {says(goingBack().split("web-1", 100), quarter), "RollingBack/RollingBack, writes web-1 100%", ""},
		"also when they abort that":            {says(past.asks(Abort).with(func(s *scene) { s.Request.Step = -1 }), quarter), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"after the end":                        {says(ended, quarter), "RollingBack/RollingBack, writes web-1 100%", ""},
		"where it says the same":               {says(goingBack().split("web-1", 100), all("web-1")), "RolledBack/RolledBack", ""},
		"where what it says is not ours":       {goingBack().byRunService().split("web-1", 100), "RolledBack/RolledBack", ""},
		"another split is asked about":         {says(at(25).foreign(), quarter), "Paused/TrafficConflict", ""},
	})
}

// TestAServiceThatNothingHappenedToWasNotSetPastTheRunService: each change makes a new
// generation, so that the one which a write was decided on is a read of the past, or Config
// Connector was through without asking.
func TestAServiceThatNothingHappenedToWasNotSetPastTheRunService(t *testing.T) {
	t.Parallel()
	quarter, late := between("web-2", "web-1", 25), "Cloud Run was asked for something else since Config Connector looked"
	says := func(s scene, split Split, late string) scene {
		return s.kept(func(k *Kept) { k.Says, k.Late = split, late })
	}
	first := at(0).meant(quarter)
	first.Progress.Phase, first.Progress.FirstWrite = Shifting, ago(10*time.Second)
	seen := first
	seen.Progress.Intents = []Intent{{Split: quarter, Generation: first.Service.Generation, Seq: 1, At: ago(time.Minute)}}
	back := goingBack()
	back.Progress.Confirmed = quarter
	back = back.meant(all("web-1")).split("web-2", 25, "web-1", 75)
	check(t, map[string]row{
		"a rise is waited for":                      {says(first, quarter, ""), "Shifting/Progressing", "traffic goes to web-2 25%, web-1 75%, serves web-1 100%"},
		"also where the RunService was seen first":  {says(seen, quarter, ""), "Shifting/Progressing", "traffic goes to web-2 25%, web-1 75%, serves web-1 100%"},
		"and is never set on the service":           {says(first, quarter, late), "Shifting/Progressing", ""},
		"a way back is waited for":                  {says(back, all("web-1"), ""), "RollingBack/RollingBack", ""},
		"and is set on the service once it is late": {says(back, all("web-1"), late), "RollingBack/RollingBack, writes web-1 100%", late},
	})
}

// TestWhatConfigConnectorTriesAgainAndAgainIsNoNews: each time it says that an update is in
// progress, and what is wrong is still the same.
func TestWhatConfigConnectorTriesAgainAndAgainIsNoNews(t *testing.T) {
	t.Parallel()
	tries := func(s scene) scene {
		return s.unsettled().kept(func(k *Kept) { k.Waits = "Config Connector says Updating" })
	}
	stillborn := idle().readiness("web-2", NotReady)
	stillborn.Service.LatestReady = "web-1"
	elsewhere := stillborn.split("web-1", 50, "web-0", 50)
	check(t, map[string]row{
		"a revision that does not start is told of":        {tries(stillborn), "Idle/RevisionNotReady", "revision web-2 is not ready: it crashed"},
		"and is while nothing is tried":                    {stillborn, "Idle/RevisionNotReady", "revision web-2 is not ready: it crashed"},
		"an update of a service whose revisions are ready": {tries(idle()), "Idle/Steady", "Config Connector says Updating"},
		"and one while others serve":                       {tries(elsewhere), "Idle/Steady", "Config Connector says Updating"},
		"Cloud Run's own work is waited for":               {stillborn.unsettled(), "Idle/Steady", "Cloud Run is applying a change"},
	})
}

// TestAnAbortOfAWayBackWithoutACandidateNamesNone: there is nothing to give up.
func TestAnAbortOfAWayBackWithoutACandidateNamesNone(t *testing.T) {
	t.Parallel()
	left := goingBack().split("web-1", 100)
	left.Progress.Candidate, left.Progress.Latched, left.Progress.FirstWrite = "", nil, time.Time{}
	check(t, map[string]row{
		"it is over": {left.asks(Abort).with(func(s *scene) { s.Request.Step = -1 }), "RolledBack/RolledBack, accepts", "web-1 serves 100%\nWaits for a new revision."},
	})
}

// TestAWayBackEndsWhereTheRunServiceSaidSoBefore: what stands there already makes no new
// version, so that a rise which was lost could arrive for ever.
func TestAWayBackEndsWhereTheRunServiceSaidSoBefore(t *testing.T) {
	t.Parallel()
	back := goingBack().split("web-1", 100).byRunService()
	back.Service.Kept.Says = all("web-1")
	lost := Intent{Split: between("web-2", "web-1", 5), ETag: back.Service.ETag, Seq: 7, At: ago(time.Minute)}
	back.Progress.Intents = []Intent{lost, {Split: all("web-1"), ETag: back.Service.ETag, Seq: 8, At: ago(10 * time.Second)}}
	now := back
	now.Progress.Intents = []Intent{lost, {Split: all("web-1"), ETag: back.Service.ETag, Seq: 8, At: ago(time.Second)}}
	after := back.after(t)
	after.Service.Desired = []Entry{{Revision: "web-2", Percent: 5}, {Revision: "web-1", Percent: 95}}
	check(t, map[string]row{
		"once it was written again":  {back, "RolledBack/RolledBack", ""},
		"not before":                 {now, "RollingBack/RollingBack, writes web-1 100%", "may still arrive"},
		"and it is taken back later": {after, "RollingBack/RollingBack, writes web-1 100%", "arrived late"},
	})
}

func TestALowerWeightThatIsLateIsSentAgain(t *testing.T) {
	t.Parallel()
	back := goingBack()
	staged := at(50).wants("web-2", 25, "web-1", 75).meant(between("web-2", "web-1", 25))
	staged.Progress.Phase, staged.Progress.Reason = RollingBack, ReasonRollingBack
	staged.Progress = staged.Progress.latch("web-2")
	staged.Progress.Retreat = Retreat{Began: ago(10), Last: ago(10), Sent: 1, Weight: 25}
	risen := at(25).wants("web-2", 100).meant(all("web-2"))
	risen.Progress.Phase = Shifting
	check(t, map[string]row{
		"a way back":                             {back.late(), "RollingBack/RollingBack, writes web-1 100%", "web-1 100% is set on the service itself"},
		"also while Cloud Run is at work":        {back.late().unsettled(), "RollingBack/RollingBack, writes web-1 100%", ""},
		"not before":                             {back.byRunService(), "RollingBack/RollingBack", "Done when Config Connector has carried it out"},
		"a part of one":                          {staged.late(), "RollingBack/RollingBack, writes web-2 25%, web-1 75%", ""},
		"which ends at once where users suffer":  {staged.late().errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", ""},
		"a step down":                            {at(25).lowered().late(), "Held/HeldByAnalysis, writes web-2 5%, web-1 95%", ""},
		"a rise waits for Config Connector":      {risen.late(), "Shifting/Progressing", ""},
		"what somebody else set is not repeated": {at(25).foreign().late(), "Paused/TrafficConflict", ""},
	})
}

func TestWhoIsWaitedForIsNamed(t *testing.T) {
	t.Parallel()
	rise := at(25).wants("web-2", 100).meant(all("web-2")).waits().unsettled()
	back := goingBack()
	served := back.split("web-1", 100).waits().unsettled()
	refused := back.waits()
	refused.Progress.Intents[0].At = ago(2 * time.Minute)
	refused.Service.Failure = "403"
	failed := in(Shifting, Progressing).wants("web-2", 100).meant(all("web-2")).waits()
	failed.Service.Failure = "a template that is refused"
	missing := idle().byRunService()
	missing.Service = Service{Presence: Missing, Detail: "not found"}
	denied := missing
	denied.Service.Presence = Denied
	mixed := idle().split("web-1", 50, "web-2", 50)
	check(t, map[string]row{
		"in a rise":                       {rise, "Shifting/Progressing", "serves web-2 25%, web-1 75%; Config Connector says Updating"},
		"in a way back":                   {back.waits().unsettled(), "RollingBack/RollingBack", "; Config Connector says Updating\nDone when Config Connector has carried it out and Cloud Run serves it."},
		"at its end":                      {served, "RollingBack/RollingBack", "web-1 serves 100%; Config Connector says Updating"},
		"in a bake":                       {at(25).waits().unsettled(), "Baking/Progressing", "Config Connector says Updating\nGoes on when it is done."},
		"at rest":                         {idle().waits().unsettled(), "Idle/Steady", "Config Connector says Updating"},
		"in a pause":                      {in(Paused, TrafficConflict).waits().unsettled(), "Paused/TrafficConflict", "Waits for a person; Config Connector says Updating."},
		"in a way back that failed":       {refused, "RollingBack/RollingBack, writes web-1 100%", "Config Connector could not apply it: 403"},
		"in a rise that failed":           {failed, "RollingBack/RollingBack, writes web-1 100%", "Config Connector could not apply the split: a template"},
		"where there is no RunService":    {missing, "Idle/ServiceNotFound", "the service of RunService web is not there: not found"},
		"where it may not be read":        {denied, "Idle/AccessDenied", "what config/config-connector does"},
		"to whoever has to mend a split":  {mixed.byRunService(), "Idle/BaselineUnknown", "Send one revision 100% with kubectl edit runservice web"},
		"Cloud Run where it is a service": {mixed, "Idle/BaselineUnknown", "with gcloud run services update-traffic"},
	})
}

// TestARunServiceIsNotClaimed: Config Connector keeps the annotations of its services.
func TestARunServiceIsNotClaimed(t *testing.T) {
	t.Parallel()
	s := at(25).byRunService()
	s.Self = self
	s.Progress.Seq = 3
	d := Decide(Input(s))
	if claim, _ := d.Write.Claim(); claim != nil {
		t.Errorf("it claims %+v", *claim)
	}
	if len(d.Events) > 1 || d.Progress.ClaimMissed {
		t.Errorf("told %+v, want nothing of a claim", d.Events)
	}
	adopted := s.claimedBy(elsewhere, 3)
	adopted.Progress.Adopted = elsewhere.UID
	check(t, map[string]row{
		"one of another cluster is heeded": {s.claimedBy(elsewhere, 3), "Idle/OwnedElsewhere", "claimed from another cluster"},
		"and is not written over":          {adopted.errors(analysis.Undecided), "Held/HeldByAnalysis", ""},
	})
}

func TestTheNotesOfAKeptServiceAreSentences(t *testing.T) {
	t.Parallel()
	for _, s := range []scene{idle().owned(), idle().sticks(), gaveUp().sticks(), at(25).owned(), at(0).blocked(), at(25).lowered().late()} {
		d := Decide(Input(s))
		if strings.HasSuffix(d.Note, ".") || !strings.HasSuffix(d.Next, ".") {
			t.Errorf("note %q, next %q", d.Note, d.Next)
		}
	}
}

// TestAWayBackThatARunServiceSaysAlreadyEnds with the next look, however regular the looks
// are: to say it once more makes no newer version, and keeps nothing from arriving.
func TestAWayBackThatARunServiceSaysAlreadyEnds(t *testing.T) {
	t.Parallel()
	sent := at(0).byRunService().meant(between("web-2", "web-1", 25)).split("web-1", 100).leaves()
	sent.Progress.FirstWrite = ago(time.Minute)
	if got := inWords(Decide(Input(sent))); got != "RollingBack/RollingBack, writes web-1 100%" {
		t.Fatalf("it begins with %s", got)
	}
	for _, look := range []time.Duration{soon, soon + time.Second, time.Minute} {
		d := Decide(Input(sent.next(look)))
		if d.Write != nil || d.Release == nil {
			t.Errorf("%s later it is %s: %s", look, inWords(d), d.Note)
		}
	}
}
