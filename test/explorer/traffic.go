package explorer

import (
	"fmt"
	"slices"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// traffic is a traffic list with the percents that follow from it.
type traffic struct {
	entries []rollout.Entry
	latest  int64                    // percent that follows LATEST
	shares  [mostRevisions + 1]int64 // percent by name, by the number of the revision
}

// share is a revision's percent, given the newest ready one.
func (t *traffic) share(revision, ready uint8) int64 {
	if revision == 0 {
		return 0
	}
	if revision == ready {
		return t.shares[revision] + t.latest
	}
	return t.shares[revision]
}

// sole is the revision that has everything, 0 for none.
func (t *traffic) sole(ready uint8) uint8 {
	for r := uint8(1); r <= mostRevisions; r++ {
		if t.share(r, ready) == 100 {
			return r
		}
	}
	return 0
}

// same tells whether two lists share alike.
func (t *traffic) same(other *traffic, ready uint8) bool {
	for r := uint8(1); r <= mostRevisions; r++ {
		if t.share(r, ready) != other.share(r, ready) {
			return false
		}
	}
	return true
}

// tags are the entries of a list that only carry a tag, or its tag at least.
func (t *traffic) tags() []rollout.Entry {
	var tags []rollout.Entry
	for _, e := range t.entries {
		if e.Tag != "" {
			tags = append(tags, rollout.Entry{Latest: e.Latest, Revision: e.Revision, Tag: e.Tag})
		}
	}
	return tags
}

// traffic numbers a list.
func (w *world) traffic(entries []rollout.Entry) uint32 {
	t := traffic{entries: slices.Clone(entries)}
	for _, e := range entries {
		if e.Latest {
			t.latest += e.Percent
		} else {
			t.shares[numberOf(e.Revision)] += e.Percent
		}
	}
	return w.lists.number(fmt.Sprint(entries), t)
}

var names = [mostRevisions + 1]string{"", "web-1", "web-2", "web-3"}

// numberOf is the number of a revision; 0 for one that there is none of.
func numberOf(name string) uint8 {
	return uint8(max(0, slices.Index(names[:], name))) //nolint:gosec // at most mostRevisions
}
