package kcc

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

var (
	applied = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	former  = []rollout.Entry{{Revision: "web-1", Percent: 100}}
	wanted  = []rollout.Entry{{Revision: "web-2", Percent: 5}, {Revision: "web-1", Percent: 95}}
)

// upToDate is a RunService whose traffic we wrote and Config Connector carried out.
func upToDate(edits ...func(*RunService)) RunService {
	r := RunService{
		Namespace: "shop", Name: "web", UID: "u", Generation: 4, Observed: 4, Ready: Condition{True: true, Reason: "UpToDate"},
		Traffic: wanted, Owners: []Owner{{Manager, true, applied}},
	}
	for _, edit := range edits {
		edit(&r)
	}
	return r
}

// serving is a service that was asked for a split and serves it.
func serving(entries []rollout.Entry, edits ...func(*rollout.Service)) rollout.Service {
	s := rollout.Service{
		Presence: rollout.Found, UID: "s", ETag: `"e"`, Generation: 9, ObservedGeneration: 9, Desired: entries, Effective: entries,
	}
	for _, edit := range edits {
		edit(&s)
	}
	return s
}

func unseen(r *RunService)  { r.Observed = 3 }
func updates(r *RunService) { r.Ready = Condition{Reason: "Updating", Message: "Update in progress"} }

func fails(r *RunService) {
	r.Ready = Condition{Reason: "UpdateFailed", Message: "Revision named 'web-2'"}
}

// lately is a condition that changed a minute ago.
func lately(r *RunService) { r.Ready.Since = applied.Add(59 * time.Minute) }

func waits(r *RunService)  { r.Ready = Condition{Reason: "DependencyNotReady", Message: "reference"} }
func silent(r *RunService) { r.Traffic = nil }

func TestHowFarConfigConnectorIs(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		says string
		r    RunService
		want Standing
	}{
		{"a generation that was not observed is unseen, whatever the condition says", upToDate(unseen), Unseen},
		{"a failure of an earlier generation is not one of this one", upToDate(unseen, fails), Unseen},
		{"an update under way is acting", upToDate(updates), Acting},
		{"a wait for something else is acting", upToDate(waits), Acting},
		{"no condition yet is acting", upToDate(func(r *RunService) { r.Ready = Condition{} }), Acting},
		{"a refused update has failed", upToDate(fails), Failed},
		{"up to date is done", upToDate(), Done},
		{"ready for another reason is not", upToDate(func(r *RunService) { r.Ready.Reason = "Deleted" }), Acting},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			if got := row.r.Standing(); got != row.want {
				t.Errorf("standing %s, want %s", got, row.want)
			}
		})
	}
}

func TestRunServiceAndServiceAreSeenAsOne(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		says        string
		r           RunService
		live        rollout.Service
		desired     []rollout.Entry
		reconciling bool
		failure     string
	}{
		{says: "what Config Connector has not seen is asked for already", r: upToDate(unseen), live: serving(former), desired: wanted, reconciling: true},
		{says: "so is what it is updating to", r: upToDate(updates), live: serving(former), desired: wanted, reconciling: true},
		{says: "a refused update is a failure", r: upToDate(fails), live: serving(former), desired: wanted, failure: "Revision named 'web-2'"},
		{says: "once it is done, another split was set by somebody else", r: upToDate(), live: serving(former), desired: former},
		{says: "without traffic in spec Cloud Run alone says what is asked for", r: upToDate(silent), live: serving(former), desired: former},
		{
			says: "a change of something else is not settled either: it sends what it read of the traffic",
			r:    upToDate(silent, unseen), live: serving(former), desired: former, reconciling: true,
		},
		{
			says: "a refused change of something else is no failure of a split", r: upToDate(silent, fails), live: serving(former), desired: former,
		},
		{
			says: "a list that is not clear asks for nothing that is known",
			r:    upToDate(unseen, func(r *RunService) { r.Unclear = "no percent" }), live: serving(former), desired: former, reconciling: true,
		},
		{
			says: "Cloud Run's own failure stands",
			r:    upToDate(fails), live: serving(former, func(s *rollout.Service) { s.Failure = "web-2 is gone" }), desired: wanted, failure: "web-2 is gone",
		},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			got := seen(row.r, row.live)
			if diff := cmp.Diff(row.desired, got.Desired); diff != "" || got.Reconciling != row.reconciling || got.Failure != row.failure {
				t.Errorf("reconciling %v, failure %q; desired (-want +got):\n%s", got.Reconciling, got.Failure, diff)
			}
			if diff := cmp.Diff(row.live.Effective, got.Effective); diff != "" || got.Generation != row.live.Generation {
				t.Errorf("what serves is Cloud Run's to say, generation %d:\n%s", got.Generation, diff)
			}
		})
	}
}

func TestAVersionChangesWithEitherSide(t *testing.T) {
	t.Parallel()
	base := versionOf(upToDate(), serving(wanted))
	for says, other := range map[string]string{
		"an edit of spec":     versionOf(upToDate(func(r *RunService) { r.Generation++ }), serving(wanted)),
		"another RunService":  versionOf(upToDate(func(r *RunService) { r.UID = "other" }), serving(wanted)),
		"an edit of the live": versionOf(upToDate(), serving(wanted, func(s *rollout.Service) { s.ETag = `"f"` })),
	} {
		if other == base {
			t.Errorf("%s does not change the version %q", says, base)
		}
	}
	if status := versionOf(upToDate(fails), serving(wanted)); status != base {
		t.Errorf("a change of status makes %q of %q", status, base)
	}
}

func TestAServiceThatCannotBeReadStaysAFact(t *testing.T) {
	t.Parallel()
	denied := rollout.Service{Presence: rollout.Denied, Detail: "no"}
	if diff := cmp.Diff(denied, seen(upToDate(unseen), denied)); diff != "" {
		t.Errorf("seen (-want +got):\n%s", diff)
	}
}

func TestASplitIsSettledWhenBothSidesAgree(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		says    string
		r       RunService
		live    rollout.Service
		settled bool
		waits   string // "" for nothing of Config Connector
	}{
		{says: "both agree", r: upToDate(), live: serving(wanted), settled: true},
		{says: "without traffic in spec Cloud Run agrees with itself", r: upToDate(silent), live: serving(former), settled: true},
		{says: "the same shares in other entries are the same", r: upToDate(), live: serving([]rollout.Entry{wanted[1], wanted[0], {Revision: "web-0", Tag: "blue"}}), settled: true},
		{says: "Config Connector has not looked", r: upToDate(unseen), live: serving(wanted), waits: "observed generation 3 of 4"},
		{says: "Config Connector is updating", r: upToDate(updates), live: serving(wanted), waits: "Updating: Update in progress"},
		{says: "Config Connector failed", r: upToDate(fails), live: serving(wanted), waits: "UpdateFailed"},
		{says: "Cloud Run is reconciling", r: upToDate(), live: serving(wanted, func(s *rollout.Service) { s.Reconciling = true })},
		{says: "Cloud Run has not observed its own generation", r: upToDate(), live: serving(wanted, func(s *rollout.Service) { s.ObservedGeneration-- })},
		{says: "Cloud Run failed", r: upToDate(), live: serving(wanted, func(s *rollout.Service) { s.Failure = "gone" })},
		{says: "Cloud Run serves the former split", r: upToDate(), live: serving(wanted, func(s *rollout.Service) { s.Effective = former })},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			s := seen(row.r, row.live)
			s.Kept = Sight{RunService: row.r, Live: row.live}.kept(applied.Add(time.Hour))
			if why := unsettled(s); (why == "") != row.settled || !strings.Contains(s.Kept.Waits, row.waits) || (s.Kept.Waits == "") != (row.waits == "") {
				t.Errorf("unsettled: %q, waits for %q; want settled: %t, waits for %q", why, s.Kept.Waits, row.settled, row.waits)
			}
		})
	}
}

// unsettled is what a service that is shown still lacks, or "".
func unsettled(s rollout.Service) string {
	switch {
	case s.Kept.Waits != "":
		return s.Kept.Waits
	case s.Reconciling || s.Generation != s.ObservedGeneration || s.Failure != "":
		return "Cloud Run is not done with it"
	case !sameSplit(s.Desired, s.Effective):
		return "asked for " + describe(s.Desired) + ", serves " + describe(s.Effective)
	}
	return ""
}

func TestAPauseOfConfigConnectorIsWhatIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := Sight{RunService: upToDate(unseen), Live: serving(wanted), Settings: Settings{PausedBy: "the ConfigConnector of the cluster"}}
	if got := s.kept(applied.Add(time.Hour)); got.Waits != "Config Connector is paused by the ConfigConnector of the cluster" || len(got.Blocks) != 1 {
		t.Errorf("kept %+v", got)
	}
	s.RunService = upToDate()
	if got := s.kept(applied.Add(time.Hour)); got.Waits != "" {
		t.Errorf("waits for %q, though it is through", got.Waits)
	}
}

// TestWhatConfigConnectorDoesNotCarryOutIsTold: what it may do yet is waited for, and is
// not stuck.
func TestWhatConfigConnectorDoesNotCarryOutIsTold(t *testing.T) {
	t.Parallel()
	paused := Settings{PausedBy: "the ConfigConnector of the cluster"}
	for name, c := range map[string]struct {
		r        RunService
		settings Settings
		want     string
	}{
		"it is through":                     {upToDate(), Settings{}, ""},
		"it is through, and paused since":   {upToDate(), paused, ""},
		"it has not looked":                 {upToDate(unseen), Settings{}, ""},
		"it will not look":                  {upToDate(unseen), paused, "Config Connector is paused by the ConfigConnector of the cluster"},
		"it updates":                        {upToDate(updates), Settings{}, ""},
		"it waits for something":            {upToDate(waits), Settings{}, ""},
		"its update was refused":            {upToDate(fails), Settings{}, "its last update failed: Revision named 'web-2'"},
		"or will be when it is tried again": {upToDate(fails, lately), Settings{}, ""},
		"and it is paused":                  {upToDate(fails), paused, "its last update failed: Revision named 'web-2'"},
	} {
		if got := (Sight{RunService: c.r, Live: serving(wanted), Settings: c.settings}).kept(applied.Add(time.Hour)).Stuck; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestFindingsReachTheCore(t *testing.T) {
	t.Parallel()
	s := Sight{
		RunService: upToDate(func(r *RunService) {
			r.Owners = append(r.Owners, Owner{Manager: "configsync.gke.io", Applies: true})
			r.Deleting = true
		}),
		Live: serving(wanted), Settings: Settings{Merges: true},
	}
	got := s.kept(applied.Add(time.Hour))
	if !strings.Contains(got.Owner, "configsync.gke.io") || len(got.Blocks) != 1 || len(got.Notes) != 1 ||
		!strings.Contains(got.Blocks[0], "being deleted") || !strings.Contains(got.Notes[0], "live state") {
		t.Errorf("kept %+v, want an owner, a block and a note", got)
	}
}

func TestWhenConfigConnectorIsLate(t *testing.T) {
	t.Parallel()
	const patience = 30 * time.Second
	for _, row := range []struct {
		says   string
		r      RunService
		live   rollout.Service
		waited time.Duration
		want   string // "" for not late
	}{
		{says: "a moment after the write it is not", r: upToDate(unseen), live: serving(former), waited: patience - time.Second},
		{says: "after its patience it is, if it has not looked", r: upToDate(unseen), live: serving(former), waited: patience, want: "observed generation 3 of 4"},
		{says: "after its patience it is, if it looked and has not updated", r: upToDate(waits), live: serving(former), waited: patience, want: "DependencyNotReady"},
		{says: "a refused update is not waited for", r: upToDate(fails), live: serving(former), want: "UpdateFailed"},
		{says: "drift that it has not noticed is not waited for", r: upToDate(), live: serving(former), want: "asked for web-1 100% since"},
		{says: "it is not where Cloud Run was asked already", r: upToDate(unseen), live: serving(wanted), waited: time.Hour},
		{says: "it is not where spec has no traffic", r: upToDate(unseen, silent), live: serving(former), waited: time.Hour},
		{
			says: "it is not where the traffic in spec is not ours",
			r:    upToDate(unseen, func(r *RunService) { r.Owners = []Owner{{"configsync.gke.io", true, applied}} }), live: serving(former), waited: time.Hour,
		},
		{
			says: "it is not where the traffic in spec is not clear",
			r:    upToDate(unseen, func(r *RunService) { r.Unclear = "no percent" }), live: serving(former), waited: time.Hour,
		},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			got := Late(row.r, row.live, applied.Add(row.waited), patience)
			if !strings.Contains(got, row.want) || (row.want == "") != (got == "") {
				t.Errorf("late: %q, want %q", got, row.want)
			}
		})
	}
}
