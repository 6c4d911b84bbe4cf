package rollout

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// crowd is 1 % for each of a hundred revisions, web-1 and web-2 among them, with
// names as long as Cloud Run lets them be.
func crowd() Split {
	percents := map[string]int64{"web-1": 1, "web-2": 1}
	for i := range 98 {
		percents[fmt.Sprintf("web-%s-%02d", strings.Repeat("x", 56), i)] = 1
	}
	return NewSplit(percents)
}

// serves is a service with a split.
func (s scene) serves(split Split) scene {
	var shares []any
	for _, share := range split {
		shares = append(shares, share.Revision, share.Percent)
	}
	return s.split(shares...)
}

func TestASplitIsKnownByItsBriefForm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`web-[a-e0-9]{1,3}`)
		draw := func(what string) Split {
			return NewSplit(rapid.MapOfN(name, rapid.Int64Range(1, 100), 0, 12).Draw(t, what))
		}
		one, other := draw("one"), draw("other")
		candidate, stable := name.Draw(t, "candidate"), name.Draw(t, "stable")
		brief := one.brief(candidate, stable)
		switch {
		case len(brief) > maxShares:
			t.Errorf("%d shares are remembered", len(brief))
		case !brief.Equal(one), !one.Equal(brief), !brief.Equal(one.brief()):
			t.Errorf("%v is not known again as %v", one, brief)
		case one.Equal(other) != slices.Equal(one, other), brief.Equal(other) != slices.Equal(one, other):
			t.Errorf("%v is taken for %v", other, brief)
		case brief.Of(candidate) != one.Of(candidate), brief.Of(stable) != one.Of(stable):
			t.Errorf("%v has other shares than %v", brief, one)
		case !slices.Equal(brief, brief.brief(stable)):
			t.Errorf("%v is shortened twice", brief)
		}
	})
}

func TestALargeSplitIsToldInAFewWords(t *testing.T) {
	t.Parallel()
	large := NewSplit(map[string]int64{"web-1": 40, "web-2": 25, "web-3": 5, "web-4": 20, "web-5": 10})
	for _, c := range []struct {
		split Split
		want  string
	}{
		{large[:4], "web-3 5%, web-4 20%, web-2 25%, web-1 40%"},
		{large, "2 others 15%, web-4 20%, web-2 25%, web-1 40%"},
		{large.brief("web-3", "web-1"), "web-3 5%, web-1 40%, 3 others 55%"},
		{large.brief(), "5 others 100%"},
	} {
		if diff := cmp.Diff(c.want, c.split.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if name, ok := large.brief().sole(); ok {
		t.Errorf("many are taken for the one revision %s", name)
	}
}

// TestALargeSplitIsLeftLikeAnyOther aborts over a split of a hundred revisions,
// from what is remembered alone.
func TestALargeSplitIsLeftLikeAnyOther(t *testing.T) {
	t.Parallel()
	theirs := at(25).serves(crowd())
	conflict := Decide(Input(theirs))
	if diff := cmp.Diff("Paused/TrafficConflict", inWords(conflict)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	left := theirs.asks(Abort)
	left.Progress = conflict.Progress
	d := Decide(Input(left))
	sane(t, Input(left), d)
	if got := d.Progress.Confirmed; got.Of("web-2") != 1 || !got.Equal(crowd()) {
		t.Fatalf("it is remembered as %v", got)
	}
	left.Progress, left.Request = d.Progress, Request{}
	exchanged := crowd()
	exchanged[5].Percent, exchanged[6].Percent = 2, 0
	check(t, map[string]row{
		"the write was lost":       {left, "RollingBack/RollingBack, writes web-1 100%", "97 others 97%; 100% goes to web-1"},
		"it took effect":           {left.split("web-1", 100), "RolledBack/RolledBack", "aborted by ann"},
		"somebody set another one": {left.serves(exchanged), "Paused/TrafficConflict", "someone else set traffic to"},
		"somebody set a small one": {left.split("web-1", 50, "web-2", 50), "Paused/TrafficConflict", "someone else set traffic to"},
	})
}

func TestNobodyWritesASplitOfWhichOnlyTheDigestIsKnown(t *testing.T) {
	t.Parallel()
	if _, err := newWrite(at(25).Service, crowd().brief("web-2"), "web-2"); err == nil {
		t.Error("it became a write")
	}
}
