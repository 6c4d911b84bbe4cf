package invariants

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

func TestEveryValueOfASwitchSaysWhichInvariantsNeedIt(t *testing.T) {
	t.Parallel()
	all := simulator.AllSwitches()
	for name, values := range all {
		for _, value := range values {
			said, known := Needs(Behaviour{name, value})
			if !known {
				t.Errorf("needs.go has no row for %s: %s", name, value)
			}
			var want []string
			for _, r := range rules {
				if r.needs == (Behaviour{name, value}) && !slices.Contains(want, r.invariant) {
					want = append(want, r.invariant)
				}
			}
			if diff := cmp.Diff(want, said); diff != "" {
				t.Errorf("%s: %s (-rules +needs.go):\n%s", name, value, diff)
			}
		}
	}
	for name, values := range needs {
		if got := all[name]; len(values) != len(got) || got == [2]string{} {
			t.Errorf("needs.go has %d values of %s, the world %v", len(values), name, got)
		}
	}
}

func TestTheManualSaysTheSame(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/simulator.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range simulator.AllSwitches() {
		said := "none"
		for _, value := range values {
			if list, _ := Needs(Behaviour{name, value}); len(list) > 0 {
				said = fmt.Sprintf("%s need `%s`", strings.Join(list, ", "), value)
			}
		}
		i := strings.Index(string(text), "\n| `"+name+"` | `"+values[0])
		if i < 0 {
			t.Errorf("docs/simulator.md has no row for %s", name)
			continue
		}
		row, _, _ := strings.Cut(string(text)[i+1:], "\n")
		if !strings.HasSuffix(row, " | "+said+" |") {
			t.Errorf("docs/simulator.md: %s\nwant it to end with | %s |", row, said)
		}
	}
}

func TestWhatNeedsEtagsIsNotJudgedWhereTheyAreIgnored(t *testing.T) {
	t.Parallel()
	late := good()
	late = edit(late, 1, func(w *Write) { w.Etag, w.Landed = "older", true })
	if found := Judge(late); len(found) != 1 || found[0].Invariant != "I2" {
		t.Errorf("where they are enforced: %v", found)
	}
	if found := Judge(late, Behaviour{"etag", "ignored"}, Behaviour{"zeroSeries", "zero"}); len(found) != 0 {
		t.Errorf("where they are ignored: %v", found)
	}
	forgotten := edit(good(), 1, func(w *Write) { w.Etag = "" })
	if found := Judge(forgotten, Behaviour{"etag", "ignored"}); len(found) == 0 {
		t.Error("a write without an etag passes where etags are ignored")
	}
}

// TestEveryRuleIsAskedWhereNoSwitchIsSet: a world whose switches nobody set behaves in
// the usual way, and a value that nobody knows excuses nothing.
func TestEveryRuleIsAskedWhereNoSwitchIsSet(t *testing.T) {
	t.Parallel()
	var usual, nameless []Behaviour
	for name, value := range (simulator.Switches{}).Values() {
		usual = append(usual, Behaviour{name, value})
		nameless = append(nameless, Behaviour{Switch: name})
	}
	for _, r := range rules {
		if r.waived(usual) {
			t.Errorf("a rule of %s, which needs %s: %s, is left out where no switch is set", r.invariant, r.needs.Switch, r.needs.Value)
		}
		if r.waived(nameless) {
			t.Errorf("a rule of %s, which needs %s: %s, is left out where nobody said how that is", r.invariant, r.needs.Switch, r.needs.Value)
		}
	}
}
