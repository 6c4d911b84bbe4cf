package historic_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/test/historic"
)

const root = "../.."

func bugs(t *testing.T) []historic.Bug {
	t.Helper()
	all, err := historic.Bugs()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestEveryIncidentHasABugOrAReason: and every bug is one of an incident.
func TestEveryIncidentHasABugOrAReason(t *testing.T) {
	t.Parallel()
	incidents, err := historic.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	for _, complaint := range historic.Unlisted(incidents, bugs(t)) {
		t.Error(complaint)
	}
	if len(incidents) < 32 {
		t.Errorf("the ledger has %d incidents; there were more", len(incidents))
	}
}

// TestEveryBugCanStillBeMade finds each bug's text exactly once, and compiles it.
func TestEveryBugCanStillBeMade(t *testing.T) {
	t.Parallel()
	hunt := historic.Hunt{Root: root, Dir: t.TempDir()}
	if err := hunt.Check(t.Context(), bugs(t)); err != nil {
		t.Error(err)
	}
}

// cheapest has a bug for each kind of detector, of tests one for each package that is
// quick to compile.
var cheapest = []string{
	"tags-of-others-are-lost", "abort-ignored-at-a-gate", // explorer
	"split-is-judged-at-once",                                                                 // simulation
	"lost-status-is-not-taken-up",                                                             // crash matrix
	"firewall-lets-no-traffic-through", "undecided-counts-as-passed", "undo-gives-nothing-up", // tests
}

// TestTheCheapestAreFound really looks for some. make historic looks for all.
func TestTheCheapestAreFound(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles detectors")
	}
	hunt := historic.Hunt{Root: root, Dir: t.TempDir(), Patience: 5 * time.Minute}
	all := bugs(t)
	var chosen []historic.Bug
	for _, name := range cheapest {
		i := slices.IndexFunc(all, func(b historic.Bug) bool { return b.Name == name })
		if i < 0 {
			t.Fatalf("there is no bug %s", name)
		}
		chosen = append(chosen, all[i])
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := hunt.Try(t.Context(), all[i])
			if r.Err != nil {
				t.Error(r.Err)
			}
			if r.Err == nil && counted[all[i].Detector.Name] && r.Finding.Effort == 0 {
				t.Error("it is not said what it took")
			}
		})
	}
	for _, d := range historic.Controls(chosen) {
		if d.Name == "simulation" || d.Name == "crashmatrix" {
			continue // their own tests play as much without a bug
		}
		t.Run("without a bug "+d.String(), func(t *testing.T) {
			t.Parallel()
			if r := hunt.Control(t.Context(), d); r.Err != nil {
				t.Error(r.Err)
			}
		})
	}
	for _, b := range all {
		if !slices.ContainsFunc(chosen, func(c historic.Bug) bool { return c.Detector.Name == b.Detector.Name }) {
			t.Errorf("nothing is looked for by the %s, which finds %s", b.Detector.Name, b.Name)
		}
	}
}

// counted are the detectors that say how many states, seeds or cells they looked at.
var counted = map[string]bool{"explorer": true, "simulation": true}

// harmless is a bug that changes nothing that anybody could see.
const harmless = `incident: none
change: nothing
detector: test ./internal/cloudrun/firewall TestWhatPasses
breaks: TestWhatPasses

@ internal/cloudrun/firewall/firewall.go
-func New(next http.RoundTripper) *Firewall { return &Firewall{next: next} }
+func New(next http.RoundTripper) *Firewall { %s }
`

func parsed(t *testing.T, text string) historic.Bug {
	t.Helper()
	b, err := historic.Parse("odd", text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestOnlyAnOracleFinds: not a compiler, not a panic, and nothing that is harmless.
func TestOnlyAnOracleFinds(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles tests")
	}
	hunt := historic.Hunt{Root: root, Dir: t.TempDir(), Patience: 5 * time.Minute}
	for what, body := range map[string]string{
		"does not compile": "return nowhere", "panics": `panic("here")`, "reports []": "f := Firewall{next: next}; return &f",
	} {
		r := hunt.Try(t.Context(), parsed(t, strings.Replace(harmless, "%s", body, 1)))
		if r.Err == nil || !strings.Contains(r.Err.Error(), what) {
			t.Errorf("%s: %v", what, r.Err)
		}
	}
}

// TestCodeThatMovedIsSaid: a text that is not there, or there twice, is no bug.
func TestCodeThatMovedIsSaid(t *testing.T) {
	t.Parallel()
	hunt := historic.Hunt{Root: root, Dir: t.TempDir()}
	for _, line := range []string{"no such line", "}"} {
		text := "incident: none\nchange: nothing\ndetector: explorer\nbreaks: I1\n\n@ internal/rollout/plan.go\n-" + line + "\n"
		if err := hunt.Check(t.Context(), []historic.Bug{parsed(t, text)}); !errors.Is(err, historic.ErrMoved) {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// TestFilesThatAreNoBugs: what is wrong with a file is said.
func TestFilesThatAreNoBugs(t *testing.T) {
	t.Parallel()
	const head = "incident: A1\nchange: nothing\ndetector: explorer\nbreaks: I1\n"
	for what, text := range map[string]string{
		"unknown line":       head + "colour: red\n\n@ a.go\n-x\n",
		"unknown detector":   strings.Replace(head, "explorer", "oracle", 1) + "\n@ a.go\n-x\n",
		"needs its package":  strings.Replace(head, "explorer", "test ./a", 1) + "\n@ a.go\n-x\n",
		"before any hunk":    head + "\n-x\n",
		"a hunk begins with": head + "\n@ a.go\n*x\n",
		"and a hunk":         head,
		`reports no "I"`:     strings.Replace(head, "I1", "I", 1) + "\n@ a.go\n-x\n",
		`reports no "TestA"`: strings.Replace(strings.Replace(head, "explorer", "test ./a TestB", 1), "I1", "TestA", 1) + "\n@ a.go\n-x\n",
	} {
		if _, err := historic.Parse("odd", text); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
