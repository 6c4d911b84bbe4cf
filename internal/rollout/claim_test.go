package rollout

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

var (
	self      = Holder{Cluster: "here", Namespace: "shop", Name: "web", UID: "self"}
	neighbour = Holder{Cluster: "here", Namespace: "shop", Name: "web-too", UID: "neighbour"}
	stranger  = Holder{Cluster: "here", Namespace: "secret", Name: "web", UID: "stranger"}
	elsewhere = Holder{Cluster: "there", Namespace: "shop", Name: "web", UID: "far"}
)

// claimedBy puts a claim on the service; we are self.
func (s scene) claimedBy(holder Holder, seq int64) scene {
	s.Self = self
	s.Service.Claim = &Claim{Holder: holder, Attempt: 4, Since: ago(time.Hour), Seq: seq, Stable: "web-1"}
	return s
}

// statusLost is a rollout whose object was made anew, or lost its status.
func statusLost(s scene) scene {
	s.Progress = Progress{Phase: Idle, Reason: Preparing}
	return s
}

func TestClaimed(t *testing.T) {
	t.Parallel()
	rival := func(holder Holder, there Presence) scene {
		s := at(25).claimedBy(holder, 3)
		s.Rival = there
		return s
	}
	unread := at(25).claimedBy(self, 3)
	unread.Service.Claim, unread.Service.ClaimUnread = nil, "it is not JSON"
	remembered := at(25).claimedBy(self, 3)
	remembered.Progress.Seq = 3
	adopted := at(25).claimedBy(elsewhere, 3)
	adopted.Progress.Adopted, adopted.Progress.Seq = elsewhere.UID, 3
	moving := at(0).claimedBy(elsewhere, 3).unsettled().asks(Adopt).with(func(s *scene) { s.Request.Attempt, s.Request.Step = 0, -1 })
	moving.Service.Desired = []Entry{{Latest: true, Percent: 100}}
	anonymous := rival(elsewhere, "")
	anonymous.Self = Holder{}
	adoptedHere := at(25).claimedBy(neighbour, 3)
	adoptedHere.Rival = Found
	adoptedHere.Progress.Adopted, adoptedHere.Progress.Seq = neighbour.UID, 3
	adoptedHere = adoptedHere.errors(analysis.Incomplete)
	gaveUp := rival(neighbour, Missing)
	gaveUp.Service.Claim.Latched = []string{"web-2"}
	conflict := gaveUp.split("web-1", 50, "web-2", 50)
	conflict.Progress = Decide(Input(conflict)).Progress
	nameless := conflict.asks(Resume).with(func(s *scene) { s.Self = Holder{} })
	retried := gaveUp
	retried.Progress.Requested = "web-2"
	check(t, map[string]row{
		"a name that is missing is written":       {adoptedHere, "Baking/Progressing, writes web-2 25%, web-1 75%", ""},
		"but not over a revision that is gone":    {adoptedHere.presence("web-1", Missing), "Paused/BaselineLost", ""},
		"our own claim changes nothing":           {remembered, "Shifting/Progressing, writes web-2 100%", ""},
		"a claim from another cluster":            {at(25).claimedBy(elsewhere, 3), "Idle/OwnedElsewhere", "claimed from another cluster"},
		"is not outranked by an abort":            {at(25).claimedBy(elsewhere, 3).asks(Abort), "Idle/OwnedElsewhere, refuses", ""},
		"a person takes it over":                  {at(25).claimedBy(elsewhere, 3).asks(Adopt).with(func(s *scene) { s.Request.Attempt, s.Request.Step = 0, -1 }), "Baking/Progressing, writes web-2 25%, web-1 75%, accepts", "attempt 4 is taken up"},
		"without a write that names what is gone": {at(25).claimedBy(elsewhere, 3).asks(Adopt).presence("web-1", Missing).with(func(s *scene) { s.Request.Attempt, s.Request.Step = 0, -1 }), "Paused/BaselineLost, accepts", "web-1 no longer exists"},
		"and it stays taken over":                 {adopted, "Shifting/Progressing, writes web-2 100%", ""},
		"not while LATEST is about to move":       {moving, "Idle/OwnedElsewhere", ""},
		"a neighbour in our namespace is named":   {rival(neighbour, Found), "Idle/OwnedElsewhere", "claimed by CloudRunRollout web-too"},
		"one in another namespace is not":         {rival(stranger, Found), "Idle/OwnedElsewhere", "a CloudRunRollout in another namespace"},
		"a neighbour that is gone is no obstacle": {rival(neighbour, Missing), "Shifting/Progressing, writes web-2 100%", ""},
		"what it has given up stays given up":     {gaveUp, "RollingBack/RollingBack, writes web-1 100%", "web-2 was given up by a rollout that is gone"},
		"unless a person asked for it since":      {retried, "Shifting/Progressing, writes web-2 100%", ""},
		"or has moved traffic":                    {gaveUp.split("web-1", 50, "web-2", 50), "Paused/TrafficConflict", ""},
		"which a resume does not overrule":        {conflict.asks(Resume), "RollingBack/RollingBack, writes web-1 100%, accepts", "web-2 was given up by a rollout that is gone"},
		"where claims are heeded":                 {nameless, "Shifting/Progressing, writes web-2 25%, web-1 75%, accepts", ""},
		"a claim that cannot be read":             {unread, "Idle/OwnedElsewhere", "it is not JSON"},
		"nothing to adopt":                        {remembered.asks(Adopt).with(func(s *scene) { s.Request.Attempt, s.Request.Step = 0, -1 }), "Shifting/Progressing, writes web-2 100%, refuses", ""},
		"without a name of our own, no claims":    {anonymous, "Shifting/Progressing, writes web-2 100%", ""},
	})
}

// TestWhatWasTakenOverCanBeTakenBack: a take-over is of the claim that a person saw,
// and not of all that its holder writes later.
func TestWhatWasTakenOverCanBeTakenBack(t *testing.T) {
	t.Parallel()
	over := at(25).claimedBy(elsewhere, 3).asks(Adopt).with(func(s *scene) { s.Request.Attempt, s.Request.Step = 0, -1 })
	over.Progress = Decide(Input(over)).Progress // its write has number 4
	over.Request = Request{}
	seen := over.claimedBy(self, 4)
	seen.Progress = Decide(Input(seen)).Progress
	seen.Progress.Generation = seen.Service.Generation
	unsent := seen.with(func(s *scene) { s.Progress.Seq = 9 })
	const left = "Idle/OwnedElsewhere"
	check(t, map[string]row{
		"not before our write has landed":           {over.claimedBy(elsewhere, 3), "Baking/Progressing, writes web-2 25%, web-1 75%", ""},
		"nor by a write that was under way":         {over.claimedBy(elsewhere, 4), "Baking/Progressing, writes web-2 25%, web-1 75%", ""},
		"which waits for a change to be applied":    {over.claimedBy(elsewhere, 4).unsettled(), "Baking/Progressing", ""},
		"and for a person whose split it is":        {over.claimedBy(elsewhere, 4).foreign(), "Paused/TrafficConflict", ""},
		"and is obeyed first":                       {over.claimedBy(elsewhere, 4).asks(Abort).with(func(s *scene) { s.Request.Attempt, s.Request.Step = 4, -1 }), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"after we saw our claim":                    {seen.claimedBy(elsewhere, 5), left, "claimed from another cluster"},
		"after our claim, which we did not see":     {over.claimedBy(elsewhere, 5), left, "claimed from another cluster"},
		"whatever we numbered and did not send":     {unsent.claimedBy(elsewhere, 5), left, "claimed from another cluster"},
		"but not by a read that is older than ours": {seen.claimedBy(elsewhere, 3).with(func(s *scene) { s.Service.Generation-- }), "Baking/Progressing", "Cloud Run answered with generation"},
	})
}

func TestWhatALostStatusTakesFromTheClaim(t *testing.T) {
	t.Parallel()
	latched := statusLost(at(25).claimedBy(self, 3))
	latched.Service.Claim.Latched = []string{"web-2"}
	third := statusLost(at(25).split("web-1", 50, "web-2", 25, "web-0", 25).claimedBy(self, 3))
	settled := third
	settled.Plan.StableRevision = "web-1"
	old := third
	old.Plan.StableRevision = "web-2"
	answered := third
	answered.Progress = Decide(Input(third)).Progress
	answered.Plan.StableRevision = "web-2"
	hidden := third.next(time.Minute).presence("web-0", Unknown)
	hidden.Plan.StableRevision = "web-0"
	ahead := at(25).claimedBy(self, 5)
	ahead.Progress.Seq = 3
	moved := func(s scene) scene {
		s = statusLost(s.claimedBy(self, 3))
		s.Service.Claim.Split = NewSplit(map[string]int64{"web-1": 75, "web-2": 25})
		return s
	}
	kept := moved(at(25).revision("web-3", time.Hour).split("web-3", 100))
	kept.Plan.StableRevision = "web-3"
	parted := kept.split("web-3", 90, "web-1", 10)
	heir := statusLost(at(25).claimedBy(neighbour, 3))
	heir.Rival = Missing
	gone := at(100).claimedBy(self, 5).presence("web-1", Missing)
	gone.Progress.Seq, gone.Service.Claim.Split = 3, NewSplit(map[string]int64{"web-1": 75, "web-2": 25})
	unread := statusLost(at(25).claimedBy(self, 3))
	lost := unread.presence("web-1", Missing)
	hadLost := lost.next(time.Minute).presence("web-1", Unknown).errors(analysis.Breach)
	hadLost.Progress = Decide(Input(lost)).Progress
	unread.Revisions = map[string]Revision{"web-1": at(25).Revisions["web-1"]}
	rests := idle().split("web-1", 75, "web-2", 25).claimedBy(neighbour, 3)
	rests.Rival, rests.Progress.Latched = Missing, []string{"web-0"}
	over := rests
	over.Progress.Phase, over.Progress.Reason, over.Progress.Candidate, over.Progress.Latched = RolledBack, ReasonRolledBack, "web-2", []string{"web-2"}
	goesOn := over.with(func(s *scene) { s.Progress.Latched, s.Progress.Candidate = nil, "web-0" })
	done := goesOn.with(func(s *scene) { s.Progress.Phase, s.Progress.Reason = Completed, ReasonCompleted })
	late := rests
	late.Progress.Generation = late.Service.Generation + 1
	check(t, map[string]row{
		"a split goes on, with a bake anew":                  {statusLost(at(25).claimedBy(self, 3)), "Baking/Progressing", "attempt 4 is taken up from the claim on the service; traffic is web-2 25%, web-1 75%"},
		"everything at the candidate is not yet the end":     {statusLost(at(100).claimedBy(self, 3)), "Baking/Progressing", "attempt 4 is taken up"},
		"stable serving everything is the baseline":          {statusLost(idle().split("web-1", 100).claimedBy(self, 3)), "Idle/Steady", "web-1 serves 100%"},
		"what was given up goes back":                        {latched, "RollingBack/RollingBack, writes web-1 100%", "web-2 was given up"},
		"a split that it does not explain waits":             {third, "Paused/StateLost", "does not explain it"},
		"the split that the claim was written with goes on":  {moved(at(25)), "Baking/Progressing", "attempt 4 is taken up"},
		"one that a person set since waits":                  {moved(at(25).split("web-1", 97, "web-2", 3)), "Paused/TrafficConflict", "someone else set traffic to web-2 3%, web-1 97%; ours was web-2 25%, web-1 75%"},
		"stable that a person sent everything is an abort":   {moved(at(25).split("web-1", 100)), "RolledBack/RolledBack", ""},
		"another that they sent everything, and named, is":   {kept, "Idle/Steady", "web-3 serves 100%"},
		"also where the stable of before is gone":            {kept.presence("web-1", Missing), "RollingBack/RollingBack, writes web-3 100%", ""},
		"but a name of before moves nothing":                 {parted, "Paused/TrafficConflict", ""},
		"nor later":                                          {parted.next(time.Minute).presence("web-1", Missing), "Paused/BaselineLost", "was used once already"},
		"a name that was there before is no answer to that":  {old, "Paused/StateLost", "web-2 was there before, and may be an old one"},
		"and one that is given then is":                      {answered, "RollingBack/RollingBack, writes web-2 100%", ""},
		"also one that cannot be read at first":              {hidden, "Paused/StateLost", "does not explain it; revision web-0 could not be read"},
		"and is obeyed when it can":                          {hidden.next(time.Minute).revision("web-0", 72*time.Hour), "RollingBack/RollingBack, writes web-0 100%", ""},
		"the name of its own stable is":                      {settled, "RollingBack/RollingBack, writes web-1 100%", "spec.stableRevision names web-1"},
		"an object made anew goes on for the one before":     {heir, "Baking/Progressing", "attempt 4 is taken up"},
		"a candidate that nobody has read yet is not baked":  {unread, "Shifting/Progressing", ""},
		"nor goes it back to a stable that is gone":          {lost, "Paused/BaselineLost", "web-1 no longer exists"},
		"also where that cannot be read later":               {hadLost, "Paused/BaselineLost", "web-1 no longer exists"},
		"nor does what was given up":                         {latched.presence("web-1", Missing), "Paused/BaselineLost", "web-1 no longer exists"},
		"who rests goes on for a neighbour that is gone":     {rests, "Baking/Progressing", "attempt 4 is taken up"},
		"and goes back from what it has given up itself":     {over, "RollingBack/RollingBack, writes web-1 100%", "web-2 was given up"},
		"whoever has gone back goes on for it":               {goesOn, "Baking/Progressing", "attempt 4 is taken up"},
		"and whoever is through":                             {done, "Baking/Progressing", "attempt 4 is taken up"},
		"but not by a read that is older than what it saw":   {late, "Idle/Steady", "8 was seen before"},
		"a status put back into the past waits":              {ahead, "Paused/StateLost", "was written 5 times, this object remembers 3"},
		"a breach meanwhile does not make it guess":          {ahead.errors(analysis.Breach), "Paused/StateLost", ""},
		"nor does a resume bring back a stable that is gone": {gone.asks(Resume), "Paused/BaselineLost, accepts", "web-1 no longer exists"},
		"until a person lets it go on from what serves":      {ahead.asks(Resume), "Baking/Progressing, accepts", ""},
	})
	d := Decide(Input(statusLost(at(25).claimedBy(self, 3))))
	if p := d.Progress; p.Seq != 3 || p.Attempt != 4 || p.Stable != "web-1" || p.Candidate != "web-2" || !p.FirstWrite.Equal(ago(time.Hour)) {
		t.Errorf("remembers %+v", p)
	}
	if p := Decide(Input(rests.with(func(s *scene) { s.Progress.Attempt = 9 }))).Progress; p.Attempt != 9 {
		t.Errorf("it counts attempts on from %d, and 9 was ours already", p.Attempt)
	}
	if p := Decide(Input(rests)).Progress; !p.latched("web-0") {
		t.Errorf("what it gave up itself is forgotten: %v", p.Latched)
	}
	for revision, ours := range map[string]string{"web-1": "web-1", "web-0": ""} {
		if p := Decide(Input(statusLost(at(25).tagged(revision).claimedBy(self, 3)))).Progress; p.Tagged != ours {
			t.Errorf("the tag on %s: ours is that on %q, want %q", revision, p.Tagged, ours)
		}
	}
	next := statusLost(at(25).claimedBy(self, 3))
	next.Progress = d.Progress
	if p := Decide(Input(next)).Progress; !p.Effective.Equal(now) || !p.Watched.Equal(ago(time.Hour)) {
		t.Errorf("bakes since %s and judges since %s; the first write was sent %s", p.Effective, p.Watched, ago(time.Hour))
	}
	if p := d.Progress; !p.Lowered.Equal(now) {
		t.Errorf("nobody knows when traffic was lowered last, and the cool-down counts from %s", p.Lowered)
	}
}

// TestARewoundAttemptIsGuarded: the claim on the service tells what an object does not remember
// whose status was put back into the past. Nothing rises before a person has looked, and users
// are not left to a candidate that fails meanwhile.
func TestARewoundAttemptIsGuarded(t *testing.T) {
	t.Parallel()
	rewound := at(25).claimedBy(self, 5)
	rewound.Progress = idle().Progress
	rewound.Progress.Seq, rewound.Progress.Attempt = 3, 3
	guarded := rewound
	guarded.Progress = Decide(Input(rewound)).Progress
	gone := at(25).claimedBy(self, 5).split("web-1", 60, "web-2", 40)
	gone.Progress.Seq, gone.Service.Claim.Split = 3, NewSplit(map[string]int64{"web-1": 75, "web-2": 25})
	stopped := rewound.asks(Abort)
	stopped.Request.Attempt, stopped.Request.Step = 4, -1
	named := rewound.presence("web-1", Missing).revision("web-0", 72*time.Hour)
	named.Plan.StableRevision = "web-0"
	waits := named.next(time.Minute)
	waits.Progress = Decide(Input(named)).Progress
	staged := rewound.with(func(s *scene) {
		claim := *s.Service.Claim
		claim.Latched, claim.Split = []string{"web-2"}, between("web-2", "web-1", 25)
		s.Service.Claim = &claim
	})
	check(t, map[string]row{
		"a deletion goes back":                {rewound.leaves().next(time.Minute), "RollingBack/RollingBack, writes web-1 100%", ""},
		"an abort that waits is obeyed":       {stopped, "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"a way back goes on":                  {staged, "RollingBack/RollingBack, writes web-1 100%", "web-2 was given up"},
		"a stable that is gone is told":       {rewound.presence("web-1", Missing), "Paused/BaselineLost", "web-1 no longer exists"},
		"no old name is taken for another":    {named, "Paused/BaselineLost", "web-0 was used once already"},
		"nor later":                           {waits, "Paused/BaselineLost", ""},
		"no newer one begins":                 {guarded.newer(), "Paused/StateLost", ""},
		"it waits, and says for what":         {rewound, "Paused/StateLost", "resume goes on with attempt 4 of web-2; abort sends everything to web-1; thresholds still roll back"},
		"it waits on":                         {guarded, "Paused/StateLost", "was written 5 times, this object remembers 3"},
		"whatever is healthy":                 {guarded.errors(analysis.Pass), "Paused/StateLost", ""},
		"what fails goes back":                {guarded.errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", "web-1"},
		"so does what a person stops":         {guarded.asks(Abort), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"a person lets it go on":              {guarded.asks(Resume), "Baking/Progressing, accepts", ""},
		"but a split that somebody set since": {gone, "Paused/StateLost", "resume goes on from what the service itself says"},
	})
	if p := Decide(Input(guarded.next(20 * time.Minute).asks(Resume))).Progress; !p.Effective.Equal(now.Add(20*time.Minute)) || !p.Watched.Equal(ago(time.Hour)) {
		t.Errorf("a person lets it go on, and it bakes since %s, and is judged since %s", p.Effective, p.Watched)
	}
	if d := Decide(Input(rewound.leaves())); d.Release != nil {
		t.Errorf("it is let go while web-2 serves: %+v", d.Release)
	}
	if p := guarded.Progress; p.Attempt != 4 || p.Seq != 5 || p.Candidate != "web-2" || p.Stable != "web-1" || !p.Watched.Equal(ago(time.Hour)) {
		t.Errorf("it remembers %+v", p)
	}
}

// TestWhoLosesTheServiceOnAWayBack goes on with that when a person takes it over again, also
// where the candidate is ready by then, and had no traffic when it was to go.
func TestWhoLosesTheServiceOnAWayBack(t *testing.T) {
	t.Parallel()
	sent := at(0).meant(between("web-2", "web-1", 25)).readiness("web-2", NotReady).next(time.Minute)
	lost := sent.readiness("web-2", Ready).split("web-2", 25, "web-1", 75).claimedBy(elsewhere, 5)
	spared := lost.with(func(s *scene) { s.Progress.Spared = ago(time.Minute) })
	baking := at(25).claimedBy(elsewhere, 5)
	check(t, map[string]row{
		"another cluster has it":     {lost, "Idle/OwnedElsewhere", ""},
		"a person takes it over":     {lost.next(time.Minute).asks(Adopt), "RollingBack/RollingBack, writes web-1 100%, accepts", "web-2 was given up"},
		"what was spared goes on":    {spared.next(time.Minute).asks(Adopt), "Baking/Progressing, writes web-2 25%, web-1 75%, accepts", ""},
		"so does what was not going": {baking.next(time.Minute).asks(Adopt), "Baking/Progressing, writes web-2 25%, web-1 75%, accepts", ""},
	})
}

// TestTheClaimShowsAWriteThatNobodySawServe: a person who takes our write back before
// we look again leaves the split of before it. The number in the claim tells that
// from a write that was lost.
func TestTheClaimShowsAWriteThatNobodySawServe(t *testing.T) {
	t.Parallel()
	sent := func(s scene, weight int64, claimed int64) scene {
		s = s.meant(between("web-2", "web-1", weight)).claimedBy(self, claimed)
		s.Progress.Seq, s.Progress.Intents[0].Seq, s.Progress.FirstWrite = 4, 4, ago(time.Hour)
		s.Service.ETag, s.Service.Generation, s.Service.ObservedGeneration = "etag-9", 9, 9
		s.Progress.Generation = 8
		return s
	}
	hidden := func(s *scene) { s.Progress.Phase, s.Progress.Reason = Idle, ServiceNotFound }
	check(t, map[string]row{
		"a first write that was lost is sent again":   {sent(at(0), 5, 3), "Shifting/Progressing, writes web-2 5%, web-1 95%", ""},
		"one that a person took back is given up":     {sent(at(0), 5, 4), "RolledBack/RolledBack", "someone else sent web-1 100%"},
		"also where the service was out of sight":     {sent(at(0), 5, 4).with(hidden), "RolledBack/RolledBack", "someone else sent web-1 100%"},
		"where it was lost out of sight nobody did":   {sent(at(0), 5, 3).with(hidden), "Checking/Preparing", ""},
		"a later write that was lost is sent again":   {sent(at(25), 100, 3), "Shifting/Progressing, writes web-2 100%", ""},
		"one that a person took back waits":           {sent(at(25), 100, 4), "Paused/TrafficConflict", "someone else set traffic to web-2 25%, web-1 75%"},
		"one that is asked for is no stranger's":      {sent(at(25), 100, 4).wants("web-2", 100), "Shifting/Progressing", "traffic goes to web-2 100%"},
		"another object's number says nothing of us":  {sent(at(25), 100, 3).claimedBy(neighbour, 4), "Shifting/Progressing, writes web-2 100%", ""},
		"a way back that a person undid is not made":  {sent(at(25), 0, 4).with(func(s *scene) { s.Progress.Phase = RollingBack }), "Paused/TrafficConflict", ""},
		"and one that was lost is":                    {sent(at(25), 0, 3).with(func(s *scene) { s.Progress.Phase = RollingBack }), "RollingBack/RollingBack, writes web-1 100%", ""},
		"an abort outranks even that, as it ever did": {sent(at(25), 100, 4).asks(Abort), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
	})
}

// TestTheClaimSaysWhereOurTagIs: our write put it on the stable that its claim names, also
// where nobody saw that write serve, or a backup of etcd took the memory of it away. On the
// stable of an earlier attempt it is somebody else's since, and stays there.
func TestTheClaimSaysWhereOurTagIs(t *testing.T) {
	t.Parallel()
	remembers := func(s scene) scene {
		return s.tagged("web-0").with(func(s *scene) { s.Progress.Tagged, s.Progress.Seq = "web-0", 9 })
	}
	abort := remembers(at(25)).asks(Abort)
	earlier := abort.claimedBy(self, 3)
	earlier.Service.Claim.Stable = "web-0"
	old := Entry{Revision: "web-0", Tag: Tag}
	for name, r := range map[string]struct {
		scene
		stays bool
	}{
		"a claim of the newest write":    {abort.claimedBy(self, 3), true},
		"a claim of the attempt before":  {earlier, false},
		"no claim, and our memory of it": {abort, false},
		"a neighbour's claim":            {abort.claimedBy(neighbour, 3).with(func(s *scene) { s.Progress.Adopted = s.Service.Claim.UID }), false},
	} {
		w := Decide(Input(r.scene)).Write
		if w == nil || slices.Contains(w.Targets(), old) != r.stays {
			t.Errorf("%s: writes %v; the tag on web-0 stays: %t", name, w, r.stays)
		}
	}
}

func TestEveryWriteCarriesTheClaim(t *testing.T) {
	t.Parallel()
	s := at(25).claimedBy(self, 3)
	s.Progress.Seq, s.Progress.Attempt = 3, 4
	s.Progress.FirstWrite = ago(time.Hour)
	s.Service.Annotations = map[string]string{"team": "web"}
	first := Decide(Input(s))
	claim, beside := first.Write.Claim()
	want := &Claim{Holder: self, Attempt: 4, Since: ago(time.Hour), Seq: 4, Stable: "web-1", Split: all("web-2"), Latched: []string{}}
	if claim.Latched == nil {
		want.Latched = nil
	}
	if diff := cmp.Diff(want, claim); diff != "" {
		t.Errorf("claim (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"team": "web"}, beside); diff != "" {
		t.Errorf("others' annotations (-want +got):\n%s", diff)
	}
	s.Progress = first.Progress
	s.Progress.Phase, s.Progress.Reason = Baking, Progressing
	again, _ := Decide(Input(s)).Write.Claim()
	if diff := cmp.Diff(claim, again); diff != "" {
		t.Errorf("the same write sent again says something else (-first +again):\n%s", diff)
	}
}

func TestAClaimTakenAwayIsToldOnce(t *testing.T) {
	t.Parallel()
	s := at(25).claimedBy(self, 3)
	s.Service.Claim = nil
	s.Progress.Seq = 3
	s = s.paused()
	told := func(d Decision) (n int) {
		for _, e := range d.Events {
			if e.Reason == ClaimMissing {
				n++
			}
		}
		return n
	}
	first := Decide(Input(s))
	s.Progress = first.Progress
	if second := Decide(Input(s)); told(first) != 1 || told(second) != 0 {
		t.Errorf("told %d times, then %d", told(first), told(second))
	}
}
