package analysis

import (
	"testing"
)

// refusedFor is a split, twenty minutes old, in which so many of a hundred requests a
// minute are answered 4xx: by stable before it, by the candidate and by stable since.
func refusedFor(before, ours, theirs int64) scene {
	s := after(20)
	stablePoints, candidatePoints := []Point{}, []Point{}
	for n := -30; n <= 20; n++ {
		bad := theirs
		if n < 0 {
			bad = before
		}
		stablePoints = append(stablePoints, Point{End: at(n), Label: "4xx", Value: bad}, Point{End: at(n), Label: "2xx", Value: 100 - bad})
		if n > 0 {
			candidatePoints = append(candidatePoints, Point{End: at(n), Label: "4xx", Value: ours}, Point{End: at(n), Label: "2xx", Value: 100 - ours})
		}
	}
	s.answers = Answers{
		{Requests, stable}: {Through: at(20), Points: stablePoints}, {Requests, candidate}: {Through: at(20), Points: candidatePoints},
	}
	return s
}

// TestASplitThatBreaksPages is told by 4xx that rise at both revisions, certainly.
func TestASplitThatBreaksPages(t *testing.T) {
	t.Parallel()
	young := refusedFor(0, 70, 4)
	young.AttemptSince = at(-33) // stable was seen for two minutes before it
	denied := refusedFor(0, 70, 4)
	denied.answers[Series{Requests, stable}] = Answer{Cause: CauseDenied}
	unasked := refusedFor(0, 70, 4)
	unasked.AttemptSince = before().AttemptSince
	for name, c := range map[string]struct {
		scene scene
		want  bool
	}{
		"at both":                          {refusedFor(0, 70, 4), true},
		"with some of them before":         {refusedFor(5, 70, 12), true},
		"at the candidate alone":           {refusedFor(0, 70, 0), false},
		"at stable alone":                  {refusedFor(0, 0, 10), false},
		"as many as before":                {refusedFor(8, 9, 8), false},
		"by too little to be certain":      {refusedFor(0, 2, 1), false},
		"with nothing to compare with":     {young, false},
		"where requests cannot be counted": {denied, false},
		"before the first write":           {unasked, false},
	} {
		got, ok := RefusedBySplit(c.scene.Scope, c.scene.answers)
		if ok != c.want {
			t.Errorf("4xx that rise %s: told %v, %+v", name, ok, got)
		}
	}
	got, _ := RefusedBySplit(refusedFor(5, 70, 12).Scope, refusedFor(5, 70, 12).answers)
	if want := (Refused{0.05, 0.7, 0.12}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
