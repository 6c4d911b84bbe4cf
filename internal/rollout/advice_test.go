package rollout

import (
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
	calls := func(egress Egress) func(*Revision) {
		return func(r *Revision) { r.OwnURL, r.Egress = "SELF", egress }
	}
	was := func(s scene) scene {
		return s.with(func(s *scene) {
			r := s.Revisions["web-1"]
			r.Egress = EgressAll
			s.Revisions["web-1"] = r
		})
	}
	unready := idle().readiness("web-2", NotReady)
	for name, c := range map[string]struct {
		in   scene
		want []nat.Code
	}{
		"one that calls itself and leaves the VPC":                  {was(at(25)).revised(calls(EgressPrivate)), []nat.Code{nat.OwnURLCalled}},
		"one that calls itself and was never in it":                 {at(25).revised(calls(EgressPrivate)), []nat.Code{}},
		"one that calls itself, leaves the VPC and does not start":  {was(unready).revised(calls(EgressPrivate)), []nat.Code{nat.OwnURLCalled}},
		"one that calls itself, stays and does not start":           {was(unready).revised(calls(EgressAll)), nil},
		"one that leaves the VPC, does not start and does not call": {was(unready).revised(func(r *Revision) { r.Egress = EgressPrivate }), nil},
		"an ordinary service":                                       {start, []nat.Code{nat.AllTrafficUnneeded, nat.TooFewPorts, nat.NoMinimum, nat.LoggingOff}},
		"one that calls itself":                                     {start.revised(func(r *Revision) { r.OwnURL = "SELF" }), []nat.Code{nat.OwnURLCalled, nat.AllTrafficUnneeded, nat.TooFewPorts, nat.NoMinimum, nat.LoggingOff}},
		"one with Cloud SQL":                                        {start.revised(func(r *Revision) { r.CloudSQL = true }), []nat.Code{nat.CloudSQLPublic, nat.AllTrafficUnneeded, nat.TooFewPorts, nat.NoMinimum, nat.LoggingOff}},
		"one with a minimum of its own":                             {start.revised(func(r *Revision) { r.MinInstances = 3 }), []nat.Code{nat.AllTrafficUnneeded, nat.TooFewPorts, nat.LoggingOff}},
		"one with the service's":                                    {start.with(func(s *scene) { s.Service.MinInstances = 3 }), []nat.Code{nat.AllTrafficUnneeded, nat.TooFewPorts, nat.LoggingOff}},
		"nobody asks Compute":                                       {start.outlet(Outlet{}).saw(nat1), nil},
		"Compute does not tell":                                     {start.outlet(Outlet{Presence: Found, Gateways: []Gateway{{Source: nat1, Unread: "denied"}}}), nil},
		"after a rollback":                                          {start.with(func(s *scene) { s.Progress = s.Progress.latch("web-2"); s.Progress.Phase = RolledBack }), nil},
		"without NAT there is no finding":                           {at(25), []nat.Code{}},
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

// TestAdviceDecidesNothing, whatever it is about. A split that breaks pages is held for what
// is measured of it, and not because it is advised on.
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
