package nat

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Claim is one rollout's wish to take a step behind a gateway.
type Claim struct {
	// ID tells claims apart, and is never shown.
	ID string
	// Since when the rollout has waited for this step, or has taken it.
	Since time.Time
	// Ports that it may still take, from its [Forecast].
	Ports int64
	// Hot: its step has been taken and no complete evidence of the gateway has
	// followed.
	Hot bool
	// Back: it goes back, and waits for nobody.
	Back bool
}

// Turn is whether a rollout may take its step.
type Turn struct {
	Go bool
	// Why it waits, in one clause that names nobody.
	Why string
}

// WhoseTurn tells whether the rollout with an ID may take its step. One hot step
// at a time, unless the headroom covers them all; the oldest first, then the
// least ID. One that does not fit even alone keeps nobody else waiting.
//
// What others may still take is counted from their claims, so g.Reserved is not.
// Claims of rollouts that no longer exist must not be given: they would stay hot.
//
// The headroom is that of the gateway, and no more than what the rollout's subnet
// has addresses for: nobody tells which subnets the others are in, so they are
// taken to be in the same.
func WhoseTurn(g Gateway, s Subnet, p Policy, claims []Claim, id string) Turn {
	line := newLine(g, s, p, claims)
	for _, c := range line.waiting {
		turn := line.take(c)
		if c.ID == id {
			return turn
		}
	}
	if slices.ContainsFunc(claims, func(c Claim) bool { return c.ID == id }) {
		return Turn{Go: true} // it is hot or goes back: nothing is left to wait for
	}
	return Turn{Why: "its claim on " + g.Name + " is not known yet"}
}

// line is the rollouts that wait behind a gateway, and what they can still have.
type line struct {
	gateway  string
	auto     bool
	headroom int64 // ports for a rollout that is alone
	left     int64 // of it, and of the subnet, beside those that go
	going    bool  // somebody goes already
	ahead    bool  // an older one waits that will fit later
	waiting  []Claim
}

func newLine(g Gateway, s Subnet, p Policy, claims []Claim) line {
	g.Reserved = 0
	now := Foresee(g, Fleet{}, p, 0)
	l := line{gateway: g.Name, auto: g.Auto, headroom: now.Headroom() * now.Each}
	l.left = l.headroom
	if s.limits() {
		l.left = min(l.left, s.Instances()*now.perInstance(p.usable())*now.Each)
	}
	for _, c := range claims {
		if !c.Hot && !c.Back {
			l.waiting = append(l.waiting, c)
			continue
		}
		l.spend(c)
	}
	slices.SortStableFunc(l.waiting, func(a, b Claim) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	})
	return l
}

// spend takes a claim's ports from what is left. Who takes none is in nobody's
// way.
func (l *line) spend(c Claim) {
	l.going = l.going || count(c.Ports) > 0
	l.left = max(0, l.left-count(c.Ports))
}

// take decides on the next claim of the line.
func (l *line) take(c Claim) Turn {
	alone := l.auto || count(c.Ports) <= l.headroom
	switch {
	case l.ahead:
		return Turn{Why: "another rollout behind " + l.gateway + " has waited longer"}
	case !alone:
		return Turn{Why: fmt.Sprintf("it may take %s ports and %s has room for %s",
			thousands(c.Ports), l.gateway, thousands(l.headroom))}
	case !l.going || count(c.Ports) <= l.left:
		l.spend(c)
		return Turn{Go: true}
	}
	l.ahead = true
	return Turn{Why: fmt.Sprintf("another rollout behind %s takes its step, which leaves room for %s of %s ports",
		l.gateway, thousands(l.left), thousands(c.Ports))}
}
