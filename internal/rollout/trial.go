package rollout

import (
	"cmp"
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// Trial is an experiment: the candidate went back by one weight, to see whether a
// gateway's trouble that nobody can explain stops. The zero Trial is none.
type Trial struct {
	At       time.Time // when the lower weight was written
	From, To int64
	// Since is when the lower weight was first seen to serve; zero before.
	Since time.Time
	// Role is Bystander once the trouble has outlasted everything that the
	// candidate could have left behind. What has stopped is tried again by rising.
	Role nat.Role
}

// soonAfter is within what time of a rise a trouble comes back that it brought
// back.
const soonAfter = 5 * time.Minute

// tried is what the trial has shown by now.
func (v view) tried() Trial {
	t, p := v.Progress.Trial, v.Progress
	if !p.active() || t.At.IsZero() {
		return t
	}
	if t.Since.IsZero() && p.Confirmed.Of(p.Candidate) <= t.To && !p.Effective.Before(t.At) {
		t.Since = p.Effective
	}
	if !t.open(p) {
		return t
	}
	for _, c := range v.checks {
		if c.enforced() && aboutGateways(v.guard(c.Name).Rule) && c.outlasts(t) {
			t.Role = nat.Bystander
		}
	}
	return t
}

// open tells whether a trial has begun and shown nothing yet.
func (t Trial) open(p Progress) bool { return !t.Since.IsZero() && t.Role == "" && !t.over(p) }

// over tells whether the candidate has risen since.
func (t Trial) over(p Progress) bool {
	return len(p.Rises) > 0 && p.Rises[len(p.Rises)-1].At.After(t.At)
}

// until is when all that the candidate has left behind is gone for certain.
func (t Trial) until() time.Time { return nat.LingersUntil(t.Since).Addresses }

// outlasts tells whether the trouble that a trial is about still goes on when
// nothing of the candidate is left that could cause it.
func (c Check) outlasts(t Trial) bool {
	if c.Verdict.Outcome != analysis.Breach || c.Verdict.Stopped || c.Verdict.Through.Before(t.until()) {
		return false
	}
	for _, trouble := range c.Verdict.Troubles {
		if !trouble.Began.Before(t.Since) {
			return false // another one
		}
	}
	return true
}

// experience corrects what the numbers say by what the trial has shown.
func (v view) experience(t analysis.Trouble, said nat.Verdict) nat.Verdict {
	trial := v.Progress.Trial
	went := fmt.Sprintf("%s went back from %d%% to %d%% at %s", v.Progress.Candidate, trial.From, trial.To, Clock(trial.Since))
	switch rise, back := v.broughtBack(t); {
	case trial.Since.IsZero():
	case trial.Role == nat.Bystander && t.Began.Before(trial.Since):
		return nat.Verdict{Role: nat.Bystander, Because: fmt.Sprintf("it went on after %s, for longer than anything of it is left", went)}
	case said.Role == nat.Unknown && back:
		return nat.Verdict{Role: nat.Culprit, Because: fmt.Sprintf("it stopped after %s, and came back %d min after the rise at %s",
			went, int(t.Began.Sub(rise)/time.Minute), Clock(rise))}
	}
	return said
}

// broughtBack tells whether a trouble that had stopped during the trial came back
// soon after the rise to a weight at which it had been before, with nobody else
// around, and after which rise.
func (v view) broughtBack(t analysis.Trouble) (time.Time, bool) {
	trial := v.Progress.Trial
	var last nat.Rise
	for _, r := range v.Progress.rises() {
		if r.At.Before(t.Began) {
			last = r
		}
	}
	again := !trial.Since.IsZero() && trial.Role == "" && last.At.After(trial.Since) && last.From < trial.From
	return last.At, again && t.Began.Sub(last.At) <= soonAfter && v.othersHot(t) == 0
}

// stepDown goes back by one weight of the plan, once from each weight at most. To
// lower our own split is always allowed, and tells whether the candidate is what
// the gateway suffers from: from the first step it goes to 0 %, where the attempt
// begins anew, after the cool-down, with nothing given up. It does not do so over a
// wait for a person, who has been called already, nor onto a stable that is not
// well.
func (v view) stepDown(c Check) (Decision, bool) {
	p := v.Progress
	to, can := v.lower()
	if !can || c.Verdict.Stopped {
		return Decision{}, false
	}
	from := v.weight()
	v.Progress.Trial = Trial{At: v.Now, From: from, To: to}
	v.Progress.Approved = 0
	note := fmt.Sprintf("%s goes from %d%% back to %d%%, to see whether it stops: %s%s", p.Candidate, from, to, c.dated(), v.whose(c))
	d := v.at(Held, HeldByAnalysis, note).next(fmt.Sprintf(
		"Rises again when it stops; if it does not, it is not ours. Nothing is given up; abort sends everything to %s.", p.Stable))
	return v.write(d.tell(HeldByAnalysis, note, true), between(p.Candidate, p.Stable, to)), true
}

// lower is the weight of the plan below the candidate's, and whether it may step
// down to it.
func (v view) lower() (int64, bool) {
	p, from := v.Progress, v.weight()
	to := int64(0)
	for _, s := range v.Plan.Steps {
		if s.Weight < from {
			to = max(to, s.Weight)
		}
	}
	switch {
	case from == 0, !p.Trial.Since.IsZero() && from <= p.Trial.From:
		return to, false
	case p.needsVerb():
		return to, false
	case !v.Service.settled(), !v.desired.Equal(p.Confirmed), !v.effective.Equal(v.desired):
		return to, false
	}
	return to, v.revision(p.Stable).Readiness == Ready
}

// nextOf says what follows from a breach of a gateway.
func (v view) nextOf(c Check) string {
	p, gateway, due := v.Progress, c.Blame.Trouble.Gateway.Gateway, v.dueAt(c)
	to, can := v.lower()
	switch {
	case c.Blame.Role == nat.Bystander:
		return v.untilDeadline("Going back would not cure it; goes on by itself when it stops")
	case c.Blame.Role == nat.Culprit && due == "":
		return v.untilDeadline("Goes on when the check passes again")
	case c.Blame.Role == nat.Culprit:
		return fmt.Sprintf("Rolls back %s unless it stops; goes on by itself when it does.", due)
	case p.Trial.open(p):
		return v.untilDeadline("Goes on " + p.Trial.ends())
	case can && due != "":
		return fmt.Sprintf("A person should look at %s. Goes back to %d%% %s, to see whether it stops; goes on by itself when it does.",
			gateway, to, due)
	}
	return v.untilDeadline(fmt.Sprintf("A person should look at %s; abort sends everything to %s; goes on by itself when it stops", gateway, p.Stable))
}

// dueAt says when the policy of a check asks to go back, "" for never.
func (v view) dueAt(c Check) string {
	guard := v.guard(c.Name)
	switch {
	case guard.OnBreach == Rollback:
		return fmt.Sprintf("once the minutes after its beginning are known, at %s at the latest,", Clock(c.BreachedSince.Add(soonAfter)))
	case guard.RollbackAfter > 0:
		return "at " + Clock(c.BreachedSince.Add(guard.RollbackAfter))
	}
	return ""
}

// ends says how the trial will end, as the end of a sentence.
func (t Trial) ends() string {
	return fmt.Sprintf("by itself when it stops: it went back from %d%% to %d%% at %s to see that; if it has not stopped by %s it is not ours",
		t.From, t.To, Clock(t.Since), Clock(t.until()))
}

// heldBefore holds a start behind a gateway that suffers, also one that was begun
// before.
func (v view) heldBefore(c Check) Decision {
	p := v.Progress
	if p.Trial.Since.IsZero() || !aboutGateways(v.guard(c.Name).Rule) {
		return v.at(Held, HeldByAnalysis, "before the first write: "+c.dated()).next(
			v.untilDeadline("Starts by itself when that has stopped"))
	}
	d := v.at(Held, HeldByAnalysis, cmp.Or(v.atNothing(), fmt.Sprintf("%s is back at 0%% since %s: ", p.Candidate, Clock(p.Trial.Since)))+c.dated())
	if p.Trial.open(p) {
		return d.next(v.untilDeadline("Starts anew " + p.Trial.ends()))
	}
	d.Note += "; not ours: it went on for longer than anything of the candidate is left"
	return d.next(v.untilDeadline("Starts anew by itself when it stops"))
}
