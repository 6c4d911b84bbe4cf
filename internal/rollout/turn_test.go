package rollout

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// TestRolloutsBehindOneGatewayTakeTurns: at 25 %, where 100 % is next, takes 24
// endpoints, and there is room for 30 of them. Nothing is kept in reserve.
func TestRolloutsBehindOneGatewayTakeTurns(t *testing.T) {
	t.Parallel()
	alone := paced(25, 33, 8, 2).keeps(0)
	waiting := alone.with(func(s *scene) {
		s.Progress.Phase, s.Progress.Reason, s.Progress.Waiting = Held, WaitingForNat, ago(10*time.Minute)
	})
	hot := func(endpoints int64) nat.Claim {
		return nat.Claim{ID: "secret", Hot: true, Since: ago(2 * time.Minute), Ports: endpoints * 1024}
	}
	queued := func(since time.Duration, endpoints int64) nat.Claim {
		return nat.Claim{ID: "secret", Since: ago(since), Ports: endpoints * 1024}
	}
	back := nat.Claim{ID: "secret", Back: true, Since: ago(time.Minute), Ports: 30 * 1024}
	check(t, map[string]row{
		"nobody else":                        {alone, wrote(100), ""},
		"one whose step leaves room":         {alone.peers(hot(6)), wrote(100), ""},
		"one whose step does not":            {alone.peers(hot(7)), waitsForNat, "web-2 at 25% since Mar 1 11:30Z; 100% waits for its turn: another rollout behind nat-1 takes its step, which leaves room for 23,552 of 24,576 ports"},
		"until when":                         {alone.peers(hot(7)), waitsForNat, "Goes on when the gateway has reported what that takes, at Mar 1 12:18Z at the latest; the one that has waited longest goes first."},
		"one that goes back":                 {alone.peers(back), waitsForNat, "waits for its turn"},
		"an older one waits":                 {waiting.peers(queued(20*time.Minute, 24)), waitsForNat, "another rollout behind nat-1 takes its step"},
		"an older one waits for another one": {waiting.peers(queued(20*time.Minute, 24), hot(20)), waitsForNat, "another rollout behind nat-1 has waited longer"},
		"an older one that fits beside":      {waiting.peers(queued(20*time.Minute, 6)), wrote(100), ""},
		"an older one that never fits":       {waiting.peers(queued(20*time.Minute, 31)), wrote(100), ""},
		"a younger one waits":                {waiting.peers(queued(5*time.Minute, 24)), wrote(100), ""},
		"one of the same age":                {waiting.peers(queued(10*time.Minute, 24)), wrote(100), ""},
		"behind another gateway":             {alone.with(func(s *scene) { s.Peers = []Peer{{nat2, hot(30)}} }), wrote(100), ""},
		"a step that starts nothing":         {paced(25, 33, 8, 8).peers(hot(30)), wrote(100), ""},
		"a pace of its own":                  {alone.fixed().peers(hot(30)), wrote(100), ""},
		"a breach does not wait":             {alone.peers(hot(30)).errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", ""},
		"nor does a person's abort":          {alone.peers(hot(30)).asks(Abort), "RollingBack/RollingBack, writes web-1 100%, accepts", ""},
	})
	for name, s := range map[string]scene{"hot": alone.peers(hot(7)), "queued": waiting.peers(queued(20*time.Minute, 24))} {
		if d := Decide(Input(s)); strings.Contains(d.Note+d.Next, "secret") {
			t.Errorf("%s: another rollout is named: %s %s", name, d.Note, d.Next)
		}
	}
}

// TestWhatAWaitingRolloutClaims: the ports of the step that it could take, were it
// alone; nothing where it could not, so that it keeps nobody waiting.
func TestWhatAWaitingRolloutClaims(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in    scene
		since time.Time
		ports int64
	}{
		"one that comes":          {paced(25, 33, 8, 2).keeps(0).peers(nat.Claim{ID: "a", Hot: true, Since: ago(time.Minute), Ports: 30 * 1024}), now, 24 * 1024},
		"one that has waited":     {paced(25, 33, 8, 2).keeps(0).peers(nat.Claim{ID: "a", Hot: true, Since: ago(time.Minute), Ports: 30 * 1024}).with(func(s *scene) { s.Progress.Phase, s.Progress.Waiting = Held, ago(time.Hour) }), ago(time.Hour), 24 * 1024},
		"one that does not fit":   {paced(25, 50, 8, 2), now, 0},
		"one that waits for data": {paced(25, 50, 8, 2).errors(analysis.NoData).with(func(s *scene) { s.Progress.Phase, s.Progress.Waiting = Held, ago(time.Hour) }), ago(time.Hour), 0},
		"one that bakes again":    {paced(25, 20, 8, 2).errors(analysis.Incomplete).with(func(s *scene) { s.Progress.Phase, s.Progress.Waiting = Held, ago(time.Hour) }), time.Time{}, 0},
	} {
		p := Decide(Input(c.in)).Progress
		if !p.Waiting.Equal(c.since) || p.Watches[0].Claimed != c.ports {
			t.Errorf("%s: it is %s/%s since %v and claims %d", name, p.Phase, p.Reason, p.Waiting, p.Watches[0].Claimed)
		}
	}
}

// TestARiseThatIsNotForecastClaimsAllThereIs: with a pace of its own nothing is
// counted, and it may go to 100 % at once. Others wait until it is measured.
func TestARiseThatIsNotForecastClaimsAllThereIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   scene
		want int64
	}{
		"forecast": {paced(25, 33, 8, 2).keeps(0), 24 * 1024},
		"what the reserve has no room for at worst": {paced(25, 20, 8, 2), 23 * 1024}, // to 62 %: 12, at worst 36, and 13 are kept
		"a pace of its own":                         {paced(25, 20, 8, 2).fixed().with(func(s *scene) { s.Answers = nil }), nat.PortsPerIP},
		"a gateway that is unknown":                 {paced(25, 20, 8, 2).fixed().with(func(s *scene) { s.Outlet.Gateways[0].Unread = "no" }), nat.PortsPerIP},
	} {
		d := Decide(Input(c.in))
		if p := d.Progress; d.Write == nil || p.Hot.IsZero() || p.Watches[0].Claimed != c.want {
			t.Errorf("%s: %s claims %+v, want %d ports", name, inWords(d), p.Watches, c.want)
		}
	}
}

// TestALongWaitIsToldOnce and goes on; each further one is told again.
func TestALongWaitIsToldOnce(t *testing.T) {
	t.Parallel()
	s := paced(25, 50, 8, 2)
	told := 0
	for range 4 * 90 {
		d := Decide(Input(s))
		if d.Progress.Reason != WaitingForNat {
			t.Fatalf("after %s: %s: %s", s.Now.Sub(now), inWords(d), d.Note)
		}
		for _, e := range d.Events {
			told++
			if e.Reason != StillWaitingForNat || !e.Warning || !strings.Contains(e.Note, "it has waited since Mar 1 12:00Z, which is longer than 1h0m0s") || s.Now.Sub(now) < time.Hour {
				t.Errorf("after %s it tells %s: %s", s.Now.Sub(now), e.Reason, e.Note)
			}
		}
		if late := strings.Contains(d.Note, "longer than"); late != (s.Now.Sub(now) >= time.Hour) {
			t.Fatalf("after %s it says %s", s.Now.Sub(now), d.Note)
		}
		s.Progress, s.Now = d.Progress, s.Now.Add(15*time.Second)
		s.Answers = paced(25, 50, 8, 2).Answers
		s = s.compute(func(g *Gateway) { g.NAT.Endpoints = 50 })
	}
	if told != 1 {
		t.Errorf("it was told %d times", told)
	}
}

// crew are rollouts behind one gateway. Each has eight busy instances.
type crew []*scene

// look lets one of them decide, and tells what it claims.
func (c crew) look(i int, endpoints int64, at time.Time) Decision {
	s := *c[i]
	s.Now, s.Peers = at, nil
	s.Self = Holder{Cluster: "c", UID: fmt.Sprint("uid-", i)}
	for n, other := range c {
		if n != i {
			s.Peers = append(s.Peers, other.Progress.Claims(fmt.Sprint("uid-", n), at)...)
		}
	}
	s = s.compute(func(g *Gateway) { g.NAT.Endpoints = endpoints })
	d := Decide(Input(s))
	c[i].Progress = d.Progress
	return d
}

// TestOneOfManyMayAlwaysGo: whatever they claim, and in whatever order they look,
// the rollouts that fit alone are never all waiting, and what goes at a time fits
// together.
func TestOneOfManyMayAlwaysGo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		endpoints := rapid.Int64Range(0, 60).Draw(t, "endpoints")
		var crew crew
		for range rapid.IntRange(2, 5).Draw(t, "rollouts") {
			s := paced(25, endpoints, 8, rapid.Int64Range(0, 12).Draw(t, "instances")).lasted(50 * time.Minute)
			s.Answers = paced(25, endpoints, 8, 2).silent(analysis.AllocatedPorts, "").Answers // nothing cools
			crew = append(crew, &s)
		}
		at, gone := now, map[int]bool{}
		for range 3 { // every one of them looks, again and again
			order := rapid.Permutation(slices.Collect(func(yield func(int) bool) {
				for i := range crew {
					if !yield(i) {
						return
					}
				}
			})).Draw(t, "order")
			for _, i := range order {
				if at = at.Add(time.Second); gone[i] {
					continue
				}
				d := crew.look(i, endpoints, at)
				gone[i] = d.Write != nil
				if d.Write == nil && d.Progress.Reason != WaitingForNat {
					t.Fatalf("%s: %s", inWords(d), d.Note)
				}
			}
		}
		claimed, went, fits := int64(0), 0, 0
		for i, s := range crew {
			if gone[i] {
				went++
				claimed += s.Progress.Watches[0].Claimed
			}
			if look(Input(*s)).course(25, 100).largest() > 0 {
				fits++
			}
		}
		if went == 0 && fits > 0 {
			t.Fatalf("%d of %d fit, and none went", fits, len(crew))
		}
		if room := max(0, 50-endpoints) * 1024; claimed > room {
			t.Fatalf("%d went, which may take %d ports; there is room for %d", went, claimed, room)
		}
	})
}

// TestAWayBackThatDoesNotEndKeepsNobodyWaiting: access was lost, or the service is
// gone, and nothing of it moves any more. It may stay so for days.
func TestAWayBackThatDoesNotEndKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	stuck := at(25).with(func(s *scene) {
		s.Progress.Phase, s.Progress.Reason, s.Progress.Since = RollingBack, ReasonRollingBack, now
		s.Progress.Latched, s.Progress.Hot = []string{"web-2"}, ago(time.Minute)
		s.Progress.Watches = []Watch{{Source: nat1, Claimed: 30 * 1024}}
		s.Service.Presence, s.Service.Detail = Denied, "no"
	})
	for at := now; at.Sub(now) < time.Hour; at = at.Add(time.Minute) {
		stuck.Now = at
		stuck.Progress = Decide(Input(stuck)).Progress
		if claims := stuck.Progress.Claims("a", at); len(claims) > 0 != (at.Sub(now) < longestHeat) {
			t.Fatalf("after %s it claims %+v", at.Sub(now), claims)
		}
	}
}
