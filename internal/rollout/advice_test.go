package rollout

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

func (s scene) revised(change func(*Revision)) scene {
	return s.with(func(s *scene) {
		r := s.Revisions["web-2"]
		change(&r)
		s.Revisions["web-2"] = r
	})
}

// TestAdvice is what an attempt finds of its service and its gateways.
func TestAdvice(t *testing.T) {
	t.Parallel()
	start := at(0).behindNat().outlet(leaves(nat1)).revised(func(r *Revision) { r.Egress = EgressAll })
	for name, c := range map[string]struct {
		in   scene
		want []nat.Code
	}{
		"an ordinary service":             {start, []nat.Code{nat.AllTrafficUnneeded, nat.TooFewPorts, nat.NoMinimum, nat.LoggingOff}},
		"one that calls itself":           {start.revised(func(r *Revision) { r.OwnURL = "SELF" }), []nat.Code{nat.OwnURLCalled, nat.AllTrafficUnneeded, nat.TooFewPorts, nat.NoMinimum, nat.LoggingOff}},
		"one with Cloud SQL":              {start.revised(func(r *Revision) { r.CloudSQL = true }), []nat.Code{nat.CloudSQLPublic, nat.AllTrafficUnneeded, nat.TooFewPorts, nat.NoMinimum, nat.LoggingOff}},
		"one with a minimum of its own":   {start.revised(func(r *Revision) { r.MinInstances = 3 }), []nat.Code{nat.AllTrafficUnneeded, nat.TooFewPorts, nat.LoggingOff}},
		"one with the service's":          {start.with(func(s *scene) { s.Service.MinInstances = 3 }), []nat.Code{nat.AllTrafficUnneeded, nat.TooFewPorts, nat.LoggingOff}},
		"nobody asks Compute":             {start.outlet(Outlet{}).saw(nat1), nil},
		"Compute does not tell":           {start.outlet(Outlet{Presence: Found, Gateways: []Gateway{{Source: nat1, Unread: "denied"}}}), nil},
		"after a rollback":                {start.with(func(s *scene) { s.Progress = s.Progress.latch("web-2"); s.Progress.Phase = RolledBack }), nil},
		"without NAT there is no finding": {at(25), []nat.Code{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			findings := Decide(Input(c.in)).Advice
			var got []nat.Code
			if findings != nil {
				got = []nat.Code{}
			}
			for _, f := range findings {
				got = append(got, f.Code)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAdviceOnASplitThatBreaksPages: 4xx rise at both revisions, and nothing keeps a
// user with one of them.
func TestAdviceOnASplitThatBreaksPages(t *testing.T) {
	t.Parallel()
	refuses := at(25).with(func(s *scene) {
		for revision, since := range map[string]int64{"web-1": 4, "web-2": 70} {
			series := analysis.Series{Metric: analysis.Requests, Source: Input(*s).source(revision)}
			a := analysis.Answer{Through: ago(4 * time.Minute)}
			for n := 120; n >= 4; n-- {
				end, bad := ago(time.Duration(n)*time.Minute), int64(0)
				if end.After(s.Progress.FirstWrite) {
					bad = since
				}
				a.Points = append(a.Points, analysis.Point{End: end, Label: "4xx", Value: bad}, analysis.Point{End: end, Label: "2xx", Value: 100 - bad})
			}
			s.Answers = scene{Answers: analysis.Answers{series: a}}.merged(s.Answers)
		}
	})
	advised := func(s scene) bool {
		return slices.ContainsFunc(Decide(Input(s)).Advice, func(f nat.Finding) bool { return f.Code == nat.AssetsMissed })
	}
	if !advised(refuses) {
		t.Error("nothing is said of it")
	}
	if advised(refuses.revised(func(r *Revision) { r.SessionAffinity = true })) {
		t.Error("session affinity is advised where it is on")
	}
	if advised(at(25)) {
		t.Error("it is advised where nothing is refused")
	}
}

// TestAdviceIsNotAskedForWhereNobodyCounts requests, or once it is too long ago.
func TestAdviceIsNotAskedForWhereNobodyCounts(t *testing.T) {
	t.Parallel()
	counting := at(25).with(func(s *scene) {
		s.Plan.Guards = []Guard{{Name: "errors", Rule: analysis.ServerErrors{}, Mode: Enforce}}
	})
	for name, c := range map[string]struct {
		in   scene
		asks bool
	}{
		"errors are judged":      {counting, true},
		"nothing is":             {counting.with(func(s *scene) { s.Plan.Guards = nil }), false},
		"they are switched off":  {counting.with(func(s *scene) { s.Plan.Guards[0].Mode = Off }), false},
		"sessions stick":         {counting.revised(func(r *Revision) { r.SessionAffinity = true }), false},
		"nothing is written yet": {at(0), false},
		"it began days ago":      {counting.with(func(s *scene) { s.Progress.FirstWrite = ago(80 * time.Hour) }), false},
	} {
		scope, _ := scopeOf(Input(c.in))
		if got := len(Input(c.in).adviceQuestions(scope)) > 0; got != c.asks {
			t.Errorf("where %s it asks: %v", name, got)
		}
	}
}

// TestAdviceDecidesNothing, whatever it is about.
func TestAdviceDecidesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := garbage{t}.input()
		d := Decide(in)
		for name, r := range in.Revisions {
			r.CloudSQL, r.OwnURL = true, "SELF"
			in.Revisions[name] = r
		}
		other := Decide(in)
		d.Advice, other.Advice = nil, nil
		if diff := cmp.Diff(d, other, cmp.AllowUnexported(Decision{}, Write{})); diff != "" {
			t.Fatalf("advice decides (-without +with):\n%s", diff)
		}
	})
}
