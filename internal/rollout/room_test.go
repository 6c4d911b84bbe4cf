package rollout

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// TestWhatMakesRoom says what a wait for room ends with, or what a person can do.
func TestWhatMakesRoom(t *testing.T) {
	t.Parallel()
	quiet := func(s scene) scene { return s.lasted(time.Hour) }
	most := func(s scene) scene {
		return s.with(func(s *scene) {
			for _, name := range []string{"web-1", "web-2"} {
				r := s.Revisions[name]
				r.MaxInstances = map[string]int64{"web-1": 20, "web-2": 4}[name]
				s.Revisions[name] = r
			}
		})
	}
	least := func(s scene, n int64) scene {
		return s.with(func(s *scene) {
			r := s.Revisions["web-2"]
			r.MinInstances = n
			s.Revisions["web-2"] = r
		})
	}
	check(t, map[string]row{
		"instances of the last shift": {
			paced(25, 50, 8, 2).lasted(10 * time.Minute), waitsForNat,
			"Instances that the shift of Mar 1 11:50Z left idle end by Mar 1 12:05Z and give back their addresses by Mar 1 12:25Z; goes on by itself then: " +
				"without 2 of stable's instances it is nat-1: 46 of 63 endpoints (1,024 ports each) taken; 37% adds up to 4; 20% is kept in reserve: room for 50.",
		},
		"they are not enough": {
			paced(25, 60, 8, 2).lasted(10 * time.Minute), waitsForNat,
			"goes on by itself if that is enough, but without 2 of stable's instances it is nat-1: 56 of 63 endpoints (1,024 ports each) taken; " +
				"100% adds up to 24; 20% is kept in reserve: room for 50. Else: add 2 NAT IPs to nat-1, lower its minPortsPerVm to 256 (can break open connections), " +
				"or set spec.strategy.pacing: Fixed, which rises without a forecast.",
		},
		"instances whose ports have grown": {
			paced(25, 50, 8, 2).lasted(10 * time.Minute).compute(func(g *Gateway) {
				g.NAT = nat.Gateway{Name: "nat-1", IPs: 1, Ports: 32, Dynamic: true, Endpoints: 20}
			}), waitsForNat,
			"without 2 of stable's instances it is nat-1: 40,960 of 64,512 ports (at least 32 per endpoint, now 2,560) taken",
		},
		"addresses of the last shift": {
			paced(25, 50, 8, 2).lasted(20 * time.Minute), waitsForNat,
			"left idle ended by Mar 1 11:55Z and give back their addresses by Mar 1 12:15Z; goes on by itself if that is enough; else: add 1 NAT IP to nat-1",
		},
		"nothing of ours": {
			quiet(paced(25, 50, 8, 2)), waitsForNat,
			"Goes on by itself when others behind nat-1 need less; else: add 1 NAT IP to nat-1, lower its minPortsPerVm to 512 (can break open connections), or set spec.strategy.pacing: Fixed",
		},
		"a reserve": {
			quiet(paced(87, 49, 8, 7)), waitsForNat, "add 1 NAT IP to nat-1, lower its minPortsPerVm to 512 (can break open connections), set spec.nat.reservePercent: 15, or set",
		},
		"a minimum of the candidate's own": {
			least(paced(0, 30, 8, 0), 14), waitsForNat,
			"add 1 NAT IP to nat-1, lower its minPortsPerVm to 512 (can break open connections), set spec.nat.reservePercent: 7, " +
				"deploy with --min-instances 10 at most in place of 14 (the service's minimum, --min, is divided by weight), or set spec.strategy.pacing: Fixed",
		},
		"a minimum that is not what is too much": {
			least(quiet(paced(25, 50, 8, 2)), 2), waitsForNat, "minPortsPerVm to 512 (can break open connections), or set spec.strategy.pacing: Fixed",
		},
		"addresses that it lacks": {
			quiet(paced(25, 10, 8, 2)).compute(func(g *Gateway) { g.NAT.ExtraIPs = 3 }), waitsForNat,
			"else: add 3 NAT IPs to nat-1, or set spec.strategy.pacing: Fixed",
		},
		"ports that grow": {
			quiet(paced(25, 50, 8, 2)).compute(func(g *Gateway) { g.NAT.Dynamic = true }), waitsForNat, "else: add 1 NAT IP to nat-1, or set",
		},
		"instances that the candidate may have": {
			most(quiet(paced(25, 10, 8, 2))).steps(Step{Weight: 25}, Step{Weight: 26, Bake: time.Minute}, Step{Weight: 100}), wrote(26), "",
		},
		"more than the candidate may have": {
			most(quiet(paced(62, 10, 8, 5))), waitsForNat, "Goes on by itself when the service has less traffic; else: raise the candidate's maximum of instances, or set spec.strategy.pacing: Fixed",
		},
	})
}

var (
	numberOf = map[string]*regexp.Regexp{
		"addresses": regexp.MustCompile(`add (\d+) NAT IPs?`),
		"ports":     regexp.MustCompile(`minPortsPerVm to (\d+)`),
		"reserve":   regexp.MustCompile(`reservePercent: (\d+)`),
		"instances": regexp.MustCompile(`without (\d+) of stable's instances it is (.*?room for \d+|.*?it lacks \d+)`),
	}
	timeOf = regexp.MustCompile(`Mar 1 \d\d:\d\dZ`)
)

// TestEveryNumberOfAWaitCanBeReckoned: what is advised is enough and is the least
// that is; the times are those of the last shift; and the rest is the forecast
// without the instances that are named.
func TestEveryNumberOfAWaitCanBeReckoned(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := func(what string, least, most int64) int64 { return rapid.Int64Range(least, most).Draw(t, what) }
		ages := time.Duration(number("since", 0, 45)) * time.Minute
		stable, candidate, endpoints := number("stable", 0, 40), number("candidate", 1, 12), number("endpoints", 40, 90)
		s := paced(25, endpoints, stable, candidate).lasted(ages)
		s = s.compute(func(g *Gateway) { g.NAT.ExtraIPs, g.NAT.IPs = number("lacks", 0, 2), number("has", 1, 2) })
		d := Decide(Input(s))
		if d.Progress.Reason != WaitingForNat || !strings.Contains(d.Note, "waits for room") {
			return
		}
		g := s.Outlet.Gateways[0].NAT
		g.Allocated = endpoints * 1024
		f := nat.Fleet{Stable: stable, Candidate: candidate, Busy: 8}
		if !strings.Contains(d.Note, nat.Foresee(g, f, nat.DefaultPolicy(), 100).String()) {
			t.Fatalf("the forecast is not that of the gateway: %s", d.Note)
		}
		for _, told := range timeOf.FindAllString(d.Next, -1) {
			if !slices.Contains([]string{Clock(ago(ages)), Clock(ago(ages - 15*time.Minute)), Clock(ago(ages - 35*time.Minute))}, told) {
				t.Fatalf("at %s says %s", ages, d.Next)
			}
		}
		if m := numberOf["instances"].FindStringSubmatch(d.Next); m != nil {
			freed, _ := strconv.ParseInt(m[1], 10, 64)
			if freed != stable-6 { // 75 % of the eight that are busy
				t.Fatalf("%d of stable's %d instances linger: %s", freed, stable, d.Next)
			}
			g.Endpoints, g.Allocated = max(0, endpoints-2*freed), 0
			weight := nat.LargestSafeWeight([]nat.Gateway{g}, f, nat.DefaultPolicy(), 25, 100)
			if weight == 0 {
				weight = 100
			}
			if want := nat.Foresee(g, f, nat.DefaultPolicy(), weight).String(); !strings.HasPrefix(m[2], strings.Split(want, "; it lacks")[0]) && !strings.Contains(d.Next, want) {
				t.Fatalf("says %s\nwant %s", m[2], want)
			}
		}
		reckoned(t, d.Next, g, f)
	})
}

// reckoned compares the advice with what is enough.
func reckoned(t *rapid.T, text string, g nat.Gateway, f nat.Fleet) {
	fits := func(change func(*nat.Gateway, *nat.Policy)) bool {
		one, p := g, nat.DefaultPolicy()
		change(&one, &p)
		return nat.Foresee(one, f, p, 100).Fits()
	}
	told := func(what string) (int64, bool) {
		m := numberOf[what].FindStringSubmatch(text)
		if m == nil {
			return 0, false
		}
		n, err := strconv.ParseInt(m[1], 10, 64)
		return n, err == nil
	}
	more := func(n int64) bool {
		return fits(func(g *nat.Gateway, _ *nat.Policy) { g.IPs, g.ExtraIPs = g.IPs+n, max(0, g.ExtraIPs-n) })
	}
	each := func(n int64) bool {
		return fits(func(g *nat.Gateway, _ *nat.Policy) { g.Endpoints, g.Allocated, g.Ports = g.Taken(), 0, n })
	}
	reserve := func(n int64) bool { return fits(func(_ *nat.Gateway, p *nat.Policy) { p.ReservePercent = n }) }
	if n, ok := told("addresses"); ok && (!more(n) || more(n-1)) {
		t.Fatalf("%d addresses: %s", n, text)
	}
	if n, ok := told("ports"); ok && (!each(n) || each(2*n)) {
		t.Fatalf("%d ports: %s", n, text)
	}
	if n, ok := told("reserve"); ok && (!reserve(n) || reserve(n+1)) {
		t.Fatalf("%d%% in reserve: %s", n, text)
	}
	if !strings.Contains(text, "then: without") && !strings.Contains(text, "pacing: Fixed") {
		t.Fatalf("says nothing that helps: %s", text)
	}
}

// TestAWaitCountsTheWayToo: however a step is cut, it takes at most five writes,
// and one more for each time in which everything that lingers goes.
func TestAWaitCountsTheWayToo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		busy := rapid.Int64Range(1, 60).Draw(t, "busy")
		weight, writes, waited := int64(5), 0, 0
		for weight < 25 && waited < 100 {
			s := paced(weight, rapid.Int64Range(20, 52).Draw(t, "endpoints"), busy, rapid.Int64Range(0, busy).Draw(t, "instances"))
			s.Progress.Effective = ago(10 * time.Minute)
			if waited > 0 && waited%5 == 0 {
				s.Progress.Effective = ago(36 * time.Minute)
			}
			s = s.counts(analysis.ActiveInstances, Input(s).source("web-1"), busy)
			d := Decide(Input(s))
			if d.Write == nil {
				waited++
				continue
			}
			weight = splitOf(d.Write).Of("web-2")
			writes++
		}
		if writes > mostInserted+waited/5+1 {
			t.Fatalf("%d writes to %d%%, waited %d times", writes, weight, waited)
		}
	})
}
