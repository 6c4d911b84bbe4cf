package simulator_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// shared is a world in which web-v2 behaves as given and has a share.
func shared(t *testing.T, percent int, b simulator.Behaviour, edits ...func(*simulator.Scenario)) *simulator.World {
	t.Helper()
	w := place(t, edits...)
	deploy(t, w, b)
	split(t, w, percent)
	w.AdvanceTo(w.Start().Add(5 * time.Minute))
	return w
}

func tally(t *testing.T, w *simulator.World, revision string, from time.Time) simulator.Tally {
	t.Helper()
	got, err := w.Requests(revision, from, w.Now())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// near tells whether a count is what chance allows around a mean.
func near(got int, mean float64) bool { return math.Abs(float64(got)-mean) <= 5*math.Sqrt(mean) }

func TestUsersFollowTheEffectiveSplit(t *testing.T) {
	t.Parallel()
	w := shared(t, 10, simulator.Behaviour{})
	from := w.Now()
	w.Advance(time.Hour)
	stable, next := tally(t, w, stableV1, from), tally(t, w, "web-v2", from)
	if !near(stable.Arrived, 0.9*20*3600) || !near(next.Arrived, 0.1*20*3600) {
		t.Errorf("in an hour of 20 per second stable got %d and the other %d requests", stable.Arrived, next.Arrived)
	}
	if stable.Failed+next.Failed != 0 || stable.Ended != stable.Arrived {
		t.Errorf("healthy revisions: %+v, %+v", stable, next)
	}
}

func TestRequestsFollowTheFormerSplitForAWhile(t *testing.T) {
	t.Parallel()
	w := place(t, func(sc *simulator.Scenario) {
		long := simulator.Duration(100 * time.Second)
		sc.Timing.Propagation = &long
	})
	deploy(t, w, simulator.Behaviour{})
	split(t, w, 100)
	for effective(t, w)[stableV1] > 0 {
		w.Advance(100 * time.Millisecond)
	}
	from := w.Now()
	w.Advance(100 * time.Second)
	if got := tally(t, w, stableV1, from).Arrived; !near(got, 0.5*20*100) {
		t.Errorf("stable got %d requests while they moved away evenly, want about 1000", got)
	}
	from = w.Now()
	w.Advance(100 * time.Second)
	if got := tally(t, w, stableV1, from).Arrived; got != 0 {
		t.Errorf("afterwards it still got %d", got)
	}
}

func TestAShareOfRequestsFails(t *testing.T) {
	t.Parallel()
	w := shared(t, 50, simulator.Behaviour{Errors: []simulator.ErrorRate{{Percent: 5, Code: 503}, {Percent: 10, Code: 404}}})
	from := w.Now()
	w.Advance(time.Hour)
	got := tally(t, w, "web-v2", from)
	if !near(got.Arrived, 36000) || !near(got.Failed, 0.05*36000) {
		t.Errorf("of %d requests %d failed, want 5 %%; a 404 is no failure", got.Arrived, got.Failed)
	}
}

func TestARequestThatHangsIsCountedWhenItEnds(t *testing.T) {
	t.Parallel()
	w := shared(t, 50, simulator.Behaviour{Errors: []simulator.ErrorRate{{Percent: 100, Code: 504, Latency: simulator.Duration(5 * time.Minute)}}})
	begun := w.Start().Add(35 * time.Second)
	if got := tally(t, w, "web-v2", begun); got.Ended != 0 || got.Arrived == 0 {
		t.Errorf("before the timeout: %+v, want arrivals and no end", got)
	}
	arrived, err := w.Requests("web-v2", begun, w.Start().Add(4*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	w.AdvanceTo(w.Start().Add(9 * time.Minute))
	if got := tally(t, w, "web-v2", begun); got.Failed != arrived.Arrived {
		t.Errorf("%d had failed five minutes after %d had arrived", got.Failed, arrived.Arrived)
	}
}

func TestErrorsHaveTheirTimesAndLoads(t *testing.T) {
	t.Parallel()
	minutes := func(n int) simulator.Duration { return simulator.Duration(time.Duration(n) * time.Minute) }
	cases := map[string]struct {
		errors  simulator.ErrorRate
		percent int
		fails   bool // in the minute after the fifth
	}{
		"not begun yet":      {simulator.ErrorRate{Percent: 100, From: minutes(10)}, 50, false},
		"begun":              {simulator.ErrorRate{Percent: 100, From: minutes(1), Until: minutes(10)}, 50, true},
		"over":               {simulator.ErrorRate{Percent: 100, Until: minutes(3)}, 50, false},
		"too little traffic": {simulator.ErrorRate{Percent: 100, AbovePercent: 30}, 20, false},
		"enough traffic":     {simulator.ErrorRate{Percent: 100, AbovePercent: 30}, 40, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := shared(t, c.percent, simulator.Behaviour{Errors: []simulator.ErrorRate{c.errors}})
			from := w.Now()
			w.Advance(time.Minute)
			if got := tally(t, w, "web-v2", from); (got.Failed > 0) != c.fails {
				t.Errorf("%+v; want failures: %v", got, c.fails)
			}
		})
	}
}

func TestUsersOfALostRevisionReachNothing(t *testing.T) {
	t.Parallel()
	w := shared(t, 50, simulator.Behaviour{})
	if err := w.LoseRevision("web-v2"); err != nil {
		t.Fatal(err)
	}
	from := w.Now()
	w.Advance(time.Minute)
	all, err := w.AllRequests("web", from, w.Now())
	if err != nil {
		t.Fatal(err)
	}
	if one, err := w.Requests(service+"/revisions/web-v2", from, w.Now()); err != nil || one != all["web-v2"] {
		t.Errorf("asked for alone: %+v, %v", one, err)
	}
	if _, err := w.Requests("web-v9", from, w.Now()); err == nil {
		t.Error("a revision that never was has requests")
	}
	if got := all["web-v2"]; got.Unreached == 0 || got.Ended != 0 || got.Unreached != got.Arrived {
		t.Errorf("of the lost revision: %+v", got)
	}
	if _, err := w.GetRevision(service + "/revisions/web-v2"); apiError(t, err).Status != "NOT_FOUND" {
		t.Errorf("reading it: %v", err)
	}
}

func TestTheNumberOfUsersChanges(t *testing.T) {
	t.Parallel()
	w := place(t, func(sc *simulator.Scenario) {
		sc.Services[0].Users.Changes = []simulator.UserLevel{{At: simulator.Duration(time.Hour), RequestsPerSecond: 2}}
	})
	w.Advance(time.Hour)
	from := w.Now()
	w.Advance(time.Hour)
	if got := tally(t, w, stableV1, from).Arrived; !near(got, 7200) {
		t.Errorf("%d requests in the hour of 2 per second", got)
	}
	if err := w.SetUsers("web", 0); err != nil {
		t.Fatal(err)
	}
	from = w.Now()
	w.Advance(time.Hour)
	if got := tally(t, w, stableV1, from).Arrived; got != 0 {
		t.Errorf("%d requests without users", got)
	}
}

func TestTalliesOfTheLogAddUpToTheTruth(t *testing.T) {
	t.Parallel()
	w := shared(t, 30, simulator.Behaviour{Errors: []simulator.ErrorRate{{Percent: 20}}})
	w.AdvanceTo(w.Start().Add(20 * time.Minute))
	var got simulator.Tally
	for _, e := range w.Log() {
		if e.Kind == simulator.EventTally && e.Revision == "web-v2" {
			got.Arrived += e.Tally.Arrived
			got.Ended += e.Tally.Ended
			got.Failed += e.Tally.Failed
		}
	}
	want, err := w.Requests("web-v2", w.Start(), w.Now())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkAnHourOfOneService(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w, err := simulator.New(simulator.Scenario{Seed: 1, Services: []simulator.Hosted{{
			Project: "p", Location: "l", Name: "web", Users: simulator.Users{RequestsPerSecond: 20},
			Revisions: []simulator.Deployment{
				{Image: "1", Revision: "web-1"},
				{Image: "2", Revision: "web-2", Behaviour: &simulator.Behaviour{Errors: []simulator.ErrorRate{{Percent: 5}}}},
			},
			Traffic: []simulator.TrafficTarget{{Revision: "web-1", Percent: 50}, {Revision: "web-2", Percent: 50}},
		}}, Gateways: []simulator.Gateway{{Project: "p", Region: "l", Name: "n", AllocatedPorts: 64}}})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		w.Advance(time.Hour)
	}
}
