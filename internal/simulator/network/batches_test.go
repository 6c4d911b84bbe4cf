package network

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The ring keeps what a plain list of seconds, one for each connection, keeps.
func TestBatchesAreAQueueThatAlsoGivesFromItsEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var b batches
		var list []int32
		second := int32(0)
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				second += rapid.Int32Range(0, 3).Draw(t, "later")
				n := rapid.IntRange(-1, 5).Draw(t, "n")
				b.push(second, n)
				list = append(list, slices.Repeat([]int32{second}, max(0, n))...)
			},
			"take newest": func(t *rapid.T) {
				n := rapid.IntRange(0, 12).Draw(t, "n")
				if got, want := b.takeNewest(n), min(n, len(list)); got != want {
					t.Fatalf("took %d, want %d", got, want)
				}
				list = list[:max(0, len(list)-n)]
			},
			"take oldest": func(t *rapid.T) {
				last := second - rapid.Int32Range(0, 8).Draw(t, "age")
				for {
					got, ok := b.takeUntil(last)
					if !ok {
						break
					}
					for range got.n {
						if list[0] != got.at {
							t.Fatalf("took second %d, the oldest is %d", got.at, list[0])
						}
						list = list[1:]
					}
				}
				if len(list) > 0 && list[0] <= last {
					t.Fatalf("second %d was left", list[0])
				}
			},
			"": func(t *rapid.T) {
				if b.total != len(list) {
					t.Fatalf("there are %d, want %d", b.total, len(list))
				}
			},
		})
	})
}
