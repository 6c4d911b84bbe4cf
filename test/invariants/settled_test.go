package invariants

import "testing"

// TestWhatIsSettledByNameIsLetGo: a split of somebody else's over which the spec's choice
// was written needs no further word; any other write leaves it as it is.
func TestWhatIsSettledByNameIsLetGo(t *testing.T) {
	t.Parallel()
	theirs := snap("b", 2, Target{Revision: "web-1", Percent: 97}, Target{Revision: "web-2", Percent: 3})
	for name, c := range map[string]struct {
		named   string
		written []Target
		letGo   bool
	}{
		"what is named": {"web-1", []Target{{Revision: "web-1", Percent: 100}}, true},
		"another one":   {"web-1", []Target{{Revision: "web-2", Percent: 100}}, false},
		"no name":       {"", []Target{{Revision: "web-1", Percent: 100}}, false},
		"a part":        {"web-1", []Target{{Revision: "web-1", Percent: 50}, {Revision: "web-3", Percent: 50}}, false},
	} {
		p := newPast(Delta)
		p.learn(Plan{At: after("0s"), Number: 1, StableRevision: c.named})
		p.learn(Desired{after("1m"), theirs.Desired, false})
		if p.foreign == nil {
			t.Fatal("a split of somebody else's is not noticed")
		}
		for _, e := range written("2m", "b", theirs, c.written)[1:] {
			p.learn(e)
		}
		if letGo := p.foreign == nil; letGo != c.letGo {
			t.Errorf("%s: let go is %t", name, letGo)
		}
	}
}
