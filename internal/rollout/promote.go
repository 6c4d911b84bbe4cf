package rollout

import "fmt"

// Promotion is a rise that a person asked for, until it was seen to serve. The zero
// Promotion is none.
type Promotion struct {
	Weight   int64 // percent
	Full     bool  // to the end, whatever the steps between say
	Override bool  // past what the gateways are known to have room for
}

// outlasts tells whether a promotion is still meant in a phase: its write may have
// been lost. What holds, pauses or leads back ends it, and it does not come back.
func (p Progress) outlasts() bool {
	switch p.Phase {
	case Checking, WarmingUp, Shifting, Baking:
		return p.Promoted.Weight > p.Confirmed.Of(p.Candidate)
	case Idle, AwaitingApproval, Held, Paused, RollingBack, RolledBack, Completed:
		return false
	default:
		return false
	}
}

// promoted makes the rise that a person asked for, and makes it again while it was
// not seen to arrive. It waits for no evidence and for no approval. A request that
// may not be followed is left to be refused.
func (v view) promoted() (Decision, bool) {
	if v.awaited() || !v.effective.Equal(v.desired) {
		return Decision{}, false
	}
	to, asked := v.Progress.Promoted, v.asked(Promote)
	if asked {
		to = v.promotion()
	}
	why := v.unpromotable(to)
	switch {
	case asked && why == "":
		d := v.promote(to)
		if d.Progress.Phase == Paused { // the list cannot be written
			return d, true
		}
		return v.accept(d, v.promises(to)), true
	case asked || to.Weight <= max(0, v.weight()): // none, or it has arrived
		return Decision{}, false
	case why == "":
		return v.promote(to), true
	}
	v.Progress.Promoted = Promotion{}
	return proceed(v).tell(RequestRefused, fmt.Sprintf("promote to %d%% did not arrive, and is not sent again: %s", to.Weight, why), true), true
}

// promotion is what a request to promote means now: the next weight, or all of it.
// At the last weight it is that one.
func (v view) promotion() Promotion {
	to := Promotion{Weight: 100, Full: v.Request.Full, Override: v.Request.Override}
	if n := v.Plan.after(v.weight()); n > 0 && !v.Request.Full {
		to.Weight = v.Plan.step(n).Weight
	}
	return to
}

// promises says in the answer what a promote does.
func (v view) promises(to Promotion) string {
	if to.Weight == v.weight() {
		return "the last bake is over, and the rollout complete"
	}
	return fmt.Sprintf("%s goes to %d%% in one write%s", v.Progress.Candidate, to.Weight, v.soFar())
}

// soFar says how much of its bake a step had.
func (v view) soFar() string {
	if v.Progress.Step == 0 {
		return ""
	}
	minutes, _ := v.evidence()
	needed := v.Plan.step(v.Progress.Step).minutes()
	return fmt.Sprintf(" after %d of %d healthy minutes", min(minutes, needed), needed)
}

// promote sends the weight, or ends the last bake.
func (v view) promote(to Promotion) Decision {
	if to.Weight == v.weight() {
		v.Progress.Cause, v.Progress.Clock = "", Stopwatch{}
		return v.complete().credited("promoted" + v.by() + v.soFar())
	}
	split := between(v.Progress.Candidate, v.Progress.Stable, to.Weight)
	v.Progress.Promoted, v.Progress.Cause = to, ""
	return v.lift(split).credited("promoted" + v.by() + v.soFar())
}

// unpromoted says why a promote is refused in the state that was decided, or "".
func (v view) unpromoted(d Decision) string {
	switch {
	case v.was.pausedByPerson():
		return v.was.Cause + ": ask to resume first"
	case !v.was.active() || v.was.needsVerb() && !v.was.late() || d.Progress.Phase == RollingBack || v.Progress.Candidate == "":
		return ""
	}
	return v.unpromotable(v.promotion())
}

// unpromotable says why a promotion may not be sent, or "".
func (v view) unpromotable(to Promotion) string {
	p, candidate := v.Progress, v.revision(v.Progress.Candidate)
	if v.Request.Full && to.Weight == v.weight() && v.asked(Promote) {
		return fmt.Sprintf("%s has 100%%; its last bake stays guarded: a promote without mode full ends it", p.Candidate)
	}
	if c, ok := v.inBreach(); ok {
		return fmt.Sprintf("%s, noticed %s; nothing is promoted past a breach", c.dated(), Clock(c.BreachedSince))
	}
	if candidate.unread() || candidate.Presence != Found || candidate.Readiness != Ready {
		return fmt.Sprintf("candidate %s is not known to be ready", p.Candidate)
	}
	if to.Weight == v.weight() {
		return ""
	}
	if !v.planned(to) {
		return "the steps were edited since; ask again if it is still meant"
	}
	if d, ok := v.noWayBack(); ok {
		return d.Note
	}
	if v.Hours.Shut {
		return "nothing rises " + v.Hours.since() + v.Hours.opening()
	}
	if d, ok := v.named(); ok {
		return d.Note
	}
	if v.skew() != "" {
		return v.skew()
	}
	if v.foreignTag() {
		return fmt.Sprintf("someone else put the tag %s on revision %s", Tag, v.Service.tagged(Tag))
	}
	if why := v.ceiling(to.Weight); why != "" && !to.Override {
		return why + "; mode: override goes past it"
	}
	return ""
}

// planned tells whether the steps still allow a promotion: it goes to the next one, or to
// the end whatever is between.
func (v view) planned(to Promotion) bool {
	n := v.Plan.after(v.weight())
	return to.Full || n > 0 && v.Plan.step(n).Weight == to.Weight
}

// inBreach returns an enforced check that is in breach, or was when its data
// stopped.
func (v view) inBreach() (Check, bool) {
	for _, c := range v.checks {
		if c.enforced() && !c.BreachedSince.IsZero() {
			return c, true
		}
	}
	return Check{}, false
}

// ceiling says why the gateways are not known to have room for a weight, or "": by
// the same rules as a rise that nobody asked for.
func (v view) ceiling(weight int64) string {
	p, until := v.Progress, v.Progress.Lowered.Add(coolDown)
	lacks, lacking := v.lacking()
	switch {
	case v.blind:
		return "nat: " + v.lost().Verdict.Note
	case p.Step == 0 && !p.Lowered.IsZero() && len(v.scope.Gateways) > 0 && v.Now.Before(until):
		return fmt.Sprintf("instances of the last attempt may hold NAT ports until %s", Clock(until))
	case p.Step == 0 && lacking:
		return lacks.Note
	case !v.paces():
		return ""
	case v.unforeseen() != "":
		return "nat: " + v.unforeseen()
	case !p.Hot.IsZero() && v.sent() == 0:
		return "nat: no gateway has reported a complete minute of the last rise yet"
	}
	c := v.course(v.weight(), weight)
	for i := range c.gateways {
		if f := c.forecast(i, weight); !f.Fits() {
			return "nat: " + f.String()
		}
	}
	return v.turn(c, weight)
}
