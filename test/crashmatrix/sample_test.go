package crashmatrix

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sluice-rollouts/sluice/test/soak"
)

// TestASampleOfPairsIsSpread over early and late calls and over kinds, of both crashes:
// one of a thousand has some of all, and a first crash late in the story is not left out.
func TestASampleOfPairsIsSpread(t *testing.T) {
	t.Parallel()
	const calls, sample = 120, 100
	type place struct {
		late [2]bool
		kind [2]soak.CrashKind
	}
	counted, firsts, all := map[place]int{}, map[int]bool{}, 0
	crashes := crashesAt(upTo(calls))
	for _, first := range crashes {
		for _, second := range crashes {
			if drawn(sample, first, second) {
				counted[place{[2]bool{first.Call > calls/2, second.Call > calls/2}, [2]soak.CrashKind{first.Kind, second.Kind}}]++
				firsts[first.Call] = true
				all++
			}
		}
	}
	if want := len(crashes) * len(crashes) / sample; all < want*9/10 || all > want*11/10 {
		t.Errorf("%d pairs, want about %d", all, want)
	}
	for where, n := range counted {
		if even := all / (4 * len(soak.CrashKinds) * len(soak.CrashKinds)); n < even/2 || n > 2*even {
			t.Errorf("%d pairs at %v, evenly spread it would be %d", n, where, even)
		}
	}
	if len(counted) != 4*len(soak.CrashKinds)*len(soak.CrashKinds) || len(firsts) < calls*9/10 {
		t.Errorf("%d places of pairs, %d first calls of %d", len(counted), len(firsts), calls)
	}
}

// TestTheWholeAndNothingAreNoSamples: 1 draws all, 0 none.
func TestTheWholeAndNothingAreNoSamples(t *testing.T) {
	t.Parallel()
	for _, crash := range crashesAt(upTo(100)) {
		if !drawn(1, crash) || drawn(0, crash) {
			t.Fatalf("%s: drawn of one %t, of none %t", crash, drawn(1, crash), drawn(0, crash))
		}
	}
}

func upTo(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i + 1
	}
	return numbers
}

// TestAMatrixThatIsInterruptedSaysSo: what was left out is not counted, and no success.
func TestAMatrixThatIsInterruptedSaysSo(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	r, err := Run(ctx, Options{Scenes: []string{"delete", "healthy"}, Sample: 10, Workers: 1, Progress: ending{interrupt}})
	cells, different := r.Cells()
	if !errors.Is(err, context.Canceled) || cells == 0 || different > 0 || r.Took <= 0 {
		t.Errorf("%s: %v", r, err)
	}
}

// ending interrupts when a scene is done.
type ending struct{ interrupt func() }

func (e ending) Write(text []byte) (int, error) {
	e.interrupt()
	return len(text), nil
}

// TestARowSaysWhatWasPlayedOfHowMuch.
func TestARowSaysWhatWasPlayedOfHowMuch(t *testing.T) {
	t.Parallel()
	r := SceneReport{Scene: "git", What: "released", Calls: 50, Points: 40, Singles: 150, Pairs: 30, AllPairs: 1200, Different: []Difference{{}}}
	want := "| `git`: released | 50 | 40 | 150 of 150 | 30 of 1200 | 179/180 | 1 | abc |\n"
	if row := r.Row("abc"); row != want || strings.Count(row, "|") != strings.Count(strings.SplitN(Head, "\n", 2)[0], "|") {
		t.Errorf("the row is %s", row)
	}
	if r.Pairs = 0; !strings.Contains(r.Row("abc"), "| none |") {
		t.Errorf("without pairs the row is %s", r.Row("abc"))
	}
	for _, s := range Scenes {
		if s.What == "" {
			t.Errorf("what happens in the scene %s is not said", s.Name)
		}
	}
}
