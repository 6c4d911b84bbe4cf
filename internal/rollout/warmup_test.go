package rollout

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

const (
	tags     = "WarmingUp/Preparing, writes web-1 100%"
	warms    = "WarmingUp/Preparing"
	takesOff = "RollingBack/RollingBack, writes web-1 100%"
)

// minimum lets the candidate have so many instances of its own, and the plan want
// them started.
func (s scene) minimum(instances int64) scene {
	s.Plan.Warmup = 5 * time.Minute
	return s.revised(func(r *Revision) {
		r.MinInstances, r.Lacking = instances, "MIN_INSTANCES_WARMING"
	})
}

// warmed is an attempt whose candidate has carried our tag for so long.
func (s scene) warmed(d time.Duration) scene {
	s = s.minimum(3).tags("web-2")
	s.Progress.Phase, s.Progress.Warmup = WarmingUp, Warmup{Tagged: "web-2", Since: ago(d)}
	return s
}

// tags puts the tag of a warm-up on a revision without traffic.
func (s scene) tags(revision string) scene {
	return s.with(func(s *scene) {
		s.Service.Desired = append(s.Service.Desired, Entry{Revision: revision, Tag: WarmTag})
		s.Service.Effective = s.Service.Desired
	})
}

func (s scene) provisioned() scene {
	return s.revised(func(r *Revision) { r.Provisioned, r.Lacking = true, "" })
}

// warmTagsOf is which revisions a write gives our tags.
func warmTagsOf(w *Write) map[string]string {
	if w == nil {
		return nil
	}
	tagged := map[string]string{}
	for _, e := range w.Targets() {
		if e.Tag != "" {
			tagged[e.Tag] = e.Revision
		}
	}
	return tagged
}

func TestWarmingUp(t *testing.T) {
	t.Parallel()
	first := wrote(5)
	approved := at(0).minimum(3).with(func(s *scene) { s.Plan.Steps[0].Approval = true })
	held := at(0).warmed(time.Minute).with(func(s *scene) { s.Progress.Phase, s.Progress.Reason = Held, HeldByAnalysis })
	check(t, map[string]row{
		"the candidate is tagged first":         {at(0).minimum(3), tags, "the minimum instances of web-2 (3) are started before the first step"},
		"and it says for how long":              {at(0).minimum(3), tags, "Step 1/3 begins when they are there, at Mar 1 12:05Z at the latest."},
		"its instances are waited for":          {at(0).warmed(time.Minute), warms, "are started before the first step: MIN_INSTANCES_WARMING"},
		"they are there":                        {at(0).warmed(time.Minute).provisioned(), first, ""},
		"they are there at the last moment":     {at(0).warmed(5 * time.Minute).provisioned(), first, ""},
		"they do not come":                      {at(0).warmed(5 * time.Minute), first, ""},
		"they were there before the tag was":    {at(0).minimum(3).provisioned(), tags, ""},
		"a tag that did not arrive":             {at(0).warmed(time.Minute).split("web-1", 100), tags, "at Mar 1 12:04Z at the latest"},
		"nor in time":                           {at(0).warmed(5*time.Minute).split("web-1", 100), first, ""},
		"there is no minimum":                   {at(0).minimum(0), first, ""},
		"nobody wants it":                       {at(0).minimum(3).with(func(s *scene) { s.Plan.Warmup = 0 }), first, ""},
		"nobody wants it any more":              {at(0).warmed(time.Minute).with(func(s *scene) { s.Plan.Warmup = 0 }), first, ""},
		"it was once":                           {at(0).minimum(3).with(func(s *scene) { s.Progress.Warmup.Over = ago(time.Minute) }), first, ""},
		"there is traffic already":              {at(5).minimum(3), wrote(25), ""},
		"a first write is on its way":           {at(0).minimum(3).meant(between("web-2", "web-1", 5)), first, ""},
		"a person is asked before":              {approved, "AwaitingApproval/AwaitingApproval", ""},
		"who says so":                           {approved.asks(Approve), tags + ", accepts", ""},
		"Cloud Run is applying the tag":         {at(0).warmed(time.Minute).provisioned().unsettled(), warms, "Cloud Run is applying a change"},
		"a tag of that name is somebody else's": {at(0).minimum(3).tags("web-0"), "Paused/TrafficConflict", "--remove-tags sluice-candidate"},
		"on the candidate too":                  {at(0).minimum(3).tags("web-2"), "Paused/TrafficConflict", "someone else put the tag sluice-candidate on revision web-2"},
		"that matters to nobody without one":    {at(0).tags("web-0"), first, ""},
		"somebody moves ours":                   {at(0).warmed(time.Minute).split("web-1", 100).tags("web-0"), "Paused/TrafficConflict", "on revision web-0"},
		"ours is on an earlier candidate still": {at(0).minimum(3).tags("web-0").with(func(s *scene) { s.Progress.Warmup.Tagged = "web-0" }), tags, "at Mar 1 12:05Z at the latest"},
		"somebody moves traffic":                {at(0).warmed(time.Minute).meant(all("web-1")).split("web-9", 10, "web-1", 90).tags("web-2"), "Paused/TrafficConflict", "someone else set traffic"},
		"and a person takes that back":          {at(0).warmed(time.Minute).meant(all("web-1")).split("web-9", 10, "web-1", 90).tags("web-2").asks(Resume), "Shifting/Progressing, writes web-1 100%, accepts", "resumed by ann: traffic goes back to web-1 100%"},
		"a pause":                               {at(0).warmed(time.Minute).paused(), "Paused/Paused", ""},
		"a hold goes on with it":                {held, warms, ""},
		"no data":                               {at(0).warmed(time.Minute).errors(analysis.NoData), "Held/MetricsUnavailable", ""},
		"LATEST is pinned, the tag stays": {at(0).warmed(time.Minute).with(func(s *scene) {
			s.Service.Desired[0] = Entry{Latest: true, Percent: 100}
			s.Service.LatestReady = "web-1"
		}), tags, "traffic followed LATEST"},
	})
}

func TestAWarmUpGoesBack(t *testing.T) {
	t.Parallel()
	warm := at(0).warmed(time.Minute)
	back := warm.with(func(s *scene) {
		s.Progress.Phase, s.Progress.Reason, s.Progress.Cause = RollingBack, ReasonRollingBack, "aborted"
		s.Progress = s.Progress.latch("web-2")
	})
	rests := idle().tags("web-2").with(func(s *scene) { s.Progress.Warmup.Tagged = "web-2"; s.Progress.Cutoff = now })
	check(t, map[string]row{
		"an abort":                           {warm.asks(Abort), takesOff + ", accepts", "aborted by ann"},
		"before the tag arrives":             {warm.split("web-1", 100).meant(all("web-1")).asks(Abort), takesOff + ", accepts", ""},
		"a newer revision":                   {warm.newer(), takesOff, "web-2 is superseded by web-3"},
		"the candidate fails":                {warm.readiness("web-2", NotReady), takesOff, "revision web-2 is not ready: it crashed"},
		"the candidate is gone":              {warm.presence("web-2", Missing), takesOff, "revision web-2 does not exist"},
		"NAT out of sight":                   {warm.behindNat(), takesOff, "no NAT gateway is named"},
		"it is deleted":                      {warm.leaves(), takesOff, "the rollout is being deleted"},
		"a gateway suffers":                  {warm.nat(analysis.Breach), "Held/HeldByAnalysis, writes web-1 100%", "the warm-up is taken back"},
		"the way back ends without the tag":  {back.split("web-1", 100), "RolledBack/RolledBack", ""},
		"not with it":                        {back, takesOff, "web-2 still carries the tag sluice-candidate"},
		"somebody else's does not matter":    {back.split("web-1", 100).tags("web-0"), "RolledBack/RolledBack", ""},
		"at rest a late one is taken away":   {rests, "Idle/Steady, writes web-1 100%", "web-2 still carried the tag sluice-candidate"},
		"at rest somebody else's stays":      {rests.with(func(s *scene) { s.Progress.Warmup.Tagged = "" }), "Idle/Steady", "web-1 serves 100%"},
		"it is deleted while one is left":    {rests.leaves(), takesOff, ""},
		"after an abort nothing is warmed":   {back.split("web-1", 100).with(func(s *scene) { s.Progress.Phase = RolledBack }), "RolledBack/RolledBack", ""},
		"the next attempt tells the two off": {rests.with(func(s *scene) { s.Progress.Cutoff = ago(48 * time.Hour) }), "Idle/Steady, writes web-1 100%", ""},
	})
	for name, s := range map[string]scene{"abort": warm.asks(Abort), "supersede": warm.newer(), "breach": warm.nat(analysis.Breach), "rest": rests} {
		if tagged := warmTagsOf(Decide(Input(s)).Write); tagged[WarmTag] != "" {
			t.Errorf("%s: the write leaves the tag on %s", name, tagged[WarmTag])
		}
	}
}

func TestAWarmUpTagsAndUntags(t *testing.T) {
	t.Parallel()
	both := map[string]string{Tag: "web-1", WarmTag: "web-2"}
	d := Decide(Input(at(0).minimum(3)))
	if diff := cmp.Diff(both, warmTagsOf(d.Write)); diff != "" {
		t.Errorf("the first write tags (-want +got):\n%s", diff)
	}
	if p := d.Progress; p.Warmup != (Warmup{Tagged: "web-2", Since: now}) || !p.FirstWrite.IsZero() || !p.Exposed() {
		t.Errorf("it remembers %+v, first write %v", p.Warmup, p.FirstWrite)
	}
	d = Decide(Input(at(0).warmed(time.Minute).provisioned()))
	if diff := cmp.Diff(map[string]string{Tag: "web-1"}, warmTagsOf(d.Write)); diff != "" {
		t.Errorf("the first weight tags (-want +got):\n%s", diff)
	}
	if w := d.Progress.Warmup; w.Tagged != "web-2" || !w.Over.Equal(now) {
		t.Errorf("until that is seen it remembers %+v", w)
	}
	gone := at(5).says("errors", Rollback, stub{outcome: analysis.Pass, healthy: 1}).with(func(s *scene) {
		s.Progress.Warmup = Warmup{Tagged: "web-2", Since: ago(time.Hour), Over: ago(time.Hour)}
	})
	if w := Decide(Input(gone)).Progress.Warmup; w.Tagged != "" {
		t.Errorf("a tag that is gone is remembered: %+v", w)
	}
	pinned := at(0).warmed(time.Minute).with(func(s *scene) {
		s.Service.Desired[0], s.Service.LatestReady = Entry{Latest: true, Percent: 100}, "web-1"
	})
	if diff := cmp.Diff(both, warmTagsOf(Decide(Input(pinned)).Write)); diff != "" {
		t.Errorf("the write that pins tags (-want +got):\n%s", diff)
	}
}

// TestWarmupUnavailable: it is told once in an attempt, with what to add.
func TestWarmupUnavailable(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		in   scene
		want string
	}{
		"no minimum": {at(0).minimum(0), "web-2 has no minimum of instances of its own, so it cannot be warmed up: deploy with " +
			"gcloud run deploy web --region asia-northeast1 --min-instances 1 (template: {scaling: {minInstanceCount: 1}}); the first step is the warm-up"},
		"out of time": {at(0).warmed(5 * time.Minute), "the minimum instances of web-2 (3) did not start within 5m0s: MIN_INSTANCES_WARMING; the first step is the warm-up"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := Decide(Input(c.in))
			if diff := cmp.Diff([]Event{{WarmupUnavailable, c.want, true}}, d.Events); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			again := c.in
			again.Progress = d.Progress
			if d := Decide(Input(again)); len(d.Events) != 0 {
				t.Errorf("told again: %v", d.Events)
			}
		})
	}
}

// TestAWarmUpTakesRoom behind nat-1, which has room for 50 endpoints; the minimum
// of four instances needs eight.
func TestAWarmUpTakesRoom(t *testing.T) {
	t.Parallel()
	paced := func(endpoints int64) scene { return paced(0, endpoints, 8, 0).minimum(4) }
	other := nat.Claim{ID: "another", Since: ago(time.Minute), Ports: 10 << 10, Hot: true}
	hot := func(since time.Duration) scene {
		s := paced(20).warmed(5 * time.Minute).provisioned()
		s.Progress.Hot, s.Progress.Warmup.Over = ago(5*time.Minute), ago(since)
		return s
	}
	check(t, map[string]row{
		"there is":                           {paced(42), tags, ""},
		"there is not":                       {paced(43), waitsForNat, "before the first write; the warm-up waits for room: nat-1: 43 of 63 endpoints (1,024 ports each) taken; its minimum adds up to 8"},
		"and says what helps":                {paced(43), waitsForNat, "add 1 NAT IP to nat-1"},
		"with a pace of its own":             {paced(63).fixed(), tags, ""},
		"it cannot be known":                 {paced(20).silent(analysis.Instances, analysis.CauseUnavailable), cannotSee, ""},
		"another goes first":                 {paced(36).peers(other), waitsForNat, "before the first write; the warm-up waits for its turn"},
		"the gateway has not reported it":    {hot(time.Second), waitsForNat, "5% waits: no gateway has reported a complete minute of the warm-up yet"},
		"it has":                             {hot(4 * time.Minute), wrote(5), ""},
		"while it lasts no minute counts":    {paced(20).warmed(time.Minute).with(func(s *scene) { s.Progress.Hot = ago(time.Minute) }), warms, ""},
		"a gateway that lacks addresses now": {paced(20).warmed(time.Minute).compute(func(g *Gateway) { g.NAT.ExtraIPs = 1 }), waitsForNat + ", writes web-1 100%", "the warm-up is taken back"},
	})
	d := Decide(Input(paced(42)))
	if claims := d.Progress.Claims("web", now); len(claims) != 1 || claims[0].Claim.Ports != 8<<10 || !claims[0].Claim.Hot {
		t.Errorf("others reckon with %+v", claims)
	}
}

// TestAPersonsAbortIsSeenAfterAWarmUp: the tag's write asked for the split before.
// It must not make a person's way back to it look like ours.
func TestAPersonsAbortIsSeenAfterAWarmUp(t *testing.T) {
	t.Parallel()
	s := at(0).warmed(5*time.Minute).split("web-1", 100).meant(all("web-1"))
	s.Progress = Decide(Input(s)).Progress
	rise := s.split("web-2", 5, "web-1", 95)
	rise.Service.ETag = "etag-8"
	rise = rise.unsettled()
	rise.Progress = Decide(Input(rise)).Progress
	abort := rise.split("web-1", 100)
	abort.Service.ETag, abort.Service.Reconciling = "etag-9", false
	if d := Decide(Input(abort)); d.Progress.Phase != RolledBack {
		t.Errorf("%s: %s", inWords(d), d.Note)
	}
}

// TestNoWriteTagsACandidateWithTraffic, whatever is the case.
func TestNoWriteTagsACandidateWithTraffic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := garbage{t}.input()
		d := Decide(in)
		if d.Write == nil {
			return
		}
		for _, e := range d.Write.Targets() {
			had := slices.ContainsFunc(in.Service.Desired, func(had Entry) bool { return had.Tag == WarmTag && in.Service.resolve(had) == in.Service.resolve(e) })
			if e.Tag != WarmTag || had {
				continue
			}
			if splitOf(d.Write).Of(e.Revision) > 0 || e.Revision != d.Progress.Warmup.Tagged || !d.Progress.Exposed() {
				t.Fatalf("%s gets the tag with %v, remembered %+v", e.Revision, splitOf(d.Write), d.Progress.Warmup)
			}
		}
	})
}
