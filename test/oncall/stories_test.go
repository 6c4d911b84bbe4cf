package oncall_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/test/oncall"
)

var update = flag.Bool("update", false, "write the golden files anew")

// story is a question of somebody on call, the world in which it comes up, and the
// one command that answers it.
type story struct {
	name, question string
	world          []func(*town)
	play           func(night)
	command        string
	// truth is what the world itself tells, in the words of the answer.
	truth func(night) []string
}

// TestStories asks each question at its moment and compares the answer with the
// golden file, word for word, and its numbers with the world.
func TestStories(t *testing.T) {
	t.Parallel()
	for _, st := range stories {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			n := st.begin(t)
			st.play(n)
			answer := n.answer(st.command)
			for _, fact := range st.truth(n) {
				if !strings.Contains(answer, fact) {
					t.Errorf("the world tells %q, and the answer does not:\n%s", fact, answer)
				}
			}
			told := fmt.Sprintf("%s\n\n$ kubectl sluice %s\n%s", st.question, st.command, answer)
			golden := filepath.Join("testdata", st.name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(told), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v: run go test ./test/oncall -update, and read what it wrote", err)
			}
			if diff := cmp.Diff(string(want), told); diff != "" {
				t.Errorf("%s (-golden +told):\n%s", golden, diff)
			}
		})
	}
}

func (st story) begin(t *testing.T) night {
	t.Helper()
	there := newTown()
	for _, change := range st.world {
		change(there)
	}
	s, err := oncall.New(t.Context(), there.scenario)
	n := night{t, s}
	n.must(err)
	n.wait(10 * time.Minute)
	for _, ro := range there.rollouts {
		n.must(s.Apply(ro))
	}
	n.wait(2 * time.Minute)
	return n
}

// TestEveryGoldenFileBelongsToAStory keeps testdata free of what nobody tells.
func TestEveryGoldenFileBelongsToAStory(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(stories) {
		t.Errorf("%d golden files for %d stories: %v", len(files), len(stories), files)
	}
}
