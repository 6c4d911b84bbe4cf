package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/nat"
)

// ID is by what a rollout's own claim is told from those of its peers: its UID, or
// its service where it has none.
func (in Input) claimID() string {
	ref := in.Plan.Service
	return cmp.Or(in.Self.UID, fmt.Sprintf("projects/%s/locations/%s/services/%s", ref.Project, ref.Location, ref.Name))
}

// turn says why a rise to a weight must let others go first, or "". One that
// starts no instance takes nothing from anybody.
func (v view) turn(c course, weight int64) string {
	id, ports := v.claimID(), int64(0)
	for i := range c.gateways {
		ports += c.forecast(i, weight).Ports()
	}
	if ports == 0 || !v.Progress.Hot.IsZero() {
		return ""
	}
	for i, g := range c.gateways {
		own := nat.Claim{ID: id, Since: cmp.Or(v.Progress.Waiting, v.Now), Ports: c.forecast(i, weight).Ports()}
		if turn := nat.WhoseTurn(g, c.fleet.Subnet, c.policy, append(v.claims(c.sources[i]), own), id); !turn.Go {
			return turn.Why
		}
	}
	return ""
}

// nothing is no weight at all: not even that of a warm-up, which is 0.
const nothing = -1

// claiming notes what a rise to a weight would take of each gateway. One that does
// not fit claims nothing, so that it keeps nobody else waiting; but while a rise is
// hot that was sent and not seen, it may still land and take what it claimed.
func (v view) claiming(c course, weight int64) view {
	mayLand := v.sent() > 0 && !v.Progress.Hot.IsZero()
	watches := make([]Watch, 0, len(c.sources))
	for i, source := range c.sources {
		w := v.watch(source)
		if !mayLand {
			w.Claimed = 0
		}
		if weight != nothing {
			w.Claimed = max(w.Claimed, c.forecast(i, weight).Ports())
		}
		watches = append(watches, w)
	}
	v.Progress.Watches = watches
	return v
}

// waitForTurn holds a rise that would fit until others have made theirs.
func (v view) waitForTurn(c course, weight int64, why string) Decision {
	next := "Goes on when that one has taken its step; the one that has waited longest goes first."
	if until := v.hotUntil(c); !until.IsZero() {
		next = fmt.Sprintf("Goes on when the gateway has reported what that takes, at %s at the latest; the one that has waited longest goes first.",
			Clock(until))
	}
	return v.claiming(c, weight).waits(fmt.Sprintf("%s; %s waits for its turn: %s", v.stands(), rising(weight), why), next)
}

// rising names a rise to a weight.
func rising(weight int64) string {
	if weight == 0 {
		return "the warm-up"
	}
	return fmt.Sprintf("%d%%", weight)
}

// hotUntil is when the last of the others that are hot no longer is; zero without.
func (v view) hotUntil(c course) time.Time {
	var until time.Time
	for _, p := range v.Peers {
		if p.Claim.Hot && slices.Contains(c.sources, p.Gateway) {
			until = later(until, p.Claim.Since.Add(longestHeat))
		}
	}
	return until
}

// waits holds a rise for a gateway. It does so for as long as it takes, and says
// so when that is longer than a step may take otherwise.
func (v view) waits(note, next string) Decision {
	p := &v.Progress
	p.Waiting = cmp.Or(p.Waiting, v.Now)
	long := v.Now.Sub(p.Waiting) >= v.Plan.StepDeadline
	told := p.WaitTold
	if p.WaitTold = long; !long {
		return v.at(Held, WaitingForNat, note).next(next)
	}
	note += fmt.Sprintf("; it has waited since %s, which is longer than %s", Clock(p.Waiting), v.Plan.StepDeadline)
	d := v.at(Held, WaitingForNat, note).next(next)
	if told {
		return d
	}
	return d.tell(StillWaitingForNat, note, true)
}
