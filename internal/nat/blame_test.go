package nat

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// series says a value until noon, when the rise is written, and another after it.
func series(before, since int64) []Sample {
	var s []Sample
	for n := -10; n <= 10; n++ {
		value := before
		if n > 0 {
			value = since
		}
		s = append(s, Sample{End: at(n), Value: value})
	}
	return s
}

// calm is the trouble that today's stories tell: packets are dropped from the
// second minute after a rise on, the gateway has room, and nothing else changed.
func calm() Evidence {
	return Evidence{
		Gateway: Gateway{Name: "nat-1", IPs: 1}, Policy: one,
		Rises: []time.Time{at(-15), noon}, Began: at(2), Worst: 60,
		Allocated: series(6400, 6784), Connections: series(900, 900), Instances: series(1, 7),
		Candidate: Health{Requests: 500, Slow: 200 * time.Millisecond},
		Stable:    Health{Requests: 1500, Slow: 180 * time.Millisecond},
	}
}

func TestBlame(t *testing.T) {
	t.Parallel()
	suffers := func(e *Evidence) { e.Candidate.Failed = 50 }
	unwatched := func(e *Evidence) { e.Candidate, e.Stable = Health{}, Health{} }
	bursts := func(e *Evidence) { e.Connections = series(900, 900+2000) }
	grows := func(e *Evidence) {
		e.Gateway.Dynamic, e.Allocated, e.Connections = true, series(6400, 9000), series(900, 1300)
	}
	cases := map[string]struct {
		change  []func(*Evidence)
		want    Role
		because string
	}{
		"nothing else changed": {
			nil, Unknown,
			"it began 2 min after the rise and nothing else changed: allocated ports grew by 384, of which the candidate's 6 new instances explain 384; open connections grew by 0 from 900",
		},
		"nothing else changed, and nobody counts requests": {
			[]func(*Evidence){unwatched}, Unknown, "nothing else changed",
		},
		"nothing else changed, and both revisions suffer": {
			[]func(*Evidence){suffers, func(e *Evidence) { e.Stable.Failed = 200 }}, Unknown, "nothing else changed",
		},
		"only the candidate's users get errors": {
			[]func(*Evidence){suffers, func(e *Evidence) { e.Connections = series(900, 1300) }},
			Culprit,
			"50 of 500 requests failed at the candidate and 0 of 1,500 at stable, slow ones took 200ms and 180ms, and nat-1 has free ports: the candidate's own ran out",
		},
		"only the candidate's users get errors, long after the rise": {
			[]func(*Evidence){suffers, func(e *Evidence) { e.Began = at(8) }}, Culprit, "the candidate's own ran out",
		},
		"only the candidate's users wait, long after the rise": {
			[]func(*Evidence){func(e *Evidence) { e.Began, e.Candidate.Slow = at(8), 9*time.Second }}, Culprit, "slow ones took 9s and 180ms",
		},
		"new instances are slow at first, and connections grew": {
			[]func(*Evidence){func(e *Evidence) { e.Candidate.Slow, e.Connections = 9*time.Second, series(900, 1300) }}, Unknown, "",
		},
		"the candidate has all traffic and fails soon": {
			[]func(*Evidence){suffers, func(e *Evidence) { e.Stable, e.Connections = Health{}, series(900, 1300) }}, Culprit, "0 of 0 at stable",
		},
		"the candidate has all traffic and fails late": {
			[]func(*Evidence){suffers, func(e *Evidence) { e.Stable, e.Began = Health{}, at(8) }}, Unknown, "8 min after the rise",
		},
		"it was there before the first rise": {
			[]func(*Evidence){func(e *Evidence) { e.Began = at(-29) }}, Bystander, "it began 14 min before the first rise",
		},
		"it began between two rises": {
			[]func(*Evidence){func(e *Evidence) {
				e.Rises, e.Began = []time.Time{noon, at(6)}, at(2)
			}}, Unknown, "it began 2 min after the rise",
		},
		"nothing was raised": {[]func(*Evidence){func(e *Evidence) { e.Rises = nil }}, Bystander, "nothing has been raised"},
		"it is no worse than usual": {
			[]func(*Evidence){func(e *Evidence) { e.Usual, e.Worst = 1000, 1900 }},
			Bystander,
			"1,900 a minute at most, and 1,000 were usual before the attempt",
		},
		"it is much worse than usual": {[]func(*Evidence){func(e *Evidence) { e.Usual = 10 }}, Unknown, ""},
		"nobody knows when it began":  {[]func(*Evidence){func(e *Evidence) { e.Began = time.Time{} }}, Unknown, "it is not known when it began"},
		"another rollout took a step too": {
			[]func(*Evidence){suffers, func(e *Evidence) { e.OthersHot = 1 }}, Unknown, "1 other rollout behind nat-1 had just taken a step too",
		},
		"allocated ports are not known": {
			[]func(*Evidence){suffers, func(e *Evidence) { e.Allocated = nil }}, Unknown, "the allocated ports of nat-1 around the rise are not known",
		},
		"allocated ports are not known yet": {
			[]func(*Evidence){func(e *Evidence) { e.Allocated = e.Allocated[:11] }}, Unknown, "the allocated ports of nat-1 around the rise are not known",
		},
		"open connections are not known, and nobody suffers": {
			[]func(*Evidence){func(e *Evidence) { e.Connections = nil }}, Bystander, "nobody of this service suffers",
		},
		"open connections are not known, and nobody counts requests": {
			[]func(*Evidence){unwatched, func(e *Evidence) { e.Connections = nil }}, Unknown, "open connections are not known",
		},
		"somebody else opens connections, and nobody of ours suffers": {
			[]func(*Evidence){bursts},
			Bystander,
			"allocated ports grew by 384, of which the candidate's 6 new instances explain 384; open connections grew by 2,000 from 900; 0 of 500 requests failed at the candidate",
		},
		"somebody else opens connections, and the candidate suffers": {[]func(*Evidence){bursts, suffers}, Unknown, "grew by 2,000"},
		"somebody else's burst began shortly before the rise": {
			[]func(*Evidence){unwatched, func(e *Evidence) {
				e.Connections = slices.Concat(series(2900, 2900)[5:], []Sample{{at(-8), 900}})
			}}, Unknown, "open connections grew by 2,000 from 900",
		},
		"somebody else started instances": {
			[]func(*Evidence){func(e *Evidence) { e.Allocated = series(6400, 6400+40*64) }}, Bystander, "grew by 2,560, of which the candidate's 6 new instances explain 384",
		},
		"somebody else started instances, and the candidate suffers": {
			[]func(*Evidence){suffers, func(e *Evidence) { e.Allocated = series(6400, 6400+40*64) }}, Unknown, "",
		},
		"somebody else started as many as ours might be, and nobody suffers": {
			[]func(*Evidence){func(e *Evidence) { e.Allocated = series(6400, 6400+12*64) }}, Bystander, "nobody of this service suffers",
		},
		"the candidate's instances are not known, and nothing grew": {
			[]func(*Evidence){func(e *Evidence) { e.Instances, e.Allocated = nil, series(6400, 6400) }}, Unknown, "nothing else changed",
		},
		"long after the rise, and nobody suffers":         {[]func(*Evidence){func(e *Evidence) { e.Began = at(8) }}, Bystander, "nobody of this service suffers"},
		"long after the rise, and nobody counts requests": {[]func(*Evidence){unwatched, func(e *Evidence) { e.Began = at(8) }}, Unknown, "8 min after the rise"},
		"ports fill up with the candidate's instances": {
			[]func(*Evidence){func(e *Evidence) { e.Filling = true }}, Culprit, "allocated ports grew by 384, of which the candidate's 6 new instances explain 384",
		},
		"ports fill up with twice as many endpoints as instances": {
			[]func(*Evidence){func(e *Evidence) { e.Filling, e.Allocated = true, series(6400, 6400+12*64) }}, Unknown, "allocated ports grew by 768",
		},
		"ports fill up with others' endpoints, and nobody suffers": {
			[]func(*Evidence){func(e *Evidence) { e.Filling, e.Allocated = true, series(6400, 6400+40*64) }}, Bystander, "allocated ports grew by 2,560",
		},
		"ports fill up, long after the rise": {
			[]func(*Evidence){func(e *Evidence) { e.Filling, e.Began = true, at(8) }}, Unknown, "",
		},
		"ports fill up, and the candidate's instances are not known": {
			[]func(*Evidence){func(e *Evidence) { e.Filling, e.Instances = true, nil }}, Unknown, "",
		},
		"what the gateway has to give is not known": {
			[]func(*Evidence){func(e *Evidence) { e.Gateway.IPs = 0 }}, Unknown, "what nat-1 has to give is not known",
		},
		"what it has to give is not known, and the candidate suffers": {
			[]func(*Evidence){suffers, func(e *Evidence) { e.Gateway.IPs = 0 }},
			Unknown,
			"what nat-1 has to give is not known; 50 of 500 requests failed at the candidate and 0 of 1,500 at stable",
		},
		"what it has to give is not known, and an allocation failed": {
			[]func(*Evidence){func(e *Evidence) { e.Gateway.IPs, e.AllocationFailed = 0, true }}, Unknown, "what nat-1 has to give is not known",
		},
		"what it has to give is not known, and its ports fill up": {
			[]func(*Evidence){func(e *Evidence) { e.Gateway.IPs, e.Filling = 0, true }}, Unknown, "what nat-1 has to give is not known",
		},
		"a gateway that takes addresses by itself, and only the candidate suffers": {
			[]func(*Evidence){suffers, func(e *Evidence) {
				e.Gateway.IPs, e.Gateway.Auto, e.Connections = 0, true, series(900, 1300)
			}}, Culprit, "the candidate's own ran out",
		},
		"mapping conflicts are named": {
			[]func(*Evidence){func(e *Evidence) { e.Reasons = []string{conflict} }},
			Unknown,
			"; endpoint-independent mapping conflicts, which more ports do not cure",
		},
		"a dynamic gateway whose ports grew by more than the candidate's instances can have": {
			[]func(*Evidence){suffers, func(e *Evidence) {
				e.Gateway.Dynamic, e.Gateway.MostPorts, e.Allocated = true, 64, series(6400, 9000)
			}}, Unknown, "allocated ports grew by 2,600",
		},
		"a dynamic gateway whose ports grow soon after the rise, and nobody suffers": {
			[]func(*Evidence){grows},
			Unknown,
			"nat-1 drops packets while ports grow, and it began 2 min after the rise; allocated ports grew by 2,600, of which the candidate's 6 new instances got 192 at first",
		},
		"a dynamic gateway whose ports grow soon after the rise, and nothing else changed": {
			[]func(*Evidence){grows, func(e *Evidence) { e.Allocated, e.Connections = series(6400, 6784), series(900, 900) }},
			Unknown,
			"nat-1 drops packets while ports grow",
		},
		"a dynamic gateway whose ports grow long after the rise, and nobody suffers": {
			[]func(*Evidence){grows, func(e *Evidence) { e.Began = at(8) }}, Bystander, "nobody of this service suffers",
		},
		"a dynamic gateway of which others surely take most, and nobody suffers": {
			[]func(*Evidence){grows, func(e *Evidence) { e.Gateway.MostPorts = 64 }}, Bystander, "allocated ports grew by 2,600",
		},
		"a dynamic gateway whose ports grew, and the candidate suffers": {
			[]func(*Evidence){suffers, func(e *Evidence) { e.Gateway.Dynamic, e.Allocated = true, series(6400, 9000) }}, Culprit, "the candidate's own ran out",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := calm()
			for _, change := range c.change {
				change(&e)
			}
			got := Blame(e)
			if got.Role != c.want || !strings.Contains(got.Because, c.because) || got.Because == "" {
				t.Errorf("got %s: %s\nwant %s: %s", got.Role, got.Because, c.want, c.because)
			}
			if recurs := strings.Contains(got.Because, "while ports grow"); got.Recurs != recurs {
				t.Errorf("it is said to come with every rise: %t, want %t", got.Recurs, recurs)
			}
		})
	}
}

// TestBlameWhenNoPortsAreLeft: 1,008 endpoints fit, 990 are there before, and
// then all are taken.
func TestBlameWhenNoPortsAreLeft(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change  func(*Evidence)
		want    Role
		because string
	}{
		"the candidate alone needed more than was free": {
			func(e *Evidence) { e.Instances = series(0, 30) }, Culprit, "nat-1 had 18 endpoints free before the rise, and the candidate started 30 instances",
		},
		"most of them it started after that": {
			func(e *Evidence) { e.Instances, e.Began = slices.Concat(series(0, 6)[:12], series(0, 30)[12:]), at(1) }, Unknown,
			"the candidate started 30 instances, 6 of them by the first bad minute",
		},
		"the candidate would have had enough": {
			func(*Evidence) {}, Bystander, "nat-1 had 18 endpoints free before the rise, and the candidate started 6 instances: others took the rest",
		},
		"it would have had enough if an instance is one endpoint": {func(e *Evidence) { e.Instances = series(0, 12) }, Unknown, "started 12 instances"},
		"its instances are not known":                             {func(e *Evidence) { e.Instances = nil }, Unknown, "no ports are left, and the candidate's instances are not known"},
		"long after the rise":                                     {func(e *Evidence) { e.Instances, e.Began = series(0, 30), at(8) }, Unknown, "started 30 instances"},
		"an allocation failed though ports are free": {
			func(e *Evidence) { e.Allocated = series(6400, 6784); e.AllocationFailed = true }, Unknown, "an allocation failed; nat-1 had 908 endpoints free",
		},
		"dynamic ports may have grown": {
			func(e *Evidence) { e.Gateway.Dynamic = true }, Unknown, "nat-1 had 36 endpoints free",
		},
		"a gateway that takes more addresses is never full": {func(e *Evidence) { e.Gateway.Auto = true }, Unknown, "allocated ports grew by 1,152"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := calm()
			e.Allocated = series(990*64, 1008*64)
			e.Candidate.Failed = 200 // those without ports fail, whoever took them
			c.change(&e)
			if got := Blame(e); got.Role != c.want || !strings.Contains(got.Because, c.because) {
				t.Errorf("got %s: %s\nwant %s: %s", got.Role, got.Because, c.want, c.because)
			}
		})
	}
}

// anyTenants draws a gateway with room and a rise that is in order: what the
// candidate's instances take fits. Connections scatter by half a percent.
func anyTenants(t *rapid.T) (e Evidence, started int64) {
	each := int64(64) << upTo(t, 4, "each")
	g := Gateway{Name: "nat-1", IPs: 1 + upTo(t, 3, "ips"), Ports: each}
	capacity := g.Capacity().Endpoints
	before := upTo(t, capacity/2, "before")
	perInstance := rapid.Int64Range(1, 2).Draw(t, "perInstance")
	started = min(upTo(t, 30, "started"), (capacity-before)*8/10/perInstance)
	connections := before * upTo(t, 20, "connections")
	e = Evidence{
		Gateway: g, Policy: Policy{20, 2, perInstance}, Rises: []time.Time{noon}, Worst: 1 + upTo(t, 500, "worst"),
		Began: at(int(1 + upTo(t, 8, "began"))), Instances: series(0, started),
		Allocated: series(before*each, (before+started*perInstance)*each), Connections: series(connections, connections+4*started),
	}
	for i := range e.Connections {
		e.Connections[i].Value += upTo(t, connections/200, "scatter")
	}
	return e, started
}

// TestAnInnocentIsNeverTheCulprit: another tenant's instances run out of ports of
// their own, or take all ports that are left, just when the candidate rises.
func TestAnInnocentIsNeverTheCulprit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e, started := anyTenants(t)
		each := e.Gateway.PortsEach()
		machines := 1 + upTo(t, 60, "machines")
		begins := int(upTo(t, 12, "begins")) - 8 // the burst may begin before the rise, within what is read
		begins = min(begins, int(e.Began.Sub(noon)/time.Minute))
		fills := rapid.Bool().Draw(t, "fills")
		for i, s := range e.Connections {
			if !s.End.Before(at(begins)) {
				e.Connections[i].Value += max(machines*each*6/10, 20+e.Connections[0].Value/40) // a smaller one is not seen
			}
		}
		if rapid.Bool().Draw(t, "counted") {
			e.Candidate = Health{Requests: 400, Failed: upTo(t, 2, "failed"), Slow: time.Duration(upTo(t, 400, "slow")) * time.Millisecond}
			if e.Began.Sub(noon) <= soon { // new instances are slow
				e.Candidate.Slow *= 20
			}
			e.Stable = Health{Requests: 800, Failed: upTo(t, 4, "failed"), Slow: 200 * time.Millisecond}
		}
		if fills { // and what of the candidate comes too late has no ports and fails
			e.AllocationFailed = rapid.Bool().Draw(t, "reported")
			for i, s := range e.Allocated {
				if !s.End.Before(at(begins)) && s.End.After(noon) {
					e.Allocated[i].Value = e.Gateway.Capacity().Endpoints * each
				}
			}
			if started > 0 {
				e.Candidate, e.Stable = Health{Requests: 400, Failed: 40}, Health{Requests: 800}
			}
		}
		if got := Blame(e); got.Role == Culprit {
			t.Fatalf("%s: %s\n%d machines from %d on", got.Role, got.Because, machines, begins)
		}
	})
}

// TestTheGuiltyIsTheCulprit: the candidate's instances use up their own ports, or
// are more than there is room for, and nobody else does anything.
func TestTheGuiltyIsTheCulprit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e, started := anyTenants(t)
		each := e.Gateway.PortsEach()
		started = max(started, 1)
		e.Instances = series(0, started)
		free := e.Gateway.Capacity().Endpoints - e.Allocated[0].Value/each
		e.Candidate, e.Stable = Health{Requests: 200, Failed: 3 + upTo(t, 150, "failed")}, Health{Requests: 900, Failed: upTo(t, 2, "failed")}
		if rapid.Bool().Draw(t, "many") {
			started = free/e.Policy.EndpointsPerInstance + 1 + upTo(t, 30, "more")
			e.Instances = series(0, started)
			e.Began = at(int(1 + upTo(t, 4, "soon")))
			e.Allocated = series(e.Allocated[0].Value, e.Gateway.Capacity().Endpoints*each)
			e.AllocationFailed = rapid.Bool().Draw(t, "reported")
		} else {
			e.Allocated = series(e.Allocated[0].Value, e.Allocated[0].Value+started*e.Policy.EndpointsPerInstance*each)
			for i, s := range e.Connections {
				if s.End.After(at(1)) {
					e.Connections[i].Value += started * each
				}
			}
		}
		if got := Blame(e); got.Role != Culprit {
			t.Fatalf("%s: %s\n%d instances, %d free", got.Role, got.Because, started, free)
		}
	})
}

// TestAVerdictAlwaysHasItsReason, and the culprit its evidence, whatever is
// missing or absurd.
func TestAVerdictAlwaysHasItsReason(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		wild := func(label string) []Sample {
			var s []Sample
			for range upTo(t, 20, label) {
				s = append(s, Sample{at(int(upTo(t, 40, "end")) - 20), rapid.Int64().Draw(t, label)})
			}
			return s
		}
		e := Evidence{
			Gateway: anyGateway(t), Policy: anyPolicy(t), Began: at(int(upTo(t, 30, "began")) - 15), Usual: upTo(t, 9, "usual"), Worst: upTo(t, 99, "worst"),
			Allocated: wild("allocated"), Connections: wild("connections"), Instances: wild("instances"), OthersHot: max(0, upTo(t, 9, "hot")-8),
			Candidate: Health{Requests: upTo(t, 90, "requests"), Failed: upTo(t, 9, "failed")},
		}
		for range upTo(t, 3, "rises") {
			e.Rises = append(e.Rises, at(int(upTo(t, 30, "rise"))-15))
		}
		got := Blame(e)
		if got.Because == "" || len(got.Because) > 300 || got.Role != Culprit && got.Role != Bystander && got.Role != Unknown {
			t.Fatalf("got %+v", got)
		}
		known := e.Gateway.Auto || e.Gateway.Capacity().Endpoints > 0
		if got.Role == Culprit && (len(e.Allocated) == 0 || len(e.Rises) == 0 || !known) {
			t.Fatalf("the culprit without evidence: %+v", got)
		}
	})
}
