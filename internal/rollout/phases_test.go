package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// gated needs a person before 100 %.
func (s scene) gated() scene {
	return s.with(func(s *scene) { s.Plan.Steps[len(s.Plan.Steps)-1].Approval = true })
}

func (s scene) steps(steps ...Step) scene {
	s.Plan.Steps = steps
	return s
}

func (s scene) behindNat() scene {
	return s.with(func(s *scene) {
		r := s.Revisions["web-2"]
		r.Egress = EgressAll
		s.Revisions["web-2"] = r
	})
}

func (s scene) gateways() scene {
	s.Plan.Gateways = []analysis.Source{{Project: "net", Location: "asia-northeast1", Router: "r1", Gateway: "nat-1"}}
	return s
}

func TestChecking(t *testing.T) {
	t.Parallel()
	first := "Shifting/Progressing, writes web-2 5%, web-1 95%"
	cooling := at(0).gateways().behindNat()
	cooling.Progress.Lowered = ago(19 * time.Minute)
	cooled := cooling
	cooled.Progress.Lowered = ago(20 * time.Minute)
	unwatched := at(0)
	unwatched.Progress.Lowered = ago(time.Minute)
	sent := at(0).with(func(s *scene) { s.Progress.FirstWrite = ago(time.Minute) }).meant(between("web-2", "web-1", 5))
	overtaken := sent
	overtaken.Service.ETag = "etag-8"
	check(t, map[string]row{
		"all is well":                             {at(0), first, "web-2 goes from 0% to 5%"},
		"the candidate is not ready":              {at(0).readiness("web-2", NotReady), "Idle/RevisionNotReady", "web-1 keeps all traffic"},
		"the candidate is not ready yet":          {at(0).readiness("web-2", Pending), "Idle/Preparing", ""},
		"the candidate is gone":                   {at(0).presence("web-2", Missing), "Idle/RevisionNotFound", "revision web-2 does not exist"},
		"gone, with a write that may still land":  {sent.presence("web-2", Missing), "RollingBack/RollingBack, writes web-1 100%", "revision web-2 does not exist"},
		"not ready, with such a write":            {sent.readiness("web-2", NotReady), "RollingBack/RollingBack, writes web-1 100%", "revision web-2 is not ready"},
		"not ready, and the write cannot land":    {overtaken.readiness("web-2", NotReady), "Idle/RevisionNotReady", ""},
		"NAT out of sight, with such a write":     {sent.behindNat(), "RollingBack/RollingBack, writes web-1 100%", ""},
		"stable is not ready":                     {at(0).readiness("web-1", NotReady), "Held/HeldByAnalysis", "stable web-1 is not ready: it crashed"},
		"NAT out of sight":                        {at(0).behindNat(), "Idle/NatUnwatched", "spec.nat.gateways (project, region, router, name), or set spec.nat.discovery: \"Off\""},
		"NAT unwanted":                            {at(0).behindNat().with(func(s *scene) { s.Plan.NatUnwanted = true }), first, ""},
		"NAT in sight":                            {at(0).behindNat().gateways(), first, ""},
		"the last attempt's ports are still held": {cooling, "Held/WaitingForNat", "until Mar 1 12:01Z"},
		"they are free again":                     {cooled, first, ""},
		"without NAT there is nothing to cool":    {unwatched, first, ""},
		"no data":                                 {at(0).errors(analysis.NoData), "Held/MetricsUnavailable", "pauses at Mar 1 12:30Z"},
		"a gateway in trouble already":            {at(0).nat(analysis.Breach), "Held/HeldByAnalysis", "before the first write"},
		"a first write that was lost":             {at(0).with(func(s *scene) { s.Progress.FirstWrite = ago(time.Minute) }).meant(between("web-2", "web-1", 5)), first, ""},
		"a foreign tag of our name":               {at(0).with(func(s *scene) { s.Service.Desired = append(s.Service.Desired, Entry{Revision: "web-0", Tag: Tag}) }), "Paused/TrafficConflict", "--remove-tags sluice-stable"},
		"a plan that begins with a person":        {at(0).with(func(s *scene) { s.Plan.Steps[0].Approval = true }), "AwaitingApproval/AwaitingApproval", "5% needs a person's approval"},
		"which says so":                           {at(0).with(func(s *scene) { s.Plan.Steps[0].Approval = true }).asks(Approve), first + ", accepts", "step 1/3 may begin"},
		"a plan without steps":                    {at(0).steps(), "AwaitingApproval/AwaitingApproval", "100% needs a person's approval"},
		"weights of nothing are passed over":      {at(0).steps(Step{Weight: 0}, Step{Weight: -5}, Step{Weight: 10}, Step{Weight: 100}), "Shifting/Progressing, writes web-2 10%, web-1 90%", ""},
		"a weight above all":                      {at(0).steps(Step{Weight: 150}, Step{Weight: 100}), "Paused/TrafficConflict", "cannot be written: percent 150 out of range"},
	})
}

func TestShifting(t *testing.T) {
	t.Parallel()
	sent := at(5).meant(between("web-2", "web-1", 25))
	check(t, map[string]row{
		"waits until it serves":      {sent.wants("web-2", 25, "web-1", 75), "Shifting/Progressing", "serves web-2 5%, web-1 95%"},
		"serves":                     {sent.split("web-2", 25, "web-1", 75), "Baking/Progressing", "Bakes for 10 complete, healthy minutes, until Mar 1 12:11Z at the earliest, then shifts to 100%"},
		"a restart changes nothing":  {sent.split("web-2", 25, "web-1", 75).with(func(s *scene) { s.Now = now.Add(48 * time.Hour) }), "Baking/Progressing", ""},
		"the last one ends the plan": {at(25).meant(all("web-2")).split("web-2", 100), "Baking/Progressing", "Bakes for 20 complete, healthy minutes, until Mar 1 12:21Z at the earliest, then the rollout is complete"},
	})
	d := Decide(Input(sent.split("web-2", 25, "web-1", 75)))
	p := d.Progress
	if !p.Effective.Equal(now) || p.Baked != 0 || p.Step != 2 || len(p.Intents) != 0 || !p.Confirmed.Equal(between("web-2", "web-1", 25)) {
		t.Errorf("a step begins with nothing baked, effective now: %+v", p)
	}
	if len(d.Events) != 1 || d.Events[0].Reason != TrafficShifted {
		t.Errorf("told %v", d.Events)
	}
}

func TestBaking(t *testing.T) {
	t.Parallel()
	baked := func(minutes int) scene {
		return at(25).says("errors", Rollback, stub{outcome: analysis.Pass, healthy: minutes})
	}
	hung := at(25)
	hung.Progress.Effective = ago(8*time.Minute - time.Second)
	slow := at(25).with(func(s *scene) {
		r := s.Revisions["web-2"]
		r.Timeout = time.Hour
		s.Revisions["web-2"] = r
		s.Progress.Effective = ago(13*time.Minute - time.Second)
	})
	next := "Shifting/Progressing, writes web-2 100%"
	check(t, map[string]row{
		"evidence is missing":          {baked(9), "Baking/Progressing", "9 of 10 minutes healthy"},
		"and says what comes":          {baked(9), "Baking/Progressing", "Needs 1 more healthy minute, until Mar 1 11:58Z at the earliest, then shifts to 100%"},
		"evidence is complete":         {baked(10), next, "web-2 goes from 25% to 100%"},
		"a hung request has not ended": {hung, "Baking/Progressing", "a hung request is counted when it ends"},
		"it has":                       {hung.with(func(s *scene) { s.Progress.Effective = ago(8 * time.Minute) }), next, ""},
		"a long timeout is waited for": {slow, "Baking/Progressing", "Waits for evidence up to Mar 1 11:57Z"},
		"ten minutes at most":          {slow.with(func(s *scene) { s.Progress.Effective = ago(13 * time.Minute) }), next, ""},
		"minutes count that are healthy in every check": {
			baked(10).says("nat", Hold, stub{outcome: analysis.Pass, healthy: 4}), "Baking/Progressing", "4 of 10 minutes healthy",
		},
		"a check that does not apply earns and costs nothing": {baked(10).nat(analysis.NotApplicable), next, ""},
		"without any that applies the clock is no evidence":   {at(25).errors(analysis.NotApplicable), "Held/MetricsUnavailable", "nothing is judged: errors does not apply"},
		"nothing has arrived":                                 {baked(0).errors(analysis.Incomplete).with(func(s *scene) { s.Plan.Guards[0].Rule = stub{outcome: analysis.Incomplete} }), "Baking/Progressing", "0 of 10"},
		"no data":                                             {at(25).errors(analysis.NoData), "Held/MetricsUnavailable", "no evidence since Mar 1 12:00Z: errors: it says NoData"},
		"too few requests":                                    {at(25).errors(analysis.Insufficient), "Held/TooFewRequests", "approve (attempt 1, step 2) lets this step pass"},
		"too few, but not baked yet":                          {at(25).says("errors", Rollback, stub{outcome: analysis.Insufficient, healthy: 3}), "Baking/Progressing", "3 of 10"},
		"not certain":                                         {at(25).errors(analysis.Undecided), "Held/HeldByAnalysis", "Goes on when more requests decide it; pauses at Mar 1 12:29Z"},
		"not certain beats too few":                           {at(25).says("more", Rollback, stub{outcome: analysis.Undecided, healthy: 60}).errors(analysis.Insufficient), "Held/HeldByAnalysis", ""},
		"the gateway is no longer named":                      {at(25).behindNat(), "Held/MetricsUnavailable", "no NAT gateway is named any more"},
		"stable is not ready":                                 {at(25).readiness("web-1", NotReady), "Held/HeldByAnalysis", "traffic is not raised without a way back"},
		"the candidate cannot be read":                        {at(25).presence("web-2", Denied), "Held/HeldByAnalysis", "revision web-2 could not be read"},
		"a foreign tag of our name": {
			at(25).with(func(s *scene) { s.Service.Desired = append(s.Service.Desired, Entry{Revision: "web-0", Tag: Tag}) }), "Paused/TrafficConflict", "",
		},
		"a bake of nothing still needs a minute": {
			at(25).steps(Step{Weight: 25}, Step{Weight: 100}).with(func(s *scene) { s.Plan.Guards[0].Rule = stub{outcome: analysis.Pass} }), "Baking/Progressing", "0 of 1 minutes",
		},
		"what another split served is not judged":    {at(25).with(func(s *scene) { s.Progress.Effective = time.Time{} }), "Baking/Progressing", "first evidence"},
		"a shift that status has not caught up with": {at(25).with(func(s *scene) { s.Service.Effective = []Entry{{Revision: "web-1", Percent: 100}} }), "Shifting/Progressing", "serves web-1 100%"},
		"the last step completes":                    {at(100), "Completed/Completed", "web-2 serves 100% and is the new stable; it was web-1"},
		"not without evidence":                       {at(100).errors(analysis.NoData), "Held/MetricsUnavailable", ""},
		"nor with too few requests":                  {at(100).errors(analysis.Insufficient), "Held/TooFewRequests", ""},
		"stable may have gone bad by then":           {at(100).readiness("web-1", NotReady), "Completed/Completed", ""},
	})
}

func TestPlansEditedOnTheWay(t *testing.T) {
	t.Parallel()
	bake := 10 * time.Minute
	check(t, map[string]row{
		"a step is added below":     {at(25).steps(Step{Weight: 1, Bake: bake}, Step{Weight: 5, Bake: bake}, Step{Weight: 25, Bake: bake}, Step{Weight: 100, Bake: bake}), "Shifting/Progressing, writes web-2 100%", ""},
		"a step is added above":     {at(25).steps(Step{Weight: 25, Bake: bake}, Step{Weight: 30, Bake: bake}, Step{Weight: 100, Bake: bake}), "Shifting/Progressing, writes web-2 30%, web-1 70%", ""},
		"the step is removed":       {at(25).steps(Step{Weight: 5, Bake: bake}, Step{Weight: 50, Bake: bake}, Step{Weight: 100, Bake: bake}), "Shifting/Progressing, writes web-1 50%, web-2 50%", ""},
		"all lower ones are":        {at(25).steps(Step{Weight: 50, Bake: bake}, Step{Weight: 100, Bake: bake}), "Shifting/Progressing, writes web-1 50%, web-2 50%", ""},
		"the weight is raised":      {at(25).steps(Step{Weight: 5, Bake: bake}, Step{Weight: 30, Bake: bake}, Step{Weight: 100, Bake: bake}), "Shifting/Progressing, writes web-2 30%, web-1 70%", ""},
		"the weight is lowered":     {at(25).steps(Step{Weight: 5, Bake: bake}, Step{Weight: 10, Bake: bake}, Step{Weight: 100, Bake: bake}), "Shifting/Progressing, writes web-2 100%", ""},
		"the bake is made longer":   {at(25).steps(Step{Weight: 25, Bake: 2 * time.Hour}, Step{Weight: 100, Bake: bake}), "Baking/Progressing", "60 of 120 minutes"},
		"an approval is added":      {at(25).gated(), "AwaitingApproval/AwaitingApproval", "step 2/3 passed; 100% needs a person's approval"},
		"the end is cut off":        {at(25).steps(Step{Weight: 25, Bake: bake}), "AwaitingApproval/AwaitingApproval", "100%"},
		"nothing is left of it":     {at(25).steps(), "AwaitingApproval/AwaitingApproval", "100%"},
		"an old approval is no key": {at(25).gated().with(func(s *scene) { s.Progress.Approved = 50 }).meant(between("web-2", "web-1", 50)), "AwaitingApproval/AwaitingApproval", ""},
	})
}

func TestApproval(t *testing.T) {
	t.Parallel()
	next := "Shifting/Progressing, writes web-2 100%"
	lost := at(25).gated().with(func(s *scene) { s.Progress.Approved = 100 }).meant(all("web-2"))
	check(t, map[string]row{
		"is waited for":                        {at(25).gated(), "AwaitingApproval/AwaitingApproval", "approve (attempt 1, step 2) lets it begin, abort sends everything to web-1"},
		"lets the weight begin":                {at(25).gated().asks(Approve), next + ", accepts", "step 3/3 may begin"},
		"is not asked for again when lost":     {lost, next, ""},
		"needs the step":                       {at(25).gated().asks(Approve).with(func(s *scene) { s.Request.Step = -1 }), "AwaitingApproval/AwaitingApproval, refuses", "approve needs the attempt and the step that were looked at"},
		"needs the attempt":                    {at(25).gated().asks(Approve).with(func(s *scene) { s.Request.Attempt = 0 }), "AwaitingApproval/AwaitingApproval, refuses", "approve needs"},
		"of another step":                      {at(25).gated().asks(Approve).with(func(s *scene) { s.Request.Step = 1 }), "AwaitingApproval/AwaitingApproval, refuses", "step 1 was meant, step 2 is under way"},
		"comes too early":                      {at(25).gated().says("errors", Rollback, stub{outcome: analysis.Pass, healthy: 3}).asks(Approve), "Baking/Progressing, refuses", "nothing to approve in state Baking/Progressing"},
		"never passes a breach":                {at(25).nat(analysis.Breach).asks(Approve), "Held/HeldByAnalysis, refuses", ""},
		"never passes what is undecided":       {at(25).errors(analysis.Undecided).asks(Approve), "Held/HeldByAnalysis, refuses", ""},
		"never passes no data":                 {at(25).errors(analysis.NoData).asks(Approve), "Held/MetricsUnavailable, refuses", ""},
		"passes a step with too few requests":  {at(25).errors(analysis.Insufficient).asks(Approve), next + ", accepts", "the step passes with it says Insufficient"},
		"of those does not open the gate too":  {at(25).gated().errors(analysis.Insufficient).asks(Approve), "AwaitingApproval/AwaitingApproval, accepts", ""},
		"of those is remembered at the gate":   {at(25).gated().errors(analysis.Insufficient).with(func(s *scene) { s.Progress.ThinAccepted = 2 }), "AwaitingApproval/AwaitingApproval", ""},
		"which needs its own":                  {at(25).gated().errors(analysis.Insufficient).with(func(s *scene) { s.Progress.ThinAccepted = 2 }).asks(Approve), next + ", accepts", ""},
		"a breach at the gate goes back":       {in(AwaitingApproval, ReasonAwaitingApproval).gated().errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", ""},
		"data that stop at the gate hold":      {in(AwaitingApproval, ReasonAwaitingApproval).gated().errors(analysis.NoData), "Held/MetricsUnavailable", ""},
		"nothing to approve when nothing runs": {idle().split("web-1", 100).with(func(s *scene) { s.Progress.Cutoff = now }).asks(Approve).with(func(s *scene) { s.Request.Attempt, s.Request.Step = 0, 0 }), "Idle/Steady, refuses", ""},
	})
	if p := Decide(Input(at(5).meant(between("web-2", "web-1", 25)).split("web-2", 25, "web-1", 75).with(func(s *scene) { s.Progress.ThinAccepted = 2 }))).Progress; p.ThinAccepted != 0 {
		t.Errorf("a new weight begins with step %d accepted", p.ThinAccepted)
	}
}

func TestStepDeadline(t *testing.T) {
	t.Parallel()
	held := func(s scene) scene { return s.errors(analysis.Undecided) }
	ran := func(s scene, d time.Duration) scene {
		s.Progress.Clock = Stopwatch{Running: ago(d)}
		return s
	}
	stood := func(s scene, d time.Duration) scene {
		s.Progress.Clock = Stopwatch{Spent: d}
		return s
	}
	sent := at(5).meant(between("web-2", "web-1", 25)).wants("web-2", 25, "web-1", 75)
	check(t, map[string]row{
		"not yet":                            {ran(held(at(25)), 59*time.Minute), "Held/HeldByAnalysis", "pauses at Mar 1 12:01Z"},
		"the hold was too long":              {ran(held(at(25)), time.Hour), "Paused/StepDeadlineExceeded", "step 2/3 did not pass within 1h0m0s"},
		"earlier time counts":                {held(at(25)).with(func(s *scene) { s.Progress.Clock = Stopwatch{Spent: 50 * time.Minute, Running: ago(10 * time.Minute)} }), "Paused/StepDeadlineExceeded", ""},
		"the shift was too long":             {ran(sent, time.Hour), "Paused/StepDeadlineExceeded", "did not pass"},
		"the bake was too long":              {ran(at(25).says("errors", Rollback, stub{outcome: analysis.Pass, healthy: 5}), time.Hour), "Paused/StepDeadlineExceeded", "5 of 10 minutes"},
		"the start was too long":             {ran(at(0).nat(analysis.Breach), time.Hour), "Paused/StepDeadlineExceeded", "the start did not pass"},
		"a step that passes at last goes on": {ran(at(25), 3*time.Hour), "Shifting/Progressing, writes web-2 100%", ""},
		"a person may take any time":         {stood(in(AwaitingApproval, ReasonAwaitingApproval).gated(), 100*time.Hour), "AwaitingApproval/AwaitingApproval", ""},
		"so may Git":                         {stood(in(Paused, ReasonPaused).paused(), 100*time.Hour), "Paused/Paused", ""},
		"so may NAT":                         {stood(at(0).gateways().behindNat().with(func(s *scene) { s.Progress.Lowered = now }), 100*time.Hour), "Held/WaitingForNat", ""},
		"resume gives the time again":        {stood(held(in(Paused, StepDeadlineExceeded)), time.Hour).asks(Resume), "Held/HeldByAnalysis, accepts", ""},
		"a write of the same again does not": {
			ran(at(25), 30*time.Minute).meant(all("web-2")), "Shifting/Progressing, writes web-2 100%", "",
		},
	})
	clocks := map[string]struct {
		in   scene
		want Stopwatch
	}{
		"runs while holding":           {ran(held(at(25)), 5*time.Minute), Stopwatch{Running: ago(5 * time.Minute)}},
		"stops for an approval":        {ran(at(25).gated(), 5*time.Minute), Stopwatch{Spent: 5 * time.Minute}},
		"stops for a pause":            {ran(at(25).paused(), 5*time.Minute), Stopwatch{Spent: 5 * time.Minute}},
		"goes on after a pause":        {stood(held(in(Paused, ReasonPaused)), 5*time.Minute), Stopwatch{Spent: 5 * time.Minute, Running: now}},
		"starts anew with a new write": {ran(at(25), 5*time.Minute), Stopwatch{Running: now}},
		"runs on when it is repeated":  {ran(at(25), 5*time.Minute).meant(all("web-2")), Stopwatch{Running: ago(5 * time.Minute)}},
	}
	for name, c := range clocks {
		if got := Decide(Input(c.in)).Progress.Clock; got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestNoData(t *testing.T) {
	t.Parallel()
	dark := func(s scene, d time.Duration) scene {
		s = s.errors(analysis.NoData)
		s.Progress.NoDataSince = ago(d)
		return s
	}
	rolls := func(s scene) scene {
		s.Plan.NoData.Action = Rollback
		return s
	}
	check(t, map[string]row{
		"holds in grace":                        {dark(at(25), 29*time.Minute), "Held/MetricsUnavailable", "Goes on when data is back; pauses at Mar 1 12:01Z"},
		"pauses after it":                       {dark(at(25), 30*time.Minute), "Paused/NoDataDeadlineExceeded", "no evidence since Mar 1 11:30Z"},
		"or rolls back":                         {rolls(dark(at(25), 30*time.Minute)), "RollingBack/RollingBack, writes web-1 100%", "no evidence since Mar 1 11:30Z"},
		"says so before":                        {rolls(dark(at(25), 29*time.Minute)), "Held/MetricsUnavailable", "rolls back at Mar 1 12:01Z"},
		"with nothing to roll back it pauses":   {rolls(dark(at(0), 30*time.Minute)), "Paused/NoDataDeadlineExceeded", ""},
		"data that are back do not end a pause": {in(Paused, NoDataDeadlineExceeded), "Paused/NoDataDeadlineExceeded", ""},
		"resume waits for data again":           {dark(in(Paused, NoDataDeadlineExceeded), time.Hour).asks(Resume), "Held/MetricsUnavailable, accepts", "pauses at Mar 1 12:30Z"},
		"a shadow may be dark":                  {at(25).says("shadow", Hold, stub{outcome: analysis.NoData}).with(func(s *scene) { s.Plan.Guards[1].Mode = Shadow }), "Shifting/Progressing, writes web-2 100%", ""},
	})
}

// TestAPauseThatIsNotExplainedIsExplained: a status that was damaged, or whose
// service lost our tag meanwhile, may know neither a cause nor a way back.
func TestAPauseThatIsNotExplainedIsExplained(t *testing.T) {
	t.Parallel()
	in := Input(idle())
	in.Progress = Progress{Phase: Paused, Reason: StateLost}
	d := Decide(in)
	if d.Progress.Phase != Paused || d.Note != "it is paused, and its status does not say why" || !strings.HasPrefix(d.Next, "Waits: resume goes on. Set spec.stableRevision") {
		t.Errorf("%s: %q, %q", inWords(d), d.Note, d.Next)
	}
}

// TestAPhaseOfAnotherVersionIsPaused: a newer version left it behind, and was taken
// back. Whatever it was, traffic is not raised on it, and the way back is open.
func TestAPhaseOfAnotherVersionIsPaused(t *testing.T) {
	t.Parallel()
	unknown := at(25).with(func(s *scene) { s.Progress.Phase = "Mirroring" })
	for want, in := range map[string]scene{
		"Paused/StateLost": unknown,
		"RollingBack/RollingBack, writes web-1 100%, accepts": unknown.asks(Abort),
	} {
		d := Decide(Input(in))
		if got := inWords(d); got != want {
			t.Errorf("decides %s, want %s: %s", got, want, d.Note)
		}
	}
}

// TestATagThatWasMovedIsSomebodyElses: our write put it on stable. Where it is seen on the
// stable of an earlier attempt, somebody moved it there since.
func TestATagThatWasMovedIsSomebodyElses(t *testing.T) {
	t.Parallel()
	s := at(0).with(func(s *scene) {
		s.Progress.FirstWrite, s.Progress.Tagged = ago(time.Minute), "web-0"
	}).meant(between("web-2", "web-1", 5)).split("web-2", 5, "web-1", 95)
	ours, moved := Decide(Input(s.tagged("web-1"))), Decide(Input(s.tagged("web-0")))
	if got := ours.Progress; got.Step != 1 || got.Tagged != "web-1" {
		t.Errorf("on stable: step %d, tagged %q", got.Step, got.Tagged)
	}
	if got := moved.Progress; got.Step != 1 || got.Tagged != "" {
		t.Errorf("on web-0: step %d, tagged %q", got.Step, got.Tagged)
	}
}
