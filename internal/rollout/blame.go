package rollout

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// Blame is what a rollout is to the trouble of a gateway; the zero Blame is none.
type Blame struct {
	nat.Verdict
	Trouble analysis.Trouble
}

// Company is when other rollouts behind our gateways were last hot or on their way
// back. They are no longer when their trouble is seen, minutes later.
type Company struct {
	Since, Until time.Time
}

// maxRises bounds the rises that are remembered. The first is in FirstWrite.
const maxRises = 3

// closeBy joins times at which others were hot into one.
const closeBy = 30 * time.Minute

// firmly is how many minutes after the first bad one have arrived when nothing
// that is missing can change the judgement much.
const firmly = 2 * time.Minute

// gravity orders roles by what follows from them.
var gravity = map[nat.Role]int{nat.Bystander: 1, nat.Unknown: 2, nat.Culprit: 3}

// rose remembers a rise by when it was written. One that is sent again before it
// was seen to serve is not a second one.
func (p Progress) rose(from int64, at time.Time) Progress {
	p.Rises = slices.Clone(p.Rises)
	if n := len(p.Rises); n > 0 && p.Rises[n-1].From == from && p.Effective.Before(p.Rises[n-1].At) {
		p.Rises = p.Rises[:n-1]
	}
	p.Rises = append(p.Rises, nat.Rise{At: at, From: from})
	p.Rises = p.Rises[max(0, len(p.Rises)-maxRises):]
	if p.Trial.Since.IsZero() {
		p.Trial = Trial{} // it never took effect
	}
	return p
}

// unblamed forgets what tells the rollout's part in a gateway's trouble.
func (p Progress) unblamed() Progress {
	p.Rises, p.Company, p.Trial, p.Retreat, p.Called, p.Spared = nil, Company{}, Trial{}, Retreat{}, time.Time{}, time.Time{}
	p.Accused = time.Time{}
	return p
}

// rises lists the rises of the attempt that are known, oldest first.
func (p Progress) rises() []nat.Rise {
	if p.FirstWrite.IsZero() || len(p.Rises) > 0 && !p.FirstWrite.Before(p.Rises[0].At) {
		return p.Rises
	}
	return append([]nat.Rise{{At: p.FirstWrite}}, p.Rises...)
}

// starts lists what had the candidate's instances started, oldest first: its rises,
// and a warm-up before them. The times alone count; a warm-up moves no traffic.
func (p Progress) starts() []nat.Rise {
	if p.Warmup.Since.IsZero() {
		return p.rises()
	}
	return append([]nat.Rise{{At: p.Warmup.Since}}, p.rises()...)
}

// accompanied is who was hot beside us, now that we look again. It changes once a
// minute, as what is saved should.
func (v view) accompanied() Company {
	c := v.Progress.Company
	if !v.Progress.active() {
		return c
	}
	for _, p := range v.Peers {
		if !p.Claim.Hot && !p.Claim.Back || !slices.Contains(v.scope.Gateways, p.Gateway) {
			continue
		}
		since := p.Claim.Since
		if !c.Until.IsZero() && since.After(c.Until.Add(closeBy)) || c.Since.IsZero() || since.Before(c.Since) {
			c.Since = since
		}
		c.Until = later(c.Until, v.Now.Truncate(time.Minute).Add(time.Minute))
	}
	return c
}

// othersHot is how many other rollouts were hot when a trouble began, as far as
// that is remembered.
func (v view) othersHot(t analysis.Trouble) int64 {
	c := v.Progress.Company
	if c.Since.IsZero() || c.Since.After(t.Began) || c.Until.Before(t.Began) {
		return 0
	}
	hot := int64(0)
	for _, claim := range v.claims(t.Gateway) {
		if claim.Hot || claim.Back {
			hot++
		}
	}
	return max(1, hot)
}

// aboutGateways tells whether a rule judges gateways, which others use as well.
func aboutGateways(rule analysis.Rule) bool {
	switch rule.(type) {
	case analysis.NatDroppedPackets, analysis.NatAllocationFailures, analysis.NatPortUtilization:
		return true
	}
	return false
}

// blames settles what the rollout is to what its gateways suffer from.
func (v view) blames() view {
	v.Progress.Trial = v.tried()
	for i, c := range v.checks {
		v.checks[i].Blame = v.blame(c)
	}
	return v
}

// blame is the gravest role among the gateways that a check finds in breach. One
// whose trouble has stopped does not count beside one whose trouble goes on.
func (v view) blame(c Check) Blame {
	troubles := slices.DeleteFunc(slices.Clone(c.Verdict.Troubles), func(t analysis.Trouble) bool { return t.Stopped })
	if len(troubles) == 0 {
		troubles = c.Verdict.Troubles
	}
	var gravest Blame
	for _, t := range troubles {
		said := v.tells(t, nat.Blame(v.clues(c, t)))
		if gravity[said.Role] > gravity[gravest.Role] {
			gravest = Blame{said, t}
		}
	}
	return gravest
}

// tells is what the numbers and the trial say together. A trouble that comes with every
// rise does not come back because of the candidate.
func (v view) tells(t analysis.Trouble, numbers nat.Verdict) nat.Verdict {
	if said := v.experience(t, numbers); said.Role != nat.Culprit || !numbers.Recurs {
		return said
	}
	return numbers
}

// clues puts together what is known of a gateway's trouble. What is not whole is
// not known: missing data would make everybody look innocent, or us alone.
func (v view) clues(c Check, t analysis.Trouble) nat.Evidence {
	_, filling := v.guard(c.Name).Rule.(analysis.NatPortUtilization)
	e := nat.Evidence{
		Gateway: v.gateway(t.Gateway).Gateway, Policy: v.policy(),
		Began: t.Began, Usual: t.Usual, Worst: t.Worst, Reasons: t.Reasons, Filling: filling,
		Allocated:   samples(v.levels(analysis.AllocatedPorts, t.Gateway)),
		Connections: samples(v.levels(analysis.OpenConnections, t.Gateway)),
		Instances:   samples(v.started()), OthersHot: v.othersHot(t),
	}
	e.Gateway.Name = t.Gateway.Gateway
	for _, r := range v.Progress.starts() {
		e.Rises = append(e.Rises, r.At)
	}
	for _, p := range v.Answers.Of(analysis.Series{Metric: analysis.AllocationFailed, Source: t.Gateway}).Points {
		e.AllocationFailed = e.AllocationFailed || p.Value > 0 && !p.End.Before(t.Began)
	}
	e.Candidate, e.Stable = v.users(t)
	return e
}

// levels is a series by minute, nil where the answer is not whole.
func (v view) levels(m analysis.Metric, of analysis.Source) map[time.Time]int64 {
	a := v.Answers.Of(analysis.Series{Metric: m, Source: of})
	if a.Cause != analysis.CauseNone {
		return nil
	}
	levels := map[time.Time]int64{}
	for _, p := range a.Points {
		if !p.End.After(a.Through) {
			levels[p.End] += p.Value
		}
	}
	return levels
}

// started is the number of the candidate's instances by minute. It has none where
// only stable's are counted.
func (v view) started() map[time.Time]int64 {
	started := v.levels(analysis.Instances, v.scope.Candidate)
	through := v.Answers.Of(analysis.Series{Metric: analysis.Instances, Source: v.scope.Candidate}).Through
	for end := range v.levels(analysis.Instances, v.scope.Stable) {
		if _, counted := started[end]; started != nil && !counted && !end.After(through) {
			started[end] = 0
		}
	}
	return started
}

func samples(levels map[time.Time]int64) []nat.Sample {
	list := make([]nat.Sample, 0, len(levels))
	for _, end := range slices.SortedFunc(maps.Keys(levels), time.Time.Compare) {
		list = append(list, nat.Sample{End: end, Value: levels[end]})
	}
	return list
}

// warmingUp is for how long after a rise the candidate's new instances may fail
// for reasons of their own, which no gateway has anything to do with.
const warmingUp = 3 * time.Minute

// felt is since when a trouble can be told by how users fare: since it began, and
// without the minutes in which the instances of the last rise started, which may
// have been made before anybody knew of it.
func (v view) felt(t analysis.Trouble) time.Time {
	since := t.Began.Add(-time.Minute)
	for _, r := range v.Progress.rises() {
		since = later(since, r.At.Add(warmingUp))
	}
	return since
}

// users is how both revisions' users fare since a trouble began; not known where
// either is not. Stable has no requests only where it has no traffic.
func (v view) users(t analysis.Trouble) (candidate, stable nat.Health) {
	requests := func(of analysis.Source) time.Time {
		return v.Answers.Of(analysis.Series{Metric: analysis.Requests, Source: of}).Through
	}
	after, until := v.felt(t), requests(v.scope.Candidate)
	if through := requests(v.scope.Stable); through.Before(until) {
		until = through
	}
	ours, known := analysis.Fares(v.Answers, v.scope.Candidate, after, until)
	theirs, both := analysis.Fares(v.Answers, v.scope.Stable, after, until)
	if t.Began.IsZero() || !known || !both || theirs.Requests == 0 && v.weight() < 100 {
		return nat.Health{}, nat.Health{}
	}
	return nat.Health(ours), nat.Health(theirs)
}

// blameQuestions asks for what tells the rollout's part in a gateway's trouble from
// others', from shortly before the rises that are remembered.
func (in Input) blameQuestions(scope analysis.Scope) []analysis.Question {
	rises := in.Progress.starts()
	watches := slices.ContainsFunc(in.Plan.Guards, func(g Guard) bool { return g.Mode != Off && aboutGateways(g.Rule) })
	if scope.AttemptSince.IsZero() || len(scope.Gateways) == 0 || len(rises) == 0 || !watches {
		return nil
	}
	until := in.Now.Truncate(time.Minute)
	after := later(rises[max(0, len(rises)-maxRises)].At.Add(-nat.Before-time.Minute), in.Now.Add(-in.reach())).Truncate(time.Minute)
	var questions []analysis.Question
	ask := func(of analysis.Source, metrics ...analysis.Metric) {
		for _, m := range metrics {
			questions = append(questions, analysis.Question{Series: analysis.Series{Metric: m, Source: of}, After: after, Until: until})
		}
	}
	for _, g := range scope.Gateways {
		ask(g, analysis.AllocatedPorts, analysis.OpenConnections, analysis.AllocationFailed)
	}
	ask(scope.Candidate, analysis.Instances, analysis.Requests)
	ask(scope.Stable, analysis.Instances, analysis.Requests)
	return questions
}

// joined adds a question to others, one for each series, which covers them all.
func joined(questions []analysis.Question, q analysis.Question) []analysis.Question {
	i := slices.IndexFunc(questions, func(asked analysis.Question) bool { return asked.Series == q.Series })
	if i < 0 {
		return append(questions, q)
	}
	if q.After.Before(questions[i].After) {
		questions[i].After = q.After
	}
	questions[i].Until = later(questions[i].Until, q.Until)
	return questions
}

// due tells whether the policy of a check asks to go back now. Of a gateway it
// does not before what decides whose the trouble is has arrived.
func (v view) due(c Check) bool {
	guard := v.guard(c.Name)
	held := v.Now.Sub(c.BreachedSince)
	switch {
	case !c.enforced() || c.Verdict.Outcome != analysis.Breach || c.Verdict.Shared:
		return false
	case guard.OnBreach == Rollback:
		return !aboutGateways(guard.Rule) || c.firm() || held >= soonAfter
	}
	return guard.RollbackAfter > 0 && held >= guard.RollbackAfter && !c.Verdict.Stopped
}

// firm tells whether the minutes after the first bad one have arrived.
func (c Check) firm() bool {
	began := c.Blame.Trouble.Began
	return !began.IsZero() && !c.Verdict.Through.Before(began.Add(firmly))
}

// judgedBy is the first check in breach whose policy is due and that has a role.
func (v view) judgedBy(role nat.Role) (Check, bool) {
	for _, c := range v.checks {
		if c.Blame.Role == role && v.due(c) && v.informed(c) {
			return c, true
		}
	}
	return Check{}, false
}

// informed tells whether a judgement may be acted upon. It rests on what Monitoring
// says of a gateway that was found, for which nobody has to find it again. Without the
// allocated ports and the candidate's instances nothing is tried; a series of less
// weight may be absent for as long as the attempt lasts.
func (v view) informed(c Check) bool {
	switch found := !v.passing() || len(v.Progress.Watches) > 0; {
	case !found:
		return false
	case c.Blame.Role == nat.Culprit:
		return true
	}
	needed := []analysis.Series{
		{Metric: analysis.AllocatedPorts, Source: c.Blame.Trouble.Gateway}, {Metric: analysis.Instances, Source: v.scope.Candidate},
	}
	return !c.Blame.Trouble.Began.IsZero() && !slices.ContainsFunc(needed, func(series analysis.Series) bool {
		return v.Answers.Of(series).Cause != analysis.CauseNone
	})
}

// gravest is the enforced breach that most follows from.
func (v view) gravest(c Check) Check {
	for _, other := range v.checks {
		worse := c.Blame.Role != "" && gravity[other.Blame.Role] > gravity[c.Blame.Role]
		if other.enforced() && other.Verdict.Outcome == analysis.Breach && worse {
			c = other
		}
	}
	return c
}

// whose says what the rollout is to a breach, as the end of a sentence.
func (v view) whose(c Check) string {
	switch c.Blame.Role {
	case nat.Culprit:
		return fmt.Sprintf("; %s caused it: %s", v.Progress.Candidate, c.Blame.Because)
	case nat.Bystander:
		return "; not ours: " + c.Blame.Because
	case nat.Unknown:
		return "; whose it is cannot be told: " + c.Blame.Because
	}
	return ""
}

// calls asks for a person, once for each trouble that nobody can explain. One that comes
// back, or goes on at a lower weight, is still the one that they were called for.
func (v view) calls(d Decision) Decision {
	p := &d.Progress
	switch {
	case !p.active():
		d.Progress = p.unblamed()
		return d
	case p.Phase == RollingBack:
		return d
	}
	for _, c := range v.checks {
		t := c.Blame.Trouble
		began := t.Began
		if began.IsZero() {
			began = c.BreachedSince
		}
		ripe := c.firm() || v.Now.Sub(c.BreachedSince) >= firmly
		unexplained := c.enforced() && c.Blame.Role == nat.Unknown && !t.Stopped
		if unexplained && !p.Called.Before(began) {
			p.Called = later(p.Called, c.BreachedSince)
			continue
		}
		if !unexplained || !ripe {
			continue
		}
		p.Called = v.Now
		return d.tell(HeldByAnalysis, fmt.Sprintf("a person should look at %s: %s%s", t.Gateway.Gateway, c.dated(), v.whose(c)), true)
	}
	return d
}
