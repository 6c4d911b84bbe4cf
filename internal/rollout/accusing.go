package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// longestHearing is for how long after the minute that put users in breach a gateway may
// tell of it: its metrics are up to 285 s late, and those of two minutes are needed.
const longestHearing = 10 * time.Minute

// accuse sends everything back in one write where users fail, and leaves open whether the
// candidate is given up: a gateway that drops packets while it grows tells of the same
// minutes later than the requests do. The judgement waits for that, and no user.
func (v view) accuse(users Check) (Decision, bool) {
	since, awaited := v.unheard()
	if !awaited {
		return Decision{}, false
	}
	v.Progress.Accused, v.Progress.Approved, v.Progress.Requested = since, 0, ""
	v.Progress.Cause = users.dated()
	d := v.sendBack(v.Progress.Cause)
	if d.Progress.Phase != RollingBack {
		return Decision{}, false
	}
	d.Note += ". " + v.open()
	d.Next += " " + v.judgementDue()
	return d, true
}

// unheard is the end of the minute that put users in breach, where a gateway that grows has
// not told of it and of those right after.
func (v view) unheard() (time.Time, bool) {
	since, recent := v.began()
	if _, failed := v.failed(); failed || !recent || !v.Progress.Spared.IsZero() || v.Progress.needsVerb() {
		return time.Time{}, false
	}
	_, judged := v.culprit()
	return since, !judged && v.grows() && v.awaits(since)
}

// began is the end of the minute that put users in breach: with what was known a minute
// before nothing asked to go back. One that is older was long heard of.
func (v view) began() (time.Time, bool) {
	for since := v.Now.Truncate(time.Minute); v.Now.Before(since.Add(longestHearing)); since = since.Add(-time.Minute) {
		if v.explains(analysis.Trouble{Began: since}) {
			return since, true
		}
	}
	return time.Time{}, false
}

// dropping is what a gateway that grows suffered when users began to fail, where that is no
// breach, as in the minutes in which a step settles, and explains all the same why they
// fail: whom a dropped packet makes wait is one request.
func (v view) dropping(since time.Time) (Check, bool) {
	for _, c := range v.checks {
		rule, drops := v.guard(c.Name).Rule.(analysis.NatDroppedPackets)
		if !drops || !c.enforced() {
			continue
		}
		for _, g := range v.scope.Gateways {
			t, packets := rule.Dropping(v.scope, v.Answers, g, since)
			c.Blame = Blame{v.tells(t, nat.Blame(v.clues(c, t))), t}
			if !v.gateway(g).Growing || c.Blame.Role == nat.Culprit || !v.explains(t) ||
				analysis.Failures(v.Answers, v.scope.Candidate, t.Began.Add(-time.Minute)) > packets {
				continue
			}
			c.Verdict.Note = fmt.Sprintf("%s dropped %d packets while it grew", g, packets)
			return c, true
		}
	}
	return Check{}, false
}

// grows tells whether a gateway drops packets as a matter of course, whoever has instances
// started, and a check would find that.
func (v view) grows() bool {
	watched := slices.ContainsFunc(v.checks, func(c Check) bool {
		_, drops := v.guard(c.Name).Rule.(analysis.NatDroppedPackets)
		return drops && c.enforced()
	})
	return watched && slices.ContainsFunc(v.scope.Gateways, func(g analysis.Source) bool { return v.gateway(g).Growing })
}

// awaits tells whether it may still be heard whether a gateway dropped packets in the
// minute that ends at a time and in those right after.
func (v view) awaits(since time.Time) bool {
	return v.Now.Before(since.Add(longestHearing)) && slices.ContainsFunc(v.scope.Gateways, func(g analysis.Source) bool {
		return v.Answers.Of(analysis.Series{Metric: analysis.DroppedPackets, Source: g}).Through.Before(since.Add(firmly))
	})
}

// heard tells whether a way back that serves waits for what a gateway tells.
func (v view) heard() bool {
	serving := v.Service.split(v.Service.Effective)
	return !v.Progress.Accused.IsZero() && serving.Equal(all(v.Progress.Stable))
}

// hears ends that wait: the candidate is spared if a gateway suffered when users began to
// fail, and given up if none did, or if nothing was heard for too long. Nobody waits where a
// newer one takes its place.
func (v view) hears() (heard view, waits bool) {
	p := v.Progress
	if p.Accused.IsZero() {
		return v, false
	}
	if v.newer() != "" {
		v.Progress.Accused = time.Time{}
		return v, false
	}
	if gateway, excused := v.excuse(p.Accused); excused {
		return v.excused(p.Cause, gateway), false
	}
	_, failed := v.failed()
	gateway, judged := v.culprit()
	if !failed && !judged && v.awaits(p.Accused) {
		return v, true
	}
	if judged {
		p.Cause += "; " + gateway.dated() + v.whose(gateway)
	}
	v.Progress = p.latch(p.Candidate)
	v.Progress.Accused = time.Time{}
	return v, false
}

// awaitsWord stays on a way back that serves until it is known how it ends.
func (v view) awaitsWord() Decision {
	d := v.at(RollingBack, ReasonRollingBack, fmt.Sprintf("%s%s serves 100%%. %s", v.because(), v.Progress.Stable, v.open())).next(v.judgementDue())
	d.LookAt = v.Now.Add(regular)
	return d
}

// open says what is not known yet, as a sentence without its end.
func (v view) open() string {
	var names []string
	for _, g := range v.scope.Gateways {
		names = append(names, g.Gateway)
	}
	return fmt.Sprintf("Whether %s is given up is open until %s has told of these minutes: packets are dropped while it grows",
		v.Progress.Candidate, strings.Join(names, " or "))
}

// judgementDue says how that ends, as a sentence.
func (v view) judgementDue() string {
	p := v.Progress
	return fmt.Sprintf("%s is given up, at %s at the latest, unless packets were dropped by %s; abort gives it up now.",
		p.Candidate, Clock(p.Accused.Add(longestHearing)), Clock(p.Accused))
}

// judged forgets the minute that a way back is about where it is over, or known how it ends.
func (p Progress) judged() Progress {
	if p.Phase != RollingBack || p.latched(p.Candidate) {
		p.Accused = time.Time{}
	}
	return p
}
