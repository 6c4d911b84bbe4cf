package simulator_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

func docs(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/simulator.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEverySwitchIsDocumentedWithBothValues(t *testing.T) {
	t.Parallel()
	text := docs(t)
	all := simulator.AllSwitches()
	for name, values := range all {
		row := "| `" + name + "` | `" + values[0] + "`, `" + values[1] + "` |"
		if !strings.Contains(text, row) {
			t.Errorf("docs/simulator.md lacks the row %s", row)
		}
	}
	_, table, _ := strings.Cut(text, "## Switches")
	if got := strings.Count(table, "\n| `"); got != len(all) {
		t.Errorf("the table has %d switches, the world %d", got, len(all))
	}
}

func TestEveryKindOfFaultIsDocumented(t *testing.T) {
	t.Parallel()
	text := docs(t)
	for _, kind := range simulator.FaultKinds() {
		if !strings.Contains(text, "\n| `"+string(kind)+"` | ") {
			t.Errorf("docs/simulator.md has no row for the fault %s", kind)
		}
	}
}

func TestTheDocumentedNetworkPlays(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/simulator-network.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	sc, err := simulator.ParseScenario([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	w, err := simulator.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	w.Advance(10 * time.Minute)
	if u := seen(w, 0, 10); u.requests < 10000 || u.failed > 0 {
		t.Errorf("%+v", u)
	}
}

func TestTheDocumentedScenarioPlays(t *testing.T) {
	t.Parallel()
	_, rest, _ := strings.Cut(docs(t), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	sc, err := simulator.ParseScenario([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := simulator.New(sc); err != nil {
		t.Fatal(err)
	}
}
