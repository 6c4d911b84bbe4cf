package contract

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

func TestAServiceAndItsRevisions(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.deploy(newer)
	got := s.service()
	want := rollout.Service{
		Presence: rollout.Found, Generation: s.state().Generation, ObservedGeneration: s.state().Generation, ETag: s.state().Etag,
		Desired: []rollout.Entry{{Revision: "web-1", Percent: 100}}, Effective: []rollout.Entry{{Revision: "web-1", Percent: 100}},
		LatestReady: "web-2", LatestCreated: "web-2", TemplateRevision: "web-2", Modifier: "someone@example.com",
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(rollout.Service{}, "UID")); diff != "" || got.UID == "" {
		t.Errorf("service (-want +got):\n%s", diff)
	}
	found, err := s.run.Revisions(t.Context(), ref, []string{"web-1", "web-2", "web-9"})
	if err != nil {
		t.Fatal(err)
	}
	if r := found["web-1"]; r.Readiness != rollout.Ready || r.Timeout != time.Minute || r.Egress != rollout.EgressAll || r.Image != fine {
		t.Errorf("web-1: %+v", r)
	}
	if r := found["web-2"]; r.Readiness != rollout.Ready || !r.CreatedAt.After(morning.Add(-time.Second)) || r.Image != newer {
		t.Errorf("web-2, which is retired and healthy: %+v", r)
	}
	if r := found["web-9"]; r.Presence != rollout.Missing || r.Why == "" {
		t.Errorf("web-9: %+v", r)
	}
	before := s.state()
	s.service()
	if diff := cmp.Diff(before, s.state()); diff != "" {
		t.Errorf("a read changed the service:\n%s", diff)
	}
}

func TestClocksThatAreApart(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.advance(700 * time.Millisecond)
	if got := s.service().Skew; got != 0 {
		t.Errorf("one clock is %v apart", got)
	}
	for _, apart := range []time.Duration{10 * time.Minute, -10 * time.Minute} {
		s.inject(simulator.Fault{Kind: simulator.FaultSkew, Delay: simulator.Duration(apart)})
		if got := s.service().Skew; (got - apart).Abs() > time.Second {
			t.Errorf("clocks %v apart are measured as %v", apart, got)
		}
		s.world(func(w *simulator.World) error { w.ClearFaults(); return nil })
	}
}

func TestARevisionThatDoesNotStart(t *testing.T) {
	t.Parallel()
	s := newStage(t, func(sc *simulator.Scenario) {
		sc.Services[0].Images[newer] = simulator.Behaviour{Startup: simulator.Startup{Fails: &simulator.StartupFailure{}}}
	})
	s.deploy(newer)
	s.advance(time.Minute)
	found, err := s.run.Revisions(t.Context(), ref, []string{"web-2"})
	if err != nil {
		t.Fatal(err)
	}
	if r := found["web-2"]; r.Readiness != rollout.NotReady || r.Why == "" {
		t.Errorf("web-2: %+v", r)
	}
	if got := s.service(); got.LatestReady != "web-1" || got.Failure == "" {
		t.Errorf("service: %+v", got)
	}
}

func TestAMissingServiceIsAFact(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	got, err := s.run.Service(t.Context(), rollout.ServiceRef{Project: project, Location: region, Name: "none"})
	if err != nil || got.Presence != rollout.Missing || got.Detail == "" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestFailuresOfReads(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		fault simulator.Fault
		want  error
	}{
		"over quota":  {simulator.Fault{Kind: simulator.FaultError, Code: 429, RetryAfter: simulator.Duration(7 * time.Second)}, cloudrun.ErrThrottled},
		"unavailable": {simulator.Fault{Kind: simulator.FaultError, Code: 503}, cloudrun.ErrUnavailable},
		"lost":        {simulator.Fault{Kind: simulator.FaultDrop}, cloudrun.ErrUnavailable},
		"not logged in": {
			simulator.Fault{Kind: simulator.FaultError, Code: 401}, cloudrun.ErrDenied,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			c.fault.Times = -1 // net/http repeats a read whose connection broke
			s.inject(c.fault)
			_, err := s.run.Service(t.Context(), ref)
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			var call *cloudrun.CallError
			if errors.As(err, &call) && errors.Is(err, cloudrun.ErrThrottled) && call.RetryAfter != 7*time.Second {
				t.Errorf("retry after %s", call.RetryAfter)
			}
		})
	}
	t.Run("denied is a fact", func(t *testing.T) {
		t.Parallel()
		s := newStage(t)
		s.inject(simulator.Fault{Kind: simulator.FaultError, Code: 403})
		if got := s.service(); got.Presence != rollout.Denied || got.Detail == "" {
			t.Errorf("got %+v", got)
		}
	})
}

// ready is a controller that is about to make its first write.
func ready(t *testing.T, edits ...func(*simulator.Scenario)) (*controller, rollout.Write) {
	t.Helper()
	c := &controller{stage: newStage(t, edits...), plan: plan()}
	c.advance(10 * time.Minute)
	c.look()
	c.deploy(newer)
	return c, c.firstWrite()
}

// patches lists the writes that arrived, ours only.
func (s *stage) patches() []*simulator.Call {
	var calls []*simulator.Call
	s.guard.Do(func(w *simulator.World) {
		for _, e := range w.Log() {
			if e.Call != nil && e.Call.Operation == "services.patch" {
				calls = append(calls, e.Call)
			}
		}
	})
	return calls
}

func TestAWriteThatIsAccepted(t *testing.T) {
	t.Parallel()
	c, write := ready(t)
	if err := c.run.SetTraffic(t.Context(), ref, write); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Minute)
	got := c.service()
	want := []rollout.Entry{{Revision: "web-2", Percent: 5}, {Revision: "web-1", Percent: 95, Tag: rollout.Tag}}
	if diff := cmp.Diff(want, got.Desired); diff != "" {
		t.Errorf("desired (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, got.Effective); diff != "" {
		t.Errorf("effective (-want +got):\n%s", diff)
	}
	if got.Generation != write.Generation()+1 {
		t.Errorf("generation %d after %d", got.Generation, write.Generation())
	}
	calls := c.patches()
	if len(calls) != 1 || !calls[0].Accepted || !cmp.Equal(calls[0].Mask, []string{"traffic"}) || calls[0].Etag != write.ETag() {
		t.Errorf("the world saw %+v", calls)
	}
}

func TestAStaleWriteIsAConflict(t *testing.T) {
	t.Parallel()
	c, write := ready(t)
	c.world(func(w *simulator.World) error {
		return w.EditTraffic(name, []simulator.TrafficTarget{{Revision: "web-1", Percent: 90}, {Revision: "web-2", Percent: 10}}, "alice@example.com")
	})
	if err := c.run.SetTraffic(t.Context(), ref, write); !errors.Is(err, cloudrun.ErrConflict) {
		t.Errorf("error %v, want a conflict", err)
	}
	if got := c.state().Desired["web-2"]; got != 10 {
		t.Errorf("alice's split has become %d %%", got)
	}
}

func TestTheSecondFenceNoticesWhatAnEtagThatIsIgnoredDoesNot(t *testing.T) {
	t.Parallel()
	c, write := ready(t, func(sc *simulator.Scenario) { sc.Switches.Etag = "ignored" })
	c.world(func(w *simulator.World) error {
		return w.EditTraffic(name, []simulator.TrafficTarget{{Revision: "web-1", Percent: 90}, {Revision: "web-2", Percent: 10}}, "alice@example.com")
	})
	if err := c.run.SetTraffic(t.Context(), ref, write); !errors.Is(err, cloudrun.ErrInterleaved) {
		t.Errorf("error %v, want that somebody wrote in between", err)
	}
}

func TestALostAnswerIsNeitherSuccessNorFailure(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault  simulator.Fault
		landed bool // at once
	}{
		"carried out": {simulator.Fault{Kind: simulator.FaultDrop, Operation: "services.patch"}, true},
		"carried out later": {
			simulator.Fault{Kind: simulator.FaultPark, Operation: "services.patch", Delay: simulator.Duration(time.Minute)}, false,
		},
		"an error behind which nothing happened": {
			simulator.Fault{Kind: simulator.FaultError, Operation: "services.patch", Code: 503}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage, write := ready(t)
			stage.inject(c.fault)
			if err := stage.run.SetTraffic(t.Context(), ref, write); !errors.Is(err, cloudrun.ErrAmbiguous) {
				t.Errorf("error %v, want a lost answer", err)
			}
			if landed := stage.state().Desired["web-2"] == 5; landed != c.landed {
				t.Errorf("landed %v, want %v", landed, c.landed)
			}
			if calls := stage.patches(); len(calls) != 1 {
				t.Errorf("sent %d times, want once", len(calls))
			}
		})
	}
}
