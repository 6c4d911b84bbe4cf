package invariants

import "testing"

// TestAResumeIsCarriedOutWhateverIsAskedMeanwhile: its write may take several tries, and
// the answer to another request does not take it back.
func TestAResumeIsCarriedOutWhateverIsAskedMeanwhile(t *testing.T) {
	t.Parallel()
	back := &Intent{Split: Split{"web-1": 100}, Etag: "c"}
	resumed := Saved{At: after("2m"), Phase: "Shifting", Attempt: 1, Stable: "web-1", Candidate: "web-2", Intent: back, Answered: "r1", Accepted: true}
	other := resumed
	other.At, other.Answered, other.Accepted = after("3m"), "r2", false
	for name, saves := range map[string][]Saved{"of a resume": {resumed, other}, "of nobody's": {other}} {
		p := newPast(Delta)
		p.learn(Plan{At: after("0s"), Number: 1, Steps: []Step{{Weight: 50}, {Weight: 100}}})
		p.learn(Request{At: after("1m"), ID: "r1", Verb: verbResume})
		p.learn(Request{At: after("2m30s"), ID: "r2", Verb: verbApprove})
		for _, s := range saves {
			p.learn(s)
		}
		theirs := snap("c", 3, Target{Revision: "web-2", Percent: 100})
		w := written("3m1s", "c", theirs, []Target{{Revision: "web-1", Percent: 100}})[1]
		if what := lowersByOneStep(p, w); (what == "") != (name == "of a resume") {
			t.Errorf("%s: %q", name, what)
		}
	}
}

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
