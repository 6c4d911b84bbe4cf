package rollout

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/states.md anew")

// TestStatesDocumentIsCurrent compares docs/states.md with phase.go. The flag
// -update writes it anew.
func TestStatesDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "states.md")
	want := statesDocument()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is stale; write it with go test ./internal/rollout -run TestStatesDocument -update (-want +got):\n%s", path, diff)
	}
}

// statesDocument writes the phases and their edges for people.
func statesDocument() string {
	var b strings.Builder
	b.WriteString(`# Where a rollout stands

<!-- Made from internal/rollout/phase.go by the test of that package. -->

` + "`status.phase`" + ` is one of these. A rollout under way can go to RollingBack from
every one of its phases; Idle, RolledBack and Completed are its ends.

| Phase | What it says | Under way |
|---|---|---|
`)
	for _, p := range Phases {
		active := ""
		if p.active() {
			active = "yes"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", p, p.Meaning(), active)
	}
	b.WriteString("\nWhich phase may follow which (staying is always possible):\n\n```mermaid\nstateDiagram-v2\n    [*] --> Idle\n")
	for _, from := range Phases {
		for _, to := range Phases {
			if from != to && follows(from, to) {
				fmt.Fprintf(&b, "    %s --> %s\n", from, to)
			}
		}
	}
	b.WriteString("```\n")
	return b.String()
}

func TestPhases(t *testing.T) {
	t.Parallel()
	if len(meaning) != len(Phases) || len(Edges) != len(Phases) || len(phases) != len(Phases) {
		t.Errorf("%d phases, %d sentences, %d with edges, %d with a rule", len(Phases), len(meaning), len(Edges), len(phases))
	}
	reached := map[Phase]bool{Idle: true}
	for range Phases {
		for from := range reached {
			for _, to := range Edges[from] {
				reached[to] = true
			}
		}
	}
	for _, p := range Phases {
		if !strings.HasSuffix(p.Meaning(), ".") {
			t.Errorf("%s has no sentence: %q", p, p.Meaning())
		}
		if !reached[p] {
			t.Errorf("%s cannot be reached", p)
		}
		if p.active() && !follows(p, RollingBack) {
			t.Errorf("there is no way back from %s", p)
		}
		if p.active() && p != RollingBack && !follows(p, Paused) {
			t.Errorf("%s cannot be paused", p)
		}
	}
}

// TestNoPhaseWaitsForEver: what waits for the world has a deadline, a limit of
// its own or a write to repeat; the others wait for a person or are an end.
func TestNoPhaseWaitsForEver(t *testing.T) {
	t.Parallel()
	for phase, reasons := range map[Phase][]Reason{
		Checking: {Preparing}, WarmingUp: {Preparing}, Shifting: {Progressing}, Baking: {Progressing}, Held: {HeldByAnalysis, MetricsUnavailable, TooFewRequests},
	} {
		for _, reason := range reasons {
			if !counts(phase, reason) {
				t.Errorf("%s/%s does not count against the step's deadline", phase, reason)
			}
		}
	}
	for phase, reasons := range map[Phase][]Reason{
		AwaitingApproval: {ReasonAwaitingApproval}, Paused: {ReasonPaused, TrafficConflict}, Held: {WaitingForNat, AccessDenied},
		RollingBack: {ReasonRollingBack}, Idle: {Steady}, RolledBack: {ReasonRolledBack}, Completed: {ReasonCompleted},
	} {
		for _, reason := range reasons {
			if counts(phase, reason) {
				t.Errorf("%s/%s counts against the step's deadline", phase, reason)
			}
		}
	}
}
