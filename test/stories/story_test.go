package stories_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// allStories is the book. Every part stands in a file of its own.
var allStories = slices.Concat(ordinaryStories, metricStories, checkStories, natStories, blameStories, pacingStories, warmupStories, peopleStories, verbStories, faultStories, clockStories, templateStories)

// TestStories plays every story to its end and compares what was told with the
// golden file: a change of behaviour is a diff of prose. The invariants are
// judged on the world's own log.
func TestStories(t *testing.T) {
	t.Parallel()
	for _, s := range allStories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			b := newTeller(t, s)
			b.play()
			golden := filepath.Join("testdata", s.name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(b.told.String()), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v: run go test ./test/stories -run TestStories -update, and read what it wrote", err)
			}
			if diff := cmp.Diff(string(want), b.told.String()); diff != "" {
				t.Errorf("%s (-golden +told):\n%s", golden, diff)
			}
		})
	}
}

// TestABakeEndsWhenItSaid: where all is well, in the minute that it named from its
// beginning on or a look later.
func TestABakeEndsWhenItSaid(t *testing.T) {
	t.Parallel()
	for _, s := range allStories {
		if s.name != "healthy" && s.name != "nat-healthy" {
			continue
		}
		b := newTeller(t, s)
		b.play()
		if len(b.late) != 4 || slices.Max(b.late) > 75*time.Second {
			t.Errorf("%s: four bakes ended this long after they said: %v", s.name, b.late)
		}
	}
}

// TestEveryGoldenFileBelongsToAStory keeps testdata free of what nobody tells.
func TestEveryGoldenFileBelongsToAStory(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, s := range allStories {
		golden := filepath.Join("testdata", s.name+".golden")
		if known[golden] {
			t.Errorf("two stories are called %s", s.name)
		}
		known[golden] = true
	}
	for _, file := range files {
		if !known[file] {
			t.Errorf("%s belongs to no story", file)
		}
	}
}
