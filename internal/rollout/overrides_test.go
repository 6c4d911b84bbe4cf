package rollout

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

func (s scene) gone() scene    { s.Service.UID = "another"; return s }
func (s scene) older() scene   { s.Progress.Generation = 8; return s }
func (s scene) foreign() scene { return s.split("web-1", 50, "web-2", 50) }
func (s scene) paused() scene  { s.Plan.Paused = true; return s }

func (s scene) forgotten() scene {
	s.Progress = Progress{Phase: Idle, Reason: Preparing, ServiceUID: s.Progress.ServiceUID}
	s.Service.Desired = append(s.Service.Desired, Entry{Revision: "web-1", Tag: Tag})
	return s
}

// TestOverridesOutrankTheirNeighbours has a row for each pair of neighbours in
// the list of overrides: both would speak, and the upper one decides.
func TestOverridesOutrankTheirNeighbours(t *testing.T) {
	t.Parallel()
	rollingBack := in(RollingBack, ReasonRollingBack)
	pairs := []struct {
		name string
		in   scene
		want string
	}{
		{"a service created anew beats another's claim", at(25).claimedBy(elsewhere, 3).gone(), "Paused/StateLost"},
		{"another's claim beats a lost state", at(25).forgotten().claimedBy(elsewhere, 3), "Idle/OwnedElsewhere"},
		{"a lost state beats a stale read", at(25).forgotten().older(), "Paused/StateLost"},
		{"a stale read beats a missing stable", at(25).older().presence("web-1", Missing), "Baking/Progressing"},
		{"a missing stable beats an abort", at(25).asks(Abort).presence("web-1", Missing), "Paused/BaselineLost, refuses"},
		{"an abort beats a foreign change", at(25).asks(Abort).foreign(), "RollingBack/RollingBack, writes web-1 100%, accepts"},
		{"a foreign change beats a deletion", at(25).foreign().leaves(), "Paused/TrafficConflict"},
		{"a deletion beats our own rollback", rollingBack.leaves(), "RollingBack/RollingBack, writes web-1 100%"},
		{"our own rollback beats a breach", rollingBack.errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%"},
		{"a breach beats a lower weight that is late", at(25).lowered().late().errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%"},
		{"a lower weight that is late beats an owner", at(25).lowered().late().owned(), "Held/HeldByAnalysis, writes web-2 5%, web-1 95%"},
		{"an owner beats a pause that is asked for", at(25).owned().asks(VerbPause), "Paused/TrafficConflict, refuses"},
		{"a pause that is asked for beats Git's going back", midway().asks(VerbPause).template("a"), "Paused/Paused, accepts"},
		{"Git's going back beats a newer candidate", midway().template("a").newer(), "RollingBack/RollingBack, writes web-1 100%"},
		{"a newer candidate beats an overdue warm-up", at(0).warmed(5 * time.Minute).newer().unsettled(), takesOff},
		{"an overdue warm-up beats an unsettled service", at(0).warmed(5 * time.Minute).unsettled(), "Held/HeldByAnalysis, writes web-1 100%"},
		{"an unsettled service beats a pause", at(25).unsettled().paused(), "Baking/Progressing"},
		{"a pause beats the phase", at(25).paused(), "Paused/Paused"},
	}
	if len(pairs) != len(overrides) {
		t.Errorf("%d pairs for %d overrides: each has one with its lower neighbour, the last with the phase", len(pairs), len(overrides))
	}
	for i, pair := range pairs {
		t.Run(pair.name, func(t *testing.T) {
			t.Parallel()
			v := look(Input(pair.in))
			for j, overrule := range overrides[:i] {
				if _, ok := overrule(v); ok {
					t.Errorf("override %d speaks as well, so this tests something else", j)
				}
			}
			upper, ok := overrides[i](v)
			if !ok {
				t.Fatalf("the upper one does not speak")
			}
			if i+1 < len(overrides) {
				if _, ok := overrides[i+1](v); !ok {
					t.Errorf("the lower one does not speak, so this tests nothing")
				}
			}
			got := Decide(Input(pair.in))
			if diff := cmp.Diff(pair.want, inWords(got)); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, got.Note)
			}
			if upper.Note != got.Note {
				t.Errorf("decided %q, the upper one said %q", got.Note, upper.Note)
			}
			sane(t, Input(pair.in), got)
		})
	}
}

func TestTargetGone(t *testing.T) {
	t.Parallel()
	denied := func(s scene) scene {
		s.Service = Service{Presence: Denied, Detail: "403 run.services.get"}
		return s
	}
	unbound := func(s scene) scene {
		s.Service = Service{Presence: Denied, Detail: "no CloudRunAccess lets it", Remedy: "The platform team would create one."}
		return s
	}
	missing := func(s scene) scene {
		s.Service = Service{Presence: Missing}
		return s
	}
	hidden := func(s *scene) { s.Progress.Phase, s.Progress.Reason = Idle, ServiceNotFound }
	recreated := at(25).gone()
	recreated.Service.Generation, recreated.Service.ObservedGeneration = 1, 1
	check(t, map[string]row{
		"access that was never there":              {denied(idle()), "Idle/AccessDenied", "403 run.services.get"},
		"access lost on the way holds":             {denied(at(25)), "Held/AccessDenied", "Traffic stays as it is"},
		"what nobody binds is not begun":           {unbound(idle()), "Idle/AccessDenied", "lets it\nThe platform team would create one."},
		"what is bound no more holds":              {unbound(at(25)), "Held/AccessDenied", "and so nothing is sent back. The platform team would create one."},
		"so does its way back":                     {unbound(in(RollingBack, ReasonRollingBack)), "RollingBack/RollingBack", "and so nothing is sent back. The platform team"},
		"a pause outlives lost access":             {denied(in(Paused, StepDeadlineExceeded)), "Paused/StepDeadlineExceeded", "access to the service was lost"},
		"so does the way back":                     {denied(in(RollingBack, ReasonRollingBack)), "RollingBack/RollingBack", "until access is back"},
		"an abort is kept until access is back":    {denied(at(25).asks(Abort)), "Held/AccessDenied", ""},
		"an abort of nothing is refused":           {denied(idle().asks(Abort)), "Idle/AccessDenied, refuses", ""},
		"access back goes on with the bake":        {in(Held, AccessDenied), "Shifting/Progressing, writes web-2 100%", ""},
		"a pause outlives a service out of sight":  {missing(in(Paused, StepDeadlineExceeded)), "Paused/StepDeadlineExceeded", "does not exist"},
		"a pause of the spec outlives neither":     {denied(in(Paused, ReasonPaused)), "Held/AccessDenied", "access to the service was lost"},
		"but while it is wanted it does":           {denied(in(Paused, ReasonPaused).with(func(s *scene) { s.Plan.Paused = true })), "Paused/Paused", "access to the service was lost"},
		"nor a service out of sight":               {missing(in(Paused, ReasonPaused)), "Idle/ServiceNotFound", "does not exist"},
		"no service":                               {missing(idle()), "Idle/ServiceNotFound", "service web does not exist in asia-northeast1 of project acme"},
		"another service of that name":             {recreated, "Paused/StateLost", "the request resume, which takes it as new"},
		"which a person takes as new":              {recreated.asks(Resume).split("web-1", 100), "Idle/Steady, accepts", "taken as new"},
		"a service that is back goes on":           {at(25).with(hidden), "Baking/Progressing", "bake begins anew"},
		"and waits where it does not serve yet":    {at(25).split("web-1", 100).wants("web-2", 25, "web-1", 75).with(hidden), "Shifting/Progressing", "serves web-1 100%"},
		"one that a person took back is given up":  {at(25).split("web-1", 100).with(hidden), "RolledBack/RolledBack", "someone else sent web-1 100%"},
		"one whose candidate was given up returns": {at(25).with(func(s *scene) { s.Progress.Phase = Idle; s.Progress = s.Progress.latch("web-2") }), "RollingBack/RollingBack, writes web-1 100%", ""},
	})
}

// TestWhatServedBeforeAnInterruptionIsJudged: the bake begins anew, and a breach that is
// still arriving counts.
func TestWhatServedBeforeAnInterruptionIsJudged(t *testing.T) {
	t.Parallel()
	s := at(25).with(func(s *scene) {
		s.Progress.Phase, s.Progress.Reason, s.Progress.Watched = Idle, ServiceNotFound, ago(time.Hour)
	})
	if p := Decide(Input(s)).Progress; !p.Effective.IsZero() || !p.Watched.Equal(ago(time.Hour)) {
		t.Errorf("bakes since %s, judges since %s; want an hour ago", p.Effective, p.Watched)
	}
}

func TestStateLost(t *testing.T) {
	t.Parallel()
	lost := at(25).forgotten()
	named := lost
	named.Plan.StableRevision = "web-1"
	untagged := lost.split("web-2", 100)
	untagged.Progress.Phase, untagged.Progress.Reason, untagged.Progress.Cause = Paused, StateLost, "a tag showed it"
	moved := untagged
	moved.Plan.StableRevision = "web-2"
	old := lost
	old.Plan.StableRevision = "web-2"
	still := old
	still.Progress = Decide(Input(old)).Progress
	another := still.revision("web-0", 72*time.Hour)
	another.Plan.StableRevision = "web-0"
	hidden := lost.next(time.Minute).presence("web-0", Unknown)
	hidden.Plan.StableRevision = "web-0"
	used := lost
	used.Plan.StableRevision, used.Progress.SettledBy = "web-1", "web-1"
	check(t, map[string]row{
		"traffic stays":                                       {lost, "Paused/StateLost", "Set spec.stableRevision"},
		"a person names the way back":                         {named, "RollingBack/RollingBack, writes web-1 100%", "spec.stableRevision names web-1"},
		"the same name works once":                            {used, "Paused/StateLost", "web-1 was there before, and may be an old one: remove it first"},
		"a name of before is no answer":                       {old, "Paused/StateLost", "web-2 was there before, and may be an old one: remove it first"},
		"and stays none":                                      {still, "Paused/StateLost", "web-2 was there before"},
		"until another one is named":                          {another, "RollingBack/RollingBack, writes web-0 100%", ""},
		"a name that does not serve waits":                    {named.readiness("web-1", NotReady), "Paused/StateLost", "does not remember; traffic is web-2 25%, web-1 75%; spec.stableRevision names web-1, which is not there or not ready\nName a ready"},
		"so does one that cannot be read":                     {hidden, "Paused/StateLost", "revision web-0 could not be read"},
		"which is an answer still when it can":                {hidden.next(time.Minute).revision("web-0", 72*time.Hour), "RollingBack/RollingBack, writes web-0 100%", ""},
		"it waits when a person's edit took the tag along":    {untagged, "Paused/StateLost", "a tag showed it\nWaits: resume goes on. Set spec.stableRevision"},
		"and the person's name settles it even then":          {moved, "RollingBack/RollingBack, writes web-2 100%", "spec.stableRevision names web-2"},
		"but not one that is not ready":                       {moved.readiness("web-2", NotReady), "Paused/StateLost", "a tag showed it; spec.stableRevision names web-2, which is not there or not ready\nName a ready"},
		"resume takes what serves when nothing else is known": {untagged.asks(Resume), "Idle/Steady, accepts", "web-2 serves 100%"},
		"resume does not guess":                               {lost.asks(Resume), "Paused/StateLost, refuses", ""},
	})
	if tagged := warmTagsOf(Decide(Input(named.tags("web-3"))).Write); tagged[WarmTag] != "" {
		t.Errorf("the tag of a warm-up stays on %s for ever", tagged[WarmTag])
	}
}

// TestATagThatNobodyExplainsIsLeftAlone: who is told that a tag shows a rollout which
// nobody remembers, and names stable, lets it go. Where there is a claim, that says whose
// it is.
func TestATagThatNobodyExplainsIsLeftAlone(t *testing.T) {
	t.Parallel()
	lost := at(25).forgotten()
	lost.Plan.StableRevision = "web-2"
	told := lost.with(func(s *scene) { s.Progress.Phase, s.Progress.Reason = Paused, StateLost })
	claimed := told.split("web-1", 50, "web-2", 25, "web-0", 25).tagged("web-0").claimedBy(self, 3)
	rows := map[string]struct {
		scene
		tag   Entry
		stays bool
	}{
		"no claim":                  {told, Entry{Revision: "web-1", Tag: Tag}, false},
		"a claim of another stable": {claimed, Entry{Revision: "web-0", Tag: Tag}, true},
	}
	for name, r := range rows {
		w := Decide(Input(r.scene)).Write
		if w == nil || slices.Contains(w.Targets(), r.tag) != r.stays {
			t.Errorf("%s: writes %v; the tag on %s stays: %t", name, w, r.tag.Revision, r.stays)
		}
	}
}

func TestStableGone(t *testing.T) {
	t.Parallel()
	gone := at(25).presence("web-1", Missing)
	named := gone.revision("web-0", 72*time.Hour)
	named.Plan.StableRevision = "web-0"
	unread := at(25).presence("web-1", Unknown)
	unread.Progress.Phase, unread.Progress.Reason = Paused, BaselineLost
	told := at(5).meant(between("web-2", "web-1", 25)).wants("web-2", 25, "web-1", 75).presence("web-1", Unknown).with(func(s *scene) {
		s.Service.Failure = "Revision 'web-1' does not exist or is deleted. Update all traffic to route to currently available revisions."
	})
	other := told.with(func(s *scene) { s.Service.Failure = strings.ReplaceAll(s.Service.Failure, "web-1", "web-10") })
	tagged := named.tagged("web-2")
	if kept := Decide(Input(tagged)).Write; kept == nil || !slices.Contains(kept.Targets(), Entry{Revision: "web-2", Tag: Tag}) {
		t.Errorf("writes %v; the tag on web-2 is somebody else's", kept)
	}
	check(t, map[string]row{
		"nor when it cannot be read since":   {unread.errors(analysis.Breach), "Paused/BaselineLost", "stable revision web-1 no longer exists"},
		"nothing rises or falls":             {gone.errors(analysis.Breach), "Paused/BaselineLost", "stable revision web-1 no longer exists; traffic is web-2 25%, web-1 75%"},
		"a person names the way back":        {named, "RollingBack/RollingBack, writes web-0 100%", ""},
		"a name that does not serve waits":   {named.readiness("web-0", Pending), "Paused/BaselineLost", "Name a ready revision"},
		"nor when Cloud Run says so alone":   {told, "Paused/BaselineLost", "stable revision web-1 no longer exists"},
		"but not where it says it of others": {other, "RollingBack/RollingBack, writes web-1 100%", "could not apply the split"},
		"a stable that cannot be read":       {at(25).presence("web-1", Denied), "Held/HeldByAnalysis", "traffic is not raised without a way back"},
	})
}

func TestAbort(t *testing.T) {
	t.Parallel()
	rows := map[string]row{
		"before the first write there is nothing to lower": {at(0).asks(Abort), "RolledBack/RolledBack, accepts", "aborted by ann; web-2 was given up; web-1 serves 100%"},
		"what a person set before serves yet":              {at(0).wants("web-1", 100).with(func(s *scene) { s.Service.Effective = at(5).Service.Effective }).asks(Abort), "RollingBack/RollingBack, accepts", "serves web-2 5%, web-1 95%"},
		"a first write in flight is overtaken": {
			at(0).with(func(s *scene) { s.Progress.FirstWrite = ago(time.Minute) }).meant(between("web-2", "web-1", 5)).asks(Abort),
			"RollingBack/RollingBack, writes web-1 100%, accepts", "",
		},
		"while Cloud Run is busy":         {at(25).unsettled().asks(Abort), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"while spec.paused is true":       {at(25).paused().asks(Abort), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"on a stale read it is kept":      {at(25).older().asks(Abort), "Baking/Progressing", ""},
		"in a terminal phase":             {idle().split("web-1", 100).with(func(s *scene) { s.Progress.Cutoff = now }).asks(Abort), "Idle/Steady, refuses", "there is nothing to abort in state Idle/Steady"},
		"of another attempt":              {at(25).asks(Abort).with(func(s *scene) { s.Request.Attempt = 4 }), "Shifting/Progressing, writes web-2 100%, refuses", "attempt 4 was meant, attempt 1 is the newest"},
		"of another step":                 {at(25).asks(Abort).with(func(s *scene) { s.Request.Step = 1 }), "Shifting/Progressing, writes web-2 100%, refuses", "step 1 was meant, step 2 is under way"},
		"bound to nothing":                {at(25).asks(Abort).with(func(s *scene) { s.Request.Attempt, s.Request.Step = 0, -1 }), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"that was answered is not again":  {at(25).asks(Abort).with(func(s *scene) { s.Progress.LastRequest = Reply{ID: "r1", Verb: Abort} }), "Shifting/Progressing, writes web-2 100%", ""},
		"under the id of another verb":    {at(25).asks(Abort).with(func(s *scene) { s.Progress.LastRequest = Reply{ID: "r1", Verb: Resume} }), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"a service out of sight keeps it": {at(25).asks(Abort).with(func(s *scene) { s.Service = Service{Presence: Missing} }), "Idle/ServiceNotFound", ""},
		"and obeys it when it is back":    {at(25).asks(Abort).with(func(s *scene) { s.Progress.Phase, s.Progress.Reason = Idle, ServiceNotFound }), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"that is malformed has its cause": {at(25).asks(Abort).with(func(s *scene) { s.Request.Malformed = "mode: write full" }), "Shifting/Progressing, writes web-2 100%, refuses", "mode: write full"},
	}
	for _, phase := range Phases {
		if phase.active() && phase != Checking {
			rows["in phase "+string(phase)] = row{in(phase, Progressing).asks(Abort), "RollingBack/RollingBack, writes web-1 100%, accepts", ""}
		}
	}
	check(t, rows)
}

// TestAbortOverAForeignSplitOutlivesALostWrite: the split that an abort leaves
// is known from then on, so that it is not taken for a stranger's again.
func TestAbortOverAForeignSplitOutlivesALostWrite(t *testing.T) {
	t.Parallel()
	s := at(25).foreign().asks(Abort)
	for range 3 {
		d := Decide(Input(s))
		if d.Progress.Phase != RollingBack || d.Write == nil {
			t.Fatalf("%s: %s", inWords(d), d.Note)
		}
		s.Progress = d.Progress // and the write is lost
		s.Now = s.Now.Add(time.Minute)
	}
}

func TestForeignChange(t *testing.T) {
	t.Parallel()
	lost := at(25).meant(between("web-2", "web-1", 100))
	landed := lost
	landed.Progress.Intents = []Intent{{Split: between("web-2", "web-1", 100)}} // seen
	named := at(25).revision("web-0", 72*time.Hour).split("web-0", 100)
	named.Plan.StableRevision = "web-0"
	used := named
	used.Progress.SettledBy = "web-0"
	latched := at(25).foreign().asks(Resume)
	latched.Progress = latched.Progress.latch("web-2")
	leaving := at(25).foreign().meant(all("web-1")).asks(Resume)
	early := at(0).foreign().meant(between("web-2", "web-1", 25)).meant(all("web-1")).asks(Resume)
	early.Progress.Intents[1].Seq = 2
	failing := at(25).foreign().errors(analysis.Breach)
	resumed := at(25).foreign().meant(between("web-2", "web-1", 25)).answered(Resume, Shifting, Progressing)
	newer := func(s *scene) { s.Service.ETag = "newer" }
	check(t, map[string]row{
		"stops writing":                                 {at(25).foreign(), "Paused/TrafficConflict", "someone else set traffic to web-1 50%, web-2 50%; ours was web-2 25%, web-1 75%"},
		"even while it fails":                           {failing, "Paused/TrafficConflict", ""},
		"all on stable is a person's rollback":          {at(25).split("web-1", 100), "RolledBack/RolledBack", "someone else sent web-1 100%"},
		"which is told when it serves":                  {at(25).wants("web-1", 100), "RollingBack/RollingBack", "serves web-2 25%, web-1 75%"},
		"and not while Cloud Run is applying it":        {at(25).split("web-1", 100).with(func(s *scene) { s.Service.Reconciling = true }), "RollingBack/RollingBack", "serves 100%; Cloud Run is still applying a change"},
		"all on the candidate is no promotion":          {at(25).split("web-2", 100), "Paused/TrafficConflict", ""},
		"all on another revision":                       {at(25).split("web-0", 100), "Paused/TrafficConflict", ""},
		"which spec.stableRevision settles":             {named, "Idle/Steady", "web-0 serves 100%"},
		"once":                                          {used, "Paused/TrafficConflict", "spec.stableRevision: web-0 keeps it, once its present value is removed."},
		"resume writes our split again":                 {at(25).foreign().asks(Resume), "Shifting/Progressing, writes web-2 25%, web-1 75%, accepts", "resumed by ann"},
		"resume is refused while spec.paused is true":   {at(25).foreign().paused().asks(Resume), "Paused/TrafficConflict, refuses", "spec.paused is true: set it to false in Git"},
		"resume does not raise without a way back":      {at(25).split("web-1", 90, "web-2", 10).readiness("web-1", NotReady).asks(Resume), "Paused/TrafficConflict, refuses", "stable web-1 is not ready: it crashed"},
		"nor where stable gets no address":              {at(25).split("web-1", 90, "web-2", 10).tagged("web-0").asks(Resume), "Paused/TrafficConflict, refuses", "someone else put the tag sluice-stable on revision web-0"},
		"but takes traffic back there":                  {at(25).split("web-1", 50, "web-2", 50).tagged("web-0").asks(Resume), "Shifting/Progressing, writes web-2 25%, web-1 75%, accepts", ""},
		"resume of what was given up goes back":         {latched, "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"resume on the way back goes back":              {leaving, "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"also where nobody saw the first write serve":   {early, "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"resume of a candidate that crashed goes back":  {at(25).foreign().asks(Resume).readiness("web-2", NotReady), "RollingBack/RollingBack, writes web-1 100%, accepts", "but candidate web-2 is not there or not ready"},
		"a lost answer is not foreign":                  {lost.split("web-2", 100), "Baking/Progressing", "the first evidence comes in a few minutes"},
		"a write that did not land is sent again":       {lost, "Shifting/Progressing, writes web-2 100%", ""},
		"undoing a write that had landed is foreign":    {landed, "Paused/TrafficConflict", ""},
		"tags of others are not foreign":                {at(25).with(func(s *scene) { s.Service.Desired = append(s.Service.Desired, Entry{Revision: "web-0", Tag: "blue"}) }), "Shifting/Progressing, writes web-2 100%", ""},
		"several entries of a revision are summed":      {at(25).split("web-2", 20, "web-1", 75, "web-2", 5), "Shifting/Progressing, writes web-2 100%", ""},
		"LATEST counts as what it stands for":           {at(25).with(func(s *scene) { s.Service.Desired[0] = Entry{Latest: true, Percent: 25} }), "Baking/Progressing, writes web-2 25%, web-1 75%", ""},
		"a split put back waits for a person":           {in(Paused, TrafficConflict), "Paused/TrafficConflict", "a cause"},
		"and bakes anew when resumed":                   {in(Paused, TrafficConflict).asks(Resume), "Baking/Progressing, accepts", "the first evidence comes"},
		"a resume that was not carried out is":          {resumed, "Shifting/Progressing, writes web-2 25%, web-1 75%", "resumed: traffic goes back"},
		"under its own name alone":                      {resumed.asks(Approve).with(func(s *scene) { s.Request.ID = "r2" }), "Shifting/Progressing, writes web-2 25%, web-1 75%, refuses", "resumed: traffic goes back"},
		"not over what somebody else did since":         {resumed.with(newer), "Paused/TrafficConflict", ""},
		"nor while spec.paused is true":                 {resumed.paused(), "Paused/TrafficConflict", ""},
		"nor where it waits for a person again":         {resumed.with(func(s *scene) { s.Progress.Phase = Paused }), "Paused/TrafficConflict", ""},
		"before the first write resume restores stable": {at(0).foreign().asks(Resume), "Shifting/Progressing, writes web-1 100%, accepts", ""},
	})

	d := Decide(Input(failing))
	if len(d.Events) != 1 || d.Events[0].Reason != UnownedSplitFailing {
		t.Errorf("told %v, want that the split is failing", d.Events)
	}
	failing.Progress = d.Progress
	failing.Now = now.Add(time.Minute)
	if d := Decide(Input(failing)); len(d.Events) != 0 {
		t.Errorf("told again: %v", d.Events)
	}
}

func TestRollingBack(t *testing.T) {
	t.Parallel()
	back := in(RollingBack, ReasonRollingBack)
	back.Progress = back.Progress.latch("web-2")
	sent := back.wants("web-1", 100).meant(all("web-1"))
	failed := sent
	failed.Service.Failure = "quota"
	superseded := in(RollingBack, ReasonRollingBack).newer().split("web-1", 100)
	superseded.Progress.Confirmed = all("web-1")
	mayLand := sent.split("web-1", 100).meant(between("web-2", "web-1", 5))
	check(t, map[string]row{
		"is sent until it is asked for":       {back, "RollingBack/RollingBack, writes web-1 100%", "traffic is still web-2 25%, web-1 75%"},
		"waits until it serves":               {sent, "RollingBack/RollingBack", "serves web-2 25%, web-1 75%"},
		"is told when it serves":              {sent.split("web-1", 100), "RolledBack/RolledBack", "a cause; web-2 was given up; web-1 serves 100%"},
		"goes on while spec.paused is true":   {back.paused(), "RollingBack/RollingBack, writes web-1 100%", ""},
		"goes on while Cloud Run is busy":     {back.unsettled(), "RollingBack/RollingBack, writes web-1 100%", ""},
		"goes on with the candidate gone":     {back.presence("web-2", Missing), "RollingBack/RollingBack, writes web-1 100%", ""},
		"is not sent at once when it failed":  {failed.with(func(s *scene) { s.Progress.Intents[0].At = ago(30 * time.Second) }), "RollingBack/RollingBack", ""},
		"is sent again a minute later":        {failed.with(func(s *scene) { s.Progress.Intents[0].At = ago(2 * time.Minute) }), "RollingBack/RollingBack, writes web-1 100%", "Cloud Run could not apply it: quota"},
		"a newer candidate starts after it":   {superseded, "Checking/Preparing", "web-3 is to follow web-1"},
		"what was given up never rises again": {at(25).with(func(s *scene) { s.Progress = s.Progress.latch("web-2") }), "RollingBack/RollingBack, writes web-1 100%", ""},
		"not even resumed from a pause":       {in(Paused, NoDataDeadlineExceeded).with(func(s *scene) { s.Progress = s.Progress.latch("web-2") }).asks(Resume), "RollingBack/RollingBack, writes web-1 100%, refuses", ""},
		"a late write after the end is taken back": {idle().with(func(s *scene) {
			s.Progress.Phase, s.Progress.Candidate = RolledBack, "web-2"
			s.Progress = s.Progress.latch("web-2")
		}).meant(between("web-2", "web-1", 5)).split("web-2", 5, "web-1", 95), "RollingBack/RollingBack, writes web-1 100%", "arrived late"},
		"no end while a write could land":            {mayLand, "RollingBack/RollingBack, writes web-1 100%", "a write decided earlier may still arrive"},
		"once something newer was written it cannot": {mayLand.with(func(s *scene) { s.Service.ETag = "etag-8" }), "RolledBack/RolledBack", ""},
		"nothing new begins while one could land":    {idle().meant(between("web-2", "web-1", 5)), "RollingBack/RollingBack, writes web-1 100%", "may still arrive"},
		"our own way back may land at any time":      {idle().meant(all("web-1")), "Checking/Preparing", ""},
		"a late write is not taken back to nothing": {
			idle().presence("web-1", Missing).meant(between("web-2", "web-1", 5)).split("web-2", 5, "web-1", 95),
			"Paused/BaselineLost", "arrived late; stable revision web-1 no longer exists; traffic is web-2 5%, web-1 95%",
		},
		"a split that is not a list sent to nobody": {back.with(func(s *scene) { s.Service.ETag = "" }), "Paused/TrafficConflict", "write without etag"},
	})
}

func TestBreached(t *testing.T) {
	t.Parallel()
	since := func(s scene, d time.Duration) scene {
		s.Progress.Breaches = []BreachStart{{"nat", ago(d)}}
		return s
	}
	shared := at(25).says("errors", Rollback, stub{outcome: analysis.Breach, shared: true})
	check(t, map[string]row{
		"a check that rolls back":                 {at(25).errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", "errors: it says Breach"},
		"while paused":                            {at(25).errors(analysis.Breach).paused(), "RollingBack/RollingBack, writes web-1 100%", ""},
		"while waiting for a person":              {in(Paused, StepDeadlineExceeded).errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", ""},
		"while Cloud Run applies the split":       {at(5).errors(analysis.Breach).meant(between("web-2", "web-1", 25)).wants("web-2", 25, "web-1", 75).unsettled(), "RollingBack/RollingBack, writes web-1 100%", ""},
		"a check that holds":                      {at(25).nat(analysis.Breach), "Held/HeldByAnalysis", "Rolls back at Mar 1 12:05Z unless it stops"},
		"a check that has held for long":          {since(at(25).nat(analysis.Breach), 5*time.Minute), "RollingBack/RollingBack, writes web-1 100%", ""},
		"one that has not":                        {since(at(25).nat(analysis.Breach), 4*time.Minute), "Held/HeldByAnalysis", "noticed Mar 1 11:56Z"},
		"one that never rolls back":               {since(at(25).nat(analysis.Breach), 50*time.Hour).with(func(s *scene) { s.Plan.Guards[1].RollbackAfter = 0 }), "Held/HeldByAnalysis", "pauses at Mar 1 12:29Z"},
		"stable fails too":                        {shared, "Held/HeldByAnalysis", "Going back would not cure it"},
		"a shadow has no effect":                  {at(25).errors(analysis.Breach).with(func(s *scene) { s.Plan.Guards[0].Mode = Shadow }).nat(analysis.Pass), "Shifting/Progressing, writes web-2 100%", ""},
		"before the first write nothing is given": {at(0).errors(analysis.Breach), "Held/HeldByAnalysis", "before the first write: errors: it says Breach"},
		"the candidate crashes":                   {at(25).readiness("web-2", NotReady), "RollingBack/RollingBack, writes web-1 100%", "candidate web-2 is not ready: it crashed"},
		"the candidate is deleted":                {at(25).presence("web-2", Missing), "RollingBack/RollingBack, writes web-1 100%", "candidate web-2 no longer exists"},
		"the split cannot be applied": {
			at(5).meant(between("web-2", "web-1", 25)).wants("web-2", 25, "web-1", 75).with(func(s *scene) { s.Service.Failure = "no capacity" }),
			"RollingBack/RollingBack, writes web-1 100%", "Cloud Run could not apply the split: no capacity",
		},
	})
}

func TestSuperseded(t *testing.T) {
	t.Parallel()
	named := func(s scene, revision string) scene {
		s.Plan.CandidateRevision = revision
		return s
	}
	older := at(25).newer().revision("web-3", 20*time.Hour) // after stable and before web-2
	check(t, map[string]row{
		"before the first write it starts at once":  {at(0).newer(), "Checking/Preparing", "web-3 is to follow web-1"},
		"later it goes back first":                  {at(25).newer(), "RollingBack/RollingBack, writes web-1 100%", "web-2 is superseded by web-3"},
		"even while paused":                         {at(25).newer().paused(), "RollingBack/RollingBack, writes web-1 100%", ""},
		"but not by a revision that is not ready":   {at(25).newer().readiness("web-3", Pending), "Shifting/Progressing, writes web-2 100%", ""},
		"nor by an older one that is the latest":    {older, "Shifting/Progressing, writes web-2 100%", ""},
		"one that is gone goes back for itself":     {older.presence("web-2", Missing), "RollingBack/RollingBack, writes web-1 100%", "candidate web-2 no longer exists"},
		"nor by one that was given up":              {at(25).newer().with(func(s *scene) { s.Progress.Latched = []string{"web-3"} }), "Shifting/Progressing, writes web-2 100%", ""},
		"nor by the newest if another one is named": {named(at(25).newer(), "web-2"), "Shifting/Progressing, writes web-2 100%", ""},
		"naming stable ends it":                     {named(at(25), "web-1"), "RollingBack/RollingBack, writes web-1 100%", ""},
		"naming a revision that is not there holds": {named(at(25), "web-9"), "Held/RevisionNotFound", "spec.candidateRevision now names web-9, which does not exist"},
		"naming one that was given up holds":        {named(at(25).with(func(s *scene) { s.Progress.Latched = []string{"web-0"} }), "web-0"), "Held/RevisionNotReady", "which was given up"},
	})
	d := Decide(Input(at(0).newer().unsettled()))
	if inWords(d) != "Idle/Preparing" || d.Progress.Candidate != "" {
		t.Errorf("while unsettled: %s with candidate %q, want Idle without one, so that it is told once", inWords(d), d.Progress.Candidate)
	}
}

// TestAWayBackForAnotherCandidateTriesNothingAgain: the candidate had gone back a step, to be
// tried again, when another one was named. Somebody moves traffic meanwhile and takes the name
// back: a resume goes on with the way back, as with any other.
func TestAWayBackForAnotherCandidateTriesNothingAgain(t *testing.T) {
	t.Parallel()
	tried := at(25).newer().with(func(s *scene) { s.Progress.Trial = Trial{At: ago(time.Minute), From: 50, To: 25} })
	d := Decide(Input(tried))
	if !d.Progress.Trial.At.IsZero() {
		t.Errorf("it is still to be tried again, since %s", d.Progress.Trial.At)
	}
	moved := tried.split("web-2", 100).asks(Resume)
	moved.Progress, moved.Plan.CandidateRevision = d.Progress, "web-2"
	moved.Progress.Phase, moved.Progress.Reason, moved.Progress.Cause = Paused, TrafficConflict, "somebody moved traffic"
	if got := inWords(Decide(Input(moved))); got != "RollingBack/RollingBack, writes web-1 100%, accepts" {
		t.Errorf("a resume decides %s", got)
	}
}

func TestUnsettled(t *testing.T) {
	t.Parallel()
	returning := at(25).split("web-1", 100).wants("web-2", 25, "web-1", 75).unsettled()
	check(t, map[string]row{
		"our write is under way":               {at(5).meant(between("web-2", "web-1", 25)).wants("web-2", 25, "web-1", 75).unsettled(), "Shifting/Progressing", "traffic goes to web-2 25%, web-1 75%, serves web-2 5%, web-1 95%"},
		"one that comes back to our split":     {returning, "Shifting/Progressing", "traffic goes to web-2 25%, web-1 75%, serves web-1 100%"},
		"somebody else's change":               {at(25).unsettled(), "Baking/Progressing", "Cloud Run is applying a change"},
		"generations that differ":              {at(25).with(func(s *scene) { s.Service.ObservedGeneration = 6 }), "Baking/Progressing", "Cloud Run is applying a change"},
		"after a failure they differ for good": {at(25).with(func(s *scene) { s.Service.ObservedGeneration = 6; s.Service.Failure = "web-3 crashed" }), "Shifting/Progressing, writes web-2 100%", ""},
		"before the first write":               {at(0).unsettled(), "Checking/Preparing", ""},
		"a hold stays one":                     {in(Held, HeldByAnalysis).unsettled(), "Held/HeldByAnalysis", ""},
		"lost access that came back does not":  {in(Held, AccessDenied).unsettled(), "Baking/Progressing", ""},
		"waiting for approval stays so":        {in(AwaitingApproval, ReasonAwaitingApproval).unsettled(), "AwaitingApproval/AwaitingApproval", ""},
		"a pause before the first write stays": {at(0).with(func(s *scene) {
			s.Progress.Phase, s.Progress.Reason, s.Progress.Cause = Paused, NoDataDeadlineExceeded, "why"
		}).unsettled(), "Paused/NoDataDeadlineExceeded", "why"},
		"a pause stays with our write under way":  {in(Paused, StepDeadlineExceeded).meant(between("web-2", "web-1", 100)).wants("web-2", 100).unsettled(), "Paused/StepDeadlineExceeded", "a cause"},
		"an approval waits until it is settled":   {in(AwaitingApproval, ReasonAwaitingApproval).unsettled().asks(Approve), "AwaitingApproval/AwaitingApproval", ""},
		"a resume waits until it is settled":      {in(Paused, StepDeadlineExceeded).unsettled().asks(Resume), "Paused/StepDeadlineExceeded", ""},
		"a wrong approval is refused even so":     {in(AwaitingApproval, ReasonAwaitingApproval).unsettled().asks(Approve).with(func(s *scene) { s.Request.Step = 1 }), "AwaitingApproval/AwaitingApproval, refuses", "step 1 was meant"},
		"a stale read keeps everything as it was": {in(Held, MetricsUnavailable).older(), "Held/MetricsUnavailable", "answered with generation 7, 8 was seen before"},
	})
}

// TestAPauseDoesNotKeepEvidenceFromBeginning: what serves is judged from when it serves,
// and not from when somebody lets it go on.
func TestAPauseDoesNotKeepEvidenceFromBeginning(t *testing.T) {
	t.Parallel()
	s := at(0).meant(between("web-2", "web-1", 25)).split("web-2", 25, "web-1", 75).paused()
	d := Decide(Input(s))
	if p := d.Progress; inWords(d) != "Paused/Paused" || p.Step != 2 || !p.Effective.Equal(now) || !p.Watched.Equal(now) {
		t.Errorf("%s at step %d, serves since %s, judged since %s", inWords(d), p.Step, p.Effective, p.Watched)
	}
}

func TestPaused(t *testing.T) {
	t.Parallel()
	check(t, map[string]row{
		"nothing rises":                           {at(25).paused(), "Paused/Paused", "spec.paused is true; traffic stays at web-2 25%, web-1 75%"},
		"goes on when it is taken back":           {in(Paused, ReasonPaused), "Shifting/Progressing, writes web-2 100%", ""},
		"resume cannot overrule Git":              {in(Paused, ReasonPaused).paused().asks(Resume), "Paused/Paused, refuses", "spec.paused is true: set it to false in Git"},
		"a pause for a person's verb outlives it": {in(Paused, NoDataDeadlineExceeded).paused(), "Paused/NoDataDeadlineExceeded", "a cause"},
		"an idle object is idle":                  {idle().split("web-1", 100).with(func(s *scene) { s.Progress.Cutoff = now }).paused(), "Idle/Steady", ""},
		"an attempt may begin, and waits":         {idle().paused(), "Checking/Preparing", ""},
		"a pause before the first write":          {at(0).paused(), "Paused/Paused", ""},
		"LATEST is not pinned meanwhile": {idle().with(func(s *scene) {
			s.Progress.Cutoff = now
			s.Service.LatestReady = "web-1"
			s.Service.Desired[0] = Entry{Latest: true, Percent: 100}
		}).paused(), "Idle/Steady", ""},
		"other pauses wait for resume": {in(Paused, StepDeadlineExceeded), "Paused/StepDeadlineExceeded", "abort sends everything to web-1"},
		"and go on with it":            {in(Paused, StepDeadlineExceeded).asks(Resume), "Shifting/Progressing, writes web-2 100%, accepts", ""},
		"a resume that changes nothing is refused": {in(Paused, TrafficConflict).with(func(s *scene) {
			s.Service.Desired = append(s.Service.Desired, Entry{Revision: "x", Tag: Tag})
			s.Progress.Confirmed = all("web-1")
			s.Progress.FirstWrite = time.Time{}
			s.Service.Desired = []Entry{{Revision: "web-1", Percent: 100}, {Revision: "x", Tag: Tag}}
			s.Service.Effective = s.Service.Desired
			s.Progress.Step = 0
		}).asks(Resume), "Paused/TrafficConflict, refuses", ""},
		fmt.Sprintf("approve is no %s", Resume):    {in(Paused, StepDeadlineExceeded).asks(Approve), "Paused/StepDeadlineExceeded, refuses", "there is nothing to approve"},
		"retry is no resume":                       {in(Paused, StepDeadlineExceeded).asks(Retry), "Paused/StepDeadlineExceeded, refuses", "there is nothing to retry"},
		"an unknown verb names the ones there are": {in(Paused, StepDeadlineExceeded).asks("restart"), "Paused/StepDeadlineExceeded, refuses", "write approve, promote, pause, resume, abort, retry, undo or adopt"},
		"a pause with no candidate left goes to rest": {in(Paused, ReasonPaused).with(func(s *scene) {
			s.Progress.Candidate = ""
			s.Progress.Cutoff = now
			s.Progress.Confirmed = all("web-1")
		}).split("web-1", 100), "Idle/Steady", ""},
	})
}
