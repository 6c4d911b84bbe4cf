package nat

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWhoseTurnItIs(t *testing.T) {
	t.Parallel()
	// Of 63 endpoints 50 can be used and 40 are taken: room for 10, 10,240 ports.
	crowded := nat1(40)
	claim := func(id string, since int, endpoints int64) Claim {
		return Claim{ID: id, Since: at(since), Ports: endpoints * 1024}
	}
	hot := func(c Claim) Claim { c.Hot = true; return c }
	back := func(c Claim) Claim { c.Back = true; return c }
	growing := crowded
	growing.Auto = true
	full := growing // as one that grows by itself always is
	full.Endpoints, full.Allocated = 63, 63*1024
	cases := map[string]struct {
		gateway Gateway
		claims  []Claim
		want    Turn
	}{
		"it is alone": {crowded, []Claim{claim("me", 0, 6)}, Turn{Go: true}},
		"alone, and too large": {
			crowded, []Claim{claim("me", 0, 11)}, Turn{Why: "it may take 11,264 ports and nat-1 has room for 10,240"},
		},
		"the headroom covers both": {crowded, []Claim{hot(claim("other", -9, 4)), claim("me", 0, 6)}, Turn{Go: true}},
		"it does not": {
			crowded,
			[]Claim{hot(claim("other", -9, 5)), claim("me", 0, 6)},
			Turn{Why: "another rollout behind nat-1 takes its step, which leaves room for 5,120 of 6,144 ports"},
		},
		"an older one goes first": {
			crowded,
			[]Claim{claim("me", 0, 6), claim("other", -9, 6)},
			Turn{Why: "another rollout behind nat-1 takes its step, which leaves room for 4,096 of 6,144 ports"},
		},
		"a younger one does not":                            {crowded, []Claim{claim("other", 1, 6), claim("me", 0, 6)}, Turn{Go: true}},
		"of the same age the lesser name goes first":        {crowded, []Claim{claim("other", 0, 6), claim("me", 0, 6)}, Turn{Go: true}},
		"both wait for the first time, and there is room":   {crowded, []Claim{claim("other", -9, 4), claim("me", 0, 6)}, Turn{Go: true}},
		"an older one that cannot fit keeps nobody waiting": {crowded, []Claim{claim("other", -9, 99), claim("me", 0, 6)}, Turn{Go: true}},
		"an older one that will fit is not overtaken": {
			crowded,
			[]Claim{hot(claim("first", -20, 5)), claim("other", -9, 8), claim("me", 0, 1)},
			Turn{Why: "another rollout behind nat-1 has waited longer"},
		},
		"who goes back waits for nobody":         {crowded, []Claim{hot(claim("other", -9, 10)), back(claim("me", 0, 50))}, Turn{Go: true}},
		"and is made room for":                   {crowded, []Claim{back(claim("other", 5, 8)), claim("me", 0, 6)}, Turn{Why: "another rollout behind nat-1 takes its step, which leaves room for 2,048 of 6,144 ports"}},
		"who is hot already goes on":             {crowded, []Claim{hot(claim("me", 0, 99))}, Turn{Go: true}},
		"what needs nothing waits for nobody":    {crowded, []Claim{hot(claim("other", -9, 50)), claim("me", 0, 0)}, Turn{Go: true}},
		"a growing gateway carries one at least": {growing, []Claim{claim("me", 0, 99)}, Turn{Go: true}},
		"and a second only where there is room": {
			growing,
			[]Claim{hot(claim("other", -9, 8)), claim("me", 0, 6)},
			Turn{Why: "another rollout behind nat-1 takes its step, which leaves room for 2,048 of 6,144 ports"},
		},
		"who goes back and takes nothing keeps nobody waiting": {full, []Claim{back(claim("other", -99, 0)), claim("me", 0, 6)}, Turn{Go: true}},
		"nor does who waits and fits nowhere":                  {full, []Claim{claim("other", -99, 0), claim("me", 0, 6)}, Turn{Go: true}},
		"nobody has heard of it":                               {crowded, []Claim{claim("other", 0, 1)}, Turn{Why: "its claim on nat-1 is not known yet"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := WhoseTurn(c.gateway, Subnet{}, one, c.claims, "me"); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// TestRolloutsThatShareAGatewayShareASubnet, for all that anybody knows.
func TestRolloutsThatShareAGatewayShareASubnet(t *testing.T) {
	t.Parallel()
	// Ports for 50 endpoints, which are 50 instances, and addresses for 8 or 16.
	waits := Turn{Why: "another rollout behind nat-1 takes its step, which leaves room for 2,048 of 6,144 ports"}
	claims := []Claim{{ID: "other", Since: at(-9), Ports: 6 * 1024, Hot: true}, {ID: "me", Since: at(0), Ports: 6 * 1024}}
	growing := nat1(0)
	growing.Auto = true
	dynamic := Gateway{Name: "nat-1", IPs: 2, Dynamic: true, Endpoints: 10, Allocated: 10 * 1024}
	for name, c := range map[string]struct {
		gateway Gateway
		subnet  Subnet
		claims  []Claim
		want    Turn
	}{
		"two blocks are enough for both": {nat1(0), Subnet{Size: 60, Taken: 28}, claims, Turn{Go: true}},
		"one block is not":               {nat1(0), Subnet{Size: 60, Taken: 44}, claims, waits},
		"nor where NAT addresses grow":   {growing, Subnet{Size: 60, Taken: 44}, claims, waits},
		"two blocks, where ports grow":   {dynamic, Subnet{Size: 60, Taken: 28}, claims, Turn{Go: true}},
		"one block, where ports grow":    {dynamic, Subnet{Size: 60, Taken: 44}, claims, waits},
		"alone, nobody waits":            {nat1(0), Subnet{Size: 60, Taken: 44}, claims[1:], Turn{Go: true}},
		"a subnet that nobody knows":     {nat1(0), Subnet{}, claims, Turn{Go: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := WhoseTurn(c.gateway, c.subnet, one, c.claims, "me"); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func anyClaims(t *rapid.T) []Claim {
	claims := make([]Claim, upTo(t, 6, "claims"))
	for i := range claims {
		claims[i] = Claim{
			ID:    fmt.Sprintf("shop/%c", 'a'+i),
			Since: at(int(upTo(t, 3, "since"))), Ports: upTo(t, 20, "ports") * 1024,
			Hot: upTo(t, 3, "hot") == 0,
		}
	}
	return claims
}

// TestThereIsAlwaysSomebodyWhoMayGo: no deadlock, no more than there is room
// for, and no names.
func TestThereIsAlwaysSomebodyWhoMayGo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := nat1(upTo(t, 63, "taken"))
		g.Auto = rapid.Bool().Draw(t, "auto")
		claims, subnet := anyClaims(t), anySubnet(t)
		headroom := max(0, 50-g.Endpoints) * 1024
		var granted, hot int64
		going, fits := false, false
		for _, c := range claims {
			turn := WhoseTurn(g, subnet, one, claims, c.ID)
			if turn.Go == (turn.Why != "") || strings.Contains(turn.Why, "shop/") {
				t.Fatalf("a turn that is neither go nor wait, or names somebody: %+v", turn)
			}
			going = going || turn.Go
			switch {
			case c.Hot:
				hot += c.Ports
			case turn.Go:
				granted += c.Ports
			}
			fits = fits || c.Ports <= headroom || g.Auto
		}
		if fits && !going {
			t.Fatalf("somebody fits and nobody may go: room for %d, %+v", headroom, claims)
		}
		if granted > 0 && hot+granted > headroom && !g.Auto {
			t.Fatalf("%d granted beside %d, room for %d: %+v", granted, hot, headroom, claims)
		}
	})
}

// TestEverybodyComesToGo: let those who may go take their steps one after
// another; in the end only those are left that do not fit alone. The order in
// which claims are listed decides nothing.
func TestEverybodyComesToGo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g, claims, subnet := nat1(upTo(t, 63, "taken")), anyClaims(t), anySubnet(t)
		headroom := max(0, 50-g.Endpoints) * 1024
		for range 2 * len(claims) {
			shuffled := rapid.Permutation(claims).Draw(t, "order")
			var rest []Claim
			for _, c := range claims {
				turn := WhoseTurn(g, subnet, one, claims, c.ID)
				if turn != WhoseTurn(g, subnet, one, shuffled, c.ID) {
					t.Fatalf("the order of the claims decides: %+v", claims)
				}
				switch {
				case c.Hot: // its evidence arrives, and its ports were not needed
				case turn.Go:
					c.Hot = true
					rest = append(rest, c)
				default:
					rest = append(rest, c)
				}
			}
			claims = rest
		}
		for _, c := range claims {
			if c.Ports <= headroom {
				t.Fatalf("%+v never came to go, though there is room for %d", c, headroom)
			}
		}
	})
}
