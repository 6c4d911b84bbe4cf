package nat

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTheNextWriteOfAWayBack(t *testing.T) {
	t.Parallel()
	// The default plan, with evidence in time: 5, 25, 50 and 100 %.
	rises := []Rise{{at(-60), 0}, {at(-45), 5}, {at(-30), 25}, {at(-15), 50}}
	took := func(ago int) []Rise { return append(rises[:3:3], Rise{at(-ago), 50}) }
	cases := map[string]struct {
		retreat Retreat
		want    int64
		after   time.Duration
		why     string
	}{
		"all traffic was taken just now: one write": {
			Retreat{Weight: 5, Rises: []Rise{{at(-14), 0}}}, 0, 0, "stable still has the instances",
		},
		"a first step, long ago, is cheap": {
			Retreat{Weight: 5, Rises: rises[:1]}, 0, 0, "stable has instances for all but 5% of the traffic",
		},
		"what was taken lately goes back first": {
			Retreat{Weight: 100, Rises: took(14)}, 50, 0, "stable has no instances for 50% of the traffic, so it goes back in steps",
		},
		"nothing was taken lately: half first": {
			Retreat{Weight: 100, Rises: rises}, 50, 0, "stable has no instances for 100% of the traffic, so it goes back in steps",
		},
		"then most of the rest": {
			Retreat{Weight: 50, Rises: rises, Began: at(-1), Last: at(-1), Sent: 1},
			20, 15 * time.Second,
			"stable has no instances for 50% of the traffic, so it goes back in steps",
		},
		"then all": {
			Retreat{Weight: 20, Rises: rises, Began: at(-2), Last: at(-1), Sent: 2}, 0, 15 * time.Second, "the last write of the way back",
		},
		"nothing is known of rises: in steps": {
			Retreat{Weight: 30}, 15, 0, "stable has no instances for 30% of the traffic, so it goes back in steps",
		},
		"the gateway has room for the rest": {
			Retreat{Weight: 100, Rises: rises, Holds: 100}, 0, 0, "the gateway has room for the instances that stable lacks for 100% of the traffic",
		},
		"the gateway has room for more than half": {
			Retreat{Weight: 100, Rises: rises, Holds: 70}, 30, 0, "stable has no instances for 100% of the traffic, so it goes back in steps",
		},
		"that room is spent by the first write": {
			Retreat{Weight: 30, Rises: rises, Holds: 70, Began: at(-1), Last: at(-1), Sent: 1},
			12, 15 * time.Second,
			"stable has no instances for 30% of the traffic, so it goes back in steps",
		},
		"users fail: at once": {
			Retreat{Weight: 100, Rises: rises, AtOnce: true}, 0, 0, "everything goes back at once",
		},
		"users fail on the way: at once": {
			Retreat{Weight: 50, Rises: rises, AtOnce: true, Began: noon, Last: noon, Sent: 1}, 0, 0, "everything goes back at once",
		},
		"nobody looked for a while: the second write is the last": {
			Retreat{Weight: 50, Rises: rises, Began: at(-10), Last: at(-10), Sent: 1}, 0, 0, "the last write of the way back",
		},
		"the clock went back by an hour": {
			Retreat{Weight: 50, Rises: rises, Began: at(60), Last: at(60), Sent: 1},
			20, Spacing,
			"stable has no instances for 50% of the traffic, so it goes back in steps",
		},
		"there is nothing to lower": {Retreat{}, 0, 0, "stable still has the instances"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := Lowering{c.want, noon.Add(c.after), c.why}
			if got := WayBack(c.retreat, noon); got != want {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		})
	}
}

// TestAWayBackEndsWithinThreeWritesAndThreeMinutes, however often somebody looks.
func TestAWayBackEndsWithinThreeWritesAndThreeMinutes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := Retreat{Weight: rapid.Int64Range(1, 100).Draw(t, "weight"), Holds: upTo(t, 100, "holds")}
		for range upTo(t, 5, "rises") {
			r.Rises = append(r.Rises, Rise{at(-int(upTo(t, 40, "ago"))), upTo(t, 99, "from")})
		}
		now, end := noon, at(3)
		looks := time.Duration(1+upTo(t, 20, "look")) * time.Second
		for r.Weight > 0 {
			l := WayBack(r, now)
			if l.Weight >= r.Weight || l.Weight < 0 || l.At.After(now.Add(Spacing)) || l.At.Before(now) {
				t.Fatalf("from %d%% at %s: %+v", r.Weight, now, l)
			}
			if now.Before(l.At) {
				now = now.Add(looks)
				continue
			}
			if r.Sent == 0 {
				r.Began = now
			}
			r.Weight, r.Last, r.Sent = l.Weight, now, r.Sent+1
		}
		if r.Sent > MostLowerings || now.After(end) {
			t.Fatalf("%d writes until %s", r.Sent, now)
		}
	})
}

func TestHowMuchAGatewayHoldsForTheWayBack(t *testing.T) {
	t.Parallel()
	twelve := Fleet{Stable: 1, Candidate: 12, Busy: 12, CandidateLeast: 12, CandidateMost: 1}
	in := func(s Subnet) Fleet {
		f := twelve
		f.Subnet = s
		return f
	}
	cases := map[string]struct {
		gateway Gateway
		fleet   Fleet
		want    int64
	}{
		"all of it, with the reserve":    {nat1(39), twelve, 100},
		"half of it":                     {nat1(51), twelve, 50},
		"none":                           {nat1(63), twelve, 0},
		"as much as the subnet has":      {nat1(39), in(Subnet{Size: 60, Taken: 44}), 33},
		"none, where the subnet is full": {nat1(39), in(Subnet{Size: 60, Taken: 60}), 0},
		"all, where addresses are added": {Gateway{Auto: true}, twelve, 100},
		"the load is what there is, where nobody measured": {nat1(39), Fleet{Stable: 4, Candidate: 8}, 100},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Holds(c.gateway, c.fleet, one); got != c.want {
				t.Errorf("got %d%%, want %d%%", got, c.want)
			}
		})
	}
}
