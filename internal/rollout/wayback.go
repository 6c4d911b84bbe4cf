package rollout

import (
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/internal/nat"
)

// Retreat is a way back that takes more than one write, as far as it has come. The
// zero Retreat is one that takes a single write.
type Retreat struct {
	Began, Last time.Time // when its first and its latest write were decided
	Sent        int       // how many there were
	Weight      int64     // that the latest asks for
}

// retreat gives the candidate up for what it does to a gateway. Everything goes
// back at once where stable has the instances, else in a few writes: to start them
// all at a time would be another release.
func (v view) retreat(cause string) Decision {
	v.Progress = v.Progress.latch(v.Progress.Candidate)
	v.Progress.Requested, v.Progress.Cause, v.Progress.Retreat = "", cause, Retreat{}
	return v.lowers()
}

// lowers makes the next write of a way back when it is due. It asks the clock and
// Cloud Run alone, because metrics may be what failed.
func (v view) lowers() Decision {
	p := v.Progress
	back, again := p.Retreat, false
	weight := v.desired.Of(p.Candidate)
	if back.Sent > 0 && weight > back.Weight {
		again = true // the latest has not arrived, so it is made anew
		if back.Sent--; back.Sent == 0 {
			back = Retreat{}
		}
	}
	l := nat.WayBack(nat.Retreat{
		Weight: weight, Rises: p.rises(), Began: back.Began, Last: back.Last, Sent: back.Sent, Holds: v.holds(),
	}, v.Now)
	if v.Now.Before(l.At) && !again {
		return v.at(RollingBack, ReasonRollingBack, fmt.Sprintf("%s%s has gone back to %d%%: %s",
			v.because(), p.Candidate, weight, l.Why)).next(v.schedule(l, back))
	}
	if l.Weight == 0 || weight == 0 {
		return v.sendBack(v.because() + l.Why)
	}
	if back.Sent == 0 {
		back.Began = v.Now
	}
	v.Progress.Retreat = Retreat{Began: back.Began, Last: v.Now, Sent: back.Sent + 1, Weight: l.Weight}
	v.Progress.Confirmed, v.Progress.Intents = v.desired, p.unseen("")
	note := fmt.Sprintf("%s%s goes from %d%% back to %d%%: %s", v.because(), p.Candidate, weight, l.Weight, l.Why)
	return v.write(v.at(RollingBack, ReasonRollingBack, note).next(fmt.Sprintf(
		"All of it is back by %s; errors of users, or abort, send everything at once.", moment(back.end()))), between(p.Candidate, p.Stable, l.Weight))
}

// end is when the last write of a way back is due.
func (r Retreat) end() time.Time { return r.Began.Add((nat.MostLowerings - 1) * nat.Spacing) }

// schedule says what is left of a way back, and when.
func (v view) schedule(l nat.Lowering, back Retreat) string {
	const sooner = "errors of users, or abort, send everything at once."
	if l.Weight == 0 {
		return fmt.Sprintf("The rest goes back at %s; %s", moment(l.At), sooner)
	}
	return fmt.Sprintf("Goes to %d%% at %s, and the rest by %s; %s", l.Weight, moment(l.At), moment(back.end()), sooner)
}

// moment writes a time of the next minutes.
func moment(t time.Time) string { return t.UTC().Format("15:04:05Z") }

// holds is for how much of the traffic the gateways had room for further instances
// when they were last seen; 0 where that is not known.
func (v view) holds() int64 {
	holds, fleet := int64(100), v.fleet()
	if len(v.scope.Gateways) == 0 || fleet.Busy == 0 && fleet.Stable+fleet.Candidate == 0 {
		return 0
	}
	fleet.Subnet = v.subnet(v.Progress.Stable, fleet)
	for _, source := range v.scope.Gateways {
		s := v.gateway(source)
		if !s.Known {
			return 0
		}
		holds = min(holds, nat.Holds(s.Gateway, fleet, v.policy()))
	}
	return holds
}

// broken says why the candidate must go back at once, whatever its gateways: it is
// gone, it failed, or its users do.
func (v view) broken() (string, bool) {
	if why, ok := v.failed(); ok {
		return why, true
	}
	c, ok := v.failing()
	return c.dated(), ok
}

// failed says why the candidate can serve no more, or cannot be given what it should.
func (v view) failed() (string, bool) {
	candidate := v.revision(v.Progress.Candidate)
	switch {
	case candidate.Presence == Missing:
		return fmt.Sprintf("candidate %s no longer exists", v.Progress.Candidate), true
	case candidate.Readiness == NotReady:
		return fmt.Sprintf("candidate %s is not ready: %s", v.Progress.Candidate, candidate.Why), true
	case v.notApplied():
		return v.applier() + " could not apply the split: " + v.Service.Failure, true
	}
	return "", false
}

// failing is the first breach that leads back and is not about a gateway.
func (v view) failing() (Check, bool) {
	for _, c := range v.checks {
		if !aboutGateways(v.guard(c.Name).Rule) && v.due(c) {
			return c, true
		}
	}
	return Check{}, false
}

// hurried says why a way back that was begun in steps ends in one write, or "".
func (v view) hurried() string {
	if v.Deleting {
		return "the rollout is being deleted"
	}
	why, ok := v.broken()
	if !ok {
		return ""
	}
	return why
}

// staged tells whether a way back is under way that takes further writes.
func (v view) staged() bool {
	p := v.Progress
	return p.Retreat.Sent > 0 && v.desired.Of(p.Candidate) > 0
}
