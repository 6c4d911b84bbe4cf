package nat

import (
	"fmt"
	"time"
)

// Rise is a saved rise of the candidate's weight.
type Rise struct {
	At   time.Time
	From int64 // the weight before it
}

// Retreat is a way back as far as it has come. Everything in it is saved with
// the rollout or read from Cloud Run; nothing comes from Monitoring, which may
// be what failed.
type Retreat struct {
	// Weight that the candidate has now.
	Weight int64
	// Rises of this attempt.
	Rises []Rise
	// Began is when the first write of the way back was made, Last when the
	// latest was, Sent how many there were. Zero before the first.
	Began, Last time.Time
	Sent        int
	// AtOnce finishes in one write: users fail, or a person asks.
	AtOnce bool
	// Holds is the percent of the service's traffic for which the gateway had
	// room for further instances when it was last seen, see [Holds]. 0: not
	// known, or none.
	Holds int64
}

// Lowering is the next write of a way back.
type Lowering struct {
	Weight int64     // of the candidate, less than now
	At     time.Time // when it is due
	Why    string    // one clause
}

const (
	// MostLowerings is how many writes a way back takes at most.
	MostLowerings = 3
	// Spacing is how far apart they are: an instance reaches the network behind
	// Cloud NAT within about a minute (docs run/configuring/vpc-direct-vpc), and
	// three writes stay within three minutes.
	Spacing = 75 * time.Second
	// cheap is the percent of traffic that stable takes cold in one write: a
	// rollout's first step asks as much of a gateway.
	cheap = 5
)

// WayBack is the next write of a way back: one where stable still has the
// instances that the traffic needs, else at most three within three minutes,
// spaced by time alone, each lowering the candidate. The first takes back what
// stable has instances for, the second most of the rest.
func WayBack(r Retreat, now time.Time) Lowering {
	weight := min(max(r.Weight, 0), 100)
	cold := r.cold(weight, now)
	holds := int64(0)
	if r.Sent <= 0 { // later it is spent
		holds = max(r.Holds, 0)
	}
	l := Lowering{At: r.due(now)}
	switch {
	case r.AtOnce:
		return Lowering{At: now, Why: "everything goes back at once"}
	case r.Sent > 0 && (r.Sent >= MostLowerings-1 || !now.Before(r.Began.Add((MostLowerings-1)*Spacing))):
		l.Why = "the last write of the way back"
		return l
	case cold <= max(cheap, holds):
		l.Why = warm(cold)
		return l
	case r.Sent > 0:
		l.Weight = weight * 2 / 5
	case cold < weight:
		l.Weight = cold
	default:
		l.Weight = weight / 2
	}
	l.Weight = max(0, min(l.Weight, cold-holds))
	l.Why = fmt.Sprintf("stable has no instances for %d%% of the traffic, so it goes back in steps", cold)
	return l
}

// warm says why a single write is enough.
func warm(cold int64) string {
	switch {
	case cold == 0:
		return "stable still has the instances"
	case cold <= cheap:
		return fmt.Sprintf("stable has instances for all but %d%% of the traffic", cold)
	}
	return fmt.Sprintf("the gateway has room for the instances that stable lacks for %d%% of the traffic", cold)
}

// due is when the next write may be made: late ones are not waited for, and a
// clock that went back delays by no more than the spacing.
func (r Retreat) due(now time.Time) time.Time {
	due, last := r.Last.Add(Spacing), r.Began.Add((MostLowerings-1)*Spacing)
	if last.Before(due) {
		due = last
	}
	switch {
	case r.Sent <= 0 || due.Before(now):
		return now
	case due.After(now.Add(Spacing)):
		return now.Add(Spacing)
	}
	return due
}

// cold is the percent of traffic that stable has no instances for: what the
// candidate has had for longer than instances linger.
func (r Retreat) cold(weight int64, now time.Time) int64 {
	cold := weight
	for _, rise := range r.Rises {
		if now.Sub(rise.At) < InstancesLinger {
			cold = min(cold, max(rise.From, 0))
		}
	}
	return cold
}

// Holds is for how many percent of the service's traffic a gateway, and the subnet
// of a fleet, have room for further instances of stable. The reserve is there for
// this, so it is not kept.
func Holds(g Gateway, f Fleet, p Policy) int64 {
	p.ReservePercent = 0
	f.Busy = f.Load()
	f.Candidate, f.CandidateLeast, f.ServiceLeast = 0, 0, 0
	f.CandidateMost = 0
	return LargestSafeWeight([]Gateway{g}, f, p, 0, 100)
}
