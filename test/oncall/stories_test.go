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
	// truth is what the world itself tells, in the words of the answer. It is asked after
	// the answer, and may let time pass to see what comes of it.
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
			facts := st.truth(n)
			for _, fact := range untold(answer, facts) {
				t.Errorf("the world tells %q, and the answer does not:\n%s", fact, answer)
			}
			for _, wrong := range unnoticed(answer, facts) {
				t.Error(wrong)
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

// untold are the facts that an answer does not tell.
func untold(answer string, facts []string) []string {
	var missing []string
	for _, fact := range facts {
		if !strings.Contains(answer, fact) {
			missing = append(missing, fact)
		}
	}
	return missing
}

// unnoticed changes each number of an answer that a fact has, and tells of each change that
// the comparison with the facts does not see; also where there is no such number.
func unnoticed(answer string, facts []string) []string {
	var wrong []string
	numbers := 0
	for _, fact := range facts {
		for i, digit := range []byte(fact) {
			if digit < '0' || digit > '9' {
				continue
			}
			numbers++
			other := fact[:i] + string('0'+(digit-'0'+1)%10) + fact[i+1:]
			if len(untold(strings.ReplaceAll(answer, fact, other), facts)) == 0 {
				wrong = append(wrong, fmt.Sprintf("an answer with %q for %q would pass", other, fact))
			}
		}
	}
	if numbers == 0 {
		wrong = append(wrong, fmt.Sprintf("no number of the answer is compared with the world: %q", facts))
	}
	return wrong
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
