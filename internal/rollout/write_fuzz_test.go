package rollout

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// FuzzEveryWriteIsInNormalForm asks for a split of any traffic list: the write adds
// up to 100, gives LATEST nothing, keeps foreign tags to the letter, and asked
// for again of its own result is the same.
func FuzzEveryWriteIsInNormalForm(f *testing.F) {
	f.Add("web-1 100", "web-2", "web-1", int64(5), true, "")
	f.Add("* 100\nweb-1 0 blue", "web-2", "web-1", int64(25), true, "web-1")
	f.Add("web-1 95 sluice-stable\nweb-2 5\n* 0 next\nweb-2 0 preview", "web-2", "web-1", int64(100), true, "web-1")
	f.Add("web-1 100\nweb-0 0 sluice-stable\nweb-9 0 sluice-stable", "", "web-1", int64(0), false, "web-0")
	f.Add("web-1 50 a\nweb-1 50 a", "web-1", "web-1", int64(50), false, "")
	f.Add("web-1 -1\n 101 x", "", "", int64(-3), true, "web-2")
	f.Fuzz(func(t *testing.T, list, candidate, stable string, weight int64, tagged bool, was string) {
		svc := Service{ETag: "e", Generation: 7, LatestReady: "web-2", Desired: entriesOf(list)}
		split, ours := between(candidate, stable, weight), tagging{tag: Tag, was: was}
		if tagged {
			ours.keep = stable
		}
		w, err := newWrite(svc, split, candidate, ours)
		if err != nil {
			if sound(svc, candidate, stable, weight) {
				t.Fatalf("%v to %v is refused: %v", svc.Desired, split, err)
			}
			return
		}
		checkNormalForm(t, w.Targets(), split, candidate)
		checkTags(t, svc, w.Targets(), ours)

		svc.Desired = w.Targets()
		again, err := newWrite(svc, split, candidate, tagging{tag: Tag, keep: ours.keep, was: cmp.Or(ours.keep, was)})
		if err != nil || !slices.Equal(again.Targets(), w.Targets()) {
			t.Fatalf("%v, written again: %v, %v", w.Targets(), again.Targets(), err)
		}
	})
}

// entriesOf reads a traffic list, a line each: revision or *, percent, tag.
func entriesOf(list string) []Entry {
	var entries []Entry
	for line := range strings.Lines(list) {
		fields := append(strings.Split(strings.TrimSuffix(line, "\n"), " "), "", "")
		percent, _ := strconv.ParseInt(fields[1], 10, 64)
		e := Entry{Latest: fields[0] == "*", Revision: fields[0], Percent: percent, Tag: fields[2]}
		if e.Latest {
			e.Revision = ""
		}
		entries = append(entries, e)
	}
	return entries
}

// sound tells whether a list is one that Cloud Run may have and the split one
// that may be asked for, so that nothing excuses a refusal.
func sound(svc Service, candidate, stable string, weight int64) bool {
	tags := map[string]bool{}
	for _, e := range svc.Desired {
		if !e.Latest && e.Revision == "" || e.Tag != "" && tags[e.Tag] {
			return false
		}
		tags[e.Tag] = true
	}
	return candidate != "" && stable != "" && candidate != stable && weight >= 0 && weight <= 100
}

func checkNormalForm(t *testing.T, targets []Entry, split Split, candidate string) {
	t.Helper()
	sum, served := int64(0), map[string]int64{}
	for _, e := range targets {
		sum += e.Percent
		served[e.Revision] += e.Percent
		if e.Percent < 0 || e.Percent > 100 || e.Latest && e.Percent > 0 || e.Latest == (e.Revision != "") {
			t.Fatalf("entry %+v", e)
		}
	}
	if sum != 100 || !NewSplit(served).Equal(split) {
		t.Fatalf("%v for %v", targets, split)
	}
	if split.Of(candidate) > 0 && targets[0].Revision != candidate {
		t.Fatalf("%v, the candidate %q is not first", targets, candidate)
	}
}

// checkTags compares who carries which tag before and after. Only ours moves.
func checkTags(t *testing.T, svc Service, targets []Entry, ours tagging) {
	t.Helper()
	var want []Entry
	if ours.keep != "" {
		want = append(want, Entry{Revision: ours.keep, Tag: Tag})
	}
	for _, e := range svc.Desired {
		if e.Tag == Tag && (ours.keep != "" || svc.resolve(e) == ours.was) {
			continue
		}
		want = append(want, Entry{Latest: e.Latest, Revision: e.Revision, Tag: e.Tag})
	}
	if before, after := tagsOf(want), tagsOf(targets); !slices.Equal(before, after) {
		t.Fatalf("tags %v became %v", before, after)
	}
}

func tagsOf(entries []Entry) []Entry {
	var tags []Entry
	for _, e := range entries {
		if e.Tag != "" {
			tags = append(tags, Entry{Latest: e.Latest, Revision: e.Revision, Tag: e.Tag})
		}
	}
	slices.SortFunc(tags, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Revision, b.Revision)) })
	return tags
}
