package rollout

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// suffering is what a gateway went through since a rise to 25 % a quarter of an hour
// ago: two minutes later packets were dropped, and the candidate's users alone get
// errors.
func suffering() scene {
	s := at(25).behindNat().outlet(leaves(nat1)).saw(nat1)
	s.Plan.Pacing = Fixed
	s = s.with(func(s *scene) {
		s.Plan.Guards = []Guard{s.Plan.Guards[0], {
			Name: "nat-drops", Rule: analysis.NatDroppedPackets{MinMinutes: 2}, OnBreach: Hold, RollbackAfter: 5 * time.Minute, Mode: Enforce,
		}}
	})
	s.Progress.FirstWrite, s.Progress.Rises = ago(50*time.Minute), []nat.Rise{{At: ago(50 * time.Minute)}, {At: ago(15 * time.Minute), From: 5}}
	s.Progress.Effective, s.Progress.Watched = ago(14*time.Minute), ago(49*time.Minute)
	s.Progress.Breaches = []BreachStart{{"nat-drops", ago(5 * time.Minute)}}
	s.Answers = analysis.Answers{}
	s = s.goes(analysis.AllocatedPorts, nat1, 640, 640).goes(analysis.OpenConnections, nat1, 900, 900).
		goes(analysis.DroppedPackets, nat1, 0, 60).goes(analysis.AllocationFailed, nat1, 0, 0)
	in := Input(s)
	return s.goes(analysis.Instances, in.source("web-1"), 6, 6).goes(analysis.Instances, in.source("web-2"), 1, 2).
		goes(analysis.Requests, in.source("web-1"), 900, 900).goes(analysis.Requests, in.source("web-2"), 300, 300).fails(20)
}

// fails lets so many of the candidate's requests fail in each minute of the trouble.
func (s scene) fails(perMinute int64) scene { return s.failsFrom(13, perMinute) }

// failsFrom does the same from a number of minutes ago on.
func (s scene) failsFrom(minutes int, perMinute int64) scene {
	return s.with(func(s *scene) {
		series := analysis.Series{Metric: analysis.Requests, Source: Input(*s).source("web-2")}
		answers := maps.Clone(s.Answers)
		a := answers[series]
		a.Points = nil
		for _, p := range answers[series].Points {
			if p.Label == "" {
				a.Points = append(a.Points, p)
			}
			if p.Label == "" && !p.End.Before(ago(time.Duration(minutes)*time.Minute)) {
				a.Points = append(a.Points, analysis.Point{End: p.End, Label: "5xx", Value: perMinute})
			}
		}
		answers[series] = a
		s.Answers = answers
	})
}

// goes answers that a series had a value up to the second minute after the rise of
// suffering, and another one from then on.
func (s scene) goes(m analysis.Metric, of analysis.Source, before, since int64) scene {
	return s.goesFrom(13, m, of, before, since)
}

// goesFrom does the same from a number of minutes ago on.
func (s scene) goesFrom(minutes int, m analysis.Metric, of analysis.Source, before, since int64) scene {
	a := analysis.Answer{Through: ago(4 * time.Minute)}
	for n := 120; n >= 4; n-- {
		value := before
		if n <= minutes {
			value = since
		}
		a.Points = append(a.Points, analysis.Point{End: ago(time.Duration(n) * time.Minute), Value: value})
	}
	return s.with(func(s *scene) {
		answers := analysis.Answers{{Metric: m, Source: of}: a}
		for series, other := range s.Answers {
			if (series != analysis.Series{Metric: m, Source: of}) {
				answers[series] = other
			}
		}
		s.Answers = answers
	})
}

// elsewhere is a burst of somebody else's connections: nobody of ours suffers.
func (s scene) elsewhere() scene { return s.fails(0).goes(analysis.OpenConnections, nat1, 900, 90000) }

// unclear is a few more connections of whomever, and nobody's requests counted.
func (s scene) unclear() scene {
	return s.with(func(s *scene) {
		in := Input(*s)
		for _, revision := range []string{"web-1", "web-2"} {
			s.Answers[analysis.Series{Metric: analysis.Requests, Source: in.source(revision)}] = analysis.Answer{Through: ago(4 * time.Minute)}
		}
	}).goes(analysis.OpenConnections, nat1, 900, 1300)
}

// partial makes a series of the gateway miss some of its points.
func (s scene) partial(m analysis.Metric) scene {
	return s.goes(m, nat1, 900, 900).with(func(s *scene) {
		series := analysis.Series{Metric: m, Source: nat1}
		a := s.Answers[series]
		a.Cause = analysis.CausePartial
		s.Answers[series] = a
	})
}

// without loses the answer to one of a revision's series.
func (s scene) without(m analysis.Metric, revision string) scene {
	return s.with(func(s *scene) {
		s.Answers = maps.Clone(s.Answers)
		s.Answers[analysis.Series{Metric: m, Source: Input(*s).source(revision)}] = analysis.Answer{Cause: analysis.CauseAbsent}
	})
}

// breachedFor changes since when the check is in breach.
func (s scene) breachedFor(d time.Duration) scene {
	s.Progress.Breaches = []BreachStart{{"nat-drops", ago(d)}}
	return s
}

func (s scene) tried(t Trial) scene {
	s.Progress.Trial = t
	return s
}

func (s scene) onBreach(a Action, after time.Duration) scene {
	return s.with(func(s *scene) { s.Plan.Guards[1].OnBreach, s.Plan.Guards[1].RollbackAfter = a, after })
}

// TestWhatFollowsFromAGatewaysTrouble is the policy: the culprit goes back, a
// bystander waits, and what nobody can tell is tried.
func TestWhatFollowsFromAGatewaysTrouble(t *testing.T) {
	t.Parallel()
	const (
		held = "Held/HeldByAnalysis"
		back = "RollingBack/RollingBack, writes web-1 100%"
		down = "Held/HeldByAnalysis, writes web-2 5%, web-1 95%"
	)
	ours, others, unclear := suffering(), suffering().elsewhere(), suffering().unclear()
	first := unclear.with(func(s *scene) {
		s.Progress.Confirmed, s.Progress.Step = between("web-2", "web-1", 5), 1
		s.Progress.Rises = s.Progress.Rises[1:]
	}).split("web-2", 5, "web-1", 95)
	check(t, map[string]row{
		"the culprit goes back":                {ours, back, "web-2 caused it: 140 of 2,240 requests failed at the candidate and 0 of 7,200 at stable"},
		"not before its time":                  {ours.breachedFor(4 * time.Minute), held, "Rolls back at Mar 1 12:01Z unless it stops"},
		"nor where it never does":              {ours.onBreach(Hold, 0), held, "Goes on when the check passes again"},
		"at once where the check says so":      {ours.onBreach(Rollback, 0).breachedFor(0), back, "web-2 caused it"},
		"a bystander waits":                    {others, held, "not ours: "},
		"however long":                         {others.breachedFor(10 * time.Hour), held, "Going back would not cure it"},
		"also where the check says at once":    {others.onBreach(Rollback, 0), held, "not ours: "},
		"it goes back for its own errors":      {others.errors(analysis.Breach), back, "errors: it says Breach"},
		"and when a person aborts":             {others.asks(Abort), back + ", accepts", "aborted by ann"},
		"what nobody can tell is held":         {unclear.breachedFor(4 * time.Minute), held, "Goes back to 5% at Mar 1 12:01Z, to see whether it stops"},
		"then tried":                           {unclear, down, "web-2 goes from 25% back to 5%, to see whether it stops"},
		"at once where the check says at once": {unclear.onBreach(Rollback, 0), down, ""},
		"not where the check never goes back":  {unclear.onBreach(Hold, 0), held, "A person should look at nat-1; abort sends everything to web-1"},
		"from the first step to nothing":       {first, "Held/HeldByAnalysis, writes web-1 100%", "web-2 goes from 5% back to 0%"},
		"also while the spec is paused":        {unclear.with(func(s *scene) { s.Plan.Paused = true }), down, ""},
		"not over a pause that somebody asked for": {unclear.with(func(s *scene) {
			s.Progress.Phase, s.Progress.Reason, s.Progress.Cause = Paused, ReasonPaused, "paused by ann"
		}), "Paused/Paused", "paused by ann"},
		"not over a wait for a person": {unclear.with(func(s *scene) {
			s.Progress.Phase, s.Progress.Reason, s.Progress.Cause = Paused, StepDeadlineExceeded, "a cause"
		}), "Paused/StepDeadlineExceeded", ""},
		"not onto a stable that is not well":        {unclear.readiness("web-1", NotReady), held, "A person should look"},
		"not a second time":                         {unclear.tried(Trial{At: ago(40 * time.Minute), From: 25, To: 5, Since: ago(39 * time.Minute), Role: nat.Bystander}), held, "A person should look"},
		"but from a higher weight":                  {unclear.tried(Trial{At: ago(40 * time.Minute), From: 5, Since: ago(39 * time.Minute)}), down, ""},
		"again where the write never arrived":       {unclear.tried(Trial{At: ago(time.Minute), From: 25, To: 5}), down, ""},
		"a breach that has stopped is no reason":    {unclear.goes(analysis.DroppedPackets, nat1, 60, 0).with(func(s *scene) { s.Progress.Breaches = nil }), "Baking/Progressing", "Needs 1 more"},
		"missing data makes nobody a culprit":       {ours.partial(analysis.AllocatedPorts), held, "it is not known when it began"},
		"nor is anything tried without instances":   {unclear.silent(analysis.Instances, analysis.CauseThrottled), held, "whose it is cannot be told"},
		"but without connections it is":             {unclear.partial(analysis.OpenConnections), down, "open connections are not known"},
		"and without stable's instances":            {unclear.without(analysis.Instances, "web-1"), down, ""},
		"what is remembered of a gateway is enough": {ours.outlet(unread(nat1)), "RollingBack/RollingBack, writes web-2 12%, web-1 88%", "so it goes back in steps"},
		"nobody has seen whether ports are left":    {ours.outlet(Outlet{Presence: Unknown}), down, "what nat-1 has to give is not known; 140 of 2,240 requests failed at the candidate"},
		"nor is that tried before its time":         {ours.outlet(Outlet{Presence: Unknown}).breachedFor(4 * time.Minute), held, "A person should look at nat-1"},
		"but users' own errors go back at once":     {ours.outlet(Outlet{Presence: Unknown}).errors(analysis.Breach), back, "errors: it says Breach"},
		"nothing is tried where none was found":     {ours.outlet(Outlet{Presence: Unknown}).saw(), "Held/MetricsUnavailable", "no NAT gateway was found"},
		"what a warm-up did before it is ours": {ours.with(func(s *scene) {
			s.Progress.FirstWrite, s.Progress.Rises = ago(12*time.Minute), []nat.Rise{{At: ago(12 * time.Minute)}}
			s.Progress.Warmup.Since = ago(15 * time.Minute)
		}), back, ""},
		"company makes nobody a culprit":            {ours.with(func(s *scene) { s.Progress.Company = Company{ago(16 * time.Minute), ago(10 * time.Minute)} }), down, "1 other rollout behind nat-1 had just taken a step too"},
		"company that came later does not count":    {ours.with(func(s *scene) { s.Progress.Company = Company{ago(9 * time.Minute), ago(time.Minute)} }), back, ""},
		"company that had long gone does not count": {ours.with(func(s *scene) { s.Progress.Company = Company{ago(40 * time.Minute), ago(30 * time.Minute)} }), back, ""},
	})
}

// TestATroubleThatOneMinuteInterruptsIsStillATrouble: the newest minute may belong
// to nobody's step, and be good.
func TestATroubleThatOneMinuteInterruptsIsStillATrouble(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]scene{"ours": suffering(), "others'": suffering().elsewhere(), "nobody's": suffering().unclear()} {
		in := Input(s)
		v := look(in)
		v.checks[1].Verdict.Troubles[0].Stopped = true
		if got := v.blame(v.checks[1]); got.Role != v.checks[1].Blame.Role {
			t.Errorf("%s trouble is that of %q, want %s", name, got.Role, v.checks[1].Blame.Role)
		}
	}
}

// TestWhatATrialShows: what outlasts everything that the candidate left behind is
// not its fault; what stops and comes back with it is.
func TestWhatATrialShows(t *testing.T) {
	t.Parallel()
	const held = "Held/HeldByAnalysis"
	long := Trial{At: ago(62 * time.Minute), From: 25, To: 5, Since: ago(61 * time.Minute)}
	// Trouble that has been there for more than an hour, at 5 % since.
	on := suffering().unclear().goesFrom(68, analysis.DroppedPackets, nat1, 0, 60).goesFrom(68, analysis.OpenConnections, nat1, 900, 1300).with(func(s *scene) {
		s.Progress.Confirmed, s.Progress.Step = between("web-2", "web-1", 5), 1
		s.Progress.FirstWrite, s.Progress.Rises = ago(70*time.Minute), []nat.Rise{{At: ago(70 * time.Minute)}}
		s.Progress.Effective, s.Progress.Watched = ago(61*time.Minute), ago(69*time.Minute)
	}).split("web-2", 5, "web-1", 95)
	young := Trial{At: ago(12 * time.Minute), From: 25, To: 5, Since: ago(11 * time.Minute)}
	// Trouble that came back two minutes after a rise to a weight that was left.
	again := suffering().unclear()
	before := Trial{At: ago(40 * time.Minute), From: 25, To: 5, Since: ago(39 * time.Minute)}
	check(t, map[string]row{
		"it goes on, and something is left of the candidate": {
			on.tried(young).with(func(s *scene) { s.Progress.Effective = ago(11 * time.Minute) }), held,
			"it went back from 25% to 5% at Mar 1 11:49Z to see that; if it has not stopped by Mar 1 12:24Z it is not ours",
		},
		"it goes on, and nothing is": {on.tried(long), held, "not ours: it went on after web-2 went back from 25% to 5% at Mar 1 10:59Z"},
		"it came back with the rise": {again.tried(before), "RollingBack/RollingBack, writes web-1 100%", "web-2 caused it: it stopped after web-2 went back from 25% to 5%"},
		"it came back long after":    {again.tried(before).with(func(s *scene) { s.Progress.Rises = []nat.Rise{{At: ago(20 * time.Minute), From: 5}} }), held, "A person should look"},
		"it came back where every rise brings it": {
			again.tried(before).compute(func(g *Gateway) { g.NAT.Dynamic = true }), held,
			"whose it is cannot be told: nat-1 drops packets while ports grow",
		},
		"it came back in company": {
			again.tried(before).with(func(s *scene) { s.Progress.Company = Company{ago(16 * time.Minute), ago(10 * time.Minute)} }), held,
			"1 other rollout",
		},
		"others' burst came back": {suffering().elsewhere().tried(before), held, "not ours"},
		"another trouble, after it was shown not to be ours": {
			again.tried(Trial{At: before.At, From: 25, To: 5, Since: before.Since, Role: nat.Bystander}), held,
			"A person should look",
		},
	})
}

// TestATrialBeginsAnewFromNothing: at 0 % nothing is given up. The attempt waits
// for the cool-down and for the gateway, and then starts again.
func TestATrialBeginsAnewFromNothing(t *testing.T) {
	t.Parallel()
	zero := suffering().unclear().with(func(s *scene) {
		s.Progress.Phase, s.Progress.Reason, s.Progress.Step = Checking, Preparing, 0
		s.Progress.Confirmed, s.Progress.Elsewhere, s.Progress.Lowered = all("web-1"), 0, ago(12*time.Minute)
		s.Progress.Effective = ago(11 * time.Minute)
	}).split("web-1", 100).tried(Trial{At: ago(12 * time.Minute), From: 5, Since: ago(11 * time.Minute)})
	cold := zero.with(func(s *scene) { s.Progress.Lowered = ago(21 * time.Minute) })
	check(t, map[string]row{
		"it cools down":        {zero, "Held/WaitingForNat", "until Mar 1 12:08Z"},
		"it waits":             {cold, "Held/HeldByAnalysis", "web-2 is back at 0% since Mar 1 11:49Z"},
		"it starts again":      {cold.goes(analysis.DroppedPackets, nat1, 60, 0), "Shifting/Progressing, writes web-2 5%, web-1 95%", ""},
		"a person may abort":   {cold.asks(Abort), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
		"a newer one is taken": {cold.newer(), "RollingBack/RollingBack, writes web-1 100%", "superseded"},
	})
}

// TestAPersonIsCalledOnceForATrouble, once the minutes that matter have arrived.
func TestAPersonIsCalledOnceForATrouble(t *testing.T) {
	t.Parallel()
	called := func(s scene) (bool, Progress) {
		d := Decide(Input(s))
		for _, e := range d.Events {
			if e.Reason == HeldByAnalysis && strings.HasPrefix(e.Note, "a person should look at nat-1: ") && e.Warning {
				return true, d.Progress
			}
		}
		return false, d.Progress
	}
	s := suffering().unclear().breachedFor(time.Minute)
	first, saved := called(s)
	if !first || !saved.Called.Equal(now) {
		t.Fatalf("called %t, saved %v", first, saved.Called)
	}
	s.Progress.Called = ago(9 * time.Minute)
	again, saved := called(s)
	if again {
		t.Error("a person was called again")
	}
	if !saved.Called.Equal(ago(time.Minute)) {
		t.Errorf("the trouble that they were called for came back, and they were called at %s: nobody would page for it", saved.Called)
	}
	s.Progress.Called = ago(30 * time.Second)
	if _, saved := called(s); !saved.Called.Equal(ago(30 * time.Second)) {
		t.Errorf("called at %s, without a cause", saved.Called)
	}
	s.Progress.Called = ago(20 * time.Minute)
	if again, _ := called(s); !again {
		t.Error("nobody was called for another trouble")
	}
	if bystander, _ := called(suffering().elsewhere()); bystander {
		t.Error("somebody was called for what is not ours")
	}
}

// TestRisesAreRemembered, the newest three, by when they were written.
func TestRisesAreRemembered(t *testing.T) {
	t.Parallel()
	p := Progress{FirstWrite: ago(time.Hour)}
	p = p.rose(0, ago(time.Hour))
	p.Effective = ago(59 * time.Minute)
	p = p.rose(5, ago(40*time.Minute))
	p = p.rose(5, ago(39*time.Minute)) // the same again: it was not seen
	want := []nat.Rise{{At: ago(time.Hour)}, {At: ago(39 * time.Minute), From: 5}}
	if diff := cmp.Diff(want, p.rises()); diff != "" {
		t.Errorf("rises (-want +got):\n%s", diff)
	}
	for n := range 3 {
		p.Effective = ago(time.Duration(30-n) * time.Minute)
		p = p.rose(25, ago(time.Duration(29-n)*time.Minute))
	}
	if got := p.rises(); len(p.Rises) != maxRises || len(got) != maxRises+1 || !got[0].At.Equal(ago(time.Hour)) {
		t.Errorf("of many rises it knows %v", got)
	}
}

// TestCompanyIsRememberedAfterItHasGone and changes once a minute.
func TestCompanyIsRememberedAfterItHasGone(t *testing.T) {
	t.Parallel()
	s := suffering()
	s.Now = now.Add(20 * time.Second)
	s.Peers = []Peer{
		{nat1, nat.Claim{ID: "a", Hot: true, Since: ago(3 * time.Minute)}},
		{nat1, nat.Claim{ID: "b", Since: ago(time.Hour)}},
		{nat2, nat.Claim{ID: "c", Hot: true, Since: ago(2 * time.Hour)}},
	}
	want := Company{ago(3 * time.Minute), now.Add(time.Minute)}
	for range 2 {
		if diff := cmp.Diff(want, Decide(Input(s)).Progress.Company); diff != "" {
			t.Errorf("company (-want +got):\n%s", diff)
		}
		s.Now, s.Progress.Company = now.Add(40*time.Second), want
	}
	s.Peers, s.Progress.Company = nil, want
	if got := Decide(Input(s)).Progress.Company; got != want {
		t.Errorf("when it has gone it is %v", got)
	}
	s.Peers = []Peer{{nat1, nat.Claim{ID: "a", Back: true, Since: now.Add(2 * time.Hour)}}}
	s.Now = now.Add(2 * time.Hour)
	if got := Decide(Input(s)).Progress.Company.Since; !got.Equal(now.Add(2 * time.Hour)) {
		t.Errorf("later company is since %v", got)
	}
}

// TestBlameAsksForWhatItNeeds: one question for each series, from before the rises
// on, and none where nothing is watched.
func TestBlameAsksForWhatItNeeds(t *testing.T) {
	t.Parallel()
	s := suffering()
	asked := map[analysis.Series]time.Time{}
	for _, q := range Questions(Input(s)) {
		if _, twice := asked[q.Series]; twice {
			t.Errorf("%v is asked twice", q.Series)
		}
		asked[q.Series] = q.After
	}
	for _, series := range []analysis.Series{
		{Metric: analysis.AllocatedPorts, Source: nat1},
		{Metric: analysis.OpenConnections, Source: nat1},
		{Metric: analysis.AllocationFailed, Source: nat1},
		{Metric: analysis.Instances, Source: Input(s).source("web-1")},
		{Metric: analysis.Instances, Source: Input(s).source("web-2")},
		{Metric: analysis.Requests, Source: Input(s).source("web-1")},
		{Metric: analysis.Requests, Source: Input(s).source("web-2")},
	} {
		if after, ok := asked[series]; !ok || after.After(ago(60*time.Minute)) {
			t.Errorf("%v is asked from %v on", series, after)
		}
	}
	off := s.with(func(s *scene) { s.Plan.Guards[1].Mode = Off })
	if questions := Questions(Input(off)); len(questions) != 0 {
		t.Errorf("with no gateway judged it asks %v", questions)
	}
}

// TestABystanderIsNeverRolledBackByAGateway, whatever is remembered, planned or
// missing: only what Blame calls the culprit, or what a trial has shown, goes back.
func TestABystanderIsNeverRolledBackByAGateway(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := garbage{t}
		s := pick(g, "trouble", suffering(), suffering().elsewhere(), suffering().unclear())
		s = s.onBreach(pick(g, "policy", Hold, Rollback), pick(g, "after", 0, time.Minute, 5*time.Minute)).
			since(pick(g, "since", 0, 3*time.Minute, 5*time.Minute, 10*time.Hour))
		s.Progress.Cause = "a cause"
		s.Progress.Phase = pick(g, "phase", Shifting, Baking, AwaitingApproval, Held, Paused)
		s.Progress.Reason = pick(g, "reason", Progressing, HeldByAnalysis, ReasonPaused, WaitingForNat)
		s.Progress.Trial = Trial{g.time(), g.percent(), g.percent(), g.time(), pick(g, "role", "", nat.Bystander)}
		s.Progress.Company = Company{g.time(), g.time()}
		s.Plan.Paused = pick(g, "paused", false, false, true)
		d := Decide(Input(s))
		sane(t, Input(s), d)
		blame := d.Checks[1].Blame
		switch weight := s.Progress.Confirmed.Of("web-2"); {
		case d.Progress.Phase == RollingBack && blame.Role != nat.Culprit:
			t.Fatalf("rolled back as %s: %s", blame.Role, d.Note)
		case d.Write != nil && splitOf(d.Write).Of("web-2") > weight:
			t.Fatalf("raised during a breach: %s", inWords(d))
		case d.Write != nil && blame.Role == nat.Bystander:
			t.Fatalf("a bystander writes: %s", inWords(d))
		}
	})
}
