package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

// How long the incident lasts at once: about a quarter of an hour. Users lose at
// most this part of it with Sluice.
const (
	shortestIncident, longestIncident = 10, 25
	smallPart                         = 0.02
)

// firstStep is the weight of the default plan's first step.
const firstStep = 5

// unreleased are the scenes whose release does not get all traffic with Sluice, and
// how it ends there.
var unreleased = map[string]string{
	"own-url":              "Idle/RevisionNotReady",
	"instance-ports":       "RolledBack/RolledBack",
	"dynamic-tight":        "Held/",
	"endpoint-independent": "Paused/StepDeadlineExceeded",
	"minimum-of-revision":  "Held/WaitingForNat",
	"asset-skew":           "RolledBack/RolledBack",
}

// claimsOf holds what was played to what is promised.
func claimsOf(pairs map[string]pair) []claim {
	instant, sluice := pairs["incident"].atOnce, pairs["incident"].stepwise
	f, g := instant.figures(), sluice.figures()
	addresses, ports := pairs["addresses"].atOnce.figures(), pairs["instance-ports"].atOnce.figures()
	idle := idleRetention(pairs["addresses"].atOnce.scene)
	claims := []claim{
		claimed(instant.before() == 0, "before the release nothing fails", "%.2g%% of the requests", instant.before()),
		claimed(f.trouble >= shortestIncident && f.trouble <= longestIncident,
			"at once, the incident lasts about a quarter of an hour", "%d minutes of trouble", f.trouble),
		claimed(instant.timedOut()*10 >= f.failed*9, "its users get 504", "%d of %d failures", instant.timedOut(), f.failed),
		claimed(instant.starved() >= f.trouble-2, "while next to all ports are lent and endpoints wait for some",
			"in %d of these minutes", instant.starved()),
		claimed(g.trouble == 0 && float64(g.failed) <= smallPart*float64(f.failed),
			"with Sluice its users have no trouble", "%d requests failed instead of %d, %d minutes of trouble", g.failed, f.failed, g.trouble),
		claimed(addresses.trouble >= idle-3 && addresses.trouble <= idle+3,
			"where NAT addresses alone run short it lasts as long as idle instances are kept", "%d minutes of trouble, %d of retention", addresses.trouble, idle),
		claimed(ports.trouble >= 2 && ports.trouble <= 8 && ports.without == 0,
			"where the ports of each instance alone run short it lasts minutes", "%d minutes of trouble, %d endpoints without ports", ports.trouble, ports.without),
	}
	return slices.Concat(claims, claimsOfEnds(pairs), claimsOfLosses(pairs), claimsOfWays(pairs), claimsOfGateways(pairs), claimsOfAssets(pairs))
}

func claimed(holds bool, text, found string, args ...any) claim {
	return claim{text: text, found: fmt.Sprintf(found, args...), holds: holds}
}

// claimedAdvice claims that a finding is told when the candidate has a weight.
func claimedAdvice(text string, r run, code nat.Code, weight int64) claim {
	at, told := r.advised[code]
	return claimed(told && at == weight, text, "%s at %d%%: %t", code, at, told)
}

// claimsOfEnds are about how each release ends with Sluice.
func claimsOfEnds(pairs map[string]pair) []claim {
	var reached, missed []string
	var claims []claim
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		r := pairs[name].stepwise
		took := r.figures().took
		ends, expected := unreleased[name]
		switch {
		case expected:
			claims = append(claims, claimed(took == 0 && strings.HasPrefix(r.ends[0].state, ends), name+": ends as "+ends, "%s", r.ending()))
		case took > 0:
			reached = append(reached, name)
		default:
			missed = append(missed, name+" "+r.ending())
		}
	}
	own, minimum := pairs["own-url"].stepwise, pairs["minimum-of-revision"].stepwise
	return append(claims,
		claimed(len(missed) == 0, "every other release gets all traffic with Sluice", "%d do; not: %s", len(reached), strings.Join(missed, ", ")),
		claimed(own.figures().failed == 0 && strings.Contains(own.ends[0].state, "HEALTH_CHECK_CONTAINER_ERROR"),
			"of a front end that cannot reach its own URL Sluice tells Cloud Run's reason", "%s", own.ends[0].state),
		claimedAdvice("and advises to call 127.0.0.1 first, before anything is released", own, nat.OwnURLCalled, 0),
		claimedAdvice("it does so as well where all its traffic still leaves through the VPC", pairs["own-url-all-traffic"].stepwise, nat.OwnURLCalled, 0),
		claimed(strings.Contains(minimum.ends[0].next, "--min-instances") && strings.Contains(minimum.ends[0].next, "--min,"),
			"of a minimum that starts too many at once it says which one would fit", "%s", minimum.ends[0].next),
	)
}

// quiet are the scenarios in which users notice next to nothing of a release with Sluice.
var quiet = []string{"addresses", "subnet", "database-public", "together", "constant-load", "minimum-instances", "own-url-all-traffic"}

// claimsOfLosses are about what fails with Sluice, and at which step.
func claimsOfLosses(pairs map[string]pair) []claim {
	var claims []claim
	for _, name := range quiet {
		claims = append(claims, pairs[name].loses(name+": with Sluice next to nothing is lost, and that not by the gateway"))
	}
	bad := pairs["instance-ports"]
	first, later := bad.stepwise.failedAt(firstStep)
	return append(claims, claimed(first > 0 && later == 0 && first < bad.atOnce.figures().failed,
		"a bad start of every instance fails requests of the first step alone",
		"%d failed at %d%% and %d later, instead of %d", first, firstStep, later, bad.atOnce.figures().failed))
}

// loses claims that next to nothing is lost with Sluice, less than at once if anything, and in no more
// minutes of trouble, of which there is one at most; and nothing of it by the gateway.
func (p pair) loses(text string) claim {
	f, once := p.stepwise.figures(), p.atOnce.figures()
	first, later := p.stepwise.failedAt(firstStep)
	return claimed((f.failed < once.failed || f.failed == 0) && f.trouble <= min(1, once.trouble) && f.percent() < mostLost && f.dropped == 0 && f.without == 0, text,
		"%d failed instead of %d, %d minutes of trouble instead of %d; %d at the first step, %d later; %d packets dropped, %d endpoints without ports",
		f.failed, once.failed, f.trouble, once.trouble, first, later, f.dropped, f.without)
}

// mostLost is the percentage of requests below which next to nothing is lost: those
// that wait for the network of a new instance longer than their timeout.
const mostLost = 0.02

// claimsOfWays are about the ways that calls take, and minimum instances.
func claimsOfWays(pairs map[string]pair) []claim {
	loopback := pairs["own-url-loopback"].stepwise.figures()
	public, private := pairs["database-public"].stepwise.figures(), pairs["database-private"].stepwise.figures()
	minimum, incident := pairs["minimum-instances"].atOnce.figures(), pairs["incident"].atOnce.figures()
	return []claim{
		claimed(loopback.failed == 0, "with its calls on 127.0.0.1 the front end is released without a failure", "%d failed", loopback.failed),
		lower("a connector has no instances to give ports to", pairs["connector"].atOnce, pairs["incident"].atOnce),
		lower("a database by a private address is lost less at once", pairs["database-private"].atOnce, pairs["database-public"].atOnce),
		claimed(public.failed == private.failed && public.endpoints == private.endpoints && public.dropped == 0,
			"with Sluice the path does not matter: instances take ports by either, and nobody lacks any",
			"%d and %d failed, %d and %d endpoints, %d packets dropped", public.failed, private.failed, public.endpoints, private.endpoints, public.dropped),
		claimed(minimum.failed < incident.failed && minimum.trouble >= incident.trouble-2,
			"minimum instances lower the switch at once by little, and do not shorten it: the old ones hold the ports all the same",
			"%d failed instead of %d, %d minutes of trouble instead of %d", minimum.failed, incident.failed, minimum.trouble, incident.trouble),
	}
}

// claimsOfGateways are about what a gateway may be like beside static ports of named
// addresses.
func claimsOfGateways(pairs map[string]pair) []claim {
	static, growing, mapped := pairs["instance-ports"], pairs["dynamic-ports"], pairs["endpoint-independent"]
	drops, tight := growing.atOnce.figures().dropped, pairs["dynamic-tight"]
	foreseen := lower("where ports have grown and few are left, Sluice waits for room for what they will grow to again", tight.stepwise, tight.atOnce)
	foreseen.holds = foreseen.holds && tight.stepwise.figures().trouble == 0 && tight.stepwise.full() == 0 && tight.stepwise.waits()
	foreseen.found += fmt.Sprintf("; %d and %d minutes with 95%% of the ports lent", tight.stepwise.full(), tight.atOnce.full())
	advised, found := mapped.stepwise.advised[nat.EndpointsCollide]
	return []claim{
		claimed(growing.atOnce.figures().failed < static.atOnce.figures().failed, "where ports grow fewer requests fail than where they do not",
			"%d failed instead of %d", growing.atOnce.figures().failed, static.atOnce.figures().failed),
		claimed(drops > 0, "while they grow packets are dropped", "%d at once", drops),
		claimed(growing.stepwise.figures().failed < growing.atOnce.figures().failed,
			"with Sluice fewer requests fail, though packets are dropped at each rise, also of a second try", "%d failed instead of %d, %d dropped instead of %d",
			growing.stepwise.figures().failed, growing.atOnce.figures().failed, growing.stepwise.figures().dropped, drops),
		foreseen,
		lower("a gateway that takes addresses by itself has the new instances' room", pairs["automatic-addresses"].atOnce, pairs["incident"].atOnce),
		claimed(pairs["automatic-addresses"].stepwise.figures().failed == 0 && pairs["automatic-addresses"].stepwise.figures().took < pairs["incident"].stepwise.figures().took,
			"and Sluice does not hold for it what has to wait in the incident", "%s instead of %s",
			pairs["automatic-addresses"].stepwise.figures().time(), pairs["incident"].stepwise.figures().time()),
		claimed(mapped.atOnce.figures().dropped > static.atOnce.figures().dropped, "endpoint-independent mapping drops more",
			"%d packets instead of %d", mapped.atOnce.figures().dropped, static.atOnce.figures().dropped),
		claimed(mapped.stepwise.before() > 1, "it does so before the release as well", "%.2g%% of the requests failed", mapped.stepwise.before()),
		claimed(found, "Sluice advises against it before anything is released", "at %d%%: %t", advised, found),
	}
}

// claimsOfAssets are about a front end that any split breaks.
func claimsOfAssets(pairs map[string]pair) []claim {
	skew, affine := pairs["asset-skew"].stepwise, pairs["asset-affinity"].stepwise
	first, later := skew.failedAt(firstStep)
	at, told := skew.advised[nat.AssetsMissed]
	_, affinity := affine.advised[nat.AssetsMissed]
	_, incident := pairs["incident"].stepwise.advised[nat.AssetsMissed]
	return []claim{
		lower("session affinity keeps pages and files together", affine, skew),
		claimed(first > 0 && later == 0, "without it every split breaks pages, so Sluice does not widen that of the first step",
			"%d files missed at %d%%, %d later", first, firstStep, later),
		claimed(told && at == firstStep && !affinity && !incident, "Sluice advises it at the first step, and nowhere else",
			"advised without it: %t at %d%%, with it: %t, in the incident: %t", told, at, affinity, incident),
	}
}

// waits tells whether a release waited for a gateway at some time.
func (r run) waits() bool {
	return slices.ContainsFunc(r.ends[0].told, func(s pilot.State) bool { return s.Reason == rollout.WaitingForNat })
}

// lower claims that less is lost in a run than in another, and for a shorter time.
func lower(text string, less, more run) claim {
	a, b := less.figures(), more.figures()
	return claim{
		text: text, found: fmt.Sprintf("%d failed instead of %d, %d minutes of trouble instead of %d", a.failed, b.failed, a.trouble, b.trouble),
		holds: a.failed < b.failed && a.trouble < b.trouble,
	}
}

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

// full tells whether next to nothing is left to lend.
func (t truth) full() bool { return t.ports*100 > t.capacity*95 }

// full is in how many minutes from the release on next to nothing was left to lend.
func (r run) full() int {
	n := 0
	for _, m := range r.minutes {
		if m.end.After(r.released) && m.full() {
			n++
		}
	}
	return n
}

// starved is in how many minutes of trouble endpoints waited for ports.
func (r run) starved() int {
	n := 0
	for _, m := range r.minutes {
		if m.end.After(r.released) && m.troubled() && m.without > 0 && m.full() {
			n++
		}
	}
	return n
}
