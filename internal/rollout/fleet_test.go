package rollout

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// TestTheFleetIsCountedFromAnswers: what there is now, and what was busy in most
// minutes.
func TestTheFleetIsCountedFromAnswers(t *testing.T) {
	t.Parallel()
	s := at(25).behindNat().outlet(leaves(nat1))
	stable, candidate := Input(s).source("web-1"), Input(s).source("web-2")
	s = s.counts(analysis.Instances, stable, 40).counts(analysis.Instances, candidate, 12).
		counts(analysis.ActiveInstances, stable, 30).counts(analysis.ActiveInstances, candidate, 9)
	r := s.Revisions["web-2"]
	r.MaxInstances = 100
	s.Revisions["web-2"] = r
	if diff := cmp.Diff(nat.Fleet{Stable: 40, Candidate: 12, Busy: 39, CandidateMost: 100}, look(Input(s)).fleet()); diff != "" {
		t.Errorf("fleet (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(nat.Fleet{}, look(Input(at(25))).fleet()); diff != "" {
		t.Errorf("of nothing known (-want +got):\n%s", diff)
	}
}

// told answers a series with values by how many minutes ago their minutes ended, and
// with nothing after three minutes ago.
func (s scene) told(m analysis.Metric, of string, values map[int]int64) scene {
	a := analysis.Answer{Through: ago(3 * time.Minute)}
	for _, n := range slices.Backward(slices.Sorted(maps.Keys(values))) {
		a.Points = append(a.Points, analysis.Point{End: ago(time.Duration(n) * time.Minute), Value: values[n]})
	}
	s.Answers = maps.Clone(s.Answers)
	s.Answers[analysis.Series{Metric: m, Source: Input(s).source(of)}] = a
	return s
}

// minutes are values of the minutes that ended from so many minutes ago to so many.
func minutes(from, to int, value int64) map[int]int64 {
	values := map[int]int64{}
	for n := from; n >= to; n-- {
		values[n] = value
	}
	return values
}

// TestTheCandidateHasTheInstancesThatWillStay: one that has ended, or that will before
// the rise brings it work, carries nothing of it.
func TestTheCandidateHasTheInstancesThatWillStay(t *testing.T) {
	t.Parallel()
	runs := func(weight int64, counted, worked map[int]int64) scene {
		return paced(weight, 20, 8, 0).told(analysis.Instances, "web-1", minutes(20, 3, 8)).
			told(analysis.Instances, "web-2", counted).told(analysis.ActiveInstances, "web-2", worked)
	}
	unwitnessed := func(s scene) scene { return s.told(analysis.Instances, "web-1", nil) }
	minimum := func(s scene) scene {
		return s.with(func(s *scene) {
			r := s.Revisions["web-2"]
			r.MinInstances = 2
			s.Revisions["web-2"] = r
		})
	}
	for name, c := range map[string]struct {
		in   scene
		want int64
	}{
		"those of the newest minute":                       {runs(25, minutes(20, 3, 4), minutes(20, 3, 2)), 4},
		"none where stable's are counted and its own not":  {runs(25, minutes(20, 4, 4), nil), 0},
		"those of two minutes ago where nobody is counted": {unwitnessed(runs(25, minutes(20, 5, 4), nil)), 4},
		"none of long ago":                                 {unwitnessed(runs(25, minutes(20, 7, 4), nil)), 0},
		"without traffic, those that have just worked":     {runs(0, minutes(20, 3, 4), minutes(20, 11, 3)), 3},
		"without traffic, none that idles for long":        {runs(0, minutes(20, 3, 4), minutes(20, 12, 3)), 0},
		"without traffic, those that have just come":       {runs(0, minutes(10, 3, 4), nil), 4},
		"without traffic, the minimum stays":               {minimum(runs(0, minutes(20, 3, 4), nil)), 2},
		"but not before it is there":                       {minimum(runs(0, minutes(20, 3, 1), nil)), 1},
	} {
		if got := look(Input(c.in)).fleet().Candidate; got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

// TestAFullGatewayIsNotRaisedIntoForAnInstanceThatEnds: the one of the health check has
// idled since the deployment, and a first step that starts none always fits.
func TestAFullGatewayIsNotRaisedIntoForAnInstanceThatEnds(t *testing.T) {
	t.Parallel()
	full := paced(0, 60, 8, 0).told(analysis.Instances, "web-1", minutes(20, 3, 8)).told(analysis.ActiveInstances, "web-2", nil)
	check(t, map[string]row{
		"it idles":     {full.told(analysis.Instances, "web-2", minutes(17, 3, 1)), waitsForNat, "60 of 63 endpoints (1,024 ports each) taken; 5% adds up to 4"},
		"it has ended": {full.told(analysis.Instances, "web-2", minutes(17, 5, 1)), waitsForNat, "5% adds up to 4"},
		"it is new":    {full.told(analysis.Instances, "web-2", minutes(8, 3, 1)), wrote(5), ""},
		"it works":     {full.told(analysis.Instances, "web-2", minutes(17, 3, 1)).told(analysis.ActiveInstances, "web-2", minutes(17, 3, 1)), wrote(5), ""},
	})
}
