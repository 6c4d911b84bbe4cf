package soak_test

import (
	"testing"

	"github.com/sluice-rollouts/sluice/test/soak"
)

// TestSoak plays a hundred rollouts, each seed twice.
func TestSoak(t *testing.T) {
	t.Parallel()
	rollouts := 100
	if testing.Short() {
		rollouts = 20
	}
	r, err := soak.Run(t.Context(), soak.Options{From: 1, Rollouts: rollouts, Twice: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, story := range r.Broken {
		t.Error(story)
	}
	t.Log(r)
}

// TestAnotherSeedIsAnotherStory keeps the hash from being that of nothing.
func TestAnotherSeedIsAnotherStory(t *testing.T) {
	t.Parallel()
	play := func(seed uint64) string {
		o, err := soak.Play(t.Context(), soak.Write(seed))
		if err != nil {
			t.Fatal(err)
		}
		return o.Hash()
	}
	if play(7) == play(8) {
		t.Error("two seeds give the same story")
	}
}

// BenchmarkPlay is the cost of one seed.
func BenchmarkPlay(b *testing.B) {
	for i := range b.N {
		if _, err := soak.Play(b.Context(), soak.Write(uint64(i))); err != nil {
			b.Fatal(err)
		}
	}
}
