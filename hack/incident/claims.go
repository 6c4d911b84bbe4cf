package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/nat"
)

// How long the incident lasts at once: about a quarter of an hour. Users lose at
// most this part of it with Sluice.
const (
	shortestIncident, longestIncident = 10, 25
	smallPart                         = 0.02
)

// essential are the scenes of the claims that the tests look at; the others take
// longer to play than they tell.
var essential = []string{"incident", "addresses", "instance-ports", "own-url", "own-url-loopback", "subnet", "asset-skew", "asset-affinity"}

// claimsOf holds what was played to what is promised.
func claimsOf(pairs map[string]pair) []claim {
	var claims []claim
	add := func(holds bool, text, found string, args ...any) {
		claims = append(claims, claim{text: text, found: fmt.Sprintf(found, args...), holds: holds})
	}
	instant, sluice := pairs["incident"].atOnce, pairs["incident"].stepwise
	f, g := instant.figures(), sluice.figures()
	add(instant.before() == 0, "before the release nothing fails", "%.2g%% of the requests", instant.before())
	add(f.trouble >= shortestIncident && f.trouble <= longestIncident,
		"at once, the incident lasts about a quarter of an hour", "%d minutes of trouble", f.trouble)
	add(instant.timedOut()*10 >= f.failed*9, "its users get 504", "%d of %d failures", instant.timedOut(), f.failed)
	add(instant.starved() >= f.trouble-2, "because lingering instances hold the NAT addresses",
		"in %d of these minutes new instances wait for ports beside old ones that idle", instant.starved())
	add(g.trouble == 0 && float64(g.failed) <= smallPart*float64(f.failed),
		"with Sluice its users have no trouble", "%d requests failed instead of %d, %d minutes of trouble", g.failed, f.failed, g.trouble)
	claims = append(claims, claim{
		text: "and the release gets all traffic in the end", found: g.time() + "; " + sluice.ends[0].state, holds: g.took > 0,
	})

	addresses := pairs["addresses"].atOnce.figures()
	idle := idleRetention(pairs["addresses"].atOnce.scene)
	add(addresses.trouble >= idle-3 && addresses.trouble <= idle+3,
		"where NAT addresses alone run short it lasts as long as idle instances are kept", "%d minutes of trouble, %d of retention", addresses.trouble, idle)
	ports := pairs["instance-ports"].atOnce.figures()
	add(ports.trouble >= 2 && ports.trouble <= 8 && ports.without == 0,
		"where the ports of each instance alone run short it lasts minutes", "%d minutes of trouble, %d endpoints without ports", ports.trouble, ports.without)
	return append(claims, claimsOfOthers(pairs)...)
}

// claimsOfOthers are about the scenes beside the incident, as far as they were played.
func claimsOfOthers(pairs map[string]pair) []claim {
	own, loopback := pairs["own-url"].stepwise, pairs["own-url-loopback"].stepwise
	claims := []claim{
		{
			text: "a front end that cannot reach its own URL never gets traffic, and Sluice tells Cloud Run's reason", found: own.ends[0].state,
			holds: own.figures().took == 0 && own.figures().failed == 0 && strings.Contains(own.ends[0].state, "HEALTH_CHECK_CONTAINER_ERROR"),
		},
		{
			text: "with its calls on 127.0.0.1 it is released", found: loopback.figures().time(),
			holds: loopback.figures().took > 0 && loopback.figures().failed == 0,
		},
		firstAlone("a bad start of every instance fails requests of the first step alone", pairs["instance-ports"]),
	}
	if p, ok := pairs["asset-affinity"]; ok {
		without := pairs["asset-skew"].stepwise
		claims = append(claims, lower("session affinity keeps pages and files together", p.stepwise, without), claim{
			text: "Sluice advises it where it is missing and a split breaks pages, and nowhere else",
			found: fmt.Sprintf("advised without it: %t, with it: %t, in the incident: %t", without.advised[nat.AssetsMissed],
				p.stepwise.advised[nat.AssetsMissed], pairs["incident"].stepwise.advised[nat.AssetsMissed]),
			holds: without.advised[nat.AssetsMissed] && !p.stepwise.advised[nat.AssetsMissed] && !pairs["incident"].stepwise.advised[nat.AssetsMissed],
		})
	}
	if p, ok := pairs["minimum-instances"]; ok {
		claims = append(claims, lower("minimum instances soften the switch at once", p.atOnce, pairs["incident"].atOnce))
	}
	if p, ok := pairs["connector"]; ok {
		claims = append(claims, lower("a connector has no instances to give ports to", p.atOnce, pairs["incident"].atOnce))
	}
	for _, name := range []string{"addresses", "subnet", "together", "constant-load", "minimum-instances"} {
		p, ok := pairs[name]
		if !ok {
			continue
		}
		c := lower(fmt.Sprintf("%s: with Sluice less is lost than at once", name), p.stepwise, p.atOnce)
		c.holds = c.holds && p.stepwise.figures().trouble <= 1
		claims = append(claims, c)
	}
	return claims
}

// lower claims that less is lost in a run than in another.
func lower(text string, less, more run) claim {
	a, b := less.figures(), more.figures()
	return claim{
		text: text, found: fmt.Sprintf("%d failed instead of %d, %d minutes of trouble instead of %d", a.failed, b.failed, a.trouble, b.trouble),
		holds: a.failed < b.failed && a.trouble <= b.trouble,
	}
}

// firstAlone claims that what fails with Sluice does so at the first step, and that
// it is less than at once. How long it lasts there is not claimed.
func firstAlone(text string, p pair) claim {
	first, later := p.stepwise.failedAt(firstStep)
	return claim{
		text: text, found: fmt.Sprintf("%d failed at %d%% and %d later, instead of %d", first, firstStep, later, p.atOnce.figures().failed),
		holds: first > 0 && later == 0 && first < p.atOnce.figures().failed,
	}
}

// firstStep is the weight of the default plan's first step.
const firstStep = 5

// idleRetention is how many minutes a scene's idle instances are kept.
func idleRetention(s scene) int {
	return int(time.Duration(s.world.Timing.IdleRetention) / time.Minute)
}

// timedOut is how many requests ended with 504 after the release.
func (r run) timedOut() int {
	sum := 0
	for _, m := range r.minutes {
		if m.end.After(r.released) {
			sum += m.timedOut
		}
	}
	return sum
}

// starved is in how many minutes of trouble endpoints waited for ports.
func (r run) starved() int {
	n := 0
	for _, m := range r.minutes {
		if m.end.After(r.released) && m.troubled() && m.without > 0 && m.ports*100 > m.capacity*95 {
			n++
		}
	}
	return n
}
