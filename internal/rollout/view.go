package rollout

import (
	"cmp"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

const (
	// settle is how long a split that took effect is not judged.
	settle = analysis.Settle
	// coolDown is how long the addresses of stopped instances may keep NAT
	// ports (Direct VPC docs: up to 20 minutes).
	coolDown = 20 * time.Minute
)

// view is an input with what follows from it.
type view struct {
	Input
	was       Progress // as saved; Progress is what it becomes
	desired   Split
	effective Split
	scope     analysis.Scope
	blind     bool // traffic leaves through NAT and it is not known by which gateway
	checks    []Check
}

// look derives everything the rules share.
func look(in Input) view {
	in = in.quiet()
	in.Plan.Steps = whole(in.Plan.Steps)
	in.Progress = in.Progress.known(in.Now)
	in.Progress.Reason = cmp.Or(in.Progress.Reason, Preparing)
	v := view{Input: in, was: in.Progress}
	v.desired = in.Service.split(in.Service.Desired)
	v.effective = in.Service.split(in.Service.Effective)
	v.scope, v.blind = scopeOf(in)
	v = v.seesLowering()
	if in.Progress.active() {
		v.Progress.Step = in.Plan.stepAt(in.Progress.Confirmed.Of(in.Progress.Candidate))
		if !v.stale() {
			v.Progress = v.Progress.see(v.desired)
		}
	}
	v = v.seesClaim().seesSpec().seesTemplates().seesGap().seesServing()
	if v.Progress.Hot.After(v.Now) { // the clock was set back
		v.Progress.Hot = v.Now
	}
	if v.cools() {
		v.Progress.Hot = time.Time{}
	}
	v.Progress.Company = v.accompanied()
	v.checks = v.judge()
	v = v.blames()
	v.Progress.Breaches = v.breaches()
	if !v.Progress.active() || v.seesAgain() {
		v.Progress.NoDataSince = time.Time{}
	}
	if v.Plan.StableRevision == "" {
		v.Progress.SettledBy = ""
	}
	return v
}

// whole ends a plan at 100 %. One that does not is refused at apply; should it
// get here, nothing rises to the end without a person.
func whole(steps []Step) []Step {
	if len(steps) > 0 && steps[len(steps)-1].Weight == 100 {
		return steps
	}
	return append(slices.Clone(steps), Step{Weight: 100, Bake: 20 * time.Minute, Approval: true})
}

// Involved lists the revisions a decision will want to know.
func Involved(plan Plan, was Progress, svc Service, req Request) []string {
	names := []string{
		was.Stable, was.Candidate, was.Requested, svc.LatestReady, svc.LatestCreated,
		plan.CandidateRevision, plan.StableRevision,
	}
	if req.ID != was.LastRequest.ID || req.Verb != was.LastRequest.Verb { // it is not answered yet
		names = append(names, req.Revision)
		if req.Verb == Undo {
			names = append(names, was.Former)
		}
	}
	if sole, ok := svc.split(svc.Desired).sole(); ok {
		names = append(names, sole)
	}
	if c := svc.Claim; c != nil { // it may be taken up
		names = append(names, c.Stable)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
}

// Questions lists the measurements Decide will want, given the service and its
// revisions: of a step that has just begun how late they will be. There are none
// outside an attempt.
func Questions(in Input) []analysis.Question {
	if !in.Progress.active() || in.Progress.Candidate == "" || in.Service.Presence != Found || in.Deleting {
		return nil
	}
	scope, _ := scopeOf(in)
	questions := make([]analysis.Question, 0, 16) // as many as most plans have
	for _, guard := range in.Plan.Guards {
		if guard.Mode == Off {
			continue
		}
		for _, q := range guard.Rule.Questions(scope) {
			questions = joined(questions, q)
		}
	}
	for _, q := range slices.Concat(in.fleetQuestions(scope), in.blameQuestions(scope), in.adviceQuestions(scope)) {
		questions = joined(questions, q)
	}
	return questions
}

// scopeOf says what the evidence is about, and whether NAT is out of sight.
func scopeOf(in Input) (scope analysis.Scope, blind bool) {
	was := in.Progress
	scope = analysis.Scope{
		Candidate: in.source(was.Candidate),
		Stable:    in.source(was.Stable),
		Window:    in.Plan.Window,
		Now:       in.Now,

		MaxInstances: in.Revisions[was.Candidate].MaxInstances,
	}
	if in.moved() {
		scope.AttemptSince = was.FirstWrite
		scope.StepSince, scope.SeenThrough = in.stepSince().Add(settle), was.Judged
		if !was.Watched.IsZero() {
			scope.EarlierSince, scope.EarlierUntil = was.Watched.Add(settle), cmp.Or(was.Effective, in.Now)
		}
		if oldest := in.Now.Add(-in.reach()); oldest.After(scope.StepSince) {
			scope.StepSince, scope.EarlierSince = oldest, time.Time{}
		} else if !scope.EarlierSince.IsZero() {
			scope.EarlierSince = later(scope.EarlierSince, oldest)
		}
	}
	switch {
	case in.Plan.NatUnwanted:
		scope.Unwatched = "spec.nat.discovery is Off"
	case !in.throughNat(was.Candidate):
		scope.Unwatched = "neither revision sends public traffic through the VPC"
	default:
		scope.Gateways, blind = in.watched(), in.astray() != ""
		scope.Pools = in.pools(scope.Gateways)
		if len(scope.Gateways) == 0 {
			scope.Unwatched = in.astray()
		}
	}
	return scope, blind
}

// longestMemory is how much of a step is judged beside its bake. Steps may last
// for days, at an approval or a pause; what they ask of Monitoring must not.
const longestMemory = 24 * time.Hour

// reach is how far back evidence is asked for.
func (in Input) reach() time.Duration {
	longest := time.Duration(0)
	for _, s := range in.Plan.Steps {
		longest = max(longest, s.Bake)
	}
	return longest + longestMemory
}

func (in Input) source(revision string) analysis.Source {
	ref := in.Plan.Service
	return analysis.Source{Project: ref.Project, Location: ref.Location, Service: ref.Name, Revision: revision}
}

// moved tells whether the candidate was given traffic in this attempt. A first
// write that was lost moved nothing, and what it would have done is not judged.
func (in Input) moved() bool {
	was := in.Progress
	return !was.FirstWrite.IsZero() &&
		(was.Confirmed.Of(was.Candidate) > 0 || in.Service.split(in.Service.Desired).Of(was.Candidate) > 0)
}

// stepSince is when the split of the step began to serve: when it was first
// seen to, or, before that, when the first write was decided, or the first since it was
// back at nothing: what ended in between began before. A split that was taken back from
// a stranger has no evidence until it serves again.
func (in Input) stepSince() time.Time {
	was := in.Progress
	rises := was.rises()
	switch {
	case was.Confirmed.Of(was.Candidate) == 0 && len(rises) > 0 && rises[len(rises)-1].At.After(was.Effective):
		return rises[len(rises)-1].At
	case !was.Effective.IsZero():
		return was.Effective
	case was.Confirmed.Of(was.Candidate) > 0:
		return in.Now
	default:
		return was.FirstWrite
	}
}

// throughNat tells whether a candidate or stable sends all its traffic into the
// VPC; the stricter of the two decides. While one cannot be read, a gateway that
// is named, or was watched before, goes on being watched.
func (in Input) throughNat(candidate string) bool {
	known := len(in.Plan.Gateways) > 0 || len(in.Progress.Watches) > 0
	for _, name := range []string{candidate, in.Progress.Stable} {
		if r := in.Revisions[name]; r.Egress == EgressAll || r.unread() && known {
			return true
		}
	}
	return false
}

// Seen tells whether what serves is that of now, if anything does: the service was read,
// also where only writes are refused, and not as it was in the past.
func (in Input) Seen() bool {
	return (in.Service.Presence == Found || in.Service.Presence == Denied) && !in.Past()
}

// stale tells whether the read is older than what was seen before.
func (in Input) stale() bool { return in.Service.Generation < in.Progress.Generation }

// Past tells whether the read shows the service as it was before it was seen last. One
// that was made anew counts its generations from 1, and is no past of the former.
func (in Input) Past() bool {
	return in.stale() && (in.Progress.ServiceUID == "" || in.Service.UID == in.Progress.ServiceUID)
}

// unwatchable tells whether a candidate's traffic would leave through a NAT that
// is not known.
func (in Input) unwatchable(candidate string) bool {
	return in.throughNat(candidate) && !in.Plan.NatUnwanted && in.astray() != ""
}

// judge asks every guard for its verdict.
func (v view) judge() []Check {
	if !v.Progress.active() || v.Progress.Candidate == "" || v.Service.Presence != Found && v.Service.Presence != Denied {
		return nil
	}
	checks := make([]Check, 0, len(v.Plan.Guards))
	for _, guard := range v.Plan.Guards {
		if guard.Mode == Off {
			continue
		}
		check := Check{Name: guard.Name, Mode: guard.Mode, Verdict: v.verdict(guard.Rule)}
		check.BreachedSince = v.breachedSince(check)
		checks = append(checks, check)
	}
	return checks
}

// verdict judges the time before the first write, or the step under way.
func (v view) verdict(rule analysis.Rule) analysis.Verdict {
	switch {
	case v.Service.Presence != Found:
		return analysis.Verdict{Outcome: analysis.NoData, Cause: analysis.CauseUnasked, Note: "not judged while " + v.barrier()}
	case v.scope.AttemptSince.IsZero():
		return rule.Preflight(v.scope, v.Answers)
	default:
		return rule.Judge(v.scope, v.Answers)
	}
}

// breachedSince is when a check's breach began. Only a verdict on the same
// split ends it: an answer that stays away, one throttled query of many, shows
// nothing healthy.
func (v view) breachedSince(c Check) time.Time {
	began := v.Progress.breachedSince(c.Name)
	outcome := c.Verdict.Outcome
	switch {
	case outcome == analysis.Breach && began.IsZero():
		return v.Now
	case outcome == analysis.Breach:
		return began
	case !v.was.Effective.IsZero() && (outcome == analysis.NoData || outcome == analysis.Incomplete),
		outcome == analysis.NotApplicable && v.revision(v.Progress.Candidate).unread():
		return began
	}
	return time.Time{}
}

// seesAgain tells whether every enforced check answers and was judged up to a
// minute after its data went missing. One good answer among bad ones is not
// enough, because it is about minutes before.
func (v view) seesAgain() bool {
	if _, missing := v.find(analysis.NoData); missing || v.blind || v.skew() != "" || v.cannotPace() {
		return false
	}
	_, through := v.evidence()
	return through.After(v.Progress.NoDataSince)
}

// breaches lists since when which guard is in breach, as far as is known.
func (v view) breaches() []BreachStart {
	var starts []BreachStart
	for _, c := range v.checks {
		if !c.BreachedSince.IsZero() {
			starts = append(starts, BreachStart{c.Name, c.BreachedSince})
		}
	}
	return starts
}

// dated is the verdict with the newest minute that it rests on: metrics are
// minutes behind, and whoever reads it must know how many.
func (c Check) dated() string {
	text := c.Name + ": " + c.Verdict.Note
	if c.Verdict.Through.IsZero() {
		return text
	}
	return text + ", data to " + Clock(c.Verdict.Through)
}

func (c Check) enforced() bool { return c.Mode == Enforce }

// find returns the first enforced check with an outcome.
func (v view) find(outcome analysis.Outcome) (Check, bool) {
	for _, c := range v.checks {
		if c.enforced() && c.Verdict.Outcome == outcome {
			return c, true
		}
	}
	return Check{}, false
}

// guard returns the guard of a check.
func (v view) guard(name string) Guard {
	for _, g := range v.Plan.Guards {
		if g.Name == name {
			return g
		}
	}
	return Guard{}
}

// evidence returns the minutes of the step that are healthy in every enforced
// check, and the newest minute that all of them have judged. Without a check
// that applies there is none: the clock is no evidence.
func (v view) evidence() (minutes int, through time.Time) {
	var healthy []time.Time
	first := true
	for _, c := range v.checks {
		switch {
		case !c.judges():
		case first:
			first, healthy, through = false, c.Verdict.Healthy, c.Verdict.Through
		default:
			healthy = analysis.Common(healthy, c.Verdict.Healthy)
			if c.Verdict.Through.Before(through) {
				through = c.Verdict.Through
			}
		}
	}
	return len(healthy), through
}

// judges tells whether a check can stop a bad revision: it is enforced, and has
// something to watch.
func (c Check) judges() bool { return c.enforced() && c.Verdict.Outcome != analysis.NotApplicable }

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
