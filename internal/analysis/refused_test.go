package analysis

import (
	"testing"
)

// refusedFor is a split, twenty minutes old, in which so many percent of the requests are
// answered 4xx: by stable before it, by the candidate and by stable since. The candidate
// gets a twentieth of 1000 requests a minute.
func refusedFor(before, ours, theirs int64) scene { return refusedAt(5, before, ours, theirs) }

func refusedAt(weight, before, ours, theirs int64) scene {
	s := after(20)
	stablePoints, candidatePoints := []Point{}, []Point{}
	each := func(n int, all, percent int64) []Point {
		bad := all * percent / 100
		return []Point{{End: at(n), Label: "4xx", Value: bad}, {End: at(n), Label: "2xx", Value: all - bad}}
	}
	for n := -30; n <= 20; n++ {
		if n < 0 {
			stablePoints = append(stablePoints, each(n, 1000, before)...)
			continue
		}
		stablePoints = append(stablePoints, each(n, 10*(100-weight), theirs)...)
		if n > 0 {
			candidatePoints = append(candidatePoints, each(n, 10*weight, ours)...)
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
		"as often as others are asked":     {refusedFor(0, 10, 10), false},
		"and more so at the candidate":     {refusedFor(0, 90, 2), false},
		"at half of the traffic each":      {refusedAt(50, 1, 30, 30), true},
		"at a fifth and four fifths":       {refusedAt(20, 1, 60, 15), true},
		"there, as often as others":        {refusedAt(20, 1, 30, 30), false},
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
