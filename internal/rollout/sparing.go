package rollout

import (
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// aboutUsers tells whether a rule judges how the candidate's own users fare, which a
// gateway that suffers may be the reason of.
func aboutUsers(rule analysis.Rule) bool {
	switch rule.(type) {
	case analysis.ServerErrors, analysis.ClientErrors, analysis.Latency:
		return true
	}
	return false
}

// hurts tells whether users suffer from what a rule finds at a gateway.
func hurts(rule analysis.Rule) bool {
	switch rule.(type) {
	case analysis.NatDroppedPackets, analysis.NatAllocationFailures:
		return true
	}
	return false
}

// excuse is what a gateway suffers that may be why the candidate's users fail since the
// minute that ends then: nobody has judged the candidate to be its cause, and they failed
// no earlier. There is one in an attempt at most, so that a candidate that fails by itself is
// not tried for ever, and none where a person is waited for, who would find another state.
func (v view) excuse(since time.Time) (Check, bool) {
	p := v.Progress
	if _, failed := v.failed(); failed || !p.Spared.IsZero() || p.needsVerb() {
		return Check{}, false
	}
	if _, judged := v.culprit(); judged {
		return Check{}, false
	}
	for _, g := range v.checks {
		if !g.enforced() || g.Verdict.Outcome != analysis.Breach || !hurts(v.guard(g.Name).Rule) {
			continue
		}
		if v.explains(g.Blame.Trouble) {
			return g, true
		}
	}
	return v.dropping(since)
}

// culprit is the breach of a gateway of which the candidate is known to be the cause.
func (v view) culprit() (Check, bool) {
	for _, c := range v.checks {
		if c.enforced() && c.Verdict.Outcome == analysis.Breach && c.Blame.Role == nat.Culprit {
			return c, true
		}
	}
	return Check{}, false
}

// explains tells whether all that users suffer from may come from a gateway's trouble:
// without the minutes since it began no check of theirs would ask to go back.
func (v view) explains(t analysis.Trouble) bool {
	if t.Began.IsZero() {
		return false
	}
	before := v.Answers.Until(t.Began.Add(-time.Minute))
	for _, c := range v.checks {
		rule := v.guard(c.Name).Rule
		if aboutGateways(rule) || !v.due(c) {
			continue
		}
		if !aboutUsers(rule) {
			return false
		}
		if then := rule.Judge(v.scope, before); then.Outcome == analysis.Breach && !then.Shared {
			return false
		}
	}
	return true
}

// spare sends everything back in one write, and gives nothing up: the candidate's users
// fail while a gateway suffers, which may be another's doing. The attempt begins anew
// once the candidate's instances have left and the gateways are well.
func (v view) spare(users Check) (Decision, bool) {
	since, _ := v.began()
	gateway, excused := v.excuse(since)
	if !excused {
		return Decision{}, false
	}
	v = v.excused(users.dated(), gateway)
	d := v.sendBack(v.Progress.Cause)
	if d.Progress.Phase != RollingBack {
		return Decision{}, false
	}
	d.Note += fmt.Sprintf(". Nothing is given up: %s is tried once more", v.Progress.Candidate)
	d.Next += fmt.Sprintf(" Begins anew after the cool-down, when the gateways are well; abort gives %s up.", v.Progress.Candidate)
	return d, true
}

// excused remembers that users failed while a gateway suffered, so that nothing is given up.
func (v view) excused(users string, gateway Check) view {
	p := &v.Progress
	p.Trial = Trial{At: v.Now, From: max(v.weight(), v.desired.Of(p.Candidate))}
	p.Spared, p.Approved, p.Accused = v.Now, 0, time.Time{}
	p.Cause = fmt.Sprintf("%s; meanwhile %s, since %s%s", users, gateway.dated(), Clock(gateway.Blame.Trouble.Began), v.whose(gateway))
	return v
}

// sparing tells whether a way back is under way that gives nothing up.
func (p Progress) sparing() bool {
	return p.Phase == RollingBack && !p.Spared.IsZero() && p.Trial.At.Equal(p.Spared) && p.Trial.Since.IsZero() && !p.latched(p.Candidate)
}

// beginsAnew ends a way back that gave nothing up: the attempt stands before its first
// step, without what was judged.
func (v view) beginsAnew() Decision {
	p := v.Progress.anew()
	p.Effective, p.Trial.Since, p.Step, p.Baked, p.ThinAccepted = v.Now, v.Now, 0, 0, 0
	p.NoDataSince, p.Breaches, p.Clock = time.Time{}, nil, Stopwatch{}
	v.Progress = p
	return v.at(Checking, Preparing, fmt.Sprintf("%s%s serves 100%%; %s is not given up", v.because(), p.Stable, p.Candidate)).next(
		"Begins anew after the cool-down, when the gateways are well.")
}

// atNothing says why a candidate that was not given up is back at nothing, as the
// beginning of a sentence; "" where it is not.
func (v view) atNothing() string {
	p := v.Progress
	if p.Spared.IsZero() || p.Cause == "" || p.Step > 0 {
		return ""
	}
	return fmt.Sprintf("%s is back at 0%% since %s and not given up: %s; ", p.Candidate, Clock(p.Trial.Since), p.Cause)
}

// again says that a candidate that is given up had its second try, as the end of a
// sentence.
func (v view) again() string {
	if v.Progress.Spared.IsZero() {
		return ""
	}
	return fmt.Sprintf("; it was tried once more, since everything went back at %s while a gateway suffered", Clock(v.Progress.Spared))
}
