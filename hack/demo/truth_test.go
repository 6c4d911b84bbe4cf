package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// minuteOf is a minute of a hundred requests, some of which failed, with so many
// endpoints that wait for ports and instances that idle.
func minuteOf(end time.Time, failed, without, idle int) simulator.Minute {
	return simulator.Minute{
		End: end,
		Revisions: []simulator.RevisionMinute{{
			Tally: simulator.Tally{Ended: 70, Failed: failed}, TimedOut: failed, Idle: idle,
		}},
		Machines: []simulator.MachinesMinute{{Tally: simulator.Tally{Ended: 30}}},
		Gateways: []simulator.GatewayMinute{{Capacity: 126 * portsPerEndpoint, Endpoints: 126, Without: without, Dropped: without}},
	}
}

func TestTheFiguresOfAnIntervalAreThoseOfItsMinutes(t *testing.T) {
	t.Parallel()
	world := truth{minutes: []simulator.Minute{
		minuteOf(noon, 50, 9, 9), // ends where the interval begins
		minuteOf(noon.Add(time.Minute), 1, 0, 3),
		minuteOf(noon.Add(2*time.Minute), 2, 8, 3),
		minuteOf(noon.Add(3*time.Minute), 4, 6, 0),
		minuteOf(noon.Add(4*time.Minute), 50, 9, 9),
	}}
	want := figures{
		asked: 300, failed: 7, timedOut: 7, trouble: 2, starved: 1, dropped: 14, endpoints: 126, without: 8, capacity: 126,
	}
	if diff := cmp.Diff(want, world.of(noon, noon.Add(3*time.Minute)), cmp.AllowUnexported(figures{})); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
}

func TestRisesAreReadFromWhatServed(t *testing.T) {
	t.Parallel()
	at := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	serves := func(n int, service, candidate string, weight int) simulator.Event {
		split := map[string]int{"old": 100 - weight, candidate: weight}
		return simulator.Event{At: at(n), Kind: simulator.EventEffective, Service: "projects/p/locations/l/services/" + service, Split: split}
	}
	created := func(n int, service, revision string) simulator.Event {
		return simulator.Event{At: at(n), Kind: simulator.EventRevisionCreated, Service: "projects/p/locations/l/services/" + service, Revision: revision}
	}
	log := []simulator.Event{
		created(-60, "web", "web-1"), serves(-59, "web", "web-1", 100),
		created(0, "web", "web-2"), created(0, "graphql-api", "api-2"),
		serves(1, "web", "web-2", 0), serves(2, "web", "web-2", 5), serves(3, "web", "web-2", 5), serves(4, "web", "web-2", 100),
		serves(6, "graphql-api", "api-2", 100),
	}
	world := truth{released: noon, rises: risesOf(log, noon)}
	if diff := cmp.Diff([]int{5, 100}, world.weights("web")); diff != "" {
		t.Errorf("weights of web (-want +got):\n%s", diff)
	}
	if got := world.whole(); got != 6*time.Minute {
		t.Errorf("all traffic after %s, want after the last one's 6 minutes", got)
	}
	if got := (truth{rises: risesOf(log[:8], noon)}).whole(); got != 0 {
		t.Errorf("all traffic after %s, want never: one service has none", got)
	}
}

func TestOnlyWaysThatNeverFallAndEndAt100AreRises(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		weights []int
		want    bool
	}{{[]int{5, 25, 62, 100}, true}, {[]int{5, 25, 5, 100}, false}, {[]int{5, 25}, false}, {nil, false}} {
		if got := onlyRises(c.weights); got != c.want {
			t.Errorf("%v: %t, want %t", c.weights, got, c.want)
		}
	}
}

func TestAWaitIsCutDownToItsNumbers(t *testing.T) {
	t.Parallel()
	const numbers = "nat-1: 50 of 63 endpoints (1,024 ports each) taken; 100% adds up to 24; 20% is kept in reserve: room for 50"
	got := arithmetic("web-2 at 25% since Mar 1 11:30Z; 100% waits for room: " + numbers + "; no smaller weight fits either. Goes on by itself.")
	if got != numbers {
		t.Errorf("got %q", got)
	}
}

func TestAShortageIsToldWhereTheNextWeightHasNoRoom(t *testing.T) {
	t.Parallel()
	g := v1alpha1.GatewayStatus{
		Name: "nat-1", Allocated: ptr.To[int32](40960), Capacity: ptr.To[int32](64512), Forecast: ptr.To[int32](57344), Headroom: ptr.To[int32](10240),
	}
	if got, want := shortage(g), "nat-1 has lent 40960 of 64512 ports, would lend up to 57344, and may lend 10240 more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	g.Forecast = ptr.To[int32](51200)
	if got := shortage(g); got != "" {
		t.Errorf("%q is told where there is room", got)
	}
	if got := shortage(v1alpha1.GatewayStatus{}); got != "" {
		t.Errorf("%q is told of an unknown gateway", got)
	}
}

// TestEveryPromiseOfTheFirstActCanBeBroken: an act in which nothing happened keeps
// only those that say that something does not happen.
func TestEveryPromiseOfTheFirstActCanBeBroken(t *testing.T) {
	t.Parallel()
	var told strings.Builder
	looked, broken := incident{}.tell(&told)
	if looked != 12 || len(broken) != 7 {
		t.Errorf("%d of %d promises are broken, want 7 of 12:\n%s", len(broken), looked, told.String())
	}
}
